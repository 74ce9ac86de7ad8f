"""
Links as their recipient was told them: a view of kind ``link`` read back as the link that it tells.

Total: what is no such view is named, and comes to nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final, Literal, get_args

import msgspec
from msgspec import Struct

from boutre.processors.links.link import DIRECTED, SAME, Link, Reason, Status
from boutre.processors.matching.found import Evidence
from boutre.schemas.marks import Sealed, Withheld

Why = Literal[
    "not-a-view",
    "not-a-link",
    "withheld",
    "sealed",
    "unknown-type",
    "unknown-status",
    "not-two-records",
    "no-probability",
    "no-maker",
]
"""Why a view tells no link. *no-maker*: neither a rule made it, nor does it name the answer by which a person did."""

TYPES: Final = frozenset(SAME) | DIRECTED
STATUSES: Final = frozenset(get_args(Status))
REASONS: Final = frozenset(get_args(Reason))


class Shown(Struct, frozen=True):
    """
    One link as *recipient* was told it. *views* are those of its records, in their order, that were compared.

    When a person judged of it is not told with it. *independent* is None where it is not known.
    """

    recipient: str
    exercise: bool
    link: Link
    views: tuple[str, ...] = ()
    independent: bool | None = None


class NotShown(Struct, frozen=True):
    """
    Why a view tells no link; no value of it.
    """

    why: Why


class _Group(Struct, frozen=True):
    type: str
    status: str
    records: tuple[str, ...]
    probability: float
    views: tuple[str, ...] = ()
    rule: str | None = None
    by: str | None = None
    reason: str | None = None
    judgement: str | None = None
    evidence: tuple[Evidence, ...] = ()
    independent: bool | None = None


def shown(value: Mapping[str, Any]) -> Shown | NotShown:
    """
    Read a view of kind ``link``, as the codec gives it or as plain data.
    """
    view, told, exercise = value.get("view"), value.get("link"), value.get("exercise", False)
    if not isinstance(view, Mapping) or not all(isinstance(view.get(name), str) for name in ("recipient", "of")):
        return NotShown("not-a-view")
    if not isinstance(exercise, bool):
        return NotShown("not-a-view")
    for name, mark in (("withheld", Withheld), ("sealed", Sealed)):
        if isinstance(told, mark) or (isinstance(told, Mapping) and told.keys() == {name}):
            return NotShown(name)  # type: ignore[arg-type] # the two names stand above, and are among the reasons
    try:
        group = msgspec.convert(told, _Group)
    except (msgspec.ValidationError, RecursionError):
        return NotShown("not-a-link")
    wrong = _wrong(group)
    if wrong is not None:
        return NotShown(wrong)
    made = Link(
        view["of"],
        view["recipient"],
        group.type,
        (group.records[0], group.records[1]),
        group.rule,
        group.probability,
        group.evidence,
        group.status,  # type: ignore[arg-type] # looked at in _wrong
        group.reason,  # type: ignore[arg-type] # the same
        group.by,
        group.judgement,
    )
    return Shown(view["recipient"], exercise, made, group.views, group.independent)


def _wrong(group: _Group) -> Why | None:
    if group.type not in TYPES:
        return "unknown-type"
    # A status that is not known must not pass for one that stands, nor a withdrawal without its reason for one.
    if group.status not in STATUSES or (group.status == "withdrawn") != (group.reason in REASONS):
        return "unknown-status"
    if len(group.records) != 2 or not all(group.records) or group.records[0] == group.records[1]:  # noqa: PLR2004 - a pair
        return "not-two-records"
    if not 0 <= group.probability <= 1 or not all(math.isfinite(one.bits) for one in group.evidence):
        return "no-probability"
    made = group.rule is not None or (group.judgement is not None and group.type in SAME)
    return None if made else "no-maker"
