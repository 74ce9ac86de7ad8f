"""
What speaks against: two reports that no chain of others should bring into one cluster.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from boutre.processors.matching import models
from boutre.processors.matching.apart import against
from boutre.processors.matching.matcher import Matcher
from boutre.processors.matching.sighted import Sighted

ROOT = Path(__file__).parents[2]

ONE = Sighted(
    id="a",
    kind="sighting",
    source="comoros/forms",
    at=1_700_000_000.0,
    latitude=-12.5,
    longitude=44.8,
    accuracy_m=500.0,
    event="irregular-migration",
    craft="kwassa",
    colours=("blue",),
)


@pytest.fixture(scope="module")
def craft() -> Matcher:
    """The model by which this bus matches craft."""
    return next(one for one in models.of(ROOT).matchers() if one.model.file.name == "craft")


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (replace(ONE, id="b", source="france/patrol"), False),
        (replace(ONE, id="b", at=1_700_000_000.0 + 600, longitude=45.6), True),
        (replace(ONE, id="b", at=1_700_000_000.0 + 3 * 86_400), True),
        (replace(ONE, id="b", latitude=None), False),
        (replace(ONE, id="b", at=None), False),
    ],
    ids=["the same", "eighty kilometres in ten minutes", "three days later", "no position", "no time"],
)
def test_what_cannot_be_one_craft_speaks_against(craft: Matcher, other: Sighted, expected: bool) -> None:  # noqa: FBT001 - a case
    """Too far for the time, or another night, speaks against; of what is not told nothing is known, and so does not."""
    speaks = against(craft, [ONE, other])

    assert expected == speaks("a", "b")
    assert expected == speaks("b", "a")
    assert not speaks("a", "unheard of")
