"""
The judge of the chaos runs can say no: each way in which a bus can fail is seen, and counted as what it is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.verdict import CONNECTOR, FAULTS, Expected, Found, Place, Receipt, Refusal, Verdict, View, Written, judge

RECIPIENTS = ("rmifc", "rcoc")
RECORDS = ("one", "two", "three")
PLACE = ("national.mauritius.sighting", 0, 7)
STRAY = ("national.mauritius.sighting", 0, 8)


def digest(recipient: str, record: str) -> bytes:
    """The commitment to a view."""
    return hashlib.blake2b(record.encode(), key=recipient.encode(), digest_size=32).digest()


def delivered(record: str, recipient: str) -> Receipt:
    """The receipt of a view."""
    view = f"{record} for {recipient}"
    return Receipt(record, recipient, "delivered", None, view, f"for.{recipient}.sighting", digest(recipient, record))


NONE: dict[str, int] = dict.fromkeys(map(str, FAULTS), 0)
WRITTEN = Written(frozenset(RECORDS), frozenset({"garbage"}), frozenset({"two"}), frozenset({b"stray"}))
RECEIPTS = [
    *(delivered(record, "rmifc") for record in RECORDS),
    delivered("one", "rcoc"),
    Receipt("two", "rcoc", "withheld", "marking"),
    Receipt("three", "rcoc", "repeat", "already-had"),
]
REFUSALS = [
    Refusal("accept-reports", "changed-without-revision", "place of two", PLACE),
    Refusal("accept-reports", "undecodable", "place of the stray", STRAY),
]
PLACES: dict[Place, Refusal] = {PLACE: REFUSALS[0], STRAY: REFUSALS[1]}
EXPECTED = Expected(
    {(one.record, one.recipient): one for one in RECEIPTS},
    PLACES,
    frozenset({"two"}),
    frozenset({b"stray"}),
)
VIEWS = [View(one.recipient, one.topic or "", one.view, one.commitment or b"") for one in RECEIPTS if one.view is not None]
SINKS = {
    ("jsonl", "rmifc"): [view.id for view in VIEWS if view.recipient == "rmifc"],
    ("migration", "rcoc"): [view.id for view in VIEWS if view.recipient == "rcoc"],
}
FOUND = Found(RECEIPTS, VIEWS, [*REFUSALS, Refusal(CONNECTOR, "malformed-line", "garbage")], SINKS)


def verdict(found: Found = FOUND, written: Written = WRITTEN, expected: Expected = EXPECTED) -> Verdict:
    """Judge."""
    return judge(RECIPIENTS, written, expected, found)


def test_a_bus_that_did_all_it_should_is_good() -> None:
    """
    Nothing is found where nothing is wrong, and the counts are those of what was written and delivered.
    """
    told = verdict().summary()

    assert {"in": 6, "out": 4, "lost": 0, "duplicates": 0, "wrong": 0, "strays": 0} == {
        name: told[name] for name in ("in", "out", *FAULTS)
    }
    assert {"delivered": 1, "repeat": 1, "withheld": 1, **NONE} == told["per_recipient"]["rcoc"]
    assert verdict().good


def test_a_connectors_reject_may_come_again() -> None:
    """
    A connector that was killed sends what it refused again, under the same id; that is counted, and no fault.
    """
    told = verdict(replace(FOUND, refusals=[*FOUND.refusals, FOUND.refusals[-1]]))

    assert told.good
    assert 1 == told.sent_again


FAILURES: dict[str, tuple[Callable[[Found], Found], dict[str, int]]] = {
    "a receipt is missing": (
        lambda found: replace(found, receipts=[one for one in found.receipts if one.outcome != "withheld"]),
        {"lost": 1},
    ),
    "a receipt is there twice": (lambda found: replace(found, receipts=[*found.receipts, RECEIPTS[4]]), {"duplicates": 1}),
    "a receipt is there three times": (
        lambda found: replace(found, receipts=[*found.receipts, *[RECEIPTS[4]] * 2]),
        {"duplicates": 2},
    ),
    "another outcome": (
        lambda found: replace(found, receipts=[*RECEIPTS[:4], RECEIPTS[4]._replace(reason="condition"), RECEIPTS[5]]),
        {"wrong": 1},
    ),
    "a second receipt that says something else": (
        lambda found: replace(found, receipts=[*RECEIPTS, Receipt("two", "rcoc", "repeat", "already-had")]),
        {"duplicates": 1, "wrong": 1},
    ),
    "a receipt of nothing": (
        lambda found: replace(found, receipts=[*RECEIPTS, Receipt("four", "rcoc", "withheld", "marking")]),
        {"strays": 1},
    ),
    "a view is missing, and the sink lacks nothing of what is there": (
        lambda found: replace(found, views=VIEWS[1:], sinks={**SINKS, ("jsonl", "rmifc"): [view.id for view in VIEWS[1:3]]}),
        {"lost": 1},
    ),
    "a view is there twice": (lambda found: replace(found, views=[*VIEWS, VIEWS[0]]), {"duplicates": 1}),
    "a view without a receipt": (
        lambda found: replace(found, views=[*VIEWS, View("comoros", "for.comoros.sighting", "unasked", b"")]),
        {"strays": 1},
    ),
    "a view of other bytes": (
        lambda found: replace(found, views=[VIEWS[0]._replace(commitment=digest("rmifc", "other")), *VIEWS[1:]]),
        {"wrong": 1},
    ),
    "a view on another topic": (
        lambda found: replace(found, views=[VIEWS[0]._replace(topic="for.rmifc.alert"), *VIEWS[1:]]),
        {"wrong": 1},
    ),
    "a reject of the bus is missing": (lambda found: replace(found, refusals=found.refusals[1:]), {"lost": 1}),
    "a reject of the bus is there twice": (
        lambda found: replace(found, refusals=[*found.refusals, REFUSALS[0]]),
        {"duplicates": 1},
    ),
    "a reject for another reason": (
        lambda found: replace(found, refusals=[REFUSALS[0]._replace(code="bad-signature"), *found.refusals[1:]]),
        {"wrong": 1},
    ),
    "a reject of nothing": (
        lambda found: replace(
            found, refusals=[*found.refusals, Refusal("release", "internal-error", "one", ("bus.sighting", 0, 1))]
        ),
        {"strays": 1},
    ),
    "a connector's reject is missing": (lambda found: replace(found, refusals=REFUSALS), {"lost": 1}),
    "a connector refuses what it should not": (
        lambda found: replace(found, refusals=[*found.refusals, Refusal(CONNECTOR, "malformed-line", "one")]),
        {"strays": 1},
    ),
    "a sink lacks a view": (
        lambda found: replace(found, sinks={**SINKS, ("jsonl", "rmifc"): SINKS["jsonl", "rmifc"][1:]}),
        {"lost": 1},
    ),
    "a sink has a view twice": (
        lambda found: replace(found, sinks={**SINKS, ("jsonl", "rmifc"): [*SINKS["jsonl", "rmifc"], VIEWS[0].id]}),
        {"duplicates": 1},
    ),
    "a sink has the view of another": (
        lambda found: replace(found, sinks={**SINKS, ("migration", "rcoc"): [*SINKS["migration", "rcoc"], VIEWS[0].id]}),
        {"strays": 1},
    ),
}


@pytest.mark.parametrize("what", FAILURES)
def test_what_a_bus_did_wrong_is_seen(what: str) -> None:
    """
    Each fault is counted once, as what it is and as nothing else.
    """
    change, counts = FAILURES[what]
    told = verdict(change(FOUND))

    assert counts == {fault: count for fault, count in told.faults.items() if count}
    assert not told.good
    assert told.examples


@pytest.mark.parametrize(
    ("written", "expected", "counts"),
    [
        (replace(WRITTEN, accepted=WRITTEN.accepted | {"four"}), EXPECTED, {"lost": 2}),
        (replace(WRITTEN, accepted=frozenset({"one", "two"})), EXPECTED, {"strays": 1}),
        (replace(WRITTEN, contradicted=frozenset({"two", "three"})), EXPECTED, {"lost": 1}),
        (replace(WRITTEN, strays=frozenset({b"stray", b"another"})), EXPECTED, {"lost": 1}),
    ],
)
def test_what_never_came_to_the_bus_is_lost(written: Written, expected: Expected, counts: dict[str, int]) -> None:
    """
    An input that no connector brought is lost, for every recipient; one that nobody wrote is a stray.
    """
    told = verdict(written=written, expected=expected)

    assert counts == {fault: count for fault, count in told.faults.items() if count}


@given(st.data())
def test_every_lost_and_every_double_receipt_counts(data: st.DataObject) -> None:
    """
    However many receipts are missing and however often others are there: that many are lost, that many too many, for whom it was.
    """
    times = [data.draw(st.integers(0, 3)) for _ in RECEIPTS]
    told = verdict(replace(FOUND, receipts=[one for one, often in zip(RECEIPTS, times, strict=True) for _ in range(often)]))
    lost = [one for one, often in zip(RECEIPTS, times, strict=True) if not often]
    orphans = [view for view in VIEWS if any((one.recipient, one.view) == (view.recipient, view.id) for one in lost)]

    assert len(lost) == told.faults["lost"]
    assert sum(often - 1 for often in times if often) == told.faults["duplicates"]
    assert len(orphans) == told.faults["strays"]
    for recipient in RECIPIENTS:
        wanted = sum(1 for one in lost if one.recipient == recipient)
        assert wanted == told.summary()["per_recipient"][recipient]["lost"]
