"""
Reads ``processors/lag.toml``: how often lag is looked at, what counts as behind, and which groups recipients are expected to have.

A bus without the file has the defaults, and expects no group of a recipient.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field

from boutre.errors import Fault
from boutre.processors.patterns import VIEWS
from boutre.topics.bus import Declarations
from boutre.topics.members import Received
from boutre.topics.strict import Declared, read

FILE: Final = "processors/lag.toml"

MOST_RESTING_HOURS: Final = 24 * 31


class RecipientGroup(Declared):
    """
    One ``[[group]]``: a consumer group of a recipient that is expected to read its views, all kinds or only *kinds*.

    *rests_hours*: for how long it may be away with something to read, where it is run now and then; else it is there all the time.
    """

    name: Annotated[str, Field(min_length=1, max_length=249)]
    recipient: str
    kinds: tuple[Received, ...] = ()
    rests_hours: Annotated[float, Field(ge=0, le=MOST_RESTING_HOURS)] = 0


class LagFile(Declared):
    """
    The file.

    *every_s*: seconds between two looks. *window*: commits that are judged together. *allowed*: a lag of so many records is none.
    *gone_s*: seconds after which a group without any member, with something to read, is stopped. *least_complete*: the share of a
    window below which nothing but that is said of a partition.
    """

    every_s: Annotated[float, Field(ge=1, le=600)] = 10
    window: Annotated[int, Field(ge=3, le=1000)] = 15
    allowed: Annotated[int, Field(ge=0)] = 0
    gone_s: Annotated[float, Field(ge=0, le=86400)] = 20
    least_complete: Annotated[float, Field(ge=0, le=1)] = 0.5
    group: tuple[RecipientGroup, ...] = ()


def load(root: Path, bus: Declarations, faults: list[Fault]) -> LagFile:
    """
    Read the file of the bus at *root*; what is wrong is added to *faults*.
    """
    path = root / FILE
    if not path.exists():
        return LagFile()
    file = read(path, LagFile, faults, root=root)
    if file is None:
        return LagFile()
    faults.extend(_faults(file, bus))
    return file


def _faults(file: LagFile, bus: Declarations) -> Iterator[Fault]:
    seen: set[str] = set()
    for group in file.group:
        key = f"group[{group.name}]"
        if group.name in seen:
            yield Fault(FILE, f"{key}.name", "is there twice")
        seen.add(group.name)
        if group.recipient not in bus.recipients:
            yield Fault(FILE, f"{key}.recipient", f"{group.recipient} is no recipient")
            continue
        if not group.name.startswith(f"{group.recipient}."):
            yield Fault(FILE, f"{key}.name", f"must begin with {group.recipient}. or the recipient has no right to it")
        has = {topic.kind for topic in bus.topics.values() if topic.pattern == VIEWS and topic.recipient == group.recipient}
        for kind in group.kinds:
            if kind not in has:
                yield Fault(FILE, f"{key}.kinds", f"{group.recipient} is given no {kind}")
