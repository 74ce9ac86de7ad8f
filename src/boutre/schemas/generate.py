"""
Source text of functions that are made from a schema: lines that know how deep they stand, and what becomes of them.

A function for one schema can be written out: no loop over its fields, no question to the schema while a record is read or written.
What stands in the text comes from locked schemas alone, whose names are those of Avro, never from a record.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from types import CodeType
from typing import Any

DEEPEST = 6
"""How many records are written out in one another before one becomes a function of its own: Python limits nested blocks."""


class Text:
    """
    The text of one function after the other, and names for the variables in them.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.names: dict[str, Any] = {}
        self._depth = 0
        self._numbers = count()

    def add(self, *lines: str) -> None:
        """Add lines at the present depth."""
        self.lines.extend("    " * self._depth + line for line in lines)

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        """Add *head*, and all that is added meanwhile one step deeper."""
        self.add(head)
        self._depth += 1
        yield
        self._depth -= 1

    def fresh(self, stem: str) -> str:
        """Give a name that no other variable has."""
        return f"{stem}{next(self._numbers)}"

    def constant(self, stem: str, value: Any) -> str:
        """Give the name under which the made functions find *value*."""
        name = self.fresh(stem)
        self.names[name] = value
        return name

    def made(self, label: str, known: Mapping[str, Any]) -> dict[str, Any]:
        """
        Give what the text defines; *known* is what it may name beside its own constants, *label* what tracebacks call it.
        """
        space = {**known, **self.names}
        exec(_compiled("\n".join(self.lines), label), space)  # noqa: S102 - text made from locked schemas only
        return space


_CODE: dict[str, CodeType] = {}


def _compiled(text: str, label: str) -> CodeType:
    """Compile each text once in a process: a codec is made more often than a schema changes."""
    code = _CODE.get(text)
    if code is None:
        code = _CODE[text] = compile(text, f"<{label}>", "exec")
    return code
