"""
What rules find that has a direction: which of two records was first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from boutre.processors.matching.found import Evidence, Found, found
from boutre.processors.matching.sighted import Sighted


class Directed(Struct, frozen=True):
    """
    What was found of two records, and *first*, the earlier or original of them: what ``link.made`` asks for.
    """

    found: Found
    first: str

    @property
    def second(self) -> str:
        """The later one, or the copy."""
        return self.found.b if self.first == self.found.a else self.found.a


def directed(  # noqa: PLR0917 - the fields of what it makes, in their order
    first: str, second: str, type_: str, rule: str, probability: float, evidence: tuple[Evidence, ...] = ()
) -> Directed:
    """
    Make a value of what was found; ValueError where both are one record.
    """
    if first == second:
        message = "a link is of two records"
        raise ValueError(message)
    return Directed(found(first, second, type_, rule, probability, evidence), first)


class Known:
    """
    The records that one recipient has, by the names that others call them: a record that was revised goes by its newest revision.
    """

    __slots__ = ("_now", "reports")

    def __init__(self, reports: Iterable[Sighted]) -> None:
        chosen: dict[str, Sighted] = {}
        for one in reports:
            if one.id not in chosen or repr(one) < repr(chosen[one.id]):
                chosen[one.id] = one
        self.reports: Mapping[str, Sighted] = {name: chosen[name] for name in sorted(chosen)}
        # Two that revise one are told apart by nothing: the lesser name counts, whichever came first.
        self._now: dict[str, str] = {}
        for name, one in self.reports.items():
            if one.revises is not None:
                self._now.setdefault(one.revises, name)

    def named(self, name: str) -> str | None:
        """Give the record that goes by *name*, its newest revision; None where this recipient has none of it."""
        seen: list[str] = []
        while name in self._now and name not in seen:
            seen.append(name)
            name = self._now[name]
        # Revisions that go round in a ring have no newest; each is then itself.
        return next((each for each in (seen if name in seen else (name, *reversed(seen))) if each in self.reports), None)

    def line(self, name: str) -> frozenset[str]:
        """Give *name* with everything that it takes the place of: one report, whatever it was called."""
        seen: set[str] = set()
        left: str | None = name
        while left is not None and left not in seen:
            seen.add(left)
            one = self.reports.get(left)
            left = None if one is None else one.revises
        return frozenset(seen)
