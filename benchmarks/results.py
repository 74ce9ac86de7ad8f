"""
What the benchmarks came to, as one JSON value: medians with all that they were taken of, and on what they were measured.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any, Final

from benchmarks.contest import Run
from benchmarks.growth import Growth
from benchmarks.ladder import Rung
from benchmarks.path import PathRun
from benchmarks.restart import Restart
from benchmarks.sealing import Cost
from benchmarks.stages import StageRun
from benchmarks.work import ROOT
from boutre.ops import jars

LATEST: Final = ROOT / "benchmarks" / "results" / "latest.json"
SHOWN: Final = (
    "aiokafka",
    "confluent-kafka",
    "cryptography",
    "fastavro",
    "faust-streaming",
    "msgspec",
    "rocksdict",
    "uvloop",
)
RATIOS: Final = {"to_quix_exactly_once": "quix", "to_bare_loop": "bare_loop", "to_stock_faust": "faust"}
"""Each ratio and whose rate it is taken to, with the bus's own codec and cut handed to everybody: what the runtimes differ by."""

BY_FASTAVRO: Final = {name: f"{peer}_fastavro" for name, peer in RATIOS.items()}
"""The same, to the peers as somebody would write them who has not got the bus's codec."""

Spread = dict[str, Any]
"""Median, least and most of some runs, and each of them."""


def spread(values: Iterable[float], digits: int = 1) -> Spread:
    """
    Give the median, the ends and all of *values*, rounded.
    """
    runs = [round(value, digits) for value in values]
    return {"median": round(median(runs), digits), "min": min(runs), "max": max(runs), "runs": runs}


def contest(runs: Sequence[Run]) -> dict[str, Any]:
    """
    Give, for each way of signing, what each contender came to.
    """
    told: dict[str, Any] = {}
    for name, signed in (("plain", False), ("signed", True)):
        mine = [run for run in runs if run.signed is signed]
        told[name] = {
            contender: {
                "rate": spread((run.rate for run in mine if run.contender == contender), 0),
                "cpu_us": spread(run.cpu_us for run in mine if run.contender == contender),
                "copies": [run.copies for run in mine if run.contender == contender],
                "missing": [run.missing for run in mine if run.contender == contender],
            }
            for contender in dict.fromkeys(run.contender for run in mine)
        }
    return {name: rows for name, rows in told.items() if rows}


def sealing(runs: Sequence[Sequence[Cost]]) -> list[dict[str, Any]]:
    """
    Give, for each way and number of processes, views a second and microseconds for each.
    """
    found = [cost for run in runs for cost in run]
    rows = []
    for way, processes in dict.fromkeys((cost.way, cost.processes) for cost in found):
        mine = [cost for cost in found if (cost.way, cost.processes) == (way, processes)]
        told = {"rate": spread((cost.rate for cost in mine), 0), "cpu_us": spread(cost.cpu_us for cost in mine)}
        rows.append({"way": way, "processes": processes, **told})
    return rows


def stages(runs: Sequence[StageRun]) -> list[dict[str, Any]]:
    """
    Give, for each processor, what it reads a second, reports a second, what it reads for a report, and microseconds for each.
    """
    return _rows(runs, "stage", {"rate": 0, "reports": 0, "for_each": 2, "cpu_us": 1})


def ratios(rows: Mapping[str, Any], of: str = "rate", peers: Mapping[str, str] = RATIOS) -> dict[str, float]:
    """
    Give how many times as fast Boutre is as each peer: the median of its rates to the median of theirs.

    Of ``cpu_us`` it is how many times as much processor time the peer's process takes for a record.
    """
    if "boutre" not in rows:
        return {}
    own = rows["boutre"][of]["median"]
    found = {}
    for name, peer in peers.items():
        if peer in rows:
            theirs = rows[peer][of]["median"]
            found[name] = round(own / theirs if of == "rate" else theirs / own, 2)
    return found


def path(runs: Sequence[PathRun]) -> dict[str, Any]:
    """
    Give what the whole path came to, by feed.
    """
    return {
        feed: {
            "rate": spread((run.rate for run in runs if run.feed == feed), 0),
            "views": spread((run.views for run in runs if run.feed == feed), 2),
        }
        for feed in dict.fromkeys(run.feed for run in runs)
    }


def ladder(rungs: Sequence[Rung]) -> list[dict[str, Any]]:
    """
    Give the latencies of each rung in milliseconds.
    """
    return [
        {
            "rate": rate,
            "count": min(rung.count for rung in rungs if rung.rate == rate),
            **{
                name: spread(getattr(rung, name) for rung in rungs if rung.rate == rate)
                for name in ("p50_ms", "p99_ms", "p999_ms", "most_ms")
            },
        }
        for rate in dict.fromkeys(rung.rate for rung in rungs)
    ]


def recovery(runs: Sequence[Restart]) -> list[dict[str, Any]]:
    """
    Give the seconds until a worker works, by the number of keys.
    """
    return _rows(runs, "keys", {"same_disk_s": 2, "new_owner_s": 2})


def growth(runs: Sequence[Growth]) -> list[dict[str, Any]]:
    """
    Give throughput by the number of processes.
    """
    return _rows(runs, "processes", {"rate": 0, "cpu_us": 1})


def _rows(runs: Sequence[Any], by: str, fields: Mapping[str, int]) -> list[dict[str, Any]]:
    return [
        {
            by: key,
            **{
                name: spread((getattr(run, name) for run in runs if getattr(run, by) == key), digits)
                for name, digits in fields.items()
            },
        }
        for key in dict.fromkeys(getattr(run, by) for run in runs)
    ]


def load() -> float:
    """
    Give how many processes wanted to run during the last minute: what others do on this machine is in every figure.
    """
    return round(os.getloadavg()[0], 2)


ABOUT: Final = frozenset({"at", "commit", "changed", "seconds", "load_before", "sizes", "host", "versions"})
"""What a run says of itself, beside what it measured."""


def about(seconds: float, load_before: float, sizes: Mapping[str, Any], peers: Mapping[str, str]) -> dict[str, Any]:
    """
    Say on what was measured, by which versions, of which commit, how much and for how long.
    """
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _git("rev-parse", "HEAD"),
        "changed": bool(_git("status", "--porcelain", "--", "src", "schemas", "processors", "topics", "benchmarks/*.py")),
        "seconds": round(seconds),
        "load_before": load_before,
        "sizes": dict(sizes),
        "host": {
            "cores": os.cpu_count(),
            "processor": _first("/proc/cpuinfo", "model name", str) or platform.machine(),
            "memory_gb": round(int(_first("/proc/meminfo", "MemTotal", lambda text: text.split()[0]) or 0) / 2**20, 1),
            "kernel": f"{platform.system()} {platform.release()}",
        },
        "versions": {
            "python": platform.python_version(),
            "kafka": jars.KAFKA,
            **{name: version(name) for name in SHOWN},
            "peers": dict(peers),
        },
    }


def _git(*arguments: str) -> str | None:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603, S607 - git of the developer
    return done.stdout.strip() if done.returncode == 0 else None


def _first(file: str, name: str, take: Callable[[str], str]) -> str | None:
    try:
        lines = Path(file).read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    return next((take(line.partition(":")[2].strip()) for line in lines if line.startswith(name)), None)


def added(told: Mapping[str, Any], parts: Sequence[str]) -> dict[str, Any]:
    """
    Put parts that were measured apart into the last whole run, each with its time and commit.
    """
    latest = json.loads(LATEST.read_text(encoding="utf-8"))
    when = {name: told[name] for name in ("at", "commit", "changed")}
    measured = {name: value for name, value in told.items() if name not in ABOUT}
    return {**latest, **measured, "apart": {**latest.get("apart", {}), **dict.fromkeys(parts, when)}}


def write(told: Mapping[str, Any]) -> None:
    """
    Write the results of a whole run, in the place of the last one.
    """
    LATEST.parent.mkdir(exist_ok=True)
    LATEST.write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
