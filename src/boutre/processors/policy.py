"""
Reads the sharing agreements and makes each recipient's cuts of them.

Read strictly, and never half: an unknown recipient, member, field, category or code is an error, all errors at once. Every example
in an agreement's file is run; one that does not come out as it says is an error too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from boutre.errors import Fault
from boutre.processors.agreement import Agreement
from boutre.processors.agreement_faults import Known, agreement_faults, grid_faults, in_waters
from boutre.processors.conditions import ZonesAt
from boutre.processors.cut import NO_REGIONS, Cut, compile_cut
from boutre.processors.examples import Trial, example_fault
from boutre.schemas.codec import Codec
from boutre.schemas.fields import FieldInfo, walk
from boutre.schemas.lock import Lock
from boutre.topics.regions import Regions
from boutre.topics.strict import file_name, read

__all__ = ["Known", "Policy", "load", "make"]


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
        agreement, wrong = in_waters(file_name(path), agreement, known.claims)
        wrong += agreement_faults(file_name(path), agreement, fields, known)
        if agreement.id in files:
            wrong.append(Fault(file_name(path), "id", f"{agreement.id} stands in {files[agreement.id]} already"))
        files.setdefault(agreement.id, file_name(path))
        faults.extend(wrong)
        if not wrong:
            # What saves lives is tried where it is known when lives are at risk.
            if zones_at is not None and not (agreement.safety_of_life and known.lives is None):
                faults.extend(
                    _example_faults(
                        file_name(path), agreement, Trial(fields, codec, zones_at, known.regions or NO_REGIONS, known.lives)
                    )
                )
            agreements.append(agreement)
    faults.extend(grid_faults(agreements, files))
    if not agreements and not faults:
        faults.append(Fault(str(folder), "", "no agreement is declared, so nobody would get anything"))
    return make(agreements, fields, known.regions or NO_REGIONS)


def _example_faults(file: str, agreement: Agreement, trial: Trial) -> Iterable[Fault]:
    for number, example in enumerate(agreement.example):
        fault = example_fault(file, number, agreement, example, trial)
        if fault is not None:
            yield fault


def make(agreements: Iterable[Agreement], fields: Mapping[str, tuple[FieldInfo, ...]], regions: Regions = NO_REGIONS) -> Policy:
    """
    Make the cuts of *agreements*; a retraction goes by the cut of every agreement, since it follows its record.
    """
    cuts: dict[str, dict[str, tuple[Cut, ...]]] = {}
    ordered = tuple(sorted(agreements, key=lambda agreement: agreement.id))
    for agreement in ordered:
        mine = cuts.setdefault(agreement.recipient, {})
        for kind in dict.fromkeys((*agreement.kinds, "retraction")):
            mine[kind] = (*mine.get(kind, ()), compile_cut(agreement, kind, fields[kind], regions))
    return Policy(ordered, cuts)


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
