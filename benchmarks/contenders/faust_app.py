"""
Stock Faust: an agent, a table and a send, at least once, which is what it can do.
"""

from __future__ import annotations

import logging
from typing import Any

import faust
import uvloop

from benchmarks.contenders.told import told
from benchmarks.work import work_of


def main() -> None:
    """
    Run the worker until it is told to stop.
    """
    logging.basicConfig(level=logging.WARNING)
    uvloop.install()
    call = told()
    work = work_of(call.means, signed=call.signed)
    app = faust.App(
        call.group,
        broker=f"kafka://{call.bootstrap}",
        datadir=call.data,
        topic_replication_factor=1,
        topic_disable_leader=True,
        web_enabled=False,
        consumer_auto_offset_reset="earliest",
        producer_compression_type="lz4",
        logging_config=None,
        **call.options,
    )
    reads = app.topic(call.reads, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw")
    writes = app.topic(call.writes, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw")
    seen = app.Table("seen", partitions=call.partitions, key_type=str, value_type=int)

    async def once(stream: Any) -> None:
        async for event in stream.events():
            decoded = work.read(call.reads, event.value, dict(event.headers or ()))
            if decoded.value["id"] in seen:
                continue
            seen[decoded.value["id"]] = 1
            await writes.send(key=event.key, value=work.view(decoded), timestamp=event.message.timestamp)

    app.agent(reads)(once)
    worker = faust.Worker(app, loglevel="WARNING", redirect_stdouts=False, override_logging=False)
    worker.spinner = None
    worker.execute_from_commandline()


if __name__ == "__main__":
    main()
