"""
What is done with an answer, and the bus in memory that shares it: nothing strays, nothing raises, nothing is lost.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from boutre import metrics
from boutre.processors.decision import Decision, Drop, Emit, Inbound, Outbound, Reject, Released, State
from boutre.processors.handle import Handled, Handler, count
from boutre.processors.local import LocalBus
from boutre.schemas.identity import place_id
from records import (
    AT,
    CODEC,
    KINDS,
    RECIPIENTS,
    Value,
    any_record,
    attack,
    handler,
    inbound,
    kwassa,
    local_bus,
    national,
    real_pipeline,
    recall,
    signed,
    track,
    warning,
)

TOPIC = "national.comoros.interception"
RECORD = Inbound(TOPIC, 0, 12, b"key", b"secret canary", {}, AT)


def answering(answer: Decision | Callable[[], Decision], name: str = "accept-reports") -> Handler:
    """A real processor with a step of the test's own."""

    def step(_: Inbound, __: State) -> Decision:
        return answer() if callable(answer) else answer

    processor = replace(handler(name).processor, step=step)
    return Handler(processor, CODEC, real_pipeline().owner)


def rejected(result: Handled) -> Value:
    """The reject that is the only outcome."""
    (out,) = result.records
    assert ("rejected", {}) == (result.outcome, result.changes)
    return {**CODEC.decode(out.value).value, "topic": out.topic}


# --- Handler ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "topic", ["bus.link", "for.rmifc.sighting", "rejects.france", "bus.receipt", "national.comoros.interception", ""]
)
def test_what_is_not_declared_is_not_written(topic: str) -> None:
    """
    A step that would write elsewhere writes nothing at all and remembers nothing: the record is rejected.
    """
    strays = Emit((Outbound("bus.interception", b"", b"", AT), Outbound(topic, b"", b"", AT)), {"id:x": 1})
    handle = answering(strays)
    declared = topic in handle.processor.writes

    assert declared == (topic == "rejects.france")
    if not declared:
        value = rejected(handle(RECORD, {}))
        assert ("internal-error", "rejects.comoros") == (value["code"], value["topic"])


def test_a_step_that_raises_gives_a_reject_without_its_words() -> None:
    """
    The text of an exception can hold values of a record: it goes nowhere.
    """

    def broken() -> Decision:
        raise RuntimeError("canary")

    value = rejected(answering(broken)(RECORD, {}))

    assert "internal-error" == value["code"]
    assert "canary" not in str({name: part for name, part in value.items() if name != "content"})
    assert b"secret canary" == value["content"]


def test_what_fails_inside_the_bus_shows_its_content_to_nobody() -> None:
    """
    A record that release cannot handle goes to the operations staff by its place: its content is a member's.
    """
    value = rejected(answering(Reject("internal-error"), "release")(msgspec.structs.replace(RECORD, topic="bus.interception"), {}))

    assert ("rejects.bus", "bus", None, False) == (value["topic"], value["member"], value["content"], value["truncated"])
    assert ("bus.interception", 0, 12) == tuple(value["place"][name] for name in ("topic", "partition", "offset"))


def test_a_reject_is_told_by_the_id_of_its_input_or_by_its_place() -> None:
    """
    Where the id could not be read the place stands for it; twice the same input is twice the same reject.
    """
    named = answering(Reject("unknown-code", "event.type", "event-type@1", "an id"))
    unnamed = answering(Reject("undecodable"))

    assert ("an id", "event.type") == (rejected(named(RECORD, {}))["input"], rejected(named(RECORD, {}))["place"]["field"])
    assert place_id(TOPIC, 0, 12) == rejected(unnamed(RECORD, {}))["input"]
    assert unnamed(RECORD, {}) == unnamed(RECORD, {})
    assert rejected(unnamed(RECORD, {}))["id"] != rejected(unnamed(msgspec.structs.replace(RECORD, offset=13), {}))["id"]


def test_a_drop_writes_nothing_and_says_why() -> None:
    """
    Understood, and not wanted.
    """
    assert Handled("dropped", "same-report", (), {"id:x": 1}) == answering(Drop("same-report", {"id:x": 1}))(RECORD, {})


def test_metrics_are_counted_when_it_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Handling counts nothing, since it may be done again; ``count`` does, with declared labels only.
    """
    registry = CollectorRegistry()
    labelled = {
        "RECORDS": ("stage", "outcome"),
        "REASONS": ("stage", "outcome", "reason"),
        "RELEASES": ("recipient", "kind", "outcome"),
    }
    for name, labels in labelled.items():
        counter = type(getattr(metrics, name))(f"test_{name}".lower(), "x", labels, registry=registry)
        monkeypatch.setattr(metrics, name, counter)
    result = answering(Emit((), {}, (Released("rmifc", "sighting", "delivered"),)), "release")(RECORD, {})

    def counted() -> dict[str, float]:
        samples = [sample for family in registry.collect() for sample in family.samples if sample.name.endswith("_total")]
        return {f"{sample.name} {sorted(sample.labels.values())}": sample.value for sample in samples}

    assert {} == counted()
    count("release", [result, result])
    count("accept", [Handled("rejected", "undecodable")])
    assert {
        "test_records_total ['emitted', 'release']": 2.0,
        "test_records_total ['accept', 'rejected']": 1.0,
        "test_reasons_total ['accept', 'rejected', 'undecodable']": 1.0,
        "test_releases_total ['delivered', 'rmifc', 'sighting']": 2.0,
    } == counted()


# --- The whole bus in memory -----------------------------------------------------------------------------------------------


def account(inputs: Iterable[Outbound]) -> dict[str, dict[str, list[str]]]:
    """
    For each input id and recipient all that became of it, once everything has come; what the bus tells itself is nobody's input.

    An input that was refused, mended and sent again under its id was accepted; one refused at several places is refused once.
    """
    bus = local_bus()
    bus.publish(inputs)
    told: dict[str, dict[str, list[str]]] = {}
    own: dict[str, list[str]] = {}
    for receipt in read(bus, "bus.receipt"):
        if receipt["member"] == "bus":
            own.setdefault(receipt["recipient"], []).append(receipt["outcome"])
            continue
        told.setdefault(receipt["record"], {}).setdefault(receipt["recipient"], []).append(receipt["outcome"])
    rejects = {value["input"] for topic in bus.topics if topic.startswith("rejects.") for value in read(bus, topic)}
    told |= {refused: {name: ["rejected"] for name in RECIPIENTS} for refused in rejects - told.keys()}
    # What was written is what was accounted for, on declared topics, and every input had an answer.
    for name in RECIPIENTS:
        written = sum(len(bus.read(f"for.{name}.{kind}")) for kind in KINDS)
        answered = sum(each[name].count("delivered") for each in told.values()) + own.get(name, []).count("delivered")
        assert written == answered
    assert set(bus.topics) <= set(real_pipeline().declarations.topics)
    assert Counter(name for name, _ in bus.handled) == Counter(
        {
            each.processor.name: handled
            for each in bus.handlers
            if (handled := sum(len(outs) for topic, outs in bus.topics.items() if topic in each.processor.reads))
        }
    )
    return told


def read(bus: LocalBus, topic: str) -> list[Value]:
    """The values that were written to a topic."""
    return [CODEC.decode(out.value).value for out in bus.read(topic)]


def drawn(kind: str) -> st.SearchStrategy[Outbound]:
    """A record as it may come: right, sent twice, forged, garbled, or of another member."""
    values = st.sampled_from(("seychelles", "comoros")).flatmap(lambda member: any_record(kind, member=member))

    def bent(value: Value, how: str) -> Outbound:
        member = value["origin"]["member"]
        if how == "forged":
            return national(kind, value, signer="france")
        if how == "garbled":
            return signed(f"national.{member}.{kind}", CODEC.encode(kind, value)[:-1], member, b"k")
        if how == "senseless":
            return national(kind, {**value, "handling": {**value["handling"], "tlp": "WHITE"}})
        return national(kind, value)

    return st.builds(bent, values, st.sampled_from(("right", "right", "right", "forged", "garbled", "senseless")))


@given(st.lists(st.sampled_from(KINDS).flatmap(drawn), max_size=6), st.booleans())
@settings(max_examples=25, deadline=None)
def test_for_each_input_and_recipient_there_is_exactly_one_outcome(records: list[Outbound], again: bool) -> None:  # noqa: FBT001 - drawn
    """
    Delivered, withheld, repeat or rejected: one of them for each, whatever comes, and whatever comes twice.
    """
    told = account([*records, *(records if again else ())])

    for outcomes in told.values():
        assert set(RECIPIENTS) == set(outcomes)
        assert {1} == {len(each) for each in outcomes.values()}


def test_the_account_of_a_day() -> None:
    """
    Real reports of every kind, with repeats, a correction, a forgery and retractions, add up.
    """
    one, two = attack("one"), attack("two")
    revised = kwassa("KM-1", revision=1, lifecycle={"status": "update", "revision": 1, "revises": kwassa()["id"]})
    records = [
        *(national("sighting", value) for value in (one, two, one, track("t1"), track("t2", seconds=30))),
        *(national("interception", value) for value in (kwassa(), revised)),
        national("alert", warning()),
        national("alert", warning("AL-2"), signer="comoros"),
        *(national("retraction", recall(value, "sighting")) for value in (one, track("t1"))),
        national("retraction", recall(kwassa(), "interception", member="france")),
    ]
    told = account(records)

    assert len(records) - 1 == len(told)
    became = [each for outcomes in told.values() for each in outcomes.values()]
    assert {1} == {len(each) for each in became}
    assert {"delivered", "withheld", "repeat", "rejected"} == {one for each in became for one in each}


def test_the_bus_in_memory_remembers_what_is_not_forgotten() -> None:
    """
    A change to None forgets its key for the records that come after.
    """
    bus = local_bus()
    seen: list[dict[str, Any]] = []

    def step(record: Inbound, state: State) -> Decision:
        seen.append(dict(state))
        return Drop("same-report", {"id:x": None if record.value == b"forget" else 1})

    processor = replace(handler("accept-reports").processor, step=step)
    bus.handlers = (Handler(processor, CODEC, real_pipeline().owner),)
    bus.publish(Outbound(TOPIC, b"k", value, AT) for value in (b"", b"forget", b""))

    assert [{}, {"id:x": 1}, {}] == seen
    assert inbound(Outbound(TOPIC, b"k", b"", AT)).headers == {}
