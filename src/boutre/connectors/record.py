"""
Makes a member's record from what a source gives: the feed's own words where the report has none, ids, times, provenance.

Pure: the clock is an argument. A source never decides who it is: member, feed and the fields that the bus sets are not taken from a
report, and one that holds them is refused rather than corrected.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from boutre import __version__
from boutre.connectors.feeds import Feed
from boutre.connectors.kept import Refused
from boutre.connectors.sdk import Bad, Raw, Where
from boutre.connectors.transport import Message
from boutre.errors import DeclarationError, Refuse, Unavailable
from boutre.schemas.cases.groups import personal, seal
from boutre.schemas.cases.pool import CaseKeys
from boutre.schemas.codec import MAX_REPORT_BYTES, Codec
from boutre.schemas.identity import record_id
from boutre.schemas.rejects import reject
from boutre.schemas.sense import Area, Problem
from boutre.schemas.signature import sign_batch

STAGE = "connector"
MOST_PROBLEMS = 8
"""How many of a record's problems its reject tells."""

MOST_LETTERS = 500
"""How long a file's or a field's name may be in a reject: a name can be made of anything, and a reject has to fit."""


class Check(Protocol):
    """
    Says what is wrong with a member's record: ``boutre.schemas.validation.Validator.check``.
    """

    def __call__(self, kind: str, value: Mapping[str, Any], now: datetime, area: Area | None = None) -> list[Problem]:
        """Give all problems, the gravest first."""


@dataclass(frozen=True, slots=True)
class Draft:
    """
    A message that nobody has signed, and what it is: as in `Made`. The bus would refuse it.

    *refused* is what came in, where it is a reject: for the connector's own machine.
    """

    message: Message
    input_id: str
    reason: str | None = None
    count: int = 1
    refused: Refused | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """
    A signed message, and what it is: the id of the input, and the reason where it is a reject; *count* inputs are told by it.
    """

    message: Message
    input_id: str
    reason: str | None = None
    count: int = 1


@dataclass(frozen=True, slots=True)
class Maker:
    """
    All that is needed to make signed messages for one member; *area* is the box in which its positions lie.

    By *cases* personal groups are sealed; without it they stand open, and the bus refuses them.
    """

    codec: Codec
    check: Check
    private: Ed25519PrivateKey
    area: Area | None = None
    cases: CaseKeys | None = None

    def make(self, feed: Feed, item: Raw | Bad, received_at: datetime) -> Made:
        """
        Give the message for *item*, signed by itself: its record, or a reject for its owner. Never raises, whatever a source gives.
        """
        (made,) = self.signed([self.draft(feed, item, received_at)])
        return made

    def signed(self, drafts: Sequence[Draft]) -> list[Made]:
        """
        Sign *drafts* with one signature, in their order; each stays provable by itself. At most ``MOST_TOGETHER`` of them.
        """
        proofs = sign_batch(self.private, [(draft.message.topic, draft.message.value) for draft in drafts])
        return [
            Made(
                replace(draft.message, headers=(*headers.items(), *draft.message.headers)),
                draft.input_id,
                draft.reason,
                draft.count,
            )
            for draft, headers in zip(drafts, proofs, strict=True)
        ]

    def draft(self, feed: Feed, item: Raw | Bad, received_at: datetime) -> Draft:
        """
        Give the message for *item*, unsigned: its record, or a reject for its owner. Never raises, whatever a source gives.

        Raises Unavailable and DeclarationError where a record names people and there is no case key to seal it with: then the feed
        waits, since nothing of it may go out open.
        """
        identifier = input_id(feed, item)
        if isinstance(item, Bad):
            return self._refused(feed, item, identifier, Problem(item.code, item.where.field, item.detail), received_at)
        try:
            value = build(feed, item, received_at)
            frame = self.codec.encode(item.kind, value)
            problems = self.check(item.kind, value, received_at, self.area)
            if not problems and self.cases is not None and personal(value):
                frame = seal(self.codec, self.codec.decode(frame), self.cases.take)
            if len(frame) > MAX_REPORT_BYTES:
                # Refused here and not by the bus: with its headers it could be more than a producer takes, and end the feed.
                raise Refuse("too-large")  # noqa: TRY301 - as the codec does it
        except (Unavailable, DeclarationError):
            raise
        except Refuse as refusal:
            found = Problem(refusal.code, refusal.field, _detail(refusal))
            return self._refused(feed, item, identifier, found, received_at)
        except Exception:  # noqa: BLE001 - one report must never stop its feed, and the text of the error can hold its values
            return self._refused(feed, item, identifier, Problem("internal-error"), received_at)
        if problems:
            rest = "; ".join(f"{problem.field}: {problem.code}" for problem in problems[1:MOST_PROBLEMS])
            first = Problem(problems[0].code, problems[0].field, "; ".join(filter(None, (problems[0].detail, rest))))
            return self._refused(feed, item, identifier, first, received_at)
        topic = f"national.{feed.member}.{item.kind}"
        key = item.subject or identifier
        return Draft(_message(feed, topic, frame, kind=item.kind, key=key, identifier=identifier), identifier)

    def _refused(self, feed: Feed, item: Raw | Bad, identifier: str, problem: Problem, at: datetime) -> Draft:
        value = reject(
            member=feed.member,
            kind=_kind(feed, item),
            stage=STAGE,
            code=problem.code,
            place=_place(item.where),
            at=at,
            input_id=identifier,
            detail=_clean(problem.detail) or "",
            field=_clean(problem.field),
        )
        frame = self.codec.encode("reject", value)
        own = value["id"]
        message = _message(feed, f"rejects.{feed.member}", frame, kind="reject", key=own, identifier=own)
        count = item.count if isinstance(item, Bad) else 1
        return Draft(message, identifier, problem.code, count, Refused.of(value, item))


def input_id(feed: Feed, item: Raw | Bad) -> str:
    """
    Give the id of the record that *item* is or would have been.
    """
    reference = str(item.reference).encode("utf-8", "backslashreplace").decode()
    revision = item.revision if isinstance(item, Raw) and type(item.revision) is int else 0
    return record_id(feed.member, _kind(feed, item) or feed.kinds[0], feed.id, reference, revision)


def build(feed: Feed, raw: Raw, received_at: datetime) -> dict[str, Any]:
    """
    Give the value of a member's record.

    *received_at* (UTC) is when the connector got it. Raises ``Refuse`` where the report holds what is not its own to say:
    ``wrong-kind``, ``foreign-member``, ``wrong-type`` with the field.
    """
    if raw.kind not in feed.kinds:
        raise Refuse("wrong-kind", ", ".join(feed.kinds))
    if not raw.reference.strip():
        raise Refuse("missing-field", field="origin.reference")
    given = dict(raw.value)
    for name in ("id", "view"):
        if given.pop(name, None) is not None:
            raise Refuse("wrong-type", field=name)
    exercise = given.pop("exercise", None)
    if exercise not in (None, True, False):
        raise Refuse("wrong-type", field="exercise")
    own = {name: _group(given, name) for name in ("lifecycle", "origin", "times", "handling", "assessment", "provenance")}
    return {
        **given,
        "id": record_id(feed.member, raw.kind, feed.id, raw.reference, raw.revision),
        # A feed for exercises can't send anything real, nor a report of one say that it is no exercise.
        "exercise": feed.exercise or bool(exercise),
        "lifecycle": _lifecycle(feed, raw, own["lifecycle"]),
        "origin": _origin(feed, raw, own["origin"]),
        "times": {**_without(own["times"], "times", "accepted_at", "late"), "received_at": received_at},
        "handling": filled(own["handling"], feed.handling),
        "assessment": filled(own["assessment"], feed.assessment or {}) or None,
        "provenance": _provenance(feed, raw, own["provenance"]),
    }


def filled(own: Mapping[str, Any], default: Mapping[str, Any]) -> dict[str, Any]:
    """
    Give *default* with what *own* says in its place; nothing said, or an empty list, leaves the default.

    So a report can say more than its feed, and can't loosen it by saying nothing: an empty ``release_to`` is no wider audience.
    """
    said = {name: value for name, value in own.items() if value is not None and value != []}
    return {**own, **default, **said}


def _message(feed: Feed, topic: str, frame: bytes, *, kind: str, key: str, identifier: str) -> Message:
    headers = (
        ("ce_specversion", b"1.0"),
        ("ce_type", f"boutre.{kind}".encode()),
        ("ce_source", f"/{feed.member}/{feed.id}".encode()),
        ("ce_id", identifier.encode()),
        ("content-type", b"application/avro"),
    )
    return Message(topic, key.encode("utf-8", "backslashreplace"), frame, headers)


def _lifecycle(feed: Feed, raw: Raw, own: Mapping[str, Any]) -> dict[str, Any]:
    own = _without(own, "lifecycle", "repeats")
    if own.get("revision") not in (None, raw.revision):
        raise Refuse("wrong-type", field="lifecycle.revision")
    before = None
    if raw.revision > 0:
        before = record_id(feed.member, raw.kind, feed.id, raw.reference, raw.revision - 1)
    default = {"status": "update" if before else "initial", "revises": before}
    return {**filled(own, default), "revision": raw.revision}


def _origin(feed: Feed, raw: Raw, own: Mapping[str, Any]) -> dict[str, Any]:
    mine = {"member": feed.member, "feed": feed.id, "reference": raw.reference}
    for name, value in mine.items():
        if own.get(name) not in (None, value):
            raise Refuse("foreign-member" if name == "member" else "wrong-type", field=f"origin.{name}")
    return {**filled(own, feed.origin), **mine}


def _provenance(feed: Feed, raw: Raw, own: Mapping[str, Any]) -> dict[str, Any]:
    place = ":".join(str(part) for part in (_clean(raw.where.file), raw.where.line) if part is not None)
    return {
        **filled(_without(own, "provenance", "connector", "location"), feed.provenance),
        "connector": f"boutre.{feed.source.name}@{__version__}",
        "location": place or None,
    }


def _group(given: dict[str, Any], name: str) -> Mapping[str, Any]:
    group = given.pop(name, None)
    if group is None:
        return {}
    if not isinstance(group, Mapping):
        raise Refuse("wrong-type", field=name)
    return group


def _without(own: Mapping[str, Any], group: str, *names: str) -> Mapping[str, Any]:
    """Refuse what only the bus or the runner sets."""
    for name in names:
        if own.get(name) is not None:
            raise Refuse("wrong-type", field=f"{group}.{name}")
    return own


def _kind(feed: Feed, item: Raw | Bad) -> str | None:
    if isinstance(item, Raw):
        return item.kind if item.kind in feed.kinds else None
    return feed.kinds[0] if len(feed.kinds) == 1 else None


def _place(where: Where) -> dict[str, Any]:
    return {
        "topic": None,
        "partition": None,
        "offset": None,
        "file": _clean(where.file),
        "line": where.line,
        "field": _clean(where.field),
    }


def _detail(refusal: Refuse) -> str:
    return "" if str(refusal) == refusal.code else str(refusal)


def _clean(text: str | None) -> str | None:
    """Give *text* as UTF-8 can hold it, since names of files may hold bytes that are no letters, and not longer than is of use."""
    return None if text is None else str(text).encode("utf-8", "backslashreplace").decode()[:MOST_LETTERS]
