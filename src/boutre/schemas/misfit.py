"""
Why a value does not fit its schema: the first thing that is wrong, by the field's path and never by its value.

Asked only when the writer that is made from the schema has refused the value: it looks at the fields in their order, one by one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import date, datetime
from types import NoneType
from typing import Any

from boutre.errors import Refuse
from boutre.schemas.marks import Sealed, Withheld
from boutre.schemas.shape import MISSING, Array, Leaf, Record, Shape, Union

LONG_MAX = 2**63
INT_MAX = 2**31


def parts_of(mark: Withheld | Sealed) -> dict[str, Any]:
    """
    Give the fields of a mark, as a record.
    """
    if isinstance(mark, Withheld):
        return {"agreement": mark.agreement, "clause": mark.clause, "ask": mark.ask}
    return {
        "algorithm": mark.algorithm,
        "content_key_id": mark.content_key_id,
        "nonce": mark.nonce,
        "ciphertext": mark.ciphertext,
        "keys": list(mark.keys),
    }


def misfit(at: Shape, value: Any, path: str = "", *, written: type = NoneType) -> Refuse:
    """
    Give the refusal of *value*: ``wrong-type``, ``naive-time`` or ``out-of-range``, with the path of the field.

    *written* is the type of what may stand in the place of any field of *at* itself, already written.
    """
    try:
        _look(at, value, path, written)
    except Refuse as refused:
        return refused
    return Refuse("wrong-type", field=path or None)


def _look(at: Shape, value: Any, path: str, written: type) -> None:
    match at:
        case Union():
            _union(at, value, path)
        case Array():
            if not isinstance(value, list | tuple):
                raise _wrong(path)
            for item in value:
                _look(at.items, item, path, NoneType)
        case Record():
            _record(at, value, path, written)
        case Leaf():
            LEAF[at.kind](value, path)


def _wrong(path: str) -> Refuse:
    return Refuse("wrong-type", field=path or None)


def _union(union: Union, value: Any, path: str) -> None:
    if value is None:
        return
    for _, mark in union.marks:
        if type(value).__name__ == mark.name and isinstance(value, Withheld | Sealed):
            _record(mark, parts_of(value), path, NoneType)
            return
    _look(union.plain, value, path, NoneType)


def _record(record: Record, value: Any, path: str, written: type) -> None:
    if not isinstance(value, Mapping):
        raise _wrong(path)
    below = f"{path}." if path else ""
    names = {field.name for field in record.fields}
    unknown = next((name for name in value if name not in names), MISSING)
    if unknown is not MISSING:
        raise _wrong(f"{below}{unknown}")
    for field in record.fields:
        given = value.get(field.name, field.default)
        if written is not NoneType and type(given) is written:
            continue
        if given is MISSING:
            raise _wrong(below + field.name)
        _look(field.type, given, below + field.name, NoneType)


def _string(value: Any, path: str) -> None:
    if type(value) is not str or not _in_utf_8(value):
        raise _wrong(path)


def _in_utf_8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        # Not refused from here: the exception holds the text, and would be the context of the refusal.
        return False
    return True


def _bytes(value: Any, path: str) -> None:
    if not isinstance(value, bytes | bytearray):
        raise _wrong(path)


def _boolean(value: Any, path: str) -> None:
    if type(value) is not bool:
        raise _wrong(path)


def _double(value: Any, path: str) -> None:
    if type(value) is not float and type(value) is not int:
        raise _wrong(path)
    try:
        finite = math.isfinite(value)
    except OverflowError:
        finite = False
    if not finite:
        raise Refuse("out-of-range", field=path)


def _long(value: Any, path: str) -> None:
    if type(value) is not int or not -LONG_MAX <= value < LONG_MAX:
        raise _wrong(path)


def _int(value: Any, path: str) -> None:
    if type(value) is not int or not -INT_MAX <= value < INT_MAX:
        raise _wrong(path)


def _moment(value: Any, path: str) -> None:
    if not isinstance(value, datetime):
        raise _wrong(path)
    if value.tzinfo is None:
        raise Refuse("naive-time", field=path)


def _day(value: Any, path: str) -> None:
    if not isinstance(value, date) or isinstance(value, datetime):
        raise _wrong(path)


LEAF: Mapping[str, Callable[[Any, str], None]] = {
    "string": _string,
    "bytes": _bytes,
    "boolean": _boolean,
    "double": _double,
    "long": _long,
    "int": _int,
    "timestamp-millis": _moment,
    "date": _day,
}
