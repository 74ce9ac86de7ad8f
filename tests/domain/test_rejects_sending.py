"""
What is sent again: as accept takes it, signed and sealed by its member, once, and not for ever.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from boutre.connectors.memory import MemoryTransport
from boutre.connectors.plain import plain
from boutre.connectors.transport import Acknowledged, Message, NotDelivered
from boutre.errors import Unavailable
from boutre.ops import rejects_sending
from boutre.ops.rejects_check import gate_of
from boutre.ops.rejects_recovery import AGAIN, Recovered
from boutre.ops.rejects_sending import MOST, Item, Outcome, Sender
from boutre.ops.rejects_store import FILE, Sent, SentAgain, open_sent
from boutre.processors.accept import national_key
from boutre.processors.decision import Emit, Inbound
from boutre.schemas.cases.pool import Rehearsed
from boutre.schemas.marks import Sealed
from boutre.schemas.sense import Problem
from boutre.schemas.validation import Validator
from boutre.topics import bus
from records import AT, CODEC, LOCK, NOW, ROOT, Value, accept, any_record, kwassa, national, private, track, words

DECLARED = bus.load(ROOT)
VALIDATOR = Validator(LOCK, words().has)
GATE = gate_of(DECLARED, CODEC, VALIDATOR, "comoros")
TOPIC = "national.comoros.interception"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SentAgain]:
    """An empty store."""
    with open_sent(tmp_path / "rejects") as made:
        yield made


def transport() -> MemoryTransport:
    """A broker in memory."""
    return MemoryTransport({name: topic.partitions for name, topic in DECLARED.topics.items()}, lambda: NOW)


def sender(store: SentAgain, to: Any, **more: Any) -> Sender:
    """What sends for the Comoros."""
    return Sender(GATE, private("comoros"), Rehearsed(), to, store, lambda: NOW, **more)


def item(value: Value, code: str = "unknown-key", times: int = 0, reject: str = "", *, mended: bool = False) -> Item:
    """A record that was rejected."""
    document = {name: inner for name, inner in plain(value).items() if name != "id"}
    recovered = Recovered("interception", json.loads(json.dumps(document)), "topic", times=times, proved=True)
    return Item(reject or f"reject of {value['id']}", code, recovered, mended)


def results(outcomes: Iterator[Outcome]) -> list[tuple[str, str | None, str | None]]:
    """What became of each, and why."""
    return [(one.result, *((None, None) if one.problem is None else (one.problem.code, one.problem.field))) for one in outcomes]


@given(value=any_record("interception", member="comoros"))
def test_whatever_can_be_sent_is_edited_as_json_and_comes_back_the_same(value: Value) -> None:
    """
    A record as JSON and back is the same bytes, with the id that it must have; accept takes it, and so does what asks beforehand.
    """
    typed = GATE.typed("interception", item(value).recovered.document)

    assert not isinstance(typed, Problem)
    assert CODEC.encode("interception", value) == CODEC.encode("interception", typed)
    assert GATE.problem("interception", typed, NOW) is None


def test_accept_takes_what_was_sent_again(store: SentAgain) -> None:
    """
    Signed by its member for its topic, under its key and its id, with what names people sealed; its header says how often.
    """
    value, to = kwassa(), transport()
    outcomes = results(sender(store, to).send([item(value)]))
    (stored,) = to.read(TOPIC)
    headers = dict(stored.headers)
    decision = accept()(Inbound(TOPIC, 0, 0, stored.key, stored.value, headers, AT), {})

    assert [("sent", None, None)] == outcomes
    assert isinstance(decision, Emit)
    assert value["id"].encode() == stored.key
    assert isinstance(CODEC.decode(stored.value).value["victims"], Sealed)
    assert CODEC.decode(stored.value).value["handling"]["tlp"] == value["handling"]["tlp"]
    assert (b"1 unknown-key", b"/comoros/ops-room") == (headers[AGAIN], headers["ce_source"])


def test_what_a_connector_has_sealed_goes_again_as_it_was(store: SentAgain) -> None:
    """
    Nobody here can open it, and no second case key is used: the same bytes.
    """
    out = national("interception", kwassa(), cases=Rehearsed())
    to = transport()
    results(sender(store, to).send([item(CODEC.decode(out.value).value)]))

    assert [out.value] == [stored.value for stored in to.read(TOPIC)]


@pytest.mark.parametrize(
    ("groups", "code", "field"),
    [
        ({"position": {"latitude": -1234.5, "longitude": 44.75}}, "out-of-range", "position.latitude"),
        ({"event": {"type": "no such type"}}, "unknown-code", "event.type"),
        ({"handling": {"tlp": "GREEN", "release_to": ["nobody"]}}, "unknown-code", "handling.release_to"),
        ({"origin": {"member": "france", "feed": "ops-room", "reference": "KM-1"}}, "foreign-member", "origin.member"),
        ({"times": {"observed": {"at": NOW + timedelta(minutes=11), "precision": "second"}}}, "future-time", "times.observed"),
    ],
)
def test_what_would_be_refused_again_is_told_by_its_field_and_not_sent(
    store: SentAgain, groups: Value, code: str, field: str
) -> None:
    """
    The reasons of accept itself; nothing is sent or remembered, and what stands beside it goes out.
    """
    to = transport()
    found = results(sender(store, to).send([item(kwassa(**groups)), item(kwassa("KM-2"))]))

    assert [("to-be-mended", code, field), ("sent", None, None)] == found
    assert 1 == len(to.read(TOPIC))
    assert 1 == len(store.sent_at())


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("times.observed.at", "2026-02-30"),
        ("position.latitude", "north"),
        ("craft.nothing", 1),
        ("times.observed.at", "2026-01-01T00:00"),
    ],
)
def test_what_a_person_mistyped_is_told_by_its_field(store: SentAgain, path: str, value: object) -> None:
    """
    No day, no number, no field of the kind, no zone: the field is named, and what was typed is not.
    """
    broken = item(kwassa())
    document = json.loads(json.dumps(dict(broken.recovered.document)))
    *groups, last = path.split(".")
    inner = document
    for group in groups:
        inner = inner[group]
    inner[last] = value
    (outcome,) = sender(store, transport()).send([broken._replace(recovered=replace(broken.recovered, document=document))])

    assert "to-be-mended" == outcome.result
    assert outcome.problem is not None
    assert path in outcome.problem.detail
    assert str(value) not in outcome.problem.detail or value == 1


def test_a_dry_run_sends_and_remembers_nothing(store: SentAgain) -> None:
    """
    It says what would become of each.
    """
    to = transport()
    found = results(sender(store, to, dry=True).send([item(kwassa()), item(kwassa(event={"type": "x"}))]))

    assert [("would-be-sent", None, None), ("to-be-mended", "unknown-code", "event.type")] == found
    assert ([], {}) == (to.read(TOPIC), store.sent_at())


def test_what_is_refused_again_and_again_is_held_back(store: SentAgain) -> None:
    """
    After so many times for one reason, by what is remembered here or by its own header, whichever says more.

    For another reason it begins anew, and by force it goes.
    """
    value, to = kwassa(), transport()
    own = sender(store, to)

    assert ["sent"] * MOST + ["held"] == [results(own.send([item(value)]))[0][0] for _ in range(MOST + 1)]
    assert MOST == store.times(value["id"], "unknown-key")
    assert "sent" == results(own.send([item(value, "future-time", times=MOST - 1)]))[0][0]
    assert "held" == results(own.send([item(kwassa("KM-2"), times=MOST)]))[0][0]
    assert "held" == results(own.send([item(value, mended=True)]))[0][0]
    assert "sent" == results(replace(own, force=True).send([item(value)]))[0][0]
    assert f"{MOST + 1} unknown-key".encode() == dict(to.read(TOPIC)[-1].headers)[AGAIN]


def test_what_was_erased_is_never_sent_again(store: SentAgain) -> None:
    """
    Nor by force: its owner had it erased. What changed without a new revision has to be mended first, which the check cannot see.
    """
    own = sender(store, transport(), force=True)

    assert "never" == results(own.send([item(kwassa(), "case-erased", mended=True)]))[0][0]
    assert ("to-be-mended", "changed-without-revision") == results(own.send([item(kwassa(), "changed-without-revision")]))[0][:2]
    revised = {**kwassa(), "lifecycle": {"status": "update", "revision": 1}}
    (outcome,) = own.send([item(revised, "changed-without-revision", mended=True)])
    assert ("sent", False) == (outcome.result, outcome.record == kwassa()["id"])


def test_no_key_signs_what_it_does_not_know(store: SentAgain) -> None:
    """
    What nobody has proved to be this member's is not signed again as it is, nor by force; a person who had it in hand vouches.
    """
    to, stranger = transport(), item(kwassa())
    unproved = stranger._replace(recovered=replace(stranger.recovered, proved=False))

    assert [("unproved", None, None)] == results(sender(store, to, force=True).send([unproved]))
    assert [] == to.read(TOPIC)
    assert [("sent", None, None)] == results(sender(store, to).send([unproved._replace(mended=True)]))


class Failing:
    """
    A broker that takes so many messages and no more.
    """

    def __init__(self, most: int) -> None:
        self.inner = transport()
        self.most = most

    def send(self, message: Message, acknowledged: Acknowledged) -> None:
        """Take it, or say why not."""
        if self.most:
            self.most -= 1
            self.inner.send(message, acknowledged)
        else:
            acknowledged(NotDelivered(message.topic, "TOPIC_AUTHORIZATION_FAILED"))

    def poll(self, seconds: float) -> None:
        """Poll."""
        self.inner.poll(seconds)

    def flush(self, seconds: float) -> int:
        """Flush."""
        return self.inner.flush(seconds)


@pytest.mark.parametrize("most", [0, 1, 2, 3, 4])
def test_what_kafka_has_is_remembered_where_it_takes_no_more(store: SentAgain, monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    """
    In the middle of those that are sent together, and between two such: what is remembered is just what it has.
    """
    monkeypatch.setattr(rejects_sending, "TOGETHER", 2)
    items, to = [item(kwassa(f"KM-{number}")) for number in range(5)], Failing(most)

    with pytest.raises(Unavailable, match="the next run goes on there"):
        list(sender(store, to).send(items))

    there = {f"reject of {stored.key.decode()}" for stored in to.inner.read(TOPIC)}
    assert most == len(there)
    assert there == store.sent_at().keys()


def test_case_keys_that_run_out_lose_nothing(store: SentAgain) -> None:
    """
    What went before is remembered, and the command says what to ask for.
    """

    class Few:
        """One key, and then none."""

        def __init__(self) -> None:
            self.left = 1

        def take(self) -> Any:
            """Give it."""
            if not self.left:
                raise Unavailable("all case keys are used")
            self.left -= 1
            return Rehearsed().take()

    own = replace(sender(store, transport()), cases=Few())

    with pytest.raises(Unavailable, match="case keys"):
        list(own.send([item(kwassa()), item(kwassa("KM-2"))]))
    assert [f"reject of {kwassa()['id']}"] == list(store.sent_at())


def test_a_position_goes_under_its_mmsi(tmp_path: Path) -> None:
    """
    As its connector would send it, so that it lies in the partition of its ship.
    """
    gate, to = gate_of(DECLARED, CODEC, VALIDATOR, "observatory-ais"), transport()
    value = track("T-1")
    with open_sent(tmp_path) as made:
        own = Sender(gate, private("observatory-ais"), Rehearsed(), to, made, lambda: NOW)
        sent = Recovered("sighting", plain(value), "topic", proved=True)
        assert ["sent"] == [one.result for one in own.send([Item("r", "unknown-key", sent)])]

    assert [national_key(value).encode()] == [stored.key for stored in to.read("national.observatory-ais.sighting")]


def test_the_store_is_its_owners_and_one_sends_at_a_time(tmp_path: Path) -> None:
    """
    Who looks is kept from nothing; a second one who would send is told to wait. What was remembered is there the next time.
    """
    with open_sent(tmp_path / "rejects", alone=True) as first, open_sent(tmp_path / "rejects") as looking:
        first.add([Sent("a", "r", "future-time")], NOW)
        assert {"a": NOW} == looking.sent_at()
        with pytest.raises(Unavailable, match="another"), open_sent(tmp_path / "rejects", alone=True):
            pass
    with open_sent(tmp_path / "rejects", alone=True) as again:
        again.add([Sent("a", "r", "future-time")], NOW + timedelta(seconds=1))
        assert {"a": NOW + timedelta(seconds=1)} == again.sent_at()
        assert (2, 0) == (again.times("r", "future-time"), again.times("r", "unknown-key"))

    assert (0o700, 0o600) == ((tmp_path / "rejects").stat().st_mode & 0o777, (tmp_path / "rejects" / FILE).stat().st_mode & 0o777)
