"""
The commands of recipients, as far as they go without a broker.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from boutre.connectors.sinks.contract import SHIPPED
from boutre.errors import DeclarationError
from boutre.ops.command import main
from boutre.ops.settings import load
from boutre.ops.whose import kinds_of

ROOT = Path(__file__).parents[2]


def test_all_sinks_are_listed_with_their_options() -> None:
    """A sink that ships is listed with what it is for, for people and for programs."""
    done = CliRunner().invoke(main, ["sink", "list", "--output", "json"])
    listed = {line["name"]: line for line in map(json.loads, done.stdout.splitlines())}

    assert set(SHIPPED) <= set(listed)
    assert listed["migration"]["options"] == ["url", "keys"]
    assert all(line["summary"] for line in listed.values())


@pytest.mark.parametrize("command", [["watch", "nobody"], ["sink", "run", "jsonl", "nobody", "--set", "folder=x"]])
@pytest.mark.parametrize(
    ("language", "told"), [("en", "There is no recipient nobody"), ("fr", "Le destinataire nobody n'existe pas")]
)
def test_an_unknown_recipient_is_told_before_anything_is_asked(command: list[str], language: str, told: str) -> None:
    """Where the bus is declared a mistyped recipient ends the command, with those there are, in either language."""
    done = CliRunner().invoke(main, ["--bus", str(ROOT), "--language", language, *command])

    assert done.exit_code == 2
    assert told in done.stderr
    assert "protection-partner" in done.stderr


def test_a_recipient_gets_the_kinds_it_is_declared_to_get() -> None:
    """All of them, the urgent first, or those that were asked for."""
    settings = load(bus=ROOT)

    assert kinds_of(settings, "rcoc", ()) == ("alert", "interception", "sighting", "retraction", "link")
    assert kinds_of(settings, "rcoc", ("sighting",)) == ("sighting",)
    with pytest.raises(DeclarationError, match="is given no receipt"):
        kinds_of(settings, "rcoc", ("receipt",))
