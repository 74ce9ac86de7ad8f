"""
A sheet: what is the same in every view that one recipient gets by the same agreements, written once, and what is filled in.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec import Struct

from boutre.processors.cut import Cut, in_force, together
from boutre.processors.digests import digest
from boutre.processors.given import FieldState, Names
from boutre.processors.layout import HEAD, STAND_IN, Layout, whole
from boutre.processors.parts import Group, Groups, Parts, nobody
from boutre.processors.repeats import Rule
from boutre.schemas.codec import Codec
from boutre.schemas.identity import view_id

NOT_SUBSTANCE = frozenset({"id", "provenance", "view"})
"""
Groups that differ between two reports of one event without telling a recipient more of it. What a report says in words and where it
stands in its life (a cancel) is substance.
"""


class Filled(Struct, frozen=True, eq=False, gc=False):
    """
    A view that has no id yet: its pieces, and a digest of what it tells by its recipient's key.
    """

    pieces: list[bytes]
    digest: str


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """
    All views of one kind for one recipient by the same agreements.

    *pieces* are those of every view that do not depend on the record, and those of the groups that are null in it; *groups* are
    made of the record, each for its *place*. *silent* are the places that tell nothing of the event. *knows* are the rules of
    repeats that the recipient may be told of; sheets of one *clock* give the same times. *exercise*, *view* and *id* are
    places, the last two with what stands around the record's name and before the view's id.
    """

    recipient: str
    key: bytes
    kind: str
    cut: Cut
    agreements: tuple[str, ...]
    knows: frozenset[str]
    groups: dict[str, tuple[int, Group]]
    pieces: list[bytes]
    silent: tuple[int, ...]
    clock: Hashable
    exercise: int
    view: tuple[int, bytes, bytes]
    id: tuple[int, bytes]

    def fill(self, parts: Parts, names: Names, of: str, earlier: tuple[str, str] | None) -> Filled:
        """
        Make the view of one record: *names* are the recipient's own, *of* its name for the record, *earlier* what it repeats.
        """
        pieces = self.pieces.copy()
        pieces[self.exercise] = parts.exercise
        view, before, behind = self.view
        pieces[view] = b"".join((before, of.encode(), behind))
        shared, groups = parts.shared, self.groups
        less: list[tuple[int, bytes]] = []
        for name in parts.present:
            mine = groups.get(name)
            if mine is not None:
                place, group = mine
                if earlier is not None and name == "lifecycle":
                    made = parts.repeat(group, names, earlier)
                else:
                    made = shared.get(group) or parts.make(group, names)
                pieces[place] = made.part
                if made.told is not None:
                    less.append((place, made.told))
        said = pieces.copy()
        for place, told in less:
            said[place] = told
        for place in self.silent:
            said[place] = b""
        return Filled(pieces, digest(self.key, b"".join(said)))

    def sign(self, record: str, filled: Filled) -> tuple[str, bytes]:
        """
        Give the id and the frame of the view of *record*: the id is made of the frame without it.

        Raises ``Refuse("too-large")``.
        """
        pieces = filled.pieces
        identifier = view_id(self.key, record, b"".join(pieces))
        place, before = self.id
        pieces[place] = before + identifier.encode()
        return identifier, whole(pieces)

    def roots(self, parts: Parts, names: Names) -> tuple[str, ...]:
        """Give what a record was made from, by *names*, where this recipient is told what it was made from; mostly nothing."""
        mine = self.groups.get("provenance")
        if mine is None or not parts.derived:
            return ()
        return tuple(parts.named(mine[1], names).get("derived_from") or ())

    def some(self, parts: Parts, names: Names, *groups: str) -> dict[str, Any]:
        """Give some groups as values, as this recipient gets them; what it does not get is None."""
        found = {}
        for name in groups:
            mine = self.groups.get(name)
            made = None if mine is None else parts.shared.get(mine[1]) or parts.make(mine[1], names)
            found[name] = None if made is None else made.value
        return found


def make_sheet(
    codec: Codec,
    groups: Groups,
    cuts: Sequence[Cut],
    rules: Iterable[Rule],
    *,
    recipient: str,
    key: bytes,
    policy: str,
) -> Sheet:
    """
    Make the sheet of a recipient's *cuts* that are in force together; *rules* are those by which repeats are found.
    """
    kind = cuts[0].kind
    # By which of them a recipient had what is taken back, nobody remembers: it is told of it what all of them give.
    cut = together(tuple(cuts)) if kind == "retraction" else in_force(tuple(cuts))
    layout = Layout(codec, kind)
    agreements = tuple(each.agreement.name for each in cuts)
    # Of a group that is null in the record nothing is given, and of one that is withheld the same as of any.
    nothing = {name: node.give(None, nobody) for name, node in cut.nodes if node.apply is None or node.info.nullable}
    # A group that is withheld whole says so itself, in its place.
    states = [state for state in cut.states if "." in state.field or state.state != "withheld"]
    view = {"recipient": recipient, "of": STAND_IN, "agreements": list(agreements), "policy": policy, "fields": rows(states)}
    # Whoever does not get all by which a rule finds a repeat is not told of it: that would tell of the rest.
    knows = frozenset(rule.name for rule in rules if cut.kept.issuperset(rule.looks_at))
    filled = {name: (layout.place[name], groups.of(kind, name, node)) for name, node in cut.nodes if node.apply is not None}
    _, times = filled.get("times", (0, None))
    return Sheet(
        recipient,
        key,
        kind,
        cut,
        agreements,
        knows,
        filled,
        layout.pieces({"id": "", **nothing}),
        (HEAD, *(layout.place[name] for name in NOT_SUBSTANCE if name in layout.place)),
        recipient if times is not None and times.names else times,
        layout.place["exercise"],
        (layout.place["view"], *layout.around("view", view)),
        (layout.place["id"], layout.before("id")),
    )


def rows(states: Iterable[FieldState]) -> list[dict[str, str | None]]:
    """
    Give what was done to the fields of a cut, as views and receipts hold it.
    """
    return [{"field": one.field, "state": one.state, "clause": one.clause, "method": one.method} for one in states]
