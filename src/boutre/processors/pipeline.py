"""
Everything that a bus does, in order, as a value: read from ``processors/``, checked whole, made into processors.

    pipeline = load(root, declarations, lock, vocabularies)
    for processor in pipeline.processors(codec, keyring, recipient_key, state_key): ...
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field

from boutre.errors import DeclarationError, Fault
from boutre.processors.accept import Accept, National
from boutre.processors.declared_windows import WindowsFile, time_faults, window_faults, windows_of
from boutre.processors.handle import Processor
from boutre.processors.policy import Known, Policy
from boutre.processors.policy import load as load_policy
from boutre.processors.release import Desk, Release
from boutre.processors.repeats import Rule
from boutre.processors.windows import Windows
from boutre.schemas.codec import Codec
from boutre.schemas.lock import Lock
from boutre.schemas.sense import Area
from boutre.schemas.signature import Keyring
from boutre.schemas.validation import Validator
from boutre.schemas.vocabulary import Vocabularies
from boutre.topics.bus import Declarations
from boutre.topics.strict import Declared, raise_all, read

FILE = "processors/pipeline.toml"
KINDS = ("sighting", "interception", "alert", "retraction")


class AcceptFile(Declared):
    """
    One accept: whose topics it reads.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    members: tuple[str, ...] = Field(min_length=1)
    windows: WindowsFile


class ReleaseFile(Declared):
    """
    The release.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    windows: WindowsFile


class RepeatsFile(Declared):
    """
    One rule by which another report of an event is known.
    """

    name: str
    kinds: tuple[Literal["sighting", "interception"], ...] = Field(min_length=1)
    types: tuple[str, ...] = Field(min_length=1)
    cell_deg: float = Field(gt=0, le=10)


class PipelineFile(Declared):
    """
    ``processors/pipeline.toml``.
    """

    accept: tuple[AcceptFile, ...] = Field(min_length=1)
    release: ReleaseFile
    deadlines: Mapping[str, int]
    repeats: tuple[RepeatsFile, ...] = ()


@dataclass(frozen=True, slots=True)
class Pipeline:
    """
    What is declared in ``processors/``, read and checked against the rest of the bus.
    """

    file: PipelineFile
    policy: Policy
    declarations: Declarations
    vocabularies: Vocabularies

    def rules(self, key: bytes) -> tuple[Rule, ...]:
        """Make the rules of repeats, which compare digests by *key*."""
        return tuple(Rule(one.name, frozenset(one.kinds), frozenset(one.types), one.cell_deg, key) for one in self.file.repeats)

    @property
    def edges(self) -> tuple[Edge, ...]:
        """What reads what and writes what: the graph that is checked and drawn."""
        topics = self.declarations.topics
        accepts = tuple(
            Edge(
                "accept",
                accept.name,
                tuple(name for name, topic in topics.items() if topic.pattern == NATIONAL and topic.member in accept.members),
                frozenset(f"bus.{kind}" for kind in KINDS) | {f"rejects.{member}" for member in accept.members},
                f"bus.{accept.name}.changelog",
                windows_of(accept.windows),
            )
            for accept in self.file.accept
        )
        release = Edge(
            "release",
            self.file.release.name,
            tuple(f"bus.{kind}" for kind in KINDS),
            frozenset(name for name, topic in topics.items() if topic.pattern == VIEWS) | {"bus.receipt", "rejects.bus"},
            f"bus.{self.file.release.name}.changelog",
            windows_of(self.file.release.windows),
        )
        return (*accepts, release)

    def processors(
        self, codec: Codec, keyring: Keyring, recipient_key: Callable[[str], bytes], state_key: bytes, only: str | None = None
    ) -> tuple[Processor, ...]:
        """
        Make the processors; *only* makes just the one of that name.

        *recipient_key* gives the key of a recipient's own names; by *state_key* digests are made of what is remembered.
        """
        made = []
        for edge in self.edges:
            if only not in (None, edge.name):
                continue
            step = (
                self._accept(codec, keyring, edge, state_key)
                if edge.kind == "accept"
                else self._release(codec, recipient_key, state_key)
            )
            rejects = {topic.removeprefix("rejects."): topic for topic in edge.writes if topic.startswith("rejects.")}
            read_by = {other.name: tuple(sorted(edge.writes.intersection(other.reads))) for other in self.edges}
            readers = {name: topics for name, topics in read_by.items() if topics}
            made.append(Processor(edge.name, step, edge.reads, edge.writes, rejects, edge.changelog, readers, edge.windows))
        return tuple(made)

    def owner(self, topic: str) -> tuple[str, str | None]:
        """Give the member whose topic this is, or ``bus``, and its kind."""
        declared = self.declarations.topics[topic]
        return declared.member or "bus", declared.kind

    def _accept(self, codec: Codec, keyring: Keyring, edge: Edge, key: bytes) -> Accept:
        topics = {}
        for name in edge.reads:
            topic = self.declarations.topic(name)
            member = self.declarations.members[str(topic.member)]
            area = None if member.area is None else Area(**member.area.model_dump())
            topics[name] = National(member.id, str(topic.kind), area)
        validator = Validator(codec.lock, self.vocabularies.has)
        return Accept(codec, keyring, validator, topics, key, self.rules(key), dict(self.file.deadlines))

    def _release(self, codec: Codec, recipient_key: Callable[[str], bytes], key: bytes) -> Release:
        desks = [
            Desk(
                recipient,
                recipient_key(recipient),
                self.policy.cuts.get(recipient, {}),
                {kind: self.policy.fingerprint(recipient, kind) for kind in KINDS},
            )
            for recipient in self.declarations.recipients
        ]
        zones = self.declarations.zones
        return Release(
            codec,
            {f"bus.{kind}": kind for kind in KINDS},
            desks,
            lambda latitude, longitude: frozenset(zones.at(latitude, longitude)),
            self.rules(key),
        )


NATIONAL = "national.{member}.{kind}"
VIEWS = "for.{recipient}.{kind}"


@dataclass(frozen=True, slots=True)
class Edge:
    """
    One processor as the graph knows it: its kind of step, its name, what it reads, all that it may write, and how it remembers.
    """

    kind: str
    name: str
    reads: tuple[str, ...]
    writes: frozenset[str]
    changelog: str
    windows: Windows


def load(root: Path, declarations: Declarations, lock: Lock, vocabularies: Vocabularies) -> Pipeline:
    """
    Read ``processors/`` of the bus at *root*.

    Raises:
        DeclarationError: everything that is wrong in the pipeline and in any agreement, at once.
    """
    faults: list[Fault] = []
    file = read(root / FILE, PipelineFile, faults, root=root)
    known = Known(
        frozenset(declarations.recipients),
        frozenset(declarations.members),
        frozenset(declarations.zones),
        vocabularies.codes("event-type@1"),
        vocabularies.codes("purpose@1"),
    )
    at = declarations.zones.at
    policy = load_policy(root / "processors" / "agreements", lock, known, lambda lat, lon: frozenset(at(lat, lon)), faults)
    if file is None:
        raise DeclarationError(faults)
    raise_all([*faults, *check(pipeline := Pipeline(file, policy, declarations, vocabularies))])
    return pipeline


def faults_alone(root: Path, lock: Lock, known: Known) -> list[Fault]:
    """
    Give what is wrong in ``processors/`` by itself, where the rest of the bus is not in order: without graph and examples.
    """
    faults: list[Fault] = []
    file = read(root / FILE, PipelineFile, faults, root=root)
    if file is not None:
        faults.extend(_name_faults(file, known.members, known.types))
    load_policy(root / "processors" / "agreements", lock, known, None, faults)
    return faults


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
    yield from _name_faults(pipeline.file, frozenset(pipeline.declarations.members), types)
    yield from _twice_faults(pipeline)


def _edge_faults(pipeline: Pipeline, edge: Edge) -> Iterator[Fault]:
    topics = pipeline.declarations.topics
    for name in (*edge.reads, *sorted(edge.writes), edge.changelog):
        if name not in topics:
            yield Fault(FILE, edge.name, f"{name} is not declared in topics/")
    counts = {topics[name].partitions for name in (*edge.reads, edge.changelog) if name in topics}
    if len(counts) > 1:
        yield Fault(FILE, edge.name, f"its topics and its changelog have {sorted(counts)} partitions; they must be equal")
    if edge.kind != "release" and any(name.startswith("for.") for name in edge.writes):
        yield Fault(FILE, edge.name, "only a release may write to a recipient")
    yield from window_faults(FILE, edge.kind, edge.name, edge.windows, pipeline.policy.agreements)
    yield from time_faults(FILE, edge.name, [topics[name] for name in edge.reads if name in topics], topics.get(edge.changelog))


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


def _name_faults(file: PipelineFile, members: frozenset[str] | None, types: frozenset[str] | None) -> Iterator[Fault]:
    for kind in (*(kind for rule in file.repeats for kind in rule.types), *file.deadlines):
        if types is not None and kind not in types | {"default"}:
            yield Fault(FILE, "repeats and deadlines", f"{kind!r} is no event type")
    for accept in file.accept:
        for member in accept.members:
            if members is not None and member not in members:
                yield Fault(FILE, accept.name, f"{member!r} is no member")


def _twice_faults(pipeline: Pipeline) -> Iterator[Fault]:
    rules = [rule.name for rule in pipeline.file.repeats]
    for key, names in (("name", [edge.name for edge in pipeline.edges]), ("repeats", rules)):
        yield from (Fault(FILE, key, f"{name!r} is there twice") for name in sorted({one for one in names if names.count(one) > 1}))
