"""
The account of a bus: for each input and each recipient exactly one of delivered, withheld, repeat, rejected or in flight.

Made of what stands on the topics, not of what the processes say of themselves: inputs from the national topics and the rejects,
outcomes from the receipts. Pure; ``collect`` reads the topics into it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

Outcome: TypeAlias = Literal["delivered", "withheld", "repeat", "rejected", "in flight"]
OUTCOMES: tuple[Outcome, ...] = ("delivered", "withheld", "repeat", "rejected", "in flight")

BUS = "bus"
"""Whose records links and alerts are: they are nobody's inputs."""

Place: TypeAlias = tuple[str, int, int]
"""Topic, partition and offset."""


@dataclass(slots=True)
class Account:
    """
    What is known of the inputs; *recipients* are all that the bus declares.
    """

    recipients: tuple[str, ...]
    inputs: dict[Place, str] = field(default_factory=dict)
    refused: dict[str, tuple[str, str]] = field(default_factory=dict)
    refused_at: dict[Place, str] = field(default_factory=dict)
    receipts: dict[tuple[str, str], tuple[str, str | None, str, str]] = field(default_factory=dict)
    contradictions: list[tuple[str, str]] = field(default_factory=list)
    unreadable_rejects: int = 0
    views: Counter[tuple[str, str]] = field(default_factory=Counter)

    def national(self, place: Place, identifier: str) -> None:
        """Note a record of a national topic by the id that it names."""
        self.inputs[place] = identifier

    def reject(self, member: str, value: Mapping[str, Any]) -> None:
        """Note a reject: it stands for the record at its place, whatever that called itself."""
        place = value["place"]
        identifier = str(value["input"])
        if place["topic"] is not None:
            self.refused_at[place["topic"], place["partition"], place["offset"]] = identifier
        self.refused[identifier] = (member, str(value["code"]))

    def receipt(self, value: Mapping[str, Any]) -> None:
        """Note a receipt; a second one that says something else is a contradiction, which must never be."""
        key = (str(value["record"]), str(value["recipient"]))
        told = (str(value["outcome"]), value["reason"], str(value["kind"]), str(value["member"]))
        if self.receipts.setdefault(key, told) != told:
            self.contradictions.append(key)

    def view(self, recipient: str, kind: str) -> None:
        """Note a view on a recipient's topic."""
        self.views[recipient, kind] += 1

    @property
    def identifiers(self) -> frozenset[str]:
        """All inputs, each once, however often it was sent."""
        named = {self.refused_at.get(place, identifier) for place, identifier in self.inputs.items()}
        return frozenset(named | set(self.refused))

    def outcome(self, identifier: str, recipient: str) -> Outcome:
        """Say what became of one input for one recipient."""
        told = self.receipts.get((identifier, recipient))
        if told is not None:
            return told[0]  # type: ignore[return-value] # the vocabulary release-outcome has just these
        return "rejected" if identifier in self.refused else "in flight"

    @property
    def in_flight(self) -> int:
        """How many inputs have not come out for some recipient yet."""
        done = Counter(record for record, _ in self.receipts)
        return sum(
            1 for identifier in self.identifiers if identifier not in self.refused and done[identifier] < len(self.recipients)
        )

    def by_input(self) -> dict[str, list[Outcome]]:
        """Give, for every input, what became of it for each recipient, in the order of *recipients*."""
        return {
            identifier: [self.outcome(identifier, recipient) for recipient in self.recipients]
            for identifier in sorted(self.identifiers)
        }

    def summary(self) -> dict[str, Any]:
        """Give the counts, as plain values; every input is counted once for every recipient."""
        identifiers = self.identifiers
        by_recipient = {
            recipient: _in_order(Counter(self.outcome(identifier, recipient) for identifier in identifiers))
            for recipient in self.recipients
        }
        given = Counter(
            (recipient, kind) for (_, recipient), (outcome, _, kind, _) in self.receipts.items() if outcome == "delivered"
        )
        withheld = Counter(
            (recipient, str(reason)) for (_, recipient), (outcome, reason, *_) in self.receipts.items() if outcome == "withheld"
        )
        members = Counter(
            member for (_, recipient), (*_, member) in self.receipts.items() if recipient == self.recipients[0] and member != BUS
        )
        return {
            "inputs": len(identifiers),
            "sent": len(self.inputs),
            "same_report_come_again": len(self.inputs) - len(set(self.inputs.values())),
            "accepted_by_member": dict(sorted(members.items())),
            "rejected": len(self.refused),
            "rejected_by_member_and_reason": _nested(Counter(self.refused.values())),
            "by_recipient": by_recipient,
            "delivered_by_recipient_and_kind": _nested(given),
            "withheld_by_recipient_and_reason": _nested(withheld),
            "views_by_recipient_and_kind": _nested(self.views),
            "in_flight": self.in_flight,
            "contradictions": len(self.contradictions),
            "unreadable_rejects": self.unreadable_rejects,
            "adds_up": all(sum(counts.values()) == len(identifiers) for counts in by_recipient.values())
            and given == self.views
            and not self.contradictions,
        }


def _in_order(counts: Mapping[Outcome, int]) -> dict[str, int]:
    return {outcome: counts.get(outcome, 0) for outcome in OUTCOMES}


def _nested(counts: Mapping[tuple[str, str], int]) -> dict[str, dict[str, int]]:
    nested: dict[str, dict[str, int]] = {}
    for (first, second), count in sorted(counts.items()):
        nested.setdefault(first, {})[second] = count
    return nested


def kept_from(account: Account, identifier: str) -> Sequence[tuple[str, Outcome, str | None]]:
    """
    Give, for one input, each recipient's outcome and the reason why it got nothing, where it did not.
    """
    return [
        (recipient, account.outcome(identifier, recipient), (account.receipts.get((identifier, recipient)) or (None, None))[1])
        for recipient in account.recipients
    ]
