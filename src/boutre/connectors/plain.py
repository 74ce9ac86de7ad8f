"""
A decoded value as plain data that any JSON writer takes, and as one line of JSON.

What was withheld stays apart from what is unknown: an unknown group is ``null``, a withheld one says who withheld it, a sealed
one keeps its ciphertext for those who hold the key. Nothing is left out and nothing is rounded.
"""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, Final

from boutre.schemas.marks import Sealed, Withheld

UNSAFE: Final = re.compile(
    "[\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]",
)
"""
Characters that are legal in JSON as they stand, and still end a line for some readers, or hide or reorder what a person reads.
"""


def plain(value: Any) -> Any:  # noqa: PLR0911 - one answer for each type that a value can have
    """
    Give *value* as dicts, lists, strings, numbers, booleans and None.

    Moments become ISO 8601 in UTC with milliseconds (``2023-05-04T21:10:00.000Z``), days ``2023-05-04``, bytes base64
    (RFC 4648), ``Withheld`` ``{"withheld": {agreement, clause, ask}}``, ``Sealed`` ``{"sealed": {...}}``. Numbers that JSON has no
    word for become the strings ``NaN``, ``Infinity`` and ``-Infinity``. The order of keys is that of the value: for a decoded one,
    of its schema.

    Raises TypeError for what no decoded value holds, and for a moment without a zone.
    """
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else ("NaN" if math.isnan(value) else f"{'-' * (value < 0)}Infinity")
        case datetime():
            return stamp(value)
        case date():
            return value.isoformat()
        case bytes():
            return base64.b64encode(value).decode("ascii")
        case Withheld(agreement=agreement, clause=clause, ask=ask):
            return {"withheld": {"agreement": agreement, "clause": clause, "ask": ask}}
        case Sealed():
            names = ("algorithm", "content_key_id", "nonce", "ciphertext", "keys")
            return {"sealed": {name: plain(getattr(value, name)) for name in names}}
        case Mapping():
            return {str(key): plain(each) for key, each in value.items()}
        case list() | tuple():
            return [plain(each) for each in value]
        case _:
            raise TypeError(f"{type(value).__name__} is no part of a decoded value")


def stamp(moment: datetime) -> str:
    """
    Write an instant as ISO 8601 in UTC with milliseconds; raises TypeError where it knows no zone.
    """
    if moment.tzinfo is None:
        raise TypeError("a moment without a zone is no instant")
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def line(value: Any) -> str:
    """
    Write *value* as JSON on one line, without its end.

    The same value gives the same characters. Control, invisible and direction-changing characters are escaped, which changes
    nothing for a JSON reader, and keeps a terminal or a line splitter from being fooled by what somebody else wrote.
    """
    text = json.dumps(plain(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return UNSAFE.sub(lambda found: f"\\u{ord(found.group()):04x}", text)
