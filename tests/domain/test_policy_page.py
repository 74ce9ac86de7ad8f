"""
docs/policy.md: what the commands of agreements print, as they print it now.

Where agreements or sentences change, write it anew: PYTHONPATH=tests python tests/domain/test_policy_page.py
"""

from __future__ import annotations

import difflib
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final
from unittest import mock

import pytest
from click.testing import CliRunner

from boutre.ops import rehearsal
from boutre.ops.assembly import assemble
from boutre.ops.command import main
from boutre.processors.agreement import Agreement, When
from pages import Page
from records import ROOT

FILE: Final = "comoros-information.toml"
WIDTH: Final = "110"
READ: Final = cache(assemble)
"""The bus is read once for all parts."""
MOMENT: Final = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}Z")


@contextmanager
def alone() -> Iterator[Path]:
    """A folder of its own with the proposal in it, no keys and no settings."""
    before, environment = Path.cwd(), dict(os.environ)
    with TemporaryDirectory() as folder:
        os.chdir(folder)
        os.environ.update({"BOUTRE_STATE": f"{folder}/state", "BOUTRE_KEYS": f"{folder}/keys", "COLUMNS": WIDTH})
        shutil.copytree(ROOT / "processors" / "agreements", "proposed")
        Path("proposed", FILE).write_text(proposal(), encoding="utf-8")
        try:
            with mock.patch.object(rehearsal, "assemble", READ):
                yield Path(folder)
        finally:
            os.chdir(before)
            os.environ.clear()
            os.environ.update(environment)


def agreed() -> str:
    """The agreement as it stands."""
    return (ROOT / "processors" / "agreements" / FILE).read_text(encoding="utf-8")


def proposal() -> str:
    """The agreement as it is proposed."""
    version = re.search(r"^version = (\d+)$", agreed(), re.MULTILINE)
    assert version
    text = agreed().replace(version[0], f"version = {int(version[1]) + 1}")
    text = re.sub(r"^end = (\d{4})", lambda found: f"end = {int(found[1]) + 1}", text, flags=re.MULTILINE)
    return text.replace('"craft.kind" = "keep"\n', '"craft.kind" = "keep"\n"craft.activity" = "keep"\n')


def printed(*arguments: str, only: str = "") -> str:
    """What a command prints, as a block; with *only* the lines that hold it."""
    with alone():
        result = CliRunner().invoke(main, ["--bus", str(ROOT), *arguments])
    assert 0 == result.exit_code, result.output
    lines = [MOMENT.sub("2026-11-22T08:30Z", row.rstrip()) for row in result.stdout.rstrip().splitlines() if only in row]
    return "\n".join(["```text", *lines, "```"])


def proposed() -> str:
    """What is proposed, as a difference of texts."""
    rows = difflib.unified_diff(agreed().splitlines(), proposal().splitlines(), lineterm="", n=0)
    return "\n".join(["```diff", *(row for row in rows if not row.startswith(("---", "+++", "@@"))), "```"])


def of_feed(*arguments: str) -> Callable[[], str]:
    """The explanation of the page's record."""
    return lambda: printed("explain", "--feed", "incidents-imb", "--reference", "IMB-00006", *arguments)


PAGE: Final = Page(
    "docs/policy.md",
    "tests/domain/test_policy_page.py",
    {
        "explain": of_feed("--recipient", "comoros"),
        "nothing": of_feed("--recipient", "protection-partner", "--language", "fr"),
        "proposed": proposed,
        "test": lambda: printed("policy", "test", "proposed", only=FILE),
        "diff": lambda: printed("policy", "diff", "--against", "proposed"),
        "replay": lambda: printed("policy", "replay", "--against", "proposed", "--feed", "incidents-imb"),
    },
)


@pytest.mark.parametrize("part", PAGE.parts)
def test_the_page_shows_what_is_printed(part: str) -> None:
    """Whoever follows the page sees what it shows."""
    assert PAGE.parts[part]() == PAGE.shown(part)


def test_the_proposal_is_one() -> None:
    """What the page proposes changes the agreement in three places."""
    assert 3 == sum(row.startswith("+") and not row.startswith("+++") for row in proposed().splitlines())


def test_every_key_of_an_agreement_is_explained() -> None:
    """
    What the file may say stands in the table, and nothing that it may not.
    """
    table = (ROOT / "docs" / "policy.md").read_text(encoding="utf-8").partition("## What an agreement can say")[2]
    told = {name for row in re.findall(r"^\| (`.+?) \|", table, re.MULTILINE) for name in re.findall(r"`([\w.]+)`", row)}
    when = {f"when.{name}" for name in When.model_fields}

    assert {*Agreement.model_fields, *when} - {"when"} == told


if __name__ == "__main__":
    PAGE.write()
