"""
A whole bus on a Kafka of its own, and everything that anybody could read of it: topics, logs, metrics, the account.
"""

from __future__ import annotations

import base64
import itertools
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from confluent_kafka import Consumer, Producer, TopicPartition
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from boutre.connectors.opening import Opening
from boutre.ops.account import Account, Place
from boutre.ops.assembly import assemble
from boutre.ops.collect import PATTERNS, Collector
from boutre.ops.settings import Settings
from boutre.ops.standing_bus import StandingBus, Worker
from boutre.processors.decision import Outbound
from boutre.schemas.identity import pseudonym
from boutre.schemas.keys import KeyFolder
from boutre.schemas.signature import key_id
from broker.bad_input.sealing import SEALING
from records import RECIPIENTS, ROOT, Value, count, local_bus, moment, national, private, report, track

PATIENCE_S: Final = 90
"""How long nothing may come before a test gives up."""

LARGEST_MESSAGE: Final = 1_048_588
"""What the broker takes; a client that has not been told so would refuse less by itself."""


def now_ms() -> int:
    """The time of this machine, which is that of its broker."""
    return int(time.time() * 1000)


def ago(**since: float) -> Value:
    """A moment so long ago."""
    return moment((datetime.now(UTC) - timedelta(**since)).isoformat(timespec="milliseconds"))


_cells = itertools.count()


def sighting(reference: str, member: str = "comoros", **groups: Any) -> Value:
    """
    A sighting that accept lets through, an hour old, where no other test has seen anything: so it repeats nothing.
    """
    row, column = divmod(next(_cells), 60)
    return report(
        "sighting",
        member,
        reference,
        **{
            "times": {"observed": ago(hours=1)},
            "event": {"type": "irregular-migration", "nature": "Observed"},
            "position": {"latitude": -25.05 + 0.3 * column, "longitude": 40.05 + 0.3 * row, "fix": "visual"},
            "craft": {"kind": "kwassa", "persons_on_board": count(20)},
            **groups,
        },
    )


def position(reference: str, mmsi: str = "219000001", **groups: Any) -> Value:
    """
    A position by AIS that accept lets through, of now.
    """
    return track(reference, mmsi, **{"times": {"observed": {**ago(minutes=1), "precision": "second"}}, **groups})


def signable(signer: str) -> Ed25519PrivateKey:
    """The key of a member, or of anybody."""
    return private(signer)


@dataclass(frozen=True, slots=True)
class Message:
    """
    What stands at one place of one topic.
    """

    place: Place
    key: bytes
    value: bytes
    timestamp: int = 0
    headers: Mapping[str, bytes] = field(default_factory=dict)

    def holds(self, secret: bytes) -> bool:
        """Say whether these bytes stand anywhere in it."""
        return secret in self.value or secret in self.key


@dataclass(frozen=True, slots=True)
class Rejected:
    """
    A reject, and the topic on which it stands.
    """

    topic: str
    value: Mapping[str, Any]

    @property
    def place(self) -> Place:
        """Where the input stood on a topic."""
        stood = self.value["place"]
        return stood["topic"], stood["partition"], stood["offset"]


@dataclass(slots=True)
class Bus:
    """
    The bus while it runs, with a reader that has seen all of it.
    """

    standing: StandingBus
    collector: Collector = field(repr=False)
    producer: Producer
    consumer: Consumer
    # Of a burst there are hundreds of thousands, and whoever tells of a failure would write all of them down.
    messages: list[Message] = field(default_factory=list, repr=False)
    rejects: list[Rejected] = field(default_factory=list, repr=False)

    @property
    def account(self) -> Account:
        """The account of everything so far."""
        return self.collector.account

    @property
    def bootstrap(self) -> str:
        """Where Kafka is."""
        return self.standing.settings.kafka.bootstrap_servers

    @property
    def keys(self) -> KeyFolder:
        """The keys that the workers read."""
        return KeyFolder(self.standing.settings.keys)

    def worker(self, name: str) -> Worker:
        """One of the workers."""
        return next(worker for worker in self.standing.workers if worker.name == name)

    def send(self, out: Outbound, partition: int | None = None) -> Place:
        """Send one record as a client of Kafka does, and give where it came to stand."""
        placed: list[Any] = []
        told: list[tuple[str, str | bytes | None]] = list(out.headers)
        by_key = -1 if partition is None else partition
        self.producer.produce(out.topic, out.value, out.key, by_key, headers=told, on_delivery=lambda *both: placed.append(both))
        assert self.producer.flush(30) == 0
        error, message = placed[0]
        assert error is None, error
        return message.topic(), message.partition(), message.offset()

    def follow(self, until: Callable[[], bool], what: str) -> None:
        """Read on until it holds; fail with *what* where nothing more comes."""
        last = time.monotonic()
        while not until():
            for message in self.consumer.consume(1000, 0.1):
                assert message.error() is None, message.error()
                last = time.monotonic()
                self._take(message)
            dead = [worker.name for worker in self.standing.workers if not worker.alive()]
            assert not dead, f"{dead} ended, waiting for: {what}"
            assert time.monotonic() - last < PATIENCE_S, f"nothing more comes, waiting for: {what}"

    def settled(self) -> None:
        """Read on until everything that was sent has come out and the account adds up: a view may be read after its receipt."""
        account = self.account
        self.follow(lambda: account.in_flight == 0 and account.summary()["adds_up"], "an account that adds up")

    def _take(self, message: Any) -> None:
        place = (message.topic(), message.partition(), message.offset())
        # Names of headers that are no text stop confluent-kafka: only what the bus itself wrote is asked for them.
        headers = dict(message.headers() or ()) if place[0].startswith("for.") else {}
        stood = Message(place, message.key() or b"", message.value() or b"", message.timestamp()[1], headers)
        self.messages.append(stood)
        if self.collector.declarations.topic(place[0]).pattern in PATTERNS:
            self.collector._take(message)
        if place[0].startswith("rejects.") and (message.value() or b"")[:1] == b"\0":
            self.rejects.append(Rejected(place[0], self.collector.codec.decode(message.value()).value))

    def of(self, place: Place) -> list[Rejected]:
        """All rejects of what stood at this place, on whatever topic."""
        return [reject for reject in self.rejects if reject.place == place]

    def names(self, identifier: str) -> frozenset[str]:
        """The names by which recipients know a record."""
        return frozenset(pseudonym(self.keys.recipient(recipient), identifier) for recipient in RECIPIENTS)

    def given(self, identifier: str) -> set[str]:
        """Who has had a view of a record."""
        return {
            recipient
            for recipient, _, name in self.collector.views
            if name == pseudonym(self.keys.recipient(recipient), identifier)
        }

    def out(self, identifier: str) -> bool:
        """Say whether a record is through: a receipt for every recipient, and every view that they speak of."""
        outcomes = [self.account.outcome(identifier, recipient) for recipient in RECIPIENTS]
        return "in flight" not in outcomes and outcomes.count("delivered") == len(self.given(identifier))

    def traces(self, secret: bytes, *but: str) -> list[str]:
        """Name everything that holds these bytes: topics other than *but*, logs of the workers, their metrics."""
        topics = {message.place[0] for message in self.messages if message.place[0] not in but and message.holds(secret)}
        logs = {worker.name for worker in self.standing.workers if secret in Path(worker.log).read_bytes()}
        pages = {f"/metrics of {worker.name}" for worker in self.standing.workers if secret in scraped(worker)}
        return sorted(topics | logs | pages)


def scraped(worker: Worker) -> bytes:
    """The page of metrics of a worker."""
    with urllib.request.urlopen(f"http://127.0.0.1:{worker.port}/metrics", timeout=30) as answer:
        return bytes(answer.read())


def recipients_of(kind: str, value: Value) -> set[str]:
    """
    Who gets a view of this record by the agreements, asked of the same steps in memory.
    """
    written = local_bus()
    written.publish([national(kind, value, at=now_ms())])
    return {topic.split(".")[1] for topic in written.topics if topic.startswith("for.")}


def expect_through(bus: Bus, kind: str, value: Value) -> None:
    """
    Hold that a record came out to exactly its recipients, none of it withheld for being what it is.
    """
    wanted = recipients_of(kind, value)
    assert wanted, "a good record that nobody gets proves nothing"
    bus.follow(lambda: bus.out(value["id"]), f"the good record {value['origin']['reference']}")
    assert wanted == bus.given(value["id"])


@contextmanager
def running(bootstrap: str, folder: Path, revoked: Mapping[str, Ed25519PrivateKey], root: Path = ROOT) -> Iterator[Bus]:
    """
    Put the bus at *root* on a Kafka, with the members' keys of these tests, of which *revoked* are no longer good.
    """
    settings = Settings(bus=root, state=folder / "state", keys=folder / "keys").using(bootstrap)
    assembly = assemble(root)
    _write_keys(settings.keys, list(assembly.declarations.members), revoked)
    SEALING.begin(KeyFolder(settings.keys).cases)
    with StandingBus(settings, assembly) as standing:
        client = standing.settings.kafka.client()
        account = Account(tuple(assembly.declarations.recipients))
        opening = Opening.of(settings.keys)
        collector = Collector(assembly.declarations, assembly.codec, account, client, opening)
        limits = {"message.max.bytes": LARGEST_MESSAGE, "partitioner": "murmur2_random", "linger.ms": 0}
        reader = {"group.id": "everything", "isolation.level": "read_committed", "enable.auto.commit": False}
        consumer = Consumer({**client, **reader, "auto.offset.reset": "earliest"})
        topics = assembly.declarations.topics.values()
        consumer.assign([TopicPartition(topic.name, number, 0) for topic in topics for number in range(topic.partitions)])
        try:
            yield Bus(standing, collector, Producer({**client, **limits}), consumer)
        finally:
            consumer.close()


def _write_keys(folder: Path, members: list[str], revoked: Mapping[str, Ed25519PrivateKey]) -> None:
    (folder / "members").mkdir(parents=True)
    for member in members:
        pem = private(member).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (folder / "members" / f"{member}.pem").write_bytes(pem)
    KeyFolder(folder).development(members, RECIPIENTS)
    with (folder / "members.toml").open("a", encoding="utf-8") as listed:
        for member, key in revoked.items():
            listed.write(_entry(member, key))


def _entry(member: str, key: Ed25519PrivateKey) -> str:
    public = key.public_key()
    raw = base64.b64encode(public.public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()
    return f'\n[[key]]\nid = "{key_id(public)}"\nmember = "{member}"\npublic = "{raw}"\nrevoked = true\n'
