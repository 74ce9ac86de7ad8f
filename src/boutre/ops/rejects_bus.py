"""
The bus's own dead letters: records that were accepted and stopped at a step of the bus, on ``rejects.bus``.

Operations list them; nobody reads what they hold. The record still stands where the step met it, and is put there once more: the
same bytes under the same key and id, with the time at which it was accepted, so that the step takes it as it would have then. Who
does that reads and writes topics of the bus (``bus.again``), which operations do not.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, Producer

from boutre.errors import DeclarationError, Fault, Refuse, Unavailable
from boutre.ops.assembly import Assembly
from boutre.ops.rejects_recovery import AGAIN, AT_ONCE, times_of
from boutre.ops.rejects_sending import MOST, PATIENCE_S, Outcome
from boutre.ops.rejects_standing import Entry, Spot
from boutre.ops.rejects_store import Sent, SentAgain
from boutre.ops.rejects_topic import RejectTopics
from boutre.ops.settings import Settings
from boutre.processors.decision import Inbound
from boutre.topics.members import BUS

TOPIC: Final = "rejects.bus"
HOW: Final = "to put records of the bus again one signs in as bus.again: look at BOUTRE_KAFKA__*, boutre access plan"


@dataclass(frozen=True, slots=True)
class Again:
    """
    Puts records of the bus again where they stood; with *dry* it says what it would do.
    """

    settings: Settings
    assembly: Assembly
    topics: RejectTopics
    store: SentAgain
    clock: Callable[[], datetime]
    dry: bool = False
    force: bool = False

    def send(self, entries: Sequence[Entry]) -> Iterator[Outcome]:
        """
        Put these again, and give what became of each. Raises Unavailable where Kafka does not take one.
        """
        allowed = {edge.name: frozenset(filter(self._of_the_bus, edge.reads)) for edge in self.assembly.pipeline.edges}
        producer = None if self.dry else Producer({**self.settings.kafka.producer(), "log_level": 2})
        for at in range(0, len(entries), AT_ONCE):
            yield from self._together(entries[at : at + AT_ONCE], allowed, producer)

    def _of_the_bus(self, topic: str) -> bool:
        """What is a party's is sent again by that party, with its own key."""
        declared = self.assembly.declarations.topics[topic]
        return declared.member is None and declared.recipient is None and BUS in declared.writers

    def _together(self, entries: Sequence[Entry], allowed: dict[str, frozenset[str]], producer: Producer | None) -> list[Outcome]:
        mine = [each for each in entries if each.stood is not None and each.stood.topic in allowed.get(each.stage, ())]
        there = self.topics.records(each.stood for each in mine if each.stood is not None)
        outcomes: list[Outcome] = []
        safe: list[Sent] = []
        failed: list[KafkaError] = []
        try:
            for entry in entries:
                record = None if entry.stood is None else there.get(entry.stood)
                outcome = self._judged(entry, record)
                outcomes.append(outcome)
                if outcome.result == "sent" and record is not None and producer is not None and not failed:
                    self._produce(producer, entry, record, partial(_delivered, _sent(entry), safe, failed))
            if producer is not None and producer.flush(PATIENCE_S):
                raise Unavailable("Kafka has not acknowledged all records in time; the next run goes on there")
        except KafkaException as failure:
            raise Unavailable(f"Kafka did not take a record: {failure.args[0].name()}") from None
        except SystemError:
            # A fatal error, as for a principal that may write nowhere, is raised by the client in the midst of a callback.
            raise Unavailable(f"no record was taken; {HOW}") from None
        finally:
            self.store.add(safe, self.clock())
        if failed:
            raise Unavailable(f"a record was not taken ({failed[0].name()}); {HOW}")
        return outcomes

    def _judged(self, entry: Entry, record: Inbound | None) -> Outcome:
        told = partial(Outcome, entry.id, entry.record, entry.code)
        if record is None or self._id(record) != entry.record:
            return told("not-kept")
        times = max(self.store.times(entry.record, entry.code), times_of(record.headers, entry.code))
        if times >= MOST and not self.force:
            return told("held")
        return told("would-be-sent" if self.dry else "sent")

    def _id(self, record: Inbound) -> str | None:
        try:
            return str(self.assembly.codec.decode(record.value).value["id"])
        except Refuse:
            return None

    def _produce(self, producer: Producer, entry: Entry, record: Inbound, done: Callable[[KafkaError | None, Any], None]) -> None:
        times = max(self.store.times(entry.record, entry.code), times_of(record.headers, entry.code))
        headers: list[tuple[str, str | bytes | None]] = [(name, one) for name, one in record.headers.items() if name != AGAIN]
        headers.append((AGAIN, f"{times + 1} {entry.code}".encode()))
        producer.produce(
            record.topic, record.value, record.key, record.partition, headers=headers, timestamp=record.timestamp, on_delivery=done
        )


def listed(path: Path) -> list[Entry]:
    """
    Read a list of dead letters, as ``boutre rejects list --bus --each --output json`` writes it; DeclarationError where it is none.

    So those who may read the list need not write to the bus, and those who may write need not read it.
    """
    try:
        return [_entry(one) for one in json.loads(path.read_text(encoding="utf-8"))]
    except (OSError, ValueError, KeyError, TypeError):
        message = "is no list of dead letters; boutre rejects list --bus --each --output json writes one"
        raise DeclarationError([Fault(str(path), "", message)]) from None


def _entry(told: Mapping[str, Any]) -> Entry:
    return Entry(
        id=str(told["id"]),
        record=str(told["record"]),
        member=str(told["member"]),
        kind=told["kind"],
        stage=str(told["stage"]),
        code=str(told["code"]),
        field=told["field"],
        feed=told["feed"],
        at=datetime.fromisoformat(told["at"]),
        source=told["source"],
        stood=spot_of(str(told["source"])),
        spot=Spot(TOPIC, 0, 0),
    )


def spot_of(text: str) -> Spot | None:
    """
    Give a place of a topic from how it is listed, ``bus.sighting/0/17``; None where it is no such place.
    """
    topic, _, rest = text.partition("/")
    numbers = rest.split("/")
    if len(numbers) != 2 or not all(one.isascii() and one.isdecimal() for one in numbers):  # noqa: PLR2004 - partition and offset
        return None
    return Spot(topic, int(numbers[0]), int(numbers[1]))


def _sent(entry: Entry) -> Sent:
    return Sent(entry.id, entry.record, entry.code)


def _delivered(line: Sent, safe: list[Sent], failed: list[KafkaError], error: KafkaError | None, _: Any) -> None:
    if error is None:
        safe.append(line)
    else:
        failed.append(error)
