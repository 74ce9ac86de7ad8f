"""
What a client of Kafka cancels is an error like another: nothing that waits for it ends without a word.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest

from boutre.processors.decision import Drop
from boutre.processors.handle import Handler, Processor
from boutre.processors.runtime.headroom import Headroom
from boutre.processors.runtime.shard import Shard
from boutre.processors.runtime.torn import Torn, tearing
from boutre.processors.runtime.worker import Assigned
from records import CODEC


async def torn() -> None:
    """Wait for what another cancels, as aiokafka does when a node goes away."""
    waited = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(waited.cancel)
    await waited


async def guarded(wait: Callable[[], Awaitable[Any]]) -> None:
    """Wait, guarded."""
    with tearing():
        await wait()


def test_what_another_cancels_is_an_error() -> None:
    """
    One that can be caught and tried again; what nobody cancels goes through.
    """
    with pytest.raises(Torn):
        asyncio.run(guarded(torn))
    asyncio.run(guarded(lambda: asyncio.sleep(0)))


def test_who_is_told_to_end_ends() -> None:
    """
    A task that is cancelled itself is cancelled, also where a time-out inside it has ended before.
    """

    async def timed() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await asyncio.sleep(10)
        await asyncio.sleep(10)

    async def told(wait: Callable[[], Awaitable[Any]]) -> None:
        task = asyncio.create_task(guarded(wait))
        await asyncio.sleep(0.05)
        task.cancel()
        await task

    for wait in (timed, lambda: asyncio.sleep(10)):
        with pytest.raises(asyncio.CancelledError):
            asyncio.run(told(wait))


def handler() -> Handler:
    """One that wants nothing."""
    processor = Processor("x", lambda *_: Drop("same-report"), ("in",), frozenset({"out"}), {"comoros": "rejects.comoros"}, "log")
    return Handler(processor, CODEC, lambda _: ("comoros", "sighting"))


class Opening(Shard):
    """
    A shard whose first look at Kafka is torn.
    """

    async def _renew(self) -> None:
        self._counts["tries"] = self._counts.get("tries", 0) + 1
        if self._counts["tries"] == 1:
            await torn()

    async def _settle(self) -> None:
        """Nothing was committed."""


def test_a_partition_that_is_torn_while_it_opens_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    It tries again, as after any error of Kafka.
    """
    monkeypatch.setattr("boutre.processors.runtime.shard.PAUSE", 0.0)
    none = cast("Any", None)
    shard = Opening(handler(), 0, "group", {}, lambda _: True, 1, none, none)

    asyncio.run(shard.open())

    assert 2 == shard._counts["tries"]


def test_a_rebalance_that_is_torn_ends_the_worker_and_not_its_task() -> None:
    """
    Faust takes a cancellation for the end of the task that looks after rebalances: an error is what makes it end the worker.
    """

    class Away:
        """Asked for its assignment, it lets a cancellation out."""

        def assignment(self) -> frozenset[Any]:
            raise asyncio.CancelledError

    class App:
        """As far as it is asked here."""

        consumer = Away()

    none = cast("Any", None)
    assigned = Assigned(cast("Any", App()), handler(), none, none, none)

    with pytest.raises(Torn):
        asyncio.run(assigned.on_complete())


def test_a_look_at_the_lag_that_is_torn_is_another_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Until then nothing is known of the lag, so that a flood is let through bit by bit and not held back for ever.
    """
    looks: list[int] = []

    class Looking(Headroom):
        """One whose first look is torn."""

        async def _look(self) -> None:
            looks.append(1)
            if len(looks) == 1:
                await torn()
            await asyncio.sleep(10)

    async def watched() -> None:
        pause = asyncio.sleep
        monkeypatch.setattr("boutre.processors.runtime.headroom.asyncio.sleep", lambda _: pause(0))
        headroom = Looking({"release": ("bus.sighting",)}, {})
        headroom.flooded()
        watch = asyncio.create_task(headroom.watch())
        for _ in range(20):
            await pause(0)
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)

    asyncio.run(watched())

    assert len(looks) > 1
