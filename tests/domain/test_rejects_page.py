"""
docs/rejects.md: the reasons as members read them, from the vocabulary and the text catalogue.

Where a reason changes, write it anew: PYTHONPATH=tests python tests/domain/test_rejects_page.py
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, get_args

from boutre.language import both, keys
from boutre.ops.rejects_recovery import AGAIN
from boutre.ops.rejects_sending import MOST, TOGETHER, Result
from boutre.ops.rejects_store import FILE
from boutre.processors.accept import LARGEST
from boutre.schemas import lock
from boutre.schemas.rejects import MAX_CONTENT, reject
from boutre.schemas.sense import SKEW
from pages import Page
from records import words

SCHEME: Final = "reject-reason@1"


def rows() -> Iterator[str]:
    """For each reason its code and labels, and what a member reads where nothing more is known of the place."""
    yield "| code | what it is | what to do |"
    yield "|---|---|---|"
    for term in words().every[SCHEME].code:
        said = both(f"reject.{term.code}", field="-", place="-", detail="-")
        yield f"| `{term.code}` | {term.en}<br>*{words().label(SCHEME, term.code, 'fr')}* | {said['en']}<br>*{said['fr']}* |"


def results() -> Iterator[str]:
    """What becomes of a reject that is to be sent again, as data and in words."""
    yield "| result | in words |"
    yield "|---|---|"
    for result in get_args(Result):
        said = both(f"rejects.result.{result}")
        yield f"| `{result}` | {said['en']}<br>*{said['fr']}* |"


PAGE: Final = Page(
    "docs/rejects.md",
    "tests/domain/test_rejects_page.py",
    {"reasons": lambda: "\n".join(rows()), "results": lambda: "\n".join(results())},
)


def test_the_page_lists_every_reason_in_both_languages() -> None:
    """
    Each code of the vocabulary has its row, with its label and its sentence as the bus says them, and there is no other row.
    """
    assert list(rows()) == PAGE.shown("reasons").splitlines()
    assert len(words().codes(SCHEME)) == len(PAGE.shown("reasons").splitlines()) - 2


def test_the_page_tells_what_becomes_of_what_is_sent_again() -> None:
    """
    Each result has its row in both languages, and how often and how many at a time is what the command goes by.
    """
    assert list(results()) == PAGE.shown("results").splitlines()
    assert {f"rejects.result.{result}" for result in get_args(Result)} == keys("rejects.result")
    assert (3, 100) == (MOST, TOGETHER)
    for said in ("three times", "a hundred records", f"`{AGAIN}`", FILE):
        assert said in PAGE.text


def test_the_page_names_every_field_of_a_reject() -> None:
    """
    Whoever reads a reject finds each of its fields on the page.
    """
    fields = {field["name"] for field in lock.load().latest("reject").schema["fields"]}
    place = {"topic": None, "partition": None, "offset": None, "file": None, "line": None, "field": None}
    told = reject(member="comoros", stage="connector", code="unsigned", place=place, at=None, input_id="x")

    assert fields == told.keys()
    for name in fields - {"sentence"} | place.keys() | {"sentence.en", "sentence.fr"}:
        assert f"`{name}`" in PAGE.text


def test_the_page_tells_the_limits_that_hold() -> None:
    """
    What the page says of sizes and of clocks is what the bus goes by.
    """
    from boutre.processors.runtime.batches import LARGEST_BATCH  # noqa: PLC0415 - the runtime is for this line alone

    assert (900_000, 4 * 2**20, 64 * 2**10, 600.0) == (LARGEST, LARGEST_BATCH, MAX_CONTENT, SKEW.total_seconds())
    for said in ("900,000 bytes", "4 MiB", "64 KiB", "ten minutes"):
        assert said in PAGE.text


if __name__ == "__main__":
    PAGE.write()
