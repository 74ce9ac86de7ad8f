"""
The last report, and whether it is still true: what stays when the cluster does not answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock

from boutre.ops.lag.report import Report


@dataclass(frozen=True, slots=True)
class Standing:
    """
    What is known now: the last report, whether the last look came off, when one last did (s since 1970), and how long it took.
    """

    report: Report | None = None
    up: bool = False
    succeeded: float = 0.0
    took_s: float = 0.0


@dataclass(slots=True)
class Board:
    """
    Holds the standing for those who ask while somebody else looks. *now* gives seconds since 1970.
    """

    now: Callable[[], float]
    _standing: Standing = field(default_factory=Standing)
    _lock: Lock = field(default_factory=Lock)

    @property
    def standing(self) -> Standing:
        """What is known now."""
        with self._lock:
            return self._standing

    def put(self, report: Report, took_s: float) -> None:
        """Put up a new report."""
        with self._lock:
            self._standing = Standing(report, up=True, succeeded=self.now(), took_s=took_s)

    def failed(self) -> None:
        """Say that a look failed: the last report stays, and is no longer true."""
        with self._lock:
            last = self._standing
            self._standing = Standing(last.report, up=False, succeeded=last.succeeded, took_s=last.took_s)
