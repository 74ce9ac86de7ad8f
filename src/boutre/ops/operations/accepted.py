"""
Which of the languages of the bus a browser asks for, by ``Accept-Language``.
"""

from __future__ import annotations

from typing import Literal

from boutre.language import LANGUAGES


def language_of(header: str, asked: str | None = None) -> Literal["en", "fr"]:
    """
    Give the language that was *asked* for by name, else the one that the header likes best, else English.
    """
    if asked in LANGUAGES:
        return "fr" if asked == "fr" else "en"
    liked: list[tuple[float, int, str]] = []
    for place, part in enumerate(header.split(",")[:20]):
        tag, _, weight = part.partition(";")
        language = tag.strip().lower().partition("-")[0]
        if language in LANGUAGES:
            liked.append((-_weight(weight), place, language))
    best = min(liked, default=(0.0, 0, "en"))
    return "fr" if best[2] == "fr" and best[0] < 0 else "en"


def _weight(said: str) -> float:
    name, _, value = said.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return min(1.0, max(0.0, float(value)))
    except ValueError:
        return 0.0
