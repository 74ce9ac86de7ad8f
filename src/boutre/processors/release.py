"""
Release: for each recipient that the agreements name, one cut of the record, and one receipt of what became of it.

What a recipient has had already is not sent twice: neither the same view, nor another report of the same event whose cut tells it
nothing new. A repeat is only one for a recipient who had the earlier one and gets every field by which it was found; for others
it is a report. A limit: where the earlier one is taken back later, the suppressed one is not sent after it.

A view is put together from parts: what is the same for every record stands ready (``sheet``), and what is the same for several
recipients is made once for each record (``parts``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from boutre.errors import Refuse
from boutre.processors.accept import national_key
from boutre.processors.case import Always, Case, Known, Outcome, missing_group
from boutre.processors.conditions import Facts, Terms, ZonesAt
from boutre.processors.cut import Cut
from boutre.processors.decision import Decision, Emit, Inbound, Outbound, Reject, Released, Seal, State
from boutre.processors.memory import Memory
from boutre.processors.offers import Offers
from boutre.processors.parts import Groups, Parts
from boutre.processors.receipts import Fixed, ReceiptForm, Receipts, Record, commitment
from boutre.processors.repeats import Rule, traces
from boutre.processors.safety_of_life import SafetyOfLife
from boutre.processors.scopes import Scopes
from boutre.processors.sheet import Sheet, make_sheet
from boutre.schemas.cases.groups import Opener
from boutre.schemas.codec import Codec, Decoded
from boutre.schemas.identity import pseudonym

SPECIFICATION: Final = ("ce_specversion", b"1.0")
SOURCE: Final = ("ce_source", b"/boutre")
CONTENT: Final = ("content-type", b"application/avro")
"""Headers that are the same for every view."""

ERASED: Final = "case-erased"
"""The refusal of a case key that was destroyed."""


def no_key(_: datetime) -> str | None:
    """
    Know no key for which anything could be sealed.
    """
    return None


@dataclass(frozen=True, slots=True)
class Desk:
    """
    One recipient: its key, from which its own names and ids are made, and its cuts by kind.

    *seal* names, by a record's time of acceptance, the recipient's public key for which its views are sealed; None where there is
    none, and then what must be sealed is withheld.
    """

    recipient: str
    key: bytes
    cuts: Mapping[str, tuple[Cut, ...]]
    policies: Mapping[str, str]
    seal: Callable[[datetime], str | None] = no_key


@dataclass(frozen=True, slots=True)
class _Tray:
    """What stands ready at one desk for one kind: its cuts with their terms, and the sheets of those that were needed so far."""

    desk: Desk
    topic: str
    type: tuple[str, bytes]
    cuts: tuple[tuple[Cut, Terms], ...]
    names: tuple[str, ...]
    receipts: Receipts
    sheets: dict[tuple[Cut, ...], _Sheet] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Sheet:
    """What views of some cuts have in common, and their receipts."""

    view: Sheet
    delivered: Fixed
    repeat: Fixed
    sealed: bool


@dataclass(frozen=True, slots=True)
class Release:
    """
    The step from ``bus.<kind>`` to ``for.<recipient>.<kind>`` and ``bus.receipt``.

    *opener* opens personal groups, so that they can be cut; a record whose case key was destroyed is one that was taken back.
    """

    codec: Codec
    kinds: Mapping[str, str]
    desks: Sequence[Desk]
    zones_at: ZonesAt
    rules: tuple[Rule, ...] = ()
    scopes: Scopes = field(default_factory=Scopes)
    lives: SafetyOfLife | None = None
    opener: Opener | None = None
    offers: Offers | None = None
    _groups: Groups = field(default_factory=Groups, init=False, repr=False, compare=False)
    _form: ReceiptForm = field(init=False, repr=False, compare=False)
    _trays: dict[str, tuple[_Tray, ...]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_form", ReceiptForm(self.codec))

    def __call__(self, record: Inbound, state: State, /) -> Decision:
        """
        Decide, for every recipient, what it gets of one accepted record.
        """
        kind = self.kinds.get(record.topic)
        if kind is None:
            return Reject("internal-error", detail="undeclared topic")
        try:
            decoded = self.codec.decode(record.value, frozenset({kind}))
        except Refuse as refused:
            return Reject(refused.code, refused.field)
        missing, accepted = missing_group(kind, decoded.value), record.accepted
        if missing is not None or accepted is None:
            return Reject("missing-field", missing) if missing else Reject("internal-error", detail="no time of acceptance")
        try:
            opened, erased = self.opened(decoded), False
        except Refuse as refused:
            if refused.code != ERASED:
                return Reject(refused.code, refused.field)
            opened, erased = decoded, True
        case = self._case(kind, opened, record.timestamp, accepted, state, erased=erased)
        trays = self._trays.get(kind) or self._ready(kind)
        outcomes = [(tray.desk.recipient, self._decide(tray, case)) for tray in trays]
        views = [outcome.out for _, outcome in outcomes if outcome.out is not None]
        receipts = [receipt for _, outcome in outcomes for receipt in outcome.receipts]
        offers = [offer for _, outcome in outcomes for offer in outcome.offers]
        released = tuple([Released(recipient, kind, outcome.outcome) for recipient, outcome in outcomes])
        return Emit((*views, *offers, *receipts), case.changes(outcomes), released)

    def opened(self, decoded: Decoded) -> Decoded:
        """Give a record with its personal groups open; raises Refuse where it cannot be opened."""
        return decoded if self.opener is None else self.opener(decoded)

    def _ready(self, kind: str) -> tuple[_Tray, ...]:
        trays = tuple(
            _Tray(
                desk,
                f"for.{desk.recipient}.{kind}",
                ("ce_type", f"boutre.view.{kind}".encode()),
                tuple((cut, Terms.of(cut.agreement)) for cut in desk.cuts.get(kind, ())),
                tuple(cut.agreement.name for cut in desk.cuts.get(kind, ())),
                Receipts(self._form, desk.recipient, kind, desk.policies.get(kind, "")),
            )
            for desk in self.desks
        )
        self._trays[kind] = trays
        return trays

    def _case(self, kind: str, decoded: Decoded, timestamp: int, accepted: datetime, state: State, *, erased: bool) -> Case:
        value = decoded.value
        identifier, had = str(value["id"]), Memory.of(value, state)
        return Case(
            kind,
            identifier,
            value,
            accepted,
            had,
            erased or had.gone(identifier),
            national_key(value) != identifier,
            had.seen(traces(self.rules, kind, value)),
            had.to(identifier),
            self.facts(kind, value, accepted),
            Parts(self.codec, decoded),
            Record(self._form, identifier, value["origin"]["member"], accepted, timestamp),
            {},
        )

    def facts(self, kind: str, value: Mapping[str, Any], accepted: datetime) -> Facts:
        """Give what the conditions of agreements ask of a record that was accepted then."""
        return Facts(kind, value, accepted, self.zones_at, scopes=self.scopes, lives=self.lives)

    def _decide(self, tray: _Tray, case: Case) -> Outcome:
        if case.gone:
            return _withheld(tray, case, "retracted")
        if not tray.cuts:
            return _withheld(tray, case, "no-agreement")
        if case.kind == "retraction":
            # A recall goes to whoever had the record, and to nobody else, whatever has become of the agreement since.
            if not case.had.gave(tray.desk.recipient, str(case.value["recall"]["record"])):
                return _withheld(tray, case, "not-received")
            return self._view(tray, case, tuple([cut for cut, _ in tray.cuts]))
        allowed, reasons = [], []
        for cut, terms in tray.cuts:
            reason = terms.refusal(case.facts)
            if reason is None:
                allowed.append(cut)
            else:
                reasons.append(reason)
        return self._view(tray, case, tuple(allowed)) if allowed else _withheld(tray, case, _gravest(reasons), tray.names)

    def _view(self, tray: _Tray, case: Case, cuts: tuple[Cut, ...]) -> Outcome:
        ready = tray.sheets.get(cuts) or self._sheet(tray, case.kind, cuts)
        sheet = ready.view
        sealed_for = tray.desk.seal(case.accepted) if ready.sealed else None
        if ready.sealed and sealed_for is None:
            # A lost key keeps nobody from being saved: what rescuers may have unsealed goes out alone.
            open_ = tuple([cut for cut in cuts if cut.agreement.safety_of_life and not cut.agreement.encrypt])
            if open_ and case.kind != "retraction":
                return self._view(tray, case, open_)
            # Before anything is remembered of it: what was never sent is no repeat later.
            return _withheld(tray, case, "no-key", sheet.agreements)
        recipient, key, identifier, had = sheet.recipient, sheet.key, case.identifier, case.had
        known_as = Known(recipient, key, had)
        visible = [seen for seen in case.seen if seen.cells and seen.trace.rule in sheet.knows]
        earlier = had.earlier(recipient, visible) if visible else []
        of = pseudonym(key, identifier)
        filled = sheet.fill(case.parts, known_as, of, earlier[0] if earlier else None)
        if filled.digest in case.told.get(recipient, ()) or (
            earlier and any(filled.digest in had.digests(recipient, one) for one, _ in earlier)
        ):
            return Outcome("repeat", tray.receipts.write(case.receipt, ready.repeat))
        name, frame = sheet.sign(identifier, filled)
        # A ship is a subject for those only who get what makes it one.
        ship = national_key({**sheet.some(case.parts, known_as, "event", "claims"), "id": identifier}) if case.ship else identifier
        named = of if ship == identifier else pseudonym(key, ship)
        stamp = case.stamps.get(sheet.clock)
        if stamp is None:
            times = sheet.some(case.parts, known_as, "times")["times"]
            stamp = case.stamps[sheet.clock] = _stamp(times, case.accepted)
        headers = (SPECIFICATION, tray.type, SOURCE, ("ce_id", name.encode()), CONTENT)
        seal = None if sealed_for is None else Seal(sealed_for, tray.desk.policies[case.kind])
        out = Outbound(tray.topic, named.encode(), frame, stamp, headers, seal)
        proof = name, commitment(key, frame)
        receipts = tray.receipts.write(case.receipt, ready.delivered, proof)
        if self.offers is None:
            return Outcome("delivered", receipts, out, filled.digest, sheet.knows)
        looked_at = sheet.some(case.parts, known_as, "event", "position") if case.kind != "retraction" else {}
        roots = sheet.roots(case.parts, Always(key)) if case.kind != "retraction" else ()
        offers, cells = self.offers.of(recipient, case, looked_at, of, filled.pieces, out, roots)
        return Outcome("delivered", receipts, out, filled.digest, sheet.knows, offers, cells)

    def _sheet(self, tray: _Tray, kind: str, cuts: tuple[Cut, ...]) -> _Sheet:
        desk = tray.desk
        policy = desk.policies[kind]
        sheet = make_sheet(self.codec, self._groups, cuts, self.rules, recipient=desk.recipient, key=desk.key, policy=policy)
        made = _Sheet(
            sheet,
            # What an exception gives, its originator is always told.
            tray.receipts.fixed(
                "delivered", None, sheet.agreements, sheet.cut, told=any(cut.agreement.exceptional for cut in cuts)
            ),
            tray.receipts.fixed("repeat", "already-had", sheet.agreements, sheet.cut),
            any(cut.agreement.encrypt for cut in cuts),
        )
        tray.sheets[cuts] = made
        return made


def _withheld(tray: _Tray, case: Case, reason: str, agreements: tuple[str, ...] = ()) -> Outcome:
    return Outcome("withheld", tray.receipts.withheld(case.receipt, reason, agreements))


def _gravest(reasons: list[str]) -> str:
    """Of several agreements, the one that came closest tells why not: the reason furthest down the order of the checks."""
    order = (
        "not-for-this-kind",
        "agreement-not-in-force",
        "scope-not-active",
        "not-for-this-event",
        "condition",
        "own-report",
        "not-for-this-purpose",
        "unknown-marking",
        "marking",
        "handling-code",
        "no-consent",
        "not-named",
        "empty-audience",
    )
    return max(reasons, key=lambda reason: order.index(reason) if reason in order else -1)


def _stamp(times: Any, accepted: datetime) -> int:
    """
    Give the Kafka timestamp of a view: the time of acceptance as its recipient gets it, the day where it does not get it.

    A timestamp is read beside the value: it may not tell what the value withholds. When it came, its reader sees for itself.
    """
    told = times.get("accepted_at") if isinstance(times, dict) else None
    moment = told or accepted.replace(hour=0, minute=0, second=0, microsecond=0)
    return round(moment.timestamp() * 1000)
