"""
(g) What signing and sealing cost beside cutting: release for eight recipients and the finish of its transactions, no broker.

Incidents of the sample feed, as accept leaves them, go through release in transactions of ``TOGETHER`` records. The same views are
then signed as they are, and signed after all of them were sealed, whatever their agreements say. In one process, and in two at
once, since release is shared by processes. Reading, writing and the clock of a broker are left out: ``b`` has them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final, TypeAlias

from msgspec.structs import replace

from benchmarks.wire import national
from benchmarks.work import ROOT
from boutre.ops.assembly import assemble
from boutre.ops.settings import Settings
from boutre.processors.decision import Inbound, Outbound, Seal
from boutre.processors.finish import Finish
from boutre.processors.handle import Handler
from boutre.processors.local import LocalBus
from boutre.processors.windows import InMemory
from boutre.schemas.keys import KeyFolder

FEED: Final = "incidents-imb"
TOGETHER: Final = 128
MOST: Final = 700
PROCESSES: Final = (1, 2)
Spent: TypeAlias = tuple[float, float]
"""Seconds by the clock, and of the processor."""

NOTHING: Final[Spent] = (0.0, 0.0)
WAYS: Final = ("cut", "cut and signed", "cut, sealed and signed")


@dataclass(frozen=True, slots=True)
class Cost:
    """
    Views a second by all *processes* together in one way, and microseconds of a processor for a view.
    """

    way: str
    processes: int
    views: int
    rate: float
    cpu_us: float


def runs(folder: Path, rounds: int, done: Callable[[str], None]) -> Iterator[list[Cost]]:
    """
    Measure *rounds* times, in one process and in two; *folder* takes keys for it.
    """
    _keys(folder)
    for count in PROCESSES:
        with ProcessPoolExecutor(count, get_context("spawn")) as pool:
            list(pool.map(_warm, [str(folder)] * count))
            for _ in range(rounds):
                yield _together(list(pool.map(_measured, [str(folder)] * count)))
                done(f"{count} processes")


def _together(found: Sequence[tuple[int, list[Spent]]]) -> list[Cost]:
    """Give what processes came to that ran at the same time."""
    return [
        Cost(
            way,
            len(found),
            found[0][0],
            sum(views / spent[at][0] for views, spent in found),
            sum(1e6 * spent[at][1] / views for views, spent in found) / len(found),
        )
        for at, way in enumerate(WAYS)
    ]


def _keys(folder: Path) -> KeyFolder:
    declarations = assemble(ROOT).declarations
    keys = KeyFolder(folder / "keys")
    keys.development(declarations.members, declarations.recipients)
    return keys


@cache
def _ready(folder: str) -> tuple[Handler, Finish, tuple[Outbound, ...], dict[str, Seal]]:
    """Make release and its finish, and the records that it reads."""
    assembly = assemble(ROOT)
    settings = Settings(bus=ROOT, keys=Path(folder) / "keys", state=Path(folder) / "state")
    keys = KeyFolder(settings.keys)
    handlers = assembly.handlers(keys)
    (release,) = (one for one in handlers if one.processor.name == assembly.pipeline.file.release.name)
    bus = LocalBus(tuple(one for one in handlers if one is not release))
    bus.publish(national(settings, FEED)[:MOST])
    read = tuple(out for topic in release.processor.reads for out in bus.read(topic))
    finish, now = release.processor.finish, datetime.now(UTC)
    assert finish is not None  # a worker's own release has one
    named = {name: finish.key(name, now) for name in assembly.declarations.recipients}
    return release, finish, read, {name: Seal(key, "0123456789abcdef") for name, key in named.items() if key is not None}


def _warm(folder: str) -> None:
    _ready(folder)
    _measured(folder)


def _measured(folder: str) -> tuple[int, list[Spent]]:
    """Release everything once; gives the number of views, and what each way took."""
    release, finish, read, seals = _ready(folder)
    state: Any = InMemory(release.processor.windows)
    views, cut, signed, sealed = 0, NOTHING, NOTHING, NOTHING
    for begin in range(0, len(read), TOGETHER):
        outputs: list[Outbound] = []
        at = _now()
        for place, out in enumerate(read[begin : begin + TOGETHER], begin):
            handled = release(Inbound(out.topic, 0, place, out.key, out.value, {}, out.timestamp), state)
            state.add(handled.changes)
            outputs += handled.records
        cut = _plus(cut, _since(at))
        plain = [replace(out, seal=None) for out in outputs]
        closed = [replace(out, seal=seals[out.topic.split(".")[1]]) if out.topic.startswith("for.") else out for out in plain]
        at = _now()
        finish.begin()
        finish(plain)
        signed = _plus(signed, _since(at))
        at = _now()
        finish.begin()
        finish(closed)
        sealed = _plus(sealed, _since(at))
        views += sum(out.topic.startswith("for.") for out in outputs)
    return views, [cut, _plus(cut, signed), _plus(cut, sealed)]


def _now() -> Spent:
    return time.perf_counter(), time.process_time()


def _since(at: Spent) -> Spent:
    now = _now()
    return now[0] - at[0], now[1] - at[1]


def _plus(one: Spent, other: Spent) -> Spent:
    return one[0] + other[0], one[1] + other[1]
