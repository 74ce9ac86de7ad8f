"""
Pools of case keys: no key is ever given twice, whoever asks and whatever happens; a file that is no pool is told, with its line.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from typing import Final

import pytest

from boutre.errors import DeclarationError, Unavailable
from boutre.schemas.cases.folders import CaseFolders
from boutre.schemas.cases.pool import BLOCK, HEAD, FilePool, VaultPool, written
from boutre.schemas.cases.vault import Issued, Vault
from boutre.schemas.sealing.suites import CLASSIC, OpeningKey

MEMBER: Final = "comoros"


def drawn(count: int) -> list[Issued]:
    """Keys whose private halves nobody has."""
    keys = (OpeningKey.new(CLASSIC) for _ in range(count))
    return [Issued(key.id, key.public) for key in keys]


KEYS: Final = drawn(6 * BLOCK)
TEXT: Final = written(MEMBER, KEYS)


def pool(tmp_path: Path, text: str = TEXT) -> FilePool:
    """A pool in a file."""
    path = tmp_path / "comoros.txt"
    path.write_text(text, encoding="ascii")
    return FilePool(path, MEMBER)


TAKER: Final = """
import sys
from pathlib import Path
from boutre.schemas.cases.pool import FilePool
own = FilePool(Path(sys.argv[1]), "comoros")
for _ in range(100):
    print(own.take().id, flush=True)
"""


def test_two_processes_and_two_threads_never_have_the_same_key(tmp_path: Path) -> None:
    """
    All take from one file at the same time: every key that is given is one of the pool, and nobody else's.
    """
    path = pool(tmp_path).path
    took: list[str] = []

    def take(own: FilePool) -> None:
        took.extend([own.take().id for _ in range(50)])

    with subprocess.Popen([sys.executable, "-c", TAKER, str(path)], stdout=subprocess.PIPE, text=True) as process:
        threads = [threading.Thread(target=take, args=(FilePool(path, MEMBER),)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        theirs = process.communicate(timeout=60)[0].split()

    assert (100, 100) == (len(took), len(theirs))
    assert 200 == len({*took, *theirs})
    assert {key.id for key in KEYS} >= {*took, *theirs}


def test_one_pool_in_several_threads_gives_each_key_once(tmp_path: Path) -> None:
    """
    As connectors of one process share it.
    """
    own = pool(tmp_path)
    took: list[str] = []
    threads = [threading.Thread(target=lambda: took.extend([own.take().id for _ in range(70)])) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert 280 == len(set(took)) == len(took)
    assert len(KEYS) - 280 == own.left


def test_after_a_crash_keys_are_left_unused_and_none_is_used_again(tmp_path: Path) -> None:
    """
    Who begins again begins behind the block of who ended, however much of it was used.
    """
    first = pool(tmp_path)
    used = [first.take().id for _ in range(3)]
    second = FilePool(first.path, MEMBER)

    assert [key.id for key in KEYS[:3]] == used
    assert KEYS[BLOCK].id == second.take().id
    assert (len(KEYS) - 3, len(KEYS) - BLOCK - 1) == (first.left + BLOCK, second.left)


def test_a_pool_that_is_used_up_waits_for_more_and_goes_on(tmp_path: Path) -> None:
    """
    The error says how to get more; keys that are added at the end are taken next.
    """
    own = pool(tmp_path, written(MEMBER, KEYS[:2]))
    before = [own.take().id for _ in range(2)]
    with pytest.raises(Unavailable, match="boutre cases issue comoros"):
        own.take()
    with own.path.open("a", encoding="ascii") as file:
        file.write(written(MEMBER, KEYS[2:4], head=False))

    assert [key.id for key in KEYS[:4]] == [*before, own.take().id, own.take().id]


def test_a_line_that_is_still_being_written_is_no_key_yet(tmp_path: Path) -> None:
    """
    Cut off anywhere, a file gives the keys of its whole lines; once the line is whole, it is the next one.
    """
    whole = written(MEMBER, KEYS[:2])
    for cut in (1, 20, 60):
        own = pool(tmp_path, whole[:-cut])
        own.path.with_name("comoros.txt.next").unlink(missing_ok=True)
        assert KEYS[0].id == own.take().id
        with pytest.raises(Unavailable, match="all 1 case keys"):
            own.take()
        own.path.write_text(whole, encoding="ascii")
        assert KEYS[1].id == own.take().id


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1"),
        (HEAD + MEMBER, "line 1"),
        (written("france", KEYS[:2]), "line 1"),
        (f"{HEAD}{MEMBER}\ngarbage\n", "line 2: is no case key"),
        (f"{HEAD}{MEMBER}\n\n", "line 2: is no case key"),
        (written(MEMBER, [KEYS[0], Issued("0" * 16, KEYS[1].public)]), "line 3: the id is not that of the key"),
        (written(MEMBER, [KEYS[0], Issued(KEYS[1].id, KEYS[1].public[:31])]), "line 3: is no case key"),
        (written(MEMBER, [KEYS[0], KEYS[1], KEYS[0]]), "stand there twice"),
    ],
    # Keys are drawn anew by each process that collects this.
    ids=("empty", "no end of line", "another member", "garbage", "empty line", "wrong id", "too short", "twice"),
)
def test_a_file_that_is_no_pool_gives_no_key(tmp_path: Path, text: str, said: str) -> None:
    """
    The line is told, none is used, and nothing counts as used.
    """
    path = tmp_path / "comoros.txt"
    path.write_bytes(text.encode("ascii"))

    with pytest.raises(DeclarationError, match=said):
        FilePool(path, MEMBER).take()
    assert not path.with_name("comoros.txt.next").exists()


def test_what_is_not_text_or_not_there_is_told(tmp_path: Path) -> None:
    """
    Bytes, and no file at all.
    """
    path = tmp_path / "comoros.txt"
    for _ in range(2):
        with pytest.raises(DeclarationError, match="cannot be read"):
            FilePool(path, MEMBER).take()
        path.write_bytes(b"\xff\xfe")


@pytest.mark.parametrize("counter", ["", "many", "-1", "\n"])
def test_without_knowing_how_many_are_used_none_is_given(tmp_path: Path, counter: str) -> None:
    """
    A counter that says nothing, or less than nothing, would give keys a second time.
    """
    own = pool(tmp_path)
    own.path.with_name("comoros.txt.next").write_text(counter, encoding="ascii")

    with pytest.raises(DeclarationError, match="how many keys are used"):
        own.take()


def test_where_the_counter_cannot_be_written_no_key_is_given(tmp_path: Path) -> None:
    """
    What cannot be remembered as used is not used: the feed waits.
    """
    own = pool(tmp_path)
    own.path.with_name("comoros.txt.next.new").mkdir()

    with pytest.raises(Unavailable, match="look at the disk"):
        own.take()
    own.path.with_name("comoros.txt.next.new").rmdir()
    assert KEYS[0].id == own.take().id


def test_a_member_has_the_pool_that_was_handed_over_then_the_vault_then_nothing(tmp_path: Path) -> None:
    """
    Where the vault is at hand keys are drawn in it, for this member, and each is another; with neither, the error says what to do.
    """
    folders = CaseFolders(tmp_path / "vault", tmp_path / "cases")
    with pytest.raises(Unavailable, match="boutre cases issue comoros"):
        folders.keys(MEMBER).take()
    folders.begin().close()
    own = folders.keys(MEMBER)
    assert isinstance(own, VaultPool)
    took = [own.take() for _ in range(BLOCK + 1)]
    with Vault.of(tmp_path / "vault") as vault:
        opened = [vault.opening(key.id, MEMBER, "r").public for key in took]
    own.vault.close()
    folders.pool(MEMBER).parent.mkdir()
    folders.pool(MEMBER).write_text(TEXT, encoding="ascii")

    assert BLOCK + 1 == len(set(opened))
    assert KEYS[0].id == folders.keys(MEMBER).take().id
