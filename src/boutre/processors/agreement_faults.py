"""
What is wrong with an agreement that can be read.

Names that nobody knows, rules that do not fit their fields, promises that its own rules break.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from boutre.errors import Fault
from boutre.processors.agreement import Agreement, Coarse
from boutre.processors.coarsen import METHODS
from boutre.processors.cut import OWN, compile_cut, prefixes
from boutre.processors.given import Node
from boutre.processors.safety_of_life import SafetyOfLife, lives_faults
from boutre.schemas.cases import OPEN, PERSONAL
from boutre.schemas.fields import FieldInfo
from boutre.schemas.meanings import CATEGORIES
from boutre.topics.regions import Regions
from boutre.topics.zones import Claim

SOURCE = ("origin", "provenance", "sensor", "claims.source")
"""Groups that tell who reports, and how it came to know."""


@dataclass(frozen=True, slots=True)
class Known:
    """
    What an agreement may name: recipients, members, zones, scopes, and codes of events, purposes and roles; None is not looked up.

    *claims* are those on each zone, *regions* what positions may be told by, *lives* what may be given to save lives.
    """

    recipients: frozenset[str] | None = None
    members: frozenset[str] | None = None
    zones: frozenset[str] | None = None
    types: frozenset[str] | None = None
    purposes: frozenset[str] | None = None
    roles: frozenset[str] | None = None
    scopes: frozenset[str] | None = None
    consents: frozenset[str] | None = None
    claims: Mapping[str, tuple[Claim, ...]] | None = None
    regions: Regions | None = None
    lives: SafetyOfLife | None = None


def in_waters(file: str, agreement: Agreement, claims: Mapping[str, tuple[Claim, ...]] | None) -> tuple[Agreement, list[Fault]]:
    """
    Write the waters that an agreement names by their claimant as the zones which they are, by the claims of its term.

    A claim is a reason to be told, and nothing more: a zone that two States claim is in the waters of both.
    """
    when, wrong = agreement.when, list[Fault]()
    if when.waters is None or claims is None:
        return agreement, wrong
    zones = set(when.zones or ())
    for number, waters in enumerate(when.waters):
        found = {
            zone
            for zone, made in claims.items()
            for claim in made
            if claim.state == waters.claimed_by and claim.kind in waters.claims and _overlaps(claim, agreement)
        }
        if not found:
            wrong.append(Fault(file, f"when.waters[{number}]", f"{waters.claimed_by} claims no zone in this way during its term"))
        zones |= found
    if wrong:
        return agreement, wrong
    return agreement.model_copy(update={"when": when.model_copy(update={"zones": tuple(sorted(zones))})}), wrong


def _overlaps(claim: Claim, agreement: Agreement) -> bool:
    return (claim.since is None or claim.since < agreement.end) and (claim.until is None or claim.until > agreement.start)


def agreement_faults(file: str, agreement: Agreement, fields: Mapping[str, tuple[FieldInfo, ...]], known: Known) -> Iterable[Fault]:
    """
    Give all that is wrong with one agreement; *fields* are those of each kind.
    """
    when = agreement.when
    named: tuple[tuple[str, Iterable[str], frozenset[str] | None], ...] = (
        ("recipient", (agreement.recipient,), known.recipients),
        ("when.members", when.members or (), known.members),
        ("when.not_members", when.not_members, known.members),
        ("when.types", when.types or (), known.types),
        ("when.not_types", when.not_types, known.types),
        ("when.zones", when.zones or (), known.zones),
        ("purposes", agreement.purposes, known.purposes),
        ("when.consent", when.consent or (), known.consents),
        ("scope", () if agreement.scope is None else (agreement.scope,), known.scopes),
        ("categories", agreement.categories, frozenset(CATEGORIES)),
    )
    for key, names, allowed in named:
        for name in names:
            if allowed is not None and name not in allowed:
                yield Fault(file, key, f"{name!r} is not known{_near(name, allowed)}")
    yield from _field_faults(file, agreement, fields, known)
    yield from _role_faults(file, agreement, fields, known)
    yield from _source_faults(file, agreement)
    yield from _consent_faults(file, agreement, fields)
    yield from _open_faults(file, agreement, fields)
    yield from lives_faults(file, agreement, known.lives)
    retraction = compile_cut(agreement, "retraction", fields["retraction"])
    if "recall.record" not in retraction.kept:
        yield Fault(file, "fields", "recall.record is withheld: a recipient must be told which record is taken back")


def _field_faults(file: str, agreement: Agreement, fields: Mapping[str, tuple[FieldInfo, ...]], known: Known) -> Iterable[Fault]:
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
            elif rule.level is not None and known.regions is not None and rule.level not in known.regions.levels:
                yield Fault(file, f"fields.{path}", f"topics/regions.toml has no region of level {rule.level}")
        elif rule == "pseudonymise" and (info.type_name != "string" or info.vocabulary or info.reference):
            yield Fault(file, f"fields.{path}", f"a pseudonym is for free text, and this is {info.vocabulary or info.type_name}")


def _role_faults(file: str, agreement: Agreement, fields: Mapping[str, tuple[FieldInfo, ...]], known: Known) -> Iterable[Fault]:
    lists = {info.path for kind in agreement.kinds for info in fields[kind] if info.type_name == "Individual" and info.many}
    for path, roles in agreement.roles.items():
        if path not in lists:
            yield Fault(file, f"roles.{path}", f"is no list of persons{_near(path, lists)}")
            continue
        for role in roles:
            if known.roles is not None and role not in known.roles:
                yield Fault(file, f"roles.{path}", f"{role!r} is not known{_near(role, known.roles)}")
        kinds = [kind for kind in agreement.kinds if any(info.path == path for info in fields[kind])]
        for kind in kinds:
            # Who gets persons of some roles only is told their roles by it.
            alone = agreement.model_copy(update={"roles": {}})
            if f"{path}.role" not in compile_cut(alone, kind, fields[kind]).kept:
                yield Fault(file, f"roles.{path}", f"{path}.role is withheld, and which persons are given would tell it")
                break


def _consent_faults(file: str, agreement: Agreement, fields: Mapping[str, tuple[FieldInfo, ...]]) -> Iterable[Fault]:
    """
    Who a victim is goes nowhere without consent (IOM's principle 4): an agreement that gives it says which consent it asks for.
    """
    if agreement.when.consent is not None:
        return
    for kind in agreement.kinds:
        withheld = {state.field for state in compile_cut(agreement, kind, fields[kind]).states if state.state == "withheld"}
        persons = [info.path for info in fields[kind] if info.path.startswith("victims.") and info.category == "person-identity"]
        told = [path for path in persons if withheld.isdisjoint(prefixes(path))]
        if told:
            yield Fault(file, "when.consent", f"is missing: {told[0]} tells who a victim is, so name the consent that is needed")
            return


def _source_faults(file: str, agreement: Agreement) -> Iterable[Fault]:
    """Whoever honours EX:CHR is never told who reports, whatever the record."""
    if "EX:CHR" not in agreement.when.handling:
        return
    for key in SOURCE:
        if any(rule != "withhold" for path, rule in agreement.fields.items() if path == key or path.startswith(f"{key}.")):
            yield Fault(file, f"fields.{key}", "handling code EX:CHR is honoured, so nothing of the source may be given")
    for category in ("origin", "source-method"):
        if agreement.categories.get(category) == "keep":
            yield Fault(file, f"categories.{category}", "handling code EX:CHR is honoured, so nothing of the source may be given")


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


def grid_faults(agreements: Iterable[Agreement], files: Mapping[str, str]) -> Iterable[Fault]:
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


def _open_faults(file: str, agreement: Agreement, fields: Mapping[str, tuple[FieldInfo, ...]]) -> Iterable[Fault]:
    """What names people leaves the bus sealed for its recipient: else it would lie open in the log."""
    if agreement.encrypt:
        return
    cuts = [compile_cut(agreement, kind, fields[kind]) for kind in agreement.kinds]
    given = {path for cut in cuts for name, node in cut.nodes if name in PERSONAL for path in _given(node)}
    open_ = {f"{group}.{name}" for group, names in OPEN.items() for name in names}
    told = sorted(path for path in given if open_.isdisjoint(prefixes(path)))
    if told:
        yield Fault(file, "encrypt", f"must be true: {told[0]} is personal and would stand unsealed on a topic")


def _given(node: Node) -> Iterable[str]:
    if node.apply is None:
        return ()
    return [path for inner in node.inner for path in _given(inner)] if node.inner else (node.info.path,)
