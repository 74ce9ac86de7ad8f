"""
The panels: drawn from what a Prometheus answers, in both languages, whatever it answers; and by a real one.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boutre.errors import DeclarationError, Unavailable
from boutre.language import keys, say
from boutre.ops.dashboards_command import drawn
from boutre.ops.panels.asking import POINTS, Query, Span, query, series
from boutre.ops.panels.drawing import COLOURS
from boutre.ops.panels.page import SPANS, STYLE, Asked
from boutre.ops.panels.showing import css, show
from boutre.ops.panels_asking import asking

ROOT: Final = Path(__file__).parents[2]
FILE: Final = drawn(ROOT)
NOW: Final = 1_800_000_000.0
SPAN: Final = Span.until(NOW, 3_600)
STAT: Final = next(
    panel for panel in FILE.dashboard[0].panel if panel.kind == "stat" and panel.warn is not None and not panel.below
)
LINES: Final = next(panel for panel in FILE.dashboard[0].panel if panel.kind == "lines" and panel.bad is not None)
VOID: Final = {"meta", "link", "path", "rect"}


class Reader(HTMLParser):
    """Reads a page and minds that every tag is closed; keeps what would be a script, a style or an address elsewhere."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.text: list[str] = []
        self.feed(page)
        assert [] == self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A tag begins."""
        self.tags.add(tag)
        for name, value in attrs:
            assert not name.startswith("on"), name
            assert name != "style"
            if name in {"href", "src"}:
                assert value is not None
                assert value.startswith(("/", "data:,")), value
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A tag of SVG that is closed by itself."""
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        """A tag ends: the one that began last."""
        if tag not in VOID:
            assert tag == self.open.pop()

    def handle_data(self, data: str) -> None:
        """Text."""
        self.text.append(data)


def answer(values: dict[str, Any]) -> bytes:
    """What Prometheus says to an instant query: series by the value of their label."""
    result = [
        {"metric": dict.fromkeys(("consumergroup", "stage", "feed"), name), "value": [NOW, value]} for name, value in values.items()
    ]
    return json.dumps({"status": "success", "data": {"resultType": "vector", "result": result}}).encode()


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("name", [one.name for one in FILE.dashboard])
@pytest.mark.parametrize(
    "body",
    [
        answer({}),
        answer({"<script>alert(1)</script>": "1", 'x" onload="y': "NaN", "z": "+Inf"}),
        b'{"status":"error","errorType":"bad_data","error":"<b>no</b>"}',
        b"no json",
        b"[]",
        b'{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[]}]}}',
        b'{"status":"success","data":{"resultType":"vector","result":[{"metric":{}}]}}',
    ],
    ids=["empty", "hostile", "refused", "no json", "no table", "no points", "no value"],
)
def test_a_page_is_whole_whatever_prometheus_says(name: str, language: str, body: bytes) -> None:
    """
    Well-formed, in its language, without a script, a style or an address elsewhere; what came from outside is text.
    """
    page = Reader(show(FILE, {"dashboard": name}, language, lambda _: body, NOW))

    assert page.tags.isdisjoint({"script", "style", "img", "iframe", "b"} - ({"b"} if b"NaN" in body else set()))
    assert next(one for one in FILE.dashboard if one.name == name).said(language).title in page.text


def test_a_prometheus_that_is_away_is_asked_once() -> None:
    """
    The page says so in words, and is not kept waiting for every panel.
    """
    asked: list[Query] = []

    def away(one: Query) -> bytes:
        asked.append(one)
        raise Unavailable("gone")

    page = show(FILE, {}, "fr", away, NOW)

    assert 1 == len(asked)
    assert say("panels.away", "fr").replace("'", "&#x27;") in page


@pytest.mark.parametrize("chosen", ['x"} or up{a="', "a b", "a\nb", "..\\", "x" * 300, "é"])
def test_what_is_chosen_cannot_leave_its_string(chosen: str) -> None:
    """
    Nothing but the characters of declared names gets into PromQL; anything else is as if nothing had been chosen.
    """
    assert "" == Asked.of(FILE, {"each": chosen}, "en").chosen


def test_one_that_is_chosen_is_asked_for() -> None:
    """
    The name stands in the expression, its dots as dots; without one, all are.
    """
    panel = FILE.dashboard[1].panel[0]

    assert 'consumergroup=~"rcoc[.]postgresql"' in query(panel, SPAN, "rcoc.postgresql").given["query"]
    assert 'consumergroup=~".*"' in query(panel, SPAN).given["query"]


@given(st.sampled_from(sorted(SPANS)), st.floats(min_value=1e9, max_value=3e9))
def test_a_span_has_points_enough_and_not_too_many(name: str, now: float) -> None:
    """
    It ends at the last whole step, lasts as long as was asked, and has at most so many points, none closer than Prometheus looks.
    """
    span = Span.until(now, SPANS[name])

    assert 0 <= now - span.ends < span.step_s
    assert 0 == span.ends % span.step_s
    assert SPANS[name] == span.ends - span.begins
    assert (span.ends - span.begins) / span.step_s <= POINTS
    assert span.rate_s >= 4 * 15


def test_every_style_that_is_drawn_is_there() -> None:
    """
    A colour for each line by day and by night, a width for each panel, and nothing is fetched from elsewhere.
    """
    widths = {panel.width for one in FILE.dashboard for panel in one.panel}

    assert all(f".w{width} " in css() for width in widths)
    assert all(2 == css().count(f"--c{number}: #") for number in range(COLOURS))
    assert "url(" not in css()
    assert "@import" not in css()
    assert STYLE in show(FILE, {}, "en", lambda _: answer({}), NOW)


def test_every_text_of_the_page_is_used() -> None:
    """
    The catalogue has what the page says, and no more.
    """
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "src" / "boutre" / "ops" / "panels").glob("*.py"))

    for key in keys("panels") - {f"panels.span.{name}" for name in SPANS}:
        name = key.removeprefix("panels.")
        assert any(f"{quote}{said}{quote}" in code for quote in "\"'" for said in (name, key)), key
    assert all(f"panels.span.{name}" in keys("panels") for name in SPANS)


@pytest.mark.parametrize("address", ["file:///etc/passwd", "prometheus:9090", "", "ftp://x/"])
def test_only_http_is_asked(address: str) -> None:
    """
    What is no address of HTTP is refused before anything is asked.
    """
    with pytest.raises(DeclarationError):
        asking(address)


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real Prometheus that looks at itself, and judges the alarms of this bus."""
    program = shutil.which("prometheus")
    if program is None:
        pytest.skip("no Prometheus is installed")
    folder = tmp_path_factory.mktemp("prometheus")
    config = f"global: {{scrape_interval: 1s, evaluation_interval: 1s}}\nrule_files: [{ROOT}/ops/prometheus/alarms.yml]\n"
    (folder / "prometheus.yml").write_text(config, encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [
        program,
        f"--config.file={folder}/prometheus.yml",
        f"--storage.tsdb.path={folder}/data",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with (folder / "log").open("wb") as told:
        process = subprocess.Popen(words, stdout=told, stderr=told)
    try:
        ask = asking(f"http://127.0.0.1:{port}")
        for _ in range(200):
            with suppress(Unavailable):
                if b"success" in ask(Query("/api/v1/query", {"query": "vector(1)"})):
                    break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


def test_a_real_prometheus_answers_every_panel(prometheus: str) -> None:
    """
    Each expression of each dashboard, at each span, is one that Prometheus takes; and its refusals are read as such.
    """
    ask = asking(prometheus)
    for one in FILE.dashboard:
        for panel in one.panel:
            for lasts_s in (SPANS["15m"], SPANS["7d"]):
                assert series(panel, json.loads(ask(query(panel, Span.until(time.time(), lasts_s), "rcoc")))) is not None
    wrong = replace(query(STAT, SPAN), given={"query": "sum("})
    with pytest.raises(ValueError, match="parse error"):
        series(STAT, json.loads(ask(wrong)))


def test_nothing_that_answers_is_said(prometheus: str) -> None:
    """
    A port at which nobody listens is Unavailable, and not an error of the page.
    """
    free = prometheus.rpartition(":")[0] + ":1"

    with pytest.raises(Unavailable, match="does not answer"):
        asking(free)(query(STAT, SPAN))
