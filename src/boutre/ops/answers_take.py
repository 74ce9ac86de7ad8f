"""
What a message of the way back comes to: what is remembered, and what is to be told to whom. Knows the store and no broker.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import structlog

from boutre.errors import Refuse
from boutre.ops.answers_store import AnswersStore, View, Waiting
from boutre.processors.receipts import TOPIC as RECEIPTS
from boutre.schemas import answers
from boutre.schemas.codec import Codec
from boutre.topics.bus import Declarations
from boutre.topics.members import BUS

log = structlog.get_logger()

RECALLS: Final = "bus.retraction"
FROM: Final = "from.{recipient}.answer"
REPLIES: Final = "replies.{member}"
ASKED: Final = "asked.{member}"
REPLIED: Final = "replied.{recipient}"

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def reads(declarations: Declarations) -> tuple[str, ...]:
    """
    Give the topics that the way back is made of.
    """
    own = (topic.name for topic in declarations.topics.values() if topic.pattern in {FROM, REPLIES})
    return (RECEIPTS, RECALLS, *own)


def writes(declarations: Declarations) -> tuple[str, ...]:
    """
    Give the topics on which the way back tells what was said.
    """
    return tuple(topic.name for topic in declarations.topics.values() if topic.pattern in {ASKED, REPLIED})


@dataclass(frozen=True, slots=True)
class Taker:
    """
    Takes messages into a store; *clock* is how long an owner has to reply to a request.
    """

    store: AnswersStore
    codec: Codec
    declarations: Declarations
    clock: timedelta

    def take(self, topic: str, frame: bytes | None, at: int) -> None:
        """
        Take one message, within a transaction of the store; *at* is its Kafka timestamp in milliseconds.

        What cannot be read, or says what is not its writer's to say, is left out and logged by its place; nothing stops for it.
        """
        declared = self.declarations.topic(topic)
        kind = {RECEIPTS: "receipt", RECALLS: "retraction"}.get(topic, answers.KIND)
        try:
            value = self.codec.decode(frame, frozenset({kind})).value
        except Refuse as refused:
            log.warning("answers.unreadable", topic=topic, reason=refused.code)
            return
        if topic == RECEIPTS:
            self._receipt(value)
        elif topic == RECALLS:
            recall = value["recall"]
            self.store.add_recall(str(value["id"]), str(recall["record"]), recall["scope"], at)
        elif declared.pattern == FROM:
            self._answer(value, str(declared.recipient), frame or b"", at)
        else:
            self._reply(value, str(declared.member), at)

    def settle(self, *, before: int | None) -> int:
        """
        Make out what answers are to, within a transaction; gives how many still wait.

        An answer may be read before the receipt of its view. One that came *before* a moment (milliseconds; None for never) and
        fits no view by now never will, and its writer is told so.
        """
        waiting = 0
        for one in self.store.unknown():
            view = self.store.view(one.view, one.recipient)
            if view is not None:
                self._made_out(one, view)
            elif before is not None and one.at < before:
                self._not_understood(one)
            else:
                waiting += 1
        return waiting

    def _receipt(self, value: Any) -> None:
        # What the bus made for a recipient has no owner who could be told what is said of it.
        if value["outcome"] == "delivered" and value["view"] is not None and value["member"] != BUS:
            at = round((value["accepted_at"] - EPOCH) / timedelta(milliseconds=1))
            view, record, member, recipient, kind = (str(value[name]) for name in ("view", "record", "member", "recipient", "kind"))
            self.store.add_views([View(view, record, member, recipient, kind, at)])

    def _answer(self, value: Any, recipient: str, frame: bytes, at: int) -> None:
        if value["recipient"] == recipient and value["said"] in answers.FOR_ITSELF:
            # No owner is told of it: by what a recipient says of two views its owner would learn what else it has.
            return
        if value["recipient"] != recipient or value["said"] not in answers.BY_RECIPIENT:
            log.warning("answers.not-its-own", recipient=recipient)
            return
        self.store.add_answer(Waiting(str(value["id"]), recipient, value["view"], str(value["said"]), frame, at, None, known=False))

    def _reply(self, value: Any, member: str, at: int) -> None:
        request = None if value["answers"] is None else self.store.answer(str(value["answers"]))
        view = None if request is None else self.store.view(request.view, request.recipient)
        if request is None or view is None or view.member != member or request.said != answers.REQUEST:
            log.warning("answers.reply-to-nothing", member=member)
            return
        if value["said"] not in answers.BY_OWNER:
            log.warning("answers.not-its-own", member=member)
            return
        if self.store.add_reply(str(value["id"]), request.id, str(value["said"]), at):
            asked = self.codec.decode(request.frame).value
            self._put(f"replied.{request.recipient}", str(request.view), answers.for_recipient(value, asked))

    def _made_out(self, one: Waiting, view: View) -> None:
        value = self.codec.decode(one.frame).value
        due = EPOCH + timedelta(milliseconds=one.at) + self.clock if one.said == answers.REQUEST else None
        self.store.made_out(one.id, None if due is None else round((due - EPOCH) / timedelta(milliseconds=1)))
        told = answers.for_owner(value, record=view.record, member=view.member, kind=view.kind, due=due)
        self._put(f"asked.{view.member}", view.record, told)

    def _not_understood(self, one: Waiting) -> None:
        value = self.codec.decode(one.frame).value
        self.store.made_out(one.id, None)
        at = EPOCH + timedelta(milliseconds=one.at)
        self._put(f"replied.{one.recipient}", str(one.view), answers.not_understood(value, at))

    def _put(self, topic: str, key: str, value: Any) -> None:
        self.store.put(topic, key.encode(), self.codec.encode(answers.KIND, value))
