"""
A worker of Faust as it comes: its own transport, its own acks, none of the project's code. Each case is one agent.

    python stock_worker.py '{"bootstrap": ..., "case": ..., "group": ..., "reads": ..., "writes": ..., "data": ...}'

Nothing here is drawn by chance: what goes wrong goes wrong at a named record, or at a named call.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
from typing import Any

import faust
from faust.transport.drivers import aiokafka as driver

POISON = b"poison"
"""The value at which an agent stumbles."""


async def raising(stream: Any, out: Any) -> None:
    """Raise at one record, and write every other one."""
    async for event in stream.events():
        if event.value == POISON:
            raise ValueError("stumbled")
        await (await out.send(key=event.key, value=event.value))


async def writing(stream: Any, out: Any) -> None:
    """Write every record, and await that the broker has it."""
    async for event in stream.events():
        await (await out.send(key=event.key, value=event.value))


async def trusting(stream: Any, out: Any) -> None:
    """Write every record as Faust's guide shows it: without asking whether the broker has it."""
    async for event in stream.events():
        await out.send(key=event.key, value=event.value)


async def hanging(stream: Any, out: Any) -> None:
    """Never be done with one record, and write every other one."""
    async for event in stream.events():
        if event.value == POISON:
            await asyncio.Event().wait()
        await (await out.send(key=event.key, value=event.value))


CASES: dict[str, tuple[Any, dict[str, Any], dict[str, Any], str]] = {
    "raises": (raising, {}, {}, "raw"),
    "undecodable": (writing, {}, {}, "json"),
    "two-at-once": (hanging, {}, {"concurrency": 2}, "raw"),
    "exactly-once": (writing, {"processing_guarantee": "exactly_once"}, {}, "raw"),
    "aborted": (writing, {}, {}, "raw"),
    "too-large": (trusting, {}, {}, "raw"),
}
"""Each case: its agent, what is set of the app and of the agent, and how values are written."""


async def die(*_: Any, **__: Any) -> None:
    """Die where outputs are written and nothing is committed."""
    os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    """
    Run the worker that the argument describes.
    """
    logging.basicConfig(level=logging.INFO)
    told = json.loads(sys.argv[1])
    agent, of_app, of_agent, serializer = CASES[told["case"]]
    if told["case"] == "exactly-once":
        vars(driver)["Producer"].commit_transactions = die
    app = faust.App(
        told["group"],
        broker=f"kafka://{told['bootstrap']}",
        datadir=told["data"],
        store="memory://",
        web_enabled=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        consumer_auto_offset_reset="earliest",
        broker_session_timeout=6.0,
        broker_heartbeat_interval=1.0,
        broker_commit_interval=0.2,
        logging_config=None,
        **of_app,
    )
    how: dict[str, Any] = {"key_type": bytes, "key_serializer": "raw", "value_serializer": serializer}
    how["value_type"] = None if serializer == "json" else bytes
    topic, out = app.topic(told["reads"], **how), app.topic(told["writes"], **how)

    async def work(stream: Any) -> None:
        await agent(stream, out)

    app.agent(topic, name="stock", **of_agent)(work)
    worker = faust.Worker(app, loglevel="INFO", redirect_stdouts=False, override_logging=False)
    worker.spinner = None
    worker.execute_from_commandline()


if __name__ == "__main__":
    main()
