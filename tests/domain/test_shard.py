"""
What a shard does with one record before anything is sent: no record may give it something that no broker takes.
"""

from __future__ import annotations

from typing import Any

import pytest
from aiokafka.structs import ConsumerRecord

from boutre.processors.decision import Emit, Inbound, Outbound, State
from boutre.processors.handle import Handled, Handler, Processor
from boutre.processors.runtime.shard import LARGEST_OUTPUT, Shard
from boutre.processors.runtime.store import Overlay, Store
from boutre.schemas.codec import MAX_BYTES
from records import CODEC, Value


def handled(outputs: dict[str, bytes], changes: dict[str, Any]) -> tuple[Handled, dict[str, Any]]:
    """What comes of a record for which a step answers so, and what is remembered of it."""

    def step(record: Inbound, _: State) -> Emit:
        return Emit(tuple(Outbound(topic, b"k", value, record.timestamp) for topic, value in outputs.items()), changes)

    processor = Processor("x", step, ("in",), frozenset({"out"}), {"comoros": "rejects.comoros"}, "log")
    shard = Shard(Handler(processor, CODEC, lambda _: ("comoros", "sighting")), 0, "group", {}, lambda _: True)
    shard._partitions["in"] = 1
    overlay = Overlay(Store())
    record = ConsumerRecord("in", 0, 7, 1_790_000_000_000, 0, b"k", b"v", None, 1, 1, ())
    return shard._step(record, overlay), overlay.changes


@pytest.mark.parametrize("length", [10, MAX_BYTES, LARGEST_OUTPUT - 1])
def test_what_a_broker_takes_is_written(length: int) -> None:
    """
    An output of any size up to the limit is emitted, and what the step remembers is remembered.
    """
    found, changes = handled({"out": b"x" * length}, {"seen": "x"})

    assert ("emitted", {"seen": "x"}) == (found.outcome, changes)


@pytest.mark.parametrize(
    ("outputs", "changes"),
    [
        ({"out": b"x" * LARGEST_OUTPUT}, {"seen": "x"}),
        ({"out": b"x"}, {"seen": "x" * LARGEST_OUTPUT}),
        ({}, {"seen": ["x"] * 400_000}),
    ],
)
def test_what_no_broker_takes_is_a_reject(outputs: dict[str, bytes], changes: dict[str, Any]) -> None:
    """
    Else its transaction would fail for ever: the record is rejected to its owner, and nothing of it is sent or remembered.
    """
    found, remembered = handled(outputs, changes)
    (out,) = found.records
    told: Value = CODEC.decode(out.value).value

    assert ("rejected", "internal-error", {}) == (found.outcome, found.reason, remembered)
    assert ("rejects.comoros", 7, b"v") == (out.topic, told["place"]["offset"], told["content"])
