"""
The contract that ships with the bus fails the sources that it is there to fail.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest

from boutre.connectors.contract import SourceContract
from boutre.connectors.sdk import Bad, Raw, source

AWARE = datetime(2024, 3, 1, tzinfo=UTC)
CALLS = count()


@dataclass(frozen=True)
class Options:
    """What is wrong with the source."""

    wrong: str = ""


def value() -> dict[str, Any]:
    """The groups of a report."""
    return {"times": {"observed": {"at": AWARE, "precision": "day", "uncertainty_s": None}}, "event": {"type": "attack"}}


@source("faulty")
def read(options: Options, after: str | None) -> Iterator[Raw | Bad]:
    """Five reports, and one thing wrong."""
    wrong = options.wrong
    for number in range(int(after or 0), 5):
        cursor: Any = str(number + 1)
        if wrong == "shared cursor" and number in (2, 3):
            cursor = "4"
        if wrong == "skips" and after == "2" and number == 2:
            continue
        if wrong == "raises" and number == 3:
            raise ValueError
        if wrong == "unknown reason" and number == 1:
            yield Bad("not-nice", b"", "x", cursor)
            continue
        reference = f"{next(CALLS)}" if wrong == "counts" else f"r{number}"
        kind = "alert" if wrong == "other kind" else "sighting"
        stranger: Any = int(cursor)
        yield Raw(kind, value(), " " if wrong == "no reference" else reference, stranger if wrong == "number" else cursor)


CHECKS: dict[str, Callable[[SourceContract], None]] = {
    name: check for name, check in vars(SourceContract).items() if name.startswith("test_")
}


def failing(wrong: str) -> set[str]:
    """The checks that do not hold for the source with this fault."""

    class Kept(SourceContract):
        source = read
        options = Options(wrong)

    failed = set()
    for name, check in CHECKS.items():
        try:
            check(Kept())
        except (AssertionError, ValueError):
            failed.add(name)
    return failed


class TestSound(SourceContract):
    """
    The same source without a fault keeps it.
    """

    source = read
    options = Options()


@pytest.mark.parametrize(
    ("wrong", "check"),
    [
        ("counts", "test_two_runs_give_the_same"),
        ("shared cursor", "test_resuming_after_any_cursor_gives_exactly_the_rest"),
        ("skips", "test_resuming_after_any_cursor_gives_exactly_the_rest"),
        ("raises", "test_there_are_records"),
        ("unknown reason", "test_every_report_is_a_record_or_refused_for_a_known_reason"),
        ("other kind", "test_what_it_gives_is_well_formed"),
        ("no reference", "test_what_it_gives_is_well_formed"),
        ("number", "test_what_it_gives_is_well_formed"),
    ],
)
def test_each_fault_is_found(wrong: str, check: str) -> None:
    """A source that breaks a promise fails the check of that promise."""
    assert check in failing(wrong)


def test_a_sound_source_fails_nothing() -> None:
    """Else the table above would say nothing."""
    assert set() == failing("")
