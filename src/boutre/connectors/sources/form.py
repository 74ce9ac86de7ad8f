"""
A watched folder of reporting forms, workbooks or tables: one file is one report, of a sighting or of an interception.

A form that is half filled, or filled with something else than was asked, is refused as a whole with everything that is wrong in it:
its officer mends it once and saves it in the same place, and it is read again.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Final

from boutre.connectors.sdk import Bad, Idle, Raw, Where, source
from boutre.connectors.sources.folder import File, Folder
from boutre.connectors.sources.form_record import Cell, Refused, report
from boutre.connectors.sources.form_sheets import MAX_FILE, Sheets, Unreadable, table, workbook
from boutre.errors import DeclarationError, Fault
from boutre.language import LANGUAGES, say

CONTENT: Final = 256 * 1024
"""
Bytes of the largest file that goes with its report or reject; a larger one stays in its folder only.
"""
_LOOKS: Final = 10  # at files that are still being written, before the runner gets its turn for good
_LONGEST_NAMES: Final = 4_000


@dataclass(frozen=True, slots=True)
class Options:
    """
    *folder* is where forms are put; a file is taken for whole when it has not changed for *settle_s* seconds.
    """

    folder: Path
    settle_s: float = 2.0

    def __post_init__(self) -> None:
        """
        Raise DeclarationError where it cannot be.
        """
        if not 0 <= self.settle_s <= 3600:  # noqa: PLR2004 - an hour is more than any copying takes
            raise DeclarationError([Fault("form", "settle_s", "is from 0 to 3600 seconds")])


@source("form")
def read(options: Options, after: str | None) -> Iterator[Raw | Bad | Idle]:
    """
    Reporting forms (.xlsx or .csv, French or English) as sightings and interceptions.
    """
    folder = Folder(options.folder, after, settle_s=options.settle_s, limit=MAX_FILE)
    for _ in range(_LOOKS):
        for file in folder.look():
            yield _item(file)
        if not folder.unsettled:
            return
        yield Idle()
        time.sleep(options.settle_s / 2)


def item(path: Path) -> Raw | Bad:
    """
    What one form gives, wherever it stands: for who wants to try it.
    """
    with path.open("rb") as content:
        return _item(File(path.name, content.read(MAX_FILE + 1), ""))


def _item(file: File) -> Raw | Bad:
    try:
        found = report(_sheets(file))
    except Unreadable as unreadable:
        where = Where(file=file.name, line=unreadable.line)
        return _bad(file, unreadable.code, _both(unreadable.expected, **unreadable.values), where)
    if isinstance(found, Refused):
        return _refused(file, found)
    return Raw(
        kind=found.kind,
        value=found.value,
        reference=found.reference,
        cursor=file.cursor,
        revision=found.revision,
        where=Where(file=file.name),
        content=_content(file),
    )


def _sheets(file: File) -> Sheets:
    if not file.content.strip():
        raise Unreadable("empty-file")
    if len(file.content) > MAX_FILE:
        raise Unreadable("too-large", "form.file-limit", size=MAX_FILE // 2**20)
    match PurePath(file.name).suffix.lower():
        case ".xlsx":
            found = workbook(file.content)
        case ".csv":
            found = table(file.content)
        case _:
            raise Unreadable("not-readable", "form.file-kind")
    if not any(row.values for row in found.rows):
        raise Unreadable("empty-file")
    return found


def _refused(file: File, refused: Refused) -> Bad:
    """
    All cells that are missing or, where none is, all that are wrong; the reason is that of the first.
    """
    cells, others = (refused.missing, refused.wrong) if refused.missing else (refused.wrong, ())
    names = "; ".join(map(str, cells))[:_LONGEST_NAMES]
    detail = "" if refused.missing else _told(cells)
    if others:
        detail = f"{_both('form.file-wrong')}: {_told(others)}"
    return _bad(file, cells[0].code, detail, Where(file=file.name, field=names))


def _told(cells: tuple[Cell, ...]) -> str:
    """
    What was expected in each cell, in both languages; never what stood there.
    """
    return "; ".join(f"{cell} ({_both(f'form.expected.{cell.expected}')})" if cell.expected else str(cell) for cell in cells)[
        :_LONGEST_NAMES
    ]


def _both(key: str, **values: int) -> str:
    return " / ".join(dict.fromkeys(say(key, language, **values) for language in _order())) if key else ""


def _order() -> tuple[str, ...]:
    return tuple(reversed(LANGUAGES))


def _bad(file: File, code: str, detail: str, where: Where) -> Bad:
    reference = f"{file.name}:{hashlib.sha256(file.content).hexdigest()[:16]}"
    return Bad(code, _content(file) or b"", reference, file.cursor, detail, where)


def _content(file: File) -> bytes | None:
    return file.content if len(file.content) <= CONTENT else None
