"""
A bus in rehearsal: what accept and release would make of records, under the agreements that stand or others that are proposed.

No broker, and no secret: keys are made for the occasion and thrown away, so that an integrator can ask before anything is
published. Only the list of public keys is read where there is one, since it says which scopes are active.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from boutre.errors import Refuse
from boutre.ops.assembly import Assembly, assemble, keys_of
from boutre.ops.proposal import is_bus, read_proposal
from boutre.ops.settings import Settings
from boutre.processors.accept import national_key
from boutre.processors.decision import EPOCH, Emit, Inbound, Reject
from boutre.processors.edges import KINDS
from boutre.processors.handle import Processor
from boutre.processors.pipeline import Pipeline
from boutre.processors.release import Release
from boutre.processors.replay import in_force_always
from boutre.schemas.cases.groups import Opener
from boutre.schemas.fields import FieldInfo, walk
from boutre.schemas.keys.folder import MEMBERS, RECIPIENTS
from boutre.schemas.keys.lists import SealingKeys
from boutre.schemas.signature import KEY_HEADER, SIGNATURE_HEADER, Keyring, key_id, sign


@dataclass(frozen=True)
class Rehearsal:
    """
    A bus whose steps are asked without anything being kept or sent.

    *public* are the members' real public keys, *sealing* those of recipients, None where this machine has no list of them. *opener*
    opens what members have sealed, where the vault is on this machine; elsewhere it stays sealed, and is given to nobody.
    """

    assembly: Assembly
    public: Keyring
    sealing: SealingKeys | None = None
    opener: Opener | None = None
    _privates: dict[str, Ed25519PrivateKey] = field(default_factory=dict, repr=False)
    _accepts: dict[str, Processor | None] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, settings: Settings) -> Rehearsal:
        """Read the bus of *settings*; DeclarationError with all that is wrong in a room."""
        keys = keys_of(settings)
        public = keys.keyring() if (settings.keys / MEMBERS).is_file() else Keyring({})
        sealing = keys.sealing_keys() if (settings.keys / RECIPIENTS).is_file() else None
        assembly = assemble(settings.folder())
        opener = Opener(assembly.codec, keys.cases.open().opening, demands=False) if keys.cases.there else None
        return cls(assembly, public, sealing, opener)

    @cached_property
    def fields(self) -> Mapping[str, tuple[FieldInfo, ...]]:
        """The fields of each kind that is released."""
        return {kind: tuple(walk(self.assembly.codec.lock.latest(kind).schema)) for kind in KINDS}

    @cached_property
    def release(self) -> Processor:
        """The release."""
        (made,) = self.assembly.pipeline.processors(
            self.assembly.codec, self.public, _digest, _digest("state"), self.assembly.pipeline.file.release.name
        )
        return made

    @cached_property
    def step(self) -> Release:
        """The step of the release; a recipient whose keys are not known here is supposed to have one in force."""
        made = self.release.step
        assert isinstance(made, Release)
        return replace(made, desks=[replace(desk, seal=self._sealed(desk.recipient)) for desk in made.desks], opener=self.opener)

    def _sealed(self, recipient: str) -> Callable[[datetime], str | None]:
        keys = self.sealing
        return (lambda _: "supposed") if keys is None else partial(keys.at, recipient)

    def proposed(self, folder: Path) -> Rehearsal:
        """
        Give this bus under the agreements of another folder, or another bus where *folder* is one.

        Raises DeclarationError with all that is wrong there, the examples included, named by their files in *folder*.
        """
        if is_bus(folder):
            return replace(self, assembly=assemble(folder), _privates={}, _accepts={})
        at, words = self.assembly, self.assembly.vocabularies
        return self._with(read_proposal(at.root, at.declarations, at.codec.lock, words, folder))

    def always(self) -> Rehearsal:
        """Give this bus with every agreement in force at any time."""
        made = self.assembly.pipeline
        return self._with(replace(made, policy=in_force_always(made.policy)))

    def _with(self, made: Pipeline) -> Rehearsal:
        return replace(self, assembly=replace(self.assembly, pipeline=made), _privates={}, _accepts={})

    def accept(self, kind: str, value: Mapping[str, Any], now: datetime) -> dict[str, Any]:
        """
        Give a member's record as it would stand on ``bus.<kind>``, accepted at *now*. Raises Refuse where it would be rejected.
        """
        origin = value.get("origin")
        member = str(origin.get("member")) if isinstance(origin, Mapping) else ""
        topic = f"national.{member}.{kind}"
        processor = self._accepts.get(topic) or self._accepts.setdefault(topic, self._accept(member, topic))
        if processor is None:
            raise Refuse("foreign-member", field="origin.member")
        codec, private = self.assembly.codec, self._private(member)
        frame = codec.encode(kind, value)
        headers = {KEY_HEADER: key_id(private.public_key()).encode(), SIGNATURE_HEADER: sign(private, topic, frame)}
        stamp = round((now.astimezone(UTC) - EPOCH).total_seconds() * 1000)
        decision = processor.step(Inbound(topic, 0, 0, national_key(value).encode(), frame, headers, stamp), {})
        if isinstance(decision, Reject):
            raise Refuse(decision.code, field=decision.field)
        if not isinstance(decision, Emit):
            raise Refuse("internal-error")
        return codec.decode(decision.records[0].value).value

    def opened(self, kind: str, value: Mapping[str, Any]) -> Mapping[str, Any]:
        """
        Give an accepted record with its personal groups open, where this machine can open them. Raises Refuse where it was erased.
        """
        codec = self.assembly.codec
        return value if self.opener is None else self.opener(codec.decode(codec.encode(kind, value))).value

    def _accept(self, member: str, topic: str) -> Processor | None:
        keyring = Keyring({key_id(self._private(member).public_key()): (member, self._private(member).public_key())})
        made, codec = self.assembly.pipeline, self.assembly.codec
        every = (made.processors(codec, keyring, _digest, _digest("state"), accept.name) for accept in made.file.accept)
        return next((one for each in every for one in each if topic in one.reads), None)

    def _private(self, member: str) -> Ed25519PrivateKey:
        return self._privates.setdefault(member, Ed25519PrivateKey.generate())


def _digest(name: str) -> bytes:
    """A key for a rehearsal: nothing made by it is kept."""
    return hashlib.sha256(b"boutre rehearsal " + name.encode()).digest()
