"""
Proves the graph of what a bus declares, without a broker.
"""

from __future__ import annotations

from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from boutre.errors import Fault
from boutre.processors.decision import TICK
from boutre.processors.declared_windows import time_faults, window_faults
from boutre.processors.hear import SAID
from boutre.processors.own_records import ALERTS, LINK
from boutre.processors.patterns import FILE, NATIONAL
from boutre.processors.pipeline_file import ContactsFile, DetectFile

if TYPE_CHECKING:
    from boutre.processors.edges import Edge
    from boutre.processors.pipeline import Pipeline
    from boutre.processors.pipeline_file import PipelineFile


def check(pipeline: Pipeline) -> Iterator[Fault]:
    """
    Prove the graph of what is declared.

    Every national topic has one reader, every topic read or written is declared, what shares a changelog has equal partitions,
    nothing but release writes to a recipient, every view that an agreement gives has its topic, every name is known, and what is
    remembered is remembered for long enough, by times that nobody can choose.
    """
    for edge in pipeline.edges:
        yield from _edge_faults(pipeline, edge)
    yield from _reader_faults(pipeline)
    yield from _view_faults(pipeline)
    types = pipeline.vocabularies.codes("event-type@1")
    yield from name_faults(pipeline.file, frozenset(pipeline.declarations.members), types)
    yield from _twice_faults(pipeline)
    yield from _loop_faults(pipeline)
    yield from _movement_faults(pipeline)
    yield from (
        Fault(FILE, "safety_of_life", f"is not declared, and the agreement {agreement.id} is for it")
        for agreement in pipeline.policy.agreements
        if agreement.safety_of_life and pipeline.file.safety_of_life is None
    )


def _edge_faults(pipeline: Pipeline, edge: Edge) -> Iterator[Fault]:
    topics = pipeline.declarations.topics
    for name in (*edge.reads, *sorted(edge.writes), edge.changelog):
        if name not in topics:
            yield Fault(FILE, edge.name, f"{name} is not declared in topics/")
    counts = {topics[name].partitions for name in (*edge.reads, edge.changelog) if name in topics}
    if len(counts) > 1:
        yield Fault(FILE, edge.name, f"its topics and its changelog have {sorted(counts)} partitions; they must be equal")
    given = {topics[name].kind for name in edge.writes if name.startswith("for.") and name in topics}
    if edge.kind != "release" and not (edge.kind == "correlate" and given <= {"link", "alert"}):
        yield from (Fault(FILE, edge.name, "only a release may write to a recipient") for _ in sorted(map(str, given))[:1])
    if edge.kind == "correlate" and not set(edge.reads) <= _released(pipeline) | {SAID, TICK}:
        yield Fault(FILE, edge.name, "reads what no release has cut")
    yield from window_faults(FILE, edge.kind, edge.name, edge.windows, pipeline.policy.agreements)
    yield from time_faults(FILE, edge.name, [topics[name] for name in edge.reads if name in topics], topics.get(edge.changelog))


def _released(pipeline: Pipeline) -> frozenset[str]:
    """Give what releases write: it was cut for its recipient."""
    return frozenset(name for edge in pipeline.edges if edge.kind == "release" for name in edge.writes)


def _reader_faults(pipeline: Pipeline) -> Iterator[Fault]:
    readers: dict[str, list[str]] = {name: [] for name, topic in pipeline.declarations.topics.items() if topic.pattern == NATIONAL}
    for edge in pipeline.edges:
        for name in readers.keys() & set(edge.reads):
            readers[name].append(edge.name)
    for name, names in readers.items():
        if len(names) != 1:
            yield Fault(FILE, "accept", f"{name} is read by {', '.join(names) or 'nobody'}; exactly one accept reads it")


def _view_faults(pipeline: Pipeline) -> Iterator[Fault]:
    """A view without a topic would be refused when it comes, and with it everybody else's view of the same record."""
    for recipient, kinds in pipeline.policy.cuts.items():
        for kind, cuts in kinds.items():
            if f"for.{recipient}.{kind}" not in pipeline.declarations.topics:
                given = ", ".join(cut.agreement.id for cut in cuts)
                yield Fault("topics/recipients.toml", recipient, f"kinds lacks {kind!r}, which it gets by {given}")
    if pipeline.file.correlate is not None:
        for recipient, declared in pipeline.declarations.recipients.items():
            for kind in sorted({LINK, ALERTS} - set(declared.kinds)):
                text = f"kinds lacks {kind!r}, in which it is told how its reports hang together"
                yield Fault("topics/recipients.toml", recipient, text)


def name_faults(file: PipelineFile, members: frozenset[str] | None, types: frozenset[str] | None) -> Iterator[Fault]:
    """
    Give the names of members and event types that nobody knows; None is not looked up.
    """
    for kind in (*(kind for rule in file.repeats for kind in rule.types), *file.deadlines, *_lives(file)):
        if types is not None and kind not in types | {"default"}:
            yield Fault(FILE, "repeats, deadlines and safety_of_life", f"{kind!r} is no event type")
    for accept in file.accept:
        for member in accept.members:
            if members is not None and member not in members:
                yield Fault(FILE, accept.name, f"{member!r} is no member")


def _loop_faults(pipeline: Pipeline) -> Iterator[Fault]:
    """Whoever read what is made of what it writes would find its own findings, and be held back by itself."""
    before = {
        edge.name: {other.name for other in pipeline.edges if other.writes.intersection(edge.reads)} for edge in pipeline.edges
    }
    try:
        TopologicalSorter(before).prepare()
    except CycleError as error:
        yield Fault(FILE, "name", f"{' -> '.join(error.args[1])} go round in a circle")


def _movement_faults(pipeline: Pipeline) -> Iterator[Fault]:
    """What movements show is written by the bus alone, for an observatory that it does not follow."""
    file, members = pipeline.file, pipeline.declarations.members
    if (file.detect is None) != (file.meet is None):
        yield Fault(FILE, "detect", "detect and meet go together")
    if file.detect is None:
        return
    declared, contacts = file.detect, file.detect.contacts
    followed = declared.of if contacts is None else (*declared.of, *contacts.of)
    tellers = {"member": declared.member} if contacts is None else {"member": declared.member, "contacts.member": contacts.member}
    for name in (*followed, *tellers.values()):
        if name not in members:
            yield Fault(FILE, declared.name, f"{name!r} is no member")
    for key, name in tellers.items():
        if name in followed:
            yield Fault(FILE, f"{declared.name}.of", f"{name!r} is whose records detections are; it is not followed")
        if name in members and members[name].state is not None:
            yield Fault(FILE, f"{declared.name}.{key}", "is a State; what the bus finds is no State's report")
    if contacts is not None:
        yield from _contact_faults(pipeline, declared, contacts)
    for code in sorted(set(declared.purposes) - pipeline.vocabularies.codes("purpose@1")):
        yield Fault(FILE, f"{declared.name}.purposes", f"{code!r} is no purpose")


def _contact_faults(pipeline: Pipeline, declared: DetectFile, contacts: ContactsFile) -> Iterator[Fault]:
    """What lies beside a member's contacts is for this member alone: under another name than what is for others."""
    field = f"{declared.name}.contacts"
    if contacts.member == declared.member:
        yield Fault(FILE, f"{field}.member", "is whose records detections for everybody are; agreements must tell them apart")
    for name in contacts.of:
        if name in declared.of:
            yield Fault(FILE, f"{field}.of", f"{name!r} is followed for everybody (of); a contact of its is everybody's already")
        if name not in pipeline.declarations.recipients:
            yield Fault(FILE, f"{field}.of", f"{name!r} is no recipient: nobody could be told")


def _twice_faults(pipeline: Pipeline) -> Iterator[Fault]:
    rules = [rule.name for rule in pipeline.file.repeats]
    for key, names in (("name", [edge.name for edge in pipeline.edges]), ("repeats", rules)):
        yield from (Fault(FILE, key, f"{name!r} is there twice") for name in sorted({one for one in names if names.count(one) > 1}))


def _lives(file: PipelineFile) -> tuple[str, ...]:
    return file.safety_of_life.types if file.safety_of_life is not None else ()
