"""
A worker for tests: lets each key through once and writes it to two topics; something can happen to it at a named moment.

    python echo_worker.py '{"bootstrap": ..., "group": ..., "reads": [...], "writes": [...], "changelog": ..., "data": ...}'

``fault`` is ``[how, moment, transaction]``: it happens once, in that transaction or a later one, counted from 1.

- moments: ``begin``; ``send`` (the first batch is not sent yet); ``sent`` (outputs are acknowledged, offsets and commit are not);
  ``offsets`` (the offsets are told, too); ``committed`` (Kafka has committed, this process does not know it yet).
- how: ``die`` by SIGKILL; ``freeze`` by SIGSTOP; ``raise`` a time-out of Kafka's; ``hang`` without end; ``wait`` until there is a
  file ``go`` in the folder ``data``. When it happens a file ``happened`` is made there.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaTimeoutError

from boutre.processors.decision import Decision, Drop, Emit, Inbound, Outbound, Reject, State
from boutre.processors.handle import Handler, Processor
from boutre.processors.runtime.connection import Connection
from boutre.processors.runtime.restore import Changelog
from boutre.processors.runtime.worker import build, run
from boutre.processors.windows import Window, Windows
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


class Faulty(AIOKafkaProducer):  # type: ignore[misc] # aiokafka ships no types
    """
    A producer to which something happens once, at a named moment of a transaction.
    """

    moment = "never"
    number = 0
    """The transaction to which it happens, or a later one, counted from 1."""
    how = "die"
    folder = Path()
    count = 0
    happened = False

    async def begin_transaction(self) -> None:
        """Count it."""
        Faulty.count += 1
        await self._now("begin")
        await super().begin_transaction()

    async def send_batch(self, *args: Any, **named: Any) -> Any:
        """Let it happen before anything is sent."""
        await self._now("send")
        return await super().send_batch(*args, **named)

    async def send_offsets_to_transaction(self, offsets: Any, group_id: str) -> None:
        """Let it happen when outputs are acknowledged and nothing is committed."""
        await self._now("sent")
        await super().send_offsets_to_transaction(offsets, group_id)

    async def commit_transaction(self) -> None:
        """Let it happen before Kafka has committed, or when it has and this process has not heard of it."""
        await self._now("offsets")
        await super().commit_transaction()
        await self._now("committed")

    async def _now(self, moment: str) -> None:
        # Two partitions commit side by side, so that the count can be beyond the number named.
        if moment != Faulty.moment or Faulty.count < Faulty.number or Faulty.happened:
            return
        Faulty.happened = True
        (Faulty.folder / "happened").touch()
        match Faulty.how:
            case "die":
                os.kill(os.getpid(), signal.SIGKILL)
            case "freeze":
                os.kill(os.getpid(), signal.SIGSTOP)
            case "raise":
                raise KafkaTimeoutError
            case "hang":
                await asyncio.Event().wait()
            case "wait":
                while not (Faulty.folder / "go").exists():  # noqa: ASYNC110 - another process makes it
                    await asyncio.sleep(0.02)
            case other:
                raise AssertionError(other)


def main() -> None:
    """
    Run the worker that the argument describes.
    """
    logging.basicConfig(level=logging.INFO)
    told = json.loads(sys.argv[1])
    if told.get("fault"):
        from boutre.processors.runtime import shard  # noqa: PLC0415 - only where something is put in its place

        Faulty.how, Faulty.moment, Faulty.number = told["fault"]
        Faulty.folder = Path(told["data"])
        Faulty.folder.mkdir(parents=True, exist_ok=True)
        vars(shard)["AIOKafkaProducer"] = Faulty
    writes = tuple(told["writes"])
    rejects = told["rejects"]
    processor = Processor(
        "echo", Once(writes), tuple(told["reads"]), frozenset({*writes, rejects}), {"tester": rejects}, told["changelog"],
        windows=Windows({"": Window(told.get("days", 400), told.get("most", 1_000_000))}),
    )  # fmt: skip
    handler = Handler(processor, Codec(lock.load()), lambda _topic: ("tester", None))
    known = Changelog(*told["incarnation"]) if told.get("incarnation") else None
    run(build(told["group"], handler, Connection(told["bootstrap"]), Path(told["data"]), known))


if __name__ == "__main__":
    main()
