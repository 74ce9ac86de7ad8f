"""
(a) The same work by four contenders: decode, deduplicate with durable state, cut, encode, send, exactly once.

Each run is a process of its own with topics, a group and a folder of its own; they read the same records, and none runs beside
another. In each round the next contender begins, so that no one always has the machine after the same other.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from benchmarks.kafka import drop_topics, make_topics, preload, workplace
from benchmarks.process import Process
from benchmarks.reports import reports, signed, unsigned, views
from benchmarks.watch import Reader
from benchmarks.work import MEMBER
from boutre.errors import Unavailable

PLAIN: Final = f"benchmark.{MEMBER}.plain"
SIGNED: Final = f"benchmark.{MEMBER}.signed"
PARTITIONS: Final = 4
FINISH: Final = 0.9
"""The part of the output at which a run is timed."""

PATIENCE_S: Final = 120.0
"""Seconds without a record, a worker's start among them, after which a run is given up."""

QUIET_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Contender:
    """
    One of them: how it is started, by what it is tuned, and what it promises.

    *means* say whose codec it works with. *part* is the part of the output at which it is stopped, where it is too slow for all of
    it; *peer* says that it runs in the virtual environment of the peers.
    """

    name: str
    module: str
    exactly_once: bool
    options: Mapping[str, Any] = field(default_factory=dict)
    part: float = 1.0
    peer: bool = False
    means: str = "bus"


BOUTRE: Final = Contender("boutre", "benchmarks.contenders.boutre_worker", exactly_once=True)
BARE: Final = Contender("bare_loop", "benchmarks.contenders.bare_loop", exactly_once=True, options={"batch": 2_000})
QUIX: Final = Contender(
    "quix", "benchmarks.contenders.quix_app", exactly_once=True, options={"commit_interval": 0.5, "commit_every": 2_000}, peer=True
)
FAUST: Final = Contender(
    "faust",
    "benchmarks.contenders.faust_app",
    exactly_once=False,
    options={"store": "memory://", "producer_linger": 0.005},
    part=0.15,
)
AS_WRITTEN: Final = tuple(replace(one, name=f"{one.name}_fastavro", means="fastavro") for one in (BARE, QUIX, FAUST))
"""The peers as somebody would write them who has not got the bus's codec and cut, but fastavro: the same frames come out."""

CONTENDERS: Final = (BOUTRE, BARE, QUIX, FAUST, *AS_WRITTEN)


@dataclass(frozen=True, slots=True)
class Run:
    """
    What one run came to: *rate* in input records a second, *cpu_us* microseconds of its process for each of them.

    *seen* outputs, of which *copies* were one too many; *missing* are known where the run was not stopped early.
    """

    contender: str
    signed: bool
    round: int
    rate: float
    cpu_us: float
    seen: int
    copies: int
    missing: int | None


@dataclass(frozen=True, slots=True)
class Contest:
    """
    The contest on one broker: *count* records are read by each; *peers* is the Python of the peers' environment.
    """

    bootstrap: str
    count: int
    peers: Path | None
    folder: Path

    def prepare(self) -> None:
        """Write the input, once without signatures and once with them."""
        make_topics(self.bootstrap, {PLAIN: PARTITIONS, SIGNED: PARTITIONS})
        preload(self.bootstrap, unsigned(PLAIN, reports(self.count)))
        preload(self.bootstrap, signed(SIGNED, reports(self.count)))

    def runs(
        self, contenders: Sequence[Contender], rounds: int, signatures: Sequence[bool], done: Callable[[str], None]
    ) -> Iterator[Run]:
        """Run all, round by round; *done* is told after each."""
        for number in range(rounds):
            for with_signatures in signatures:
                shift = number % len(contenders)
                for contender in (*contenders[shift:], *contenders[:shift]):
                    run = self.run(contender, number, signed=with_signatures)
                    done(f"{contender.name}{' signed' if with_signatures else ''}")
                    yield run

    def run(self, contender: Contender, number: int, *, signed: bool) -> Run:
        """
        Run one contender once; ``Unavailable`` where it promises exactly once and its output is anything else.
        """
        data = Path(tempfile.mkdtemp(prefix=f"{contender.name.partition(' ')[0]}-", dir=self.folder))
        name = data.name
        call = replace(
            workplace(self.bootstrap, name, PARTITIONS, SIGNED if signed else PLAIN),
            data=str(data / "0"),
            signed=signed,
            means=contender.means,
            options=dict(contender.options),
        )
        wanted = views(self.count)
        finish = int(len(wanted) * FINISH * contender.part)
        whole = contender.part == 1
        log = self.folder / f"{name}.log"
        try:
            with (
                Process(contender.module, call, log, self.peers if contender.peer else None) as process,
                Reader(self.bootstrap, ((call.writes, PARTITIONS),), cpu=process.cpu) as reader,
            ):
                reader.until(finish, PATIENCE_S, process.alive)
                if whole:
                    reader.until(len(wanted), PATIENCE_S, process.alive)
                    reader.rest(QUIET_S)
                seen = reader.seen
        except Unavailable as error:
            raise Unavailable(f"{contender.name}: {error}\n{_tail(log)}") from error
        finally:
            shutil.rmtree(data, ignore_errors=True)
            drop_topics(self.bootstrap, (call.writes, call.rejects, call.changelog))
        missing = len(wanted - seen.ids.keys()) if whole else None
        if contender.exactly_once and (seen.copies or missing or not seen.ids.keys() <= wanted):
            raise Unavailable(f"{contender.name} promises exactly once: {missing} are missing, {seen.copies} came twice")
        # Outputs are fewer than inputs, since repeats give none; the rate is that of the inputs.
        pace, share = seen.pace(finish), self.count / len(wanted)
        return Run(contender.name, signed, number, pace.rate * share, pace.cpu / share * 1e6, seen.count, seen.copies, missing)


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-12:])
