"""
Links on a real bus: what workers tell each recipient is what the pure core says of the same records, in whatever order they came.

The core is asked in another order than Kafka's, so that it also holds that late and out-of-order records link as if they had come
in time. The records are those that trap systems like this one.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import Any

import pytest
from msgspec.structs import replace

from boutre.connectors.delivery import Delivery, Polled, open_up
from boutre.connectors.opening import Opening
from boutre.connectors.simulation.one_kwassa import one_kwassa_four_ways
from boutre.ops.assembly import assemble, keys_of
from boutre.ops.broker import Broker
from boutre.ops.drained import drained
from boutre.processors.decision import Outbound
from boutre.processors.local import LocalBus
from boutre.schemas.identity import pseudonym
from broker.bad_input.bus import Bus, running
from broker.bad_input.sealing import as_sent
from broker.conftest import started
from correlated import boat
from records import CODEC, NOW, RECIPIENTS, ROOT, Value, count, moment, recall, report

CENTRES = ("rmifc", "rcoc")
PATIENCE_S = 180.0

FOUR = {one.observer: one.id for one in one_kwassa_four_ways().reports}
"""By who tells of it: the reports of one kwassa."""

Told = dict[str, tuple[Any, ...]]
"""By the name of a link the last that a recipient was told of it."""


Report = tuple[str, Value]
"""A kind, and a record of it."""


def seen(reference: str, member: str, place: tuple[float, float], minutes: float = -40.0, **groups: Any) -> Report:
    """A boat that a State saw somewhere, so many minutes from the moment of these tests."""
    at = (NOW + timedelta(minutes=minutes)).isoformat()
    told = {
        "times": {"observed": moment(at)},
        "position": {"latitude": place[0], "longitude": place[1], "fix": "visual"},
        "craft": {"kind": "kwassa", "colours": ["blue"], "length_m": count(7, 8)},
        "provenance": {"sources": [{"name": f"a crew of {member}"}]},
    }
    return "sighting", report("sighting", member, reference, **{**told, **groups})


def nameless() -> list[Report]:
    """Three boats far from each other that have nothing in common but what is written where an identifier is unknown."""
    said = [
        ("comoros", (-12.4, 44.7), {"name": "-", "mmsi": "000000000", "imo": "0000000", "call-sign": "NONE"}),
        ("seychelles", (-4.6, 55.5), {"name": "UNKNOWN", "mmsi": "123456789", "imo": "0000000", "call-sign": "NONE"}),
        ("mauritius", (-20.1, 57.5), {"name": "-", "mmsi": "000000000", "imo": "0", "call-sign": "UNKNOWN"}),
    ]
    return [
        seen(
            f"NONE-{number}",
            member,
            place,
            craft={"kind": "other"},
            claims=[{"attribute": name, "value": value} for name, value in names.items()],
        )
        for number, (member, place, names) in enumerate(said)
    ]


def two_hulls() -> list[Report]:
    """One MMSI in two places, 400 km apart within ten minutes: two hulls, or a number that somebody else sends."""
    number = [{"attribute": "mmsi", "value": "620999111"}]
    return [
        seen("HULL-1", "comoros", (-12.0, 44.0), claims=number, craft={"kind": "cargo"}),
        seen("HULL-2", "france", (-15.6, 44.0), -30.0, claims=number, craft={"kind": "cargo"}),
    ]


def an_hour_apart() -> list[Report]:
    """One boat told by two States, of which one has its clock an hour ahead; both times lie in the past."""
    return [seen("CLOCK-KM", "comoros", (-12.9, 45.4), -70.0), seen("CLOCK-YT", "france", (-12.9, 45.4), -10.0)]


def in_a_burst(many: int) -> list[Report]:
    """Reports of nine days, which a silent connector sends all at once."""
    days = 9 * 24 * 60
    return [
        seen(f"BURST-{one}", "madagascar", (-15.0 + 0.01 * (one % 50), 46.0 + 0.02 * (one % 7)), 37.0 * one - days)
        for one in range(many)
    ]


@dataclass(frozen=True, slots=True)
class Links:
    """What came of all records: what each centre was told on Kafka, and what the core says."""

    bus: Bus
    told: dict[str, Told]
    core: dict[str, Told]
    ids: dict[str, str]

    def between(self, recipient: str, *records: str) -> list[tuple[Any, ...]]:
        """The links that a recipient was told between records, each named by its reference or its id."""
        key = self.bus.keys.recipient(recipient)
        names = {pseudonym(key, self.ids.get(one, one)) for one in records}
        return [link for link in self.told[recipient].values() if set(link[0]) <= names]


@pytest.fixture(scope="module")
def links(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Links]:
    """A bus on which all of it was told, some of it taken back, and nothing waits any more."""
    broker = started(Broker())
    try:
        with running(broker.bootstrap, tmp_path_factory.mktemp("bus"), {}) as bus:
            yield told_to(bus)
    finally:
        broker.close()


def told_to(bus: Bus) -> Links:
    """Tell a bus all of it, and hold what it makes of it beside what the core does."""
    four = [("sighting", dict(one.value)) for one in one_kwassa_four_ways().reports]
    pair = [("interception", boat(name, member)) for name, member in (("BACK-KM", "comoros"), ("BACK-YT", "france"))]
    reports = [*four, *nameless(), *two_hulls(), *an_hour_apart(), *in_a_burst(60), *pair]
    placed = {bus.send(out): out for out in (as_sent(*one) for one in reports)}
    settled(bus)
    back = as_sent("retraction", recall(pair[1][1], "interception"))
    placed[bus.send(back)] = back
    settled(bus)
    at = {message.place: message.timestamp for message in bus.messages}
    stamped = [replace(out, timestamp=at[place]) for place, out in placed.items()]
    ids = {str(one["origin"]["reference"]): str(one["id"]) for _, one in reports}
    return Links(bus, {one: on_kafka(bus, one) for one in RECIPIENTS}, by_core(bus, stamped), ids)


def settled(bus: Bus) -> None:
    """Wait until every record is out, and no processor has anything to read."""
    bus.settled()
    until = time.monotonic() + PATIENCE_S
    assembly = assemble(ROOT)
    while not drained(bus.standing.settings.kafka.client(), assembly.declarations, assembly.pipeline.edges):
        assert time.monotonic() < until, "something waits"
        time.sleep(0.5)
    ended = time.monotonic() + 3
    bus.follow(lambda: time.monotonic() > ended, "what was just written")


def on_kafka(bus: Bus, recipient: str) -> Told:
    """The last that a recipient was told of each link, proved and opened as the recipient does."""
    opening = Opening.of(bus.keys.path)
    told: Told = {}
    for message in bus.messages:
        topic, partition, offset = message.place
        if topic != f"for.{recipient}.link":
            continue
        at = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=message.timestamp)
        polled = Polled(topic, partition, offset, at, message.key, message.value, message.headers)
        view = open_up(polled, recipient, "link", CODEC, opening)
        assert isinstance(view, Delivery), view
        told[view.of] = essence(view.value["link"])
    return told


def by_core(bus: Bus, sent: list[Outbound]) -> dict[str, Told]:
    """What the same processors say in memory with the same keys, of the same records in another order, retractions last."""
    local = LocalBus(tuple(assemble(ROOT).handlers(keys_of(bus.standing.settings))))
    order = list(sent)
    random.Random(7).shuffle(order)  # noqa: S311 - any order that is not Kafka's
    local.publish(sorted(order, key=lambda out: out.topic.endswith(".retraction")))
    told: dict[str, Told] = {}
    for recipient in RECIPIENTS:
        values = [CODEC.decode(out.value).value for out in local.read(f"for.{recipient}.link")]
        told[recipient] = {value["view"]["of"]: essence(value["link"]) for value in values}
    return told


def essence(link: Mapping[str, Any]) -> tuple[Any, ...]:
    """What a link says, without when it was said and by which views."""
    said = ("type", "status", "reason", "rule", "independent", "probability")
    return (tuple(sorted(link["records"])), *(link[name] for name in said))


def test_kafka_gives_what_the_core_says(links: Links) -> None:
    """For each recipient the same links, of the same records, by the same rules, as sure and as independent."""
    assert links.core == links.told
    assert all(links.told[one] for one in CENTRES)


@pytest.mark.parametrize("recipient", CENTRES)
def test_one_kwassa_four_ways_is_one(links: Links, recipient: str) -> None:
    """Each two of the four reports are linked for a centre that has them all."""
    four = FOUR.values()
    made = {link[0] for link in links.between(recipient, *four) if link[1:3] == ("same-craft", "made")}

    assert len(list(combinations(four, 2))) == len(made)


def test_what_is_told_on_is_no_second_source(links: Links) -> None:
    """The centre's broadcast stands on Comoros' report, which another State's record says: the two are not independent."""
    (told_on,) = links.between("rmifc", FOUR["lookout"], FOUR["centre"])
    (seen_twice,) = links.between("rmifc", FOUR["lookout"], FOUR["fisherman"])

    assert (False, True) == (told_on[5], seen_twice[5])


@pytest.mark.parametrize("recipient", CENTRES)
def test_what_stands_for_unknown_links_nobody(links: Links, recipient: str) -> None:
    """Placeholders of names, numbers and call signs are no identifiers."""
    assert [] == links.between(recipient, *(f"NONE-{number}" for number in range(3)))


@pytest.mark.parametrize("recipient", CENTRES)
def test_two_hulls_on_one_number_are_not_one_craft(links: Links, recipient: str) -> None:
    """400 km in ten minutes is no way that a ship goes: what has the number in common is not linked as one craft."""
    assert [] == links.between(recipient, "HULL-1", "HULL-2")


@pytest.mark.parametrize("recipient", CENTRES)
def test_a_clock_an_hour_ahead_does_not_hide_a_boat(links: Links, recipient: str) -> None:
    """Two States saw one boat, one by a wrong clock: it is linked all the same, or not at all, and never withdrawn."""
    assert all("made" == link[2] for link in links.between(recipient, "CLOCK-KM", "CLOCK-YT"))


@pytest.mark.parametrize("recipient", CENTRES)
def test_what_is_taken_back_takes_its_links_along(links: Links, recipient: str) -> None:
    """A report that was linked and is retracted leaves no link that stands."""
    assert {("withdrawn", "recalled")} == {(link[2], link[3]) for link in links.between(recipient, "BACK-KM", "BACK-YT")}
