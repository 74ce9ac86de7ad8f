"""
A recall as its member's desk sends it: the retraction of one record, signed with the member's key.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from boutre.errors import DeclarationError, Fault
from boutre.ops.assembly import Assembly, keys_of
from boutre.ops.one_message import send
from boutre.ops.settings import Settings
from boutre.processors.accept import national_key
from boutre.schemas.identity import record_id
from boutre.schemas.signature import sign_batch
from boutre.schemas.validation import Validator

KIND: Final = "retraction"
FEED: Final = "desk"
"""The feed that such a recall says it comes from: a person, and no connector."""

SCOPES: Final = ("retract", "erase")


@dataclass(frozen=True, slots=True)
class Recall:
    """
    That *member* takes a *record* of *kind* back: how far, and why. *subject* is the MMSI under which it was sent, for AIS.
    """

    member: str
    record: str
    kind: str
    scope: str
    reason: str
    subject: str | None = None
    tlp: str = "AMBER"

    def value(self, now: datetime) -> dict[str, Any]:
        """
        Give the record of it. Sent again it is another recall, and tells the same.
        """
        moment = now.astimezone(UTC)
        reference = f"{self.scope} {self.record} {moment.isoformat(timespec='milliseconds')}"
        return {
            "id": record_id(self.member, KIND, FEED, reference, 0),
            "lifecycle": {"status": "initial", "revision": 0},
            "origin": {"member": self.member, "feed": FEED, "reference": reference},
            "times": {"observed": {"at": moment, "precision": "second"}, "received_at": moment},
            "recall": {
                "record": self.record, "subject": self.subject, "kind": self.kind, "scope": self.scope, "reason": self.reason,
            },
            "handling": {"tlp": self.tlp},
        }  # fmt: skip


def send_recall(settings: Settings, assembly: Assembly, recall: Recall, now: datetime) -> str:
    """
    Sign a recall and send it; gives its id. Raises DeclarationError where the bus would refuse it, Unavailable where Kafka does.
    """
    private: Ed25519PrivateKey = keys_of(settings).private(recall.member)
    codec, value = assembly.codec, recall.value(now)
    frame = codec.encode(KIND, value)
    problems = Validator(codec.lock, assembly.vocabularies.has).check(KIND, codec.decode(frame).value, now)
    if problems:
        raise DeclarationError(
            [Fault("recall", str(problem.field), f"{problem.code} {problem.detail}".strip()) for problem in problems]
        )
    topic = f"national.{recall.member}.{KIND}"
    (headers,) = sign_batch(private, [(topic, frame)])
    send(settings, topic, national_key(value), frame, tuple(headers.items()))
    return str(value["id"])
