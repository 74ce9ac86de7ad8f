"""
The spool: in order, bounded, with an account of every loss, and the same after a restart.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boutre.connectors.sources.spool import OVERHEAD, Entry, Gap, Spool
from boutre.errors import Unavailable

AT = datetime(2024, 3, 1, 6, 30, tzinfo=UTC)
LIMIT = 10_000


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    """
    A spool of its own.
    """
    with closing(Spool(tmp_path / "spool.sqlite", LIMIT)) as made:
        yield made


def put(spool: Spool, *contents: bytes, lost: int = 0) -> None:
    """
    Append *contents*, all at one time.
    """
    spool.append([(AT, "10.0.0.1", content) for content in contents], lost=lost)


def test_it_gives_what_it_got_in_order(spool: Spool) -> None:
    """Each entry comes back as it was, with its number, time and sender."""
    put(spool, b"one", b"\x00two")
    put(spool, b"")

    expected = [Entry(number, AT, "10.0.0.1", content) for number, content in enumerate([b"one", b"\x00two", b""], 1)]
    assert expected == list(spool.read(0))
    assert expected[2:] == list(spool.read(2))
    assert [] == list(spool.read(3))


def test_it_survives_a_restart(tmp_path: Path) -> None:
    """What was appended, the numbers and the identity are the same when the file is opened again."""
    with closing(Spool(tmp_path / "spool", LIMIT)) as first:
        put(first, b"one", b"two")
        identity, held = first.identity, first.bytes_held
    with closing(Spool(tmp_path / "spool", LIMIT)) as second:
        put(second, b"three")

        assert identity == second.identity
        assert held + len(b"three") + OVERHEAD == second.bytes_held
        assert [(1, b"one"), (2, b"two"), (3, b"three")] == [(e.number, e.content) for e in second.read(0) if isinstance(e, Entry)]


def test_another_file_is_another_spool(tmp_path: Path) -> None:
    """A cursor of a spool that was deleted must not fit the one that takes its place."""
    identities = set()
    for name in ("first", "second"):
        with closing(Spool(tmp_path / name, LIMIT)) as made:
            identities.add(made.identity)

    assert 2 == len(identities)


def test_numbers_are_not_given_twice_when_all_was_dropped(tmp_path: Path) -> None:
    """After everything was dropped and the file opened again, numbers go on and the loss is told."""
    with closing(Spool(tmp_path / "spool", LIMIT)) as first:
        put(first, b"x" * (LIMIT + 1))
    with closing(Spool(tmp_path / "spool", LIMIT)) as second:
        put(second, b"after")

        assert [Gap(1, 1), Entry(2, AT, "10.0.0.1", b"after")] == list(second.read(0))


def test_losses_before_the_spool_are_gaps(spool: Spool) -> None:
    """What is counted as lost on the way is a gap in its place, also where nothing comes after it."""
    put(spool, b"one")
    put(spool, b"two", lost=3)
    put(spool, lost=2)

    assert [1, Gap(2, 4), 5, Gap(6, 7)] == [e.number if isinstance(e, Entry) else e for e in spool.read(0)]


def test_the_file_is_bounded(tmp_path: Path) -> None:
    """However much comes, the file does not grow without end; the newest is there, the oldest is counted."""
    path = tmp_path / "spool"
    limit = 200_000
    with closing(Spool(path, limit)) as made:
        for _ in range(200):
            put(made, *[b"x" * 200] * 100)
        found = list(made.read(0))

        assert made.bytes_held <= limit
    kept = [e for e in found if isinstance(e, Entry)]
    (gap,) = (e for e in found if isinstance(e, Gap))
    assert (1, 20_000, 20_000) == (gap.first, kept[-1].number, gap.count + len(kept))
    assert path.stat().st_size < 4 * limit


def test_what_was_read_can_be_recalled(spool: Spool) -> None:
    """A reader that starts again sees what arrived in the time before its cursor, and never skips what is gone."""
    for minute in range(10):
        spool.append([(AT + timedelta(minutes=minute), "", b"x")])

    assert 6 == spool.recall(8, 60)
    assert 0 == spool.recall(8, 3600)
    assert 0 == spool.recall(0, 3600)


def test_recall_does_not_hide_a_gap(spool: Spool) -> None:
    """Where the entries behind a cursor are gone, reading on from where recall says shows what was lost."""
    put(spool, b"one", b"two")
    put(spool, b"x" * 8_000)
    put(spool, b"y" * 2_000)

    assert 1 == spool.recall(1, 3600)
    assert Gap(2, 3) == next(spool.read(1))


def test_a_reader_far_behind_sees_its_loss(spool: Spool) -> None:
    """Entries that are dropped between two chunks of a reading are a gap of that reading."""
    put(spool, *[b"x"] * 150)
    reading = spool.read(0)

    assert Entry(1, AT, "10.0.0.1", b"x") == next(reading)
    put(spool, b"y" * (LIMIT - OVERHEAD))
    rest = list(reading)
    last = rest[-1]
    assert isinstance(last, Gap)
    assert 151 == last.last


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    """Where the spool cannot be, that is said with what to look at."""
    (tmp_path / "file").write_text("")

    with pytest.raises(Unavailable, match="check the folder"):
        Spool(tmp_path / "file" / "spool", LIMIT)


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 3)), max_size=40), st.integers(0, 60))
def test_nothing_is_lost_without_being_counted(pieces: list[tuple[int, int]], after: int) -> None:
    """Entries and gaps together are every number that was ever given, once and in order, wherever reading begins."""
    with TemporaryDirectory() as folder, closing(Spool(Path(folder) / "spool", 4_000)) as made:
        for size, lost in pieces:
            put(made, b"x" * size, lost=lost)
        given_out = sum(1 + lost for _, lost in pieces)

        numbers = [
            number
            for each in made.read(after)
            for number in ([each.number] if isinstance(each, Entry) else range(each.first, each.last + 1))
        ]

        assert list(range(after + 1, given_out + 1)) == numbers
