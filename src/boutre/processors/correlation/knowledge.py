"""
What is known in one cell, and the links that follow: the same reports give the same links, in whatever order they come.

Reports are remembered by the day of the event and the tile of the sea in which they lie: what is looked at, and what is written
for each, grows with the reports of a few days in some waters, neither with history nor with what somebody floods elsewhere.
When one comes, is corrected or is taken back, everything that hangs together with it is weighed anew, and what has changed is
told: a link is made, its probability changes, or it is withdrawn. Nothing is merged, so nothing has to be taken apart.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from boutre.processors.correlation.cells import among, home
from boutre.processors.correlation.weighing import Weighing
from boutre.processors.decision import State
from boutre.processors.matching.distances import DAY_S
from boutre.processors.matching.found import Found
from boutre.processors.matching.matcher import RIVALS
from boutre.processors.matching.sighted import Sighted

REMEMBERS: Final = frozenset({"day", "tile", "place", "told"})
"""The classes of keys: the tiles of a day, the reports of a tile, each report with its day, and what was told of its links."""

TILE_DEG: Final = 1.0
"""The side of a tile, in degrees: a block reaches over some of them, and one holds few of a day's reports."""

MOST_TOGETHER: Final = 48
"""Reports that are weighed together at most: the nearest in time to what came. The rest waits for its own news."""

STEPS: Final = 20
"""In how many steps a probability is told: reports that come one after another would change each hundredth of it."""

SUREST: Final = 0.99
"""No machine tells more than this, nor less than what is left of one."""


class Change(Struct, frozen=True):
    """
    What is to be told: a link as it stands now, for the *first* time or changed, or, *withdrawn*, that it no longer does.
    """

    link: Found
    withdrawn: bool = False
    first: bool = True


@dataclass(slots=True)
class Knowledge:
    """
    What is known in one *cell* for one recipient, on top of what is remembered. *changes* is what is to be remembered from now on.

    *scope* goes before every key: the recipient, and whether it is an exercise.
    """

    state: State
    scope: str
    cell: str
    side_deg: float
    weighing: Weighing
    changes: dict[str, Any] = field(default_factory=dict)

    def learn(self, one: Sighted) -> list[Change]:
        """Take a report, or its correction, and give what changes."""
        if not self.weighing.speaks_of(one):
            return self.forget(one.id)
        before = self._known(one.id)
        if before == one:
            return []
        around = {one.id: one} | ({} if before is None else self._together(before))
        self._remove(one.id)
        self._add(one)
        return self._weigh({**around, **self._together(one)}, one.id)

    def forget(self, name: str) -> list[Change]:
        """Take a report back, and give what changes: its own links are withdrawn, and its rivals gain."""
        before = self._known(name)
        if before is None:
            return []
        around = self._together(before)
        self._remove(name)
        around.pop(name, None)
        return self._weigh(around, name)

    def _weigh(self, around: Mapping[str, Sighted], name: str) -> list[Change]:
        """Weigh everything in *around* anew, and compare it with what was told of its links."""
        only = None if self.weighing.rivals else name
        now = {self._pair(one): _told(one) for one in self.weighing.links(around.values(), only)}
        told: dict[tuple[str, str], Found] = {}
        for each in (name,) if only else (*around, name):
            told.update((self._pair(one), one) for one in self.told(each))
        changes = []
        for pair in sorted(now.keys() | told.keys()):
            link, earlier = now.get(pair), told.get(pair)
            if not self._owns(pair, around, name):
                continue
            if link is None:
                if earlier is not None:
                    changes.append(Change(earlier, withdrawn=True, first=False))
                    self._tell(earlier, withdrawn=True)
            elif link != earlier:
                changes.append(Change(link, first=earlier is None))
                self._tell(link)
        return changes

    def _owns(self, pair: tuple[str, str], around: Mapping[str, Sighted], name: str) -> bool:
        """Say whether this cell speaks of a pair: the home of its lesser name does. What was told here is taken back here."""
        first = around.get(pair[0])
        if first is None:
            return name in pair
        return home(first, self.side_deg) == self.cell or any(self._pair(one) == pair for one in self.told(pair[0]))

    def _together(self, one: Sighted) -> dict[str, Sighted]:
        """
        Give the reports that hang together with *one*, candidate by candidate, the nearest first until there are enough.

        Where a model knows no rivals, a link hangs on its two reports alone.
        """
        found = {one.id: one}
        if not self.weighing.rivals:
            return {**found, **{each.id: each for each in self._near(one)}}
        waiting = [one]
        while waiting and len(found) < MOST_TOGETHER:
            near = sorted(
                (each for each in self._near(waiting.pop(0)) if each.id not in found),
                key=lambda each: (abs((each.at or 0.0) - (one.at or 0.0)), each.id),
            )
            for each in near[: MOST_TOGETHER - len(found)]:
                found[each.id] = each
                waiting.append(each)
        return found

    def _near(self, one: Sighted) -> Iterator[Sighted]:
        at, hours = one.at or 0.0, self.weighing.block.hours * 3600
        # An instant that is known by the month lies under its middle: days are looked at as far as either may reach.
        reach = hours + one.within_s + DAY_S
        for day in range(math.floor((at - reach) / DAY_S), math.floor((at + reach) / DAY_S) + 1):
            tiles = self._get(f"day:{self.scope}:{self.cell}:{day}") or ()
            for tile in among(one, TILE_DEG, self.weighing.block.kilometres, tiles):
                for name, when, within_s in self._get(f"tile:{self.scope}:{self.cell}:{day}:{tile}") or ():
                    if name == one.id or abs(when - at) > hours + one.within_s + within_s:
                        continue
                    other = self._known(name)
                    if other is not None and self.weighing.candidates(one, other):
                        yield other

    def _known(self, name: str) -> Sighted | None:
        found = self._get(f"place:{self.scope}:{self.cell}:{name}")
        return None if found is None else msgspec.convert(found, Sighted)

    def _add(self, one: Sighted) -> None:
        at, tile = one.at or 0.0, str(home(one, TILE_DEG))
        day = math.floor(at / DAY_S)
        of_day, of_tile = f"day:{self.scope}:{self.cell}:{day}", f"tile:{self.scope}:{self.cell}:{day}:{tile}"
        self._put(of_day, sorted({*(self._get(of_day) or ()), tile}))
        kept = [each for each in self._get(of_tile) or () if each[0] != one.id]
        self._put(of_tile, sorted([*kept, [one.id, at, one.within_s]]))
        self._put(f"place:{self.scope}:{self.cell}:{one.id}", msgspec.to_builtins(one))

    def _remove(self, name: str) -> None:
        one = self._known(name)
        if one is None:
            return
        day, tile = math.floor((one.at or 0.0) / DAY_S), str(home(one, TILE_DEG))
        of_day, of_tile = f"day:{self.scope}:{self.cell}:{day}", f"tile:{self.scope}:{self.cell}:{day}:{tile}"
        kept = [each for each in self._get(of_tile) or () if each[0] != name]
        self._put(of_tile, kept or None)
        if not kept:
            self._put(of_day, [each for each in self._get(of_day) or () if each != tile] or None)
        self._put(f"place:{self.scope}:{self.cell}:{name}", None)

    def told(self, name: str) -> tuple[Found, ...]:
        """Give the links of a record of which this cell speaks, as they were told last."""
        return tuple(msgspec.convert(each, Found) for each in self._get(f"told:{self.scope}:{self.cell}:{name}") or ())

    def _tell(self, link: Found, *, withdrawn: bool = False) -> None:
        """Remember what was told, under both reports: whichever is taken back finds it."""
        for name in (link.a, link.b):
            kept = [one for one in self.told(name) if self._pair(one) != self._pair(link)]
            told = kept if withdrawn else [*kept, link]
            self._put(f"told:{self.scope}:{self.cell}:{name}", _plain(sorted(told, key=self._pair)) or None)

    @staticmethod
    def _pair(link: Found) -> tuple[str, str]:
        return link.a, link.b

    def _get(self, key: str) -> Any:
        return self.changes[key] if key in self.changes else self.state.get(key)

    def _put(self, key: str, value: Any) -> None:
        self.changes[key] = value


def _told(link: Found) -> Found:
    """
    Give a link as it is told: to a twentieth, and rivals to the second bit.

    No calibration is finer, what changes by less is no news, and the order in which reports came cannot be read from what is left.
    """
    evidence = tuple(replace(one, bits=2.0 * round(one.bits / 2)) if one.comparison == RIVALS else one for one in link.evidence)
    told = round(link.probability * STEPS) / STEPS
    return replace(
        link,
        probability=min(SUREST, max(1 - SUREST, told)),
        evidence=tuple(one for one in evidence if one.bits or one.comparison != RIVALS),
    )


def _plain(values: Iterable[Any]) -> Any:
    return msgspec.to_builtins(list(values))
