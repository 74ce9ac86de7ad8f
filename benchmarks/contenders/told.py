"""
What a contender is told when it is started: one JSON object as its only argument.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import Any

import msgspec


@dataclass(frozen=True, slots=True)
class Told:
    """
    Where to read and write, and how.

    *data* is a folder of this process alone; *means* say whose codec does the work (``work_of``), *options* are what a peer is
    tuned by, under its own names.
    """

    bootstrap: str
    group: str
    reads: str
    writes: str
    rejects: str
    changelog: str
    partitions: int
    data: str
    signed: bool
    means: str = "bus"
    options: dict[str, Any] = field(default_factory=dict)


def told() -> Told:
    """
    Give what stands on the command line.
    """
    return msgspec.json.decode(sys.argv[1], type=Told)
