"""
All that a bus matches by: how identifiers and names are read, where land lies, and every model.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from boutre.errors import DeclarationError, Fault
from boutre.processors.matching import identifiers, model, names
from boutre.processors.matching.ground import Ground, Position
from boutre.processors.matching.identifiers import Identifiers
from boutre.processors.matching.matcher import Matcher
from boutre.processors.matching.model import FOLDER, Model
from boutre.processors.matching.names import Rarity, ShipNames
from boutre.processors.matching.placeholders import Placeholders
from boutre.processors.matching.reach import Coasts
from boutre.topics.strict import file_name, raise_all, table_of

COASTS: Final = "coasts.geojson"
LEAST_CORNERS: Final = 4
"""A ring of three corners, the first of which is said again at its end (RFC 7946)."""


@dataclass(frozen=True, slots=True)
class Models:
    """
    What was read: the models by name, and what they stand on.
    """

    models: tuple[Model, ...]
    identifiers: Identifiers
    names: ShipNames
    coasts: Coasts

    def ground(
        self,
        stock_positions: frozenset[Position] = frozenset(),
        rarity: Rarity | None = None,
        too_common: Callable[[str, str], bool] | None = None,
    ) -> Ground:
        """Give the ground on which reports are compared, with what is known to match too much."""
        return Ground(self.identifiers, self.names, self.coasts, stock_positions, rarity, too_common)

    def matchers(self, ground: Ground | None = None) -> tuple[Matcher, ...]:
        """Give a matcher for each model, on *ground* or on one that knows of nothing that matches too much."""
        return tuple(Matcher(each, ground or self.ground()) for each in self.models)


def load(root: Path, faults: list[Fault]) -> Models | None:
    """
    Read all of it from the bus at *root*; what is wrong is added to *faults*, and then there is nothing to match by.
    """
    folder, before = root / FOLDER, len(faults)
    read = identifiers.load(folder, faults)
    named = None if read is None else names.load(folder, Placeholders(read.rules), faults)
    made = [model.load(path, faults, root) for path in sorted(folder.glob("*.toml")) if _is_model(path, root)]
    whole = [one for one in made if one is not None]
    rules = [one.file.name for one in whole]
    twice = sorted({name for name in rules if rules.count(name) > 1})
    faults.extend(Fault(file_name(folder, root), name, "is the name of two models") for name in twice)
    coasts = _coasts(folder / COASTS, faults, root)
    if len(faults) > before or read is None or named is None or coasts is None:
        return None
    return Models(tuple(sorted(whole, key=lambda one: one.file.name)), read, named[0], coasts)


def of(root: Path) -> Models:
    """
    Read all of it; DeclarationError with everything that is wrong, or where the bus declares no matching.
    """
    faults: list[Fault] = []
    if not (root / FOLDER).is_dir():
        raise DeclarationError([Fault(FOLDER, "", "is missing: it says by what reports are matched")])
    read = load(root, faults)
    raise_all(faults)
    assert read is not None
    return read


def _is_model(path: Path, root: Path) -> bool:
    # A file that is no TOML is told by whoever reads it as what it is; one that nobody knows is read as a model, and told.
    if path.stem in {"identifiers", "names", "persons"}:
        return False
    unread: list[Fault] = []
    table = table_of(path, unread, root=root)
    return table is None or "comparison" in table


def _coasts(path: Path, faults: list[Fault], root: Path) -> Coasts | None:
    """Read the outlines of land; without the file no way goes round anything."""
    if not path.is_file():
        return Coasts()
    file = file_name(path, root)
    try:
        features = json.loads(path.read_text(encoding="utf-8"))["features"]
        outlines = [_ring(feature) for feature in features]
        return Coasts(outlines)
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        # One outline that cannot be read makes the whole unsafe: a way would go through the land that is missing.
        faults.append(Fault(file, "", f"is no collection of polygons in degrees: {str(error) or type(error).__name__}"))
        return None


def _ring(feature: Any) -> list[tuple[float, float]]:
    geometry = feature["geometry"]
    if geometry["type"] != "Polygon":
        raise ValueError("an outline is no polygon")
    ring = [(float(longitude), float(latitude)) for longitude, latitude in geometry["coordinates"][0]]
    if len(ring) < LEAST_CORNERS:
        raise ValueError("an outline has less than three corners")
    if not all(-180 <= longitude <= 180 and -90 <= latitude <= 90 for longitude, latitude in ring):  # noqa: PLR2004 - degrees
        raise ValueError("a corner lies off the earth")
    return ring
