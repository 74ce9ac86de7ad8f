"""
A view as rows of the migration database, without what stands encrypted there: pure.

Each group of the record becomes a row of the table named for it, each of its lists rows of a table of their own. A group that is
unknown has no row; one that is withheld or sealed has none either, and a row in ``withheld`` or ``sealed``. So nobody who counts
rows takes what was kept back for what was not there. Of a personal group only what is declared open has columns; a row in
``encrypted`` says that the group is known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from boutre.connectors.delivery import LINK, Delivery
from boutre.connectors.sinks.feature import field
from boutre.connectors.sinks.migration.personal import Divided
from boutre.schemas.marks import Sealed, Withheld

Value = str | int | float | bool | bytes | datetime | dict[str, Any] | None


def _same(*names: str) -> Mapping[str, str]:
    return {name: name for name in names}


RECORD: Final[Mapping[str, str]] = {
    "exercise": "exercise",
    "status": "lifecycle.status",
    "revision": "lifecycle.revision",
    "revises": "lifecycle.revises",
    "repeats": "lifecycle.repeats.id",
    "member": "origin.member",
    "authority": "origin.authority",
    "feed": "origin.feed",
    "reference": "origin.reference",
    "type": "event.type",
    "nature": "event.nature",
    "outcome": "event.outcome",
    "observed": "times.observed.at",
    "observed_precision": "times.observed.precision",
    "observed_uncertainty_s": "times.observed.uncertainty_s",
    "observed_until": "times.observed_until.at",
    "observed_until_precision": "times.observed_until.precision",
    "reported": "times.reported.at",
    "reported_precision": "times.reported.precision",
    "received": "times.received_at",
    "accepted": "times.accepted_at",
    "late": "times.late",
    "reliability": "assessment.reliability",
    "credibility": "assessment.credibility",
    "probability": "assessment.probability",
    "validation": "assessment.validation",
    "tlp": "handling.tlp",
    "pap": "handling.pap",
    "legal_basis": "handling.legal_basis",
    "retention_days": "handling.retention_days",
    "consent": "handling.consent",
    "policy": "view.policy",
}
"""
Columns of the table ``record``, each with the field that fills it.
"""

GROUPS: Final[Mapping[str, Mapping[str, str]]] = {
    "position": _same("latitude", "longitude", "accuracy_m", "fix", "place", "locode"),
    "persons": _same("total", "survivors", "dead", "missing", "injured", "outcome"),
    "migration": _same(
        "departure", "embarked", "destination", "route", "detection", "fare", "currency", "facilitated", "asylum_requested"
    ),
    "vulnerability": _same("unaccompanied_children", "pregnant", "medical_urgent", "disembarkation"),
    "trafficking": _same("perpetrators"),
    "action": _same("kind", "status", "authority", "unit", "legal_ground", "boarded", "detected_by", "zone", "smugglers"),
    "craft": {
        **_same("kind", "source_kind", "hull", "length_m", "persons_on_board", "activity"),
        "engine_kind": "engines.kind",
        "engine_count": "engines.count",
        "engine_power_kw": "engines.power_kw",
    },
    "warning": _same("message", "category", "severity", "urgency", "certainty", "onset", "expires", "lives_at_risk"),
    "recall": {"of_record": "record", **_same("kind", "scope", "reason")},
}
"""
Tables with one row for each view that has the group; a column that holds a range is three: ``_min``, ``_max``, ``_estimated``.
"""

LINKS: Final[Mapping[str, str]] = {
    "revision": "lifecycle.revision",
    **{name: f"link.{name}" for name in ("type", "status", "reason", "rule")},
    "judged_by": "link.by",
    **{name: f"link.{name}" for name in ("judgement", "probability", "independent")},
    "explanation_en": "link.explanation.en",
    "explanation_fr": "link.explanation.fr",
}
"""
Columns of the table ``link``, each with the field that fills it; beside them the ends of the link.
"""

ENDS: Final = ("one", "other")
"""
A link is of two: the first and the second of its views, and of its records.
"""

RANGES: Final = frozenset({
    "total", "survivors", "dead", "missing", "injured", "fare", "unaccompanied_children", "pregnant", "perpetrators",
    "smugglers", "length_m", "engine_count", "engine_power_kw", "persons_on_board", "count",
})  # fmt: skip

TEXTS: Final = ("warning.headline", "warning.description", "warning.instruction", "area.names")
LISTS: Final = (
    "craft.colours", "craft.markings", "event.classes", "action.infractions", "migration.migrant_types",
    "warning.response", "warning.references", "area.zones",
    "handling.handling_codes", "handling.purposes", "handling.release_to", "view.agreements",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """
    One row: its table and its columns.
    """

    table: str
    columns: Mapping[str, Value]


def rows(view: Delivery, divided: Divided) -> tuple[Row, ...]:
    """
    Give the rows of *view* that may stand in plain, those first that others refer to; *divided* is its document in two.
    """
    return tuple(Row(table, {"view_id": view.id, **columns}) for table, columns in _rows(view, divided))


def _rows(view: Delivery, divided: Divided) -> Iterator[tuple[str, dict[str, Value]]]:
    value = view.value
    yield (
        "record",
        {
            "of_record": view.of,
            "recipient": view.recipient,
            "kind": view.kind,
            "released": view.timestamp,
            **{column: field(value, path) for column, path in RECORD.items()},
            "document": divided.shown,
        },
    )
    for table, columns in GROUPS.items():
        group = value.get(table)
        if isinstance(group, Mapping):
            yield table, _columns(columns, group)
    if view.kind == LINK:
        yield from _link(view)
    yield from _lists(value)
    yield from _marks(value, divided)


def _lists(value: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Value]]]:
    for n, each in enumerate(_list(value, "persons.counts")):
        yield "person_count", {"n": n, **_columns(_same("sex", "age_band", "condition", "nationality", "count"), each)}
    for n, each in enumerate(_list(value, "action.measures")):
        yield "measure", {"n": n, **_columns(_same("kind", "count", "detail"), each)}
    for n, each in enumerate(_list(value, "claims")):
        yield "claim", {"n": n, **_columns(_same("attribute", "value", "source", "first_seen", "last_seen"), each)}
    for path in TEXTS:
        for n, each in enumerate(_list(value, path)):
            yield "narrative", {"field": path, "n": n, **_columns(_same("language", "text", "translation_of"), each)}
    for path in LISTS:
        for n, each in enumerate(_list(value, path)):
            scheme, code = (each["scheme"], each["code"]) if isinstance(each, Mapping) else (None, each)
            yield "listed", {"field": path, "n": n, "scheme": scheme, "value": code}


def _link(view: Delivery) -> Iterator[tuple[str, dict[str, Value]]]:
    """The link as it stands by this view, even where its group is not there: what an earlier view said must not seem to hold."""
    value = view.value
    columns = {column: field(value, path) for column, path in LINKS.items()}
    for name in ("view", "record"):
        found = _list(value, f"link.{name}s")
        columns |= {f"{name}_{end}": found[n] if n < len(found) else None for n, end in enumerate(ENDS)}
    revision = columns.pop("revision") or 0
    key = {"recipient": view.recipient, "link_id": view.of, "revision": revision, "released": view.timestamp}
    yield LINK, {**key, "exercise": field(value, "exercise"), **columns}
    for n, each in enumerate(_list(value, "link.evidence")):
        said = {f"sentence_{language}": field(each, f"sentence.{language}") for language in ("en", "fr")}
        yield "link_evidence", {"n": n, **_columns(_same("comparison", "level", "bits"), each), **said}


def _marks(value: Mapping[str, Any], divided: Divided) -> Iterator[tuple[str, dict[str, Value]]]:
    named: set[str] = set()
    for name in divided.closed:
        yield "encrypted", {"field": name}
    for name, group in value.items():
        if isinstance(group, Withheld):
            named.add(name)
            yield "withheld", {"field": name, "agreement": group.agreement, "clause": group.clause, "ask": group.ask}
        elif isinstance(group, Sealed):
            yield "sealed", {"field": name, "algorithm": group.algorithm, "content_key_id": group.content_key_id}
    for n, state in enumerate(_list(value, "view.fields")):
        if state["state"] != "withheld":
            yield "field_state", {"n": n, **{name: state[name] for name in ("field", "state", "clause", "method")}}
        elif state["field"] not in named:
            # A part of a group: the view says which clause withheld it, and names no agreement of its own for it.
            named.add(state["field"])
            yield "withheld", {"field": state["field"], "agreement": None, "clause": state["clause"], "ask": None}


def _columns(columns: Mapping[str, str], group: Mapping[str, Any]) -> dict[str, Value]:
    filled: dict[str, Value] = {}
    for column, path in columns.items():
        found = field(group, path)
        if column in RANGES:
            span = found if isinstance(found, Mapping) else {}
            filled |= {f"{column}_{part}": span.get(part) for part in ("min", "max", "estimated")}
        else:
            filled[column] = found
    return filled


def _list(value: Mapping[str, Any], path: str) -> Sequence[Any]:
    found = field(value, path)
    return found if isinstance(found, list | tuple) else ()
