"""
Everything that a bus does, in order, as a value: read from ``processors/``, checked whole, made into processors.

    pipeline = load(root, declarations, lock, vocabularies)
    for processor in pipeline.processors(codec, keyring, recipient_key, state_key): ...
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from boutre.errors import DeclarationError, Fault
from boutre.processors.alerts import rules as alerts
from boutre.processors.alerts.rules import Rules as Alerts
from boutre.processors.edges import Edge, edges_of
from boutre.processors.finish import Finish
from boutre.processors.graph_faults import check, name_faults
from boutre.processors.handle import Processor
from boutre.processors.matching import models as matching
from boutre.processors.matching.models import Models
from boutre.processors.movement import thresholds
from boutre.processors.movement.detection import ANOMALY
from boutre.processors.movement.thresholds import Thresholds
from boutre.processors.patterns import FILE
from boutre.processors.pipeline_file import PipelineFile
from boutre.processors.policy import Known, Policy
from boutre.processors.policy import load as load_policy
from boutre.processors.repeats import Rule
from boutre.processors.scopes import Scope, read_scopes
from boutre.processors.steps import Steps
from boutre.schemas.cases.groups import Opener
from boutre.schemas.codec import Codec
from boutre.schemas.lock import Lock
from boutre.schemas.signature import Keyring
from boutre.schemas.vocabulary import Vocabularies
from boutre.topics.bus import Declarations
from boutre.topics.strict import raise_all, read

FINISHED: Final = frozenset({"release", "correlate"})
"""The kinds of processors whose views are sealed and signed."""


WATCHING: Final = frozenset({"detect", "meet"})
"""The kinds of processors for which nobody waits: what they find may come later than the reports that it is found in."""


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
    models: Models | None = None
    alerts: Alerts | None = None
    movement: Thresholds | None = None

    def rules(self, key: bytes) -> tuple[Rule, ...]:
        """Make the rules of repeats, which compare digests by *key*."""
        return tuple(Rule(one.name, frozenset(one.kinds), frozenset(one.types), one.cell_deg, key) for one in self.file.repeats)

    @property
    def edges(self) -> tuple[Edge, ...]:
        """What reads what and writes what: the graph that is checked and drawn."""
        return edges_of(self.file, self.declarations.topics)

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
        steps = Steps(self, codec, keyring, recipient_key, state_key, finish, opener)
        made = []
        for edge in self.edges:
            if only not in (None, edge.name):
                continue
            rejects = {topic.removeprefix("rejects."): topic for topic in edge.writes if topic.startswith("rejects.")}
            awaited = (other for other in self.edges if other.kind not in WATCHING)
            read_by = {other.name: tuple(sorted(edge.writes.intersection(other.reads))) for other in awaited}
            readers = {name: topics for name, topics in read_by.items() if topics}
            done = finish if edge.kind in FINISHED else None
            made.append(
                Processor(
                    edge.name,
                    steps.make(edge),
                    edge.reads,
                    edge.writes,
                    rejects,
                    edge.changelog,
                    readers,
                    edge.windows,
                    done,
                    self.alerts if edge.kind == "correlate" else None,
                )
            )
        return tuple(made)

    def owner(self, topic: str) -> tuple[str, str | None]:
        """Give the member whose topic this is, or ``bus``, and its kind."""
        declared = self.declarations.topics[topic]
        return declared.member or "bus", declared.kind


SCOPES = "processors/scopes"


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
    correlated = file is not None and file.correlate is not None
    models = matching.load(root, faults) if correlated else None
    raised = alerts.load(root, alerts_known(declarations, vocabularies), faults) if correlated else None
    moved = None if file is None or file.detect is None else thresholds.load(root, faults)
    if file is None:
        raise DeclarationError(faults)
    pipeline = Pipeline(file, policy, declarations, vocabularies, scopes, models, raised, moved)
    raise_all([*faults, *check(pipeline)])
    return pipeline


def alerts_known(declarations: Declarations, vocabularies: Vocabularies) -> alerts.Known:
    """
    Give what rules of alerts may name.
    """
    names = {name: {"en": member.names.en, "fr": member.names.fr} for name, member in declarations.members.items()}
    return alerts.Known(vocabularies, frozenset(declarations.zones), frozenset(ANOMALY), names)


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
