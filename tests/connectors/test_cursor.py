"""
The cursor moves past what is safe, and past nothing else.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boutre.connectors.cursor import Cursors, Window
from boutre.errors import Unavailable


@given(order=st.lists(st.integers(0, 11), unique=True, max_size=12))
def test_the_cursor_stands_before_the_first_that_is_open(order: list[int]) -> None:
    """In whatever order acknowledgements come, the cursor is that of the last item before which all are acknowledged."""
    window = Window()
    tickets = [window.enter(str(number)) for number in range(12)]

    for number in order:
        window.settle(tickets[number])

    first_open = next((number for number in range(12) if number not in order), 12)
    assert window.cursor == (str(first_open - 1) if first_open else None)
    assert len(window) == 12 - first_open


def test_a_saved_cursor_comes_back(tmp_path: Path) -> None:
    """What was saved last is what is loaded, by another process too, and nothing but it is left in the folder."""
    cursors = Cursors(tmp_path / "state")
    with cursors.hold("feed"):
        cursors.save("feed", "1:é")
        cursors.save("feed", "2")

    assert Cursors(tmp_path / "state").load("feed") == "2"
    assert sorted(path.name for path in (tmp_path / "state").iterdir()) == ["feed.cursor", "feed.lock"]


def test_a_crash_while_saving_leaves_the_old_cursor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that dies before the new file takes the old one's place leaves the old cursor whole."""
    cursors = Cursors(tmp_path)
    cursors.save("feed", "1")

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", die)
    with pytest.raises(KeyboardInterrupt):
        cursors.save("feed", "2")

    assert cursors.load("feed") == "1"


def test_two_runners_of_one_feed_do_not_meet(tmp_path: Path) -> None:
    """The second is refused with a sentence as long as the first holds the feed, and not after."""
    with Cursors(tmp_path).hold("feed"), pytest.raises(Unavailable, match="another runner"), Cursors(tmp_path).hold("feed"):
        pass

    with Cursors(tmp_path).hold("feed") as cursor:
        assert cursor is None


@pytest.mark.parametrize("content", [b"", b"[]", b"null", b'{"cursor": 4}', b"\xff"])
def test_a_file_that_holds_no_cursor_is_said(tmp_path: Path, content: bytes) -> None:
    """A damaged file stops the feed with a sentence that says what to do: to begin again by oneself could flood the bus."""
    (tmp_path / "feed.cursor").write_bytes(content)

    with pytest.raises(Unavailable, match="remove it"):
        Cursors(tmp_path).load("feed")


def test_a_dry_run_keeps_nothing() -> None:
    """Without a folder there is no cursor, and saving one leaves no trace."""
    cursors = Cursors(None)
    with cursors.hold("feed") as cursor:
        cursors.save("feed", "1")

        assert cursor is None
        assert cursors.load("feed") is None
