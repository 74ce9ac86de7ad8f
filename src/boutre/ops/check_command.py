"""
``boutre check`` and ``boutre graph``: what is declared, proved without a broker, and drawn.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

import click

from boutre.connectors import examples, feeds
from boutre.connectors.known import Known
from boutre.errors import DeclarationError, Fault
from boutre.ops.alarms import declared as alarms
from boutre.ops.assembly import assemble
from boutre.ops.clocks import declared as clocks
from boutre.ops.command import with_settings
from boutre.ops.lag import declared as lag
from boutre.ops.panels import declared as dashboards
from boutre.ops.settings import Settings
from boutre.processors import pipeline, policy
from boutre.processors.alerts import rules
from boutre.processors.matching import model, models
from boutre.processors.movement import thresholds
from boutre.processors.movement.detection import ANOMALY
from boutre.processors.picture import mermaid
from boutre.schemas import lock, locking, vocabulary
from boutre.schemas.codec import Codec
from boutre.schemas.lock import Lock
from boutre.schemas.validation import Validator
from boutre.schemas.vocabulary import Vocabularies
from boutre.topics import bus
from boutre.topics.bus import Declarations
from boutre.topics.strict import raise_all

T = TypeVar("T")


@click.command(epilog="Example: boutre check")
@with_settings
def check(settings: Settings) -> None:
    """
    Prove all that is declared: schemas, locks, topics, zones, agreements and alerts with their examples, models, graph, feeds.

    Needs no broker. Tells everything that is wrong at once, with file and key; exit status 2.
    """
    root = settings.folder()
    proof = _Proof()
    proof.of(lambda: locking.check(lock.folder_of(root)))
    locked = proof.of(lambda: lock.load(lock.folder_of(root)))
    words = proof.of(lambda: vocabulary.load(lock.folder_of(root) / "vocabularies"))
    if locked is not None and words is not None:
        click.echo(f"schemas     locked and compatible in {lock.folder_of(root)}", err=True)
    declarations = proof.of(lambda: bus.load(root))
    # Without schemas nothing says what a field is; all else is read by itself, so that no fault hides one of another room.
    if locked is not None:
        _processors(root, proof, locked, words, declarations)
    _matching(root, proof)
    _movement(root, proof)
    _alerts(root, proof, words, declarations)
    _connectors(root, proof, locked, words)
    if declarations is not None:
        _clocks(root, proof, declarations)
    _watched(root, proof)
    raise_all(proof.faults)


@click.command(epilog="Example: boutre graph > pipeline.mmd")
@with_settings
def graph(settings: Settings) -> None:
    """Draw the pipeline as Mermaid: members, steps, recipients and the topics between them."""
    click.echo(mermaid(assemble(settings.folder()).pipeline), nl=False)


@dataclass(slots=True)
class _Proof:
    """Everything that was found wrong so far, each once."""

    faults: list[Fault] = field(default_factory=list)

    def add(self, faults: list[Fault]) -> None:
        self.faults += [fault for fault in faults if fault not in self.faults]

    def of(self, read: Callable[[], T]) -> T | None:
        """Read something; None where it cannot be read, and the faults are kept. A list is one of faults."""
        try:
            found = read()
        except DeclarationError as error:
            self.add(list(error.faults))
            return None
        if isinstance(found, list):
            self.add(found)
        return found


def _processors(root: Path, proof: _Proof, locked: Lock, words: Vocabularies | None, declarations: Declarations | None) -> None:
    if words is None or declarations is None:
        names = bus.names(root)
        known = policy.Known(names.recipients, names.members, names.zones)
        if words is not None:
            known = replace(known, types=words.codes("event-type@1"), purposes=words.codes("purpose@1"))
        proof.of(lambda: pipeline.faults_alone(root, locked, known))
        return
    made = proof.of(lambda: pipeline.load(root, declarations, locked, words))
    if made is not None:
        agreements = made.policy.agreements
        tried = sum(len(agreement.example) for agreement in agreements)
        click.echo(
            f"processors  {len(declarations.topics)} topics, {len(declarations.members)} members, "
            f"{len(declarations.recipients)} recipients, {len(declarations.zones)} zones, {len(agreements)} agreements, "
            f"{tried} examples",
            err=True,
        )


def _matching(root: Path, proof: _Proof) -> None:
    # A bus that links nothing declares nothing of it.
    read = proof.of(lambda: models.of(root)) if (root / model.FOLDER).is_dir() else None
    if read is not None:
        compared = sum(len(one.file.comparison) for one in read.models)
        click.echo(f"matching    {len(read.models)} models, {compared} comparisons", err=True)


def _movement(root: Path, proof: _Proof) -> None:
    faults: list[Fault] = []
    read = thresholds.load(root, faults) if (root / "processors" / thresholds.FILE).is_file() else None
    proof.add(faults)
    if read is not None:
        click.echo(f"movement    thresholds of version {read.version}, {len(read.port)} ports", err=True)


def _alerts(root: Path, proof: _Proof, words: Vocabularies | None, declarations: Declarations | None) -> None:
    zones = None if declarations is None else frozenset(declarations.zones)
    faults: list[Fault] = []
    read = rules.load(root, rules.Known(words, zones, frozenset(ANOMALY)), faults)
    proof.add(faults)
    if read is not None and not faults:
        tried = sum(len(rule.example) for rule in read.every)
        click.echo(f"alerts      {len(read.every)} rules, {tried} examples", err=True)


def _clocks(root: Path, proof: _Proof, declarations: Declarations) -> None:
    faults: list[Fault] = []
    lag.load(root, declarations, faults)
    # By name alone: what is wrong with a feed is told by its own room.
    clocks.load(root, declarations, (path.stem for path in (root / feeds.FOLDER).glob("*.toml")), faults)
    proof.add(faults)


def _watched(root: Path, proof: _Proof) -> None:
    # What wakes people and what they look at; a bus may have neither.
    faults: list[Fault] = []
    given, drawn = alarms.load(root, faults), dashboards.load(root, faults)
    proof.add(faults)
    if not faults and (given is not None or drawn is not None):
        click.echo(
            f"operations  {len(given.alarm) if given else 0} alarms, {len(drawn.dashboard) if drawn else 0} dashboards", err=True
        )


def _connectors(root: Path, proof: _Proof, locked: Lock | None, words: Vocabularies | None) -> None:
    known = Known.of(locked, words.has) if locked is not None and words is not None else None
    members = bus.names(root).members
    names = sorted(path.stem for path in (root / feeds.FOLDER).glob("*.toml"))
    read = [proof.of(partial(feeds.one, root, name, known, members)) for name in names]
    found = [feed for feed in read if feed is not None]
    if locked is not None and words is not None:
        codec, validate = Codec(locked), Validator(locked, words.has).check
        for feed in found:
            proof.add(list(examples.check(feed, codec, validate, datetime.now(UTC))))
    if len(found) == len(names):
        click.echo(f"connectors  {len(found)} feeds, {sum(len(feed.examples) for feed in found)} examples", err=True)
