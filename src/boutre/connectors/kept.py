"""
What a connector refused, kept on its own machine: the reject on Kafka says where it stood and why, and holds nothing of it.

What could not be read may name people, and can be sealed under no key of a case: it is no record, so no recall would ever name it.
So it stays where it came in, where its owner can look at it, mend it, and delete it.

One file for each feed and day (UTC), ``<folder>/<feed>/<day>.jsonl``, for its owner's eyes only. The same input refused again after
a crash stands there again, under the same id. Files go when they are as old as the feed says. A day's file is bounded, so that a
flood of garbage does not fill the disk; what no longer fits is told by its reject alone.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from boutre.connectors.sdk import Bad, Raw
from boutre.durable import replace, sync_folder
from boutre.errors import Unavailable
from boutre.locks import held
from boutre.schemas.rejects import MAX_CONTENT

MOST_A_DAY: Final = 67_108_864
"""How many bytes a feed keeps of one day."""

LOCK: Final = "lock"
PATIENCE_S: Final = 30.0
DAY: Final = re.compile(r"\d{4}-\d\d-\d\d\.jsonl")


@dataclass(frozen=True, slots=True)
class Refused:
    """
    An input that was refused: the *id* of its reject and the *record* that it is or would have been, as the reject says them.

    *place* has the keys of the reject's; *content* is what came in, cut where *truncated* says so. *report* is what its source had
    made of it (reference, kind, revision, subject and value), where it had got so far: with it the record can be mended and sent.
    """

    id: str
    record: str
    code: str
    at: str
    place: Mapping[str, Any]
    content: bytes
    truncated: bool
    report: Mapping[str, Any] | None = None

    @classmethod
    def of(cls, reject: Mapping[str, Any], item: Raw | Bad) -> Refused:
        """Give what is kept beside the *reject* of an *item*."""
        place = {name: reject["place"][name] for name in ("file", "line", "field")}
        at: datetime = reject["at"]
        own, content = reject["input"], _content(item)
        cut = len(content) > MAX_CONTENT
        head = (reject["id"], own, reject["code"], at.isoformat(timespec="seconds"))
        return cls(*head, place, content[:MAX_CONTENT], cut, _report(item) if isinstance(item, Raw) else None)

    def as_json(self) -> dict[str, Any]:
        """Give it with its content as text, or in base64 where it is none."""
        told: dict[str, Any] = {"id": self.id, "record": self.record, "code": self.code, "at": self.at, "place": dict(self.place)}
        if self.report is not None:
            told["report"] = dict(self.report)
        try:
            content = {"content": self.content.decode()}
        except UnicodeDecodeError:
            content = {"base64": base64.b64encode(self.content).decode()}
        return {**told, **content, "truncated": self.truncated}

    @classmethod
    def read(cls, line: bytes) -> Refused | None:
        """Give what a line holds; None where it is not whole, as after a power cut."""
        try:
            told = json.loads(line)
            content = told["content"].encode() if "content" in told else base64.b64decode(told["base64"], validate=True)
            head = (told["id"], told["record"], told["code"], told["at"], told["place"])
            return cls(*head, content, told["truncated"], told.get("report"))
        except (ValueError, KeyError, TypeError, AttributeError, binascii.Error):
            return None


@dataclass(frozen=True, slots=True)
class Kept:
    """
    What the feeds of this machine refused, in *folder*; one that is None keeps nothing, for a dry run.
    """

    folder: Path | None

    def keep(self, feed: str, refused: Sequence[Refused], now: datetime) -> None:
        """
        Write down what was refused, before its rejects are sent. On the disk only after ``sync``. Raises Unavailable.
        """
        lines = [json.dumps(one.as_json(), ensure_ascii=False).encode() + b"\n" for one in refused]
        own = self._own(feed)
        if own is None or not lines:
            return
        with _alone(own):
            descriptor = os.open(own / _name(now.date()), os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(descriptor, "r+b") as file:
                size = file.seek(0, os.SEEK_END)
                if size and os.pread(descriptor, 1, size - 1) != b"\n":
                    # The power went in the middle of a line.
                    lines[0] = b"\n" + lines[0]
                for line in lines:
                    if (size := size + len(line)) <= MOST_A_DAY:
                        file.write(line)

    def sync(self, feed: str, now: datetime) -> None:
        """
        Have the disk remember what was kept today and yesterday: called before the cursor passes it. Raises Unavailable.
        """
        own = self._own(feed)
        if own is None or not own.is_dir():
            return
        with _told(own):
            for day in (now.date() - timedelta(days=1), now.date()):
                path = own / _name(day)
                if path.exists():
                    with path.open("rb") as file:
                        os.fsync(file)
            sync_folder(own)

    def feeds(self) -> list[str]:
        """Name the feeds of which something is kept. Raises Unavailable."""
        if self.folder is None or not self.folder.exists():
            return []
        with _told(self.folder):
            return sorted(path.name for path in self.folder.iterdir() if path.is_dir())

    def of(self, feed: str) -> Iterator[Refused]:
        """Give what is kept of a feed, each once, the oldest first. Raises Unavailable."""
        seen: set[str] = set()
        for path in self._days(feed):
            with _told(path):
                lines = path.read_bytes().splitlines()
            for one in map(Refused.read, lines):
                if one is not None and one.id not in seen:
                    seen.add(one.id)
                    yield one

    def forget(self, feed: str, ids: Collection[str]) -> int:
        """
        Delete what was kept under *ids*, of rejects or of records; gives how many inputs that were. Raises Unavailable.
        """
        own, unwanted, gone = self._own(feed), set(ids), set()
        if own is None or not self._days(feed):
            return 0
        with _alone(own):
            for path in self._days(feed):
                stay = []
                for line in path.read_bytes().splitlines(keepends=True):
                    one = Refused.read(line)
                    if one is not None and {one.id, one.record} & unwanted:
                        gone.add(one.id)
                    else:
                        stay.append(line)
                replace(path, b"".join(stay), private=True)
        return len(gone)

    def expire(self, feed: str, before: date) -> None:
        """Delete the days before *before*. Raises Unavailable."""
        own, old = self._own(feed), [path for path in self._days(feed) if path.stem < before.isoformat()]
        if own is None or not old:
            return
        with _alone(own):
            for path in old:
                path.unlink(missing_ok=True)

    def _own(self, feed: str) -> Path | None:
        return None if self.folder is None else self.folder / feed

    def _days(self, feed: str) -> list[Path]:
        own = self._own(feed)
        if own is None or not own.exists():
            return []
        with _told(own):
            return sorted(path for path in own.iterdir() if DAY.fullmatch(path.name))


class Keeping:
    """
    One run of one *feed*, which keeps for *days* what it refuses; none for 0.
    """

    def __init__(self, kept: Kept, feed: str, days: int) -> None:
        self._kept = kept
        self._feed = feed
        self._days = days
        self._synced = True
        self._tidied: date | None = None

    def keep(self, refused: Sequence[Refused], now: datetime) -> None:
        """As ``Kept.keep``."""
        if refused and self._days:
            self._kept.keep(self._feed, refused, now)
            self._synced = False

    def sync(self, now: datetime) -> None:
        """As ``Kept.sync``, where something was kept since the last time."""
        if not self._synced:
            self._kept.sync(self._feed, now)
            self._synced = True

    def expire(self, now: datetime) -> None:
        """Once a day, delete what was kept long enough."""
        if self._tidied != now.date():
            self._kept.expire(self._feed, oldest(now, self._days))
            self._tidied = now.date()


def oldest(now: datetime, days: int) -> date:
    """Give the first day (UTC) that is still kept."""
    return now.date() - timedelta(days=days)


def _content(item: Raw | Bad) -> bytes:
    """Give what came in; where a source has kept nothing, the value itself as JSON, so that its owner can mend it."""
    if item.content is not None:
        return item.content
    return json.dumps(item.value, default=str, ensure_ascii=False).encode("utf-8", "backslashreplace")


def _report(item: Raw) -> dict[str, Any] | None:
    """Give a report as plain data; None where it is larger than what is kept, or no data that JSON can hold."""
    told = {
        "reference": str(item.reference),
        "kind": item.kind,
        "revision": item.revision,
        "subject": item.subject,
        "value": item.value,
    }
    try:
        # What is no UTF-8 is lost here; it stands in the content as it came.
        text = json.dumps(told, default=str, ensure_ascii=False).encode("utf-8", "replace")
    except (ValueError, TypeError, RecursionError):
        return None
    return json.loads(text) if len(text) <= MAX_CONTENT else None


def _name(day: date) -> str:
    return f"{day.isoformat()}.jsonl"


@contextmanager
def _alone(own: Path) -> Iterator[None]:
    """Hold the files of a feed: who deletes from them writes them anew, and would lose what is added meanwhile."""
    with _told(own):
        own.mkdir(parents=True, exist_ok=True, mode=0o700)
        with held(own / LOCK, f"{own} is held by another process; try again", PATIENCE_S):
            yield


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        message = f"{path}, where what is refused is kept, cannot be read or written: {error.strerror}; look at the disk"
        raise Unavailable(message) from error
