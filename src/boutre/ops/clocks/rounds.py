"""
The rounds of a probe: what was sent and has not arrived, and what became of the rest. Knows no clock and no broker.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

Outcome = Literal["arrived", "late", "lost", "withheld", "unsent"]
"""In time; after it was given up; not there in time; the bus says that it is not given; the broker did not take it."""

OUTCOMES: Final[tuple[Outcome, ...]] = ("arrived", "late", "lost", "withheld", "unsent")

GIVEN_UP: Final = 1_000
"""Rounds that were given up and are still known when they come after all."""


@dataclass(frozen=True, slots=True)
class Ended:
    """
    What became of a round: how many seconds it took, and None where it did not come.
    """

    round: str
    outcome: Outcome
    seconds: float | None = None


@dataclass(slots=True)
class Rounds:
    """
    Rounds by the id of their record; one that is not there after *lost_s* seconds is lost. Times are seconds of any one clock.
    """

    lost_s: float
    _open: dict[str, float] = field(default_factory=dict)
    _given_up: dict[str, float] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self._open)

    def sent(self, name: str, at: float) -> None:
        """Begin a round."""
        self._open[name] = at

    def knows(self, name: str) -> bool:
        """Whether this is a round whose end is of interest, also after it was given up."""
        return name in self._open or name in self._given_up

    def unsent(self, name: str) -> Ended | None:
        """Take that the broker did not take it; None where it was given up before."""
        return None if self._open.pop(name, None) is None else Ended(name, "unsent")

    def told(self, name: str, at: float, *, given: bool) -> Ended | None:
        """Take that the bus has told what its recipient gets of it: a view where *given*. Each round ends once."""
        if (begun := self._open.pop(name, None)) is not None:
            return Ended(name, "arrived" if given else "withheld", at - begun)
        if (begun := self._given_up.pop(name, None)) is not None and given:
            return Ended(name, "late", at - begun)
        return None

    def expire(self, at: float) -> tuple[Ended, ...]:
        """Give up what has not come: at the very moment of its end a round is not lost yet."""
        lost = [name for name, begun in self._open.items() if at - begun > self.lost_s]
        for name in lost:
            self._given_up[name] = self._open.pop(name)
        while len(self._given_up) > GIVEN_UP:
            del self._given_up[next(iter(self._given_up))]
        return tuple(Ended(name, "lost") for name in lost)
