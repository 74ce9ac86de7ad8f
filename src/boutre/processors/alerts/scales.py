"""
What all rules of alerts share: from which number on a code of CAP holds, words for probabilities, deadlines.

Numbers are what is kept and compared; codes and words are made of them. The English and the French words for probabilities do not
line up, so each language has a scale of its own (``processors/alerts/scales.toml``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from pydantic import Field, model_validator

from boutre.topics.strict import Declared

Number = Annotated[float, Field(ge=0, le=1)]


class Band(Declared):
    """
    A code, and the number at which (``least``) or above which (``above``) it holds. The last one has neither, and takes the rest.
    """

    code: str = Field(min_length=1)
    least: Number | None = None
    above: Number | None = None

    def holds(self, number: float) -> bool:
        """Say whether it speaks of *number*."""
        if self.least is not None:
            return number >= self.least
        return self.above is None or number > self.above


class Chance(Declared):
    """
    Words for a probability up to and with ``most``.
    """

    most: Number
    words: str = Field(min_length=1)


class Chances(Declared):
    """
    The words of both languages, each on its own scale.
    """

    en: tuple[Chance, ...] = Field(min_length=1)
    fr: tuple[Chance, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _whole(self) -> Chances:
        for language in ("en", "fr"):
            ends = [one.most for one in getattr(self, language)]
            if ends != sorted(set(ends)) or ends[-1] != 1:
                message = f"{language} does not go up to 1 in order"
                raise ValueError(message)
        return self


class Late(Declared):
    """
    What is said of events that were old when they came: the urgency that is left, and how often at most the digest is brought up.
    """

    urgency: Number
    digest_minutes: int = Field(ge=1)
    deadline: str


class ScalesFile(Declared):
    """
    ``processors/alerts/scales.toml``.
    """

    severity: tuple[Band, ...] = Field(min_length=1)
    urgency: tuple[Band, ...] = Field(min_length=1)
    certainty: tuple[Band, ...] = Field(min_length=1)
    chance: Chances
    day_begins_hour: int = Field(ge=0, le=23)
    deadline_minutes: Mapping[str, Annotated[int, Field(ge=1)]]
    late: Late

    @model_validator(mode="after")
    def _in_order(self) -> ScalesFile:
        for name in ("severity", "urgency", "certainty"):
            bands: tuple[Band, ...] = getattr(self, name)
            marks = [band.least if band.least is not None else band.above for band in bands]
            numbers = [mark for mark in marks if mark is not None]
            if marks[:-1] != sorted(numbers, reverse=True) or marks[-1] is not None or len(set(numbers)) != len(numbers):
                message = f"{name} goes from the highest number down, and its last code alone has none"
                raise ValueError(message)
            if any(band.least is not None and band.above is not None for band in bands):
                message = f"{name} has a code with both least and above"
                raise ValueError(message)
        if self.late.deadline not in self.deadline_minutes:
            message = f"late.deadline: {self.late.deadline} is none of deadline_minutes"
            raise ValueError(message)
        return self

    def code(self, scale: Literal["severity", "urgency", "certainty"], number: float) -> str:
        """Give the code of CAP 1.2 for a number from 0 to 1."""
        bands: Sequence[Band] = getattr(self, scale)
        return next(band.code for band in bands if band.holds(number))

    @property
    def day_begins_s(self) -> float:
        """After how many seconds from midnight, UTC, a day begins that groups alerts."""
        return self.day_begins_hour * 3_600.0

    def rank(self, severity: str) -> int:
        """Give how high a code of severity stands: the more, the graver; 0 for the least and for what is not on the scale."""
        codes = [band.code for band in reversed(self.severity)]
        return codes.index(severity) if severity in codes else 0

    def words(self, probability: float, language: str) -> str:
        """Give the words that *language* has for a probability from 0 to 1."""
        scale = self.chance.fr if language == "fr" else self.chance.en
        return next(one.words for one in scale if probability <= one.most)

    def deadline_s(self, name: str) -> float:
        """Give a class's deadline in seconds."""
        return self.deadline_minutes[name] * 60.0
