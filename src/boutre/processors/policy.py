"""
Reads the sharing agreements and makes each recipient's cuts of them.

Read strictly, and never half: an unknown recipient, member, field, category or code is an error, all errors at once. Every example
in an agreement's file is run; one that does not come out as it says is an error too.
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

from boutre.errors import Fault
from boutre.processors.agreement import Agreement, Coarse
from boutre.processors.coarsen import METHODS
from boutre.processors.conditions import ZonesAt
from boutre.processors.cut import OWN, Cut, compile_cut
from boutre.processors.examples import example_fault
from boutre.schemas.codec import Codec
from boutre.schemas.fields import FieldInfo, walk
from boutre.schemas.lock import Lock
from boutre.schemas.meanings import CATEGORIES
from boutre.topics.strict import file_name, read

HasCode = Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Known:
    """
    What an agreement may name: recipients, members, zones, and the codes of event types and purposes; None is not looked up.
    """

    recipients: frozenset[str] | None = None
    members: frozenset[str] | None = None
    zones: frozenset[str] | None = None
    types: frozenset[str] | None = None
    purposes: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """
    All agreements, and the cuts made of them, by recipient and kind.
    """

    agreements: tuple[Agreement, ...]
    cuts: Mapping[str, Mapping[str, tuple[Cut, ...]]]

    def fingerprint(self, recipient: str, kind: str) -> str:
        """Give a digest of all rules that make this recipient's views of *kind*."""
        digest = hashlib.sha256()
        for cut in self.cuts.get(recipient, {}).get(kind, ()):
            digest.update(cut.agreement.model_dump_json(exclude={"example"}).encode())
        return digest.hexdigest()[:16]


def load(folder: Path, lock: Lock, known: Known, zones_at: ZonesAt | None, faults: list[Fault]) -> Policy:
    """
    Read ``*.toml`` of *folder*; what is wrong is added to *faults*, and what is right is returned. Without zones no example is run.
    """
    fields = {kind: tuple(walk(lock.latest(kind).schema)) for kind in ("sighting", "interception", "alert", "retraction")}
    codec = Codec(lock)
    agreements: list[Agreement] = []
    files: dict[str, str] = {}
    for path in sorted(folder.glob("*.toml")):
        agreement = read(path, Agreement, faults)
        if agreement is None:
            continue
        wrong = list(_faults(file_name(path), agreement, fields, known))
        if agreement.id in files:
            wrong.append(Fault(file_name(path), "id", f"{agreement.id} stands in {files[agreement.id]} already"))
        files.setdefault(agreement.id, file_name(path))
        faults.extend(wrong)
        if not wrong:
            if zones_at is not None:
                faults.extend(_example_faults(file_name(path), agreement, fields, codec, zones_at))
            agreements.append(agreement)
    faults.extend(_grids(agreements, files))
    if not agreements and not faults:
        faults.append(Fault(str(folder), "", "no agreement is declared, so nobody would get anything"))
    return make(agreements, fields)


def _example_faults(
    file: str, agreement: Agreement, fields: Mapping[str, tuple[FieldInfo, ...]], codec: Codec, zones_at: ZonesAt
) -> Iterable[Fault]:
    for number, example in enumerate(agreement.example):
        fault = example_fault(file, number, agreement, example, fields=fields, codec=codec, zones_at=zones_at)
        if fault is not None:
            yield fault


def make(agreements: Iterable[Agreement], fields: Mapping[str, tuple[FieldInfo, ...]]) -> Policy:
    """
    Make the cuts of *agreements*; a retraction goes by the cut of every agreement, since it follows its record.
    """
    cuts: dict[str, dict[str, tuple[Cut, ...]]] = {}
    ordered = tuple(sorted(agreements, key=lambda agreement: agreement.id))
    for agreement in ordered:
        mine = cuts.setdefault(agreement.recipient, {})
        for kind in dict.fromkeys((*agreement.kinds, "retraction")):
            mine[kind] = (*mine.get(kind, ()), compile_cut(agreement, kind, fields[kind]))
    return Policy(ordered, cuts)


def _faults(file: str, agreement: Agreement, fields: Mapping[str, tuple[FieldInfo, ...]], known: Known) -> Iterable[Fault]:
    when = agreement.when
    named: tuple[tuple[str, Iterable[str], frozenset[str] | None], ...] = (
        ("recipient", (agreement.recipient,), known.recipients),
        ("when.members", when.members or (), known.members),
        ("when.not_members", when.not_members, known.members),
        ("when.types", when.types or (), known.types),
        ("when.not_types", when.not_types, known.types),
        ("when.zones", when.zones or (), known.zones),
        ("purposes", agreement.purposes, known.purposes),
        ("categories", agreement.categories, frozenset(CATEGORIES)),
    )
    for key, names, allowed in named:
        for name in names:
            if allowed is not None and name not in allowed:
                yield Fault(file, key, f"{name!r} is not known{_near(name, allowed)}")
    yield from _field_faults(file, agreement, fields)
    retraction = compile_cut(agreement, "retraction", fields["retraction"])
    if "recall.record" not in retraction.kept:
        yield Fault(file, "fields", "recall.record is withheld: a recipient must be told which record is taken back")


def _field_faults(file: str, agreement: Agreement, fields: Mapping[str, tuple[FieldInfo, ...]]) -> Iterable[Fault]:
    kinds = (*agreement.kinds, "retraction")
    paths = {info.path: info for kind in kinds for info in fields[kind] if info.top not in OWN}
    for path, rule in agreement.fields.items():
        info = paths.get(path)
        if info is None:
            yield Fault(file, f"fields.{path}", f"no record of its kinds has this field{_near(path, paths)}")
        elif isinstance(rule, Coarse):
            holder = paths.get(path.rpartition(".")[0])
            wrong = _misused(rule, info, holder.type_name if holder else None)
            if wrong:
                yield Fault(file, f"fields.{path}", wrong)


def _misused(rule: Coarse, info: FieldInfo, holder: str | None) -> str | None:
    """Say why a field cannot be coarsened in this way, or None where it can."""
    method = METHODS[rule.coarsen]
    if info.type_name not in method.types:
        return f"{rule.coarsen} is for {', '.join(sorted(method.types))}, and this is {info.type_name}"
    if method.units is not None and info.unit not in method.units:
        return f"{rule.coarsen} is for what is counted ({', '.join(sorted(method.units))}), and this is in {info.unit}"
    if holder == "Moment":
        return "coarsen the whole time, so that its precision is coarsened with it"
    return None


def _grids(agreements: Iterable[Agreement], files: Mapping[str, str]) -> Iterable[Fault]:
    """Several agreements for one recipient may speak of one record: a coarser grid must be made of whole cells of a finer one."""
    grids: dict[tuple[str, str], list[tuple[float, Agreement]]] = {}
    for agreement in agreements:
        for path, rule in agreement.fields.items():
            if isinstance(rule, Coarse) and rule.degrees is not None:
                grids.setdefault((agreement.recipient, path), []).append((rule.degrees, agreement))
    for (_, path), declared in grids.items():
        ordered = sorted(declared, key=lambda pair: pair[0])
        for (fine, one), (coarse, other) in pairwise(ordered):
            if Decimal(str(coarse)) % Decimal(str(fine)):
                message = f"{coarse:g} degrees is no multiple of the {fine:g} of {one.id}, which is for the same recipient"
                yield Fault(files[other.id], f"fields.{path}", message)


def _near(name: str, allowed: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(allowed), 1)
    return f"; did you mean {close[0]!r}?" if close else ""


def describe(policy: Policy) -> dict[str, Any]:
    """
    Give, by recipient and kind, what is kept, coarsened and withheld, as plain values.
    """
    return {
        recipient: {
            kind: [{"agreement": cut.agreement.name, "fields": [(s.field, s.state, s.clause) for s in cut.states]} for cut in cuts]
            for kind, cuts in kinds.items()
        }
        for recipient, kinds in policy.cuts.items()
    }
