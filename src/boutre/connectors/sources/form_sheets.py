"""
The cells of a form file, whichever kind of file it is: a workbook or a table of two columns. Nothing is interpreted here.

Files are anybody's. A workbook is an archive, so its parts are counted and measured before they are unpacked, those with entities
or macros are refused, and no more rows and columns are read than a form has. Formulas are refused cell by cell: what they would
show was computed by another program from cells that are not read here.
"""

from __future__ import annotations

import csv
import io
import re
import warnings
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import openpyxl

from boutre.connectors.sources.form_fields import boxes_by_name, folded
from boutre.language import say

MAX_FILE: Final = 5 * 1024 * 1024
"""
Bytes of the largest form that is read.
"""
MAX_UNPACKED: Final = 40 * 1024 * 1024
MAX_PARTS: Final = 200
MAX_ROWS: Final = 1_000
"""
Rows of the longest sheet that is read.
"""
MAX_COLUMNS: Final = 40
_VALUES: Final = slice(2, 6)  # C to F; A holds the key, B the label, G a hint
MARK_REPORT: Final = "boutre-form@1"
MARK_PERSONS: Final = "boutre-persons@1"
"""
What stands in the first, hidden cell of the two sheets.
"""
_PERSON: Final = re.compile(r"person\.(\d{1,4})\.([a-z-]+)")
_HEADS: Final = frozenset({"field", "champ", "box", "case"})


class Formula:
    """
    Stands in a cell in place of a formula.
    """


FORMULA: Final = Formula()


@dataclass(frozen=True, slots=True)
class Row:
    """
    One named row: where it stands, what it is called, and its cells that are not empty, each with its column.
    """

    number: int
    name: str
    values: tuple[object, ...]
    place: str


@dataclass(frozen=True, slots=True)
class Sheets:
    """
    A form as it was filled in: the rows of the report, and of each person the place and the cells by the names of their columns.
    """

    rows: tuple[Row, ...]
    persons: tuple[tuple[str, dict[str, object]], ...] = field(default=())


class Unreadable(Exception):  # noqa: N818 - named for what the file is
    """
    The file is no form: a code of the vocabulary reject-reason, a text of the catalogue that says what it should be, a row.
    """

    def __init__(self, code: str, expected: str = "", line: int | None = None, **values: int) -> None:
        self.code = code
        self.expected = expected
        self.line = line
        self.values = values
        super().__init__(code)


def workbook(content: bytes) -> Sheets:
    """
    Read a workbook; raises Unreadable.
    """
    _inspect(content)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # openpyxl warns of decoration that it does not keep; nothing of it is read
        try:
            book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, keep_links=False)
            tables = [list(_cells(sheet)) for sheet in book.worksheets[:MAX_PARTS]]
        except Unreadable:
            raise
        except Exception:  # noqa: BLE001 - the file is anybody's, and openpyxl promises no closed set of errors
            raise Unreadable("not-readable", "form.file-workbook") from None
    marked = {str(table[0][0]): table for table in reversed(tables) if table and table[0]}
    report = marked.get(MARK_REPORT) or next((table for table in tables if table), [])
    return Sheets(tuple(_rows(report)), tuple(_persons(marked.get(MARK_PERSONS, []))))


def _inspect(content: bytes) -> None:
    fault: Unreadable | None
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            fault = _fault(archive)
    except Exception:  # noqa: BLE001 - the file is anybody's: broken archives raise from zipfile, zlib and struct
        fault = Unreadable("not-readable", "form.file-workbook")
    if fault is not None:
        raise fault


def _fault(archive: zipfile.ZipFile) -> Unreadable | None:
    parts = archive.infolist()
    if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED:
        return Unreadable("too-large", "form.file-limit", size=MAX_FILE // 2**20)
    sound = not any("vbaproject" in part.filename.lower() or part.flag_bits & 1 for part in parts)
    for part in (part for part in parts if part.filename.lower().endswith((".xml", ".rels", ".vml"))):
        # zipfile unpacks no more than the size that was added up above, whatever the stream holds.
        text = archive.read(part)
        declared = b"<!" in text.replace(b"<!--", b"").replace(b"<![CDATA[", b"")
        sound = sound and not declared and text[:2] not in (b"\xff\xfe", b"\xfe\xff")
    return None if sound else Unreadable("not-readable", "form.file-workbook")


def _cells(sheet: Any) -> Iterator[list[object]]:
    for number, row in enumerate(sheet.iter_rows(max_col=MAX_COLUMNS), 1):
        if number > MAX_ROWS:
            if any(cell.value is not None for cell in row):
                raise Unreadable("too-large", "form.file-rows", rows=MAX_ROWS)
            if number > MAX_ROWS * 10:
                return
            continue
        # An error such as #REF! is what a formula left behind.
        yield [FORMULA if cell.data_type in {"f", "e"} else cell.value for cell in row]


def _rows(table: list[list[object]]) -> Iterator[Row]:
    for number, cells in enumerate(table, 1):
        key, label, *_ = [*cells, None, None]
        name = key if isinstance(key, str) and key != MARK_REPORT else label
        values = tuple(value for value in cells[_VALUES] if not _empty(value))
        if isinstance(name, str) and name.strip() and (values or folded(name) in boxes_by_name()):
            yield Row(number, name.strip(), values, f"C{number}")


def _persons(table: list[list[object]]) -> Iterator[tuple[str, dict[str, object]]]:
    heads = next((row for row in table if isinstance(row[0], str) and row[0] == MARK_PERSONS), [])
    begun = False
    for number, cells in enumerate(table, 1):
        if begun:
            found = {str(head): cell for head, cell in zip(heads[1:], cells[1:], strict=False) if head and not _empty(cell)}
            if found:
                yield f"{say('form.sheet.persons', 'fr')} {number}", found
        begun = begun or (bool(cells) and cells[0] == "labels")


def _empty(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def table(content: bytes) -> Sheets:
    """
    Read a table of two columns, box and value, with ``;``, ``,`` or a tab between them; raises Unreadable.

    Persons are rows named ``person.<number>.<column>``.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable("wrong-encoding", line=content[: error.start].count(b"\n") + 1) from None
    if "\0" in text:
        raise Unreadable("wrong-encoding", line=text[: text.index("\0")].count("\n") + 1)
    rows: list[Row] = []
    persons: dict[int, dict[str, object]] = {}
    seen: set[str] = set()
    for number, name, values in _lines(text):
        if found := _PERSON.fullmatch(name):
            if name in seen:
                raise Unreadable("malformed-line", "form.expected.twice", line=number)
            seen.add(name)
            if values:
                joined = values[0] if len(values) == 1 or FORMULA in values else "; ".join(map(str, values))
                persons.setdefault(int(found[1]), {})[f"person-{found[2]}"] = joined
        elif values or folded(name) in boxes_by_name():
            rows.append(Row(number, name, values, str(number)))
    return Sheets(tuple(rows), tuple((f"person.{number}", found) for number, found in sorted(persons.items())))


def _lines(text: str) -> Iterator[tuple[int, str, tuple[object, ...]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    try:
        for count, cells in enumerate(reader, 1):
            if count > MAX_ROWS:
                raise Unreadable("too-large", "form.file-rows", rows=MAX_ROWS)
            name = cells[0].strip() if cells else ""
            values = tuple(_guarded(value) for value in cells[1:] if value.strip())
            if not name and values:
                raise Unreadable("malformed-line", line=reader.line_num)
            if name and not (count == 1 and folded(name) in _HEADS):
                yield reader.line_num, name, values
    except csv.Error:
        raise Unreadable("malformed-line", line=reader.line_num) from None


def _guarded(value: str) -> object:
    return FORMULA if value.lstrip().startswith("=") else value.strip()


def _delimiter(text: str) -> str:
    """
    What stands behind the first name that is that of a box.
    """
    for line in text.splitlines()[:MAX_ROWS]:
        for mark in ";\t,":
            name = line.partition(mark)[0].strip(' "')
            if mark in line and (folded(name) in boxes_by_name() or folded(name) in _HEADS):
                return mark
    return ";"
