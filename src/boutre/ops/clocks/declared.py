"""
Reads ``processors/clocks.toml``: what counts as late, as silent and as soon, and the probe of the bus, where it has one.

A bus without the file has the defaults, and no probe.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field

from boutre.connectors.feeds import Name
from boutre.errors import Fault
from boutre.topics.bus import Declarations
from boutre.topics.strict import Declared, read

FILE: Final = "processors/clocks.toml"


class ProbeFile(Declared):
    """
    ``[probe]``: a feed of exercises that the bus sends to itself, as *member*'s and for *recipient* alone.

    A round is sent every *every_s* seconds; one that took longer than *late_s* is late, one that is not there after *lost_s* lost.
    It is a record of *kind* whose event is of *type*, marked *tlp*, for *purposes* and on *legal_basis*, as a feed declares them.
    """

    feed: Name
    member: str
    kind: str = "sighting"
    recipient: str
    tlp: str
    purposes: tuple[str, ...] = ()
    legal_basis: str | None = None
    every_s: Annotated[float, Field(ge=5, le=86_400)] = 300
    late_s: Annotated[float, Field(gt=0)] = 30
    lost_s: Annotated[float, Field(ge=1, le=3_600)] = 120
    type: str = "other"


class ClocksFile(Declared):
    """
    The file.

    *every_s*: seconds between two looks. *undelivered_minutes*: how long an alert may wait until its recipient has read it.
    *rhythms*: after how many of its rhythms a feed is silent. *soon_days*: how long before its end something is told.
    *clock_minutes*: how far a sender's clock may be off. From 10 minutes ahead on reports are refused, and for 2 they may wait in a
    sender's queue, which looks like a clock that is behind.
    """

    every_s: Annotated[float, Field(ge=1, le=600)] = 15
    undelivered_minutes: Annotated[float, Field(gt=0)] = 15
    rhythms: Annotated[float, Field(ge=1)] = 1
    soon_days: Annotated[float, Field(ge=0)] = 30
    clock_minutes: Annotated[float, Field(gt=2, le=10)] = 5
    probe: ProbeFile | None = None


def load(root: Path, bus: Declarations, feeds: Iterable[str], faults: list[Fault]) -> ClocksFile:
    """
    Read the file of the bus at *root*, whose *feeds* have these names; what is wrong is added to *faults*.
    """
    path = root / FILE
    if not path.is_file():
        return ClocksFile()
    file = read(path, ClocksFile, faults, root=root)
    if file is None:
        return ClocksFile()
    faults += [Fault(FILE, f"probe.{key}", message) for key, message in _wrong(file.probe, bus, frozenset(feeds))]
    return file


def _wrong(probe: ProbeFile | None, bus: Declarations, feeds: frozenset[str]) -> Iterator[tuple[str, str]]:
    if probe is None:
        return
    member, recipient = bus.members.get(probe.member), bus.recipients.get(probe.recipient)
    if member is None:
        yield "member", f"{probe.member} is no member; declare it in topics/members.toml"
    elif probe.kind not in member.kinds or probe.kind == "retraction":
        yield "kind", f"{probe.member} publishes no {probe.kind}, or it can be no probe"
    if recipient is None:
        yield "recipient", f"{probe.recipient} is no recipient; declare it in topics/recipients.toml"
    elif probe.kind not in recipient.kinds:
        yield "recipient", f"{probe.recipient} gets no {probe.kind}"
    if probe.feed in feeds:
        yield "feed", f"{probe.feed} is a feed already; a probe has a name of its own"
    if probe.lost_s < probe.late_s:
        yield "lost_s", "is less than late_s: a round is late before it is lost"
