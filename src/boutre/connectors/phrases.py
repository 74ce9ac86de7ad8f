"""
Single values of a view in the words of a language: codes by their labels, counts with their doubt, times as fine as they are known.

Pure. What somebody else wrote is shown without characters that steer a terminal or reorder what is read.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, Self

from babel.dates import format_timedelta
from babel.numbers import format_decimal

from boutre.language import say
from boutre.schemas import fields, lock
from boutre.schemas.fields import FieldInfo
from boutre.schemas.vocabulary import Vocabularies, load

KILOMETRE: Final = 1000.0
DEGREE_DIGITS: Final = 5  # a metre
PRIME: Final = "\N{PRIME}"
TIMES: Final = " \N{MULTIPLICATION SIGN} "
FORMS: Final[Mapping[str, str]] = {
    "year": "%Y",
    "month": "%Y-%m",
    "day": "%Y-%m-%d",
    "hour": "%Y-%m-%d %H h UTC",
    "minute": "%Y-%m-%d %H:%M UTC",
    "second": "%Y-%m-%d %H:%M:%S UTC",
}
UNITS: Final[Mapping[str, str]] = {
    "metre": "m",
    "kilowatt": "kW",
    "knot": "kn",
    "degree true": "°",
    "degree WGS 84": "°",
    "probability": "%",
}
SECONDS: Final[Mapping[str, float]] = {"year": 31_557_600, "month": 2_629_800, "day": 86_400, "hour": 3_600, "minute": 60}


@dataclass(frozen=True, slots=True)
class Words:
    """
    What is needed to name things: the labels of all codes, and for each kind of record its fields by path.
    """

    vocabularies: Vocabularies
    fields: Mapping[str, Mapping[str, FieldInfo]]

    @classmethod
    def core(cls) -> Self:
        """
        Read those of the core schemas; raises DeclarationError.
        """
        folder = lock.core()
        known = {kind: {info.path: info for info in fields.walk(schema)} for kind, schema in fields.read(folder).items()}
        return cls(load(folder / "vocabularies"), known)

    def label(self, info: FieldInfo | None, code: str, language: str) -> str:
        """
        The words for a code of the field *info*; the code itself where the field has no vocabulary, or that no such code.
        """
        scheme = None if info is None else info.vocabulary
        return safe(code) if scheme is None else self.vocabularies.label(scheme, safe(code), language)

    def contact(self, code: str | None, language: str) -> str | None:
        """
        Whom to ask for what was withheld, in words; None where nobody is named.
        """
        return None if code is None else self.vocabularies.label("contact@1", safe(code), language)

    def say(self, kind: str, path: str, value: Any, language: str) -> str:
        """
        One value of the field at *path*, in words; the empty text where there is nothing to say.
        """
        info = self.fields.get(kind, {}).get(path)
        if isinstance(value, list | tuple):
            if value and isinstance(value[0], Mapping) and "text" in value[0]:
                return text_in(value, language)
            return ", ".join(filter(None, (self.say(kind, path, each, language) for each in value)))
        if isinstance(value, Mapping):
            return self._group(kind, path, value, language, info)
        if isinstance(value, str):
            return self.label(info, value, language)
        return scalar(value, language, UNITS.get(info.unit, "") if info else "")

    def _group(  # noqa: PLR0911 - one answer for each type that reads as one
        self, kind: str, path: str, value: Mapping[str, Any], language: str, info: FieldInfo | None
    ) -> str:
        match info.type_name if info else "":
            case "Moment":
                return moment(value, language)
            case "Range":
                return span(value, language, UNITS.get(info.unit, "") if info else "")
            case "Code":
                scheme = f"{value['scheme']}@{value['version']}"
                return self.vocabularies.label(scheme, safe(value["code"]), language)
            case "Position" | "Vertex":
                return position(value, language)
            case "PersonCount" | "Measure":
                count = span(value.get("count") or {}, language)
                parts = [self.say(kind, f"{path}.{name}", part, language) for name, part in value.items() if name != "count"]
                return TIMES.join(filter(None, (count, " ".join(filter(None, parts)))))
            case "Claim":
                named = self.say(kind, f"{path}.attribute", value["attribute"], language)
                source = self.say(kind, f"{path}.source", value["source"], language) if value.get("source") else ""
                return f"{named} {safe(value['value'])}" + (f" ({source})" if source else "")
            case "Unmapped":
                return f"{safe(value['name'])} = {safe(value['value'])}"
            case _:
                return self.parts(kind, path, value, language)

    def parts(self, kind: str, path: str, value: Mapping[str, Any], language: str) -> str:
        """
        All parts of a group that are known, each after its name.
        """
        said = ((name, self.say(kind, f"{path}.{name}", part, language)) for name, part in value.items())
        return listed((named(f"{path}.{name}", text, language) for name, text in said if text), language)


def listed(parts: Iterable[str], language: str) -> str:
    """
    Parts one after the other, as the language sets its semicolons.
    """
    return (f"{space(language)}; ").join(filter(None, parts))


def named(path: str, text: str, language: str) -> str:
    """
    A value after the name of its field.
    """
    return f"{field_name(path, language)}{space(language)}: {text}"


def space(language: str) -> str:
    """
    What stands before a colon or a semicolon: in French a space at which no line ends.
    """
    return "\N{NO-BREAK SPACE}" if language == "fr" else ""


def field_name(path: str, language: str) -> str:
    """
    What the field at *path* is called; the same name in every group.
    """
    return say(f"watch.field.{path.rpartition('.')[2].replace('_', '-')}", language)


def scalar(value: Any, language: str, unit: str = "") -> str:
    """
    A truth value, a number with its unit, a day or an instant; the empty text for None.
    """
    match value:
        case None:
            return ""
        case bool():
            return say("watch.yes" if value else "watch.no", language)
        case int() | float():
            sized = value * 100 if unit == "%" else value
            return f"{number(sized, language, DEGREE_DIGITS if unit == '°' else 2)}{'' if unit == '°' else ' '}{unit}".rstrip()
        case datetime():
            return value.astimezone(UTC).strftime(FORMS["minute"])
        case date():
            return value.isoformat()
        case _:
            return safe(str(value))


def number(value: float, language: str, digits: int = 2) -> str:
    """
    A number with the decimal sign of its language, and at most *digits* after it.
    """
    if not math.isfinite(value):
        return "?"
    return safe(format_decimal(value, format=f"#,##0.{'#' * digits}", locale=language))


def span(value: Mapping[str, Any], language: str, unit: str = "") -> str:
    """
    A count or measure as it was told: counted, between two bounds, at least, at most; marked where it was estimated.
    """
    least, most = value.get("min"), value.get("max")
    if least is None and most is None:
        return ""
    if least is None or most is None:
        text = f"≤ {number(most, language)}" if least is None and most is not None else f"≥ {number(least or 0, language)}"
    elif least == most:
        text = number(least, language)
    else:
        text = f"{number(least, language)}-{number(most, language)}"
    doubt = f" ({say('mark.estimated', language)})" if value.get("estimated") else ""
    return f"{text} {unit}".rstrip() + doubt


def moment(value: Mapping[str, Any], language: str) -> str:
    """
    A point in time as fine as it is known, in UTC, in the order of ISO 8601 for both languages.
    """
    at = value.get("at")
    if at is None:
        return ""
    text = at.astimezone(UTC).strftime(FORMS.get(str(value.get("precision")), FORMS["second"]))
    doubt = value.get("uncertainty_s")
    return f"{text} ± {length(doubt, language)}" if doubt else text


def length(seconds: float, language: str, precision: str | None = None) -> str:
    """
    A length of time in words, no finer than *precision*.
    """
    unit = precision if precision in SECONDS else "second"
    return safe(format_timedelta(timedelta(seconds=seconds), granularity=unit, threshold=2, locale=language))  # type: ignore[arg-type]  # a key of SECONDS is one of Babel's units


def position(value: Mapping[str, Any], language: str) -> str:
    """
    Degrees and minutes (WGS 84), with the radius in which it lies with 95 % probability.
    """
    latitude, longitude = value.get("latitude"), value.get("longitude")
    if latitude is None or longitude is None:
        return ""
    text = f"{_angle(latitude, 2, 'NS', language)} {_angle(longitude, 3, 'EW' if language == 'en' else 'EO', language)}"
    radius = value.get("accuracy_m")
    if radius is None:
        return text
    far = f"{number(radius / KILOMETRE, language)} km" if radius >= KILOMETRE else f"{number(radius, language)} m"
    return f"{text} ± {far}"


def _angle(degrees: float, digits: int, sides: str, language: str) -> str:
    if not math.isfinite(degrees):
        return "?"
    tenths = round(abs(degrees) * 600)
    minutes = f"{tenths % 600 / 10:04.1f}".replace(".", "," if language == "fr" else ".")
    return f"{tenths // 600:0{digits}}°{minutes}{PRIME}{sides[degrees < 0]}"


def text_in(texts: Sequence[Mapping[str, Any]], language: str) -> str:
    """
    The words in this language where there are some, else all there are; each in another language with its tag.
    """
    own = [each for each in texts if _is(each, language)]
    return " ".join(safe(each["text"]) for each in own) or " ".join(
        f"[{safe(each['language'])}] {safe(each['text'])}" for each in texts
    )


def _is(text: Mapping[str, Any], language: str) -> bool:
    tag = str(text.get("language", "")).lower()
    return tag == language or tag.startswith(f"{language}-")


def safe(text: str) -> str:
    """
    Text that somebody else wrote, on one line, with U+FFFD for what steers a terminal or is not seen.
    """
    return "".join(_shown(text)).strip()


def _shown(text: str) -> Iterable[str]:
    for character in " ".join(text.split()):
        if character.isprintable():
            yield character
        else:
            yield " " if unicodedata.category(character) == "Zs" else "\N{REPLACEMENT CHARACTER}"
