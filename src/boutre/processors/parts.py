"""
The parts of which views are put together: each group of a record, made and written once for all who get the same of it.

Eight recipients have eight cuts, and of most groups the same comes of most of them: all of it, or nothing. What is shared is bound
to the *effect* of a rule (``given``), never to an agreement or a recipient. Names of records are a recipient's own: a group that
asked for one is handed to nobody else, and is not kept.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

from msgspec import Struct

from boutre.processors.cut import OWN
from boutre.processors.given import Names, Node
from boutre.schemas.codec import Codec, Decoded

NO_NEWS: Mapping[str, tuple[str, ...]] = {
    "times": ("reported", "received_at", "accepted_at", "late"),
    "origin": ("reference",),
    "lifecycle": ("repeats",),
}
"""
Fields that differ between two reports of one event without telling a recipient more of it: the times of reporting, the reference,
and the mark of the repeat. Whole groups that do so ``sheet`` knows.
"""


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """
    One group of one kind under one effect; whoever has the same group has the same object.

    *names* says whether it may name other records, *copied* whether its bytes are those of the record. *no_news* are the fields
    that tell nothing more of the event.
    """

    kind: str
    name: str
    node: Node
    names: bool
    copied: bool
    no_news: tuple[str, ...]


class Groups:
    """
    All groups of all cuts, those of the same effect once.
    """

    def __init__(self) -> None:
        self._groups: dict[Hashable, Group] = {}

    def of(self, kind: str, name: str, node: Node) -> Group:
        """Give the group of a node of a cut of *kind*, which gives something."""
        by = None
        if node.info.sealable and not node.whole:
            # In the place of what is sealed stands which agreement does not give it.
            by = node.nothing("sealed")
        names = node.names
        # The mark of a repeat in the lifecycle is made for each recipient, whatever the record itself says.
        copied = node.whole and not names and name != "lifecycle"
        made = Group(kind, name, node, names, copied, NO_NEWS.get(name, ()))
        return self._groups.setdefault((kind, name, node.effect, by), made)


class Made(Struct, frozen=True, eq=False, gc=False):
    """
    What was made of a group: its value, its Avro bytes, and of these what tells of the event, where that is less.
    """

    value: Any
    part: bytes
    told: bytes | None


class _Asked:
    """The names of one recipient, and whether one was asked for."""

    __slots__ = ("asked", "names")

    def __init__(self, names: Names) -> None:
        self.names = names
        self.asked = False

    def __call__(self, identifier: str, /) -> str | None:
        self.asked = True
        return self.names(identifier)

    def alias(self, field: str, text: str, /) -> str | None:
        self.asked = True
        return self.names.alias(field, text)


class _Nobody:
    """Names nothing: for groups that are made for all who have them."""

    def __call__(self, identifier: str, /) -> str | None:
        """Raise LookupError, without the id."""
        del identifier
        raise LookupError("what is shared by recipients names no record")

    def alias(self, field: str, text: str, /) -> str | None:
        """Raise LookupError, without the text."""
        del field, text
        raise LookupError("what is shared by recipients holds no pseudonym")


nobody: Names = _Nobody()


class Parts:
    """
    The parts of one record.

    *present* are its groups that are not null, *shared* holds what was made so far for everybody with that group.
    """

    __slots__ = ("_codec", "_decoded", "_value", "exercise", "present", "shared")

    def __init__(self, codec: Codec, decoded: Decoded) -> None:
        self._codec = codec
        self._decoded = decoded
        self._value = {**decoded.value, "lifecycle": marked(decoded.value["lifecycle"], None)}
        self.exercise = decoded.part("exercise").data
        self.present = [name for name, group in self._value.items() if group is not None and name not in OWN]
        self.shared: dict[Group, Made] = {}

    def make(self, group: Group, names: Names) -> Made:
        """Make a group for a recipient who knows records by *names*, and keep it for the others where none of them is in it."""
        value = self._value[group.name]
        if not group.names:
            made = self.shared[group] = self._made(group, value, nobody)
            return made
        own = _Asked(names)
        made = self._made(group, value, own)
        if not own.asked:
            self.shared[group] = made
        return made

    @property
    def derived(self) -> bool:
        """Say whether it was made from other records."""
        return bool((self._value.get("provenance") or {}).get("derived_from"))

    def named(self, group: Group, names: Names) -> Mapping[str, Any]:
        """Give a group as a value with other *names* than its recipient's, and keep nothing of it."""
        given = group.node.give(self._value[group.name], names)
        return given if isinstance(given, Mapping) else {}

    def repeat(self, group: Group, names: Names, earlier: tuple[str, str]) -> Made:
        """Make the lifecycle for one recipient, marked as the repeat of an earlier report that it had."""
        return self._made(group, marked(self._value["lifecycle"], earlier), names)

    def _made(self, group: Group, value: Any, names: Names) -> Made:
        if group.copied:
            part = self._decoded.part(group.name).data
        else:
            value = group.node.give(value, names)
            part = self._codec.prepare(group.kind, group.name, value).data
        without = [name for name in group.no_news if value.get(name) is not None] if group.no_news and type(value) is dict else ()
        if not without:
            return Made(value, part, None)
        return Made(value, part, self._codec.prepare(group.kind, group.name, {**value, **dict.fromkeys(without)}).data)


def marked(lifecycle: Mapping[str, Any], earlier: tuple[str, str] | None) -> dict[str, Any]:
    """
    Give a lifecycle with the mark of what one recipient had, or with none, in the place of the mark that accept gave it.
    """
    return {**lifecycle, "repeats": None if earlier is None else {"id": earlier[0], "rule": earlier[1]}}
