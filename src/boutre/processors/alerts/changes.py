"""
Which changes of a thread matter so much that its recipient is told.

Measured against what it was told last, so that many small changes add up, and what comes and goes between two messages is no news.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from boutre.processors.alerts.rule import SECONDS, Rule
from boutre.processors.alerts.rules import Rules
from boutre.processors.alerts.thread import Thread, Told
from boutre.processors.matching.distances import kilometres

SEVERER = "severity-up"
LIVES = "lives-at-risk"
MORE = "more-of-them"
RISES = frozenset({SEVERER, LIVES})
"""What breaks a silence and a person's judgement, and waits for nothing."""


def told_now(rules: Rules, thread: Thread) -> Told:
    """
    Give what a message sent now tells.
    """
    situation = thread.situation
    return Told(
        severity=rules.scales.code("severity", thread.severity),
        urgency=rules.scales.code("urgency", thread.urgency),
        urgent=thread.urgency,
        certainty=rules.scales.code("certainty", thread.certainty),
        lives_at_risk=situation.lives_at_risk is True,
        persons=situation.persons_most,
        roots=situation.roots or 0,
        outcomes=tuple(sorted(situation.outcomes)),
        latitude=situation.latitude,
        longitude=situation.longitude,
        observed=situation.observed,
        count=len(thread.occurrences),
    )


def changes(rules: Rules, rule: Rule, thread: Thread) -> tuple[str, ...]:
    """
    Give the reasons for an update, as codes; none where nothing matters.
    """
    if thread.told is None:
        return ()
    old, new = thread.told, told_now(rules, thread)
    if thread.late:
        return (MORE,) if new.count > old.count else ()
    return tuple(_changes_of_many(rules, old, new) if thread.many else _changes(rules, rule, thread, old, new))


def _changes_of_many(rules: Rules, old: Told, new: Told) -> Iterator[str]:
    """They are different events: that one has more people than the one before is no change of either."""
    yield from _rises(rules, old, new)
    if new.count >= 2 * old.count:
        yield MORE


def _rises(rules: Rules, old: Told, new: Told) -> Iterator[str]:
    up = rules.scales.rank(new.severity) - rules.scales.rank(old.severity)
    if up:
        yield SEVERER if up > 0 else "severity-down"
    if new.lives_at_risk and not old.lives_at_risk:
        yield LIVES


def _changes(rules: Rules, rule: Rule, thread: Thread, old: Told, new: Told) -> Iterator[str]:
    yield from _rises(rules, old, new)
    if new.urgency != old.urgency and new.urgent > old.urgent:
        yield "urgency"
    if new.certainty != old.certainty:
        yield "certainty"
    if new.roots > old.roots:
        yield "new-root"
    # What a rule does not show it does not tell by a change of it either.
    if "persons" in rule.show and new.persons is not None and _factor(old.persons, new.persons) >= rule.update.persons_factor:
        yield "persons"
    if "outcome" in rule.show and new.outcomes != old.outcomes:
        yield "outcome"
    if "position" in rule.show and _moved_km(thread, old, new) > rule.update.moved_km:
        yield "moved"


def _factor(old: float | None, new: float) -> float:
    if old is None:
        return math.inf
    least, most = sorted((old, new))
    return math.inf if least <= 0 < most else most / least if least > 0 else 1.0


def _moved_km(thread: Thread, old: Told, new: Told) -> float:
    """By how far the position differs, less its own radius of error. What was seen earlier than what was told is no movement."""
    if old.latitude is None or old.longitude is None or new.latitude is None or new.longitude is None:
        return 0.0
    if old.observed is not None and (new.observed is None or new.observed <= old.observed):
        return 0.0
    return kilometres(old.latitude, old.longitude, new.latitude, new.longitude) - (thread.situation.accuracy_m or 0.0) / 1000


def rests(rule: Rule, thread: Thread, late_s: float, at: float) -> bool:
    """
    Say whether the last message is so fresh that an update waits, unless it rises: ``least_minutes``, or the digest's time.
    """
    return at < thread.last + (late_s if thread.late else rule.update.least_minutes * SECONDS)
