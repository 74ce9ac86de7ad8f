"""
What a recipient may read of each kind of view: the fields that some agreement of its gives, and how, as release cuts them.

Read off the cuts that release uses, so that nothing is promised which it does not do. An agreement that has ended by the day of the
document gives nothing more; one that is to begin counts, since its recipient must be ready for it. Retractions follow what was
given before, so of them all agreements count. Links and alerts of the bus's own are made of views that the recipient has.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from boutre.processors.cut import Cut, prefixes
from boutre.processors.own_records import ALERTS, LINK
from boutre.processors.pipeline import Pipeline
from boutre.processors.ways import MADE, WITHHELD, Way, ways
from boutre.schemas.fields import walk
from boutre.schemas.lock import Lock, Locked

LINKED: Final = frozenset({"sighting", "interception", "alert"})
"""The kinds of which links and alerts of the bus's own are made."""

ALWAYS: Final = ("id", "exercise", "view")
"""The groups that every view has."""

OWN: Final[Mapping[str, tuple[str, ...]]] = {
    LINK: (*ALWAYS, "lifecycle.status", "lifecycle.revision", "link", "handling.tlp"),
    ALERTS: (
        *ALWAYS, "lifecycle.status", "lifecycle.revision", "warning", "event.type", "times.observed.at", "times.observed.precision",
        "times.accepted_at", "times.late", "assessment.probability", "assessment.validation", "provenance.derived_from",
        "provenance.method", "handling.tlp",
    ),
}  # fmt: skip
"""What the bus writes into the links and alerts that it makes for one recipient: these fields, and all below them."""

Sealing = Literal["never", "sometimes", "always"]


@dataclass(frozen=True, slots=True)
class Readable:
    """
    One kind of view as one recipient may have it.

    *ways* are, by path, all that may become of a field that it may have, in the order of the schema; groups are in it too. *sealed*
    says whether its views are encrypted for it.
    """

    locked: Locked
    ways: Mapping[str, tuple[Way, ...]]
    sealed: Sealing
    agreements: tuple[str, ...]


def readable(pipeline: Pipeline, lock: Lock, recipient: str, on: date) -> dict[str, Readable]:
    """
    Give by kind what *recipient* may read from the day *on* (UTC); a kind of which it gets nothing is not in it.
    """
    given = pipeline.policy.cuts.get(recipient, {})
    found = {kind: tuple(cut for cut in cuts if kind == "retraction" or cut.agreement.end > on) for kind, cuts in given.items()}
    made = {kind: _of(lock.latest(kind), cuts, ()) for kind, cuts in found.items() if cuts}
    sealed = max((one.sealed for kind, one in made.items() if kind in LINKED), key=_SEALING.index, default=None)
    if pipeline.file.correlate is not None and sealed is not None:
        for kind, own in OWN.items():
            made[kind] = _of(lock.latest(kind), found.get(kind, ()), own, also="never" if sealed == "never" else "sometimes")
    return {kind: made[kind] for kind in sorted(made) if kind in pipeline.declarations.recipients[recipient].kinds}


_SEALING: Final[tuple[Sealing, ...]] = ("never", "sometimes", "always")


def _of(locked: Locked, cuts: tuple[Cut, ...], own: Iterable[str], also: Sealing | None = None) -> Readable:
    fields = tuple(walk(locked.schema))
    told: dict[str, dict[tuple[str, str | None], Way]] = {}
    for cut in cuts:
        for path, way in ways(cut, fields).items():
            if way.state != WITHHELD:
                told.setdefault(path, {}).setdefault(way.outcome, way)
    for info in fields:
        if any(path in own for path in prefixes(info.path)):
            told.setdefault(info.path, {}).setdefault((MADE, None), Way(MADE))
    groups = {prefix for path in told for prefix in prefixes(path)}
    by_path = {info.path: tuple(told.get(info.path, {}).values()) for info in fields if info.path in groups}
    return Readable(locked, by_path, _sealing(cuts, also), tuple(cut.agreement.name for cut in cuts))


def _sealing(cuts: tuple[Cut, ...], also: Sealing | None) -> Sealing:
    told: set[Sealing] = {"always" if cut.agreement.encrypt else "never" for cut in cuts} | ({also} if also is not None else set())
    return told.pop() if len(told) == 1 else "sometimes"
