"""
Everything that a bus does, in order, as a value: read from ``processors/``, checked whole, made into processors.

    pipeline = load(root, declarations, lock, vocabularies)
    for processor in pipeline.processors(codec, keyring, recipient_key, state_key): ...
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal

from pydantic import Field

from boutre.errors import DeclarationError, Fault
from boutre.processors.accept import Accept, National
from boutre.processors.declared_windows import WindowsFile, windows_of
from boutre.processors.finish import Finish
from boutre.processors.graph_faults import check, name_faults
from boutre.processors.handle import Processor
from boutre.processors.patterns import FILE, NATIONAL, VIEWS
from boutre.processors.policy import Known, Policy
from boutre.processors.policy import load as load_policy
from boutre.processors.receipts import TOLD
from boutre.processors.receipts import TOPIC as RECEIPTS
from boutre.processors.release import Desk, Release, no_key
from boutre.processors.repeats import Rule
from boutre.processors.safety_of_life import SafetyOfLife
from boutre.processors.scopes import Scope, Scopes, read_scopes
from boutre.processors.windows import Windows
from boutre.schemas.cases.groups import Opener
from boutre.schemas.codec import Codec
from boutre.schemas.lock import Lock
from boutre.schemas.sense import Area
from boutre.schemas.signature import Keyring
from boutre.schemas.validation import Validator
from boutre.schemas.vocabulary import Vocabularies
from boutre.topics.bus import Declarations
from boutre.topics.strict import Declared, raise_all, read

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


class AnswersFile(Declared):
    """
    The clocks of the way back: hours within which an owner replies to a request, and a recipient to a recall.
    """

    reply_hours: int = Field(ge=1)
    recall_hours: int = Field(ge=1)


class PipelineFile(Declared):
    """
    ``processors/pipeline.toml``.
    """

    accept: tuple[AcceptFile, ...] = Field(min_length=1)
    release: ReleaseFile
    deadlines: Mapping[str, int]
    answers: AnswersFile
    safety_of_life: SafetyOfLife | None = None
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
    scopes: tuple[Scope, ...] = ()

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
            frozenset(name for name, topic in topics.items() if topic.pattern in {VIEWS, TOLD}) | {RECEIPTS, "rejects.bus"},
            f"bus.{self.file.release.name}.changelog",
            windows_of(self.file.release.windows),
        )
        return (*accepts, release)

    def processors(
        self,
        codec: Codec,
        keyring: Keyring,
        recipient_key: Callable[[str], bytes],
        state_key: bytes,
        only: str | None = None,
        *,
        finish: Finish | None = None,
        opener: Opener | None = None,
    ) -> tuple[Processor, ...]:
        """
        Make the processors; *only* makes just the one of that name. *finish* seals and signs views: without it none is sealed.

        *opener* opens the personal groups of members' records: without it none need be sealed. *recipient_key* gives the key of a
        recipient's own names; by *state_key* digests are made of what is remembered.
        """
        made = []
        for edge in self.edges:
            if only not in (None, edge.name):
                continue
            step = (
                self._accept(codec, keyring, edge, state_key)
                if edge.kind == "accept"
                else self._release(codec, keyring, recipient_key, state_key, finish)
            )
            rejects = {topic.removeprefix("rejects."): topic for topic in edge.writes if topic.startswith("rejects.")}
            read_by = {other.name: tuple(sorted(edge.writes.intersection(other.reads))) for other in self.edges}
            readers = {name: topics for name, topics in read_by.items() if topics}
            done = finish if edge.kind == "release" else None
            opened = replace(step, opener=opener)
            made.append(Processor(edge.name, opened, edge.reads, edge.writes, rejects, edge.changelog, readers, edge.windows, done))
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
        recipients = frozenset(self.declarations.recipients)
        return Accept(codec, keyring, validator, topics, key, self.rules(key), dict(self.file.deadlines), recipients)

    def _release(
        self, codec: Codec, keyring: Keyring, recipient_key: Callable[[str], bytes], key: bytes, finish: Finish | None
    ) -> Release:
        desks = [
            Desk(
                recipient,
                recipient_key(recipient),
                self.policy.cuts.get(recipient, {}),
                {kind: self.policy.fingerprint(recipient, kind) for kind in KINDS},
                no_key if finish is None else partial(finish.key, recipient),
            )
            for recipient in self.declarations.recipients
        ]
        zones = self.declarations.zones
        scopes = Scopes()
        scopes.replace(self.scopes, keyring)
        return Release(
            codec,
            {f"bus.{kind}": kind for kind in KINDS},
            desks,
            lambda latitude, longitude: frozenset(zones.at(latitude, longitude)),
            self.rules(key),
            scopes,
            self.file.safety_of_life,
        )


SCOPES = "processors/scopes"


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
    scopes = read_scopes(root / SCOPES, faults, frozenset(declarations.members))
    known = Known(
        frozenset(declarations.recipients),
        frozenset(declarations.members),
        frozenset(declarations.zones),
        vocabularies.codes("event-type@1"),
        vocabularies.codes("purpose@1"),
        vocabularies.codes("person-role@1"),
        frozenset(scope.id for scope in scopes),
        vocabularies.codes("consent@1"),
        {name: zone.claims for name, zone in declarations.zones.items()},
        declarations.regions,
        None if file is None else file.safety_of_life,
    )
    at = declarations.zones.at
    policy = load_policy(root / "processors" / "agreements", lock, known, lambda lat, lon: frozenset(at(lat, lon)), faults)
    if file is None:
        raise DeclarationError(faults)
    raise_all([*faults, *check(pipeline := Pipeline(file, policy, declarations, vocabularies, scopes))])
    return pipeline


def faults_alone(root: Path, lock: Lock, known: Known) -> list[Fault]:
    """
    Give what is wrong in ``processors/`` by itself, where the rest of the bus is not in order: without graph and examples.
    """
    faults: list[Fault] = []
    file = read(root / FILE, PipelineFile, faults, root=root)
    if file is not None:
        faults.extend(name_faults(file, known.members, known.types))
        known = replace(known, lives=file.safety_of_life)
    load_policy(root / "processors" / "agreements", lock, known, None, faults)
    return faults
