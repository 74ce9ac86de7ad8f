"""
The examples of a feed's declaration, run as the tests that they are: no broker, no key, nothing kept.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from boutre.connectors.feeds import Example, Feed
from boutre.connectors.record import Check, build
from boutre.connectors.sdk import Bad, Noted, Raw
from boutre.errors import Fault, Refuse, Retry
from boutre.schemas.codec import Codec

MISSING = "nothing"


def check(feed: Feed, codec: Codec, validate: Check, now: datetime) -> Iterator[Fault]:
    """
    Run every example of *feed* and give a fault for each thing that did not come out as the declaration says.
    """
    for number, example in enumerate(feed.examples, 1):
        for message in _run(feed, example, codec, validate, now):
            yield Fault(feed.file, f"example[{number}] {example.name}", message)


def _run(feed: Feed, example: Example, codec: Codec, validate: Check, now: datetime) -> Iterator[str]:
    with TemporaryDirectory() as folder:
        path = Path(folder, example.file)
        # The line break after the opening quotes of a TOML text is TOML's own; what follows is the input, byte for byte.
        path.write_bytes(example.raw.encode())
        options = dataclasses.replace(feed.options, **{example.option: path.parent if example.folder else path})
        try:
            item = next((item for item in feed.source(options) if not isinstance(item, Noted)), None)
        except Retry as retry:
            yield f"cannot be read: {retry}"
            return
    if item is None:
        yield "gives no record; the source found nothing in it"
        return
    found = _value(feed, item, codec, validate, now)
    if isinstance(found, str):
        if example.refuses is None:
            yield f"is refused: {found}"
        elif found.partition(" ")[0] != example.refuses:
            yield f"is refused for {found}, and should be for {example.refuses}"
    elif example.refuses is not None:
        yield f"gives a record, and should be refused for {example.refuses}"
    else:
        yield from _differences(example.gives or {}, found)


def _value(feed: Feed, item: Raw | Bad, codec: Codec, validate: Check, now: datetime) -> Mapping[str, Any] | str:
    """Give the record as its readers get it, or the reason why there is none and where."""
    if isinstance(item, Bad):
        return _reason(item.code, item.where.field)
    try:
        frame = codec.encode(item.kind, build(feed, item, now))
    except Refuse as refusal:
        return _reason(refusal.code, refusal.field)
    value = codec.decode(frame).value
    problems = validate(item.kind, value, now)
    return _reason(problems[0].code, problems[0].field) if problems else value


def _reason(code: str, field: str | None) -> str:
    return f"{code} ({field})" if field else code


def _differences(gives: Mapping[str, str | float | bool], value: Mapping[str, Any]) -> Iterator[str]:
    for path, wanted in gives.items():
        found = _at(value, path)
        # In Python True equals 1; in a record it does not.
        if type(wanted) is bool or type(found) is bool or wanted != found:
            if wanted is found:
                continue
            yield f"{path} is {found!r}, and should be {wanted!r}"


def _at(value: Any, path: str) -> Any:
    """Give what stands at a dotted path, whose numbers count in lists from 0; moments as ISO 8601."""
    for part in path.split("."):
        if isinstance(value, Mapping) and part in value:
            value = value[part]
        elif isinstance(value, list) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        else:
            return MISSING
    return value.isoformat() if isinstance(value, date) else value
