"""
Why a record goes to a recipient as it does, or does not: read off what release decides, and told by agreement, clause and field.

Release itself is asked, with nothing remembered, and its receipts are read; so an explanation cannot say other than what happens.
Beside that stands, for each agreement of the recipient, what of it fails for this record: each of its conditions is asked alone.
Nothing of this holds a value of the record.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from boutre.errors import Refuse
from boutre.processors.agreement import Agreement
from boutre.processors.conditions import Facts, Terms
from boutre.processors.cut import Cut, in_force, together
from boutre.processors.decision import EPOCH, Emit, Inbound
from boutre.processors.memory import Memory
from boutre.processors.receipts import TOPIC
from boutre.processors.release import Desk, Release
from boutre.processors.ways import Way, ways
from boutre.schemas.fields import FieldInfo

RETRACTION: Final = "retraction"
TOGETHER: Final[Mapping[str, tuple[str, ...]]] = {"term": ("start", "end"), "when.zones": ("when.zones", "when.waters")}
"""Conditions that several keys of an agreement's file make together."""


@dataclass(frozen=True, slots=True)
class Failing:
    """
    One condition that a record does not meet: the *key* in the agreement's file, None where it is the record alone, and the reason.
    """

    key: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """
    What one agreement says of a record: the *reason* why it gives nothing, None where it speaks; and all that fails, that first.
    """

    agreement: Agreement
    reason: str | None
    failing: tuple[Failing, ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """
    What becomes of a record for one recipient.

    *outcome* and *reason* are codes of ``release-outcome`` and ``release-reason``, *agreements* those by which it goes out; *ways*
    are all fields of its kind by path, empty where nothing goes out. *supposed* says that it takes something back and that the
    recipient is supposed to have had it: a recall goes to whoever did, and to nobody else.
    """

    recipient: str
    kind: str
    outcome: str
    reason: str | None
    agreements: tuple[str, ...]
    verdicts: tuple[Verdict, ...]
    ways: Mapping[str, Way]
    supposed: bool = False

    @property
    def given(self) -> bool:
        """Say whether anything goes out."""
        return self.outcome == "delivered"

    @property
    def ask(self) -> tuple[str, ...]:
        """Whom to ask for what is not given: codes of ``contact``, each once; none where nothing is withheld or nobody is named."""
        if self.given:
            return tuple(dict.fromkeys(way.ask for way in self.ways.values() if way.state != "kept" and way.ask))
        return tuple(dict.fromkeys(verdict.agreement.ask for verdict in self.verdicts))


def explain(
    step: Release, kind: str, value: Mapping[str, Any], accepted: datetime, fields: Mapping[str, tuple[FieldInfo, ...]]
) -> dict[str, Explanation]:
    """
    Say for every recipient of *step* what becomes of an accepted record, and why.

    *value* is decoded, as it stands on ``bus.<kind>``; *accepted* is the time of acceptance, *fields* are those of each kind.

    Raises Refuse where release could not handle the record.
    """
    recall = value.get("recall") if kind == RETRACTION else None
    state: dict[str, Any] = {}
    if isinstance(recall, Mapping):
        member = str(value["origin"]["member"])
        state = Memory({}, member).given(str(recall["record"]), {desk.recipient: "-" for desk in step.desks})
    receipts = _receipts(step, kind, value, accepted, state)
    facts = step.facts(kind, value, accepted)
    return {
        desk.recipient: _explanation(desk, kind, receipts[desk.recipient], facts, fields, supposed=bool(state))
        for desk in step.desks
    }


def _receipts(
    step: Release, kind: str, value: Mapping[str, Any], accepted: datetime, state: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    topic = next(name for name, of in step.kinds.items() if of == kind)
    stamp = (accepted.astimezone(UTC) - EPOCH) // timedelta(milliseconds=1)
    decision = step(Inbound(topic, 0, 0, None, step.codec.encode(kind, value), {}, stamp), state)
    if not isinstance(decision, Emit):
        raise Refuse(getattr(decision, "code", "internal-error"), field=getattr(decision, "field", None))
    told = [step.codec.decode(out.value).value for out in decision.records if out.topic == TOPIC]
    return {str(receipt["recipient"]): receipt for receipt in told}


def _explanation(
    desk: Desk, kind: str, receipt: Mapping[str, Any], facts: Facts, fields: Mapping[str, tuple[FieldInfo, ...]], *, supposed: bool
) -> Explanation:
    outcome, names = str(receipt["outcome"]), tuple(receipt["agreements"])
    cuts = desk.cuts.get(kind, ())
    speak = tuple(cut for cut in cuts if cut.agreement.name in names)
    return Explanation(
        desk.recipient,
        kind,
        outcome,
        receipt["reason"],
        names if outcome == "delivered" else (),
        # A recall follows its record: no condition is asked of it.
        () if supposed else tuple(verdict(cut.agreement, facts) for cut in cuts),
        ways_of(speak, kind, fields) if outcome == "delivered" else {},
        supposed,
    )


def ways_of(cuts: tuple[Cut, ...], kind: str, fields: Mapping[str, tuple[FieldInfo, ...]]) -> dict[str, Way]:
    """
    Give how each field goes out under some cuts that hold together; without any nothing does.
    """
    if not cuts:
        return {}
    # As release does it: a retraction says no more than the strictest, whatever is active.
    return ways(together(cuts) if kind == RETRACTION else in_force(cuts), fields[kind])


# --- What fails ------------------------------------------------------------------------------------------------------------


def verdict(agreement: Agreement, facts: Facts) -> Verdict:
    """
    Say what one agreement says of a record, and each of its conditions that fails: all of them would have to be otherwise.
    """
    reason = Terms.of(agreement).refusal(facts)
    if reason is None:
        return Verdict(agreement, None)
    open_ = _opened(agreement, facts)
    itself = Terms.of(_with(agreement, open_)).refusal(facts)
    found = [] if itself is None else [Failing(None, itself)]
    for key, keys in _conditions(open_):
        alone = _with(agreement, {name: value for name, value in open_.items() if name not in keys})
        failed = Terms.of(alone).refusal(facts)
        if failed is not None and failed != itself:
            found.append(Failing(key, failed))
    return Verdict(agreement, reason, tuple(sorted(found, key=lambda one: one.reason != reason)))


def _conditions(open_: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
    joined = {name for names in TOGETHER.values() for name in names}
    yield from ((key, (key,)) for key in open_ if key not in joined)
    yield from TOGETHER.items()


def _opened(agreement: Agreement, facts: Facts) -> dict[str, Any]:
    """Give every key that can keep a record back, with the value by which it keeps this one from nobody."""
    # What a condition is without a word of it; new ones need nothing here as long as silence asks for nothing.
    silent = {
        f"when.{name}": info.get_default(call_default_factory=True)
        for name, info in type(agreement.when).model_fields.items()
        if not info.is_required()
    }
    return {
        "kinds": (*agreement.kinds, facts.kind),
        "start": date.min,
        "end": date.max,
        "scope": None,
        "purposes": (*agreement.purposes, *facts.purposes),
        **silent,
        "when.tlp_max": agreement.when.tlp_max and "RED",
        "when.handling": tuple(sorted({*agreement.when.handling, *facts.codes})),
    }


def _with(agreement: Agreement, values: Mapping[str, Any]) -> Agreement:
    conditions = {name.removeprefix("when."): value for name, value in values.items() if name.startswith("when.")}
    own = {name: value for name, value in values.items() if not name.startswith("when.")}
    return agreement.model_copy(update={**own, "when": agreement.when.model_copy(update=conditions)})
