"""
Would the bus take this record now? Asked of accept itself, the step that takes it there; needs no broker and no key.

What accept alone can know is not asked: whether a report of that id was accepted before, and whether the case keys are known to the
bus. Signatures are made when something is sent; here accept believes one of a key that was made for the question.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from boutre.errors import Refuse
from boutre.ops.record_input import NoRecord, Reading
from boutre.processors.accept import Accept, National, national_key
from boutre.processors.decision import EPOCH, Inbound, Reject
from boutre.schemas.codec import Codec
from boutre.schemas.fields import FieldInfo, walk
from boutre.schemas.sense import Area, Problem
from boutre.schemas.signature import Keyring, key_id, sign_batch
from boutre.schemas.validation import Validator
from boutre.topics.bus import Declarations

PATTERN: Final = "national.{member}.{kind}"


@dataclass(frozen=True, slots=True)
class Gate:
    """
    Accept for the records of one *member*; made by ``gate_of``.
    """

    member: str
    codec: Codec
    fields: Mapping[str, tuple[FieldInfo, ...]]
    _accept: Accept
    _private: Ed25519PrivateKey = field(repr=False)

    def topic(self, kind: str) -> str:
        """Give the topic of a kind; Refuse where this member publishes none of it."""
        name = f"national.{self.member}.{kind}"
        if name not in self._accept.topics:
            raise Refuse("wrong-kind", field="kind")
        return name

    def typed(self, kind: str, document: Mapping[str, Any]) -> Mapping[str, Any] | Problem:
        """Give plain data as a record with the types of its schema and the id that it must have, or what is wrong with it."""
        plain = {name: value for name, value in document.items() if name != "id"}
        try:
            return Reading(self.codec, self.fields).document({"kind": kind, "value": plain}, "value").value
        except NoRecord as fault:
            # It says where and what was expected, and nothing of what stands there.
            return Problem("wrong-type", detail=str(fault))

    def problem(self, kind: str, value: Mapping[str, Any], now: datetime) -> Problem | None:
        """Say why the bus would refuse this record at *now* (UTC); None where it would take it."""
        try:
            topic = self.topic(kind)
            frame = self.codec.encode(kind, value)
            key = national_key(value).encode()
        except Refuse as refused:
            return Problem(refused.code, refused.field)
        except (TypeError, KeyError, AttributeError):
            return Problem("wrong-type")
        (headers,) = sign_batch(self._private, [(topic, frame)])
        stamp = round((now.astimezone(UTC) - EPOCH).total_seconds() * 1000)
        decision = self._accept(Inbound(topic, 0, 0, key, frame, headers, stamp), {})
        return Problem(decision.code, decision.field, decision.detail) if isinstance(decision, Reject) else None


def gate_of(declarations: Declarations, codec: Codec, validator: Validator, member: str) -> Gate:
    """
    Make the gate of a member; KeyError where it is none of the bus.
    """
    declared, private = declarations.members[member], Ed25519PrivateKey.generate()
    area = None if declared.area is None else Area(**declared.area.model_dump())
    topics = {topic.name: National(member, str(topic.kind), area) for topic in declarations.of(PATTERN) if topic.member == member}
    ring = Keyring({key_id(private.public_key()): (member, private.public_key())})
    known = frozenset(declarations.recipients)
    accept = Accept(codec, ring, validator, topics, b"\0" * 32, recipients=known)
    fields = {one.kind: tuple(walk(codec.lock.latest(one.kind).schema)) for one in topics.values()}
    return Gate(member, codec, fields, accept, private)
