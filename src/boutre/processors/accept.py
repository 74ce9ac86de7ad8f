"""
Accept: let each report through once, proved and checked, and say what it repeats.

Verifies the member's signature, reads the record as hostile, checks that it is its member's and makes sense, drops the same report
come again and marks another report of the same event. What cannot be accepted is rejected with its reason, to its owner.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from boutre.errors import Refuse
from boutre.processors.decision import Decision, Drop, Emit, Inbound, Outbound, Reject, Seen, State
from boutre.processors.digests import differ, named_digest
from boutre.processors.repeats import Rule, look
from boutre.schemas.cases.groups import Opener
from boutre.schemas.codec import MAX_REPORT_BYTES, Codec, Decoded
from boutre.schemas.identity import record_id
from boutre.schemas.sense import Area
from boutre.schemas.signature import Keyring
from boutre.schemas.validation import Validator

LARGEST = MAX_REPORT_BYTES
"""The most bytes of a national record."""

REMEMBERS: Final = frozenset({"id", "repeat"})
"""The classes of keys that accept remembers, each with its window in ``processors/pipeline.toml``."""

DEFAULT: Final = "default"
"""The class of deadline of what has none of its own."""

SAME_REPORT = "same-report"
"""Why accept drops: the same report, byte for byte in what it says, was accepted before."""


@dataclass(frozen=True, slots=True)
class National:
    """
    What a national topic may hold: the records of one member and kind; *area* is where that member's positions lie.
    """

    member: str
    kind: str
    area: Area | None = None


@dataclass(frozen=True, slots=True)
class Accept:
    """
    The step from ``national.<member>.<kind>`` to ``bus.<kind>``.

    *deadlines* are seconds after the event, by event type, within which a record must be accepted not to be late; the entry
    ``default`` holds for every other type. By *key* digests are made of what is remembered. A record may be limited to *recipients*
    only that exist: one that is misspelt would silently leave it to fewer than its owner meant.

    *opener* opens personal groups for the look that is taken here; what goes on stays sealed. Without it nothing need be sealed,
    and what is sealed is not looked at.
    """

    codec: Codec
    keyring: Keyring
    validator: Validator
    topics: Mapping[str, National]
    key: bytes = field(repr=False)
    rules: tuple[Rule, ...] = ()
    deadlines: Mapping[str, float] = field(default_factory=dict)
    recipients: frozenset[str] | None = None
    opener: Opener | None = None

    def __call__(self, record: Inbound, state: State, /) -> Decision:
        """
        Decide on one national record.
        """
        national = self.topics.get(record.topic)
        now = record.accepted
        if national is None or now is None:
            return Reject("internal-error", detail="undeclared topic" if national is None else "no time of acceptance")
        identifier: str | None = None
        try:
            decoded = self._proved(national, record)
            opened = decoded if self.opener is None else self.opener(decoded)
            value = opened.value
            # From here on the id is known to be this member's own. A reject is told under it, unless a report of that id was
            # accepted before: then this is another input, told by where it stood.
            identifier = None if f"id:{value['id']}" in state else str(value["id"])
            _well_keyed(record, value)
            self._named(value)
        except Refuse as refusal:
            return Reject(refusal.code, refusal.field, input_id=identifier)
        problems = self.validator.check(national.kind, value, now, national.area)
        if problems:
            rest = "; ".join(f"{problem.field}: {problem.code}" for problem in problems[1:8])
            detail = "; ".join(filter(None, (problems[0].detail, rest)))
            return Reject(problems[0].code, problems[0].field, detail, identifier)
        return self._once(record, decoded, opened, state, now=now)

    def _named(self, value: Mapping[str, Any]) -> None:
        """Refuse a record that is limited to somebody whom nobody knows."""
        handling = value.get("handling")
        named = handling.get("release_to") if isinstance(handling, Mapping) else None
        if named and self.recipients is not None and not self.recipients.issuperset(named):
            raise Refuse("unknown-code", field="handling.release_to")

    def _proved(self, national: National, record: Inbound) -> Decoded:
        """Read a record that this member wrote for this topic; Refuse where it is anything else."""
        if record.refused is not None:
            raise Refuse(record.refused)
        frame = record.value or b""
        if len(frame) > LARGEST:
            raise Refuse("too-large")
        self.keyring.verify(national.member, record.topic, frame, record.headers)
        decoded = self.codec.decode(frame, frozenset({national.kind}))
        _belongs(national, decoded.value)
        return decoded

    def _once(self, record: Inbound, decoded: Decoded, opened: Decoded, state: State, *, now: datetime) -> Decision:
        kind, value = opened.kind, opened.value
        identifier = str(value["id"])
        content = self._content(opened)
        known = state.get(f"id:{identifier}")
        if known is not None:
            # By another key it cannot be told whether it says the same, and what was accepted once is not accepted twice.
            return Reject("changed-without-revision", "id") if differ(known, content) else Drop(SAME_REPORT)
        found = look(self.rules, kind, value, state)
        seen = self._seen(value, now)
        times = {**value["times"], "accepted_at": now, "late": seen.met is False}
        repeats = None if found.earlier is None else {"id": found.earlier, "rule": found.rule}
        accepted = decoded.frame_with({"times": times, "lifecycle": {**value["lifecycle"], "repeats": repeats}})
        out = Outbound(f"bus.{kind}", lane(value).encode(), accepted, record.timestamp)
        # An exercise keeps no deadline of the world, nor breaks one.
        return Emit((out,), {**found.changes, f"id:{identifier}": content}, seen=None if value.get("exercise") else seen)

    def _seen(self, value: Mapping[str, Any], now: datetime) -> Seen:
        event = value.get("event")
        kind = str(event.get("type")) if isinstance(event, Mapping) else DEFAULT
        deadline = kind if kind in self.deadlines else DEFAULT
        seconds = self.deadlines.get(deadline)
        observed = (value["times"].get("observed") or {}).get("at")
        if observed is None:
            return Seen(None, deadline, None)
        lapse = now - observed
        return Seen(lapse.total_seconds(), deadline, None if seconds is None else lapse <= timedelta(seconds=seconds))

    def _content(self, decoded: Decoded) -> str:
        """Give a digest of what the report says, without when and from where in its source it came."""
        without: dict[str, Any] = {"times": {**decoded.value["times"], "received_at": None}}
        if "provenance" in decoded.value:
            without["provenance"] = None
        return named_digest(self.key, decoded.frame_with(without))


def lane(value: Mapping[str, Any]) -> str:
    """
    Give the key under which records that may speak of one another travel: one member's reports, or one MMSI's AIS.

    A retraction travels in the lane of the record that it takes back.
    """
    member = str(value["origin"]["member"])
    recall = value.get("recall")
    subject = recall.get("subject") if isinstance(recall, Mapping) else _mmsi(value)
    return f"{member}:{subject}" if subject else member


def national_key(value: Mapping[str, Any]) -> str:
    """
    Give the key that a national record must have: its MMSI for a position by AIS, its id for everything else.
    """
    return _mmsi(value) or str(value["id"])


def _mmsi(value: Mapping[str, Any]) -> str | None:
    event, claims = value.get("event"), value.get("claims")
    if not isinstance(event, Mapping) or event.get("type") != "ais" or not isinstance(claims, list):
        return None
    return next((str(claim["value"]) for claim in claims if claim["attribute"] == "mmsi"), None)


def _belongs(national: National, value: Mapping[str, Any]) -> None:
    """Prove that the record is its topic's member's, and that its id is the one which its contents give."""
    origin, lifecycle = value.get("origin"), value.get("lifecycle")
    if not isinstance(origin, Mapping) or not isinstance(lifecycle, Mapping):
        raise Refuse("missing-field", field="origin" if not isinstance(origin, Mapping) else "lifecycle")
    if origin.get("member") != national.member:
        raise Refuse("foreign-member", field="origin.member")
    revision = lifecycle.get("revision") or 0
    wanted = record_id(national.member, national.kind, str(origin.get("feed")), str(origin.get("reference")), revision)
    if value["id"] != wanted:
        raise Refuse("bad-identifier", field="id")


def _well_keyed(record: Inbound, value: Mapping[str, Any]) -> None:
    if record.key != national_key(value).encode():
        raise Refuse("wrong-key", field="id")
    if not isinstance(value.get("times"), Mapping):
        raise Refuse("missing-field", field="times")
