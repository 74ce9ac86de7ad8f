"""
Templates of the reporting form: a workbook with lists to choose from, and a table of two columns, in French or in English.

Made from the same boxes as filled forms are read by. The same arguments give the same bytes.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from itertools import chain
from pathlib import Path
from typing import Any, Final

import xlsxwriter

from boutre.connectors.sources.form_choices import choices
from boutre.connectors.sources.form_fields import ALWAYS, PERSON, SECTIONS, STATES, ZONES, Box
from boutre.connectors.sources.form_sheets import MARK_PERSONS, MARK_REPORT
from boutre.language import LANGUAGES, say

PERSON_ROWS: Final = 200
"""
Rows of the second sheet that have lists to choose from.
"""
MADE: Final = datetime(2024, 1, 1, tzinfo=UTC)  # one and the same date, so that the bytes are the same
_WIDE: Final = 4  # cells for what takes several values
_FIRST_PERSON: Final = 3  # row, from 0, behind keys, note and labels

Filled = Mapping[str, object | Sequence[object]]
"""
What is written into boxes, by their keys; several values where a box takes them.
"""


def workbook(language: str, filled: Filled | None = None, persons: Sequence[Filled] = ()) -> bytes:
    """
    A workbook in *language* (``fr`` or ``en``), empty or with *filled* and *persons* written into it.
    """
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"in_memory": True, "default_date_format": "yyyy-mm-dd"}) as book:
        book.set_properties({"title": say("form.sheet.title", language), "created": MADE.replace(tzinfo=None)})
        sheets = _Sheets(book, language)
        sheets.report(filled or {})
        sheets.persons(persons)
        sheets.lists()
    return target.getvalue()


def table(language: str, filled: Filled | None = None, persons: Sequence[Filled] = (), *, delimiter: str = ";") -> bytes:
    """
    The same as a table of two columns, in UTF-8 with the mark by which spreadsheets know it.
    """
    target = io.StringIO(newline="")
    writer = csv.writer(target, delimiter=delimiter, lineterminator="\r\n")
    writer.writerow(["champ", "valeur"] if language == "fr" else ["field", "value"])
    for box in chain.from_iterable(SECTIONS.values()):
        values = [_written(value) for value in _values((filled or {}).get(box.key))]
        writer.writerow([box.label(language), *(values or [""])])
    for number, person in enumerate(persons, 1):
        for key, value in person.items():
            writer.writerow([f"person.{number}.{key.removeprefix('person-')}", *(_written(each) for each in _values(value))])
    return b"\xef\xbb\xbf" + target.getvalue().encode()


def write(path: Path, language: str) -> None:
    """
    Write an empty template, of the kind that the name of *path* says: .xlsx or .csv. ValueError for another.
    """
    makers = {".xlsx": workbook, ".csv": table}
    make = makers.get(path.suffix.lower())
    if make is None:
        raise ValueError(f"{path.name} names neither a workbook nor a table; end the name with .xlsx or .csv")
    path.write_bytes(make(language))


def _values(value: object) -> list[object]:
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def _written(value: object) -> str:
    if isinstance(value, time):
        return value.isoformat("minutes")
    return value.isoformat() if isinstance(value, date) else str(value)


class _Sheets:
    def __init__(self, book: Any, language: str) -> None:
        self._book = book
        self._language = language
        self._other = next(other for other in LANGUAGES if other != language)
        self._ranges: dict[tuple[str, ...], str] = {}
        wrapped = {"text_wrap": True, "valign": "top", "border": 1, "border_color": "#BBBBBB"}
        self._formats = {
            name: book.add_format(options)
            for name, options in {
                "title": {"bold": True, "font_size": 16},
                "note": {"italic": True, "text_wrap": True, "valign": "top"},
                "section": {"bold": True, "bg_color": "#1F3A5F", "font_color": "#FFFFFF"},
                "label": {"text_wrap": True, "valign": "top"},
                "hint": {"italic": True, "font_color": "#666666", "text_wrap": True, "valign": "top"},
                "always": {**wrapped, "bg_color": "#FFF2B3"},
                "some": {**wrapped, "bg_color": "#FFE0C2"},
                "free": wrapped,
                "date": {"num_format": "yyyy-mm-dd"},
                "time": {"num_format": "hh:mm"},
            }.items()
        }
        self._report = book.add_worksheet(say("form.sheet.report", language))
        self._persons = book.add_worksheet(say("form.sheet.persons", language))
        self._lists = book.add_worksheet("lists")

    def report(self, filled: Filled) -> None:
        sheet, formats, language = self._report, self._formats, self._language
        sheet.set_column(0, 0, None, None, {"hidden": True})
        sheet.set_column(1, 1, 46)
        sheet.set_column(2, 2, 34)
        sheet.set_column(3, 5, 18)
        sheet.set_column(6, 6, 60)
        sheet.write(0, 0, MARK_REPORT)
        sheet.write(0, 1, f"{say('form.sheet.title', language)} / {say('form.sheet.title', self._other)}", formats["title"])
        for number, text in enumerate(("use", "required"), 1):
            sheet.merge_range(number, 1, number, 6, "", formats["note"])
            sheet.write(
                number, 1, f"{say(f'form.sheet.{text}', language)} / {say(f'form.sheet.{text}', self._other)}", formats["note"]
            )
            sheet.set_row(number, 32)
        sheet.freeze_panes(3, 2)
        row = 3
        for section, boxes in SECTIONS.items():
            title = f"{say(f'group.{section}', language)} / {say(f'group.{section}', self._other)}"
            for column in range(1, 7):
                sheet.write(row, column, title if column == 1 else "", formats["section"])
            for box in boxes:
                row += 1
                self._box(row, box, filled.get(box.key))
            row += 1
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        sheet.activate()

    def _box(self, row: int, box: Box, value: object) -> None:
        sheet, formats = self._report, self._formats
        hint = say(f"form.hint.{box.read}", self._language)
        sheet.write(row, 0, box.key)
        sheet.write(row, 1, f"{box.label(self._language)} / {box.label(self._other)}", formats["label"])
        sheet.write(row, 6, hint, formats["hint"])
        sheet.write_comment(row, 2, hint)
        if box.read == "long-text":
            sheet.set_row(row, 160)
        values = _values(value)
        for column in range(_WIDE if box.many else 1):
            cell = values[column] if column < len(values) else None
            self._cell(
                sheet, (row, 2 + column), box, cell, "always" if box.required == ALWAYS else "some" if box.required else "free"
            )
        source = self._source(box)
        if source:
            sheet.data_validation(
                row, 2, row, 1 + (_WIDE if box.many else 1), {**source, "ignore_blank": True, "error_type": "warning"}
            )

    def _cell(self, sheet: Any, place: tuple[int, int], box: Box, value: object, look: str) -> None:
        shade = self._formats[look]
        if value is None:
            sheet.write_blank(*place, None, shade)
        elif isinstance(value, time):
            sheet.write_datetime(*place, value, self._formats["time"])
        elif isinstance(value, date):
            sheet.write_datetime(*place, datetime(value.year, value.month, value.day), self._formats["date"])  # noqa: DTZ001 - a day has no zone
        elif isinstance(value, bool):
            sheet.write_string(*place, say(f"form.choice.{'yes' if value else 'no'}", self._language), shade)
        elif isinstance(value, int | float):
            sheet.write_number(*place, value, shade)
        else:
            words = dict(choices(box, self._language))
            sheet.write_string(*place, words.get(str(value), str(value)), shade)

    def persons(self, persons: Sequence[Filled]) -> None:
        sheet, formats, language = self._persons, self._formats, self._language
        sheet.set_column(0, 0, None, None, {"hidden": True})
        sheet.set_column(1, len(PERSON), 22)
        sheet.write(0, 0, MARK_PERSONS)
        sheet.set_row(0, None, None, {"hidden": True})
        note = f"{say('form.sheet.persons-note', language)} / {say('form.sheet.persons-note', self._other)}"
        sheet.merge_range(1, 1, 1, len(PERSON), note, formats["note"])
        sheet.set_row(1, 32)
        sheet.write(_FIRST_PERSON - 1, 0, "labels")
        for column, box in enumerate(PERSON, 1):
            sheet.write(0, column, box.key)
            label = f"{box.label(language)} / {box.label(self._other)}"
            sheet.write(_FIRST_PERSON - 1, column, label, formats["section"])
            if source := self._source(box):
                last = _FIRST_PERSON + PERSON_ROWS - 1
                sheet.data_validation(
                    _FIRST_PERSON, column, last, column, {**source, "ignore_blank": True, "error_type": "warning"}
                )
        for row, person in enumerate(persons, _FIRST_PERSON):
            for column, box in enumerate(PERSON, 1):
                value = person.get(box.key)
                words = dict(choices(box, language))
                several = "; ".join(words.get(str(each), str(each)) for each in _values(value)) if box.many and value else value
                self._cell(sheet, (row, column), box, several, "free")
        sheet.freeze_panes(_FIRST_PERSON, 1)

    def _source(self, box: Box) -> dict[str, Any]:
        """
        The list to choose from; nothing where there is none.
        """
        if box.read == "yes-no":
            return {"validate": "list", "source": [say(f"form.choice.{word}", self._language) for word in ("yes", "no")]}
        if box.read == "zone":
            return {"validate": "list", "source": self._listed(tuple(map(_with_offset, ZONES)))}
        if box.read == "state":
            return {"validate": "list", "source": self._listed(STATES)}
        labels = tuple(label for _, label in choices(box, self._language))
        return {"validate": "list", "source": self._listed(labels)} if labels else {}

    def _listed(self, labels: tuple[str, ...]) -> str:
        if labels not in self._ranges:
            column = len(self._ranges)
            self._lists.write_column(0, column, labels)
            letter = xlsxwriter.utility.xl_col_to_name(column, col_abs=True)
            self._ranges[labels] = f"=lists!{letter}$1:{letter}${len(labels)}"
        return self._ranges[labels]

    def lists(self) -> None:
        """
        Put the lists out of sight.
        """
        self._lists.very_hidden()


def _with_offset(zone: str) -> str:
    """
    The zone with its offset at the time of the template, for those who do not know its name; only the name is read.
    """
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - only where a template is written

    offset = MADE.astimezone(ZoneInfo(zone)).strftime("%z")
    return f"{zone} (UTC{offset[:3]}:{offset[3:]})"
