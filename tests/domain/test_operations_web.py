"""
The server of the page of operations, without a browser: who may read it, in which language, and what programs get.
"""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import ClientSession
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from boutre.errors import Unavailable
from boutre.language import LANGUAGES, keys
from boutre.ops.findings.finding import CODES
from boutre.ops.lag.rules import Status
from boutre.ops.operations.accepted import language_of
from boutre.ops.operations.board import Asked
from boutre.ops.operations.columns import ORDER, TABLES, order, plain
from boutre.ops.operations.html import fragment, page
from boutre.ops.operations.rejected import DAY_S, HOUR_S, Count
from boutre.ops.operations.series import FAMILIES
from boutre.ops.operations.state import STATES
from operations_scenes import CALM, CALM_CLOCKS, GONE, NOW, TROUBLE, document, feed, group, heard, partition, report
from operations_stage import Stage, served


def visited(stage: Stage, visit: Callable[[ClientSession, str], Awaitable[None]]) -> None:
    """Serve a stage and let somebody visit it."""

    async def all_of_it() -> None:
        async with served(stage) as url, ClientSession() as session:
            await visit(session, url)

    asyncio.run(all_of_it())


# --- The server ------------------------------------------------------------------------------------------------------------------


def test_programs_get_the_same_as_people() -> None:
    """/state.json holds every finding and table, in both languages, and nothing that JSON has no word for."""

    async def visit(session: ClientSession, url: str) -> None:
        async with session.get(f"{url}/state.json") as answer:
            told = json.loads(await answer.text())

        assert {"error": 7, "warning": 9, "note": 0} == told["counts"]
        assert set(TABLES) <= told.keys()
        assert all(set(LANGUAGES) <= one.keys() and one["code"] in CODES for one in told["findings"])

    visited(Stage(TROUBLE), visit)


def test_prometheus_has_a_series_for_each_code_and_source_all_the_time() -> None:
    """What is not found is 0 and not absent, and what was not counted is not a number."""

    async def visit(session: ClientSession, url: str) -> None:
        async with session.get(f"{url}/metrics") as answer:
            assert "text/plain" in answer.headers["Content-Type"]
            families = {one.name: one.samples for one in text_string_to_metric_families(await answer.text())}
        values = {one.labels["code"]: one.value for one in families["boutre_finding"]}
        kept = {one.labels["owner"]: one.value for one in families["boutre_rejects_kept"]}

        assert {name for name, _, _ in FAMILIES} == families.keys()
        assert set(CODES) == values.keys()
        assert (1.0, 0.0) == (values["broker-gone"], values["disk-full"])
        assert 0.0 == next(one.value for one in families["boutre_operations_source_up"] if one.labels["source"] == "broker")
        assert math.isnan(kept["comoros"])

    assert GONE.rejects is not None
    some = tuple(one for one in GONE.rejects.value or () if one.topic != "rejects.comoros")
    visited(Stage(replace(GONE, rejects=replace(GONE.rejects, value=some))), visit)


@pytest.mark.parametrize(
    ("host", "status"),
    [("127.0.0.1:9320", 200), ("localhost", 200), ("LOCALHOST:1", 200), ("[::1]:9320", 200), ("evil.example", 421), ("", 421),
     ("127.0.0.1.evil.example:80", 421), ("evil.example:127.0.0.1", 421)],
)  # fmt: skip
def test_it_answers_to_its_own_names_only(host: str, status: int) -> None:
    """A page elsewhere that has its name point here gets nothing, on any path."""

    async def visit(session: ClientSession, url: str) -> None:
        for path in ("/", "/state.json", "/events", "/metrics", "/operations.js") if status != 200 else ("/state.json",):
            async with session.get(f"{url}{path}", headers={"Host": host}) as answer:
                assert status == answer.status

    visited(Stage(CALM), visit)


def test_no_other_site_is_let_in_and_nothing_can_be_written() -> None:
    """No header of CORS, a policy that allows own scripts only, no framing, and no method but reading."""

    async def visit(session: ClientSession, url: str) -> None:
        for path in ("/", "/state.json", "/healthz", "/nowhere"):
            async with session.get(f"{url}{path}", headers={"Origin": "https://evil.example"}) as answer:
                assert not [name for name in answer.headers if name.lower().startswith("access-control")]
                assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
                assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
                assert "unsafe" not in answer.headers["Content-Security-Policy"]
                assert "no-store" == answer.headers["Cache-Control"]
        for method in ("POST", "PUT", "DELETE", "PATCH"):
            async with session.request(method, f"{url}/") as answer:
                assert 405 == answer.status

    visited(Stage(CALM), visit)


def test_health_is_that_of_the_page_and_not_of_the_bus() -> None:
    """A broker that is gone is on the page; the page itself is well."""
    stage = Stage(GONE)

    async def visit(session: ClientSession, url: str) -> None:
        for ready, healthy in ((True, True), (False, True), (False, False)):
            stage.ready, stage.healthy = ready, healthy
            async with session.get(f"{url}/readyz") as one, session.get(f"{url}/healthz") as other:
                assert (200 if ready else 503, 200 if healthy else 503) == (one.status, other.status)
                assert ready == (await one.json())["ready"]

    visited(stage, visit)


def test_a_stream_says_that_it_is_there_and_sends_what_changes() -> None:
    """First all of it, then nothing but beats until something is other than before."""
    stage = Stage(CALM)

    async def visit(session: ClientSession, url: str) -> None:
        async with session.get(f"{url}/events?language=fr") as answer:
            assert "text/event-stream" in answer.headers["Content-Type"]
            kinds = []
            async for line in answer.content:
                if line.startswith(b"event: "):
                    kinds.append(line[7:].decode().strip())
                if line.startswith(b"data: ") and kinds == ["state"]:
                    said = json.loads(line[6:])
                    assert "Rien n" in said["main"]
                if kinds[-2:] == ["state", "beat"]:
                    stage.known = TROUBLE
                if kinds[-1:] == ["state"] and len(kinds) > 1:
                    break
        assert ["state", "beat", "state"] == kinds

    visited(stage, visit)


# --- Languages -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "asked", "expected"),
    [("", None, "en"), ("fr", None, "fr"), ("fr-KM,fr;q=0.9,en;q=0.8", None, "fr"), ("en;q=0.4, fr;q=0.6", None, "fr"),
     ("de", None, "en"), ("fr;q=0", None, "en"), ("en", "fr", "fr"), ("fr", "en", "en"), ("fr", "de", "fr"),
     ("fr;q=nan", None, "en"), ("*", None, "en")],
)  # fmt: skip
def test_the_language_is_the_one_that_is_asked_for(header: str, asked: str | None, expected: str) -> None:
    """By name first, then as the browser likes, else English."""
    assert expected == language_of(header, asked)


@given(st.text(max_size=60), st.one_of(st.none(), st.text(max_size=5)))
def test_any_header_gives_a_language(header: str, asked: str | None) -> None:
    """Whatever a browser sends."""
    assert language_of(header, asked) in LANGUAGES


# --- The document, and the page made of it ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_of_the_page_is_in_the_catalogue(language: str) -> None:
    """Headings, columns, states and sources; a word that is missing would stand there as its key."""
    wanted = {f"operations.state.{state}" for state in STATES} | {f"operations.heading.{name}" for name in TABLES}
    wanted |= {f"operations.column.{column.name}" for columns in TABLES.values() for column in columns}
    wanted |= {f"operations.source.{one.name}" for one in TROUBLE.sources} | {
        f"operations.empty.{name}" for name in TABLES if name != "sources"
    }

    assert set() == wanted - keys("operations")
    assert "{" not in page(document(TROUBLE), language).replace('data-lost="', "").partition("{time}")[2]


def test_what_is_sent_live_does_not_change_with_the_clock_alone() -> None:
    """Ages are counted by the page: a calm bus is sent once."""
    known = replace(CALM, broker=replace(CALM.broker, took_s=0.5))
    stage = Stage(known)
    first = stage.state.document(known, NOW)
    later = stage.state.document(known, NOW + 3)

    assert fragment(first, "en") == fragment(later, "en")
    assert first["at"] != later["at"]


def test_states_follow_the_status_of_groups() -> None:
    """Each of Burrow's words is one of the page's; a processor without a worker is stopped, whatever is unread."""
    groups = [
        group(f"boutre-{one.name}", "processor", partition("t", one, lag=5, seconds=9.0)) for one in Status if one is not Status.ERR
    ]
    groups.append(group("boutre-idle", "processor", partition("t"), members=0))
    told = document(replace(CALM, lag=heard("lag", report(*groups))))

    assert {
        "OK": "ok", "WARN": "behind", "STOP": "stopped", "STALL": "stalled", "REWIND": "rewound", "idle": "stopped",
    } == {row["name"]: row["state"] for row in told["processors"]}  # fmt: skip


def test_a_feed_of_which_nothing_ever_came_is_not_well() -> None:
    """Whether or not it promised a rhythm: nobody knows of it."""
    feeds = (feed("a", "comoros", "unexpected", silent=None, rhythm=None), feed("b", "comoros", "unexpected", rhythm=None))
    told = document(replace(CALM, clocks=heard("clocks", replace(CALM_CLOCKS, feeds=feeds))))

    assert [("never", "unknown"), ("free", "ok")] == [(row["state"], row["level"]) for row in told["members"]]


@pytest.mark.parametrize("table", TABLES)
def test_tables_are_sorted_with_the_worst_first_and_the_unknown_last(table: str) -> None:
    """By any column, whatever is missing in a row."""
    rows = document(TROUBLE)[table]
    for column in TABLES[table]:
        values = sorted(rows, key=lambda row, column=column: order(column, row))  # type: ignore[misc]  # bound at once
        known = [row.get(column.key) is not None for row in values]
        assert known == sorted(known, reverse=True)
        if column.form == "state":
            assert [ORDER.index(row["level"]) for row in values] == sorted(ORDER.index(row["level"]) for row in values)
        assert all(isinstance(plain(column, row, language, NOW), str) for row in rows for language in LANGUAGES)


# --- What it is made from --------------------------------------------------------------------------------------------------------


def test_a_source_keeps_what_it_said_when_it_fails() -> None:
    """With its age, and why in the bus's own words; of any other error its kind alone, since its text may hold anything."""
    answers: list[Any] = ["first", Unavailable("the cluster does not answer"), ValueError("a value of somebody"), "second"]

    def ask() -> str:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return str(answer)

    source = Asked("lag", 10, ask, lambda: NOW)
    seen = []
    for _ in range(4):
        source.once()
        seen.append((source.heard.value, source.heard.failed, source.heard.why))

    assert [
        ("first", False, ""),
        ("first", True, "the cluster does not answer"),
        ("first", True, "ValueError"),
        ("second", False, ""),
    ] == seen


@given(st.lists(st.floats(-1000, 2 * DAY_S), max_size=40))
def test_rejects_are_counted_by_their_time(ages: list[float]) -> None:
    """All that are kept, and those of the last hour and day to the minute."""
    count = Count("rejects.x")
    for age in sorted(ages, reverse=True):
        count.add(NOW - age)
    told = count.counted(NOW, whole=True)

    assert len(ages) == told.kept
    assert (None if not ages else NOW - min(ages)) == told.newest
    assert sum(age <= HOUR_S - 60 for age in ages) <= told.hour <= sum(age <= HOUR_S + 60 for age in ages)
    assert sum(age <= DAY_S - 60 for age in ages) <= told.day <= sum(age <= DAY_S + 120 for age in ages)
