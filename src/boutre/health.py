"""
What a process knows of its own health, for ``/readyz`` and ``/healthz`` beside ``/metrics``.

That a process runs says little: it may wait for a broker that is gone, for partitions that others have, for a database that takes
nothing. So it is ready when all that it waits for is there and the broker answered lately, and healthy as long as work that was
begun comes to an end, its loop turns, and the broker answers. Nothing to do is no fault: an idle process is healthy.

Times are seconds of one monotonic clock; ``Limits`` are declared in the settings (``BOUTRE_HEALTH__*``).
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

READY: Final = "/readyz"
HEALTHY: Final = "/healthz"

Start = Callable[..., Any]
Application = Callable[[dict[str, Any], Start], Iterable[bytes]]


@dataclass(frozen=True, slots=True)
class Limits:
    """
    Ages in seconds beyond which something is no longer as it should be.

    *broker_s*: since the broker answered, to be ready. *work_s*: since the broker answered, and since work that waits came to an
    end, to be healthy. *loop_s*: since the loop turned. *start_s*: since something is missing without which the process is not
    ready.
    """

    broker_s: float = 30.0
    work_s: float = 120.0
    loop_s: float = 20.0
    start_s: float = 300.0


@dataclass(frozen=True, slots=True)
class Facts:
    """
    What a process knows at *now*: when it began, and when what happened last, None for never.

    *missing* are conditions that do not hold, with the sentence that says why and since when. *turned* are loops and their last
    turn, *waiting* is work that was begun and has not ended, and since when it has got no further.
    """

    now: float
    began: float
    answered: float | None = None
    succeeded: float | None = None
    acknowledged: float | None = None
    missing: Mapping[str, tuple[str, float]] = field(default_factory=dict)
    turned: Mapping[str, float] = field(default_factory=dict)
    waiting: Mapping[str, float] = field(default_factory=dict)


def unready(facts: Facts, limits: Limits) -> list[str]:
    """
    Say why a process is not ready; nothing where it is.
    """
    why = [f"{name}: {said}" for name, (said, _) in sorted(facts.missing.items())]
    if facts.answered is None:
        why.append("the broker has not answered yet")
    elif (age := facts.now - facts.answered) > limits.broker_s:
        why.append(f"the broker has not answered for {age:.0f} s; the limit is {limits.broker_s:g} s")
    return why


def unhealthy(facts: Facts, limits: Limits) -> list[str]:
    """
    Say why a process is not healthy; nothing where it is.
    """
    why = []
    silent = facts.now - (facts.began if facts.answered is None else facts.answered)
    if silent > limits.work_s:
        why.append(f"the broker has not answered for {silent:.0f} s; the limit is {limits.work_s:g} s")
    for what, since in sorted(facts.waiting.items()):
        if (age := facts.now - since) > limits.work_s:
            why.append(f"{what}: work waits, and nothing came to an end for {age:.0f} s; the limit is {limits.work_s:g} s")
    for loop, turn in sorted(facts.turned.items()):
        if (age := facts.now - turn) > limits.loop_s:
            why.append(f"{loop}: has not turned for {age:.0f} s; the limit is {limits.loop_s:g} s")
    for name, (said, since) in sorted(facts.missing.items()):
        if (age := facts.now - since) > limits.start_s:
            why.append(f"{name}: {said}, for {age:.0f} s; the limit is {limits.start_s:g} s")
    return why


class Health:
    """
    The facts of one process, told from any of its threads; what is told costs no more than an assignment and a lock.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self.limits = Limits()
        self.kind = ""
        self.name = ""
        self._details: dict[str, Any] = {}
        self._began = clock()
        self._answered: float | None = None
        self._succeeded: float | None = None
        self._acknowledged: float | None = None
        self._missing: dict[str, tuple[str, float]] = {}
        self._turned: dict[str, float] = {}
        self._waiting: dict[str, float] = {}

    def of(self, kind: str, name: str, limits: Limits) -> None:
        """Say what the process is: a kind (``worker``) and the declared name of what it runs."""
        self.kind, self.name, self.limits = kind, name, limits

    def lacks(self, condition: str, why: str) -> None:
        """Say that the process is not ready, and why; since when is that of the first time."""
        with self._lock:
            _, since = self._missing.get(condition, ("", self._clock()))
            self._missing[condition] = (why, since)

    def has(self, condition: str, **details: Any) -> None:
        """Say that a condition holds; *details* are declared names and numbers for the body, never values of records."""
        with self._lock:
            self._missing.pop(condition, None)
            self._details.update(details)

    def answered(self) -> None:
        """Say that the broker answered."""
        self._answered = self._clock()

    def turned(self, loop: str) -> None:
        """Say that a loop turned; from the first time on it has to go on."""
        with self._lock:
            self._turned[loop] = self._clock()

    def begun(self, what: str) -> None:
        """Say that there is work; what waits already, waits since then."""
        with self._lock:
            self._waiting.setdefault(what, self._clock())

    def succeeded(self, what: str) -> None:
        """Say that some of the work came to an end; where more waits it waits from now on."""
        with self._lock:
            self._succeeded = self._clock()
            if what in self._waiting:
                self._waiting[what] = self._succeeded

    def acknowledged(self, what: str) -> None:
        """Say that the broker has what was sent; it is a success as well."""
        self.succeeded(what)
        self._acknowledged = self._succeeded

    def idle(self, what: str) -> None:
        """Say that nothing waits any more."""
        with self._lock:
            self._waiting.pop(what, None)

    def forget(self) -> None:
        """Forget all work that waits: it is somebody else's now."""
        with self._lock:
            self._waiting.clear()

    def facts(self) -> Facts:
        """Give the facts as they are now."""
        with self._lock:
            return Facts(
                self._clock(), self._began, self._answered, self._succeeded, self._acknowledged,
                dict(self._missing), dict(self._turned), dict(self._waiting),
            )  # fmt: skip

    def ready(self) -> tuple[bool, dict[str, Any]]:
        """Say whether it is ready, with the body that tells why or why not."""
        facts = self.facts()
        return self._body(facts, "ready", unready(facts, self.limits))

    def healthy(self) -> tuple[bool, dict[str, Any]]:
        """Say whether it is healthy, with the body that tells why or why not."""
        facts = self.facts()
        return self._body(facts, "healthy", unhealthy(facts, self.limits))

    def _body(self, facts: Facts, word: str, why: list[str]) -> tuple[bool, dict[str, Any]]:
        since = {
            "broker_answered": facts.answered,
            "last_success": facts.succeeded,
            "last_acknowledgement": facts.acknowledged,
            "oldest_work_waiting": min(facts.waiting.values(), default=None),
        }
        ages = {name: None if at is None else round(facts.now - at, 1) for name, at in since.items()}
        running = round(facts.now - facts.began, 1)
        told = {"process": self.kind, "name": self.name, word: not why, "why": why, "running_seconds": running}
        return not why, {**told, "seconds_since": ages, **self._details}


OWN: Final = Health()
"""That of this process, as ``metrics.REGISTRY`` holds its metrics."""


def beside(page: Application, own: Health = OWN) -> Application:
    """
    Give a WSGI application that answers ``/readyz`` and ``/healthz`` (200 or 503, JSON), and leaves the rest to *page*.
    """
    told = {READY: own.ready, HEALTHY: own.healthy}

    def answer(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        ask = told.get(str(environ.get("PATH_INFO", "")))
        if ask is None:
            return page(environ, start)
        fine, body = ask()
        content = json.dumps(body).encode() + b"\n"
        start(
            "200 OK" if fine else "503 Service Unavailable",
            [("Content-Type", "application/json"), ("Cache-Control", "no-store"), ("Content-Length", str(len(content)))],
        )
        return [content]

    return answer
