"""
The clock of a worker: it writes into each of its partitions that time has passed.

What waits for time (an alert that nobody answers, one that ends) then happens in the order of a topic, once, as everything else: a
step reads no clock. A tick that is lost, or written twice by two workers while a partition moves, does no harm: the next one comes.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Any, Final

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

log = structlog.get_logger()

TICK_S: Final = 10.0
"""Seconds between two ticks: alerts wait for minutes."""


class Clock:
    """
    Writes ticks to *topic*; *partitions* gives those that are this worker's now.
    """

    def __init__(self, topic: str, connection: dict[str, Any], partitions: Callable[[], Iterable[int]]) -> None:
        self._topic = topic
        self._connection = connection
        self._partitions = partitions

    async def run(self) -> None:
        """Tick until cancelled; a broker that is away is waited for."""
        while True:
            try:
                await self._run()
            except (KafkaError, OSError, TimeoutError) as error:
                log.warning("clock cannot tick", error=type(error).__name__)
            await asyncio.sleep(TICK_S)

    async def _run(self) -> None:
        producer = AIOKafkaProducer(**self._connection, enable_idempotence=True)
        await producer.start()
        try:
            while True:
                now = round(time.time() * 1000)
                for partition in sorted(self._partitions()):
                    await producer.send(self._topic, b"", partition=partition, timestamp_ms=now)
                await asyncio.sleep(TICK_S)
        finally:
            await producer.stop()
