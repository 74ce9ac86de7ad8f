"""
A topic as a file declares it, by a pattern, and as it stands on the cluster, by its own name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from string import Formatter
from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from boutre.topics.members import Kind, Member, Published, Recipient
from boutre.topics.strict import Declared

_RETENTION: Final = re.compile(r"^([1-9][0-9]{0,5})([dh])$")
_HOUR: Final = 3_600_000

# Bytes. The largest batch of records that a topic takes; a record that is larger has no business on a thin link.
MAX_MESSAGE: Final = 1_048_576

COMPACTED: Final[Mapping[str, str]] = {
    "segment.bytes": str(64 * 1_048_576),
    "max.compaction.lag.ms": str(24 * _HOUR),
    "delete.retention.ms": str(24 * _HOUR),
}
"""
What is compacted is compacted within a day and in segments of 64 MiB: so what was forgotten is gone, and who reads it from the
beginning reads little that has no meaning any more. For a day after that its tombstones stay, for those who have read what stood
before them.
"""

OfTheMember = Literal["of the member"]
OF_THE_MEMBER: Final[OfTheMember] = "of the member"

Sentence = Annotated[str, Field(min_length=1)]


class Pattern(Declared):
    """
    One `[[topic]]`: a name with `{member}`, `{kind}` and `{recipient}`, and what holds for all topics it stands for.
    """

    name: str
    owner: str
    description: Sentence
    key: Sentence
    partitions: OfTheMember | Annotated[int, Field(ge=1, le=256)]
    cleanup: Literal["delete", "compact"]
    timestamp: Literal["append", "create"]
    writers: Annotated[tuple[str, ...], Field(min_length=1)]
    readers: Annotated[tuple[str, ...], Field(min_length=1)]
    retention: str | None = None
    schema_: str | None = Field(default=None, alias="schema")
    kinds: tuple[Published, ...] = ()
    together: str | None = None
    growing: bool = False

    @model_validator(mode="after")
    def _whole(self) -> Self:
        wrong = list(self._faults())
        if wrong:
            raise ValueError("; ".join(wrong))
        return self

    def _faults(self) -> Iterator[str]:
        slots = self.slots
        if unknown := slots - {"member", "kind", "recipient"}:
            yield f"{{{min(unknown)}}} is no placeholder; known are {{member}}, {{kind}} and {{recipient}}"
        for place, texts in (
            ("owner", (self.owner,)),
            ("schema", (self.schema_ or "",)),
            ("writers", self.writers),
            ("readers", self.readers),
        ):
            if strange := frozenset[str]().union(*map(_slots, texts)) - slots:
                yield f"{place} uses {{{min(strange)}}}, which is not in the name"
        if self.partitions == OF_THE_MEMBER and "member" not in slots:
            yield f'partitions = "{OF_THE_MEMBER}" needs {{member}} in the name'
        yield from self._kinds_faults(slots)
        yield from self._retention_faults()

    def _kinds_faults(self, slots: frozenset[str]) -> Iterator[str]:
        whose = slots & {"member", "recipient"}
        if len(whose) > 1:
            yield "a topic is a member's or a recipient's, not both"
        if self.kinds and ("kind" not in slots or whose):
            yield "kinds goes with {kind} in a name without {member} and {recipient}, which bring their own"
        if "kind" in slots and not whose and not self.kinds:
            yield "needs kinds, for {kind} in its name"

    def _retention_faults(self) -> Iterator[str]:
        if self.cleanup == "compact" and self.retention is not None:
            yield "a compacted topic keeps the last record of each key: it has no retention"
        if self.cleanup == "delete" and (self.retention is None or milliseconds(self.retention) is None):
            yield 'retention must be a number of days or hours such as "30d" or "12h", or "forever"'

    @property
    def slots(self) -> frozenset[str]:
        """
        The placeholders in the name.
        """
        return _slots(self.name)

    @property
    def config(self) -> dict[str, str]:
        """
        The settings of Kafka that are declared, by Kafka's names; copies are the cluster's matter.
        """
        config = {
            "cleanup.policy": self.cleanup,
            "max.message.bytes": str(MAX_MESSAGE),
            "message.timestamp.type": "LogAppendTime" if self.timestamp == "append" else "CreateTime",
        }
        if self.cleanup == "compact":
            config |= COMPACTED
        if self.retention is not None:
            config["retention.ms"] = str(milliseconds(self.retention))
        return config

    def bindings(self, members: tuple[Member, ...], recipients: tuple[Recipient, ...]) -> Iterator[dict[str, str]]:
        """
        What the placeholders stand for in each topic of this pattern.
        """
        if "member" in self.slots:
            whose: list[tuple[str, str, tuple[str, ...]]] = [("member", one.id, one.kinds) for one in members]
        elif "recipient" in self.slots:
            whose = [("recipient", one.id, one.kinds) for one in recipients]
        else:
            whose = [("", "", self.kinds)]
        for role, name, kinds in whose:
            for (kind,) in product(kinds) if "kind" in self.slots else (("",),):
                yield {key: value for key, value in ((role, name), ("kind", kind)) if key and value}


class TopicsFile(Declared):
    """
    A file of `topics/` that declares topics.
    """

    topic: Annotated[tuple[Pattern, ...], Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class Topic:
    """
    One topic of the bus.

    *config* holds what is declared by Kafka's names. *growing* says that partitions may be added to it; where it is false
    something is remembered by partition, and adding one would move keys away from what is remembered for them.
    *together* names the group of topics that have the same partitions.
    """

    name: str
    pattern: str
    kind: Kind | None
    member: str | None
    recipient: str | None
    owner: str
    description: str
    key: str
    partitions: int
    config: Mapping[str, str]
    writers: tuple[str, ...]
    readers: tuple[str, ...]
    together: str | None = None
    growing: bool = False


def milliseconds(retention: str) -> int | None:
    """
    "30d" or "12h" in milliseconds, "forever" as Kafka's -1; None when it is neither.
    """
    if retention == "forever":
        return -1
    found = _RETENTION.match(retention)
    if found is None:
        return None
    return int(found[1]) * (24 if found[2] == "d" else 1) * _HOUR


def _slots(text: str) -> frozenset[str]:
    try:
        return frozenset(name for _, name, _, _ in Formatter().parse(text) if name is not None)
    except ValueError:  # a brace without its other
        return frozenset({text})
