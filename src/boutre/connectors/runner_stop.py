"""
A request to stop, by SIGTERM, SIGINT or another part of the process.

Between two items the request is only noted, and the runner ends in good order. While a source waits, on a socket or between two
attempts, it is interrupted: an item that it has not given yet is read again at the next start.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

STOP_S: Final = 3.0
"""Seconds that the broker may take at the end, where a stop was asked: what is open then is sent again by the next run."""


class Interrupted(BaseException):
    """
    A source that waited was asked to stop. It is no error, and no ``except Exception`` of a source swallows it.
    """


class Stop:
    """
    Whether a runner was asked to stop.
    """

    def __init__(self) -> None:
        self.asked = False
        self._waiting = False

    def ask(self) -> None:
        """Ask the runner to stop at its next turn."""
        self.asked = True

    def patience(self, seconds: float) -> float:
        """Give for how long the broker is waited for at the end: *seconds*, and less where a stop was asked."""
        return min(seconds, STOP_S) if self.asked else seconds

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Mark what may be interrupted."""
        self._waiting = True
        try:
            if self.asked:
                raise Interrupted
            yield
        finally:
            self._waiting = False

    def sleep(self, seconds: float) -> None:
        """Wait, or stop."""
        with self.waiting():
            time.sleep(seconds)

    @contextmanager
    def on_signals(self) -> Iterator[Stop]:
        """
        Take SIGTERM and SIGINT as requests to stop, as long as this lasts; only the main thread can.
        """
        if threading.current_thread() is not threading.main_thread():
            yield self
            return
        before = {number: signal.signal(number, self._signalled) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield self
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _signalled(self, _number: int, _frame: FrameType | None) -> None:
        self.asked = True
        if self._waiting:
            self._waiting = False
            raise Interrupted
