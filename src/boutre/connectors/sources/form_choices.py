"""
The lists that a form offers: codes of the vocabularies with their labels, and back from what somebody wrote to the code.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from boutre.connectors.sources.form_fields import KINDS, LISTS, Box, folded
from boutre.language import LANGUAGES, say
from boutre.schemas import lock, vocabulary
from boutre.schemas.vocabulary import Vocabularies


@cache
def words() -> Vocabularies:
    """
    The vocabularies of the core, whose labels the form shows.
    """
    return vocabulary.load(lock.core() / "vocabularies")


def choices(box: Box, language: str) -> list[tuple[str, str]]:
    """
    The codes that a box offers, each with its label in *language*, in the order of the vocabulary.
    """
    if box.key == "person-list":
        return [(code, say(f"form.choice.{code}", language)) for code in LISTS]
    found = words().every.get(box.vocabulary or "")
    if found is None:
        return []
    return [(term.code, term.fr if language == "fr" else term.en) for term in found.code if box.key != "kind" or term.code in KINDS]


def code_of(box: Box, text: str) -> str | None:
    """
    The code that *text* is or is a label of, in either language; None where it is none, or the label of two.
    """
    known = _choices(box.key, box.vocabulary or "")
    return known.get(text) or known.get(folded(text)) or None


@cache
def _choices(key: str, scheme: str) -> Mapping[str, str]:
    """
    The codes of a box by everything that they are called; what two codes are called is none of them.
    """
    box = Box(key, "code", vocabulary=scheme or None)
    found: dict[str, str] = {}
    for language in LANGUAGES:
        for code, label in choices(box, language):
            for name in {folded(label), folded(code), folded(f"{scheme.partition('@')[0]} {code}")}:  # TLP:AMBER
                found[name] = code if found.get(name, code) == code else ""
    found.update({code: code for code, _ in choices(box, "en")})
    return MappingProxyType(found)
