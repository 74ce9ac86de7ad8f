"""
The runbooks: each in both languages, found from one list, and what they say was walked is a test that exists.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Final

import click
import pytest

from pages import Page
from spoken import parsed

ROOT: Final = Path(__file__).parents[2]
FOLDER: Final = ROOT / "docs" / "runbooks"
FRENCH: Final = ".fr.md"
PAGES: Final = sorted(path for path in FOLDER.glob("*.md") if path.name != "README.md")
WALKS: Final = (ROOT / "tests" / "broker" / "test_runbooks.py").read_text(encoding="utf-8")


def title(path: Path) -> str:
    """
    What a page calls itself.
    """
    return path.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")


def listed() -> str:
    """
    The list of all, each with its title in both languages.
    """
    rows = ["| runbook | en français |", "|---|---|"]
    for path in PAGES:
        if not path.name.endswith(FRENCH):
            other = path.with_name(f"{path.stem}{FRENCH}")
            rows.append(f"| [{title(path)}]({path.name}) | [{title(other)}]({other.name}) |")
    return "\n".join(rows)


PAGE: Final = Page("docs/runbooks/README.md", "tests/domain/test_runbooks_page.py", {"list": listed})


def test_the_list_is_that_of_the_pages() -> None:
    """
    Every page stands in it, under its own title.
    """
    assert PAGE.parts["list"]() == PAGE.shown("list")


def test_every_page_is_there_in_both_languages() -> None:
    """
    Each names the other, and both have the same steps, rows and tests.
    """
    english = {path for path in PAGES if not path.name.endswith(FRENCH)}

    assert {path.with_name(f"{path.stem}{FRENCH}") for path in english} == set(PAGES) - english
    for path in english:
        texts = [one.read_text(encoding="utf-8") for one in (path, path.with_name(f"{path.stem}{FRENCH}"))]
        shapes = [
            (
                len(re.findall(r"^\d+\. ", text, re.MULTILINE)),
                len(re.findall(r"^\|", text, re.MULTILINE)),
                re.findall(r"`(?:tests/\S+|test_\w+)`", text),
                len(re.findall(r"^## ", text, re.MULTILINE)),
            )
            for text in texts
        ]
        assert shapes[0] == shapes[1], path.name
        assert f"]({path.stem}{FRENCH})" in texts[0]
        assert f"]({path.name})" in texts[1]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_what_was_walked_exists(path: Path) -> None:
    """
    Every page says what was walked, by tests that are there, and what was not.
    """
    text = path.read_text(encoding="utf-8")
    walked = text.partition("## Essayé" if path.name.endswith(FRENCH) else "## Walked")[2]

    assert ("Pas essayé" if path.name.endswith(FRENCH) else "Not walked") in walked
    assert re.findall(r"`(?:tests/|test_)", walked)
    for name in re.findall(r"`(test_\w+)`", walked):
        assert f"def {name}(" in WALKS
    for file, _, name in (found.partition("::") for found in re.findall(r"`(tests/[^`]+)`", walked)):
        assert not name or f"def {name}(" in (ROOT / file).read_text(encoding="utf-8")
        assert (ROOT / file).is_file()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_command_of_a_runbook_exists(path: Path) -> None:
    """
    What one is told to type is a command with these options; a part in capitals, or dots, stand for what one knows oneself.
    """
    for command in re.findall(r"`boutre ([^`]+)`", path.read_text(encoding="utf-8")):
        words = shlex.split(command.partition(" | ")[0].partition(",")[0])
        try:
            parsed([*words, "--help"])
        except click.exceptions.Exit:
            continue
        except click.UsageError as error:  # pragma: no cover - the message says which
            pytest.fail(f"{path.name}: boutre {command}: {error.format_message()}")


if __name__ == "__main__":
    PAGE.write()
