"""
The graph of a bus: which processor reads what, and all that it may write.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from boutre.processors.decision import TICK
from boutre.processors.declared_windows import windows_of
from boutre.processors.detect import MEETING
from boutre.processors.hear import SAID
from boutre.processors.movement.telling import TOPIC as FOUND
from boutre.processors.offers import TOPIC as OFFERS
from boutre.processors.own_records import ALERTS, LINK
from boutre.processors.patterns import ANSWERS, NATIONAL, VIEWS
from boutre.processors.pipeline_file import PipelineFile
from boutre.processors.receipts import TOLD
from boutre.processors.receipts import TOPIC as RECEIPTS
from boutre.processors.windows import Windows
from boutre.topics.topic import Topic

KINDS: Final = ("sighting", "interception", "alert", "retraction")
"""The kinds of members' records."""

MOVED: Final = ("sighting", "retraction")
"""The kinds that movements are read from, and told as."""


@dataclass(frozen=True, slots=True)
class Edge:
    """
    One processor as the graph knows it: its kind of step, its name, what it reads, all that it may write, and how it remembers.
    """

    kind: str
    name: str
    reads: tuple[str, ...]
    writes: frozenset[str]
    changelog: str
    windows: Windows


def edges_of(file: PipelineFile, topics: Mapping[str, Topic]) -> tuple[Edge, ...]:
    """
    Give the processors in the order in which a record meets them.
    """
    accepts = tuple(
        Edge(
            "accept",
            accept.name,
            tuple(name for name, topic in topics.items() if topic.pattern == NATIONAL and topic.member in accept.members),
            frozenset(f"bus.{kind}" for kind in KINDS) | {f"rejects.{member}" for member in accept.members},
            _changelog(accept.name),
            windows_of(accept.windows),
        )
        for accept in file.accept
    )
    release = Edge(
        "release",
        file.release.name,
        (*(f"bus.{kind}" for kind in KINDS), *_found(file)),
        frozenset(name for name, topic in topics.items() if topic.pattern in {VIEWS, TOLD} and topic.kind != LINK)
        | {RECEIPTS, "rejects.bus"}
        | _offers(file),
        _changelog(file.release.name),
        windows_of(file.release.windows),
    )
    return (*accepts, *_movements(file), release, *_hears(file, topics), *_correlates(file, topics))


def _movements(file: PipelineFile) -> Iterable[Edge]:
    """What movements show: of one MMSI, and of those that come together; written where neither of them reads."""
    if file.detect is not None and file.meet is not None:
        meeting = tuple(MEETING.format(kind=kind) for kind in MOVED)
        for kind, each, reads, offers in (
            ("detect", file.detect, tuple(f"bus.{kind}" for kind in MOVED), meeting),
            ("meet", file.meet, meeting, ()),
        ):
            writes = frozenset({*_found(file), *offers, "rejects.bus"})
            yield Edge(kind, each.name, reads, writes, _changelog(each.name), windows_of(each.windows))


def _found(file: PipelineFile) -> tuple[str, ...]:
    return () if file.detect is None else tuple(FOUND.format(kind=kind) for kind in MOVED)


def _hears(file: PipelineFile, topics: Mapping[str, Topic]) -> Iterable[Edge]:
    """What recipients say of their own links and alerts, on its way to those who make them."""
    if file.hear is not None:
        reads = tuple(name for name, topic in topics.items() if topic.pattern == ANSWERS)
        yield Edge("hear", file.hear.name, reads, frozenset({SAID, "rejects.bus"}), _changelog(file.hear.name), windows_of({}))


def _correlates(file: PipelineFile, topics: Mapping[str, Topic]) -> Iterable[Edge]:
    if file.correlate is not None:
        own = (name for name, topic in topics.items() if topic.pattern == VIEWS and topic.kind in {LINK, ALERTS})
        reads = (*sorted(_offers(file)), *(() if file.hear is None else (SAID,)), TICK)
        writes = frozenset(own) | {RECEIPTS, "rejects.bus"}
        name = file.correlate.name
        yield Edge("correlate", name, reads, writes, _changelog(name), windows_of(file.correlate.windows))


def _offers(file: PipelineFile) -> frozenset[str]:
    return frozenset() if file.correlate is None else frozenset(OFFERS.format(kind=kind) for kind in KINDS)


def _changelog(name: str) -> str:
    return f"bus.{name}.changelog"
