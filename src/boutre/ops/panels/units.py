"""
Values as people read them, in English and in French, and the marks of an axis.
"""

from __future__ import annotations

import math
from typing import Final

from babel.numbers import format_decimal, format_percent

from boutre.ops.panels.declared import Unit

UNKNOWN: Final = "-"
NEVER: Final = "∞"

_BELOW_MINUTE: Final = 60
_STEPS: Final = (
    (86_400, {"en": "d", "fr": "j"}),
    (3_600, {"en": "h", "fr": "h"}),
    (60, {"en": "min", "fr": "min"}),
    (1, {"en": "s", "fr": "s"}),
)
_BYTES: Final = {"en": "B", "fr": "o"}
_TIMES: Final = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 21_600, 43_200, 86_400)
_LEAST: Final = 1e-6
_MOST: Final = 1e15
_KIBI: Final = 1024
_DAY: Final = 86_400


def shown(value: float, unit: Unit, language: str) -> str:
    """
    Say *value*: ``2 h 5 min``, ``1,204``, ``3.2/s``, ``4 %``, ``1.5 GiB``.
    """
    if math.isnan(value):
        return UNKNOWN
    if math.isinf(value):
        return NEVER if value > 0 else f"-{NEVER}"
    match unit:
        case "seconds":
            said = f"-{_time(-value, language)}" if value < 0 else _time(value, language)
        case "ratio":
            said = str(format_percent(value, "#,##0.#\N{NO-BREAK SPACE}%" if language == "fr" else "#,##0.#%", locale=language))
        case "per_second":
            said = f"{_number(value, language)}/s"
        case "bytes":
            said = _bytes(value, language)
        case _:
            said = _number(value, language)
    return said


def marks(most: float, unit: Unit, count: int = 4) -> tuple[float, ...]:
    """
    Marks of an axis from nought to *most* or just beyond it, about *count* of them, at round values.
    """
    # Beyond these nothing of the bus is measured, and floats would end.
    most = min(most, _MOST) if most > _LEAST else 1.0
    step = most / count
    if unit == "seconds" and step > 1:
        step = next((one for one in _TIMES if one >= step), math.ceil(step / _DAY) * _DAY)
    else:
        size = 10 ** math.floor(math.log10(step))
        step = next(factor * size for factor in (1, 2, 5, 10) if factor * size >= step * (1 - 1e-9))
        if unit == "number":
            step = max(step, 1)
    return tuple(step * at for at in range(math.ceil(most / step - 1e-9) + 1))


def _time(value: float, language: str) -> str:
    if value < 1:
        return "0 s" if value == 0 else f"{_number(value * 1000, language)} ms"
    if value < _BELOW_MINUTE:
        return f"{_number(value, language)} s"
    left = round(value)
    said: list[tuple[int, str]] = []
    for size, names in _STEPS:
        if left >= size or said:
            said.append((left // size, names[language]))
            left %= size
    # Two parts say enough; a second part of nought is none.
    return " ".join(f"{number} {name}" for number, name in said[:2] if number)


def _bytes(value: float, language: str) -> str:
    size, behind = value, ""
    for prefix in ("", "Ki", "Mi", "Gi", "Ti"):
        behind = prefix
        if abs(size) < _KIBI or prefix == "Ti":
            break
        size /= _KIBI
    return f"{_number(size, language)} {behind}{_BYTES[language]}"


def _number(value: float, language: str) -> str:
    # Three digits that count, and no fraction of what is large.
    places = 0 if value == 0 else max(0, 2 - math.floor(math.log10(abs(value))))
    rounded = round(value, places)
    return str(format_decimal(rounded, "#,##0." + "#" * min(places, 4) if places else "#,##0", locale=language))
