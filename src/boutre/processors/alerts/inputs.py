"""
What a thread is told: how things stand, what was taken back, what people say, and that time has passed.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from msgspec import Struct

from boutre.processors.alerts.situation import EARLIEST, LATEST, Situation

Word = Literal["acknowledged", "validated", "dismissed", "silenced", "closed"]


class Seen(Struct, frozen=True, tag=True):
    """
    How things stand at *at*, the time on the bus of whatever changed them: a record, a link, a judgement, a withdrawal.
    """

    at: float
    situation: Situation


class Retracted(Struct, frozen=True, tag=True):
    """
    These records were taken back. Where others of the event are left, how it stands without them comes as ``Seen``.
    """

    at: float
    records: tuple[str, ...]


class Said(Struct, frozen=True, tag=True):
    """
    What a person says of a thread. *silenced* goes until *until*, or where that is None for the rest of the occurrence.
    """

    at: float
    thread: str
    word: Word
    until: float | None = None


class Tick(Struct, frozen=True, tag=True):
    """
    Nothing has happened until now.
    """

    at: float


class Joined(Struct, frozen=True, tag=True):
    """
    What the thread was about turned out to be what an earlier thread is about.
    """

    at: float


Input: TypeAlias = Seen | Retracted | Said | Tick | Joined


def bounded(given: Input) -> Input | None:
    """
    Give an input of which every number can be; None where it comes at no time at all.
    """
    if not EARLIEST <= given.at <= LATEST:
        return None
    if not isinstance(given, Seen):
        return given
    if not EARLIEST <= given.situation.at <= LATEST:
        return None
    return Seen(given.at, given.situation.bounded)
