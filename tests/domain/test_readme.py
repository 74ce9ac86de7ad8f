"""
README.md and README.fr.md: what they show is what the bus does, and what they tell one to type exists.

Where a written part must change: PYTHONPATH=tests python tests/domain/test_readme.py
The counts are those of a run, and are held by tests/broker/test_demo.py; the same with out/demo/summary.json behind it writes them.
"""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

import click
import pytest
from click.testing import CliRunner
from rich.console import Console
from rich.table import Table

import journey
from boutre.connectors.phrases import Words, field_name
from boutre.connectors.side_by_side import SIGNS, compare
from boutre.language import say
from boutre.ops.command import main
from boutre.ops.demo_command import _counts
from boutre.processors.picture import mermaid
from expected_views import tables
from pages import ROOT, Page
from records import RECIPIENTS, real_pipeline

CORRIDOR: Final = tables()["corridor-interception"]
SHOWN: Final = ("rmifc", "rcoc", "france", "mauritius", "protection-partner")
"""Recipients of the excerpt; the demo shows all eight."""

ROWS: Final = (
    "origin.unit",
    "times.observed",
    "position.latitude",
    "craft.kind",
    "persons.total",
    "action.smugglers",
    "migration.departure",
    "vulnerability.unaccompanied_children",
    "vulnerability.medical_urgent",
    "suspects",
)
"""Fields of the excerpt; the demo shows all that anybody got."""

COMMANDS: Final = re.compile(r"^(?:\.venv/bin/)?(boutre|make)(?=\s|$)(.*)$")
PLACEHOLDER: Final = re.compile(r"[A-Z]+|<.+>|\.\.\.")


def picture() -> str:
    """The pipeline, drawn as `boutre graph` draws it."""
    return f"```mermaid\n{mermaid(real_pipeline())}```"


def excerpt(language: str) -> str:
    """The report of the corridor side by side: some of the rows and columns that the demo prints."""
    bus = journey.after(CORRIDOR["feed"], CORRIDOR["reference"])
    kind = CORRIDOR["kind"]
    values = {recipient: journey.held(bus, f"for.{recipient}.{kind}") for recipient in SHOWN}
    table = Table()
    table.add_column(say("watch.compare.field", language), no_wrap=True)
    for recipient in SHOWN:
        table.add_column(recipient, overflow="fold", min_width=len(recipient))
    for row in compare(kind, values, language, Words.core()):
        if row.path in ROWS:
            cells = (" ".join(filter(None, (SIGNS.get(cell.state, ""), cell.text))) for cell in row.cells)
            table.add_row(label(row.path, language), *cells)
    legend = "   ".join(say(f"watch.compare.{state}", language) for state in ("coarse", "withheld"))
    return f"```\n{drawn(table)}\n{legend}\n```"


def counts(summary: Mapping[str, Any]) -> str:
    """The table of inputs by recipient, as the demo prints it."""
    return f"```\n{drawn(_counts(summary))}\n```"


def drawn(table: Table) -> str:
    """A table as a terminal without colours shows it."""
    out = io.StringIO()
    Console(file=out, width=124, color_system=None, force_terminal=False).print(table)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


def label(path: str, language: str) -> str:
    """A field's name; where a group is withheld whole, the group's."""
    group, _, part = path.partition(".")
    return field_name(part, language) if part else say(f"group.{group}", language)


PAGES: Final = {
    language: Page(name, "tests/domain/test_readme.py", {"picture": picture, "one record": partial(excerpt, language)})
    for language, name in (("en", "README.md"), ("fr", "README.fr.md"))
}


def blocks(text: str) -> Iterator[str]:
    """Every line that a page shows as something to type: indented by four, before any remark."""
    for line in text.splitlines():
        if line.startswith("    ") and not line.startswith("     "):
            yield re.split(r"\s{2,}#|\s+#\s", line.strip())[0].strip()


def typed(path: Path) -> Iterator[tuple[str, list[str]]]:
    """Every command of the bus or of make that a page shows, with its words."""
    for line in blocks(path.read_text(encoding="utf-8")):
        for part in re.split(r"\s*(?:&&|\|)\s*", line):
            if found := COMMANDS.match(part):
                yield found[1], [word for word in found[2].split() if not PLACEHOLDER.fullmatch(word)]


def wrong(words: list[str]) -> str | None:
    """What is wrong with a command line of `boutre`, or None: a command or an option that there is not."""
    command: click.Command = main
    context = click.Context(main, info_name="boutre")
    options = {name for parameter in main.params for name in parameter.opts} | {"--help", "-h"}
    for word in words:
        if word.startswith("-"):
            if word.partition("=")[0] not in options:
                return f"{context.command_path} has no {word}"
        elif isinstance(command, click.Group):
            inner = command.get_command(context, word)
            if inner is None:
                return f"{context.command_path} has no command {word}"
            command, context = inner, click.Context(inner, parent=context, info_name=word)
            options = {name for each in inner.params for name in (*each.opts, *each.secondary_opts)} | {"--help", "-h"}
    return None


def sections(text: str) -> list[str]:
    """The headings."""
    return re.findall(r"^(#+) ", text, re.MULTILINE)


# --- Both pages hold ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", PAGES)
@pytest.mark.parametrize("name", ["picture", "one record"])
def test_what_is_shown_is_what_the_bus_gives(language: str, name: str) -> None:
    """The picture is that of the declarations, and the excerpt what release gives of the report, in the page's language."""
    assert PAGES[language].shown(name) == PAGES[language].parts[name]()


def test_the_picture_is_what_the_command_prints() -> None:
    """Who types `boutre graph` gets the picture of the page, to the letter."""
    done = CliRunner().invoke(main, ["--bus", str(ROOT), "graph"])

    assert 0 == done.exit_code, done.output
    assert PAGES["en"].shown("picture") == f"```mermaid\n{done.stdout}```"


def test_both_tell_the_same() -> None:
    """Both have the same sections in the same order, the same commands and links, and the same figures of the demo."""
    english, french = (PAGES[language].text for language in ("en", "fr"))

    assert sections(english) == sections(french)
    assert list(typed(ROOT / "README.md")) == list(typed(ROOT / "README.fr.md"))
    assert links(english) == links(french)
    assert PAGES["en"].shown("counts") == PAGES["fr"].shown("counts")


def links(text: str) -> list[str]:
    """The targets of a page's links, but for the one to the other language."""
    return sorted(target for target in re.findall(r"\]\(([^)]+)\)", text) if not target.startswith("README"))


def test_the_figures_add_up() -> None:
    """The table of the page counts the same inputs for every recipient, each once, with none in flight."""
    rows = re.findall(r"^\u2502 ([a-z-]+) +\u2502((?: +\d+ \u2502){5})$", PAGES["en"].shown("counts"), re.MULTILINE)
    table = {name: [int(number) for number in re.findall(r"\d+", numbers)] for name, numbers in rows}

    assert list(RECIPIENTS) == list(table)
    assert 1 == len({sum(row) for row in table.values()})
    assert {0} == {row[-1] for row in table.values()}


def test_every_command_that_a_page_shows_exists() -> None:
    """Each `boutre` and `make` line of the READMEs and of every page names commands, options and targets that there are."""
    pages = [ROOT / "README.md", ROOT / "README.fr.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    lines = [(page.name, *line) for page in pages for line in typed(page)]
    faults = [f"{page}: {fault}" for page, what, words in lines if what == "boutre" and (fault := wrong(words))]
    faults += [f"{page}: make {words[0]}" for page, what, words in lines if what == "make" and words and words[0] not in targets]

    assert {"README.md", "README.fr.md", "operations.md"} <= {page for page, *_ in lines}
    assert [] == faults


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("watch rcoc --language fr", None),
        ("connector run incidents-imb --once", None),
        ("worker release --no-uvloop", None),
        ("wach rcoc", "boutre has no command wach"),
        ("connector start", "boutre connector has no command start"),
        ("watch rcoc --lang fr", "boutre watch has no --lang"),
    ],
)
def test_a_command_that_is_not_there_is_noticed(line: str, fault: str | None) -> None:
    """The check itself can say no: to a command, to one within a group, and to an option."""
    assert fault == wrong(line.split())


def test_the_excerpt_shows_what_it_is_for() -> None:
    """In the excerpt something is kept, something less precise and something withheld, in words of the page's language."""
    english, french = PAGES["en"].shown("one record"), PAGES["fr"].shown("one record")

    for text, language in ((english, "en"), (french, "fr")):
        assert all(label(path, language) in text for path in ROWS)
        assert re.search("\u2502 ~ ", text)
        assert re.search("\u2502 \N{MULTIPLICATION SIGN} ", text)
    assert english != french


if __name__ == "__main__":
    for readme in PAGES.values():
        readme.write()
        if sys.argv[1:]:
            told = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
            readme.put("counts", counts(told))
