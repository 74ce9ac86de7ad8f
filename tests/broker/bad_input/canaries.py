"""
Where a value may stand on a bus, and everywhere that it could: topics, Kafka's own topics, segments, state, logs, metrics.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from confluent_kafka import Consumer, KafkaError, TopicPartition
from msgspec.structs import replace

from agreements import exactly, other_than_visible
from boutre.connectors.opening import Opening
from boutre.ops.assembly import assemble
from boutre.processors.agreement import Agreement
from boutre.processors.decision import Emit, Inbound, Outbound
from boutre.processors.hops import OFFER
from boutre.processors.offers import of_key
from boutre.schemas.cases import OPEN, PERSONAL
from boutre.schemas.cases.groups import Opener, seal
from boutre.schemas.identity import pseudonym
from boutre.schemas.view_signature import SentView
from broker.bad_input.bus import Bus, Message, scraped
from on_disk import read
from records import FIELDS, ROOT, Value, below, leaves, real_pipeline

ONLY_THE_BUS = {"accepted_at": None, "late": None}
"""What the bus itself writes into a record's times."""

LINKING = "correlate"
"""Whoever links: it remembers what each recipient was given, of each apart, and nothing else."""

KAFKAS_OWN = ("__consumer_offsets", "__transaction_state")


@dataclass(frozen=True, slots=True)
class Canary:
    """
    One text of one record: *path* is its field, *given* are the recipients who may read it.
    """

    text: bytes
    kind: str
    path: str
    given: frozenset[str]

    @property
    def sealed(self) -> bool:
        """Whether it stands open nowhere on the bus, not even on its owner's topic."""
        return self.path.partition(".")[0] in PERSONAL

    def strays(self, reader: str, *, owned: bool) -> bool:
        """
        Say whether it may not stand where *reader* reads (empty: nobody; ``LINKING``: the bus itself, what recipients were given).

        *owned* is where its member's records are.
        """
        group, _, name = self.path.partition(".")
        if self.sealed and not (reader and name in OPEN.get(group, ())):
            return True
        return not (owned or reader in self.given or (reader == LINKING and self.given))


def canaries(bus: Bus, kind: str, value: Value) -> Iterator[Canary]:
    """
    Every text of a record that occurs once in the world, with who may have it by the agreements that gave it a view.
    """
    infos = {info.path: info for info in FIELDS[kind] if not below(kind, info.path)}
    agreements = {each.name: each for each in real_pipeline().policy.agreements}
    by: dict[str, list[Agreement]] = {
        recipient: [agreements[name] for name in view["view"]["agreements"]]
        for (recipient, of_kind, _), view in bus.collector.views.items()
        if of_kind == kind and any(view["view"]["of"] == known for known in bus.names(value["id"]))
    }
    for path, held in leaves(value):
        if isinstance(held, str) and held.startswith("canary"):
            may = {who for who, ours in by.items() if not infos[path].reference and exactly(ours, kind, infos[path])}
            yield Canary(held.encode(), kind, path, frozenset(may))


def changed_for(bus: Bus, recipient: str, kind: str, value: Value, other: Value) -> tuple[list[Outbound], list[Outbound]]:
    """
    What a recipient got of a record on this bus, opened; and what release gives of one that differs in all that it may not have.

    The other record takes its hidden part from *other*. Both were accepted at the same moment, by the bus's own clock.
    """
    codec, opening = bus.collector.codec, Opening.of(bus.keys)
    stood = next(one for one in bus.messages if one.place[0] == f"bus.{kind}" and value["id"].encode() in one.value)
    name = pseudonym(bus.keys.recipient(recipient), value["id"])
    topic = f"for.{recipient}.{kind}"
    got = []
    for one in bus.messages:
        if one.place[0] == topic:
            sent = SentView(topic, one.key, one.timestamp, one.headers, one.value)
            frame = opening.frame(sent, recipient, topic)
            if codec.decode(frame).value["view"]["of"] == name:
                got.append(Outbound(topic, one.key, frame, one.timestamp, (("ce_id", one.headers["ce_id"]),)))
    agreements = {each.name: each for each in real_pipeline().policy.agreements}
    by = [agreements[each] for each in codec.decode(got[0].value).value["view"]["agreements"]]
    vault = bus.keys.cases
    accepted = Opener(codec, vault.open().opening)(codec.decode(stood.value)).value
    ordinary = [each for each in by if not each.exceptional]
    unseen = {**other, "times": {**other["times"], **ONLY_THE_BUS}}
    changed = other_than_visible(ordinary or by, kind, accepted, unseen, Random(7))  # noqa: S311 - a test
    for each in by if ordinary else ():
        for path in each.fields if each.exceptional else ():
            # What an exception gives beside the ordinary ones is not hidden; those of this bus keep what they name.
            _take_over(changed, accepted, path)
    changed["times"] |= {name: accepted["times"][name] for name in ONLY_THE_BUS}
    (release,) = (each for each in assemble(ROOT).handlers(bus.keys) if each.processor.name == "release")
    frame = seal(codec, codec.decode(codec.encode(kind, changed)), vault.keys(changed["origin"]["member"]).take)
    decision = release.processor.step(Inbound(f"bus.{kind}", 0, 0, stood.key, frame, {}, stood.timestamp), {})
    assert isinstance(decision, Emit)
    assert stood.value != frame
    views = [out for out in decision.records if out.topic == topic]
    ids = [replace(out, headers=tuple(one for one in out.headers if one[0] == "ce_id"), seal=None) for out in views]
    return got, ids


def _take_over(changed: Value, own: Value, path: str) -> None:
    """Make one field of a record what it is in another one."""
    *groups, last = path.split(".")
    for name in groups:
        if name not in own:
            return  # it is a field of other kinds
        if own[name] is None:
            changed[name] = None
            return
        changed[name] = dict(changed.get(name) or own[name])
        changed, own = changed[name], own[name]
    if last in own:
        changed[last] = own[last]


def strays(bus: Bus, home: Path, member: str, found: list[Canary]) -> list[str]:
    """
    Name every canary that stands where it may not, and where that is.

    The owner's national topics and the accepted records hold all of it but what names people, which stands open nowhere. A
    recipient's topics are looked into after they were opened by its key too. An offer is one recipient's, whom its key names.
    """
    allowed = (f"national.{member}.", "bus.sighting", "bus.interception", "bus.alert", "bus.retraction")
    told: list[str] = []
    for message in [*bus.messages, *kafkas_own(bus)]:
        topic = message.place[0]
        offered = of_key(message.key) if topic.startswith(OFFER) else None
        reader = reading(topic) if offered is None else offered[0]
        looked_for = [one for one in found if one.strays(reader, owned=topic.startswith(allowed))]
        told += [f"{one.path} of a {one.kind} on {topic}" for one in looked_for if message.holds(one.text)]
    for (reader, _, _), view in bus.collector.views.items():
        shown = {held.encode() for _, held in leaves(view) if isinstance(held, str)}
        told += [
            f"{one.path} of a {one.kind} in a view of {reader}" for one in found if reader not in one.given and one.text in shown
        ]
    places = [*segments(home), *((worker.name, Path(worker.log).read_bytes()) for worker in bus.standing.workers)]
    places += [(f"/metrics of {worker.name}", scraped(worker)) for worker in bus.standing.workers]
    state = bus.standing.settings.state
    places += [(str(path.relative_to(state)), path.read_bytes()) for path in sorted(state.rglob("*")) if path.is_file()]
    for place, content in places:
        reader = reading(place)
        looked_for = [one for one in found if one.strays(reader, owned=place.startswith(allowed))]
        told += [f"{one.path} of a {one.kind} in {place}" for one in looked_for if one.text in content]
    return told


def reading(place: str) -> str:
    """
    Who reads a topic, or a partition on the disk, or a worker's state, by its name: a recipient, whoever links, or nobody.
    """
    if place.startswith("for."):
        return place.split(".")[1]
    return LINKING if "correlate" in place or place.startswith(OFFER) else ""


def segments(home: Path) -> Iterator[tuple[str, bytes]]:
    """The files of every partition as they lie on the disk, and what their compressed batches hold."""
    for path in sorted(home.rglob("*/*")):
        if path.is_file() and path.suffix in {".log", ".index", ".timeindex", ".snapshot", ".txnindex"}:
            yield path.parent.name, read(path)


def kafkas_own(bus: Bus) -> list[Message]:
    """All that Kafka itself remembers of groups, positions and transactions."""
    consumer = Consumer({"bootstrap.servers": bus.bootstrap, "group.id": "canaries", "enable.partition.eof": True})
    found: list[Message] = []
    try:
        topics = consumer.list_topics(timeout=30).topics
        places = [TopicPartition(name, number, 0) for name in KAFKAS_OWN if name in topics for number in topics[name].partitions]
        consumer.assign(places)
        # By name: a partition that gets more meanwhile, as by the ticks of a clock, is at its end twice.
        left = {(place.topic, place.partition) for place in places}
        while left:
            for message in consumer.consume(500, 5):
                error = message.error()
                if error is None:
                    place = (str(message.topic()), int(message.partition() or 0), int(message.offset() or 0))
                    found.append(Message(place, message.key() or b"", message.value() or b""))
                else:
                    assert error.code() == KafkaError._PARTITION_EOF, error
                    left.discard((str(message.topic()), int(message.partition() or 0)))
    finally:
        consumer.close()
    assert found
    return found
