"""
Judges every group at every look, by this look and those before it.

    evaluator = Evaluator(groups, file)
    report = evaluator.take(look)

Kafka tells where a group stands, not when it said so. What the rules take for a commit is therefore a look at which the group had
moved, or at which a member of it had the partition: somebody was there, and that is how far they were. So a group without members
commits nothing and is STOP, and one whose members do not get on is STALL, whether or not they commit the same offset again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from boutre.ops.lag.arrival import Arrivals
from boutre.ops.lag.declared import LagFile
from boutre.ops.lag.groups import NOBODY, Group
from boutre.ops.lag.look import Bounds, Look, Next, Place, SeenGroup, SeenTopic
from boutre.ops.lag.report import GroupLag, PartitionLag, Report
from boutre.ops.lag.rules import Status, of_group, status_of
from boutre.ops.lag.unread import position
from boutre.ops.lag.window import Pace, Window

ABSENT = SeenGroup({})
"""A group that the cluster does not know: it never was there, or was forgotten."""


@dataclass(slots=True)
class _Track:
    # What is remembered of one group on one partition.
    identity: str
    window: Window
    pace: Pace
    gone_since: int | None = None


@dataclass(slots=True)
class Evaluator:
    """
    Remembers one cluster's last looks; *owner* says whose an undeclared group is.
    """

    groups: Sequence[Group]
    file: LagFile = field(default_factory=LagFile)
    owner: Callable[[str], str] = lambda _name: NOBODY
    _tracks: dict[tuple[str, Place], _Track] = field(default_factory=dict)
    _ends: dict[Place, tuple[str, Pace, Arrivals]] = field(default_factory=dict)

    def take(self, look: Look) -> Report:
        """
        Judge all groups by *look* and what came before it. Looks are taken in the order of their times.
        """
        self._pace(look)
        declared = {group.name for group in self.groups}
        others = [self._other(name, look.groups[name]) for name in sorted(look.groups.keys() - declared)]
        told = tuple(self._group(group, look) for group in self.groups)
        more = tuple(self._group(group, look) for group in others)
        self._forget({group.name for group in (*self.groups, *others)}, look)
        missing = {topic for group in self.groups for topic in group.topics if topic not in look.topics}
        topics = {name: topic for name, topic in look.topics.items() if name not in look.foreign}
        bounds = {place: bound for place, bound in look.bounds.items() if place[0] not in look.foreign}
        return Report(look.at, look.brokers, topics, bounds, tuple(sorted(missing)), told, more)

    def _other(self, name: str, seen: SeenGroup) -> Group:
        return Group(name, "other", self.owner(name), tuple(sorted({topic for topic, _ in seen.committed})))

    def _pace(self, look: Look) -> None:
        for place, bounds in look.bounds.items():
            identity = look.topics[place[0]].identity
            known = self._ends.get(place)
            if known is None or known[0] != identity:
                known = self._ends[place] = (identity, Pace(self.file.window), Arrivals())
            known[1].add(bounds.stable, look.at)
            known[2].add(bounds.stable, look.at)

    def _forget(self, groups: set[str], look: Look) -> None:
        self._tracks = {key: track for key, track in self._tracks.items() if key[0] in groups and key[1][0] in look.topics}
        self._ends = {place: pace for place, pace in self._ends.items() if place[0] in look.topics}

    def _group(self, group: Group, look: Look) -> GroupLag:
        asked = group.name not in look.unseen
        seen = look.groups.get(group.name, ABSENT)
        missing = tuple(topic for topic in group.topics if topic not in look.topics)
        there = [(topic, number) for topic in group.topics if topic not in missing for number in _numbers(look.topics[topic])]
        silent = tuple(place for place in there if place not in look.bounds)
        partitions = tuple(self._partition(group, seen, look, place) for place in there if place in look.bounds) if asked else ()
        full = sum(one.complete >= 1 for one in partitions)
        return GroupLag(
            group,
            asked,
            seen.members,
            seen.state,
            Status.ERR if missing or silent else of_group([one.status for one in partitions]),
            full / len(partitions) if partitions else 0.0,
            partitions,
            missing,
            silent,
        )

    def _partition(self, group: Group, seen: SeenGroup, look: Look, place: Place) -> PartitionLag:
        topic, bounds = look.topics[place[0]], look.bounds[place]
        committed = seen.committed.get(place)
        at = position(committed, bounds)
        lag, first = unread(look, place, at, bounds)
        alive = seen.alive_at(place)
        track = self._track(group, topic, place, committed, at)
        offset = at if committed is None else committed
        track.pace.add(offset, look.at)
        # Where nothing was committed ever, the first that is there is where its members stand.
        if alive or (committed is not None and (not track.window.offsets or committed != track.window.offsets[-1])):
            track.window.add(offset, lag, look.at)
        if alive or lag <= self.file.allowed:
            track.gone_since = None
        elif track.gone_since is None:
            track.gone_since = look.at
        ahead = committed is not None and committed > bounds.end
        _, ends, arrivals = self._ends[place]
        return PartitionLag(
            place,
            committed,
            bounds,
            lag,
            0.0 if lag == 0 else None if first is None else arrivals.waited(first.offset, first.timestamp, look.at),
            self._status(group, track, ends, lag, look.at, ahead=ahead),
            track.window.complete,
            0 if committed is None else max(0, bounds.begin - committed),
            bounds.end - bounds.stable,
            ahead,
            ends.per_second,
            track.pace.per_second,
            catch_up(lag, ends.per_second, track.pace.per_second),
            None
            if lag == 0 or first is None or topic.retention_ms is None
            else (first.timestamp + topic.retention_ms - look.at) / 1000,
            ends.lately,
        )

    def _track(self, group: Group, topic: SeenTopic, place: Place, committed: int | None, at: int) -> _Track:
        key = (group.name, place)
        track = self._tracks.get(key)
        if track is None or track.identity != topic.identity:
            track = self._tracks[key] = _Track(topic.identity, Window(self.file.window), Pace(self.file.window))
        elif committed is None and track.window.offsets and track.window.offsets[-1] > at:
            # Its offsets were deleted or have expired: what went before is no measure of what comes.
            track = self._tracks[key] = _Track(topic.identity, Window(self.file.window), Pace(self.file.window))
        return track

    def _status(self, group: Group, track: _Track, ends: Pace, lag: int, now: int, *, ahead: bool) -> Status:
        if ahead:
            return Status.REWIND  # the log went back under it; it will be sent to where its reader is told to begin
        if track.gone_since is not None and now - track.gone_since >= 1000 * max(self.file.gone_s, group.rests_s):
            return Status.STOP
        if track.window.complete < self.file.least_complete:
            return Status.OK
        found = status_of(track.window, ends.recent, lag, now, self.file.allowed)
        return Status.OK if found is Status.STOP and group.rests_s and track.gone_since is not None else found


def _numbers(topic: SeenTopic) -> range:
    return range(len(topic.partitions))


def unread(look: Look, place: Place, at: int, bounds: Bounds) -> tuple[int, Next | None]:
    """
    Give how many offsets are unread from *at* on, and the first unread record, where it is known.
    """
    if at >= bounds.stable:
        return 0, None
    if (place, at) not in look.nexts:
        return bounds.stable - at, None
    first = look.nexts[place, at]
    return (0, None) if first is None else (max(0, bounds.stable - first.offset), first)


def catch_up(lag: int, produced: float | None, consumed: float | None) -> float | None:
    """
    Give the seconds until *lag* is nought at this pace; None where it does not shrink.
    """
    if lag == 0:
        return 0.0
    if produced is None or consumed is None or consumed <= produced:
        return None
    return lag / (consumed - produced)
