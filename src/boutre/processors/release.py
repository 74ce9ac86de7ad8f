"""
Release: for each recipient that the agreements name, one cut of the record, and one receipt of what became of it.

What a recipient has had already is not sent twice: neither the same view, nor another report of the same event whose cut tells it
nothing new. A repeat is only a repeat for a recipient who gets every field by which it was found; for others it is a report.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from boutre.errors import Refuse
from boutre.processors.accept import lane
from boutre.processors.conditions import ZonesAt, refusal
from boutre.processors.cut import Cut, FieldState
from boutre.processors.decision import Decision, Emit, Inbound, Outbound, Reject, Released, State
from boutre.processors.repeats import Rule
from boutre.schemas.codec import Codec
from boutre.schemas.identity import pseudonym, receipt_id, view_id

DIGESTS = 64
"""Digests of cuts remembered for one record and recipient; beyond them a repeat is sent again rather than lost."""

NOT_SUBSTANCE = frozenset({"id", "lifecycle", "provenance", "view", "unmapped", "narrative"})
"""Groups that differ between two reports of one event without telling a recipient more of it, beside the times of reporting."""


@dataclass(frozen=True, slots=True)
class Desk:
    """
    One recipient: its key, from which its own names and ids are made, and its cuts by kind.
    """

    recipient: str
    key: bytes
    cuts: Mapping[str, tuple[Cut, ...]]
    policies: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What became of the record for one recipient."""

    outcome: str
    reason: str | None = None
    view: str | None = None
    agreements: tuple[str, ...] = ()
    states: tuple[FieldState, ...] = ()
    commitment: bytes | None = None
    out: Outbound | None = None
    digest: str | None = None


@dataclass(frozen=True, slots=True)
class Release:
    """
    The step from ``bus.<kind>`` to ``for.<recipient>.<kind>`` and ``bus.receipt``.
    """

    codec: Codec
    kinds: Mapping[str, str]
    desks: Sequence[Desk]
    zones_at: ZonesAt
    rules: tuple[Rule, ...] = ()

    def __call__(self, record: Inbound, state: State, /) -> Decision:
        """
        Decide, for every recipient, what it gets of one accepted record.
        """
        kind = self.kinds.get(record.topic)
        if kind is None:
            return Reject("internal-error", detail="undeclared topic")
        try:
            value = self.codec.decode(record.value, frozenset({kind})).value
        except Refuse as refused:
            return Reject(refused.code, refused.field)
        had = _Memory.of(value, state)
        outcomes = [(desk, self._decide(desk, kind, value, record, had)) for desk in self.desks]
        receipts = [self._receipt(desk, kind, value, record, outcome) for desk, outcome in outcomes]
        views = [outcome.out for _, outcome in outcomes if outcome.out is not None]
        changes = had.changes(kind, value, {desk.recipient: outcome.digest for desk, outcome in outcomes if outcome.digest})
        released = tuple(Released(desk.recipient, kind, outcome.outcome) for desk, outcome in outcomes)
        return Emit((*views, *receipts), changes, released)

    def _decide(self, desk: Desk, kind: str, value: Mapping[str, Any], record: Inbound, had: _Memory) -> _Outcome:
        accepted = datetime.fromtimestamp(record.timestamp / 1000, UTC)
        if had.retracted:
            return _Outcome("withheld", "retracted")
        cuts = desk.cuts.get(kind, ())
        if not cuts:
            return _Outcome("withheld", "no-agreement")
        if kind == "retraction":
            # A recall goes to whoever had the record, and to nobody else, whatever has become of the agreement since.
            if not had.gave(desk.recipient, str(value["recall"]["record"])):
                return _Outcome("withheld", "not-received")
            return self._view(desk, kind, value, record, had, list(cuts))
        refusals = [(cut, refusal(cut.agreement, kind, value, accepted, self.zones_at)) for cut in cuts]
        allowed = [cut for cut, reason in refusals if reason is None]
        names = tuple(cut.agreement.name for cut, _ in refusals)
        if not allowed:
            return _Outcome("withheld", _gravest([reason for _, reason in refusals if reason]), agreements=names)
        return self._view(desk, kind, value, record, had, allowed)

    def _view(self, desk: Desk, kind: str, value: Mapping[str, Any], record: Inbound, had: _Memory, cuts: list[Cut]) -> _Outcome:
        shown = self._shown_repeat(value, cuts, had, desk.recipient)

        def known_as(identifier: str) -> str | None:
            return pseudonym(desk.key, identifier) if had.gave(desk.recipient, identifier) else None

        cut: dict[str, Any] = dict(shown)
        for each in cuts:
            cut = each(cut, known_as)
        states = tuple(dict.fromkeys(state for each in cuts for state in each.states))
        agreements = tuple(each.agreement.name for each in cuts)
        identifier = str(value["id"])
        view: dict[str, Any] = {**cut, "id": "", "exercise": value["exercise"]}
        view["view"] = {
            "recipient": desk.recipient,
            "of": pseudonym(desk.key, identifier),
            "agreements": list(agreements),
            "policy": desk.policies[kind],
            "fields": [_row(state) for state in states if "." in state.field],
        }
        view["id"], frame = self.codec.identify(kind, view, lambda content: view_id(desk.key, identifier, content))
        digest = _substance(view)
        if digest in had.digests(desk.recipient, identifier) or self._repeats(shown, desk.recipient, digest, had):
            return _Outcome("repeat", "already-had", None, agreements, states, None, None, digest)
        out = Outbound(
            f"for.{desk.recipient}.{kind}",
            pseudonym(desk.key, self._subject(value, cuts)).encode(),
            frame,
            record.timestamp,
            _headers(kind, str(view["id"])),
        )
        commitment = hashlib.blake2b(frame, key=desk.key[:64], digest_size=32).digest()
        return _Outcome("delivered", None, view["id"], agreements, states, commitment, out, digest)

    def _shown_repeat(self, value: Mapping[str, Any], cuts: list[Cut], had: _Memory, recipient: str) -> Mapping[str, Any]:
        """Take the mark of a repeat away where this recipient may not know by what it was found, or never had the earlier one."""
        lifecycle = value.get("lifecycle")
        repeats = lifecycle.get("repeats") if isinstance(lifecycle, Mapping) else None
        if not isinstance(lifecycle, Mapping) or repeats is None:
            return value
        rule = next((rule for rule in self.rules if rule.name == repeats["rule"]), None)
        visible = rule is not None and all(path in cut.kept for cut in cuts for path in rule.looks_at)
        if visible and had.gave(recipient, str(repeats["id"])):
            return value
        return {**value, "lifecycle": {**lifecycle, "repeats": None}}

    @staticmethod
    def _repeats(shown: Mapping[str, Any], recipient: str, digest: str, had: _Memory) -> bool:
        repeats = (shown.get("lifecycle") or {}).get("repeats")
        return repeats is not None and digest in had.digests(recipient, str(repeats["id"]))

    @staticmethod
    def _subject(value: Mapping[str, Any], cuts: list[Cut]) -> str:
        """Give what the view is keyed by: the MMSI where its recipient gets it, so that a track keeps its order; else the record."""
        identity = all("claims.value" in cut.kept for cut in cuts)
        subject = lane(value) if identity else ""
        return subject if ":" in subject else str(value["id"])

    def _receipt(self, desk: Desk, kind: str, value: Mapping[str, Any], record: Inbound, outcome: _Outcome) -> Outbound:
        identifier = str(value["id"])
        policy = desk.policies.get(kind, "")
        receipt = {
            "id": receipt_id(identifier, desk.recipient, policy),
            "record": identifier,
            "kind": kind,
            "member": value["origin"]["member"],
            "recipient": desk.recipient,
            "outcome": outcome.outcome,
            "reason": outcome.reason,
            "view": outcome.view,
            "topic": outcome.out.topic if outcome.out else None,
            "policy": policy,
            "agreements": list(outcome.agreements),
            "fields": [_row(state) for state in outcome.states],
            "commitment": outcome.commitment,
            "accepted_at": datetime.fromtimestamp(record.timestamp / 1000, UTC),
        }
        return Outbound("bus.receipt", identifier.encode(), self.codec.encode("receipt", receipt), record.timestamp)


@dataclass(frozen=True, slots=True)
class _Memory:
    """
    What release remembers: for a record, the digests of what each recipient was given of it; and which records were taken back.
    """

    state: State
    member: str
    retracted: bool

    @classmethod
    def of(cls, value: Mapping[str, Any], state: State) -> _Memory:
        member = str(value["origin"]["member"])
        return cls(state, member, state.get(f"gone:{value['id']}") == member)

    def digests(self, recipient: str, identifier: str) -> list[str]:
        entry = self.state.get(f"had:{identifier}") or {}
        return list(entry.get("to", {}).get(recipient, ())) if entry.get("member") == self.member else []

    def gave(self, recipient: str, identifier: str) -> bool:
        return bool(self.digests(recipient, identifier))

    def changes(self, kind: str, value: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, Any]:
        changes: dict[str, Any] = {}
        identifiers = {str(value["id"])}
        repeats = (value.get("lifecycle") or {}).get("repeats")
        if repeats:
            identifiers.add(str(repeats["id"]))
        for identifier in identifiers:
            entry = self.state.get(f"had:{identifier}") or {}
            to = {name: list(digests) for name, digests in entry.get("to", {}).items()}
            for recipient, digest in given.items():
                if digest not in to.setdefault(recipient, []):
                    to[recipient] = [*to[recipient], digest][-DIGESTS:]
            if given:
                changes[f"had:{identifier}"] = {"member": self.member, "to": to}
        if kind == "retraction":
            changes[f"gone:{value['recall']['record']}"] = self.member
        return changes


def _substance(view: Mapping[str, Any]) -> str:
    """Give a digest of what a view tells of its event."""
    told = {name: group for name, group in view.items() if name not in NOT_SUBSTANCE}
    if isinstance(told.get("times"), Mapping):
        told["times"] = {**told["times"], "reported": None, "received_at": None, "accepted_at": None, "late": None}
    if isinstance(told.get("origin"), Mapping):
        told["origin"] = {**told["origin"], "reference": None}
    return hashlib.sha256(msgspec.json.encode(told, order="deterministic")).hexdigest()[:24]


def _gravest(reasons: list[str]) -> str:
    """Of several agreements, the one that came closest tells why not: the reason furthest down the order of the checks."""
    order = (
        "not-for-this-kind",
        "agreement-not-in-force",
        "not-for-this-event",
        "condition",
        "own-report",
        "not-for-this-purpose",
        "unknown-marking",
        "marking",
        "not-named",
    )
    return max(reasons, key=lambda reason: order.index(reason) if reason in order else -1)


def _row(state: FieldState) -> dict[str, Any]:
    return {"field": state.field, "state": state.state, "clause": state.clause, "method": state.method}


def _headers(kind: str, identifier: str) -> tuple[tuple[str, bytes], ...]:
    return (
        ("ce_specversion", b"1.0"),
        ("ce_type", f"boutre.view.{kind}".encode()),
        ("ce_source", b"/boutre"),
        ("ce_id", identifier.encode()),
        ("content-type", b"application/avro"),
    )
