"""
The page of operations in a real browser: live and without JavaScript, in both languages, by keyboard, light and dark.

The pictures in docs/operations are taken by running this file: PYTHONPATH=tests python tests/web/test_operations_page.py
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from boutre.language import LANGUAGES, say
from boutre.ops.top.app import Top
from boutre.ops.top.source import Source
from browser import Browser, Tab, chromium
from operations_scenes import CALM, GONE, NOW, TROUBLE, document, group, heard, partition, report
from operations_stage import Stage, served

ROOT: Final = Path(__file__).parents[2]
PICTURES: Final = ROOT / "docs" / "operations"
LIVE: Final = "document.getElementById('connection').className === 'live' && document.querySelector('time').textContent !== ''"
TEXT: Final = "document.body.innerText"

# The contrast of two colours as WCAG 2 has it, of each element that *selector* finds against the page.
CONTRAST: Final = """
(() => {
  const light = (said) => {
    const [r, g, b] = said.match(/[\\d.]+/g).map((one) => one / 255)
      .map((one) => one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const paper = light(getComputedStyle(document.documentElement).backgroundColor);
  const found = [...document.querySelectorAll("p, .state, h1, h2, th, td, a:not(.skip), .since, .book")].map((one) => {
    const ink = light(getComputedStyle(one).color);
    return [(Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05), one.className];
  });
  return found.reduce((least, one) => one[0] < least[0] ? one : least);
})()
"""


def with_page(stage: Stage, folder: Path, looks: Callable[[Browser, str], Awaitable[None]]) -> None:
    """Serve a stage and let somebody look at it."""

    async def all_of_it() -> None:
        async with served(stage) as url, chromium(folder) as browser:
            await looks(browser, url)

    asyncio.run(all_of_it())


def test_it_is_whole_without_javascript_in_either_language(tmp_path: Path) -> None:
    """Who has none sees the state as it was when loaded, in the language that the browser asks for, and is told that it stands."""

    async def looks(browser: Browser, url: str) -> None:
        for language in LANGUAGES:
            tab = await browser.open(url, language=f"{language}, de;q=0.5", javascript=False)
            text = await tab.value(TEXT)

            assert language == await tab.value("document.documentElement.lang")
            assert say("finding.group-stopped.do", language) in text
            assert "boutre worker release" in text
            assert "JavaScript" in text
            assert "47" in text  # minutes since the oldest record that release has not read
            assert [] == tab.complaints

    with_page(Stage(TROUBLE), tmp_path, looks)


def test_it_changes_as_the_bus_does_and_keeps_ones_place(tmp_path: Path) -> None:
    """Findings come and go without a reload; what stays is the same element, so that focus, selection and a reader's place stay."""
    stage = Stage(CALM)

    async def looks(browser: Browser, url: str) -> None:
        tab = await browser.open(url)
        await tab.until(LIVE)
        assert say("operations.findings.none", "en") in await tab.value(TEXT)

        stage.known = TROUBLE
        await tab.until("document.querySelectorAll('.findings > li').length > 8")
        assert (await tab.value("document.title")).startswith("(7!) ")
        await tab.value("(document.querySelector('[data-key=\"group-stalled/processor/boutre-correlate\"]').kept = 1, 1)")
        await tab.value("(document.querySelector('nav a').focus(), 1)")

        stage.known = GONE
        await tab.until("document.querySelector('.findings > li').dataset.key.startsWith('broker-gone')")
        assert 1 == await tab.value("document.querySelector('[data-key=\"group-stalled/processor/boutre-correlate\"]').kept")
        assert await tab.value("document.activeElement === document.querySelector('nav a')")
        assert await tab.value("document.querySelectorAll('section.old').length >= 3")

        stage.known = CALM
        await tab.until("document.querySelectorAll('.findings > li').length === 0")
        assert [] == tab.complaints

    with_page(stage, tmp_path, looks)


def test_a_page_whose_server_is_gone_says_so(tmp_path: Path) -> None:
    """After twelve seconds without a word it is no longer live, and tells since when; when the server is back, so is the page."""

    async def all_of_it() -> None:
        async with chromium(tmp_path) as browser:
            async with served(Stage(CALM)) as url:
                tab = await browser.open(url, language="fr")
                await tab.until(LIVE)
            # Twelve seconds later, by the page's clock.
            await tab.value("(() => { const now = Date.now; Date.now = () => now() + 13000; return 1; })()")
            await tab.until("document.getElementById('connection').className === 'lost'")

            assert "plus de nouvelles" in await tab.value(TEXT)

    asyncio.run(all_of_it())


def test_it_is_used_by_keyboard_and_read_aloud(tmp_path: Path) -> None:
    """The first key leads past the head to the findings; tables have names, rows and columns headings, shapes words."""

    async def looks(browser: Browser, url: str) -> None:
        tab = await browser.open(url)
        await tab.until(LIVE)
        await tab.key("Tab")
        assert "skip" == await tab.value("document.activeElement.className")
        await tab.key("Enter")
        await tab.until("document.activeElement.id === 'findings'")

        assert await tab.value(
            "[...document.querySelectorAll('table')].every((one) => document.getElementById(one.getAttribute('aria-labelledby')))"
        )
        assert await tab.value("[...document.querySelectorAll('tbody tr')].every((one) => one.querySelector('th[scope=row]'))")
        assert await tab.value("[...document.querySelectorAll('.state')].every((one) => one.textContent.trim() !== '')")
        assert await tab.value("document.getElementById('counts').getAttribute('role') === 'status'")

    with_page(Stage(TROUBLE), tmp_path, looks)


@pytest.mark.parametrize("dark", [False, True])
def test_it_can_be_read_on_any_screen(tmp_path: Path, dark: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """Each text stands out from the page as WCAG asks of small text; on a telephone nothing is pushed sideways but tables."""

    async def looks(browser: Browser, url: str) -> None:
        tab = await browser.open(url, size=(360, 640), dark=dark)
        await tab.until(LIVE)
        least, where = await tab.value(CONTRAST)

        assert least >= 4.5, where
        assert await tab.value("document.documentElement.scrollWidth") <= 360

    with_page(Stage(TROUBLE), tmp_path, looks)


def test_a_hostile_name_stays_a_name(tmp_path: Path) -> None:
    """Who names a group after a piece of a page gets it shown as letters, in the page and in what it is sent live."""
    name = "\"><img src=x onerror=document.title='taken'><script>document.title='taken'</script>"
    hostile = replace(
        CALM,
        lag=heard(
            "lag", report(group("boutre-work", "processor", partition("t")), undeclared=[group(name, "other", owner="nobody")])
        ),
    )
    stage = Stage(hostile)

    async def looks(browser: Browser, url: str) -> None:
        tab = await browser.open(url)
        await tab.until(LIVE)
        stage.known = replace(hostile, lag=heard("lag", report(undeclared=[group(f"2{name}", "other", owner="nobody")])))
        await tab.until("document.body.innerText.includes('2\">')")

        assert "onerror=document.title" in await tab.value(TEXT)
        assert 0 == await tab.value("document.querySelectorAll('img').length")
        assert 1 == await tab.value("document.scripts.length")
        assert "taken" != await tab.value("document.title")
        assert [] == tab.complaints

    with_page(stage, tmp_path, looks)


async def terminal(folder: Path) -> None:
    """Take the picture of boutre top, drawn by a browser as a terminal would draw it."""
    told = document(TROUBLE)
    app = Top(Source(lambda: told, "http://127.0.0.1:9320", lambda: NOW))
    async with app.run_test(size=(132, 36)) as pilot:
        await pilot.pause(0.5)
        await pilot.press("down", "down", "down")
        await pilot.pause(0.2)
        drawn = app.export_screenshot(title="boutre top")
    path = folder / "top.svg"
    await asyncio.to_thread(path.write_text, drawn, encoding="utf-8")
    async with chromium(folder / "terminal") as browser:
        tab = await browser.open(path.as_uri(), size=(1634, 948))
        await tab.picture(PICTURES / "top.png")


async def pictures(folder: Path) -> None:
    """Take the pictures of the pages in docs."""
    scenes = {
        "calm": (CALM, "en", False, 1366), "trouble": (TROUBLE, "en", False, 1366), "broker-gone": (GONE, "fr", False, 1366),
        "dark": (TROUBLE, "fr", True, 1366), "telephone": (TROUBLE, "en", False, 380),
    }  # fmt: skip
    for name, (known, language, dark, wide) in scenes.items():
        stage = Stage(known)
        async with served(stage) as url, chromium(folder / name) as browser:
            tab: Tab = await browser.open(url, language=language, dark=dark, size=(wide, 768))
            await tab.until(LIVE)
            await tab.picture(PICTURES / f"{name}.png")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as there:
        asyncio.run(pictures(Path(there)))
        asyncio.run(terminal(Path(there)))
