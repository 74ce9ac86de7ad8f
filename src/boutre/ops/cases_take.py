"""
What a message comes to for the vault: which record uses which case key, and which record is erased. Knows no broker.

Whose a record is its topic says, which no other member can write to; so nobody binds or destroys another's keys. Signatures are not
asked for: a member's key that is revoked later would hide what was accepted before, and an erasure would pass it by.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import structlog

from boutre.errors import Refuse, Unavailable
from boutre.ops.answers_take import RECALLS
from boutre.processors.patterns import NATIONAL
from boutre.schemas.cases.groups import ALGORITHM, case_keys
from boutre.schemas.cases.vault import Recall, Use
from boutre.schemas.codec import Codec
from boutre.topics.bus import Declarations
from boutre.topics.topic import Topic

log = structlog.get_logger()

RETRACTION: Final = "retraction"
ERASE: Final = "erase"

MARK: Final = ALGORITHM.encode()
"""Stands in every frame that holds a group which the bus can open: where it is not, as in positions by AIS, nothing is decoded."""

LONGEST: Final = 64
"""Characters of a record's id at most. Longer ones accept refuses, and the vault is no place to put them."""


def reads(declarations: Declarations) -> tuple[str, ...]:
    """
    Give the topics that are followed: all reports as members sent them, and recalls as the bus accepted them.
    """
    reports = (topic.name for topic in declarations.topics.values() if topic.pattern == NATIONAL and topic.kind != RETRACTION)
    return (RECALLS, *reports)


@dataclass(slots=True)
class Found:
    """
    What one look at Kafka brought.
    """

    codec: Codec
    uses: list[Use] = field(default_factory=list)
    recalls: list[Recall] = field(default_factory=list)

    def take(self, topic: Topic, frame: bytes | None) -> None:
        """
        Take a message of *topic*. Raises Unavailable for a recall that another version of the bus wrote: it may not be passed by.
        """
        if topic.name == RECALLS:
            self._recall(frame)
        elif topic.member is not None and frame is not None and MARK in frame:
            self._report(topic.member, str(topic.kind), frame)

    def _report(self, member: str, kind: str, frame: bytes) -> None:
        try:
            value = self.codec.decode(frame, frozenset({kind})).value
        except Refuse:
            # Accept refuses it as well, and tells its owner.
            return
        identifier = str(value["id"])
        if len(identifier) <= LONGEST:
            self.uses += [(member, identifier, key) for key in sorted(case_keys(value))]

    def _recall(self, frame: bytes | None) -> None:
        try:
            value: dict[str, Any] = self.codec.decode(frame, frozenset({RETRACTION})).value
        except Refuse as refused:
            if refused.code == "unknown-schema":
                how = "follow with that version: no erasure may be passed by"
                raise Unavailable(f"{RECALLS} holds what another version of boutre wrote; {how}") from None
            log.warning("cases.unreadable", topic=RECALLS, reason=refused.code)
            return
        recall, origin = value["recall"], value["origin"]
        if not isinstance(recall, dict) or not isinstance(origin, dict) or not recall["record"]:
            log.warning("cases.unreadable", topic=RECALLS, reason="missing-field")
        elif recall["scope"] == ERASE and not value["exercise"]:
            # An exercise takes nothing real back, and what is of an exercise may as well stay.
            self.recalls.append((str(origin["member"]), str(recall["record"])))
