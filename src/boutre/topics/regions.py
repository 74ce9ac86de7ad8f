"""
Regions of the sea by name: how coarse a position may be told where a grid would still say too much.

``topics/regions.toml`` declares them in levels, each as a box; a position lies in the first region of a level that holds it, in the
order of the file. Regions say where, never whose: no State's name belongs into them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field

from boutre.errors import Fault
from boutre.topics.members import Area, Id, Names
from boutre.topics.strict import Declared, file_name, read

FILE: Final = "regions.toml"


class Region(Declared):
    """
    One region: *level* 1 is the finest; *area* in degrees WGS 84.
    """

    id: Id
    level: int = Field(ge=1, le=9)
    names: Names
    area: Area

    @property
    def label(self) -> str:
        """Its name in both languages, since a view is read in either."""
        return self.names.en if self.names.en == self.names.fr else f"{self.names.en} / {self.names.fr}"


class _File(Declared):
    region: Annotated[tuple[Region, ...], Field(min_length=1)]


class Regions:
    """
    The regions of a bus, by level.
    """

    def __init__(self, regions: Iterable[Region] = ()) -> None:
        self._levels: dict[int, list[Region]] = {}
        for region in regions:
            self._levels.setdefault(region.level, []).append(region)

    @property
    def levels(self) -> frozenset[int]:
        """The levels that are declared."""
        return frozenset(self._levels)

    def at(self, level: int, latitude: float, longitude: float) -> Region | None:
        """Give the region of a level that holds a position (degrees WGS 84), or None where none of them does."""
        if not (math.isfinite(latitude) and math.isfinite(longitude)):
            return None
        return next((one for one in self._levels.get(level, ()) if one.area.holds(latitude, longitude)), None)


def read_regions(folder: Path, faults: list[Fault], *, root: Path | None = None) -> Regions:
    """
    Read ``regions.toml`` of a folder, where it has one; what is wrong is added to *faults*.
    """
    path = folder / FILE
    if not path.is_file():
        return Regions()
    file = read(path, _File, faults, root=root)
    found: dict[str, Region] = {}
    for region in file.region if file is not None else ():
        if region.id in found:
            faults.append(Fault(file_name(path, root), f"region[{region.id}].id", "is there twice"))
        found[region.id] = region
    return Regions(found.values())
