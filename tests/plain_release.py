"""
Release without any of its art: each recipient's view is cut by itself and written whole by fastavro, each receipt likewise.

Slow, and plain enough to be read as the rule: nothing is shared by recipients, nothing is written ahead, and what was given is
remembered as it was given. What the bus writes is held against it.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import b32encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any
from unicodedata import normalize

import fastavro
import msgspec

from boutre.processors.accept import national_key
from boutre.processors.agreement import TLP, Agreement
from boutre.processors.correlation.weighing import known_in
from boutre.processors.cut import Cut, in_force, together
from boutre.processors.decision import Inbound, Outbound, Seal
from boutre.processors.matching.sighted import sighted
from boutre.processors.offers import is_track
from boutre.processors.release import Desk, Release
from boutre.processors.repeats import Trace, traces
from boutre.schemas.codec import FRAME
from boutre.schemas.marks import Sealed, Withheld
from records import CODEC, LOCK, Value

MATCHED = (
    "lifecycle", "origin", "times", "event", "position", "movement", "craft", "claims", "persons", "sensor", "assessment",
    "provenance", "handling", "recall",
)  # fmt: skip
"""The groups that links look at; none of them names a person."""

GRAVEST = (
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
"""The reasons in the order in which the one that came closest is told."""


@dataclass(frozen=True, slots=True)
class Written:
    """What was written for one recipient: its view, if any, and the receipt; what was said of it, for the memory."""

    recipient: str
    outcome: str
    view: Outbound | None
    receipt: Outbound
    told: Outbound | None = None
    offers: tuple[Outbound, ...] = ()
    substance: str | None = None
    traces: tuple[Trace, ...] = ()


@dataclass(slots=True)
class PlainRelease:
    """
    The same declarations as *step*, released plainly; remembers what it was asked to release.
    """

    step: Release
    given: dict[tuple[str, str, str], list[str]] = field(default_factory=dict)
    """By member, recipient and record: the substance of each view that was given."""

    known: dict[tuple[str, str], list[tuple[str, Trace]]] = field(default_factory=dict)
    """By recipient and place of a trace: the reports that it was given there."""

    cells: dict[tuple[str, str, str], tuple[str, ...]] = field(default_factory=dict)
    """By member, recipient and record: where it was offered for links."""

    gone: set[tuple[str, str, bool]] = field(default_factory=set)
    """By member and record: what was taken back, in earnest or in an exercise."""

    def __call__(self, record: Inbound) -> list[Written]:
        """Release one accepted record to everybody."""
        kind = self.step.kinds[record.topic]
        value = CODEC.decode(record.value).value
        member, identifier = value["origin"]["member"], value["id"]
        written = [self._one(desk, kind, value, record) for desk in self.step.desks]
        for one in written:
            if one.substance is not None:
                self.given.setdefault((member, one.recipient, identifier), []).append(one.substance)
                for trace in one.traces:
                    self.known.setdefault((one.recipient, trace.keys[0]), []).append((identifier, trace))
        if kind == "retraction":
            self.gone.add((member, value["recall"]["record"], value["exercise"]))
        return written

    def _one(self, desk: Desk, kind: str, value: Value, record: Inbound) -> Written:
        cuts = desk.cuts.get(kind, ())
        reasons = [why_not(self.step, cut.agreement, kind, value, moment(record)) for cut in cuts]
        if self._gone(value, value["id"]):
            return self._receipt(desk, kind, value, record, "withheld", "retracted")
        if not cuts:
            return self._receipt(desk, kind, value, record, "withheld", "no-agreement")
        if kind == "retraction":
            if not self._had(desk, value, value["recall"]["record"]):
                return self._receipt(desk, kind, value, record, "withheld", "not-received")
            return self._view(desk, kind, value, record, cuts)
        return self._under(desk, kind, value, record, dict(zip(cuts, reasons, strict=True)))

    def _under(self, desk: Desk, kind: str, value: Value, record: Inbound, said: Mapping[Cut, str | None]) -> Written:
        """By agreements, each with the reason why it gives nothing, if any."""
        names = tuple(cut.agreement.name for cut in said)
        allowed = [cut for cut, reason in said.items() if reason is None]
        if not allowed:
            reason = max((reason for reason in said.values() if reason), key=GRAVEST.index)
            return self._receipt(desk, kind, value, record, "withheld", reason, names)
        if any(cut.agreement.encrypt for cut in allowed) and desk.seal(moment(record)) is None:
            lives = [cut for cut in allowed if cut.agreement.safety_of_life and not cut.agreement.encrypt]
            if not lives:
                sealed = tuple(cut.agreement.name for cut in allowed)
                return self._receipt(desk, kind, value, record, "withheld", "no-key", sealed)
            allowed = lives
        return self._view(desk, kind, value, record, allowed)

    def _gone(self, value: Value, identifier: str) -> bool:
        """Say whether a member took its record back: an exercise takes nothing real back."""
        told = {exercise for member, record, exercise in self.gone if (member, record) == (value["origin"]["member"], identifier)}
        return False in told or (value["exercise"] and True in told)

    def _had(self, desk: Desk, value: Value, identifier: str) -> list[str]:
        return self.given.get((value["origin"]["member"], desk.recipient, identifier), [])

    def _view(self, desk: Desk, kind: str, value: Value, record: Inbound, cuts: Sequence[Cut]) -> Written:
        accepted = moment(record)
        cut = together(tuple(cuts)) if kind == "retraction" else in_force(tuple(cuts))
        rules = {rule.name: rule for rule in self.step.rules}
        visible = tuple(
            trace for trace in traces(self.step.rules, kind, value) if all(path in cut.kept for path in rules[trace.rule].looks_at)
        )
        earlier = [
            (identifier, trace.rule)
            for trace in visible
            for key in trace.keys
            for identifier, other in self.known.get((desk.recipient, key), [])
            if trace.agrees(other.names) and not self._gone(value, identifier)
        ]
        mark = {"id": earlier[0][0], "rule": earlier[0][1]} if earlier else None
        marked = {**value, "lifecycle": {**value["lifecycle"], "repeats": mark}}
        view = cut(marked, _Names(self, desk, value))
        # What it was made from, by the recipient's names, whether or not it had that: for the bus alone.
        provenance = {} if kind == "retraction" else cut(marked, _Names(self, desk, value, whether_had=False)).get("provenance")
        roots = ",".join(provenance.get("derived_from") or ()) if isinstance(provenance, dict) else ""
        substance = told({**view, "exercise": value["exercise"]})
        agreements = tuple(each.agreement.name for each in cuts)
        if any(substance in self._had(desk, value, each) for each in (value["id"], *(one for one, _ in earlier))):
            return self._receipt(desk, kind, value, record, "repeat", "already-had", agreements, cut)
        subject = national_key({**view, "id": value["id"]})
        view |= {
            "id": "",
            "exercise": value["exercise"],
            "view": {
                "recipient": desk.recipient,
                "of": name(desk, value["id"]),
                "agreements": list(agreements),
                "policy": desk.policies[kind],
                "fields": [row(state) for state in cut.states if "." in state.field or state.state != "withheld"],
            },
        }
        view["id"] = text(hmac.digest(desk.key, b"boutre view\0" + sized(value["id"]) + frame(kind, view), "sha256"))
        times = view["times"] if isinstance(view["times"], dict) else {}
        stamp = times.get("accepted_at") or datetime(accepted.year, accepted.month, accepted.day, tzinfo=UTC)
        headers = (
            ("ce_specversion", b"1.0"),
            ("ce_type", b"boutre.view." + kind.encode()),
            ("ce_source", b"/boutre"),
            ("ce_id", view["id"].encode()),
            ("content-type", b"application/avro"),
        )
        seal = Seal(str(desk.seal(accepted)), desk.policies[kind]) if any(each.agreement.encrypt for each in cuts) else None
        out = Outbound(
            f"for.{desk.recipient}.{kind}",
            name(desk, subject).encode(),
            frame(kind, view),
            round(stamp.timestamp() * 1000),
            headers,
            seal,
        )
        written = self._receipt(desk, kind, value, record, "delivered", None, agreements, cut, view["id"], out)
        offers = () if is_track(view.get("event")) else self._offers(desk, kind, value, view, out, roots)
        return replace(written, view=out, substance=substance, traces=visible, offers=offers)

    def _offers(  # noqa: PLR0917 - a record, and what one recipient has of it
        self, desk: Desk, kind: str, value: Value, view: Value, out: Outbound, roots: str
    ) -> tuple[Outbound, ...]:
        """What is offered for links: of the view the groups that name nobody, in each cell where it may be linked."""
        if self.step.offers is None:
            return ()
        member, taken = value["origin"]["member"], value["recall"]["record"] if kind == "retraction" else None
        earlier = taken or value["lifecycle"]["revises"] or value["id"]
        here = known_in(sighted(kind, {"id": "", **view}), self.step.offers.side_deg, self.step.offers.weighings)
        before = self.cells.get((member, desk.recipient, earlier), ())
        here = here or (() if kind == "retraction" else ("nowhere",))
        cells = [*here, *(cell for cell in before if cell not in here)]
        if kind != "retraction":
            self.cells[member, desk.recipient, value["id"]] = tuple(cells)
        content = {key: held if key in MATCHED else None for key, held in view.items()}
        content |= {"id": name(desk, value["id"]), "exercise": view["exercise"], "view": view["view"]}
        sealed = () if out.seal is None else (("boutre_sealed", b"yes"),)
        headers = (("boutre_view", view["id"].encode()), *sealed, *((("boutre_roots", roots.encode()),) if roots else ()))
        return tuple(
            Outbound(f"bus.offer.{kind}", f"{desk.recipient}|{cell}".encode(), frame(kind, content), out.timestamp, headers)
            for cell in cells
        )

    def _receipt(  # noqa: PLR0917 - a receipt has as many parts
        self,
        desk: Desk,
        kind: str,
        value: Value,
        record: Inbound,
        outcome: str,
        reason: str | None,
        agreements: tuple[str, ...] = (),
        cut: Cut | None = None,
        view: str | None = None,
        out: Outbound | None = None,
    ) -> Written:
        policy = desk.policies.get(kind, "")
        receipt = {
            "id": text(hashlib.sha256(b"boutre receipt\0" + sized(value["id"]) + sized(desk.recipient) + sized(policy)).digest()),
            "record": value["id"],
            "kind": kind,
            "member": value["origin"]["member"],
            "recipient": desk.recipient,
            "outcome": outcome,
            "reason": reason,
            "view": view,
            "topic": out and out.topic,
            "policy": policy,
            "agreements": list(agreements),
            "fields": [] if cut is None else [row(state) for state in cut.states],
            "commitment": out and hashlib.blake2b(out.value, key=desk.key, digest_size=32).digest(),
            "accepted_at": moment(record),
        }
        written = Outbound("bus.receipt", value["id"].encode(), frame("receipt", receipt), record.timestamp)
        exceptional = {one.name for one in (each.agreement for each in desk.cuts.get(kind, ())) if one.scope or one.safety_of_life}
        own = {"unknown-marking", "handling-code", "empty-audience", "agreement-not-in-force", "scope-not-active", "no-key"}
        if reason not in own and not (outcome == "delivered" and exceptional & {*agreements}):
            return Written(desk.recipient, outcome, None, written)
        shown = frame("receipt", {**receipt, "view": None, "commitment": None})
        return Written(
            desk.recipient, outcome, None, written, Outbound(f"told.{receipt['member']}", written.key, shown, record.timestamp)
        )


@dataclass(frozen=True, slots=True)
class _Names:
    """How one recipient calls things."""

    plain: PlainRelease
    desk: Desk
    value: Value
    whether_had: bool = True

    def __call__(self, other: str, /) -> str | None:
        return name(self.desk, other) if not self.whether_had or self.plain._had(self.desk, self.value, other) else None

    def alias(self, field: str, said: str, /) -> str:
        plain = " ".join(normalize("NFKC", said).casefold().split())
        return text(hmac.digest(self.desk.key, b"boutre alias\0" + sized(field) + sized(plain), "sha256"))


def moment(record: Inbound) -> datetime:
    """When the bus accepted a record."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=record.timestamp)


def told(view: Mapping[str, Any]) -> str:
    """What a view tells of its event, beside what differs between two reports of one."""
    left_out = {
        "times": {"reported", "received_at", "accepted_at", "late"},
        "origin": {"reference"},
        "lifecycle": {"repeats"},
    }
    groups = {
        group: {key: held for key, held in content.items() if key not in left_out.get(group, ())}
        if isinstance(content, dict)
        else content
        for group, content in view.items()
        if group not in ("id", "provenance", "view")
    }
    return msgspec.json.encode(groups, order="deterministic").decode()


def row(state: Any) -> Value:
    """What was done to one field."""
    return {"field": state.field, "state": state.state, "clause": state.clause, "method": state.method}


def name(desk: Desk, identifier: str) -> str:
    """The name by which a recipient knows a record or a ship."""
    return text(hmac.digest(desk.key, b"boutre pseudonym\0" + identifier.encode(), "sha256"))


def text(digest: bytes) -> str:
    """160 bits of a digest in base 32."""
    return b32encode(digest[:20]).decode().lower()


def sized(part: str) -> bytes:
    """A text after its length."""
    return len(part.encode()).to_bytes(4, "big") + part.encode()


def frame(kind: str, value: Mapping[str, Any]) -> bytes:
    """A value in its frame, written by fastavro."""
    schema = LOCK.latest(kind)
    body = BytesIO()
    # The plain branch of a union that may hold a mark is a record too: fastavro is told which of them it is.
    hinted = {one["name"]: _hint(value[one["name"]], one["type"]) for one in schema.schema["fields"]}
    fastavro.schemaless_writer(body, fastavro.parse_schema(schema.schema), hinted)
    return FRAME.pack(0, schema.id) + body.getvalue()


def _hint(value: Any, type_: Any) -> Any:
    if isinstance(value, Withheld):
        return "boutre.Withheld", {"agreement": value.agreement, "clause": value.clause, "ask": value.ask}
    if isinstance(value, Sealed):
        parts = {key: getattr(value, key) for key in ("algorithm", "content_key_id", "nonce", "ciphertext")}
        return "boutre.Sealed", {**parts, "keys": list(value.keys)}
    if isinstance(value, dict) and isinstance(type_, list):
        own = next(one for one in type_[1:] if not str(one).endswith(("Withheld", "Sealed")))
        return (own if isinstance(own, str) else f"boutre.{own['name']}"), value
    return value


# --- Conditions ------------------------------------------------------------------------------------------------------------


def why_not(step: Release, agreement: Agreement, kind: str, value: Value, accepted: datetime) -> str | None:
    """Why an agreement gives nothing of a record: read off the agreement, one condition after the other."""
    if kind not in agreement.kinds:
        return "not-for-this-kind"
    if not agreement.start <= accepted.date() < agreement.end:
        return "agreement-not-in-force"
    member = value["origin"]["member"]
    if agreement.scope and not step.scopes.active(agreement.scope, accepted, member):
        return "scope-not-active"
    if agreement.safety_of_life:
        return _conditions(step, agreement, value) if _lives_at_risk(step, value) else "not-for-this-event"
    return _marking(agreement, value["handling"]) or _conditions(step, agreement, value)


def _lives_at_risk(step: Release, value: Value) -> bool:
    if step.lives is None:
        return False
    event, needs, warning = (value.get(group) for group in ("event", "vulnerability", "warning"))
    if isinstance(event, dict) and event["type"] in step.lives.types:
        return True
    urgent = isinstance(needs, dict) and needs["medical_urgent"] is True
    return urgent or (isinstance(warning, dict) and warning["lives_at_risk"] is True)


def _marking(agreement: Agreement, handling: Value) -> str | None:
    label, named, when = handling["tlp"], handling["release_to"], agreement.when
    reasons = (
        ("empty-audience", label == "RED" and not named),
        ("not-named", named and agreement.recipient not in named),
        ("unknown-marking", label not in TLP),
        ("marking", label in TLP and TLP.index(label) > TLP.index(str(when.tlp_max))),
        ("handling-code", {*handling["handling_codes"]} - {*when.handling}),
        ("no-consent", when.consent is not None and handling["consent"] not in when.consent),
        ("not-for-this-purpose", handling["purposes"] and not {*handling["purposes"]} & {*agreement.purposes}),
    )
    return next((reason for reason, holds in reasons if holds), None)


def _conditions(step: Release, agreement: Agreement, value: Value) -> str | None:
    when, member = agreement.when, value["origin"]["member"]
    event = value.get("event") if isinstance(value.get("event"), dict) else {}
    position = value.get("position") if isinstance(value.get("position"), dict) else {}
    type_ = (event or {}).get("type")
    if member in when.not_members:
        return "own-report"
    if member is None or (when.members is not None and member not in when.members):
        return "condition"
    if (when.types is not None and type_ not in when.types) or (when.not_types and (type_ is None or type_ in when.not_types)):
        return "not-for-this-event"
    if when.zones is None:
        return None
    latitude, longitude = ((position or {}).get(part) for part in ("latitude", "longitude"))
    if latitude is None or longitude is None:
        return "condition"
    return None if step.zones_at(latitude, longitude) & {*when.zones} else "condition"
