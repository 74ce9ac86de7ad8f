"""
What each craft has last said of itself: names and numbers with since when and until when, bounded in number.

AIS sends who a craft is (messages 5, 19 and 24) and where it is apart from one another; a sighting needs both. The newest statement
about each attribute stands; an older value is forgotten when another takes its place, since it stands in the records of its time.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Final

from boutre.connectors.sources.ais_decode import Statics
from boutre.connectors.sources.ais_identity import imo, words

CRAFT: Final = 100_000
"""
How many craft are remembered; the one not heard for longest goes first. About the number that are at sea with AIS at one time.
"""

_CLAIMS: Final = (("name", "name"), ("call_sign", "call-sign"), ("imo", "imo"))


@dataclass(slots=True)
class Heard:
    """
    A value, and when it was first and last heard without another in between (UTC).
    """

    value: Any
    first: datetime
    last: datetime


@dataclass(slots=True)
class Craft:
    """
    What is known of one craft: by field of ``Statics``, cleaned of what stands for nothing.
    """

    heard: dict[str, Heard] = field(default_factory=dict)

    def get(self, name: str) -> Any:
        """
        The last value of a field; None where it was never heard.
        """
        found = self.heard.get(name)
        return None if found is None else found.value

    def claims(self) -> Iterator[tuple[str, Heard]]:
        """
        The identities among them, each with the code of its attribute.
        """
        for name, attribute in _CLAIMS:
            if name in self.heard:
                yield attribute, self.heard[name]


NOTHING: Final = Craft()


class Known:
    """
    All craft heard so far, by MMSI.
    """

    def __init__(self, limit: int = CRAFT) -> None:
        self._limit = limit
        self._craft: OrderedDict[int, Craft] = OrderedDict()

    def __len__(self) -> int:
        return len(self._craft)

    def learn(self, mmsi: int, statics: Statics, at: datetime) -> None:
        """
        Take what *mmsi* said of itself at *at*; what it left open stays as it was.
        """
        craft = self._craft.setdefault(mmsi, Craft())
        self._craft.move_to_end(mmsi)
        for part in fields(Statics):
            value = _clean(part.name, getattr(statics, part.name))
            if value is None:
                continue
            before = craft.heard.get(part.name)
            if before is None or before.value != value:
                craft.heard[part.name] = Heard(value, at, at)
            else:
                before.first, before.last = min(before.first, at), max(before.last, at)
        if len(self._craft) > self._limit:
            self._craft.popitem(last=False)

    def about(self, mmsi: int) -> Craft:
        """
        What is known of *mmsi*; nothing, where it never said anything.
        """
        return self._craft.get(mmsi, NOTHING)


def _clean(name: str, value: Any) -> Any:
    match name:
        case "name" | "call_sign" | "destination":
            return words(value)
        case "imo":
            return imo(value)
        case _:
            return value
