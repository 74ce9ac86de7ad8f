"""
Asks the processes of the bus for the clocks that they alone keep: alerts that wait for a person, a probe's rounds, senders' clocks.

They tell them as metrics, as figures by declared names. What one said stays when it does not answer any more, with when it said so.
"""

from __future__ import annotations

import urllib.request
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from prometheus_client.parser import text_string_to_metric_families

from boutre.ops.clocks.look import ProbeSeen, SenderSeen, WaitingSeen
from boutre.ops.running import Running, running

ANSWER_S: Final = 2.0
MOST_BYTES: Final = 16_777_216
KEEPERS: Final = frozenset({"worker", "probe", "connector"})
"""Kinds of processes that may keep such clocks."""

BESIDE: Final = ("overdue", "expired", "oldest_waiting_seconds")
OUTCOMES: Final = ("arrived", "late", "lost", "unsent")
"""Of the alerts that wait, what else is said; and what becomes of a round of a probe."""

Samples = Mapping[str, Mapping[tuple[tuple[str, str], ...], float]]
"""By the name of a series its values, by its labels in order."""

Ask = Callable[[Running], str]
"""Gives the page of metrics of a process; raises OSError or ValueError."""


def ask(one: Running) -> str:
    """
    Get the page of metrics of a process.
    """
    with urllib.request.urlopen(f"http://{one.address}/metrics", timeout=ANSWER_S) as answer:
        return str(answer.read(MOST_BYTES).decode())


class Said(NamedTuple):
    """
    What they said, and the names of those that did not answer.
    """

    waiting: tuple[WaitingSeen, ...]
    probes: tuple[ProbeSeen, ...]
    unheard: tuple[str, ...]
    senders: tuple[SenderSeen, ...]


@dataclass(slots=True)
class ProcessClocks:
    """
    What the processes that are written down in *state* said last.
    """

    state: Path
    asking: Ask = ask
    _waiting: dict[tuple[str, str], tuple[WaitingSeen, ...]] = field(default_factory=dict)
    _probes: dict[tuple[str, str], tuple[ProbeSeen, ...]] = field(default_factory=dict)
    _senders: dict[tuple[str, str], tuple[SenderSeen, ...]] = field(default_factory=dict)

    def look(self, now: float) -> Said:
        """Ask them all."""
        there, unheard = running(self.state), list[str]()
        answered, spoke = set[tuple[str, str]](), set[str]()
        for one in there:
            if one.kind not in KEEPERS:
                continue
            try:
                samples = samples_of(self.asking(one))
            except (OSError, ValueError):
                unheard.append(f"{one.kind} {one.name}")
                continue
            # By the process and not by what it is: two workers of one processor have partitions of their own.
            who = one.kind, one.address
            spoke.add(one.address)
            self._waiting[who] = tuple(waiting_of(samples, now))
            self._probes[who] = tuple(probes_of(samples, now))
            self._senders[who] = tuple(senders_of(samples))
            answered.add((one.kind, one.name))
        # What a process said last counts as long as no other of its kind and name speaks, which may have its partitions now.
        here = {(one.kind, one.address) for one in there if (one.kind, one.name) not in answered or one.address in spoke}
        self._waiting = {who: told for who, told in self._waiting.items() if who in here}
        self._probes = {who: told for who, told in self._probes.items() if who in here}
        self._senders = {who: told for who, told in self._senders.items() if who in here}
        probes = tuple(one for told in self._probes.values() for one in told)
        waiting = together(one for told in self._waiting.values() for one in told)
        return Said(waiting, probes, tuple(unheard), furthest(one for told in self._senders.values() for one in told))


def samples_of(page: str) -> Samples:
    """
    Read a page of metrics; raises ValueError where it is none.
    """
    found: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
    for family in text_string_to_metric_families(page):
        if family.name.startswith(("boutre_alerts_", "boutre_probe_", "boutre_sender_")):
            for sample in family.samples:
                found.setdefault(sample.name, {})[tuple(sorted(sample.labels.items()))] = sample.value
    return found


def waiting_of(samples: Samples, now: float) -> Iterable[WaitingSeen]:
    """
    Give the alerts that wait, of one process.
    """
    for labels, waiting in samples.get("boutre_alerts_waiting", {}).items():
        told = dict(labels)
        overdue, expired, oldest_s = (samples.get(f"boutre_alerts_{name}", {}).get(labels, 0.0) for name in BESIDE)
        yield WaitingSeen(told["recipient"], told["class"], round(waiting), round(overdue), round(expired), oldest_s, now)


def together(found: Iterable[WaitingSeen]) -> tuple[WaitingSeen, ...]:
    """
    Add up what several workers said, each of its own partitions.
    """
    sums: dict[tuple[str, str], WaitingSeen] = {}
    for one in found:
        key = one.recipient, one.deadline
        before = sums.get(key)
        sums[key] = (
            one
            if before is None
            else WaitingSeen(
                *key,
                before.waiting + one.waiting,
                before.overdue + one.overdue,
                before.expired + one.expired,
                max(before.oldest_s, one.oldest_s),
                min(before.heard, one.heard),
            )
        )
    return tuple(sums[key] for key in sorted(sums))


def senders_of(samples: Samples) -> Iterable[SenderSeen]:
    """
    Give how far the clocks are wrong of those who send, of one process.
    """
    for labels, ahead_s in samples.get("boutre_sender_clock_ahead_seconds", {}).items():
        yield SenderSeen(dict(labels)["member"], ahead_s)


def furthest(found: Iterable[SenderSeen]) -> tuple[SenderSeen, ...]:
    """
    Of each member take the clock that is furthest off.
    """
    worst: dict[str, SenderSeen] = {}
    for one in found:
        worst[one.member] = max(worst.get(one.member, one), one, key=lambda seen: abs(seen.ahead_s))
    return tuple(worst[name] for name in sorted(worst))


def probes_of(samples: Samples, now: float) -> Iterable[ProbeSeen]:
    """
    Give the probes of one process.
    """
    for labels, succeeded in samples.get("boutre_probe_last_success_timestamp_seconds", {}).items():
        told = dict(labels)
        rounds = {
            dict(each)["outcome"]: round(value)
            for each, value in samples.get("boutre_probe_rounds_total", {}).items()
            if told.items() <= dict(each).items()
        }
        arrived, late, lost, unsent = (rounds.get(outcome, 0) for outcome in OUTCOMES)
        last_s = samples.get("boutre_probe_last_seconds", {}).get(labels) if succeeded > 0 else None
        yield ProbeSeen(told["feed"], told["recipient"], arrived, late, lost, unsent, succeeded, last_s, now)
