"""
Who is to be looked at when, by the times that reports say: what the file tool does by going round all tracks, where nobody can.

A step asks for keys that it can name. So whoever waits for time to pass is noted for the end of a slot (of half an hour), in one of
a few buckets; when reports have gone on past that end, the buckets are emptied, a few at each record. Time is what two sources
say, where there are two, less the lateness that is allowed for; never a clock.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final, NamedTuple
from zlib import crc32

from msgspec import Struct
from msgspec.structs import replace

from boutre.processors.movement.kept import Kept

SHARDS: Final = 64
"""Buckets of one slot: a name more is written into a list of a sixty-fourth."""

MOST: Final = 40
"""Subjects that are looked at with one record, so that whatever waits behind it is not kept waiting."""

STALE_S: Final = 6 * 3600.0
"""Seconds behind the other after which a source is one that has fallen silent, and not the one whose clock is right."""

HERE: Final = "clock:here"


class Clock(Struct, frozen=True):
    """
    How far the two *sources* that are furthest have gone, in seconds since 1970.

    *slots* are those for whose end somebody is noted, in order, *shard* the next bucket of the first of them.
    """

    sources: tuple[tuple[str, float], ...] = ()
    slots: tuple[int, ...] = ()
    shard: int = 0

    @property
    def now(self) -> float:
        """
        How far reports have gone: one receiver whose clock is an hour ahead makes nobody silent.

        But one that is heard no more does not stop time.
        """
        times = sorted(at for _, at in self.sources)
        return -math.inf if not times else times[0] if times[-1] - times[0] <= STALE_S else times[-1]


class Due(NamedTuple):
    """
    Somebody whose slot is over: *slot* is its number, *until* its end (seconds since 1970).
    """

    name: str
    slot: int
    until: float


class Wheel:
    """
    The wheel of one partition, for the record in hand.

    One that has no time of its own goes by another's: *by*, which alone is told of reports.
    """

    def __init__(self, kept: Kept, slot_s: float, late_s: float, by: Wheel | None = None) -> None:
        self._kept = kept
        self._by = by
        self._slot_s = slot_s
        self._late_s = late_s
        self._clock = kept.get(HERE, Clock) or Clock()

    @property
    def now(self) -> float:
        """How far reports have gone, in seconds since 1970; before any, minus infinity."""
        return self._clock.now if self._by is None else self._by.now

    def tick(self, source: str, at: float) -> None:
        """Take note that *source* has told something of *at*."""
        newest = dict(self._clock.sources)
        if at <= newest.get(source, -math.inf):
            return
        newest[source] = at
        two = sorted(newest.items(), key=lambda one: (one[1], one[0]))[-2:]
        self._set(replace(self._clock, sources=tuple(two)))

    def note(self, name: str, at: float, due: int | None) -> int:
        """
        Let *name* be looked at once all reports before *at* have come; gives the slot for whose end it is noted.

        Where it is noted already, for slot *due*, it stays there unless this is earlier. The later one is then met in vain: who is
        looked at compares its slot.
        """
        if due is not None and due <= math.ceil(at / self._slot_s):
            return due
        clock = self._clock
        slot = math.ceil(at / self._slot_s)
        if clock.shard and slot <= clock.slots[0]:
            slot = clock.slots[0] + 1  # that one is being emptied
        if slot not in clock.slots:
            self._set(replace(clock, slots=tuple(sorted((*clock.slots, slot)))))
        key = _bucket(slot, crc32(name.encode()) % SHARDS)
        self._kept.put(key, [*(self._kept.get(key, list[str]) or ()), name])
        return slot

    def due(self) -> Iterator[Due]:
        """Give who is to be looked at now, a few; whoever is noted meanwhile comes later."""
        told = 0
        while told < MOST and (clock := self._clock).slots:
            slot = clock.slots[0]
            until = slot * self._slot_s
            if until > self.now - self._late_s:
                return
            key = _bucket(slot, clock.shard)
            names = self._kept.get(key, list[str]) or []
            now, later = names[: MOST - told], names[MOST - told :]
            # Before anybody is looked at: who is noted again must not be noted here.
            if names:
                self._kept.put(key, later or None)
            shard = clock.shard if later else clock.shard + 1
            over = shard == SHARDS
            self._set(replace(clock, slots=clock.slots[1:] if over else clock.slots, shard=0 if over else shard))
            told += len(now)
            for name in now:
                yield Due(name, slot, until)

    def _set(self, clock: Clock) -> None:
        self._clock = clock
        self._kept.put(HERE, clock)


def _bucket(slot: int, shard: int) -> str:
    return f"due:{slot}:{shard}"
