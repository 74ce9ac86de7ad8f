"""
What an integrator needs to write a connector: a generator and a dataclass of options.

    @dataclass(frozen=True)
    class Options:
        path: Path

    @source("lines")
    def read(options: Options, after: str | None) -> Iterator[Raw | Bad]:
        '''A report a line.'''
        for number, line in enumerate(options.path.read_text().splitlines(), 1):
            if after is None or number > int(after):
                yield Raw(kind="sighting", value={...}, reference=str(number), cursor=str(number))

The runner owns the rest: ids, cursor, signing, retries, back-pressure, metrics. A source that cannot go on for now raises
``Retry``; one part of its input that cannot be used is a ``Bad``, which goes to the member's rejects, and the rest goes through.
A source that waits for something (a socket, a folder) yields an ``Idle`` now and then, so that the runner can save its cursor and
stop when it is asked to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar, overload

from boutre.errors import DeclarationError, Fault


@dataclass(frozen=True, slots=True)
class Where:
    """
    Where in a source something stood: a file, a line or row counted from 1, a field or column.
    """

    file: str | None = None
    line: int | None = None
    field: str | None = None


@dataclass(frozen=True, slots=True)
class Raw:
    """
    One report as its source gives it.

    *value* holds the groups of the record's schema (``times``, ``event``, ``position`` ...) with datetimes that know their
    zone; the runner adds what it owns (``id``, ``origin``, ``lifecycle``, ``handling`` and what else the feed declares).
    *reference* is the source's own reference of the report: the same report sent again has the same one.
    *cursor* is where to go on after this report. *subject* is what the report is about where many speak of one thing (an MMSI).
    *content* is the report as it came in, where the source has it: its owner gets it back if the record is refused.
    """

    kind: str
    value: Mapping[str, Any]
    reference: str
    cursor: str
    subject: str | None = None
    revision: int = 0
    where: Where = field(default_factory=Where)
    content: bytes | None = None


@dataclass(frozen=True, slots=True)
class Bad:
    """
    A part of the input that no record can be made of, on its way to the member's rejects.

    *code* is one of the vocabulary ``reject-reason``; *content* is what came in; *detail* says what was expected, and never
    holds a value of the input.
    """

    code: str
    content: bytes
    reference: str
    cursor: str
    detail: str = ""
    where: Where = field(default_factory=Where)
    count: int = 1
    """How many inputs it stands for: a full spool tells with one of these what it had to drop."""


@dataclass(frozen=True, slots=True)
class Noted:
    """
    A part of the input that was understood and is no report: a base station's message, a comment, static data on their own.

    It is counted by *reason* (a word in the form of a code, never a value of the input), so that what came in adds up.
    """

    reason: str
    reference: str
    cursor: str
    count: int = 1


@dataclass(frozen=True, slots=True)
class Idle:
    """
    Nothing for now: a source that waits gives the runner its turn.
    """


Options = TypeVar("Options")
Read = Callable[[Options, str | None], Iterator[Raw | Bad | Noted | Idle]]


@dataclass(frozen=True, slots=True)
class Source(Generic[Options]):
    """
    A declared source: its name, its options' class and its generator.
    """

    name: str
    options: type[Options]
    read: Read[Options]
    summary: str

    def __call__(self, options: Options, after: str | None = None) -> Iterator[Raw | Bad | Noted]:
        """Read on after the cursor *after*, from the beginning where it is None; what is only a turn for the runner is left out."""
        return (item for item in self.read(options, after) if not isinstance(item, Idle))


@overload
def source(name: str) -> Callable[[Read[Options]], Source[Options]]: ...
@overload
def source(name: str, *, options: type[Options]) -> Callable[[Read[Options]], Source[Options]]: ...


def source(name: str, *, options: type[Any] | None = None) -> Callable[[Read[Any]], Source[Any]]:
    """
    Declare a source; its options are the dataclass of its first parameter unless *options* names another.
    """

    def declare(read: Read[Any]) -> Source[Any]:
        import typing  # noqa: PLC0415 - only where a source is declared

        kind = options or typing.get_type_hints(read).get("options")
        if kind is None:
            message = "the first parameter is called options and names its dataclass"
            raise DeclarationError([Fault(read.__module__, name, message)])
        return Source(name, kind, read, (read.__doc__ or "").strip().splitlines()[0] if read.__doc__ else "")

    return declare
