"""
A rule of alerts as it is declared: when it speaks, how grave that is, who is asked, and how long.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from pydantic import Field, model_validator

from boutre.processors.agreement import Both
from boutre.processors.alerts.conditions import Conditions
from boutre.processors.alerts.scales import Number
from boutre.processors.alerts.situation import HOUR_S, Situation
from boutre.topics.strict import Declared

Body = Literal["centre", "member", "protection"]
Shown = Literal["persons", "position", "time", "outcome", "sources"]

SECONDS: Final = 60.0
"""In a minute."""


class Certainty(Declared):
    """
    How sure an alert is: ``base`` where the credibility of its best source is not known, and never more than ``most``.
    """

    base: Number
    most: Number

    def number(self, situation: Situation) -> float:
        """
        Give the probability from 0 to 1 that what is reported is so.

        Independent sources are wrong together only where each is wrong. But that they speak of one thing is itself only as likely
        as the links between them (*probability*), and where that is not told, nothing is added.
        """
        one = self.base if situation.credibility is None else situation.credibility
        together = 1 - (1 - one) ** max(1, situation.roots or 1)
        return min(self.most, one + (situation.probability or 0.0) * (together - one))


class More(Declared):
    """
    What makes it graver or more urgent than it is by itself. The highest number that holds is taken.
    """

    when: Conditions
    severity: Number | None = None
    urgency: Number | None = None


class Silence(Declared):
    """
    For how long at most it can be silenced, and whether for the rest of the occurrence. 0 minutes: not at all.
    """

    most_minutes: int = Field(ge=0)
    occurrence: bool


class Update(Declared):
    """
    Which changes matter: persons by this factor, the position by so many kilometres; and how many minutes lie between two updates.

    Another code of severity or certainty, a new independent source, another outcome and lives at risk matter always.
    """

    persons_factor: float = Field(gt=1)
    moved_km: float = Field(gt=0)
    least_minutes: int = Field(ge=0)


class Escalation(Declared):
    """
    Whom it goes to when nobody has answered for so many minutes: a function, never a person.
    """

    after_minutes: int = Field(ge=1)
    to: Both


class Raises(Declared):
    """
    What comes of an example: codes of CAP, whether a person must validate it, whether it joins the digest of what came late.
    """

    severity: str
    urgency: str
    certainty: str
    proposed: bool = False
    late: bool = False


class Example(Declared):
    """
    A situation, and whether it is raised: a test of the rule. ``refused`` is a condition and why it does not hold.
    """

    name: str
    given: Mapping[str, Any]
    raises: Raises | None = None
    refused: str | None = None

    @model_validator(mode="after")
    def _one(self) -> Example:
        if (self.raises is None) == (self.refused is None):
            message = "an example either raises something or is refused for a reason"
            raise ValueError(message)
        return self


@dataclass(frozen=True, slots=True)
class Verdict:
    """
    Whether a rule speaks of a situation, and what it says: numbers from 0 to 1. Where it does not speak, *why* not.
    """

    holds: bool
    why: tuple[str, ...] = ()
    late: bool = False
    severity: float = 0.0
    urgency: float = 0.0
    certainty: float = 0.0


NOT_SO: Final = Verdict(holds=False)
"""What a rule says of most situations, where nobody asks why."""


class Rule(Declared):
    """
    One rule. *when* are alternatives; where one of *unless* holds it does not speak.

    *bodies* are the kinds of recipients that it speaks to, each with the minutes that a situation must have stood before they are
    told; who is not named is not told. *show* are the facts that its texts may tell. *group* says what shares a thread. An ended
    thread of a craft is not taken up again for *cooldown_minutes*; then there is a new one. What was seen more than
    *horizon_hours* before it came joins the digest of what is late, unless lives are at risk.
    """

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    version: int = Field(ge=1)
    title: Both
    reason: Both
    instruction: Both
    category: str
    event: str
    response: tuple[str, ...] = Field(min_length=1)
    bodies: Mapping[Body, Annotated[int, Field(ge=0)]] = Field(min_length=1)
    show: tuple[Shown, ...]
    group: Literal["event", "craft", "zone-day"]
    validate_first: bool
    deadline: str
    horizon_hours: float = Field(gt=0)
    expires_hours: float = Field(gt=0)
    cooldown_minutes: int = Field(ge=0)
    severity: Number
    urgency: Number
    certainty: Certainty
    silence: Silence
    update: Update
    when: tuple[Conditions, ...] = Field(min_length=1)
    unless: tuple[Conditions, ...] = ()
    more: tuple[More, ...] = ()
    escalate: tuple[Escalation, ...] = ()
    example: tuple[Example, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _in_order(self) -> Rule:
        after = [step.after_minutes for step in self.escalate]
        if after != sorted(set(after)):
            message = "escalate is not in the order of its minutes"
            raise ValueError(message)
        return self

    @property
    def name(self) -> str:
        """The rule and its version, as alerts name it."""
        return f"{self.id}@{self.version}"

    def delay_s(self, body: str) -> float:
        """Give the seconds that a situation must have stood before this kind of recipient is told."""
        return sum(minutes for name, minutes in self.bodies.items() if name == body) * SECONDS

    def judge(self, situation: Situation, *, reasons: bool = True) -> Verdict:
        """
        Say whether the rule speaks of *situation*, how gravely, or why it does not; without *reasons*, only that it does not.
        """
        if situation.body not in self.bodies:
            return Verdict(holds=False, why=("bodies: not-so",))
        if not situation.records:
            return Verdict(holds=False, why=("records: not-known",))
        if not any(alternative.hold(situation) for alternative in self.when):
            return NOT_SO if not reasons else Verdict(holds=False, why=self._why_not(situation))
        for exception in self.unless:
            if exception.hold(situation):
                return Verdict(holds=False, why=tuple(f"unless.{name}" for name, _ in exception.asked))
        more = [one for one in self.more if one.when.hold(situation)]
        return Verdict(
            holds=True,
            late=situation.lives_at_risk is not True and situation.is_late(self.horizon_hours * HOUR_S),
            severity=max(self.severity, *(one.severity or 0.0 for one in more), 0.0),
            urgency=max(self.urgency, *(one.urgency or 0.0 for one in more), 0.0),
            certainty=self.certainty.number(situation),
        )

    def _why_not(self, situation: Situation) -> tuple[str, ...]:
        misses = (str(miss) for alternative in self.when for miss in alternative.misses(situation))
        return tuple(dict.fromkeys(misses))
