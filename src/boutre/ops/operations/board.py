"""
Holds what was last heard from each source, told by the threads that ask them and read by whoever shows it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Generic, TypeVar

import structlog

from boutre.errors import BusError
from boutre.ops.findings.heard import Heard

log = structlog.get_logger()

T = TypeVar("T")


class Asked(Generic[T]):
    """
    A source that is asked again and again by a thread of its own, so that none waits for another.

    *ask* may fail in any way: what it says stays, with its age and why. Nothing that goes wrong there may end the page.
    """

    def __init__(self, name: str, every_s: float, ask: Callable[[], T], now: Callable[[], float] = time.time) -> None:
        self._ask, self._now = ask, now
        self._heard: Heard[T] = Heard(name, every_s, now())

    @property
    def heard(self) -> Heard[T]:
        """What was last heard."""
        return self._heard

    def once(self) -> None:
        """Ask once."""
        begun = time.monotonic()
        self._heard = replace(self._heard, asked=self._now(), asking=True)
        try:
            value = self._ask()
        except Exception as error:  # noqa: BLE001 - whatever it is, the page says so and goes on
            if not self._heard.failed:
                log.warning("operations.source-fails", source=self._heard.name, error=type(error).__name__)
            # Only the bus's own errors are sentences without values.
            why = str(error) if isinstance(error, BusError) else type(error).__name__
            self._heard = replace(self._heard, asking=False, failed=True, why=why)
        else:
            took = time.monotonic() - begun
            self._heard = replace(
                self._heard, value=value, answered=self._now(), asking=False, failed=False, why="", took_s=took
            )  # fmt: skip

    def go_on(self, stopped: threading.Event) -> None:
        """Ask every so often until *stopped*."""
        while not stopped.is_set():
            begun = time.monotonic()
            self.once()
            stopped.wait(max(0.5, self._heard.every_s - (time.monotonic() - begun)))

    def start(self, stopped: threading.Event) -> None:
        """Begin to ask; a daemon, since an answer may never come."""
        threading.Thread(target=self.go_on, args=(stopped,), name=f"asks for {self._heard.name}", daemon=True).start()
