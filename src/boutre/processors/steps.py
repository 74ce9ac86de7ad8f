"""
Makes the steps of a pipeline: what is declared becomes functions of one record and of what is remembered.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from boutre.processors.accept import Accept, National
from boutre.processors.correlate import Correlate
from boutre.processors.correlation.raising import Alarm
from boutre.processors.correlation.weighing import Weighing
from boutre.processors.decision import Step
from boutre.processors.detect import MEETING, Detect
from boutre.processors.edges import KINDS, MOVED, Edge
from boutre.processors.finish import Finish
from boutre.processors.hear import Hear
from boutre.processors.meet import Meet
from boutre.processors.movement.telling import TOPIC as FOUND
from boutre.processors.movement.telling import Teller, Terms
from boutre.processors.movement.track import Watch
from boutre.processors.offers import TOPIC as OFFERS
from boutre.processors.offers import Offers
from boutre.processors.own_views import Reader
from boutre.processors.release import Desk, Release, no_key
from boutre.processors.scopes import Scopes
from boutre.schemas.cases.groups import Opener
from boutre.schemas.codec import Codec
from boutre.schemas.sense import Area
from boutre.schemas.signature import Keyring
from boutre.schemas.validation import Validator

if TYPE_CHECKING:
    from boutre.processors.pipeline import Pipeline


@dataclass(frozen=True, slots=True)
class Steps:
    """
    What steps are made with.

    *recipient_key* gives the key of a recipient's own names, by *state_key* digests are made of what is remembered; *finish* names
    the keys for which views are sealed, *opener* opens the personal groups of members' records.
    """

    pipeline: Pipeline
    codec: Codec
    keyring: Keyring
    recipient_key: Callable[[str], bytes]
    state_key: bytes
    finish: Finish | None = None
    opener: Opener | None = None

    def make(self, edge: Edge) -> Step:
        """Make the step of a processor."""
        match edge.kind:
            case "accept":
                return self._accept(edge)
            case "release":
                return self._release()
            case "hear":
                return self._hear(edge)
            case "detect":
                return self._detect()
            case "meet":
                return self._meet()
            case _:
                return self._correlate()

    def _accept(self, edge: Edge) -> Accept:
        pipeline, topics = self.pipeline, {}
        for name in edge.reads:
            topic = pipeline.declarations.topic(name)
            member = pipeline.declarations.members[str(topic.member)]
            area = None if member.area is None else Area(**member.area.model_dump())
            topics[name] = National(member.id, str(topic.kind), area)
        return Accept(
            self.codec,
            self.keyring,
            Validator(self.codec.lock, pipeline.vocabularies.has),
            topics,
            self.state_key,
            pipeline.rules(self.state_key),
            dict(pipeline.file.deadlines),
            frozenset(pipeline.declarations.recipients),
            opener=self.opener,
        )

    def _release(self) -> Release:
        pipeline = self.pipeline
        desks = [
            Desk(
                recipient,
                self.recipient_key(recipient),
                pipeline.policy.cuts.get(recipient, {}),
                {kind: pipeline.policy.fingerprint(recipient, kind) for kind in KINDS},
                self._key_at(recipient),
            )
            for recipient in pipeline.declarations.recipients
        ]
        scopes = Scopes()
        scopes.replace(pipeline.scopes, self.keyring)
        return Release(
            self.codec,
            {f"bus.{kind}": kind for kind in KINDS} | {FOUND.format(kind=kind): kind for kind in MOVED},
            desks,
            self._zones_at,
            pipeline.rules(self.state_key),
            scopes,
            pipeline.file.safety_of_life,
            opener=self.opener,
            offers=self._offers(),
        )

    def _detect(self) -> Detect:
        pipeline = self.pipeline
        assert pipeline.file.detect is not None  # there is no such edge without it
        assert pipeline.movement is not None
        watch = Watch(pipeline.movement, pipeline.declarations.zones)
        kinds = {f"bus.{kind}": kind for kind in MOVED}
        declared = pipeline.file.detect
        contacts = frozenset(() if declared.contacts is None else declared.contacts.of)
        return Detect(self.codec, kinds, frozenset(declared.of), watch, self._teller(), contacts)

    def _meet(self) -> Meet:
        declared = self.pipeline.file.detect
        assert declared is not None  # as above
        assert self.pipeline.movement is not None
        kinds, teller, contacts = {MEETING.format(kind=kind): kind for kind in MOVED}, self._teller(), declared.contacts
        own = {} if contacts is None else {name: replace(teller, member=contacts.member, only=name) for name in contacts.of}
        return Meet(self.codec, kinds, self.pipeline.movement, teller, own)

    def _teller(self) -> Teller:
        declared = self.pipeline.file.detect
        assert declared is not None  # as above
        return Teller(self.codec, declared.member, Terms(declared.purposes, declared.retention_days, declared.legal_basis))

    def _offers(self) -> Offers | None:
        declared, models = self.pipeline.file.correlate, self.pipeline.models
        if declared is None or models is None:
            return None
        return Offers(self.codec, declared.cell_deg, tuple(map(Weighing, models.matchers())))

    def _hear(self, edge: Edge) -> Hear:
        topics = self.pipeline.declarations.topics
        return Hear(self.codec, {name: str(topics[name].recipient) for name in edge.reads})

    def _correlate(self) -> Correlate:
        pipeline = self.pipeline
        assert pipeline.file.correlate is not None  # there is no such edge without it
        weighings = () if pipeline.models is None else tuple(map(Weighing, pipeline.models.matchers()))
        made_by = [one.matcher.model.rule for one in weighings]
        readers = {
            name: Reader(name, self.recipient_key(name), declared.body, ",".join(made_by), self._key_at(name))
            for name, declared in pipeline.declarations.recipients.items()
        }
        lives = pipeline.file.safety_of_life
        at_risk = frozenset() if lives is None else frozenset(lives.types)
        alarm = None if pipeline.alerts is None else Alarm(pipeline.alerts, self._zones_at, at_risk)
        kinds = {OFFERS.format(kind=kind): kind for kind in KINDS}
        return Correlate(self.codec, kinds, readers, weighings, pipeline.file.correlate.cell_deg, alarm)

    def _key_at(self, recipient: str) -> Callable[..., str | None]:
        return no_key if self.finish is None else partial(self.finish.key, recipient)

    def _zones_at(self, latitude: float, longitude: float) -> frozenset[str]:
        return frozenset(self.pipeline.declarations.zones.at(latitude, longitude))
