"""
What is known of the first unread record of each group: asked for once, remembered while it holds.

Between the offset that a group committed and the end of its partition may lie no record at all: marks of transactions, records of
aborted ones, and what compaction took are offsets too. Only a reader can tell, so one reads from there as the group would.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from boutre.ops.lag.look import Bounds, Next, Place, SeenGroup, SeenTopic


@dataclass(slots=True)
class _Known:
    # From here on, up to the record, or where there is none up to the end that was readable then.
    begin: int
    record: Next | None
    until: int


@dataclass(slots=True)
class Unread:
    """
    What was read so far, of one cluster; for each place the answers are few, since groups that share a topic stand close together.
    """

    _known: dict[tuple[str, Place], list[_Known]] = field(default_factory=dict)

    def find(self, identity: str, place: Place, offset: int, bounds: Bounds) -> tuple[bool, Next | None, int]:
        """
        Say whether the answer for *offset* is known, the answer, and where to read from where it is not.
        """
        begin = offset
        for one in self._known.get((identity, place), ()):
            if one.record is not None:
                if one.begin <= begin <= one.record.offset and one.record.offset >= bounds.begin:
                    return True, one.record, begin
            elif one.begin <= begin <= one.until:
                if one.until >= bounds.stable:
                    return True, None, begin
                begin = one.until  # nothing is before that; what came since is to be read
        return False, None, begin

    def learn(self, identity: str, place: Place, begin: int, record: Next | None, until: int) -> None:
        """
        Note that from *begin* the first record is *record*; with None, that there is none before *until*.
        """
        known = self._known.setdefault((identity, place), [])
        joined = begin
        for one in list(known):
            if one.record is None and one.begin <= begin <= one.until:
                joined = min(joined, one.begin)
                known.remove(one)
        known.append(_Known(joined, record, until))

    def forget(self, wanted: Mapping[tuple[str, Place], Iterable[int]]) -> None:
        """
        Forget what none of the *wanted* offsets needs, so that no more is remembered than there are groups.
        """
        self._known = {
            key: kept
            for key, offsets in wanted.items()
            if (asked := tuple(offsets))
            and (kept := [one for one in self._known.get(key, ()) if any(_of_use(one, offset) for offset in asked)])
        }


def _of_use(one: _Known, offset: int) -> bool:
    return one.begin <= offset <= (one.until if one.record is None else one.record.offset)


def position(committed: int | None, bounds: Bounds) -> int:
    """
    Give where a reader goes on: who committed nothing, and whose records are gone, begins with the first that is there.
    """
    return bounds.begin if committed is None else max(committed, bounds.begin)


def wanted(
    topics: Mapping[str, SeenTopic],
    bounds: Mapping[Place, Bounds],
    reads: Mapping[str, Iterable[str]],
    groups: Mapping[str, SeenGroup],
) -> dict[tuple[str, Place], set[int]]:
    """
    Give the offsets, by topic's identity and place, behind which somebody has something left that may be a record.

    *reads* names the topics of each group.
    """
    found: dict[tuple[str, Place], set[int]] = {}
    for name, names in reads.items():
        committed = groups[name].committed if name in groups else {}
        for topic in names:
            if (seen := topics.get(topic)) is None:
                continue
            for number in range(len(seen.partitions)):
                place = (topic, number)
                if (bound := bounds.get(place)) is None:
                    continue
                at = position(committed.get(place), bound)
                if at < bound.stable:
                    found.setdefault((seen.identity, place), set()).add(at)
    return found
