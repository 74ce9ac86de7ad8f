"""
How links stand in one cell: what rules found, under what people said, told once and again when it changes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from msgspec import Struct

from boutre.processors.correlation.cells import home
from boutre.processors.correlation.knowledge import Change, Knowledge
from boutre.processors.correlation.known import Files
from boutre.processors.correlation.notes import Notes
from boutre.processors.correlation.weighing import Weighing
from boutre.processors.links.clusters import clusters
from boutre.processors.links.link import Judgement, Link, Reason, made, pair, resolve, withdrawn
from boutre.processors.matching.apart import against
from boutre.processors.matching.found import SAME_CRAFT, Found
from boutre.processors.matching.sighted import Sighted

REMEMBERS: Final = frozenset({"link"})
"""The class of keys: how a link stood when it was last told."""

MOST_TOGETHER: Final = 96
"""Records that are looked at as one event or craft at most: a cluster has no more than 40 of them."""

Pair = tuple[str, str]


class Told(Struct, frozen=True):
    """
    A link as it is to be told, where that stands in its life, a code of ``lifecycle``, and how often it was told before.

    By that number two messages that say the same, with another between them, are two.
    """

    link: Link
    status: str
    revision: int


@dataclass(slots=True)
class Standing:
    """
    The links of one *recipient* in one cell.
    """

    notes: Notes
    files: Files
    recipient: str
    side_deg: float
    weighings: Sequence[Weighing]

    def knowledge(self, weighing: Weighing) -> Knowledge:
        """Give what rules know here, by one model."""
        scope = f"{self.files.scope}:{weighing.matcher.model.file.name}"
        return Knowledge(self.notes, scope, self.files.cell, self.side_deg, weighing, self.notes.changes)

    def tell(
        self, pairs: Iterable[Pair], lost: Iterable[Found] = (), why: Reason = "no-longer-found", without: str | None = None
    ) -> Iterator[Told]:
        """
        Give the links of these *pairs* that do not stand as they were last told; *lost* are those no longer found, and *why*.

        Nothing stands any more of *without*, a record that is about to be forgotten.
        """
        gone: dict[Pair, list[Found]] = {}
        for one in lost:
            gone.setdefault(pair(one.a, one.b), []).append(one)
        for both in sorted({*pairs, *gone}):
            now = () if without in both else self.between(both)
            here = {link.id for link in now}
            ended = [withdrawn(made(self.recipient, one), why) for one in gone.get(both, ())]
            for link in (*now, *(link for link in ended if link.id not in here)):
                times, before = self._before(link)
                if _stands(link) == before or (link.status == "withdrawn" and (before is None or before[0] == "withdrawn")):
                    continue
                status = "cancel" if link.status == "withdrawn" else "initial" if before is None else "update"
                yield Told(link, status, times)

    def remember(self, told: Told) -> None:
        """Remember that a link was told."""
        self.notes.put(self._key(told.link), [told.revision + 1, _stands(told.link)])

    def withdraw(self, name: str, why: Reason) -> Iterator[Told]:
        """Give what a person made of a record, withdrawn with it; what rules made is told by ``tell``."""
        for other in sorted(self.files.judged(name)):
            both = pair(name, other)
            for link in self.between(both):
                times, before = self._before(link)
                if link.rule is None and before is not None and before[0] != "withdrawn":
                    yield Told(withdrawn(link, why), "cancel", times)

    def between(self, both: Pair) -> tuple[Link, ...]:
        """Give the links of two records as they stand."""
        founds = [
            found for weighing in self.weighings for found in self._found(weighing, both[0]) if pair(found.a, found.b) == both
        ]
        judgements = self.judgements(both)
        if not founds and not judgements:
            return ()
        return resolve(self.recipient, [made(self.recipient, found) for found in founds], judgements)

    def judgements(self, both: Pair) -> tuple[Judgement, ...]:
        """Give what people said of two records, of links of the types that the models of either make."""
        return self.files.judgements(*both, self._types(both))

    def owns(self, both: Pair, reports: dict[str, Sighted]) -> bool:
        """Say whether this cell speaks of what a person said of a pair: the home of its lesser name does."""
        lesser = reports.get(both[0])
        return lesser is not None and home(lesser, self.side_deg) in {self.files.cell, None}

    def groups(self, seeds: Iterable[str]) -> tuple[tuple[frozenset[str], float | None], ...]:
        """
        Give the clusters that hang together with *seeds*, records alone among them, and the least probability that binds each.
        """
        together = self._together(seeds)
        pairs = {pair(one, other) for one in together for other in self._near(one) if other in together}
        links = {link.id: link for both in sorted(pairs) for link in self.between(both)}
        judgements = tuple(each for both in sorted(pairs) for each in self.judgements(both))
        found: list[tuple[frozenset[str], float | None]] = []
        alone = set(together)
        reports = {name: record.facts.report for name in together if (record := self.files.record(name)) is not None}
        for type_, weighing in self._by_type():
            speaks = None if weighing is None else against(weighing.matcher, reports.values())
            for group in clusters(links.values(), judgements, type_, against=speaks).groups:
                names = frozenset(group.records) & alone
                if len(names) > 1:
                    alone -= names
                    found.append((names, min(links[link].probability for link in group.links)))
        return (*found, *((frozenset({name}), None) for name in sorted(alone & reports.keys())))

    def _by_type(self) -> Iterator[tuple[str, Weighing | None]]:
        types = {weighing.matcher.model.file.type: weighing for weighing in self.weighings}
        yield from sorted(types.items())
        if SAME_CRAFT not in types:
            yield SAME_CRAFT, None

    def _types(self, both: Pair) -> tuple[str, ...]:
        records = [record for name in both if (record := self.files.record(name)) is not None]
        types = {
            weighing.matcher.model.file.type
            for weighing in self.weighings
            if any(weighing.matcher.model.speaks_of(record.facts.report) for record in records)
        }
        return tuple(sorted(types)) or (SAME_CRAFT,)

    def _together(self, seeds: Iterable[str]) -> frozenset[str]:
        found: set[str] = set()
        waiting = sorted(set(seeds))
        while waiting and len(found) < MOST_TOGETHER:
            name = waiting.pop(0)
            if name in found or self.files.record(name) is None:
                continue
            found.add(name)
            waiting.extend(sorted(self._near(name) - found))
        return frozenset(found)

    def _near(self, name: str) -> frozenset[str]:
        by_rules = (found.b if found.a == name else found.a for each in self.weighings for found in self._found(each, name))
        return frozenset(by_rules) | self.files.judged(name)

    def _found(self, weighing: Weighing, name: str) -> tuple[Found, ...]:
        return self.knowledge(weighing).told(name)

    def _before(self, link: Link) -> tuple[int, list[Any] | None]:
        """Give how often a link was told, and how it stood the last time."""
        times, stood = self.notes.get(self._key(link)) or (0, None)
        return int(times), stood

    def _key(self, link: Link) -> str:
        return f"link:{self.files.scope}:{self.files.cell}:{link.id}"


def lost(changes: Iterable[Change]) -> tuple[Found, ...]:
    """
    Give what is no longer found.
    """
    return tuple(change.link for change in changes if change.withdrawn)


def _stands(link: Link) -> list[Any]:
    """What of a link makes it news when it changes."""
    evidence = hashlib.sha256(msgspec.json.encode(link.evidence)).hexdigest()[:16]
    return [link.status, link.rule, link.judgement, link.probability, evidence]
