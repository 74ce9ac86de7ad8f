"""
What a shard does with one record before anything is sent: no record may give it something that no broker takes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from aiokafka.partitioner import murmur2
from hypothesis import given
from hypothesis import strategies as st

from boutre.processors.decision import Drop, Emit, Inbound, Outbound, State, Step
from boutre.processors.handle import Handled, Handler, Processor
from boutre.processors.runtime.headroom import Headroom
from boutre.processors.runtime.outbox import LARGEST_OUTPUT
from boutre.processors.runtime.overlay import Overlay
from boutre.processors.runtime.shard import Shard
from boutre.processors.runtime.store import Store
from boutre.processors.runtime.work import Work
from boutre.processors.windows import Window, Windows
from boutre.schemas.codec import MAX_BYTES
from records import CODEC, Value


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """An empty store, which these tests leave empty."""
    made = Store(tmp_path_factory.mktemp("state") / "0", Windows({"seen": Window(1, 1_000)}))
    yield made
    made.close()


def shard_of(step: Step, store: Store, count: int = 1, partition: int = 0) -> Shard:
    """A shard of a processor with this step, as it is once it has asked how many partitions its topic has."""
    processor = Processor("x", step, ("in",), frozenset({"out"}), {"comoros": "rejects.comoros"}, "log", windows=store.windows)
    handler = Handler(processor, CODEC, lambda _: ("comoros", "sighting"))
    made = Shard(handler, partition, "group", {}, lambda _: True, 1, Headroom({}, {}), store)
    made._counts["in"] = count
    return made


def handled(store: Store, outputs: dict[str, bytes], changes: dict[str, Any]) -> tuple[Handled, dict[str, Any]]:
    """What comes of a record for which a step answers so, and what is remembered of it."""

    def step(record: Inbound, _: State) -> Emit:
        return Emit(tuple(Outbound(topic, b"k", value, record.timestamp) for topic, value in outputs.items()), changes)

    overlay, work = Overlay(store), Work()
    shard_of(step, store)._step(Inbound("in", 0, 7, b"k", b"v", {}, 1_790_000_000_000), overlay, work)
    (one,) = work.handled
    return one, {key: json.loads(value) for key, (_, value, _, _) in work.changes.items() if value is not None}


@given(keys=st.lists(st.binary(max_size=9) | st.none(), max_size=30))
def test_a_record_in_another_partition_than_its_keys_is_refused(store: Store, keys: list[bytes | None]) -> None:
    """
    What is remembered of a key stands in its partition: elsewhere a repeat would not be known. Without a key the step decides.
    """
    shard = shard_of(lambda *_: Drop("same-report"), store, count=5, partition=3)
    shard.add("in", [Inbound("in", 3, number, key, b"v", {}, 0) for number, key in enumerate(keys)])

    astray = [key is not None and (murmur2(key) & 0x7FFFFFFF) % 5 != 3 for key in keys]
    assert ["wrong-key" if one else None for one in astray] == [record.refused for record in shard.pending.turns()]


def test_a_record_that_is_refused_already_keeps_its_reason(store: Store) -> None:
    """
    A record of which the bytes could not be read is not told of as one with a wrong key.
    """
    shard = shard_of(lambda *_: Drop("same-report"), store, count=5, partition=3)
    astray = next(key for key in map(str.encode, map(str, range(99))) if (murmur2(key) & 0x7FFFFFFF) % 5 != 3)
    shard.add("in", [Inbound("in", 3, 0, astray, None, {}, 0, "undecodable")])

    assert ["undecodable"] == [record.refused for record in shard.pending.turns()]


@pytest.mark.parametrize("length", [10, MAX_BYTES, LARGEST_OUTPUT - 1])
def test_what_a_broker_takes_is_written(store: Store, length: int) -> None:
    """
    An output of any size up to the limit is emitted, and what the step remembers is remembered.
    """
    found, changes = handled(store, {"out": b"x" * length}, {"seen:1": "x"})

    assert ("emitted", {"seen:1": "x"}) == (found.outcome, changes)


@pytest.mark.parametrize(
    ("outputs", "changes"),
    [
        ({"out": b"x" * LARGEST_OUTPUT}, {"seen:1": "x"}),
        ({"out": b"x"}, {"seen:1": "x" * LARGEST_OUTPUT}),
        ({}, {"seen:1": ["x"] * 400_000}),
    ],
)
def test_what_no_broker_takes_is_a_reject(store: Store, outputs: dict[str, bytes], changes: dict[str, Any]) -> None:
    """
    Else its transaction would fail for ever: the record is rejected to its owner, and nothing of it is sent or remembered.
    """
    found, remembered = handled(store, outputs, changes)
    (out,) = found.records
    told: Value = CODEC.decode(out.value).value

    assert ("rejected", "internal-error", {}) == (found.outcome, found.reason, remembered)
    assert ("rejects.comoros", 7, b"v") == (out.topic, told["place"]["offset"], told["content"])
