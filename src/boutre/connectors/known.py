"""
What a feed's declaration may point to: the fields of a kind's schema and the codes of the vocabularies.

A target that does not exist is found when the declaration is read, not when the first report comes in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

from boutre.schemas.fields import FieldInfo, walk
from boutre.schemas.lock import Lock

OWNED = frozenset(
    {
        "id",
        "exercise",
        "view",
        "times.received_at",
        "times.accepted_at",
        "times.late",
        "lifecycle.repeats",
        "origin.member",
        "origin.feed",
        "origin.reference",
        "provenance.connector",
        "provenance.location",
    }
)
"""Fields that the runner or the bus sets, and no source."""


@dataclass(frozen=True, slots=True)
class Known:
    """
    The fields of each kind that a member publishes, by path, and whether a vocabulary (``tlp@2``) has a code.
    """

    fields: Mapping[str, Mapping[str, FieldInfo]]
    has_code: Callable[[str, str], bool]
    _owned: frozenset[str] = field(default=OWNED)

    @classmethod
    def of(cls, lock: Lock, has_code: Callable[[str, str], bool]) -> Known:
        """Make it from the locked schemas."""
        return cls({kind: {info.path: info for info in walk(lock.latest(kind).schema)} for kind in lock.kinds}, has_code)

    def target(self, kind: str, path: str) -> FieldInfo | str:
        """Give the field at *path*, or a sentence that says why a source cannot fill it."""
        fields = self.fields.get(kind, {})
        if path in self._owned:
            return f"{path} is set by the bus; no source fills it"
        parents = path.split(".")[:-1]
        inside = (fields.get(".".join(parents[: end + 1])) for end in range(len(parents)))
        if any(info is not None and info.many for info in inside):
            return f"{path} stands in a list of groups, which one column cannot fill"
        if path in fields:
            return fields[path]
        near = get_close_matches(path, fields, n=1)
        return f"{path} is no field of {kind}" + (f"; did you mean {near[0]}?" if near else "")

    def code(self, info: FieldInfo, code: str) -> str | None:
        """Give a sentence where *code* is none of the field's vocabulary."""
        if info.vocabulary is None or self.has_code(info.vocabulary, code):
            return None
        return f"{code} is no code of {info.vocabulary}"
