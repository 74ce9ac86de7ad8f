"""
Settings by which the peers were tried, so that each runs in (a) as fast as we could make it: ``python -m benchmarks --tune``.

A batch bounds what is lost in time when a worker dies, and what waits behind an alert; so all are held to about 2,000 records.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from benchmarks.contest import BARE, FAUST, QUIX, Contender, Run
from benchmarks.results import LATEST, spread

FILE: Final = LATEST.with_name("tuning.json")


def _tried(contender: Contender, name: str, **options: Any) -> Contender:
    return replace(contender, name=f"{contender.name} {name}", options={**contender.options, **options})


TRIED: Final = (
    _tried(BARE, "batch 500", batch=500),
    _tried(BARE, "batch 2000", batch=2_000),
    _tried(QUIX, "every 500", commit_every=500),
    _tried(QUIX, "every 2000", commit_every=2_000),
    _tried(QUIX, "every 2000, interval 5 s", commit_every=2_000, commit_interval=5.0),
    _tried(QUIX, "every 8000", commit_every=8_000),
    _tried(QUIX, "every 2000, linger 20 ms", commit_every=2_000, producer={"linger.ms": 20}),
    _tried(FAUST, "memory, linger 5 ms"),
    _tried(FAUST, "memory, no linger", producer_linger=0.0),
    _tried(FAUST, "memory, linger 50 ms", producer_linger=0.05),
    _tried(FAUST, "rocksdict, linger 5 ms", store="rocksdb://?driver=rocksdict"),
)


def told(runs: Sequence[Run]) -> dict[str, Any]:
    """
    Give the rate of each.
    """
    return {
        name: {
            "rate": spread((run.rate for run in runs if run.contender == name), 0),
            "cpu_us": spread(run.cpu_us for run in runs if run.contender == name),
        }
        for name in dict.fromkeys(run.contender for run in runs)
    }


def write(found: Mapping[str, Any]) -> None:
    """
    Write them beside the results.
    """
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
