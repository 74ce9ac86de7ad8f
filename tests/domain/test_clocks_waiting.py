"""
The alerts that wait for a person: by recipient and class of deadline, through answers, restarts and partitions that move.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import msgspec
import pytest

from boutre import metrics
from boutre.errors import Fault
from boutre.processors.alerts.inputs import Said, Seen
from boutre.processors.alerts.lifecycle import step
from boutre.processors.alerts.rules import Known, Rules, load
from boutre.processors.alerts.situation import Situation
from boutre.processors.alerts.thread import Thread
from boutre.processors.correlation.raising import Filed
from boutre.processors.runtime.overlay import change_bytes
from boutre.processors.runtime.restore import kept
from boutre.processors.runtime.store import Row, Store
from boutre.processors.waiting import KEPT, Waiting
from correlated import boat
from correlated import told as told_bus
from records import AT as RECORDED_AT
from records import ROOT, handler, national, report

AT = 1_772_323_200.0
DISTRESS_S = 15 * 60.0


@cache
def rules() -> Rules:
    """The rules of this bus."""
    faults: list[Fault] = []
    found = load(ROOT, Known(), faults)
    assert [] == faults
    assert found is not None
    return found


def raised(*, exercise: bool = False, recipient: str = "rcoc", record: str = "a") -> Thread:
    """A thread about people in distress, of which its recipient was told at ``AT``."""
    rule = rules().named("people-in-distress")
    assert rule is not None
    seen = Situation(
        recipient=recipient, body="centre", records=(record,), at=AT, observed=AT - 60, types=("distress",), lives_at_risk=True,
        exercise=exercise,
    )  # fmt: skip
    thread, messages = step(rules(), rule, None, Seen(AT, seen))
    assert thread is not None
    assert messages
    return thread


def answered(thread: Thread, at: float) -> Thread:
    """The thread once a person has acknowledged it."""
    rule = rules().named(thread.rule)
    assert rule is not None
    after, _ = step(rules(), rule, thread, Said(at, thread.id, "acknowledged", None))
    assert after is not None
    return after


def row(thread: Thread) -> tuple[str, bytes]:
    """A thread as it is remembered."""
    return f"thread:{thread.recipient}:0/0:{thread.slot}", msgspec.json.encode(Filed(thread, thread.recipient, "0/0"))


def told(recipient: str = "rcoc", name: str = "distress") -> tuple[float, float, float, float]:
    """What the metrics say: waiting, overdue, expired, and for how long the oldest has waited."""
    gauges = (metrics.ALERTS_WAITING, metrics.ALERTS_OVERDUE, metrics.ALERTS_EXPIRED, metrics.ALERTS_OLDEST)
    waiting, overdue, expired, oldest = (gauge.labels(recipient, name)._value.get() for gauge in gauges)
    return waiting, overdue, expired, oldest


@pytest.fixture
def waiting() -> Waiting:
    """Nothing waits, and all series are there."""
    made = Waiting(rules(), ("rcoc", "rmifc"))
    made.tell(AT)
    assert (0.0, 0.0, 0.0, 0.0) == told()
    return made


@pytest.mark.parametrize(("after", "overdue"), [(0.0, 0.0), (DISTRESS_S, 0.0), (DISTRESS_S + 0.001, 1.0)])
def test_an_alert_is_overdue_behind_its_deadline(waiting: Waiting, after: float, overdue: float) -> None:
    """At the very end of its time it is not, and a moment later it is."""
    waiting.take(0, [row(raised())])
    waiting.tell(AT + after)

    assert pytest.approx((1.0, overdue, 0.0, after)) == told()


def test_who_answers_stops_the_clock_and_is_told_by_how_late(waiting: Waiting) -> None:
    """It waits no more, and ``acknowledged`` counts the time from when its clock began."""

    def total() -> float:
        return float(metrics.LATENESS.labels("acknowledged", "", "rcoc", "alert")._sum.get())

    thread = raised()
    waiting.take(0, [row(thread)])
    before = total()
    waiting.take(0, [row(answered(thread, AT + 90))])
    waiting.tell(AT + 100)

    assert (0.0, 0.0, 0.0, 0.0) == told()
    assert 90 == pytest.approx(total() - before)


def test_an_exercise_is_not_among_them(waiting: Waiting) -> None:
    """Neither while it waits nor when it is answered."""
    thread = raised(exercise=True)
    before = metrics.LATENESS.labels("acknowledged", "", "rcoc", "alert")._sum.get()
    waiting.take(0, [row(thread), row(raised())])
    waiting.take(0, [row(answered(thread, AT + 9))])
    waiting.tell(AT + 10)

    assert pytest.approx((1.0, 0.0, 0.0, 10.0)) == told()
    assert before == metrics.LATENESS.labels("acknowledged", "", "rcoc", "alert")._sum.get()


def test_what_nobody_answered_before_it_ended_stays_told(waiting: Waiting) -> None:
    """It is no longer waited for, and not forgotten."""
    waiting.take(0, [row(raised())])
    waiting.tell(AT + 25 * 3600)

    assert (0.0, 0.0, 1.0, 0.0) == told()


def test_a_partition_that_is_restored_is_as_it_was_and_one_that_is_given_back_is_gone(waiting: Waiting) -> None:
    """What a worker remembers is counted when it starts; what another has now is counted by that other."""
    waiting.take(1, [row(raised(record="b"))])
    waiting.begin(0, [row(raised()), row(answered(raised(record="c"), AT + 5))])
    waiting.tell(AT)
    assert 2.0 == told()[0]

    waiting.begin(0, [row(raised())])  # as after an error, when all is read again
    waiting.tell(AT)
    assert 2.0 == told()[0]

    waiting.only({0, 7})
    waiting.tell(AT)
    assert 1.0 == told()[0]


def test_what_is_forgotten_and_what_is_no_thread_does_no_harm(waiting: Waiting) -> None:
    """Tombstones take a thread away; other classes of keys are not looked at."""
    key, value = row(raised())
    waiting.take(0, [(key, value), ("due:all", b"no thread"), ("threads:x", b"nor this")])
    waiting.take(0, [(key, None)])
    waiting.tell(AT)

    assert (0.0, 0.0, 0.0, 0.0) == told()


def test_each_recipient_has_its_own(waiting: Waiting) -> None:
    """An alert of one is none of another."""
    waiting.take(0, [row(raised(recipient="rmifc"))])
    waiting.tell(AT + 1)

    assert 0.0 == told("rcoc")[0]
    assert 1.0 == told("rmifc")[0]


def test_what_a_worker_remembers_on_disk_is_counted(waiting: Waiting, tmp_path: Path) -> None:
    """
    The whole way: people in distress are reported, correlate remembers threads, and a worker that starts finds them in its store.

    A thread that was written again stands there once, and as it was last; one that was forgotten is not there.
    """
    distress = report("sighting", "comoros", "SOS-1", event={"type": "distress"}, times=boat("KM-1", "comoros")["times"])
    bus = told_bus(national("sighting", distress))
    state = bus.states["correlate"].entries
    threads = {key: change_bytes(value) for key, (_, value) in state.items() if key.startswith(f"{KEPT}:")}
    assert threads
    store = Store(tmp_path / "0", handler("correlate").processor.windows)
    try:
        for position in (1, 2):
            rows: dict[str, Row] = {key: (key.encode(), value, RECORDED_AT, []) for key, value in threads.items()}
            store.apply(rows, position, clock=RECORDED_AT, complete_at=0.0)
        gone: Row = (b"thread:x", None, RECORDED_AT, [])
        store.apply({"thread:x": (b"thread:x", b"no thread", RECORDED_AT, [])}, 3, clock=RECORDED_AT, complete_at=0.0)
        store.apply({"thread:x": gone}, 4, clock=RECORDED_AT, complete_at=0.0)
        waiting.begin(0, kept(store, KEPT))
    finally:
        store.close()
    waiting.tell(RECORDED_AT / 1000 + 60)

    assert pytest.approx((1.0, 0.0, 0.0, 60.0), abs=0.01) == told()
    assert 1.0 == told("rmifc")[0]


def test_correlate_alone_keeps_alerts() -> None:
    """Its handler has the rules by whose deadlines they are watched; no other processor has."""
    assert handler("correlate").clocks.waiting is not None
    assert handler("release").clocks.waiting is None
    assert handler("accept-reports").clocks.waiting is None
