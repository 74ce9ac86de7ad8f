"""
What a sink could not take, kept beside it with the reason, so that it can be looked at and given again.

It holds what the recipient was given, no more, and only the owner of the sink can read the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from boutre.connectors.delivery import BadDelivery, Delivery
from boutre.connectors.plain import line
from boutre.connectors.sinks.lines import Lines, alone
from boutre.errors import Refuse


@dataclass(frozen=True, slots=True)
class DeadLetters:
    """
    An open file of dead letters, a line each, known by where the message stood: the same one is there once.
    """

    lines: Lines

    @property
    def path(self) -> Path:
        """The file."""
        return self.lines.path

    def add(self, view: Delivery, refusal: Refuse) -> None:
        """
        Keep a view that the sink refused.
        """
        reason = {"code": refusal.code, "field": refusal.field, "detail": str(refusal)}
        self._add(view, {**reason, "view": view.value, "content": None})

    def add_bad(self, bad: BadDelivery) -> None:
        """
        Keep a message that is no view of this recipient's.
        """
        self._add(bad, {"code": bad.code, "field": None, "detail": bad.code, "view": None, "content": bad.content})

    def _add(self, message: Delivery | BadDelivery, letter: dict[str, Any]) -> None:
        stood = {"topic": message.topic, "partition": message.partition, "offset": message.offset, "at": message.timestamp}
        identifier = f"{message.topic}/{message.partition}/{message.offset}"
        self.lines.add([(identifier, line({"id": identifier, "kind": message.kind, **stood, **letter}))])


@contextmanager
def open_dead_letters(path: Path) -> Iterator[DeadLetters]:
    """
    Hold the file *path* open; no other sink may write to it meanwhile.
    """
    with alone(path.parent, path.name), Lines(path) as lines:
        yield DeadLetters(lines)
