"""
Quix Streams: its own state and its own exactly-once, in the virtual environment that its pins need.

One function does all the work, so that Quix passes each record through as few stages of its own as it can.
"""

from __future__ import annotations

from typing import Any

from quixstreams import Application, State

from benchmarks.contenders.told import told
from benchmarks.work import work_of


def main() -> None:
    """
    Run the application until it is told to stop.
    """
    call = told()
    work = work_of(call.means, signed=call.signed)
    app = Application(
        call.bootstrap,
        consumer_group=call.group,
        auto_offset_reset="earliest",
        processing_guarantee="exactly-once",
        state_dir=call.data,
        loglevel="WARNING",
        producer_extra_config={"compression.type": "lz4", **call.options.get("producer", {})},
        consumer_extra_config=call.options.get("consumer", {}),
        commit_interval=call.options["commit_interval"],
        commit_every=call.options["commit_every"],
    )
    reads = app.topic(call.reads, value_deserializer="bytes", key_deserializer="bytes")
    writes = app.topic(call.writes, value_serializer="bytes", key_serializer="bytes")

    def unsigned(frame: bytes, state: State) -> list[bytes]:
        decoded = work.read(call.reads, frame, {})
        if state.exists(decoded.value["id"]):
            return []
        state.set(decoded.value["id"], 1)
        return [work.view(decoded)]

    def signed(frame: bytes, _key: Any, _timestamp: int, headers: Any, state: State) -> list[bytes]:
        decoded = work.read(call.reads, frame, dict(headers or ()))
        if state.exists(decoded.value["id"]):
            return []
        state.set(decoded.value["id"], 1)
        return [work.view(decoded)]

    stream = app.dataframe(reads)
    if call.signed:
        stream = stream.apply(signed, stateful=True, expand=True, metadata=True)
    else:
        stream = stream.apply(unsigned, stateful=True, expand=True)
    stream.to_topic(writes)
    app.run()


if __name__ == "__main__":
    main()
