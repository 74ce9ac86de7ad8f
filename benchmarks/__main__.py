"""
``python -m benchmarks``: run the benchmarks on a broker of their own, and write what they came to.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks import bus, growth, ladder, page, path, peers, restart, results, sealing, stages, tuning, wire
from benchmarks.contest import CONTENDERS, Contest
from benchmarks.sizes import PARTS, Sizes, whole
from benchmarks.work import ROOT
from boutre.errors import BusError
from boutre.ops.broker import Broker

Done = Callable[[str], None]
ACCEPTS = ("accept-reports", "accept-ais")


class Bench:
    """
    All parts, on one broker; each gives its entry of the results.
    """

    def __init__(self, broker: Broker, folder: Path, sizes: Sizes, progress: Progress, only: tuple[str, ...]) -> None:
        self.broker = broker
        self.folder = folder
        self.sizes = sizes
        self.progress = progress
        self.contenders = tuple(one for one in CONTENDERS if not only or one.name in only)
        self.peers: Path | None = None

    def contest(self) -> dict[str, Any]:
        """(a)."""
        if any(contender.peer for contender in self.contenders):
            self.peers = peers.python()
        contest = Contest(self.broker.bootstrap, self.sizes.records, self.peers, self.folder)
        contest.prepare()
        runs = 2 * self.sizes.rounds * len(self.contenders)
        with self._task("a. the same work by each", runs) as done:
            rows = results.contest(list(contest.runs(self.contenders, self.sizes.rounds, (False, True), done)))
        ways = (("plain", ""), ("signed", "_signed"))
        named = {f"ratios{behind}": results.ratios(rows[name]) for name, behind in ways}
        other = results.BY_FASTAVRO
        named |= {f"ratios_by_fastavro{behind}": results.ratios(rows[name], peers=other) for name, behind in ways}
        cpu = {f"ratios_cpu{behind}": results.ratios(rows[name], "cpu_us") for name, behind in ways}
        options = {one.name: {"options": dict(one.options), "part": one.part} for one in self.contenders}
        return {**named, **cpu, "contest": {**rows, "contenders": options}}

    def path(self) -> dict[str, Any]:
        """(b)."""
        counts = dict(self.sizes.path)
        with (
            self._task("b. connector to eight recipients", len(counts) * self.sizes.rounds) as done,
            bus.running(self.broker.bootstrap, self._folder("path"), (*ACCEPTS, "release")) as running,
        ):
            return {"path": results.path(list(path.runs(running, counts, self.sizes.rounds, done)))}

    def ladder(self) -> dict[str, Any]:
        """(c)."""
        rates = self.sizes.rates
        with (
            self._task("c. latency of alerts", len(rates) * self.sizes.rounds) as done,
            bus.running(self.broker.bootstrap, self._folder("ladder"), ("accept-reports", "release")) as running,
        ):
            return {"ladder": results.ladder(list(ladder.runs(running, rates, self.sizes.rung_s, self.sizes.rounds, done)))}

    def recovery(self) -> dict[str, Any]:
        """(d)."""
        keys = self.sizes.keys
        with self._task("d. time to recover", len(keys) * self.sizes.rounds) as done:
            folder = self._folder("recovery")
            return {"recovery": results.recovery(list(restart.runs(self.broker.bootstrap, folder, keys, self.sizes.rounds, done)))}

    def growth(self) -> dict[str, Any]:
        """(e)."""
        sizes = self.sizes
        with self._task("e. growth with processes", len(sizes.processes) * sizes.rounds) as done:
            folder = self._folder("growth")
            runs = growth.runs((self.broker.bootstrap, folder), sizes.records, sizes.processes, sizes.rounds, done)
            return {"growth": results.growth(list(runs))}

    def wire(self) -> dict[str, Any]:
        """(f)."""
        with self._task("f. bytes on the wire", len(wire.FEEDS)) as done:
            weights = list(wire.weights(self.broker.bootstrap, self.broker.home / "data", self._folder("wire"), done))
        rounded = [
            {name: round(value) if isinstance(value, float) else value for name, value in asdict(one).items()} for one in weights
        ]
        return {"wire": rounded}

    def sealing(self) -> dict[str, Any]:
        """(g)."""
        with self._task("g. cutting, signing, sealing", self.sizes.rounds * len(sealing.PROCESSES)) as done:
            return {"sealing": results.sealing(list(sealing.runs(self._folder("sealing"), self.sizes.rounds, done)))}

    def stages(self) -> dict[str, Any]:
        """(h), on a broker of its own: behind what other parts left unread accept would wait, and what they sent is no news."""
        with (
            self._task("h. each processor by itself", self.sizes.rounds * len(stages.STAGES)) as done,
            Broker() as broker,
            bus.running(broker.bootstrap, self._folder("stages"), ()) as running,
        ):
            return {"stages": results.stages(list(stages.runs(running, self.sizes.staged, self.sizes.rounds, done)))}

    def tuning(self) -> dict[str, Any]:
        """The contenders by other settings than theirs."""
        contest = Contest(self.broker.bootstrap, self.sizes.records, peers.python(), self.folder)
        contest.prepare()
        with self._task("settings that were tried", len(tuning.TRIED) * self.sizes.rounds) as done:
            runs = list(contest.runs(tuning.TRIED, self.sizes.rounds, (False,), done))
        return {"tuning": tuning.told(runs)}

    def _folder(self, name: str) -> Path:
        folder = self.folder / name
        folder.mkdir()
        return folder

    @contextmanager
    def _task(self, name: str, total: int) -> Iterator[Done]:
        task = self.progress.add_task(name, total=total)

        def done(said: str) -> None:
            self.progress.update(task, advance=1, description=name)
            if not self.progress.console.is_terminal:
                click.echo(f"{name}: {said}", err=True)

        yield done


@click.command(epilog="Example: python -m benchmarks --only a --rounds 1 --records 5000")
@click.option("--only", default="", help=f"Letters of the parts to run: {', '.join(f'{a} {name}' for a, name in PARTS.items())}.")
@click.option("--contenders", default="", help="In part a, only these: boutre,bare_loop,quix,faust.")
@click.option("--rounds", type=click.IntRange(1), default=None, help="How often each is run; its median counts.  [default: 5]")
@click.option("--records", type=click.IntRange(2_000), default=None, help="How many records a contender reads.  [default: 30000]")
@click.option("--add", is_flag=True, help="Put these parts into the last whole run, which says so.")
@click.option("--tune", is_flag=True, help="Try the contenders by other settings instead, and write them beside the results.")
@click.option("--output", type=click.Choice(["table", "json"]), default="table", show_default=True, help="Form of the answer.")
def main(only: str, contenders: str, rounds: int | None, records: int | None, output: str, *, add: bool, tune: bool) -> None:
    """
    Measure the bus and its peers, about half an hour in all.

    Only a whole run is written to benchmarks/results/latest.json, and what --add puts into it; whatever is less is shown and
    forgotten.
    """
    parts = frozenset(only.replace(",", "") or PARTS)
    if not parts <= PARTS.keys():
        raise click.UsageError(f"--only takes letters of {''.join(PARTS)}")
    sizes = Sizes() if records is None else Sizes().smaller(records)
    sizes = sizes if rounds is None else replace(sizes, rounds=rounds)
    if add and (sizes != Sizes() or contenders or tune or not results.LATEST.exists()):
        raise click.UsageError("--add takes whole parts alone, and needs a whole run to put them beside")
    try:
        told = _run(parts, sizes, tuple(filter(None, contenders.split(","))), tune=tune)
    except BusError as error:
        raise click.ClickException(str(error)) from None
    if tune:
        tuning.write(told)
    elif add or (whole(parts, sizes) and not contenders):
        told = results.added(told, [PARTS[letter] for letter in sorted(parts)]) if add else told
        results.write(told)
        from benchmarks import plots  # noqa: PLC0415 - matplotlib is needed for the plots alone

        plots.draw(told)
        page.write()
        click.echo(f"written: {results.LATEST.relative_to(ROOT)} and {page.PAGE}", err=True)
    click.echo(json.dumps(told, indent=2, ensure_ascii=False) if output == "json" else page.tables(told))


def _run(parts: frozenset[str], sizes: Sizes, only: tuple[str, ...], *, tune: bool) -> Mapping[str, Any]:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description:<34}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    folder = Path(tempfile.mkdtemp(prefix="boutre-bench-"))
    begun, load = time.monotonic(), results.load()
    if load > 1:
        click.echo(f"other processes use this machine ({load:g} of them): only ratios of one run mean anything", err=True)
    told: dict[str, Any] = {}
    try:
        with (
            Progress(*columns, console=console, disable=not console.is_terminal) as progress,
            Broker(progress=lambda line: click.echo(line, err=True)) as broker,
        ):
            bench = Bench(broker, folder, sizes, progress, only)
            for part in ["tuning"] if tune else [name for letter, name in PARTS.items() if letter in parts]:
                told |= getattr(bench, part)()
    except BusError:
        # What was measured until then is not lost with the rest.
        click.echo(json.dumps(told, ensure_ascii=False), err=True)
        raise
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    of = peers.versions(peers.python()) if tune or "a" in parts else {}
    return {**results.about(time.monotonic() - begun, load, sizes.told(), of), **told}


if __name__ == "__main__":
    main()
