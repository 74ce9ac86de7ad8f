"""
Findings of the processes: who does not answer, is not healthy, or waits for something.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from boutre.ops.doctor.late import Answered
from boutre.ops.findings.finding import Finding

OF_BROKER: Final = "the broker has not answered"
"""How a process begins to say that it cannot reach the broker (``boutre.health``)."""


def of_processes(answers: Iterable[Answered], *, broker_gone: bool) -> Iterator[Finding]:
    """
    Judge what each process said of itself. That it cannot reach a broker that is gone needs no finding of its own.
    """
    for one in answers:
        subject = f"{one.kind} {one.name}".strip() or one.address
        if one.body is None:
            yield Finding("process-silent", "process", subject, "error", None, {"address": one.address})
            continue
        why = tuple(each for each in one.why if not (broker_gone and each.startswith(OF_BROKER)))
        if (one.ready and one.healthy) or (not why and broker_gone):
            continue
        code = "process-unready" if one.healthy else "process-unhealthy"
        yield Finding(code, "process", subject, "error" if not one.healthy else "warning", None, {
            "address": one.address, "why": "; ".join(why) or "-",
        })  # fmt: skip
