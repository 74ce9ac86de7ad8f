"""
Delimited files (CSV and its kin) with a mapping that is declared and not programmed.

Rows are read as hostile: one that cannot be read is put aside with its line, and the next one is read. A file that was exported
again with more rows goes on where it stopped (``tail.py``).
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from boutre.connectors.known import Known
from boutre.connectors.sdk import Bad, Raw, Where, source
from boutre.connectors.sources.mapping import PLACEHOLDERS, Columns
from boutre.connectors.sources.rules import STRINGS, AnyRule
from boutre.connectors.sources.tail import DIGITS, Tail, read_before
from boutre.errors import Retry

MAX_LINE: Final = 262_144
"""Bytes that one line may have; the rest of a longer one is skipped unread, so that memory stays bounded."""

MAX_LINES: Final = 200
"""Lines that one quoted row may span; beyond it a quotation mark was opened by mistake."""

FOREIGN_BOMS: Final = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True)
class Options:
    """
    Where the file stands, how it is written and what its columns mean.

    *reference* is the column with the source's own reference of a row; *constants* are fields that hold in every record.
    *placeholders* are what the source writes where it knows nothing.
    """

    path: Path
    reference: str
    rules: tuple[AnyRule, ...]
    kind: str = "sighting"
    encoding: str = "utf-8"
    delimiter: str = ","
    quote: str = '"'
    constants: dict[str, str] = field(default_factory=dict)
    placeholders: tuple[str, ...] = PLACEHOLDERS

    def faults(self, known: Known) -> Iterator[tuple[str, str]]:
        """Give what is wrong beside the form of the declaration: the key, and a sentence."""
        for name in ("delimiter", "quote"):
            if len(getattr(self, name)) != 1 or not getattr(self, name).isascii():
                yield name, "is one ASCII character"
        try:
            if "\n,".encode(self.encoding) != b"\n,":
                yield "encoding", f"{self.encoding} does not hold ASCII as it is; export the file as utf-8"
        except LookupError:
            yield "encoding", f"{self.encoding} is no encoding that Python knows; write utf-8, cp1252 or latin-1"
        yield from self._constant_faults(known)
        for number, rule in enumerate(self.rules, 1):
            for wrong in rule.faults(self.kind, known):
                yield f"rules[{number}] {rule.column}", wrong

    def _constant_faults(self, known: Known) -> Iterator[tuple[str, str]]:
        for path, value in self.constants.items():
            found = known.target(self.kind, path)
            if isinstance(found, str):
                yield f"constants.{path}", found
            elif found.type_name not in STRINGS or found.many:
                yield f"constants.{path}", f"holds {found.type_name}; a constant is one text or code"
            elif wrong := known.code(found, value):
                yield f"constants.{path}", wrong


@source("delimited")
def read(options: Options, after: str | None) -> Iterator[Raw | Bad]:
    """A row a report, by declared rules."""
    try:
        start = read_before(options.path, after, MAX_LINE)
        with options.path.open("rb") as stream:
            yield from _File(options, Tail(stream, MAX_LINE)).rows(start)
    except OSError as error:
        raise Retry(f"{options.path.name} cannot be read ({error.strerror})", after=5) from None


@dataclass(slots=True)
class _Row:
    """Lines read as one row: the number of the first, their bytes, their cells or why there are none."""

    number: int
    content: bytes
    cells: list[str] = field(default_factory=list)
    code: str | None = None


class _File:
    """
    One reading of one file.
    """

    def __init__(self, options: Options, tail: Tail) -> None:
        self.options = options
        self.tail = tail
        self.columns = Columns(options.reference, options.rules, options.placeholders, options.constants)

    def rows(self, start: int) -> Iterator[Raw | Bad]:
        """Read all rows that end after line *start*; -1 tells of the file itself too."""
        head = self._row(None)
        if head is None:
            if start < 0:
                yield self._bad("empty-file", _Row(1, b""))
            return
        fault = self._head_fault(head)
        if fault is not None:
            if start < head.number:
                yield fault
            return
        names = [cell.strip() for cell in head.cells]
        empty = True
        while (line := self._row(len(names))) is not None:
            empty = False
            if self.tail.number > start:
                yield self._read(line, names)
        if empty and start < 0:
            yield self._bad("empty-file", head)

    def _head_fault(self, head: _Row) -> Bad | None:
        if head.content.startswith(FOREIGN_BOMS):
            return self._bad("wrong-encoding", head, self.options.encoding)
        if head.code is not None:
            return self._bad(head.code, head)
        names = [cell.strip() for cell in head.cells]
        missing = [name for name in (self.options.reference, *self.columns.names) if name not in names]
        twice = sorted({name for name in names if names.count(name) > 1})
        if missing or twice:
            # Without its columns every row would be wrong, and nobody reads a thousand rejects: one says it all.
            return self._bad("malformed-line", head, ", ".join([*missing, *twice]))
        return None

    def _row(self, width: int | None) -> _Row | None:
        """
        Read the next row that is not blank, None at the end.

        It has more lines than one where a quoted cell holds line breaks. A quotation mark that was never closed, or closed by
        another stray one further down, costs its own line and no other: the lines joined must have the right number of cells.
        """
        while (row := self._line()) is not None and not row.content.strip():
            pass
        if row is None or row.code != "malformed-line" or not self._odd(row.content):
            return row
        mark, content = self.tail.mark(), row.content
        for _ in range(MAX_LINES):
            more = self.tail.line()
            if more is None or more.cut or len(content) > MAX_LINE:
                break
            content += more.content
            if not self._odd(content):
                joined = self._parsed(row.number, content)
                if joined.code is None and width in (None, len(joined.cells)):
                    return joined
                break
        self.tail.back(mark)
        return row

    def _line(self) -> _Row | None:
        line = self.tail.line()
        if line is None:
            return None
        if line.cut:
            return _Row(line.number, line.content, code="too-large")
        return self._parsed(line.number, line.content)

    def _odd(self, content: bytes) -> bool:
        return content.count(self.options.quote.encode()) % 2 == 1

    def _parsed(self, number: int, content: bytes) -> _Row:
        try:
            text = content.decode(self.options.encoding).rstrip("\r\n")
            rows = list(csv.reader([text], delimiter=self.options.delimiter, quotechar=self.options.quote, strict=True))
        except UnicodeDecodeError:
            return _Row(number, content, code="wrong-encoding")
        except csv.Error:
            return _Row(number, content, code="malformed-line")
        return _Row(number, content, rows[0]) if len(rows) == 1 else _Row(number, content, code="malformed-line")

    def _read(self, line: _Row, names: list[str]) -> Raw | Bad:
        if line.code is not None:
            expected = {"wrong-encoding": self.options.encoding, "too-large": f"{MAX_LINE} B"}
            return self._bad(line.code, line, expected.get(line.code, ""))
        if len(line.cells) != len(names):
            return self._bad("malformed-line", line, f"{len(line.cells)} ≠ {len(names)}")
        values = dict(zip(names, line.cells, strict=True))
        reference = values[self.options.reference].strip()
        if self.columns.empty(reference):
            return self._bad("missing-field", line, column=self.options.reference)
        groups, misfits = self.columns.apply(values)
        if misfits:
            first, *others = misfits
            rest = "; ".join(f"{other.column}: {other.code}" for other in others)
            detail = "; ".join(filter(None, (first.expected, rest)))
            return self._bad(first.code, line, detail, first.column, reference)
        where = Where(self.options.path.name, line.number)
        return Raw(self.options.kind, groups, reference, self.tail.cursor, where=where, content=line.content)

    def _bad(self, code: str, line: _Row, detail: str = "", column: str | None = None, reference: str = "") -> Bad:
        where = Where(self.options.path.name, line.number, column)
        # Without a reference of its own it is known by where it stands and what it says, the same at each reading.
        own = reference or f"{line.number}:{hashlib.sha256(line.content).hexdigest()[:DIGITS]}"
        return Bad(code, line.content, own, self.tail.cursor, detail, where)
