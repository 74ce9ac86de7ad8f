"""
What a step on movements remembers: values of declared types as text, so that a track is read and written in microseconds.

Text is plain JSON, as all that a step remembers must be: MessagePack in base 64. JSON itself has no way to write a time before all
others, and takes four times as long.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from boutre.processors.decision import State

T = TypeVar("T")

_ENCODE = msgspec.msgpack.Encoder().encode
_DECODE: dict[Any, Callable[[bytes], Any]] = {}  # one for each type that is remembered


class Kept:
    """
    What is remembered, and over it what is to be remembered from now on: *changes*, by key.
    """

    def __init__(self, state: State) -> None:
        self.changes: dict[str, str | None] = {}
        self._state = state
        self._read: dict[str, Any] = {}
        self._whose = ""

    def of(self, whose: str) -> Kept:
        """Give the part that is kept for somebody by name, beside what is kept for everybody: none sees a key of another's."""
        part = Kept(self._state)
        part.changes, part._read, part._whose = self.changes, self._read, f"@{whose}"
        return part

    def get(self, key: str, type_: type[T]) -> T | None:
        """Give what stands under *key*; msgspec.ValidationError where it is of another type, as after a change of this software."""
        key += self._whose
        if key in self._read:
            found: T | None = self._read[key]
            return found
        text = self._state.get(key)
        value = None if text is None else _decoder(type_)(b64decode(text))
        self._read[key] = value
        return value

    def put(self, key: str, value: Any) -> None:
        """Remember *value*; None forgets the key. What stands there already is not written again."""
        key += self._whose
        if value is not None and self._read.get(key) is value:
            return
        self._read[key] = value
        self.changes[key] = None if value is None else b64encode(_ENCODE(value)).decode()


def _decoder(type_: Any) -> Callable[[bytes], Any]:
    if type_ not in _DECODE:
        _DECODE[type_] = msgspec.msgpack.Decoder(type_).decode
    return _DECODE[type_]
