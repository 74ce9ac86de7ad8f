"""
From lines to reports: each line of AIS is part of exactly one item, and each item has a cursor behind which reading can go on.

The cursor names the stream, the line that made the item, and which of that line's items it is. Reading on after it begins with
lines before it, of which nothing is given again, so that parts of messages that were waiting and what was known of each craft are
as they were: the same lines give the same reports, wherever reading was broken off.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from boutre.connectors.sdk import Bad, Noted, Raw, Where
from boutre.connectors.sources.ais_decode import Spoken, decode
from boutre.connectors.sources.ais_identity import Placeholder, Station, station
from boutre.connectors.sources.ais_known import Known
from boutre.connectors.sources.ais_record import reference, sighting
from boutre.connectors.sources.nmea import Flaw
from boutre.connectors.sources.nmea_assembly import Aside, Assembled, Assembler, Broken, Line, Message

_NO_TIME: Final = Flaw("missing-field", "no $PGHP line, tag block or log time says when it was received", "times.observed")
_NO_CRAFT: Final = frozenset({Station.COAST, Station.AID})


@dataclass(frozen=True, slots=True, order=True)
class Cursor:
    """
    Behind item *item* of line *line*, both counted from 1; zeros are the beginning.
    """

    line: int = 0
    item: int = 0

    def text(self, stream: str) -> str:
        """
        As the runner keeps it; *stream* tells this file or spool from another of the same name.
        """
        return f"{stream}:{self.line}:{self.item}"


def parse(text: str | None, stream: str) -> Cursor:
    """
    Read a cursor; of another stream, or of none, it is the beginning.
    """
    parts = (text or "").split(":")
    if len(parts) != 3 or parts[0] != stream or not (parts[1] + parts[2]).isdecimal():  # noqa: PLR2004 - stream, line, item
        return Cursor()
    return Cursor(int(parts[1]), int(parts[2]))


class Reader:
    """
    Takes the lines of one *stream* in order and gives their items behind *after*; *file* is how rejects name the stream.
    """

    def __init__(self, stream: str, after: Cursor, file: str) -> None:
        self._stream = stream
        self._after = after
        self._file = file
        self._assembler = Assembler()
        self._known = Known()
        self._at = Cursor()

    def take(self, line: Line) -> Iterator[Raw | Bad | Noted]:
        """
        Take one line; give what it completes.
        """
        yield from self._items(line.number, self._assembler.take(line))

    def flush(self) -> Iterator[Raw | Bad | Noted]:
        """
        The stream has ended: give what was still waiting.
        """
        yield from self._items(self._at.line, self._assembler.flush())

    def _items(self, number: int, found: Iterator[Assembled]) -> Iterator[Raw | Bad | Noted]:
        self._at = Cursor(number, self._at.item if number == self._at.line else 0)
        for each in found:
            self._at = Cursor(number, self._at.item + 1)
            spoken = decode(each.payload, each.fill) if isinstance(each, Message) else None
            if self._at > self._after:
                yield self._item(each, spoken, self._at.text(self._stream))
            elif isinstance(each, Message) and isinstance(spoken, Spoken):
                self._learn(each, spoken)

    def _item(self, each: Assembled, spoken: Spoken | Flaw | None, cursor: str) -> Raw | Bad | Noted:
        match each:
            case Aside(reason=reason):
                return Noted(reason, _place(self._file, each), cursor)
            case Broken(flaw=flaw):
                return self._bad(each, flaw, cursor)
            case Message():
                assert spoken is not None
                return self._bad(each, spoken, cursor) if isinstance(spoken, Flaw) else self._spoken(each, spoken, cursor)

    def _spoken(self, message: Message, spoken: Spoken, cursor: str) -> Raw | Bad | Noted:
        kind = station(spoken.mmsi)
        # A beacon in distress is a report even where it does not know its position.
        alarm = kind is Station.DISTRESS and (spoken.fix is not None or bool(spoken.text))
        if spoken.other is not None and not alarm:
            return Noted(spoken.other, _place(self._file, message), cursor)
        at = message.at
        if isinstance(kind, Placeholder) or kind is Station.GROUP or at is None:
            return self._bad(message, _flaw(kind), cursor)
        self._learn(message, spoken)
        aside = None if alarm else _aside(kind, spoken)
        if aside is not None:
            return Noted(aside, _place(self._file, message), cursor)
        return Raw(
            kind="sighting",
            value=sighting(message, spoken, kind, self._known.about(spoken.mmsi), at),
            reference=reference(message, spoken, at),
            cursor=cursor,
            subject=f"{spoken.mmsi:09d}",
            where=Where(file=self._file, line=message.lines[0].number),
            content=_content(message),
        )

    def _learn(self, message: Message, spoken: Spoken) -> None:
        if spoken.statics is not None and message.at is not None and isinstance(station(spoken.mmsi), Station):
            self._known.learn(spoken.mmsi, spoken.statics, message.at)

    def _bad(self, each: Message | Broken, flaw: Flaw, cursor: str) -> Bad:
        content = _content(each)
        digest = hashlib.sha256(content).hexdigest()[:16]
        first = each.lines[0].number
        where = Where(file=self._file, line=first, field=flaw.field)
        return Bad(flaw.code, content, f"{self._stream}:{first}:{digest}", cursor, flaw.detail, where)


def _flaw(kind: Station | Placeholder) -> Flaw:
    if isinstance(kind, Placeholder):
        return Flaw(kind.value, "an MMSI is that of a station", "claims.mmsi")
    if kind is Station.GROUP:
        return Flaw("bad-identifier", "a group of ships cannot send", "claims.mmsi")
    return _NO_TIME


def _aside(kind: Station, spoken: Spoken) -> str | None:
    """
    Why a sound message of a station is no report; None where it is one.
    """
    if kind in _NO_CRAFT:
        return "not-a-craft"
    if spoken.fix is None:
        return "static-data"
    return None if spoken.fix.placed else "no-position"


def _content(each: Assembled) -> bytes:
    return b"\n".join(line.content for line in each.lines)


def _place(file: str, each: Assembled) -> str:
    return f"{file}:{each.lines[0].number}"
