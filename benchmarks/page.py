"""
The figures of ``docs/performance.md``, as tables made of the results; the words around them are written by hand.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from benchmarks.results import LATEST
from benchmarks.sizes import PARTS
from benchmarks.work import ROOT

PAGE: Final = "docs/performance.md"
NAMES: Final = {
    "boutre": "Boutre",
    "bare_loop": "bare loop",
    "quix": "Quix Streams",
    "faust": "stock Faust",
    "bare_loop_fastavro": "bare loop, by fastavro",
    "quix_fastavro": "Quix Streams, by fastavro",
    "faust_fastavro": "stock Faust, by fastavro",
}
GOALS: Final = {"to_quix_exactly_once": 3.0, "to_bare_loop": 0.8, "to_stock_faust": 15.0}
RATIO_NAMES: Final = {
    "to_quix_exactly_once": "Quix Streams, exactly once",
    "to_bare_loop": "a bare transactional loop",
    "to_stock_faust": "stock Faust, at least once",
}
RATIO_KINDS: Final = {
    "ratios": "signatures off",
    "ratios_signed": "signatures on",
    "ratios_by_fastavro": "theirs by fastavro, off",
    "ratios_by_fastavro_signed": "theirs by fastavro, on",
}
FEEDS: Final = {"incidents-imb": "reports of incidents", "ais-demonstration": "positions by AIS"}

UNMEASURED: Final = "Not in these results; `python -m benchmarks --only {letter}` measures it."

Told = Mapping[str, Any]


def latest() -> Told:
    """
    Read the results that the page shows.
    """
    told: Told = json.loads(LATEST.read_text(encoding="utf-8"))
    return told


def parts(told: Told) -> dict[str, Callable[[], str]]:
    """
    Give what writes each part of the page, by its name.
    """
    return {
        "host": lambda: host(told),
        "ratios": lambda: _lines(ratios(told)),
        "contest": lambda: _lines(contest(told)),
        "path": lambda: _lines(path(told["path"])),
        "ladder": lambda: _lines(ladder(told["ladder"])),
        "recovery": lambda: _lines(recovery(told["recovery"])),
        "growth": lambda: _lines(growth(told["growth"])),
        "wire": lambda: _lines(wire(told["wire"])),
        "sealing": lambda: _lines(sealing(told["sealing"])) if "sealing" in told else UNMEASURED.format(letter="g"),
        "stages": lambda: _lines(stages(told["stages"])) if "stages" in told else UNMEASURED.format(letter="h"),
    }


def tables(told: Told) -> str:
    """
    Give all that was measured, for a terminal.
    """
    made = []
    if "contest" in told:
        made += [_lines(ratios(told)), _lines(contest(told))]
    makers: dict[str, Callable[[Any], Iterator[str]]] = {
        "path": path,
        "ladder": ladder,
        "recovery": recovery,
        "growth": growth,
        "wire": wire,
        "sealing": sealing,
        "stages": stages,
        "tuning": tuning,
    }
    made += [_lines(make(told[name])) for name, make in makers.items() if name in told]
    return "\n\n".join(made)


def host(told: Told) -> str:
    """
    Say on what and when it was measured.
    """
    machine, of = told["host"], told["versions"]
    peers = of["peers"]
    changed = " with changes" if told["changed"] else ""
    clients = ", ".join(f"{name} {of[name]}" for name in ("aiokafka", "faust-streaming", "rocksdict", "confluent-kafka"))
    sentences = (
        f"Measured on {told['at'][:10]} at commit `{told['commit'][:10]}`{changed}, in {told['seconds'] // 60} minutes.",
        f"{told['sizes']['rounds']} rounds; a cell is the median, with the least and the most.",
        f"{machine['cores']} cores ({machine['processor']}), {machine['memory_gb']} GB, {machine['kernel']}.",
        f"Broker, workers, connector and reader share them; before the run {told['load_before']:g} other processes wanted to run.",
        f"Python {of['python']}, Apache Kafka {of['kafka']}, {clients} ({peers['confluent-kafka']} under Quix),",
        f"quixstreams {peers['quixstreams']}.",
        *(
            f"Part {letter} was measured apart, on {when['at'][:10]} at commit `{when['commit'][:10]}`."
            for letter, part in PARTS.items()
            if (when := told.get("apart", {}).get(part)) is not None
        ),
    )
    return "\n".join(sentences)


def ratios(told: Told) -> Iterator[str]:
    """
    The table of ratios.
    """
    kinds = [(kind, head) for kind, head in RATIO_KINDS.items() if kind in told]
    yield f"| Boutre's rate to that of | goal | {' | '.join(head for _, head in kinds)} |"
    yield "|---|---|" + "---|" * len(kinds)
    for name, label in RATIO_NAMES.items():
        cells = [told[kind].get(name) for kind, _ in kinds]
        if any(cell is not None for cell in cells):
            yield f"| {label} | {GOALS[name]:g} | {' | '.join(map(_ratio, cells))} |"


def contest(told: Told) -> Iterator[str]:
    """
    The table of rates.
    """
    yield "| records a second | signatures off | signatures on | processor, µs a record (off) | (on) |"
    yield "|---|---|---|---|---|"
    rows = told["contest"]
    for name in rows["plain"]:
        cells = [_cell(rows[way][name][field]) for field in ("rate", "cpu_us") for way in ("plain", "signed")]
        yield f"| {NAMES.get(name, name)} | {' | '.join(cells)} |"


def path(rows: Told) -> Iterator[str]:
    """
    The table of the whole path.
    """
    yield "| from connector to eight recipients | records a second | views of each |"
    yield "|---|---|---|"
    for feed, row in rows.items():
        yield f"| {FEEDS.get(feed, feed)} | {_cell(row['rate'])} | {row['views']['median']:g} |"


def ladder(rows: Sequence[Told]) -> Iterator[str]:
    """
    The table of latencies.
    """
    yield "| alerts a second | p50, ms | p99, ms | p99.9, ms | the slowest, ms | counted |"
    yield "|---|---|---|---|---|---|"
    for row in rows:
        cells = " | ".join(_cell(row[name]) for name in ("p50_ms", "p99_ms", "p999_ms", "most_ms"))
        yield f"| {row['rate']:,} | {cells} | {row['count']:,} |"


def recovery(rows: Sequence[Told]) -> Iterator[str]:
    """
    The table of recovery.
    """
    yield "| keys | same disk, s | new owner, s |"
    yield "|---|---|---|"
    for row in rows:
        yield f"| {row['keys']:,} | {_cell(row['same_disk_s'])} | {_cell(row['new_owner_s'])} |"


def growth(rows: Sequence[Told]) -> Iterator[str]:
    """
    The table of growth.
    """
    yield "| workers and partitions | records a second | processor, µs a record |"
    yield "|---|---|---|"
    for row in rows:
        yield f"| {row['processes']} | {_cell(row['rate'])} | {_cell(row['cpu_us'])} |"


def wire(rows: Sequence[Told]) -> Iterator[str]:
    """
    The table of bytes.
    """
    yield "| bytes a record | value | with key and headers | on disk | lz4 | zstd |"
    yield "|---|---|---|---|---|---|"
    for row in rows:
        cells = " | ".join(f"{row[name]:,}" for name in ("value", "message", "none", "lz4", "zstd"))
        yield f"| {row['record']}, {row['stage']} | {cells} |"


def sealing(rows: Sequence[Told]) -> Iterator[str]:
    """
    The table of what signing and sealing cost.
    """
    yield "| release for eight recipients | processes | views a second | processor, µs a view |"
    yield "|---|---|---|---|"
    for row in rows:
        yield f"| {row['way']} | {row['processes']} | {_cell(row['rate'])} | {_cell(row['cpu_us'])} |"


def stages(rows: Sequence[Told]) -> Iterator[str]:
    """
    The table of each processor by itself.
    """
    yield "| processor | records read a second | for each report | reports a second | processor, µs a record |"
    yield "|---|---|---|---|---|"
    for row in rows:
        yield f"| {row['stage']} | {' | '.join(_cell(row[name]) for name in ('rate', 'for_each', 'reports', 'cpu_us'))} |"


def tuning(rows: Told) -> Iterator[str]:
    """
    The table of settings that were tried.
    """
    yield "| tried | records a second | processor, µs a record |"
    yield "|---|---|---|"
    for name, row in rows.items():
        contender, _, settings = name.partition(" ")
        yield f"| {NAMES[contender]}: {settings} | {_cell(row['rate'])} | {_cell(row['cpu_us'])} |"


def write() -> None:
    """
    Write the parts of the page anew from the latest results.
    """
    target = ROOT / PAGE
    text = target.read_text(encoding="utf-8")
    for name, make in parts(latest()).items():
        before, begin, rest = text.partition(_begin(name))
        _, end, behind = rest.partition(f"<!-- end of {name} -->")
        if not begin or not end:
            message = f"{PAGE} has no part {name}"
            raise ValueError(message)
        text = f"{before}{begin}\n\n{make()}\n\n{end}{behind}"
    target.write_text(text, encoding="utf-8")


def _begin(name: str) -> str:
    return f"<!-- {name}: written by tests/domain/test_performance_page.py -->"


def _cell(spread: Told) -> str:
    """Give a median with its ends, which are left out where all runs were alike."""
    median, least, most = (_number(spread[name]) for name in ("median", "min", "max"))
    return median if least == most else f"**{median}** ({least} to {most})"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.3g}"  # noqa: PLR2004 - three digits tell enough


def _ratio(value: float | None) -> str:
    return "" if value is None else f"**{value:g}**"


def _lines(lines: Iterator[str]) -> str:
    return "\n".join(lines)
