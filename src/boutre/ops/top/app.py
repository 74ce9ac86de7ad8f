"""
The terminal of operations: findings above, what to do about the chosen one, and one of the tables below.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, ClassVar, Final

from rich.text import Text
from textual import work
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import DataTable, Static, Tab, Tabs

from boutre.language import say
from boutre.ops.findings.wording import age
from boutre.ops.operations.columns import MARKS, TABLES, Column, Row, clock, order, plain, stale_since
from boutre.ops.top.source import Latest, Source

EVERY_S: Final = 2.0
LATE_S: Final = 10.0
"""Seconds without a document after which it is said."""

PARTS: Final = 5

STYLES: Final = {"ok": "#3fa46a", "warning": "#d9902f", "error": "bold #f0525f", "unknown": "dim", "note": "dim"}
FINDINGS: Final = (
    Column("status", "state", "severity"), Column("since", "ago", "since"), Column("what", "text", "what"),
)  # fmt: skip


class Top(App[None]):
    """
    Shows what *source* gives; keys choose, sort, change the table and the language.
    """

    CSS = """
    #head { height: 1; padding: 0 1; text-style: bold; }
    #findings { height: auto; max-height: 45%; overflow-x: hidden; }
    #chosen { height: auto; min-height: 3; padding: 0 2 1 2; border-left: thick $primary; margin: 0 1; }
    #rows { height: 1fr; }
    #keys { height: 1; padding: 0 1; color: $text-muted; dock: bottom; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "sort", "sort"),
        Binding("n,right_square_bracket", "table(1)", "next table"),
        Binding("p,left_square_bracket", "table(-1)", "previous table"),
        Binding("l", "language", "language"),
        Binding("q", "quit", "quit"),
    ]
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, source: Source, language: str = "en", every_s: float = EVERY_S) -> None:
        super().__init__()
        self.source, self.language, self.every_s = source, language, every_s
        self.shown = next(iter(TABLES))
        self._looks = False
        self.sorted: dict[str, int | None] = dict.fromkeys(TABLES)

    def compose(self) -> ComposeResult:
        """Give the parts, from above."""
        yield Static(id="head")
        yield DataTable(id="findings", cursor_type="row", show_header=False)
        yield Static(id="chosen")
        yield Tabs(*(Tab(self._say(f"heading.{name}"), id=name) for name in TABLES), id="tabs")
        yield DataTable(id="rows", cursor_type="row")
        yield Static(id="keys")

    def on_mount(self) -> None:
        """Begin to look."""
        self.query_one("#findings", DataTable).focus()
        self.draw()
        self.look()
        self.set_interval(self.every_s, self.look)

    def look(self) -> None:
        """Ask, unless an answer is still waited for."""
        if not self._looks:
            self._looks = True
            self._look()

    @work(thread=True)
    def _look(self) -> None:
        """Beside the terminal, which goes on answering keys."""
        try:
            self.source.look()
        finally:
            self._looks = False
        if self.is_running:
            self.call_from_thread(self.draw)

    def action_sort(self) -> None:
        """Sort the table by its next column; after the last one as it came."""
        last = self.sorted[self.shown]
        count = len(TABLES[self.shown])
        self.sorted[self.shown] = 0 if last is None else None if last + 1 == count else last + 1
        self.draw()

    def action_table(self, by: int) -> None:
        """Show another table."""
        names = list(TABLES)
        self.query_one(Tabs).active = names[(names.index(self.shown) + by) % len(names)]

    def action_language(self) -> None:
        """Change between English and French."""
        self.language = "en" if self.language == "fr" else "fr"
        for tab in self.query(Tab):
            tab.label = self._say(f"heading.{tab.id}")
        self.draw()

    def on_tabs_tab_activated(self, event: Tabs.TabActivated) -> None:
        """Show the table that was chosen."""
        self.shown = str(event.tab.id)
        self.draw()

    def on_data_table_row_highlighted(self, event: DataTable.RowHighlighted) -> None:
        """Say what to do about the finding that was chosen."""
        if event.data_table.id == "findings" and self.query("#chosen"):
            self._tell()

    def draw(self) -> None:
        """Show what is known now; where the parts are not there, it is before the beginning or behind the end."""
        if len(self.query("#head, #findings, #chosen, #rows, #keys")) < PARTS:
            return
        latest = self.source.latest
        self.query_one("#head", Static).update(self._head(latest))
        self.query_one("#keys", Static).update(self._keys())
        if latest.document is None:
            return
        found = latest.document["findings"]
        lines = [{**one, "what": one[self.language]["what"]} for one in found]
        self._fill(self.query_one("#findings", DataTable), FINDINGS, lines, headed=False)
        columns, rows = TABLES[self.shown], list(latest.document[self.shown])
        by = self.sorted[self.shown]
        if by is not None:
            rows.sort(key=lambda row: order(columns[by], row))
        self._fill(self.query_one("#rows", DataTable), columns, rows, headed=True, by=by)
        self._tell()

    def _tell(self) -> None:
        document, chosen = self.source.latest.document, self.query_one("#chosen", Static)
        place = self.query_one("#findings", DataTable).cursor_row
        found = [] if document is None else document["findings"]
        if not found:
            chosen.update(Text(self._say("findings.none")) if document is not None else "")
            return
        one = found[min(max(0, place), len(found) - 1)]
        told, now = one[self.language], self._now()
        said = Text(told["what"], style="bold")
        if one["since"] is not None:
            said.append(
                f"\n{self._say('column.since')} {clock(one['since'], now)} UTC ({age(now - one['since'], self.language)})",
                "not bold dim",
            )
        if one["stale_since"] is not None:
            stale = self._say("findings.stale", age=age(now - one["stale_since"], self.language))
            said.append(f"  {stale}", "not bold italic yellow")
        said.append(f"\n{told['do']}", "not bold")
        if one["command"]:
            said.append(f"\n  {one['command']}", "not bold cyan")
        if told["runbook"]:
            said.append(f"\n  {self._say('runbook', page=told['runbook'])}", "not bold")
        chosen.update(said)

    def _fill(
        self, table: DataTable[Text], columns: Sequence[Column], rows: Sequence[Row], *, headed: bool, by: int | None = None
    ) -> None:
        """Write a table anew, and leave the cursor on the row that it was on, wherever that is now."""
        before = None
        if table.row_count and table.is_valid_row_index(table.cursor_row):
            before = table.ordered_rows[table.cursor_row].key.value
        table.clear(columns=True)
        for place, column in enumerate(columns):
            mark = " ▾" if place == by else ""
            table.add_column(
                Text(self._say(f"column.{column.name}") + mark if headed else "", justify="right" if column.numeric else "left")
            )
        for row in rows:
            table.add_row(*(self._cell(column, row) for column in columns), key=row["key"])
        keys = [str(row["key"]) for row in rows]
        if before in keys:
            table.move_cursor(row=keys.index(str(before)), animate=False)

    def _cell(self, column: Column, row: Row) -> Text:
        if column.form != "state":
            return Text(plain(column, row, self.language, self._now()), justify="right" if column.numeric else "left")
        if column.key == "severity":
            level = row["severity"]
            return Text(f"{MARKS.get(level, MARKS['unknown'])} {self._say(f'severity.{level}')}", STYLES[level])
        return Text(f"{MARKS[row['level']]} {self._say('state.' + row['state'])}", STYLES[row["level"]])

    def _head(self, latest: Latest) -> Text:
        name = self._say("top.from", address=self.source.address) if self.source.address else self._say("top.itself")
        head = Text(f"{self._say('page.title')}  ")
        if latest.document is None or latest.heard is None:
            return head + Text(self._say("top.waiting", address=self.source.address or "Kafka"), "yellow")
        counts = latest.document["counts"]
        told = {"errors": counts["error"], "warnings": counts["warning"], "notes": counts["note"]}
        said = self._say("findings.count", **told) if any(counts.values()) else self._say("findings.none")
        level = "error" if counts["error"] else "warning" if counts["warning"] else "ok"
        head.append(f"{MARKS[level]} {said}  ", STYLES[level])
        silent = self.source.now() - latest.heard
        if latest.why and silent > LATE_S:
            lost = self._say("top.lost", address=self.source.address or "Kafka", age=age(silent, self.language))
            return head + Text(lost, "bold red")
        stale, since = stale_since(latest.document, self.shown)
        if stale:
            old = "" if since is None else f" ({age(self._now() - since, self.language)})"
            head.append(f"{self._say('state.old')}{old}  ", "yellow")
        return head + Text(name, "not bold dim")

    def _keys(self) -> Text:
        keys = (("s", "sort"), ("n", "next"), ("l", "language"), ("q", "quit"))
        return Text("   ").join(Text.assemble((key, "bold"), f" {self._say(f'top.{word}')}") for key, word in keys)

    def _now(self) -> float:
        """The time by the clock of whoever made the document, so that ages are as it has them."""
        latest = self.source.latest
        if latest.document is None or latest.heard is None:
            return time.time()
        return float(latest.document["at"]) + self.source.now() - latest.heard

    def _say(self, key: str, **values: Any) -> str:
        return say(f"operations.{key}", self.language, **values)
