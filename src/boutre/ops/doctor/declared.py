"""
The cluster beside what is declared: topics, access rules, schemas.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from boutre.errors import Fault
from boutre.ops import access_plan
from boutre.ops.doctor.finding import Finding, Severity
from boutre.ops.plan import Plan

PLAN: Final = "boutre topics plan"
WEIGHTY: Final = frozenset({"cleanup.policy", "retention.ms", "retention.bytes", "min.insync.replicas", "message.timestamp.type"})
"""Settings of a topic by which records are lost, or judged by another clock."""

SHOWN: Final = 3
"""Names that one finding tells; the command that it names tells all."""


@dataclass(frozen=True, slots=True)
class Frame:
    """
    The newest record that was seen on a topic, by the number with which its frame names its schema; None where it is no frame.
    """

    topic: str
    schema_id: int | None


def of_topics(plan: Plan) -> Iterator[Finding]:
    """
    Judge the differences between the topics of the cluster and those that are declared.
    """
    if plan.create:
        names = [topic.name for topic in plan.create]
        means = "whoever reads or writes them does not start, or stands still"
        what = f"{len(names)} declared topics are missing: {some(names)}"
        yield Finding("topics", "error", what, means, "boutre topics apply; if one was there, its records are gone: docs/doctor.md")
    for refused in plan.refused:
        means = "it is not mended by itself, since records or what is remembered could be lost"
        yield Finding("topics", "error", f"{refused.name} {refused.why}", means, PLAN)
    for grown in plan.grow:
        what = f"{grown.name} has {grown.before} partitions, declared are {grown.after}"
        yield Finding("topics", "warning", what, "it takes less at once than it is meant to", "boutre topics apply")
    for changed in plan.configure:
        keys = sorted(changed.changes)
        drift = ", ".join(f"{key} is {changed.changes[key][0]}, declared is {changed.changes[key][1]}" for key in keys)
        severity: Severity = "error" if WEIGHTY.intersection(keys) else "warning"
        means = "somebody set it by hand; records may be kept for shorter or longer than is promised, or be less safe"
        yield Finding("topics", severity, f"{changed.name}: {drift}", means, "boutre topics apply")
    for name, strays in sorted(plan.strays.items()):
        means = "somebody set it by hand; the bus leaves it alone"
        yield Finding("topics", "note", f"{name} has {some(strays)} set, which nobody declared", means, PLAN)
    if plan.undeclared:
        means = "they are named as the bus names its own; who may read them is not declared"
        what = f"{len(plan.undeclared)} topics are not declared: {some(plan.undeclared)}"
        yield Finding("topics", "note", what, means, PLAN)


def of_access(plan: access_plan.Plan) -> Iterator[Finding]:
    """
    Judge the differences between the rules of the cluster and those that are declared.
    """
    if plan.create:
        names = sorted({entry.principal for entry in plan.create})
        what = f"{len(plan.create)} declared rules are missing, of {some(names)}"
        yield Finding("access", "error", what, "what no rule allows is denied: they cannot do their work", "boutre access apply")
    if plan.surplus:
        names = sorted({entry.principal for entry in plan.surplus})
        what = f"{len(plan.surplus)} rules are not declared, of {some(names)}"
        means = "somebody may do what no agreement and no declaration gives them"
        yield Finding("access", "error", what, means, "boutre access plan; boutre access apply --remove")
    if plan.left:
        what = f"{len(plan.left)} rules of others reach what is the bus's, or deny something in it"
        yield Finding("access", "warning", what, "the bus does not touch them", "boutre access plan")


def no_authorizer(*, embedded: bool) -> Finding:
    """
    Give the finding for a cluster without access rules, or that does not show them to this client.
    """
    means = "without an authorizer whoever reaches the cluster may read and write everything"
    next_step = "none on one machine; between States: docs/access.md" if embedded else "docs/access.md, then boutre access apply"
    what = "the cluster has no access rules, or does not show them to this client"
    return Finding("access", "note" if embedded else "warning", what, means, next_step)


def of_lock(faults: Iterable[Fault]) -> Iterator[Finding]:
    """
    Judge what is wrong between the schemas and their lock.
    """
    for fault in faults:
        yield Finding("schemas", "error", str(fault), "what was written could become unreadable", "boutre schemas check")


def of_registry(url: str, faults: Iterable[Fault]) -> Iterator[Finding]:
    """
    Judge what is wrong between a registry and the lock; *url* without user and password.
    """
    for fault in faults:
        means = "clients that ask the registry read frames by other schemas than the bus, or cannot read them"
        yield Finding("schemas", "error", str(fault), means, f"boutre schemas registry check --url {url}")


def of_frames(found: Iterable[Frame], known: Collection[int]) -> Iterator[Finding]:
    """
    Judge the schemas that records name in their frames; *known* are the numbers that are locked here.
    """
    for one in found:
        if one.schema_id is None:
            what, next_step = f"the newest record of {one.topic} is no frame of the bus", "boutre access plan; who wrote it?"
            means = "its readers cannot read it, and put it aside"
        elif one.schema_id not in known:
            what = f"the newest record of {one.topic} names schema {one.schema_id}, which is not locked here"
            means = "a newer version of the bus wrote it: this one cannot read it"
            next_step = "boutre schemas list; bring this machine to the version of the workers"
        else:
            continue
        yield Finding("schemas", "error", what, means, next_step)


def some(names: Collection[str]) -> str:
    """
    Name the first of them.
    """
    shown = list(names)[:SHOWN]
    return ", ".join(shown) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
