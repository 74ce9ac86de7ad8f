"""
What the bus says to people, in English and in French, from the one catalogue beside this file.

    say("reject.future-time", "fr", field="times.observed", place="formulaire.xlsx, 14")

A text may hold ``{names}`` to be filled in, and parts in square brackets that are left out whole when a name in them has no
value. So every sentence is whole without the values that a caller does not have, and to say something never fails: the bus
says why a report was refused at places where it must not fall over itself. That each call gives what its text needs, and that
both languages have the same names, the tests hold.

Values go in as they are and are not looked at again: a brace in a file's name stays a brace. Characters that would steer a
terminal are replaced. A value may also be a mapping with ``en`` and ``fr``, as ``both`` gives it.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final, TypeAlias

from boutre.errors import DeclarationError, Fault

LANGUAGES: Final = ("en", "fr")
"""
The languages of the bus; what asks for another gets English.
"""

Value: TypeAlias = "str | int | float | Mapping[str, str] | None"

_FILE: Final = "catalogue.toml"
_ABSENT: Final = frozenset({"", "-"})  # what tables and forms show for nothing
_HOLE: Final = "…"
_PART: Final = re.compile(r"\[([^\[\]]*)\]|([^\[\]]+)")
_NAME: Final = re.compile(r"\{([a-z_]+)\}")
# French sets a space that must not break before : ; ? ! and inside « »; the catalogue is written with ordinary ones.
_FRENCH_SPACE: Final = re.compile(r" (?=[:;?!»])|(?<=«) ")


@dataclass(frozen=True, slots=True)
class Text:
    """
    One text of the catalogue in one language: its parts in order, each with whether it may be left out.
    """

    parts: tuple[tuple[str, bool], ...]

    @property
    def needed(self) -> frozenset[str]:
        """
        The names without which the text has a hole.
        """
        return frozenset(name for part, optional in self.parts if not optional for name in _NAME.findall(part))

    @property
    def names(self) -> frozenset[str]:
        """
        All names that it can show.
        """
        return frozenset(name for part, _ in self.parts for name in _NAME.findall(part))

    def fill(self, values: Mapping[str, str]) -> str:
        """
        The text with *values* in their places; where a name that it needs has none, an ellipsis.
        """
        return "".join(
            _NAME.sub(lambda found: values.get(found[1], _HOLE), part)
            for part, optional in self.parts
            if not optional or values.keys() >= set(_NAME.findall(part))
        )


def say(key: str, language: str, /, **values: Value) -> str:
    """
    The text *key* in *language*, filled in; the last part of the key where the catalogue has no such text.
    """
    found = catalogue().get(key)
    if found is None:
        return key.rpartition(".")[2]
    language = language if language in LANGUAGES else LANGUAGES[0]
    given = {name: _clean(value, language) for name, value in values.items()}
    return found[language].fill({name: text for name, text in given.items() if text not in _ABSENT})


def both(key: str, /, **values: Value) -> dict[str, str]:
    """
    The text in both languages, as the ``Sentence`` of a record holds it.
    """
    return {language: say(key, language, **values) for language in LANGUAGES}


def keys(section: str = "") -> frozenset[str]:
    """
    The keys of all texts, or of those in *section* and below.
    """
    return frozenset(key for key in catalogue() if not section or key.startswith(f"{section}."))


def french(text: str) -> str:
    """
    French text with the spaces of its punctuation made such that no line breaks at them.
    """
    return _FRENCH_SPACE.sub("\u00a0", text)


@cache
def catalogue() -> Mapping[str, Mapping[str, Text]]:
    """
    The whole catalogue, read once. DeclarationError with everything that is wrong in it.
    """
    return read(files("boutre").joinpath(_FILE).read_text(encoding="utf-8"))


def read(content: str) -> dict[str, dict[str, Text]]:
    """
    Read a catalogue from its TOML: a table that holds ``en`` and ``fr`` is a text, one that holds tables is a section.
    """
    try:
        table = tomllib.loads(content)
    except tomllib.TOMLDecodeError as error:
        raise DeclarationError([Fault(_FILE, "", f"is not TOML: {error}")]) from None
    found: list[Fault] = []
    texts = dict(_texts(table, "", found))
    if found:
        raise DeclarationError(found)
    return texts


def _texts(table: Mapping[str, Any], above: str, found: list[Fault]) -> Iterator[tuple[str, dict[str, Text]]]:
    for name, inner in table.items():
        key = f"{above}.{name}" if above else name
        if not isinstance(inner, dict) or not inner:
            found.append(Fault(_FILE, key, "is no text; a text is a table with en and fr"))
        elif all(isinstance(value, dict) for value in inner.values()):
            yield from _texts(inner, key, found)
        elif inner.keys() != set(LANGUAGES):
            found.append(Fault(_FILE, key, f"holds {', '.join(sorted(inner))}; a text holds en and fr and nothing else"))
        elif wrong := [language for language in LANGUAGES if not _is_text(inner[language])]:
            found.append(Fault(_FILE, f"{key}.{wrong[0]}", "is empty, or its [ ] or { } do not pair; brackets do not nest"))
        else:
            texts = {language: _text(inner[language], language) for language in LANGUAGES}
            if len({(text.names, text.needed) for text in texts.values()}) > 1:
                found.append(Fault(_FILE, key, "the two languages do not have the same { } in and out of [ ]"))
            yield key, texts


def _is_text(value: object) -> bool:
    if not isinstance(value, str) or not value.strip():
        return False
    rest = _NAME.sub("", "".join(part or bare for part, bare in _PART.findall(value)))
    return _PART.sub("", value) == "" and not set(rest) & set("{}")


def _text(content: str, language: str) -> Text:
    set_out = french(content) if language == "fr" else content
    return Text(tuple((found[1] or found[2], found[1] is not None) for found in _PART.finditer(set_out)))


def _clean(value: Value, language: str) -> str:
    if isinstance(value, Mapping):
        value = value.get(language)
    text = "" if value is None else str(value)
    return "".join(character if character.isprintable() else "\ufffd" for character in text)
