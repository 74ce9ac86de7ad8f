"""
What a processor remembers for one partition, on this worker's disk, with the position of the changelog that it holds.

It changes only after the transaction that holds the change is known to be committed, each time by one write that holds the
changes and the checkpoint together: after ``kill -9`` it is as it was before or after that write, never between. Writes are not
forced to the disk, so that after a loss of power the checkpoint may be an older one; what is missing is read from the changelog,
which is the truth. A store that cannot be read is thrown away and filled from there.

An embedded RocksDB holds ``k`` and a key: 8 bytes of time (milliseconds, big-endian) and the JSON of the changelog; ``t``, a
class, a time and a place: keys of that class that were written together, to know which is the oldest; and ``c``: the checkpoint.
"""

from __future__ import annotations

import os
import shutil
import struct
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import msgspec
import structlog
from rocksdict import Rdict, ReadOptions, WriteBatch

from boutre.processors.runtime.disk import alone, options
from boutre.processors.windows import Windows, class_of

log = structlog.get_logger()

TIME: Final = struct.Struct(">Q")
_PLACE: Final = struct.Struct(">QQI")  # time, position in the changelog, number

BLOCK: Final = 256
"""Keys that the index of times holds together; one entry for each key would double the writes."""

FORMAT: Final = 1
_CHECKPOINT: Final = b"c"
_SPOILT: Final = "SPOILT"

Row: TypeAlias = tuple[bytes, bytes | None, int | None, list[tuple[str, bytes]]]
"""One record of the changelog: key, value or None for a tombstone, timestamp in milliseconds, headers."""


class StoreError(Exception):
    """
    The store on disk cannot be read or written; it is thrown away and filled anew from its changelog.
    """


class Checkpoint(msgspec.Struct, frozen=True):
    """
    What a store holds: *position* is the next offset of the changelog that is not in it, *clock* the newest acceptance it knows.

    *incarnation* names the changelog; *complete_at* is a time, in seconds by this machine's clock, at which nothing stood in the
    changelog that was not in the store; *keys* counts them by class.
    """

    format: int = FORMAT
    position: int = 0
    incarnation: str = ""
    clock: int = 0
    complete_at: float = 0.0
    keys: dict[str, int] = msgspec.field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Block:
    """
    Keys that were written together, none of them later than *written*.
    """

    name: bytes
    written: int
    keys: list[bytes]


class Store:
    """
    Values by key in *folder*, which belongs to this object alone while it is open.

    Raises:
        Unavailable: another process has it open.
        StoreError: it cannot be read or written, from any method.
    """

    def __init__(self, folder: Path, windows: Windows) -> None:
        self.windows = windows
        self._folder = folder
        folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = alone(folder.with_suffix(".lock"))
        self._db: Rdict | None = None
        self.checkpoint = Checkpoint()
        self._oldest: dict[str, int] = {}
        try:
            self._open()
        except BaseException:
            os.close(self._lock)
            raise

    @property
    def position(self) -> int:
        """The next offset of the changelog that is not in it yet."""
        return self.checkpoint.position

    def get(self, key: str) -> tuple[int, bytes] | None:
        """Give when *key* was written last, and the JSON of its value."""
        database = self._opened
        try:
            found = database.get(b"k" + key.encode())
        except Exception as error:
            raise self._spoilt(error) from error
        return None if found is None else (TIME.unpack_from(found)[0], found[TIME.size :])

    def written(self, keys: Sequence[bytes]) -> list[int | None]:
        """Give when each of *keys* was written last; None where it is not there."""
        database = self._opened
        try:
            found = database.get([b"k" + key for key in keys])
        except Exception as error:
            raise self._spoilt(error) from error
        return [None if value is None else TIME.unpack_from(value)[0] for value in found or ()]

    def apply(
        self,
        rows: Mapping[str, Row],
        position: int,
        *,
        clock: int,
        complete_at: float,
        known: Mapping[str, object] | None = None,
        swept: Mapping[bytes, Sequence[bytes]] | None = None,
    ) -> None:
        """
        Take over changes that are committed, by key, and the checkpoint behind them, in one write.

        *known* are keys of which is known already whether they are there, not None where they are; *swept* are the blocks of the
        index that were gone through, each with those of its keys that stay in it.
        """
        known = known or {}
        unknown = [key for key in rows if key not in known]
        there = dict(zip(unknown, self.written([rows[key][0] for key in unknown]), strict=True)) if unknown else {}
        batch = WriteBatch(raw_mode=True)
        counts = dict(self.checkpoint.keys)
        made: dict[str, list[bytes]] = defaultdict(list)
        newest: dict[str, int] = {}
        for key, (name, value, timestamp, _) in rows.items():
            new = (there[key] if key in there else known[key]) is None
            kind = class_of(key)
            if value is not None:
                at = clock if timestamp is None else max(timestamp, 0)
                batch.put(b"k" + name, TIME.pack(at) + value)
                counts[kind] = counts.get(kind, 0) + new
                made[kind].append(name)
                newest[kind] = max(newest.get(kind, 0), at)
            elif not new:
                batch.delete(b"k" + name)
                counts[kind] -= 1
        for kind, names in made.items():
            for number in range(0, len(names), BLOCK):
                place = _PLACE.pack(newest[kind], position, number)
                batch.put(_index(kind) + place, msgspec.msgpack.encode(names[number : number + BLOCK]))
        for block, rest in (swept or {}).items():
            if rest:
                batch.put(block, msgspec.msgpack.encode(rest))
            else:
                batch.delete(block)
        clock = max(clock, self.checkpoint.clock)
        after = Checkpoint(FORMAT, position, self.checkpoint.incarnation, clock, complete_at, counts)
        self._write(batch, after)
        for kind, at in newest.items():
            self._oldest[kind] = min(at, self._oldest.get(kind, at))

    def begin(self, incarnation: str, now: float) -> None:
        """Note of which changelog this empty store will be filled, beginning at *now*."""
        self._write(WriteBatch(raw_mode=True), Checkpoint(incarnation=incarnation, complete_at=now))

    def oldest(self, kind: str) -> int | None:
        """Give a time than which no key of a class is older, or None where it has none: known without looking."""
        return self._oldest.get(kind)

    def classes(self) -> list[str]:
        """Give the classes of which something may be there."""
        return list(self._oldest)

    def blocks(self, kind: str) -> Iterator[Block]:
        """Give the index of a class, the oldest first; a key whose time is later than its block's was written again."""
        start, end = _index(kind), _index(kind, after=True)
        within = ReadOptions()
        within.set_iterate_upper_bound(end)
        database, first = self._opened, True
        try:
            found = database.iter(within)
            # What was swept up lies before it, and is stepped over slowly until it is compacted.
            found.seek(start + TIME.pack(self._oldest.get(kind, 0)))
            while found.valid():
                name = bytes(found.key())
                written = TIME.unpack_from(name, len(start))[0]
                if first:
                    self._oldest[kind], first = written, False
                yield Block(name, written, msgspec.msgpack.decode(found.value(), type=list[bytes]))
                found.next()
            found.status()
        except Exception as error:
            raise self._spoilt(error) from error
        if first:
            self._oldest.pop(kind, None)

    def __len__(self) -> int:
        return sum(self.checkpoint.keys.values())

    def wipe(self) -> None:
        """Throw everything away, and begin empty."""
        self._close()
        shutil.rmtree(self._folder, ignore_errors=True)
        self._open()
        if self._db is None:
            raise StoreError

    def close(self) -> None:
        """Close it; another process may open it then."""
        self._close()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    @property
    def spoilt(self) -> bool:
        """Whether it cannot be used, or could once not be read or written since it was opened: it is to be wiped."""
        return self._db is None or (self._folder / _SPOILT).exists()

    @property
    def _opened(self) -> Rdict:
        if self._db is None:
            raise StoreError
        return self._db

    def _open(self) -> None:
        if (self._folder / _SPOILT).exists():
            log.warning("a store that could not be read is thrown away", folder=self._folder.name)
            shutil.rmtree(self._folder, ignore_errors=True)
        try:
            self._read()
        except Exception as error:  # noqa: BLE001 - the library raises bare exceptions for whatever is wrong
            log.warning("a damaged store is thrown away", folder=self._folder.name, error=type(error).__name__)
            self._close()
            shutil.rmtree(self._folder, ignore_errors=True)
            try:
                self._read()
            except Exception as again:  # noqa: BLE001 - the same; the disk may be full, and is tried again when it is filled
                log.error("no store can be made", folder=self._folder.name, error=type(again).__name__)  # noqa: TRY400 - no values
                self._close()

    def _read(self) -> None:
        self._db = Rdict(str(self._folder), options())
        found = self._db.get(_CHECKPOINT)
        if found is None and next(iter(self._db.keys()), None) is not None:
            raise StoreError
        self.checkpoint = Checkpoint() if found is None else msgspec.json.decode(found, type=Checkpoint)
        if self.checkpoint.format != FORMAT:
            raise StoreError
        self._oldest = dict.fromkeys(self.checkpoint.keys, 0)
        for kind in list(self._oldest):
            next(self.blocks(kind), None)

    def _write(self, batch: WriteBatch, checkpoint: Checkpoint) -> None:
        database = self._opened
        try:
            batch.put(_CHECKPOINT, msgspec.json.encode(checkpoint))
            database.write(batch)
        except Exception as error:
            raise self._spoilt(error) from error
        self.checkpoint = checkpoint

    def _spoilt(self, error: Exception) -> StoreError:
        """Have it thrown away by whoever opens it next: what it holds is not known any more."""
        log.error("a store cannot be used", folder=self._folder.name, error=type(error).__name__)
        with suppress(OSError):
            (self._folder / _SPOILT).touch()
        return StoreError()

    def _close(self) -> None:
        database, self._db = self._db, None
        self.checkpoint, self._oldest = Checkpoint(), {}
        if database is not None:
            try:
                database.close()
            except Exception as error:  # noqa: BLE001 - what it could not write is in the changelog
                log.warning("a store did not close cleanly", folder=self._folder.name, error=type(error).__name__)


def _index(kind: str, *, after: bool = False) -> bytes:
    """Give where the index of a class begins, or what comes right after it. No class holds a zero byte."""
    return b"t" + kind.encode() + (b"\1" if after else b"\0")
