"""
How far a feed is read, and safely sent: the place where the next run goes on.

A cursor moves past an item only when that item and every one before it are acknowledged. It is kept in one small file for each
feed, which is replaced whole: after a crash it holds the old cursor or the new one.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from boutre.durable import replace
from boutre.errors import Unavailable
from boutre.locks import held


@dataclass(slots=True)
class Ticket:
    """
    One item on its way.
    """

    cursor: str
    done: bool = False


@dataclass(slots=True)
class Window:
    """
    The items that were sent and whose turn has not come, in the order of their source.

    *cursor* is that of the last item before which everything is acknowledged, *moved* whether it changed since it was last taken.
    """

    cursor: str | None = None
    moved: bool = False
    _open: deque[Ticket] = field(default_factory=deque)

    def __len__(self) -> int:
        return len(self._open)

    def enter(self, cursor: str) -> Ticket:
        """Let an item in."""
        ticket = Ticket(cursor)
        self._open.append(ticket)
        return ticket

    def settle(self, ticket: Ticket) -> None:
        """Mark an item as acknowledged, and move on past all that are, up to the first that is not."""
        ticket.done = True
        while self._open and self._open[0].done:
            self.cursor = self._open.popleft().cursor
            self.moved = True


class Cursors:
    """
    The cursors of all feeds, in the folder *folder*; one that is None keeps nothing, for a dry run.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder

    @contextmanager
    def hold(self, feed: str) -> Iterator[str | None]:
        """
        Hold the feed for oneself and give its cursor, None where it was never read.

        Raises ``Unavailable`` where another runner holds it: two would send everything twice and move one cursor.
        """
        if self.folder is None:
            yield None
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        only = f"the feed {feed} is being read by another runner; stop that one first"
        with held(self.folder / f"{feed}.lock", only):
            yield self.load(feed)

    def load(self, feed: str) -> str | None:
        """Give the saved cursor; ``Unavailable`` where its file holds none."""
        path = self._path(feed)
        if path is None or not path.exists():
            return None
        try:
            cursor = json.loads(path.read_bytes())["cursor"]
        except (ValueError, KeyError, TypeError):
            cursor = None
        if not isinstance(cursor, str):
            raise Unavailable(f"{path.name} holds no cursor; remove it, and the feed {feed} is read again from its beginning")
        return cursor

    def save(self, feed: str, cursor: str) -> None:
        """Keep *cursor*, on the disk when this returns."""
        path = self._path(feed)
        if path is None:
            return
        replace(path, json.dumps({"cursor": cursor}).encode())

    def _path(self, feed: str) -> Path | None:
        return None if self.folder is None else self.folder / f"{feed}.cursor"
