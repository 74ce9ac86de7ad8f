"""
Release: for each recipient that the agreements name, one cut of the record, and one receipt of what became of it.

What a recipient has had already is not sent twice: neither the same view, nor another report of the same event whose cut tells it
nothing new. A repeat is only one for a recipient who had the earlier one and gets every field by which it was found; for others
it is a report. A limit: where the earlier one is taken back later, the suppressed one is not sent after it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from boutre.errors import Refuse
from boutre.processors.accept import national_key
from boutre.processors.conditions import ZonesAt, refusal
from boutre.processors.cut import Cut, FieldState, together
from boutre.processors.decision import Decision, Emit, Inbound, Outbound, Reject, Released, State
from boutre.processors.memory import Memory
from boutre.processors.repeats import Rule, Trace, traces
from boutre.schemas.codec import Codec
from boutre.schemas.identity import pseudonym, receipt_id, view_id
from boutre.schemas.writing import Prepared

NOT_SUBSTANCE = frozenset({"id", "provenance", "view"})
"""
Groups that differ between two reports of one event without telling a recipient more of it, beside the mark of the repeat, the
times of reporting and the reference. What a report says in words and where it stands in its life (a cancel) is substance.
"""


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
    cut: Cut | None = None
    commitment: bytes | None = None
    out: Outbound | None = None
    digest: str | None = None
    traces: tuple[Trace, ...] = ()


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
    _rows: dict[tuple[Cut, bool], Prepared] = field(default_factory=dict, repr=False, compare=False)

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
        missing = _missing(kind, value)
        if missing is not None or record.accepted is None:
            return Reject("missing-field", missing) if missing else Reject("internal-error", detail="no time of acceptance")
        case = _Case(kind, value, record, record.accepted, Memory.of(value, state), tuple(traces(self.rules, kind, value)))
        outcomes = [(desk, self._decide(desk, case)) for desk in self.desks]
        receipts = [self._receipt(desk, case, outcome) for desk, outcome in outcomes]
        views = [outcome.out for _, outcome in outcomes if outcome.out is not None]
        released = tuple(Released(desk.recipient, kind, outcome.outcome) for desk, outcome in outcomes)
        return Emit((*views, *receipts), case.changes({desk.recipient: outcome for desk, outcome in outcomes}), released)

    def _decide(self, desk: Desk, case: _Case) -> _Outcome:
        if case.had.gone(str(case.value["id"])):
            return _Outcome("withheld", "retracted")
        cuts = desk.cuts.get(case.kind, ())
        if not cuts:
            return _Outcome("withheld", "no-agreement")
        if case.kind == "retraction":
            # A recall goes to whoever had the record, and to nobody else, whatever has become of the agreement since.
            if not case.had.gave(desk.recipient, str(case.value["recall"]["record"])):
                return _Outcome("withheld", "not-received")
            return self._view(desk, case, cuts)
        refusals = [(cut, refusal(cut.agreement, case.kind, case.value, case.accepted, self.zones_at)) for cut in cuts]
        allowed = [cut for cut, reason in refusals if reason is None]
        names = tuple(cut.agreement.name for cut, _ in refusals)
        if not allowed:
            return _Outcome("withheld", _gravest([reason for _, reason in refusals if reason]), agreements=names)
        return self._view(desk, case, allowed)

    def _view(self, desk: Desk, case: _Case, cuts: Sequence[Cut]) -> _Outcome:
        cut = together(tuple(cuts))
        visible = tuple(trace for trace in case.traces if self._may_know(trace.rule, cut))
        earlier = case.had.earlier(desk.recipient, visible)

        def known_as(identifier: str) -> str | None:
            return pseudonym(desk.key, identifier) if case.had.gave(desk.recipient, identifier) else None

        identifier = str(case.value["id"])
        view = cut(case.with_repeat(earlier), known_as)
        subject = national_key({**view, "id": identifier})
        agreements = tuple(each.agreement.name for each in cuts)
        view |= {"id": "", "exercise": case.value["exercise"]}
        view["view"] = {
            "recipient": desk.recipient,
            "of": pseudonym(desk.key, identifier),
            "agreements": list(agreements),
            "policy": desk.policies[case.kind],
            # A group that is withheld whole says so itself, in its place.
            "fields": self._states(cut, whole_groups=False),
        }
        view["id"], frame = self.codec.identify(case.kind, view, lambda content: view_id(desk.key, identifier, content))
        digest = _substance(view)
        had = {digest for each in (identifier, *(one for one, _ in earlier)) for digest in case.had.digests(desk.recipient, each)}
        if digest in had:
            return _Outcome("repeat", "already-had", None, agreements, cut)
        out = Outbound(
            f"for.{desk.recipient}.{case.kind}",
            pseudonym(desk.key, subject).encode(),
            frame,
            _stamp(view, case.accepted),
            _headers(case.kind, str(view["id"])),
        )
        commitment = hashlib.blake2b(frame, key=desk.key[:64], digest_size=32).digest()
        return _Outcome("delivered", None, view["id"], agreements, cut, commitment, out, digest, visible)

    def _may_know(self, name: str, cut: Cut) -> bool:
        """Say whether a recipient gets all by which a rule finds a repeat: else being told of it would tell of the rest."""
        rule = next(rule for rule in self.rules if rule.name == name)
        return cut.kept.issuperset(rule.looks_at)

    def _states(self, cut: Cut, *, whole_groups: bool) -> Prepared:
        """Give what was done to the fields of a cut as Avro; the same for every record, it is written once."""
        made = self._rows.get((cut, whole_groups))
        if made is None:
            states = [one for one in cut.states if whole_groups or "." in one.field or one.state != "withheld"]
            made = self._rows[cut, whole_groups] = self.codec.prepare("receipt", "fields", [_row(one) for one in states])
        return made

    def _receipt(self, desk: Desk, case: _Case, outcome: _Outcome) -> Outbound:
        identifier = str(case.value["id"])
        policy = desk.policies.get(case.kind, "")
        receipt = {
            "id": receipt_id(identifier, desk.recipient, policy),
            "record": identifier,
            "kind": case.kind,
            "member": case.value["origin"]["member"],
            "recipient": desk.recipient,
            "outcome": outcome.outcome,
            "reason": outcome.reason,
            "view": outcome.view,
            "topic": outcome.out.topic if outcome.out else None,
            "policy": policy,
            "agreements": list(outcome.agreements),
            "fields": [] if outcome.cut is None else self._states(outcome.cut, whole_groups=True),
            "commitment": outcome.commitment,
            "accepted_at": case.accepted,
        }
        return Outbound("bus.receipt", identifier.encode(), self.codec.encode("receipt", receipt), case.record.timestamp)


@dataclass(frozen=True, slots=True)
class _Case:
    """One accepted record, and all that is the same of it for every recipient."""

    kind: str
    value: Mapping[str, Any]
    record: Inbound
    accepted: datetime
    had: Memory
    traces: tuple[Trace, ...]

    def with_repeat(self, earlier: Sequence[tuple[str, str]]) -> dict[str, Any]:
        """Give the record marked as the repeat of what one recipient had, in the place of the mark that accept gave it."""
        repeats = {"id": earlier[0][0], "rule": earlier[0][1]} if earlier else None
        return {**self.value, "lifecycle": {**self.value["lifecycle"], "repeats": repeats}}

    def changes(self, outcomes: Mapping[str, _Outcome]) -> dict[str, Any]:
        """Give what is to be remembered: for each recipient only what was delivered to it."""
        identifier = str(self.value["id"])
        given = {recipient: outcome for recipient, outcome in outcomes.items() if outcome.digest is not None}
        changes = self.had.given(identifier, {name: outcome.digest for name, outcome in given.items() if outcome.digest})
        for trace in self.traces:
            told = [recipient for recipient, outcome in given.items() if trace in outcome.traces]
            if told:
                changes[trace.keys[0]] = self.had.seen(trace, identifier, told)
        if self.kind == "retraction":
            changes[self.had.gone_key(str(self.value["recall"]["record"]))] = True
        return changes


def _missing(kind: str, value: Mapping[str, Any]) -> str | None:
    """Name a group without which nothing can be decided; accept lets no such record pass."""
    groups = ("origin", "lifecycle", "times", "handling", *(("recall",) if kind == "retraction" else ()))
    return next((name for name in groups if not isinstance(value.get(name), Mapping)), None)


def _substance(view: Mapping[str, Any]) -> str:
    """Give a digest of what a view tells of its event."""
    told = {name: group for name, group in view.items() if name not in NOT_SUBSTANCE}
    if isinstance(told.get("times"), Mapping):
        told["times"] = {**told["times"], "reported": None, "received_at": None, "accepted_at": None, "late": None}
    if isinstance(told.get("origin"), Mapping):
        told["origin"] = {**told["origin"], "reference": None}
    if isinstance(told.get("lifecycle"), Mapping):
        told["lifecycle"] = {**told["lifecycle"], "repeats": None}
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


def _stamp(view: Mapping[str, Any], accepted: datetime) -> int:
    """
    Give the Kafka timestamp of a view: the time of acceptance as its recipient gets it, the day where it does not get it.

    A timestamp is read beside the value: it may not tell what the value withholds. When it came, its reader sees for itself.
    """
    times = view.get("times")
    told = times.get("accepted_at") if isinstance(times, Mapping) else None
    moment = told or accepted.replace(hour=0, minute=0, second=0, microsecond=0)
    return round(moment.timestamp() * 1000)


def _headers(kind: str, identifier: str) -> tuple[tuple[str, bytes], ...]:
    return (
        ("ce_specversion", b"1.0"),
        ("ce_type", f"boutre.view.{kind}".encode()),
        ("ce_source", b"/boutre"),
        ("ce_id", identifier.encode()),
        ("content-type", b"application/avro"),
    )
