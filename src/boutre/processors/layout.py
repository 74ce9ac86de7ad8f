"""
The layout of a frame: its fields in the order of the schema, each as bytes, so that what is the same for many is written once.

A frame of parts costs one copy of a list and one join, whatever it holds. It is what the codec would write of the same parts: that
is proved when the layout is made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from boutre.errors import Refuse
from boutre.schemas.codec import MAX_BYTES, Codec
from boutre.schemas.identity import ID_LETTERS
from boutre.schemas.writing import Prepared

HEAD: Final = 0
"""The place of what stands before the first field."""

STAND_IN: Final = "\0" * ID_LETTERS
"""Stands for an id until there is one: as long as every id, and in no declared text."""


class Layout:
    """
    The layout of one kind's frames.

    *head* is what stands before the first field, *place* where each field stands in a list of pieces, behind the head.
    """

    def __init__(self, codec: Codec, kind: str) -> None:
        """Raise ValueError where the codec would write the same parts otherwise."""
        self.kind = kind
        self._codec = codec
        names = [each["name"] for each in codec.lock.latest(kind).schema["fields"]]
        self.head = codec.encode(kind, dict.fromkeys(names, Prepared(b"")))
        self.place: Mapping[str, int] = {name: at for at, name in enumerate(names, 1)}
        if codec.encode(kind, {name: Prepared(bytes((at,))) for name, at in self.place.items()}) != self.head + bytes(
            range(1, len(names) + 1)
        ):
            raise ValueError(f"a {kind} is not written field by field")

    def pieces(self, fixed: Mapping[str, Any]) -> list[bytes]:
        """Give the pieces of a frame with the *fixed* fields written, and nothing where the others will stand."""
        pieces = [self.head, *(b"" for _ in self.place)]
        for name, value in fixed.items():
            pieces[self.place[name]] = self.part(name, value)
        return pieces

    def part(self, name: str, value: Any) -> bytes:
        """Write one field."""
        return self._codec.prepare(self.kind, name, value).data

    def before(self, name: str) -> bytes:
        """Give what stands before an id that is all of a field; nothing stands behind it."""
        before, behind = self.around(name, STAND_IN)
        if behind:
            raise ValueError(f"{name} is more than an id")
        return before

    def around(self, name: str, value: Any) -> tuple[bytes, bytes]:
        """Write a field whose *value* holds ``STAND_IN`` once; give what stands before an id in its place, and what behind."""
        before, *behind = self.part(name, value).split(STAND_IN.encode())
        if len(behind) != 1:
            raise ValueError(f"a declared text in {name} holds what stands for an id")
        return before, behind[0]


def whole(pieces: Sequence[bytes]) -> bytes:
    """
    Give the frame of *pieces*; ``Refuse("too-large")`` where no frame may be so large.
    """
    frame = b"".join(pieces)
    if len(frame) > MAX_BYTES:
        raise Refuse("too-large")
    return frame
