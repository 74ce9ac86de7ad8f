"""
`boutre top` at a terminal that a pilot sits at: what it shows, what its keys do, and what it says when nothing comes.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import DataTable, Static

from boutre.errors import Unavailable
from boutre.ops.findings.everything import Known
from boutre.ops.operations.columns import TABLES
from boutre.ops.top.app import Top
from boutre.ops.top.source import Source, remote
from operations_scenes import CALM, GONE, NOW, TROUBLE, document

SIZE = (140, 44)


class Told:
    """A source whose document a test sets; None: it does not answer."""

    def __init__(self, known: Known | None) -> None:
        self.known = known
        self.now = NOW
        self.asked = 0
        self.source = Source(self.ask, "http://127.0.0.1:9320", lambda: self.now)

    def ask(self) -> dict[str, Any]:
        """Answer, or not."""
        self.asked += 1
        if self.known is None:
            raise Unavailable("it does not answer")
        return document(self.known)


def sat_at(told: Told, does: Callable[[Pilot[None], Top], Awaitable[None]], language: str = "en", every_s: float = 0.1) -> None:
    """Let somebody sit at a terminal."""

    async def session() -> None:
        app = Top(told.source, language, every_s)
        async with app.run_test(size=SIZE) as pilot:
            while not told.asked:
                await pilot.pause(0.02)
            await pilot.pause(0.2)
            await does(pilot, app)

    asyncio.run(session())


async def looked(pilot: Pilot[None], told: Told) -> None:
    """Wait until a look that began after now is shown."""
    before = told.asked
    while told.asked < before + 2:  # the first of them may have begun earlier
        await pilot.pause(0.02)
    await pilot.pause(0.1)


def said(app: Top, name: str) -> str:
    """What a part of the screen says."""
    return str(app.query_one(f"#{name}", Static).content)


def cells(app: Top, name: str) -> list[list[str]]:
    """What a table holds, row by row."""
    table: DataTable[Any] = app.query_one(f"#{name}", DataTable)
    return [[str(cell) for cell in table.get_row_at(place)] for place in range(table.row_count)]


def test_it_shows_what_to_look_at_and_what_to_do() -> None:
    """The worst first, and of the chosen one since when, what to do and what to type; the arrows choose another."""

    async def does(pilot: Pilot[None], app: Top) -> None:
        assert "errors: 7, warnings: 9" in said(app, "head")
        assert "■ error" == cells(app, "findings")[0][0]
        assert "boutre topics apply" in said(app, "chosen")

        await pilot.press("down", "down", "down")
        assert "No worker of release is there; unread: 1,204." in said(app, "chosen")
        assert "boutre worker release" in said(app, "chosen")
        assert "47 min" in said(app, "chosen")

    sat_at(Told(TROUBLE), does)


def test_what_was_chosen_stays_chosen_when_others_come() -> None:
    """A finding that comes in above moves the line and not the choice."""
    told = Told(TROUBLE)

    async def does(pilot: Pilot[None], app: Top) -> None:
        await pilot.press("down", "down", "down")
        told.known = GONE
        await looked(pilot, told)

        assert "Kafka" in cells(app, "findings")[0][2]
        assert "boutre worker release" in said(app, "chosen")
        assert "as it last stood" in said(app, "chosen")

    sat_at(told, does)


def test_the_language_is_switched_by_a_key() -> None:
    """All that is read changes, the headings and the choice of tables too."""

    async def does(pilot: Pilot[None], app: Top) -> None:
        await pilot.press("l")
        await pilot.pause()

        assert "erreurs : 7" in said(app, "head").replace("\u00a0", " ")
        assert "■ erreur" == cells(app, "findings")[0][0]
        assert "Le recréer." in said(app, "chosen")
        assert "Traitements" in str(app.query_one("#processors").render())
        assert "Quitter" in said(app, "keys")

    sat_at(Told(TROUBLE), does)


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_table_is_shown_and_sorted_by_each_column(language: str) -> None:
    """Sorted by state the worst is first, by what is unread the most; after the last column it is as it came."""

    async def does(pilot: Pilot[None], app: Top) -> None:
        came = cells(app, "rows")
        firsts = []
        for _ in TABLES["processors"]:
            app.action_sort()
            firsts.append(cells(app, "rows")[0])
        assert "■" == firsts[1][1][0]
        assert "release" == firsts[3][0]
        app.action_sort()
        assert came == cells(app, "rows")
        for name in list(TABLES)[1:]:
            await pilot.press("n", "s")
            assert name == app.shown
            assert cells(app, "rows")

    sat_at(Told(TROUBLE), does, language, every_s=60)


def test_it_says_when_nothing_comes_and_keeps_what_it_had() -> None:
    """A page that does not answer is told after ten seconds, with since when; the tables stay."""
    told = Told(CALM)

    async def does(pilot: Pilot[None], app: Top) -> None:
        assert "Nothing is late, stuck or missing." in said(app, "head")
        assert "Nothing is late, stuck or missing." in said(app, "chosen")
        told.known, told.now = None, NOW + 40
        await looked(pilot, told)

        assert "nothing heard from http://127.0.0.1:9320 for 40 s" in said(app, "head")
        assert cells(app, "rows")

    sat_at(told, does)


def test_it_waits_for_a_page_that_is_not_there_yet() -> None:
    """It begins without one, and shows it when it comes."""
    told = Told(None)

    async def does(pilot: Pilot[None], app: Top) -> None:
        assert "waiting for http://127.0.0.1:9320" in said(app, "head")
        told.known = TROUBLE
        await looked(pilot, told)

        assert "errors: 7" in said(app, "head")

    sat_at(told, does)


def test_it_reads_the_page_of_another_process() -> None:
    """It asks /state.json; who answers something else, or nothing, is no page of operations."""
    bodies = {"/state.json": json.dumps(document(CALM)).encode(), "/other/state.json": b"[]"}

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(bodies[self.path])

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        latest = remote(f"{url}/").look()
        other = remote(f"{url}/other").look()
        server.shutdown()

    assert latest.document is not None
    assert 0 == latest.document["counts"]["error"]
    assert "no page of operations" in other.why
    assert "does not answer" in remote(url).look().why
