"""
Values that are nearly records: any record that a schema allows, with something in it that may not stand there.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from types import MappingProxyType
from typing import Any

from hypothesis import strategies as st

from boutre.schemas.marks import Sealed, Withheld
from records import NOW, any_record

ODD: list[Any] = [
    None,
    "",
    " ",
    "-",
    "invented",
    "219000001",
    "000000000",
    "a\nb\tc",
    "\x1b[31m",
    "\x85",
    "é\u2028",
    "\ud800",
    True,
    False,
    0,
    1,
    -1,
    7.5,
    90,
    91.0,
    -180.5,
    359.999,
    360.0,
    10**400,
    2**63,
    -(2**63),
    math.nan,
    -math.inf,
    -0.0,
    b"\0",
    bytearray(b"\0"),
    [],
    {},
    (),
    ["a", 1],
    {"invented": 1},
    {"attribute": "mmsi", "value": "123456789"},
    {"min": 3.0, "max": 2.0},
    {"latitude": 95.0, "longitude": 44.0},
    MappingProxyType({"latitude": -4.5, "longitude": 55.0}),
    date(2026, 9, 20),
    datetime(2026, 9, 20, 12, 0),  # noqa: DTZ001 - a naive time is one of the odd things
    datetime(2026, 9, 20, 12, 0, 0, 999_999, tzinfo=timezone(timedelta(hours=4))),
    datetime(1899, 12, 31, tzinfo=UTC),
    NOW + timedelta(minutes=10),
    NOW + timedelta(minutes=10, milliseconds=1),
    datetime.max.replace(tzinfo=UTC),
    Withheld("a@1", "default-deny", None),
    Sealed("hpke", "case-1", b"n", b"c"),
]


def things() -> st.SearchStrategy[Any]:
    """One of what is odd; a list or dictionary anew each time, since something may be put into it."""
    return st.sampled_from(ODD).map(lambda thing: type(thing)(thing) if isinstance(thing, list | dict) else thing)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container in a value with each of its keys or indexes."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in list(inside):
        yield value, key
        yield from places(item)


@st.composite
def odd(draw: st.DrawFn, kind: str) -> dict[str, Any]:
    """A record in up to two places of which stands something odd, or nothing, or one thing more; often nothing is wrong with it."""
    value = draw(any_record(kind))
    for _ in range(draw(st.integers(0, 2))):
        container, key = draw(st.sampled_from(list(places(value))))
        match draw(st.sampled_from(["put", "put", "put", "drop", "more"])):
            case "put":
                container[key] = draw(things())
            case "drop":
                del container[key]
            case "more" if isinstance(container, dict):
                container["invented"] = draw(things())
    return value
