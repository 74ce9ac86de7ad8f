"""
A worker for tests: lets each key through once and writes it to two topics; can be told to kill itself at a named moment.

    python echo_worker.py '{"bootstrap": ..., "group": ..., "reads": [...], "writes": [...], "changelog": ..., "data": ...}'

``die`` is ``[moment, transaction]``: at ``sent`` (outputs are acknowledged, offsets and commit are not) or ``committed`` (Kafka has
committed, the store is not changed yet) of that transaction or a later one, counted from 1, the process kills itself with SIGKILL.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaProducer

from boutre.processors.decision import Decision, Drop, Emit, Inbound, Outbound, Reject, State
from boutre.processors.handle import Handler, Processor
from boutre.processors.runtime.cluster import Cluster
from boutre.processors.runtime.worker import build, run
from boutre.schemas import lock
from boutre.schemas.codec import Codec


@dataclass(frozen=True)
class Once:
    """
    Lets a key through once, and rejects what has no key.
    """

    writes: tuple[str, ...]

    def __call__(self, record: Inbound, state: State, /) -> Decision:
        """Decide by the key."""
        if record.key is None or record.value is None:
            return Reject("undecodable")
        key = record.key.decode()
        if state.get(key) is not None:
            return Drop("same-report")
        return Emit(
            tuple(Outbound(topic, record.key, record.value, record.timestamp) for topic in self.writes), {key: record.offset}
        )


class Dying(AIOKafkaProducer):  # type: ignore[misc] # aiokafka ships no types
    """
    A producer that kills its process at a named moment of a transaction.
    """

    at: tuple[str, int] = ("never", 0)
    count = 0

    async def send_offsets_to_transaction(self, offsets: Any, group_id: str) -> None:
        """Die when outputs are acknowledged and nothing is committed."""
        Dying.count += 1
        if Dying.at[0] == "sent" and Dying.count >= Dying.at[1]:
            os.kill(os.getpid(), signal.SIGKILL)
        await super().send_offsets_to_transaction(offsets, group_id)

    async def commit_transaction(self) -> None:
        """Die when Kafka has committed and this process has not heard of it."""
        await super().commit_transaction()
        # Two partitions commit side by side, so that the count can be beyond the number named.
        if Dying.at[0] == "committed" and Dying.count >= Dying.at[1]:
            os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    """
    Run the worker that the argument describes.
    """
    logging.basicConfig(level=logging.INFO)
    told = json.loads(sys.argv[1])
    if told.get("die"):
        from boutre.processors.runtime import shard  # noqa: PLC0415 - only where something is put in its place

        Dying.at = (told["die"][0], told["die"][1])
        vars(shard)["AIOKafkaProducer"] = Dying
    writes = tuple(told["writes"])
    rejects = told["rejects"]
    processor = Processor(
        "echo", Once(writes), tuple(told["reads"]), frozenset({*writes, rejects}), {"tester": rejects}, told["changelog"]
    )
    handler = Handler(processor, Codec(lock.load()), lambda _topic: ("tester", None))
    run(build(told["group"], handler, Cluster(told["bootstrap"]), Path(told["data"])))


if __name__ == "__main__":
    main()
