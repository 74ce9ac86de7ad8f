"""
Traces of records through the bus, for a bus that wants them; off, nothing is imported and nothing costs.

Each hop carries W3C's ``traceparent`` (https://www.w3.org/TR/trace-context/) and nothing else: no ``tracestate``, no baggage, since
both hold what somebody else wrote. What leaves for a recipient begins a trace of its own, that only the bus's span points to: two
recipients who compare headers would else learn that they hold the same record.

A process that does not trace hands nothing on. Spans say where a record stood and what came of it, and nothing of what it holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol, TypeAlias

HEADER: Final = "traceparent"

Headers: TypeAlias = tuple[tuple[str, bytes], ...]


class Hop(Protocol):
    """
    One record at one hop. It is told when it is known how it ended; what never ended is never told.
    """

    def headers(self, *, apart: bool = False) -> Headers:
        """Give the header to write with what follows from it; *apart*, of a trace of its own, for a recipient."""

    def end(self, outcome: str, reason: str | None = None) -> None:
        """Tell it; *outcome* and *reason* are codes."""


class Tracer(Protocol):
    """
    What a process traces with.
    """

    def sent(self, topic: str) -> Hop | None:
        """Begin a trace, with a record that is sent to *topic*; None where nobody is told of it."""

    def read(self, stage: str, place: tuple[str, int, int], headers: Mapping[str, bytes]) -> Hop | None:
        """Go on with the trace of a record that was read at topic, partition and offset; None where it has none."""

    def close(self) -> None:
        """Send what was not sent yet, and stop."""


class _Own:
    # What this process traces with: nothing, until it is told.
    tracer: Tracer | None = None

    def sent(self, topic: str) -> Hop | None:
        """Begin a trace where this process traces."""
        return None if self.tracer is None else self.tracer.sent(topic)

    def read(self, stage: str, place: tuple[str, int, int], headers: Mapping[str, bytes]) -> Hop | None:
        """Go on with a trace where this process traces and the record has one."""
        return None if self.tracer is None or HEADER not in headers else self.tracer.read(stage, place, headers)


OWN: Final = _Own()
"""This process's."""
