"""
Which waters a position lies in: every zone that holds it, contested ones with every claimant, and no winner picked.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import shapely
from pydantic import Field, ValidationError
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from boutre.errors import Fault
from boutre.topics.members import Id, State
from boutre.topics.strict import Declared, file_name


class Claim(Declared):
    """
    That a State says a zone is its own, and how: as a matter of fact, or against the one who governs it.
    """

    state: State
    kind: Literal["jurisdiction", "administration", "sovereignty"]
    since: date | None = None
    until: date | None = None


class _Properties(Declared):
    id: Id
    name: str = Field(min_length=1)
    claims: tuple[Claim, ...]
    mrgid: int | None = None
    note: str = ""
    demonstration: bool = False


class _Feature(Declared):
    type: Literal["Feature"]
    properties: _Properties
    geometry: dict[str, Any]


class _Collection(Declared):
    type: Literal["FeatureCollection"]
    features: Annotated[tuple[_Feature, ...], Field(min_length=1)]


@dataclass(frozen=True, slots=True, eq=False)
class Zone:
    """
    An area of the sea with those who claim it; *geometry* in degrees WGS 84 as longitude, latitude.
    """

    id: str
    name: str
    claims: tuple[Claim, ...]
    geometry: BaseGeometry
    note: str = ""
    demonstration: bool = False

    @property
    def contested(self) -> bool:
        """
        Whether more than one State claims it.
        """
        return len({claim.state for claim in self.claims}) > 1


class Zones(Mapping[str, Zone]):
    """
    All zones of a bus by their ids, and `at`.
    """

    def __init__(self, zones: Iterable[Zone]) -> None:
        self._zones = {zone.id: zone for zone in zones}
        self._ids = tuple(self._zones)
        self._tree = shapely.STRtree([zone.geometry for zone in self._zones.values()])

    def __getitem__(self, name: str) -> Zone:
        return self._zones[name]

    def __iter__(self) -> Any:
        return iter(self._zones)

    def __len__(self) -> int:
        return len(self._zones)

    def at(self, latitude: float, longitude: float) -> tuple[str, ...]:
        """
        The ids of all zones that hold a position (degrees WGS 84), sorted; none on the high seas.

        A position on a line lies in every zone that touches the line. Lines are straight in longitude and latitude, as
        the zones are coarse; a position that is no number lies nowhere.
        """
        if not (math.isfinite(latitude) and math.isfinite(longitude)):
            return ()
        found = self._tree.query(shapely.Point(longitude, latitude), predicate="intersects")
        return tuple(sorted(self._ids[index] for index in found))


_AREAS: Final = frozenset({"Polygon", "MultiPolygon"})


def read_zones(folder: Path, faults: list[Fault], *, root: Path | None = None) -> Zones:
    """
    Read every `*.geojson` of a folder; what is wrong is added to *faults*, and the zones that can be used come back.
    """
    found: dict[str, Zone] = {}
    for path in sorted(folder.glob("*.geojson")):
        file = file_name(path, root)
        for place, feature in enumerate(_features(path, file, faults), 1):
            key = f"features[{feature.properties.id}]"
            if feature.properties.id in found:
                faults.append(Fault(file, f"features[{place}].properties.id", f"{feature.properties.id} is there twice"))
            elif (geometry := _geometry(feature, file, key, faults)) is not None:
                told = feature.properties
                found[told.id] = Zone(told.id, told.name, told.claims, geometry, told.note, told.demonstration)
    return Zones(found.values())


def _features(path: Path, file: str, faults: list[Fault]) -> tuple[_Feature, ...]:
    try:
        # RFC 7946 allows further members on top (bbox, crs of old files): they say nothing about a zone.
        loaded = json.loads(path.read_text(encoding="utf-8"))
        top = {key: loaded[key] for key in ("type", "features") if key in loaded} if isinstance(loaded, dict) else loaded
        return _Collection.model_validate_json(json.dumps(top), strict=True).features
    except (OSError, UnicodeDecodeError) as error:
        faults.append(Fault(file, "", f"cannot be read ({type(error).__name__}); it must be UTF-8"))
    except json.JSONDecodeError as error:
        faults.append(Fault(file, f"line {error.lineno}", f"is not JSON: {error.msg}"))
    except ValidationError as error:
        faults.extend(
            Fault(file, ".".join(str(part) for part in detail["loc"]), detail["msg"]) for detail in error.errors(include_url=False)
        )
    return ()


def _geometry(feature: _Feature, file: str, key: str, faults: list[Fault]) -> BaseGeometry | None:
    if feature.geometry.get("type") not in _AREAS:
        faults.append(Fault(file, f"{key}.geometry", "must be a Polygon or a MultiPolygon"))
        return None
    try:
        geometry = shape(feature.geometry)
    except Exception:  # noqa: BLE001 - shapely raises whatever numpy and GEOS do on rings of the wrong shape
        faults.append(Fault(file, f"{key}.geometry", "its coordinates make no polygon"))
        return None
    if geometry.is_empty or not geometry.is_valid:
        why = shapely.is_valid_reason(geometry) if not geometry.is_empty else "it has no corners"
        faults.append(Fault(file, f"{key}.geometry", f"is no valid area: {why}"))
        return None
    west, south, east, north = geometry.bounds
    if west < -180 or east > 180 or south < -90 or north > 90:  # noqa: PLR2004 - the ends of the Earth
        faults.append(Fault(file, f"{key}.geometry", "lies off the Earth; positions are longitude, latitude"))
        return None
    return geometry
