"""
Reads the rules of alerts, ``processors/alerts/*.toml``, and judges situations by them.

Read strictly: an unknown code, zone, class or key is an error, all at once. Every example in a rule's file is run; one that does
not come out as it says is an error too.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from boutre.errors import Fault
from boutre.processors.alerts.conditions import LOOKS, Conditions
from boutre.processors.alerts.rule import Example, Rule, Verdict
from boutre.processors.alerts.scales import ScalesFile
from boutre.processors.alerts.situation import Situation
from boutre.schemas.vocabulary import Vocabularies
from boutre.topics.strict import file_name, read

FOLDER: Final = "processors/alerts"
SCALES: Final = "scales.toml"
GRADES: Final = ("severity", "urgency", "certainty")


@dataclass(frozen=True, slots=True)
class Known:
    """
    What a rule may name: codes of the vocabularies, zones, and kinds of detections; None is not looked up.

    *names* are those of members in each language, for texts.
    """

    vocabularies: Vocabularies | None = None
    zones: frozenset[str] | None = None
    detections: frozenset[str] | None = None
    names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def codes(self, scheme: str) -> frozenset[str] | None:
        """Give the codes of a vocabulary."""
        return None if self.vocabularies is None else self.vocabularies.codes(scheme)


@dataclass(frozen=True, slots=True)
class Rules:
    """
    All rules of a bus, in the order of their ids, with the scales that they share and the words for codes.
    """

    scales: ScalesFile
    every: tuple[Rule, ...]
    known: Known = field(default_factory=Known)

    def named(self, identifier: str) -> Rule | None:
        """Give the rule of this id; None where it is declared no more."""
        return next((rule for rule in self.every if rule.id == identifier), None)

    def match(self, situation: Situation) -> tuple[tuple[Rule, Verdict], ...]:
        """
        Give the rules that speak of *situation*, with what each says.
        """
        judged = ((rule, rule.judge(situation)) for rule in self.every)
        return tuple((rule, verdict) for rule, verdict in judged if verdict.holds)

    def codes(self, verdict: Verdict) -> tuple[str, str, str]:
        """Give severity, urgency and certainty as CAP codes; what came late is only as urgent as the scales leave it."""
        urgency = min(verdict.urgency, self.scales.late.urgency) if verdict.late else verdict.urgency
        return (
            self.scales.code("severity", verdict.severity),
            self.scales.code("urgency", urgency),
            self.scales.code("certainty", verdict.certainty),
        )

    def name_of(self, member: str, language: str) -> str:
        """Give what a member is called; its id where it has no name."""
        return self.known.names.get(member, {}).get(language, member)

    def label(self, scheme: str, code: str, language: str) -> str:
        """Give the words for a code; the code itself where it is not known."""
        return code if self.known.vocabularies is None else self.known.vocabularies.label(scheme, code, language)


def load(root: Path, known: Known, faults: list[Fault]) -> Rules | None:
    """
    Read the rules of the bus at *root*; what is wrong is added to *faults*, and what is right is returned.

    A bus without the folder has no alerts of its own: None, and no fault.
    """
    folder = root / FOLDER
    if not folder.is_dir():
        return None
    scales = read(folder / SCALES, ScalesFile, faults, root=root)
    if scales is not None:
        faults.extend(_scale_faults(file_name(folder / SCALES, root), scales, known))
    rules: list[Rule] = []
    files: dict[str, str] = {}
    for path in sorted(folder.glob("*.toml")):
        if path.name == SCALES or (rule := read(path, Rule, faults, root=root)) is None:
            continue
        file = file_name(path, root)
        wrong = list(_rule_faults(file, rule, scales, known))
        if rule.id in files:
            wrong.append(Fault(file, "id", f"{rule.id} stands in {files[rule.id]} already"))
        files.setdefault(rule.id, file)
        if scales is not None and not wrong:
            wrong.extend(_example_faults(file, rule, Rules(scales, (rule,), known)))
        faults.extend(wrong)
        if not wrong:
            rules.append(rule)
    return None if scales is None else Rules(scales, tuple(sorted(rules, key=lambda rule: rule.id)), known)


def _scale_faults(file: str, scales: ScalesFile, known: Known) -> Iterator[Fault]:
    for scale in GRADES:
        codes = [band.code for band in getattr(scales, scale)]
        yield from _unknown(file, scale, codes, known.codes(f"{scale}@1"))


def _rule_faults(file: str, rule: Rule, scales: ScalesFile | None, known: Known) -> Iterator[Fault]:
    yield from _unknown(file, "category", (rule.category,), known.codes("alert-category@1"))
    yield from _unknown(file, "event", (rule.event,), known.codes("event-type@1"))
    yield from _unknown(file, "response", rule.response, known.codes("response@1"))
    if scales is not None:
        yield from _unknown(file, "deadline", (rule.deadline,), frozenset(scales.deadline_minutes))
    for key, tables in (("when", rule.when), ("unless", rule.unless), ("more", tuple(one.when for one in rule.more))):
        for number, conditions in enumerate(tables, 1):
            yield from _condition_faults(file, f"{key}[{number}]", conditions, known)
    for number, one in enumerate(rule.more, 1):
        if one.severity is None and one.urgency is None:
            yield Fault(file, f"more[{number}]", "raises neither severity nor urgency")
    if not any(example.raises for example in rule.example) or not any(example.refused for example in rule.example):
        yield Fault(file, "example", "there must be one that is raised and one that is refused")


def _condition_faults(file: str, key: str, conditions: Conditions, known: Known) -> Iterator[Fault]:
    for name, asked in conditions:
        scheme = LOOKS[name].scheme
        if asked is not None and scheme is not None:
            yield from _unknown(file, f"{key}.{name}", asked, known.codes(scheme))
    yield from _unknown(file, f"{key}.zones", conditions.zones or (), known.zones)
    yield from _unknown(file, f"{key}.detections", conditions.detections or (), known.detections)


def _unknown(file: str, key: str, names: Iterable[str], known: frozenset[str] | None) -> Iterator[Fault]:
    for name in names:
        if known is not None and name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            yield Fault(file, key, f"{name!r} is not known{f'; did you mean {near[0]}?' if near else ''}")


def _example_faults(file: str, rule: Rule, rules: Rules) -> Iterator[Fault]:
    for number, example in enumerate(rule.example, 1):
        if fault := example_fault(example, rule, rules):
            yield Fault(file, f"example[{number}] {example.name}", fault)


def example_fault(example: Example, rule: Rule, rules: Rules) -> str | None:
    """
    Run one example; give what is wrong with it, or None.
    """
    try:
        situation = msgspec.convert(
            {**EXAMPLE, **{name: _instant(name, value) for name, value in example.given.items()}}, Situation
        )
    except (msgspec.ValidationError, ValueError) as error:
        return f"given is no situation: {error}"
    verdict = rule.judge(situation)
    if example.refused is not None:
        if verdict.holds:
            return f"is raised, and not refused for {example.refused}"
        return None if example.refused in verdict.why else f"refused for {', '.join(verdict.why)}, not for {example.refused}"
    if not verdict.holds:
        return f"is not raised: {', '.join(verdict.why)}"
    severity, urgency, certainty = rules.codes(verdict)
    come = {"severity": severity, "urgency": urgency, "certainty": certainty, "proposed": rule.validate_first, "late": verdict.late}
    return None if example.raises is None or come == example.raises.model_dump() else f"comes out as {come}"


EXAMPLE: Final = {"recipient": "example", "body": "centre", "records": ["one"], "at": 1_772_323_200.0}
"""What an example need not say: 1 March 2026, 00:00 UTC."""


def _instant(name: str, value: Any) -> Any:
    # A moment of TOML has come as text, by way of JSON.
    return datetime.fromisoformat(value).timestamp() if name in {"at", "observed"} and isinstance(value, str) else value
