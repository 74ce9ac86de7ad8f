"""
What changes from one set of agreements to another: who may have more, who may have less, by which key of which file.

Pure, and a mirror: the other way round, what was and what becomes change places, and a gain is a loss.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from boutre.processors.agreement import TLP, Agreement
from boutre.processors.policy import Policy
from boutre.processors.ways import KEPT, MADE, WITHHELD, Way, ways
from boutre.schemas.fields import FieldInfo

Direction: TypeAlias = Literal["more", "less", "other"]
"""Whether a recipient may have more or less than before; ``other`` where neither can be said."""

ONWARD: Final = ("none", "with-consent-of-originator", "own-organisation")
OPPOSITE: Final[Mapping[Direction, Direction]] = {"more": "less", "less": "more", "other": "other"}

NOT_TERMS: Final = frozenset({"id", "recipient", "categories", "fields", "example"})
"""Keys of an agreement that are no terms: what names it, what is told field by field, and its tests."""

NOTHING: Final = Way(WITHHELD)
"""How a field is given by an agreement that is not there."""

MORE_OF: Final = frozenset({"kinds", "purposes", "when.members", "when.types", "when.zones", "when.waters", "when.handling"})
LESS_OF: Final = frozenset({"when.not_members", "when.not_types"})
"""Lists of which a longer one lets more through, or less; of some, none at all lets everything through."""


@dataclass(frozen=True, slots=True)
class Term:
    """
    A key of an agreement that says something else: a condition, a date, a purpose, a word of its text.
    """

    recipient: str
    agreement: str
    key: str
    was: Any
    becomes: Any
    direction: Direction


@dataclass(frozen=True, slots=True)
class Field:
    """
    A field of one kind that an agreement gives otherwise.
    """

    recipient: str
    agreement: str
    kind: str
    field: str
    was: Way
    becomes: Way
    direction: Direction


@dataclass(frozen=True, slots=True)
class Difference:
    """
    All that changes; *added* and *removed* are whole agreements, with their fields among *fields* and no terms.
    """

    added: tuple[Agreement, ...]
    removed: tuple[Agreement, ...]
    terms: tuple[Term, ...]
    fields: tuple[Field, ...]

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.terms or self.fields)

    @property
    def gains(self) -> tuple[str, ...]:
        """The recipients who may have more of something."""
        return self._whose("more")

    @property
    def loses(self) -> tuple[str, ...]:
        """The recipients who may have less of something."""
        return self._whose("less")

    def _whose(self, direction: Direction) -> tuple[str, ...]:
        told: list[Term | Field] = [*self.terms, *self.fields]
        return tuple(sorted({one.recipient for one in told if one.direction == direction}))


def difference(old: Policy, new: Policy, fields: Mapping[str, tuple[FieldInfo, ...]]) -> Difference:
    """
    Say what changes from *old* to *new*; an agreement is the same where its id and its recipient are.

    A field counts as changed where something else comes of it, or comes of it by another clause.
    """
    before, after = _by_name(old), _by_name(new)
    found = [_fields(old, new, key, fields) for key in sorted({*before, *after})]
    return Difference(
        tuple(after[key] for key in sorted(after.keys() - before.keys())),
        tuple(before[key] for key in sorted(before.keys() - after.keys())),
        tuple(term for key in sorted(before.keys() & after.keys()) for term in _terms(before[key], after[key])),
        tuple(field for each in found for field in each),
    )


def _by_name(policy: Policy) -> dict[tuple[str, str], Agreement]:
    return {(agreement.recipient, agreement.id): agreement for agreement in policy.agreements}


def _fields(old: Policy, new: Policy, key: tuple[str, str], fields: Mapping[str, tuple[FieldInfo, ...]]) -> Iterator[Field]:
    recipient, name = key
    for kind in fields:
        was, becomes = _ways(old, key, kind, fields), _ways(new, key, kind, fields)
        for path in (info.path for info in fields[kind] if info.path in was or info.path in becomes):
            one, other = was.get(path, NOTHING), becomes.get(path, NOTHING)
            # Where one of the two is not there at all, what it would not have given is no change, by whatever clause.
            clause = bool(was and becomes) and one.clause != other.clause
            if MADE not in (one.state, other.state) and (one.outcome != other.outcome or clause):
                yield Field(recipient, name, kind, path, one, other, field_direction(one, other))


def _ways(policy: Policy, key: tuple[str, str], kind: str, fields: Mapping[str, tuple[FieldInfo, ...]]) -> dict[str, Way]:
    recipient, name = key
    cuts = (cut for cut in policy.cuts.get(recipient, {}).get(kind, ()) if cut.agreement.id == name)
    return next((ways(cut, fields[kind]) for cut in cuts), {})


def field_direction(was: Way, becomes: Way) -> Direction:
    """
    Say whether a field is given more exactly, less exactly, or otherwise.
    """
    if was.outcome == becomes.outcome:
        return "other"
    one, other = _rank(was), _rank(becomes)
    if one != other:
        return "more" if other > one else "less"
    return _degree(was.method, becomes.method)


def _rank(way: Way) -> int:
    """What is given in some other form stands between all and nothing."""
    return 2 if way.state == KEPT else 0 if way.state == WITHHELD else 1


def _degree(was: str | None, becomes: str | None) -> Direction:
    """Of two degrees of one method, as the methods tell them, the smaller number or the finer unit of time gives more."""
    one, other = (was or "").split(), (becomes or "").split()
    if not one or not other or one[0] != other[0]:
        return "other"
    fineness = {unit: place for place, unit in enumerate(("second", "minute", "hour", "day", "month", "year"))}
    try:
        first, second = (float(fineness.get(words[1], words[1])) for words in (one, other))
    except (IndexError, ValueError):
        return "other"
    return "more" if second < first else "less"


# --- Terms -----------------------------------------------------------------------------------------------------------------


def terms(agreement: Agreement) -> dict[str, Any]:
    """
    Give all that an agreement says beside its rules for fields, by key as in its file, as plain values.
    """
    found: dict[str, Any] = {}
    for key, value in agreement.model_dump(mode="json", exclude=set(NOT_TERMS)).items():
        if isinstance(value, dict):
            found |= {f"{key}.{name}": inner for name, inner in value.items()}
        else:
            found[key] = value
    return found


def _terms(old: Agreement, new: Agreement) -> Iterator[Term]:
    was, becomes = terms(old), terms(new)
    for key in dict.fromkeys((*was, *becomes)):
        one, other = was.get(key), becomes.get(key)
        if one != other:
            yield Term(old.recipient, old.id, key, one, other, term_direction(key, one, other))


def term_direction(key: str, was: Any, becomes: Any) -> Direction:
    """
    Say whether a term lets more records through, or for longer, than it did.
    """
    if key in MORE_OF or key in LESS_OF:
        direction = _listed(was, becomes)
        return OPPOSITE[direction] if key in LESS_OF else direction
    orders: dict[str, Callable[[Any], Any]] = {
        "when.tlp_max": lambda label: len(TLP) if label is None else TLP.index(label),
        "onward": ONWARD.index,
        "end": str,
        "retention_days": int,
    }
    order = orders.get(key)
    if order is not None:
        return "more" if order(becomes) > order(was) else "less"
    if key == "start":
        return "more" if becomes < was else "less"
    return "other"


def _listed(was: Any, becomes: Any) -> Direction:
    if was is None or becomes is None:
        return "more" if becomes is None else "less"
    one, other = ({str(each) for each in names} for names in (was, becomes))
    if one == other:
        return "other"
    return "more" if one < other else "less" if other < one else "other"
