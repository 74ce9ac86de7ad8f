"""
How late records come to a hop: tallied for a batch as if each had been observed by itself, with clocks that are ahead told apart.
"""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import REGISTRY as OTHERS
from prometheus_client import CollectorRegistry, Histogram

from boutre import metrics
from boutre.lateness import BOUNDS, DAY_MS, SENT_HEADER, LatenessHistogram, Tally, clock_ahead, clock_apart, sent_header, since
from boutre.processors.decision import Inbound, Released, Seen
from boutre.processors.handle import Handled
from boutre.processors.hops import Hops
from records import AT, NOW, accept, attack, handler, inbound, national, release

SECOND = 1_000
DAY_S = 86_400.0
NEAR = st.sampled_from(BOUNDS).flatmap(
    lambda bound: st.sampled_from([math.nextafter(bound, 0), bound, math.nextafter(bound, math.inf)])
)
LATE = st.one_of(NEAR, st.floats(0, 1e9), st.just(0.0))


def samples(hop: str, **labels: str) -> dict[str, float]:
    """What the metrics say of a hop: the buckets that are not empty by their upper end, ``ahead``, ``unknown`` and ``total``."""
    wanted = {"hop": hop, "member": "", "recipient": "", "kind": "sighting"} | labels
    found = {"ahead": 0.0, "unknown": 0.0, "total": 0.0}
    below = 0.0
    for collector, name in ((metrics.LATENESS, ""), (metrics.LATENESS_AHEAD, "ahead"), (metrics.LATENESS_UNKNOWN, "unknown")):
        for family in collector.collect():
            for sample in family.samples:
                told = {key: value for key, value in sample.labels.items() if key != "le"}
                if told != wanted or sample.name.endswith("_created"):
                    continue
                if sample.name.endswith("_bucket"):
                    if sample.value > below:
                        found[sample.labels["le"]] = sample.value - below
                    below = sample.value
                elif sample.name.endswith("_sum"):
                    found["total"] = sample.value
                elif sample.name.endswith("_total"):
                    found[name] = sample.value
    return found


def grown(before: dict[str, float], after: dict[str, float]) -> dict[str, float]:
    """What was added between, without what stayed as it was."""
    return {key: round(after[key] - before.get(key, 0.0), 3) for key in after if after[key] != before.get(key, 0.0)}


@given(late=st.lists(LATE, max_size=30))
def test_a_tally_is_what_would_have_been_observed_one_by_one(late: list[float]) -> None:
    """Every bucket and the count are the same, also at the very end of a bucket; the sum is, but for the order of adding."""
    whole, single = CollectorRegistry(), CollectorRegistry()
    mine = LatenessHistogram("x", "x", buckets=BOUNDS, registry=whole)
    theirs = Histogram("x", "x", buckets=BOUNDS, registry=single)
    tally = Tally()
    for seconds in late:
        tally.add(seconds)
        theirs.observe(seconds)
    mine.take(tally.counts, tally.total)

    def told(registry: CollectorRegistry) -> dict[Any, float]:
        return {
            (one.name, one.labels.get("le")): one.value
            for family in registry.collect()
            for one in family.samples
            if not one.name.endswith(("_created", "_sum"))
        }

    assert told(single) == told(whole)
    assert math.isclose(sum(late), whole.get_sample_value("x_sum") or 0.0, rel_tol=1e-9, abs_tol=1e-9)


@given(late=st.lists(st.one_of(LATE, st.floats(-1e9, -1e-9), st.none()), max_size=30))
def test_each_record_is_counted_once(late: list[float | None]) -> None:
    """In a bucket, ahead, or unknown; what is ahead makes no lateness smaller."""
    tally = Tally()
    for seconds in late:
        tally.add(seconds)

    assert len(late) == sum(tally.counts) + tally.ahead + tally.unknown
    assert sum(1 for one in late if one is not None and one < 0) == tally.ahead
    assert 0 <= tally.total


@pytest.mark.parametrize(("at", "known"), [(DAY_MS, False), (DAY_MS + 1, True), (DAY_MS - 1, True), (0, False), (1, True)])
def test_a_time_that_is_a_day_tells_no_lateness(at: int, *, known: bool) -> None:
    """A view whose recipient knows its time by the day alone stands at midnight; a millisecond beside it is a time."""
    assert known == (since(at, 2 * DAY_S) is not None)


def test_labels_are_of_no_other_registry() -> None:
    """The metrics of the bus stand in its own registry."""
    assert not [family.name for family in OTHERS.collect() if family.name.startswith("boutre_")]


@given(ahead=st.integers(-(10**7), 10**7), sent=st.integers(0, 2**41), took=st.integers(0, 10**6), slow=st.integers(0, 10**6))
def test_a_clock_is_told_by_both_who_sends_and_who_accepts(ahead: int, sent: int, took: int, slow: int) -> None:
    """
    By the header it is never told as further ahead than it is, nor behind by more than what it is and the record waited.

    Whoever has the acknowledgement (*slow* ms after the broker had it) says the same, and nothing of a clock that is right.
    """
    stamp = sent + took - ahead  # by the broker's clock
    by_header = clock_ahead(dict([sent_header(sent / 1000)]), stamp)
    by_itself = clock_apart(sent / 1000, (sent + took + slow) / 1000, stamp)

    assert by_header == pytest.approx((ahead - took) / 1000)
    assert min(0, ahead) / 1000 - 1e-3 <= by_itself <= max(0, ahead) / 1000 + 1e-3
    assert ahead or 0 == pytest.approx(by_itself, abs=1e-3)


@pytest.mark.parametrize("said", [b"", b"-5", b"1e9", b"9" * 16, b" 5", "\u0665".encode(), b"\xff"])
def test_a_header_that_is_no_time_says_nothing(said: bytes) -> None:
    """Whatever a sender writes there: it is not signed, and no reason to refuse anything."""
    assert clock_ahead({SENT_HEADER: said}, 5) is None


def senders() -> dict[str, float]:
    """What is said of senders' clocks, by member."""
    return {one.labels["member"]: one.value for family in metrics.SENDER_CLOCK.collect() for one in family.samples}


def test_a_clock_that_is_ahead_is_told_though_its_records_are_refused() -> None:
    """An hour ahead its reports come from the future; whose clock it is is said until the partition has moved."""
    member = "observatory-imb"
    hops = handler("accept-reports").clocks.hops
    one = inbound(
        national("sighting", attack("IMB-1", times={"observed": {"at": NOW + timedelta(hours=1), "precision": "second"}}))
    )
    one = msgspec.structs.replace(one, headers={**one.headers, SENT_HEADER: str(AT + 3_600 * SECOND).encode()})
    handled = handler("accept-reports")(one, {})
    hops.count([one], [handled], AT / 1000)

    assert ("rejected", 3_600.0) == (handled.outcome, senders().get(member))
    hops.moved()
    assert member not in senders()


def test_a_burst_after_nine_days_is_late_when_it_was_sent_and_not_on_the_bus() -> None:
    """Old reports that come in a heap are nine days late at ``sent``, and as fast as any other from there on."""
    member = "observatory-imb"
    hops = handler("accept-reports").clocks.hops
    late = timedelta(days=9)
    burst = [
        inbound(national("sighting", attack(f"IMB-{number}", times={"observed": {"at": NOW - late, "precision": "second"}})))
        for number in range(5)
    ]
    handled = [handler("accept-reports")(one, {}) for one in burst]
    before = {hop: samples(hop, member=member) for hop in ("sent", "accepted")}
    hops.count(burst, handled, AT / 1000 + 0.5)

    assert {"emitted"} == {one.outcome for one in handled}
    assert {"2.592e+06": 5.0, "total": 5 * 9 * DAY_S} == grown(before["sent"], samples("sent", member=member))
    assert {"1.0": 5.0, "total": 2.5} == grown(before["accepted"], samples("accepted", member=member))


@pytest.mark.parametrize(
    ("type_", "ago", "outcome"),
    [
        ("distress", 900.0, ("distress", True)),
        ("distress", 900.001, ("distress", False)),
        ("attack", DAY_S, ("default", True)),
        ("attack", DAY_S + 0.001, ("default", False)),
        ("attack", -60.0, ("default", True)),
    ],
)
def test_a_deadline_is_that_of_the_class(type_: str, ago: float, outcome: tuple[str, bool]) -> None:
    """Minutes for distress, a day for a first report; at the very end of it a report is in time."""
    value = attack("IMB-1", times={"observed": {"at": NOW - timedelta(seconds=ago), "precision": "second"}}, event={"type": type_})
    decision = accept()(inbound(national("sighting", value)), {})
    seen = getattr(decision, "seen", None)

    assert isinstance(seen, Seen)
    assert outcome == (seen.deadline, seen.met)
    assert ago == pytest.approx(seen.late_s)


def test_an_exercise_keeps_no_deadline_and_breaks_none() -> None:
    """A probe, or any other exercise, is not counted among the reports of the world."""
    old = {"observed": {"at": NOW - timedelta(days=9), "precision": "second"}}
    decision = accept()(inbound(national("sighting", {**attack("IMB-1", times=old), "exercise": True})), {})

    assert ["bus.sighting"] == [out.topic for out in getattr(decision, "records", ())]
    assert getattr(decision, "seen", "missing") is None


def test_what_was_not_accepted_has_no_hop() -> None:
    """A reject, and a report that came again, are no acceptance however late they are."""
    hops = Hops(("national.comoros.sighting",), ())
    record = Inbound("national.comoros.sighting", 0, 0, b"k", b"v", {}, AT)
    before = samples("accepted", member="comoros")
    hops.count([record, record], [Handled("rejected", "malformed"), Handled("dropped", "same-report")], AT / 1000)

    assert {} == grown(before, samples("accepted", member="comoros"))


@given(
    ages=st.lists(st.tuples(st.integers(-5_000, 100_000_000), st.sampled_from(["delivered", "withheld", "repeat"])), max_size=20)
)
def test_release_is_counted_for_whoever_was_given_something(ages: list[tuple[int, str]]) -> None:
    """Each view by its own lateness, for its own recipient; a sum is that of the records, though they are counted by bucket."""
    hops = Hops(("bus.sighting",), ("rcoc", "rmifc"))
    now = AT / 1000
    records = [Inbound("bus.sighting", 0, number, b"k", b"v", {}, AT - age) for number, (age, _) in enumerate(ages)]
    both = [
        Handled("emitted", releases=(Released("rcoc", "sighting", outcome), Released("rmifc", "sighting", "delivered")))
        for _, outcome in ages
    ]
    before = {one: samples("released", recipient=one) for one in ("rcoc", "rmifc")}
    hops.count(records, both, now)
    added = {one: grown(before[one], samples("released", recipient=one)) for one in before}

    def numbers(of: dict[str, float]) -> float:
        return sum(value for key, value in of.items() if key != "total")

    assert len(ages) == numbers(added["rmifc"])
    assert sum(1 for _, outcome in ages if outcome == "delivered") == numbers(added["rcoc"])
    assert sum(1 for age, _ in ages if age < 0) == added["rmifc"].get("ahead", 0)
    late = [age / SECOND for age, _ in ages if age >= 0]
    assert math.isclose(sum(late), added["rmifc"].get("total", 0.0), rel_tol=1e-6, abs_tol=0.02)


def test_processors_know_their_hop_by_what_they_read_and_write() -> None:
    """Accept, release and correlate each count their own; those who look at movements count none."""
    real = handler("release").processor
    assert release() is not None
    assert {"rcoc", "rmifc"} <= set(real.recipients)
    assert () == handler("accept-reports").processor.recipients
    before = samples("linked", recipient="rcoc")
    offer = Inbound("bus.offer.sighting", 0, 0, b"rcoc|0/0", b"v", {}, AT - 3 * SECOND)
    day = Inbound("bus.offer.sighting", 0, 1, b"rcoc|0/0", b"v", {}, AT - AT % DAY_MS)
    strange = Inbound("bus.offer.sighting", 0, 2, b"nobody-known|0/0", b"v", {}, AT)
    tick = Inbound("bus.tick", 0, 3, None, b"", {}, AT)
    every = [offer, day, strange, tick]
    handler("correlate").clocks.hops.count(every, [Handled("dropped", "nothing-new")] * len(every), AT / 1000)

    assert {"5.0": 1.0, "total": 3.0, "unknown": 1.0} == grown(before, samples("linked", recipient="rcoc"))
