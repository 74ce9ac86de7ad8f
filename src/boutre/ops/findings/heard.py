"""
What was last heard from a source, and when: a value that stays when its source does not answer, with its age.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

GRACE_S = 15.0
"""Seconds beyond its own rhythm after which a source that says nothing is silent."""


@dataclass(frozen=True, slots=True)
class Heard(Generic[T]):
    """
    A source named *name*, which is asked every *every_s* seconds.

    *value* is what it last answered, at *answered* (UTC, seconds since 1970; None: never). *asked* is when it was last asked, or is
    being asked now where *asking*. *failed* says that the last question came to nothing, and *why*, in its own words. *took_s* is
    how long the last answer took. *began*: since when it is asked at all.
    """

    name: str
    every_s: float
    began: float
    value: T | None = None
    answered: float | None = None
    asked: float | None = None
    asking: bool = False
    failed: bool = False
    why: str = ""
    took_s: float = 0.0

    def since(self, now: float) -> float:
        """Give for how many seconds nothing was heard."""
        return max(0.0, now - (self.began if self.answered is None else self.answered))

    def silent(self, now: float) -> bool:
        """
        Whether what it last said is no longer to be taken for how it stands: it failed, or said nothing for longer than it should.
        """
        return self.failed or self.since(now) > self.every_s + GRACE_S

    def waits(self, now: float) -> float:
        """Give for how many seconds the question that is being asked now has had no answer."""
        return max(0.0, now - self.asked) if self.asking and self.asked is not None else 0.0
