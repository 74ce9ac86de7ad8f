"""
Boutre: a processor with this work as its step, run by the bus's own runtime as ``boutre worker`` does.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import uvloop

from benchmarks.contenders.told import told
from benchmarks.work import MEMBER, Work
from boutre.errors import Refuse
from boutre.ops.cluster import Cluster as Admin
from boutre.processors.decision import Decision, Drop, Emit, Inbound, Outbound, Reject, State
from boutre.processors.handle import Handler, Processor
from boutre.processors.runtime.connection import Connection
from boutre.processors.runtime.restore import Changelog
from boutre.processors.runtime.worker import build, run
from boutre.processors.windows import Window, Windows


@dataclass(frozen=True, slots=True)
class Once:
    """
    The step: each report once, cut for one recipient.
    """

    work: Work
    writes: str

    def __call__(self, record: Inbound, state: State, /) -> Decision:
        """Decide by the id."""
        try:
            decoded = self.work.read(record.topic, record.value, record.headers)
        except Refuse as refused:
            return Reject(refused.code)
        key = f"id:{decoded.value['id']}"
        if key in state:
            return Drop("same-report")
        out = Outbound(self.writes, record.key or b"", self.work.view(decoded), record.timestamp)
        return Emit((out,), {key: 1})


def main() -> None:
    """
    Run the worker.
    """
    logging.basicConfig(level=logging.WARNING)
    uvloop.install()
    call = told()
    step = Once(Work.load(signed=call.signed), call.writes)
    writes = frozenset({call.writes, call.rejects})
    processor = Processor(
        "benchmark",
        step,
        (call.reads,),
        writes,
        {MEMBER: call.rejects},
        call.changelog,
        windows=Windows({"id": Window(30, 10_000_000)}),
    )
    handler = Handler(processor, step.work.codec, lambda _topic: (MEMBER, "sighting"))
    known = Changelog(*Admin({"bootstrap.servers": call.bootstrap}).incarnation(call.changelog))
    run(build(call.group, handler, Connection(call.bootstrap), Path(call.data), known))


if __name__ == "__main__":
    main()
