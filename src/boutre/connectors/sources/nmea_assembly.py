"""
Whole AIS messages from lines that arrive one by one, with the time and the station that heard them.

A message of several parts is one input. Its parts share talker, number of parts, sequence number, channel, sender and station; they
may come in any order and among others. Each line that is taken comes out exactly once: in a ``Message``, a ``Broken`` or an
``Aside``. What waits for its parts is bounded in number and in time, so a stream of lost parts does not fill the memory.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from boutre.connectors.sources.nmea import BLANK, Flaw, Other, Sentence, Wrapper, parse

PENDING: Final = 256
"""
Messages that may wait for parts; real streams have a few.
"""
PATIENCE: Final = timedelta(seconds=30)
"""
How long a part waits for the next, by the times of receipt: sequence numbers come round again within a minute.
"""
SPAN: Final = 4096
"""
How many lines a part waits for the next, where there are no times.
"""
SENDERS: Final = 64
"""
Senders (by UDP) whose wrapper or group is kept at one time.
"""


@dataclass(frozen=True, slots=True)
class Line:
    """
    A line as it came: its *number* in the file or spool, its bytes, who sent it, and when it arrived where that is known.
    """

    number: int
    content: bytes
    sender: str = ""
    arrived: datetime | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """
    A whole AIS message: its six-bit characters and padding, when and by which station it was heard, and its lines.

    *at* is the time of receipt (UTC) that the lines tell, else that of their arrival; None where neither is known.
    """

    talker: str
    formatter: str
    channel: str
    payload: str
    fill: int
    at: datetime | None
    station: str
    lines: tuple[Line, ...]
    sentences: int
    country: str = ""
    region: str = ""


@dataclass(frozen=True, slots=True)
class Broken:
    """
    Lines that no message can be made of, and why.
    """

    flaw: Flaw
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Aside:
    """
    A sound line that holds no AIS, and what it is.
    """

    reason: str
    lines: tuple[Line, ...]


Assembled: TypeAlias = Message | Broken | Aside


@dataclass(slots=True)
class _Partial:
    total: int
    began: Line
    parts: dict[int, Sentence] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)
    wrappers: list[Wrapper] = field(default_factory=list)
    at: datetime | None = None
    station: str = ""

    def add(self, sentence: Sentence, lines: list[Line], wrapper: Wrapper | None) -> None:
        self.parts[sentence.number] = sentence
        self.lines.extend(lines)
        if wrapper is not None:
            self.wrappers.append(wrapper)
        self.at = self.at or (wrapper.at if wrapper is not None else sentence.at)
        self.station = self.station or (wrapper.station if wrapper is not None else sentence.station)

    @property
    def moment(self) -> datetime | None:
        return self.at or self.began.arrived


_Key: TypeAlias = tuple[str, str, str, int, str, str]  # sender, talker, formatter, parts, sequence, channel


class Assembler:
    """
    Take lines in the order they came, give what they make; ``flush`` at an end gives what was still waiting.
    """

    def __init__(self, *, pending: int = PENDING, patience: timedelta = PATIENCE, span: int = SPAN) -> None:
        self._limit = pending
        self._patience = patience
        self._span = span
        self._pending: OrderedDict[tuple[_Key, str], _Partial] = OrderedDict()
        self._wrapper: OrderedDict[str, tuple[Wrapper, Line]] = OrderedDict()
        self._groups: OrderedDict[tuple[str, str], Sentence] = OrderedDict()

    @property
    def oldest(self) -> int | None:
        """
        The number of the oldest line that still waits, None where none does.
        """
        waiting = [line.number for _, line in self._wrapper.values()]
        waiting.extend(partial.lines[0].number for partial in self._pending.values())
        return min(waiting, default=None)

    def take(self, line: Line) -> Iterator[Assembled]:
        """
        Take the next *line* and give what it completes, first what it shows to be lost.
        """
        parsed = parse(line.content)
        match parsed:
            case Sentence():
                yield from self._sentence(parsed, line)
            case Wrapper():
                yield from self._lone(line.sender)
                self._wrapper[line.sender] = (parsed, line)
                if len(self._wrapper) > SENDERS:
                    yield from self._lone(next(iter(self._wrapper)))
            case Other():
                if parsed is not BLANK:
                    yield Aside(parsed.reason, (line,))
            case Flaw():
                # What is damaged was perhaps the sentence that the wrapper speaks of; it must not speak of the next.
                wrapper = self._wrapper.pop(line.sender, None)
                yield Broken(parsed, (line,) if wrapper is None else (wrapper[1], line))

    def flush(self) -> Iterator[Assembled]:
        """
        Give up what waits: no more lines will come.
        """
        for sender in list(self._wrapper):
            yield from self._lone(sender)
        while self._pending:
            yield self._give_up(next(iter(self._pending)))

    def _lone(self, sender: str) -> Iterator[Assembled]:
        wrapper = self._wrapper.pop(sender, None)
        if wrapper is not None:
            yield Aside("wrapper-alone", (wrapper[1],))

    def _sentence(self, sentence: Sentence, line: Line) -> Iterator[Assembled]:
        held = self._wrapper.pop(line.sender, None)
        wrapper, lines = (None, [line]) if held is None else (held[0], [held[1], line])
        sentence = self._grouped(sentence, line.sender)
        if sentence.total == 1:
            single = _Partial(1, line)
            single.add(sentence, lines, wrapper)
            yield _whole(single)
            return
        yield from self._expire(line, wrapper.at if wrapper else sentence.at)
        base: _Key = (line.sender, sentence.talker, sentence.formatter, sentence.total, sentence.sequence, sentence.channel)
        key = (base, self._station_for(base, sentence, wrapper.station if wrapper else sentence.station))
        if key in self._pending and sentence.number in self._pending[key].parts:
            yield self._give_up(key)
        partial = self._pending.setdefault(key, _Partial(sentence.total, line))
        partial.add(sentence, lines, wrapper)
        if len(partial.parts) == partial.total:
            del self._pending[key]
            yield _whole(partial)
        elif len(self._pending) > self._limit:
            yield self._give_up(next(iter(self._pending)))

    def _grouped(self, sentence: Sentence, sender: str) -> Sentence:
        """
        The same with the time and station of its group, which only the group's first tag block tells.
        """
        if sentence.group is None:
            return sentence
        number, total, identifier = sentence.group
        first = self._groups.get((sender, identifier))
        if number == total:
            self._groups.pop((sender, identifier), None)
        elif number == 1:
            self._groups[sender, identifier] = sentence
            if len(self._groups) > self._limit:
                self._groups.popitem(last=False)
        if number == 1 or first is None or (sentence.at and sentence.station):
            return sentence
        return Sentence(
            sentence.talker,
            sentence.formatter,
            sentence.total,
            sentence.number,
            sentence.sequence,
            sentence.channel,
            sentence.payload,
            sentence.fill,
            sentence.checksum,
            sentence.at or first.at,
            sentence.station or first.station,
            sentence.group,
        )

    def _station_for(self, base: _Key, sentence: Sentence, station: str) -> str:
        """
        The station under which this part waits: its own, else that of the newest message that lacks just this part.
        """
        if station or sentence.number == 1:
            return station
        for (other, where), partial in reversed(self._pending.items()):
            if other == base and sentence.number not in partial.parts:
                return where
        return ""

    def _expire(self, line: Line, at: datetime | None) -> Iterator[Assembled]:
        while self._pending:
            key, partial = next(iter(self._pending.items()))
            # Like with like: a replayed log tells times of long ago, and arrives today.
            now, then = (line.arrived, partial.began.arrived) if line.arrived else (at, partial.at)
            late = now is not None and then is not None and now - then > self._patience
            if not late and line.number - partial.began.number <= self._span:
                return
            yield self._give_up(key)

    def _give_up(self, key: tuple[_Key, str]) -> Broken:
        partial = self._pending.pop(key)
        detail = f"{len(partial.parts)} of {partial.total} parts came"
        return Broken(Flaw("incomplete-message", detail), tuple(partial.lines))


def _whole(partial: _Partial) -> Message | Broken:
    parts = [partial.parts[number] for number in range(1, partial.total + 1)]
    lines = tuple(partial.lines)
    claimed = [wrapper.checksum for wrapper in partial.wrappers]
    if claimed and all(claimed):
        rest = 0
        for count in (*claimed, *(part.checksum for part in parts)):
            rest ^= count
        if rest:
            return Broken(Flaw("bad-checksum", "the $PGHP line speaks of another sentence", "$PGHP"), lines)
    wrapper = partial.wrappers[0] if partial.wrappers else None
    first = parts[0]
    return Message(
        talker=first.talker,
        formatter=first.formatter,
        channel=first.channel,
        payload="".join(part.payload for part in parts),
        fill=parts[-1].fill,
        at=partial.moment,
        station=partial.station,
        lines=lines,
        sentences=partial.total,
        country=wrapper.country if wrapper else "",
        region=wrapper.region if wrapper else "",
    )
