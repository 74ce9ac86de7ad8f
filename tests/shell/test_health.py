"""
Health and readiness: what a process tells of itself, near each limit, and as a page.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boutre import metrics
from boutre.health import OWN, Facts, Health, Limits, beside, unhealthy, unready

LIMITS = Limits(broker_s=30, work_s=120, loop_s=20, start_s=300)
AGES = st.one_of(st.floats(0, 400), st.sampled_from([0.0, 19.9, 20.0, 20.1, 29.9, 30.0, 30.1, 119.9, 120.0, 120.1, 300.0, 300.1]))
NOW = 10_000.0


class Watch:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Give the time."""
        return self.now


def own() -> tuple[Health, Watch]:
    """A process that has just begun, and its clock."""
    watch = Watch()
    return Health(watch), watch


@given(broker=AGES, work=AGES, loop=AGES, missing=AGES)
def test_each_limit_is_told_beyond_it_and_not_at_it(broker: float, work: float, loop: float, missing: float) -> None:
    """Health and readiness are no when, and only when, some age is beyond its own limit; each reason names what it is of."""
    facts = Facts(
        NOW,
        began=0,
        answered=NOW - broker,
        missing={"partitions": ("they move", NOW - missing)},
        turned={"event loop": NOW - loop},
        waiting={"partition 3": NOW - work},
    )
    why = " ".join(unhealthy(facts, LIMITS))
    apart = 1e-6  # of floats this large

    for name, age, limit in (
        ("broker", broker, 120),
        ("partition 3", work, 120),
        ("event loop", loop, 20),
        ("they move", missing, 300),
    ):
        if abs(age - limit) > apart or age == limit:
            assert (NOW - (NOW - age) > limit) == (name in why)
    assert "partitions: they move" in unready(facts, LIMITS)
    assert (NOW - (NOW - broker) > 30) == ("has not answered" in " ".join(unready(facts, LIMITS)))


def test_a_process_that_runs_is_not_ready_for_that() -> None:
    """Before the broker has answered, and while something is missing, it is not ready; healthy for as long as a start may take."""
    health, watch = own()
    health.lacks("partitions", "none were assigned yet")
    begun = health.ready()
    health.answered()
    asked = health.ready()
    health.has("partitions", partitions=[0, 2])
    ready = health.ready()

    assert (False, ["partitions: none were assigned yet", "the broker has not answered yet"]) == (begun[0], begun[1]["why"])
    assert (False, ["partitions: none were assigned yet"]) == (asked[0], asked[1]["why"])
    assert (True, [], [0, 2]) == (ready[0], ready[1]["why"], ready[1]["partitions"])
    health.lacks("partitions", "they move")
    watch.now = 301
    health.answered()
    assert not health.healthy()[0]


def test_nothing_to_do_is_no_fault_and_work_that_stands_still_is() -> None:
    """An idle process is healthy for ever; one partition that stands still is told, also while another gets on."""
    health, watch = own()
    watch.now = 5_000
    health.answered()
    assert health.healthy()[0]
    health.begun("partition 0")
    health.begun("partition 1")
    for _ in range(13):
        watch.now += 10
        health.answered()
        health.begun("partition 1")
        health.acknowledged("partition 0")
    fine, body = health.healthy()

    assert not fine
    assert ["partition 1"] == [why.partition(":")[0] for why in body["why"]]
    assert 0.0 == body["seconds_since"]["last_acknowledgement"]
    health.idle("partition 1")
    assert health.healthy()[0]
    health.begun("partition 1")
    health.forget()
    assert health.healthy()[1]["seconds_since"]["oldest_work_waiting"] is None


def test_a_broker_that_never_answered_is_told_in_the_end() -> None:
    """Counted from the beginning of the process."""
    health, watch = own()
    watch.now = 120
    assert health.healthy()[0]
    watch.now = 120.5
    assert not health.healthy()[0]


def test_the_paths_stand_beside_the_metrics(monkeypatch: pytest.MonkeyPatch) -> None:
    """On one port: 200 or 503 with a JSON body that says why, and the metrics as before."""
    for told in ("_missing", "_turned", "_waiting"):
        monkeypatch.setattr(OWN, told, {})  # What other tests of this process said, some minutes ago.
    port = metrics.serve(0)
    OWN.lacks("something of this test", "it is not there")
    try:
        status, body = get(port, "/readyz")
        assert 503 == status
        assert "something of this test: it is not there" in json.loads(body)["why"]
    finally:
        OWN.has("something of this test")
    OWN.answered()
    OWN.forget()

    assert 200 == get(port, "/healthz")[0]
    assert b"boutre_build_info" in get(port, "/metrics")[1]


@pytest.mark.parametrize("path", ["/", "/readyz/", "/healthz/more", "/metrics", ""])
def test_other_paths_are_left_to_the_page(path: str) -> None:
    """Only the two names are answered here."""
    seen: list[str] = []

    def page(environ: dict[str, Any], _start: Any) -> list[bytes]:
        seen.append(environ["PATH_INFO"])
        return [b"page"]

    assert [b"page"] == list(beside(page, own()[0])({"PATH_INFO": path}, lambda *_: None))
    assert [path] == seen


def get(port: int, path: str) -> tuple[int, bytes]:
    """Ask this process for a page."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read()
