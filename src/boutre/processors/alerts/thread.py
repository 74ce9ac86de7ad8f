"""
A thread: all that one recipient is told of one event under one rule, and what its people have said of it.
"""

from __future__ import annotations

import hashlib
from typing import Final

from msgspec import Struct

from boutre.processors.alerts.situation import Situation
from boutre.schemas.identity import named

WAITING: Final = "waiting"
OPEN: Final = "open"
ACKNOWLEDGED: Final = "acknowledged"
CLOSED: Final = "closed"
DISMISSED: Final = "dismissed"
EXPIRED: Final = "expired"
CANCELLED: Final = "cancelled"
"""
Where a thread stands. Waiting: its recipient is told later, if it still holds then. Closed and dismissed: a person said so.
"""

LIVE: Final = frozenset({OPEN, ACKNOWLEDGED})

NOT_ASKED: Final = "not-asked"
PROPOSED: Final = "proposed"
VALIDATED: Final = "validated"
"""Whether a person was asked to validate it, and has."""

EVENT: Final = "event"
CRAFT: Final = "craft"
ZONE_DAY: Final = "zone-day"
LATE: Final = "late"
"""What shares a thread: one event; a craft; a zone and day; what came late, by rule."""

MOST: Final = 200
"""Occurrences that a thread of many tells apart. Beyond it says "at least", so that a burst cannot make it grow."""

REFERENCES: Final = 32
"""Earlier messages that one names at most: the first, and the last ones."""

DAY_S: Final = 86_400.0


class Told(Struct, frozen=True, kw_only=True):
    """
    What its recipient was told last, as far as changes are measured by it.
    """

    severity: str
    urgency: str
    urgent: float
    certainty: str
    lives_at_risk: bool
    persons: float | None
    roots: int
    outcomes: tuple[str, ...]
    latitude: float | None
    longitude: float | None
    observed: float | None
    count: int


class Thread(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """
    One thread. Instants are seconds since 1970 UTC, numbers of severity, urgency and certainty are from 0 to 1.

    *key* says within its *group* what it is about, *round* how often there was one about it before. *occurrences* are the records
    of each event in it (one, where the group is an event), *gone* those that were taken back. *serial* counts its messages.
    *seen* is the time of the last input about the world, *now* of any. *opened* is when the deadline's clock began and *due* when
    it ends, *answered* when a person first dealt with it, *asked* from when escalation counts, *level* how many steps of it were
    taken. *judged* is when a person spoke last, and *words* what was said at that instant.
    """

    id: str
    rule: str
    recipient: str
    exercise: bool
    group: str
    key: str
    round: int
    state: str
    validation: str
    occurrences: tuple[tuple[str, ...], ...]
    situation: Situation
    severity: float
    urgency: float
    certainty: float
    opened: float
    due: float
    asked: float
    seen: float
    now: float
    gone: tuple[str, ...] = ()
    told: Told | None = None
    serial: int = 0
    last: float = 0.0
    expires: float | None = None
    ended: float | None = None
    answered: float | None = None
    judged: float | None = None
    words: tuple[str, ...] = ()
    level: int = 0
    silenced_until: float | None = None
    silenced: bool = False

    @property
    def live(self) -> bool:
        """Whether it was told and goes on."""
        return self.state in LIVE

    @property
    def quiet(self) -> bool:
        """Whether a person has silenced it, for a time or for the rest of the occurrence."""
        return self.silenced or self.silenced_until is not None

    @property
    def many(self) -> bool:
        """Whether it is about more than one event."""
        return self.group != EVENT

    @property
    def late(self) -> bool:
        """Whether it is the digest of what came late."""
        return self.group == LATE

    @property
    def slot(self) -> str:
        """Under which name it is kept: the same for every round, so that a new one takes the place of the one before."""
        return slot_of(self.recipient, self.rule, self.exercise, self.group, self.key)

    @property
    def records(self) -> frozenset[str]:
        """All records that it rests on."""
        return frozenset(record for records in self.occurrences for record in records)

    def continued_by(self, situation: Situation) -> bool:
        """
        Say whether *situation* is, or holds, what this thread is about.

        An event is known by the record that its thread began with, so that what splits off has a thread of its own; where that
        record was taken back, by any that is left.
        """
        records = set(situation.records)
        if self.many or self.key in self.gone:
            return not records.isdisjoint(self.records)
        return self.key in records


def key_of(group: str, situation: Situation, day_begins_s: float) -> str:
    """
    Give what a new thread about *situation* is about, within its group. Days begin *day_begins_s* seconds after midnight, UTC.
    """
    first = min(situation.records)
    match group:
        case "craft":
            return situation.craft or first
        case "zone-day":
            # All zones that hold it, since the bus picks no owner of contested waters.
            day = int(((situation.at if situation.observed is None else situation.observed) - day_begins_s) // DAY_S)
            return f"{'+'.join(sorted(situation.zones))}/{day}"
        case "late":
            return LATE
        case _:
            return first


def slot_of(recipient: str, rule: str, exercise: bool, group: str, key: str) -> str:  # noqa: FBT001 - a part of a name
    """
    Give the name under which threads of one key are kept.
    """
    return _name("thread", recipient, rule, str(exercise), group, key)


def thread_id(slot: str, round_: int) -> str:
    """
    Give the id of a thread: a version of its rule is no part of it, so that a new version alerts nobody again.
    """
    return _name("round", slot, str(round_))


def message_id(thread: str, serial: int) -> str:
    """
    Give the id of a thread's message; the first has the serial 1.
    """
    return _name("message", thread, str(serial))


def references(thread: Thread) -> tuple[str, ...]:
    """
    Give the ids of the messages that the next one takes the place of: the first, and the last before it.
    """
    serials = range(1, thread.serial + 1)
    chosen = serials if len(serials) <= REFERENCES else (1, *serials[1 - REFERENCES :])
    return tuple(message_id(thread.id, serial) for serial in chosen)


def _name(*parts: str) -> str:
    joined = b"".join(len(part.encode()).to_bytes(4, "big") + part.encode() for part in parts)
    return named(hashlib.sha256(b"boutre alert\0" + joined).digest())
