"""
The vault of case keys: what is erased is destroyed in whatever order things are seen, by its owner only, and leaves no byte behind.
"""

from __future__ import annotations

import random
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boutre.errors import DeclarationError, Refuse, Unavailable
from boutre.schemas.cases import vault_file
from boutre.schemas.cases.vault import ANYBODY, Destroyed, Issued, Recall, Standing, Use, Vault
from boutre.schemas.cases.vault_file import FILE

MEMBERS: Final = ("comoros", "france")


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    """A vault that has just been made."""
    with Vault.of(tmp_path / "vault", begin=True) as made:
        yield made


def refused(vault: Vault, key: Issued, record: str = "r", member: str = "comoros") -> str | None:
    """Why a key does not open a record; None where it does."""
    try:
        opening = vault.opening(key.id, member, record)
    except Refuse as refusal:
        return refusal.code
    assert key.public == opening.public
    return None


def secrets(vault: Vault) -> dict[str, bytes]:
    """Every key's private half as it stands in the file, by the key's id."""
    return dict(vault._connection.execute("SELECT id, bytes FROM key JOIN secret ON key = number").fetchall())


def content(vault: Vault) -> bytes:
    """Every byte of every file in the vault's folder."""
    return b"".join(path.read_bytes() for path in sorted(vault.path.parent.rglob("*")) if path.is_file())


# --- What opens and what does not ------------------------------------------------------------------------------------------


def test_a_key_opens_its_members_records_until_it_is_seen_and_then_its_own_alone(vault: Vault) -> None:
    """
    A key that was issued opens; once it was seen with a record it opens that one, and any other is told that it is reused.
    """
    key, other = vault.issue("comoros", 2)
    before = refused(vault, key, "any"), refused(vault, other, "any")
    vault.take([("comoros", "r", key.id)], (), {})

    assert (None, None) == before
    assert [None, "case-key-reused", None] == [refused(vault, key, "r"), refused(vault, key, "s"), refused(vault, other, "s")]
    assert "unknown-case-key" == refused(vault, Issued("0" * 16, b""))
    assert "unknown-case-key" == refused(vault, key, "r", "france")


def test_what_was_erased_is_not_opened_even_by_a_key_that_was_not_seen_yet(vault: Vault) -> None:
    """
    A recall before its record, which accept reads before the follower does; and the same report sent once more under another key.
    """
    early, again = vault.issue("comoros", 2)
    vault.erase(["r"], member="comoros")

    assert ["case-erased", None] == [refused(vault, early, "r"), refused(vault, early, "s")]
    assert [Destroyed("comoros", "r", 1)] == vault.take([("comoros", "r", early.id)], (), {})
    assert ["case-erased", "case-erased"] == [refused(vault, early, "s"), refused(vault, again, "r")]


def test_a_member_takes_back_nothing_of_another(vault: Vault) -> None:
    """
    Who recalls a record of somebody else, before or after it, destroys nothing and keeps nothing from being opened.
    """
    (key,) = vault.issue("comoros", 1)
    done = vault.erase(["r"], member="france")
    done += vault.take([("comoros", "r", key.id), ("france", "mine", key.id)], (), {})
    done += vault.erase(["r", "mine"], member="france")
    found = vault.erasure("r")

    assert [] == done
    assert None is refused(vault, key, "r")
    assert found is not None
    assert (0, 1, ("france",)) == (found.destroyed, found.left, found.by)


def test_by_hand_a_record_is_erased_whosever_it_is(vault: Vault) -> None:
    """
    Now and later; a second key of the record, as when a report is sent twice, goes with the first.
    """
    one, two, later = (vault.issue(member, 1)[0] for member in ("comoros", "comoros", "france"))
    vault.take([("comoros", "r", one.id), ("comoros", "r", two.id)], (), {})

    assert [Destroyed("comoros", "r", 2)] == vault.erase(["r"])
    assert [] == vault.erase(["r"])
    assert "case-erased" == refused(vault, later, "r", "france")
    assert [Destroyed("france", "r", 1)] == vault.take([("france", "r", later.id)], (), {})
    found = vault.erasure("r")
    assert found is not None
    assert (3, 0, (ANYBODY,)) == (found.destroyed, found.left, found.by)
    assert None is vault.erasure("s")


def test_a_reused_key_goes_with_whichever_of_its_records_is_erased(vault: Vault) -> None:
    """
    A connector that used one key twice: erasing the second record may not leave it readable because the first had the key before.
    """
    (key,) = vault.issue("comoros", 1)
    vault.take([("comoros", "first", key.id), ("comoros", "second", key.id)], (), {})

    assert [Destroyed("comoros", "second", 1)] == vault.erase(["second"], member="comoros")
    assert "case-erased" == refused(vault, key, "first")


def test_keys_that_were_not_seen_can_be_retired(vault: Vault) -> None:
    """
    All that are waiting, of that member alone; what is in use stays.
    """
    used, waiting = vault.issue("comoros", 2)
    (others,) = vault.issue("france", 1)
    vault.take([("comoros", "r", used.id)], (), {})

    assert 1 == vault.retire("comoros")
    assert [None, "case-erased", None] == [
        refused(vault, used),
        refused(vault, waiting),
        refused(vault, others, "r", "france"),
    ]
    assert [Standing("comoros", 0, 1, 1), Standing("france", 1, 0, 0)] == vault.standing()


# --- In whatever order ------------------------------------------------------------------------------------------------------

RECORDS: Final = ("r", "s", "t")
USES: Final = st.tuples(st.just("use"), st.sampled_from(MEMBERS), st.sampled_from(RECORDS), st.integers(0, 3))
RECALLED: Final = st.tuples(st.just("recall"), st.sampled_from((*MEMBERS, ANYBODY)), st.sampled_from(RECORDS), st.just(0))


@given(events=st.lists(USES | RECALLED, max_size=8), seed=st.integers(0, 1 << 16))
def test_the_order_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, events: list[tuple[str, str, str, int]], seed: int
) -> None:
    """
    Whatever is seen and erased in whatever order, in one look or in several, some of it twice: the same keys are destroyed.

    A key is destroyed if and only if its member used it for a record which that member, or somebody by hand, erased.
    """
    drawn = random.Random(seed)  # noqa: S311 - an order, and no secret
    shuffled = drawn.sample([*events, *events[:2]], len(events) + len(events[:2]))
    with Vault.of(tmp_path_factory.mktemp("vault"), begin=True) as vault:
        keys = [*vault.issue("comoros", 2), *vault.issue("france", 2)]
        owners = ["comoros", "comoros", "france", "france"]
        total = 0
        for part in (shuffled[: (cut := drawn.randint(0, len(shuffled)))], shuffled[cut:]):
            uses: list[Use] = [(member, record, keys[key].id) for kind, member, record, key in part if kind == "use"]
            recalls: list[Recall] = [(member, record) for kind, member, record, _ in part if kind == "recall"]
            total += sum(one.keys for one in vault.take(uses, recalls, {("t", 0): len(part)}))
        zeroed = {nth for nth, key in enumerate(keys) if not any(secrets(vault)[key.id])}
        counted = sum(one.destroyed for one in vault.standing())
        erased = {(member, record) for kind, member, record, _ in events if kind == "recall"}

    destroyed = {
        key
        for kind, member, record, key in events
        if kind == "use" and owners[key] == member and {(member, record), (ANYBODY, record)} & erased
    }
    assert destroyed == zeroed
    assert (len(destroyed), len(destroyed)) == (total, counted)


# --- Nothing stays ------------------------------------------------------------------------------------------------------------


def test_no_byte_of_a_destroyed_secret_stays_in_the_folder(vault: Vault) -> None:
    """
    Every secret that lives stands in the folder once, every destroyed one nowhere, in whole or in half.

    Keys are issued in several draws and bound in any order to records with names of any length, so that rows grow and pages are
    split; half of them are erased while somebody else reads.
    """
    drawn = random.Random(7)  # noqa: S311 - an order, and no secret
    keys = [key for _ in range(4) for key in vault.issue("comoros", 300)]
    all_secrets = secrets(vault)
    drawn.shuffle(keys)
    records = {key.id: f"{nth}-{'x' * drawn.randint(0, 300)}" for nth, key in enumerate(keys)}
    for first in range(0, len(keys), 75):
        vault.take([("comoros", records[key.id], key.id) for key in keys[first : first + 75]], (), {})
    gone, kept = keys[::2], keys[1::2]
    with Vault.of(vault.path.parent) as reader:
        for first in range(0, len(gone), 50):
            vault.erase([records[key.id] for key in gone[first : first + 50]], member="comoros")
            assert None is refused(reader, kept[first], records[kept[first].id])
    found = content(vault)

    assert [FILE] == [path.name for path in vault.path.parent.iterdir()]
    assert {1} == {found.count(all_secrets[key.id]) for key in kept}
    assert {0} == {found.count(half) for key in gone for half in (all_secrets[key.id][:16], all_secrets[key.id][16:])}


def test_one_who_reads_for_long_delays_an_erasure_and_does_not_halve_it(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    While somebody is in the middle of reading, an erasure that cannot be written says so and has done nothing; then it is done.
    """
    (key,) = vault.issue("comoros", 1)
    vault.take([("comoros", "r", key.id)], (), {})
    secret = secrets(vault)[key.id]
    monkeypatch.setattr(vault_file, "BUSY_SECONDS", 0.05)
    with Vault.of(vault.path.parent) as hasty, closing(sqlite3.connect(vault.path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM key").fetchone()
        with pytest.raises(Unavailable, match="SQLITE_BUSY"):
            hasty.erase(["r"])
        between = refused(vault, key), vault.erasure("r")
        reader.execute("COMMIT")
        done = hasty.erase(["r"])

    assert (None, None) == between
    assert [Destroyed("comoros", "r", 1)] == done
    assert secret not in content(vault)


# --- Crashes ------------------------------------------------------------------------------------------------------------------


def test_what_one_look_brought_is_there_whole_or_not_at_all(vault: Vault) -> None:
    """
    A process that ends in the middle leaves neither a destroyed key without its position nor a position without its key.
    """
    (key,) = vault.issue("comoros", 1)

    def killed() -> None:
        with vault.transaction() as connection:
            connection.execute("UPDATE secret SET bytes = zeroblob(32)")
            connection.execute("INSERT INTO place VALUES ('t', 0, 7)")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        killed()

    assert (None, {}) == (refused(vault, key), vault.places())


KILLED: Final = """
import os, signal, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA cache_size = 1")
connection.execute("BEGIN IMMEDIATE")
for number in range(1, 2001):
    connection.execute("UPDATE secret SET bytes = zeroblob(32) WHERE key = ?", (number,))
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_kill_while_the_file_is_written_is_undone_by_who_opens_it_next(vault: Vault) -> None:
    """
    Killed with -9 when half of the file was overwritten: whoever reads next finds every key, and no journal is left.
    """
    keys = vault.issue("comoros", 2000)
    vault.close()
    done = subprocess.run([sys.executable, "-c", KILLED, str(vault.path)], check=False, timeout=60)
    assert -signal.SIGKILL == done.returncode
    assert vault.path.with_name(f"{FILE}-journal").stat().st_size, "nothing was in the middle, so nothing was shown"

    with Vault.of(vault.path.parent) as again:
        assert {None} == {refused(again, key) for key in keys[::100]}
        again.erase(["r"])
        assert [FILE] == [path.name for path in again.path.parent.iterdir()]


def test_many_threads_and_two_vaults_on_one_file(vault: Vault) -> None:
    """
    Keys that are drawn at the same time by several are all there, and none is drawn twice.
    """
    drawn: list[Issued] = []
    failed: list[Exception] = []

    def draw(own: Vault) -> None:
        try:
            for _ in range(5):
                drawn.extend(own.issue("comoros", 4))
        except Exception as failure:  # noqa: BLE001 - told by the test
            failed.append(failure)

    with Vault.of(vault.path.parent) as other:
        threads = [threading.Thread(target=draw, args=(own,)) for own in (vault, other, vault, other)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert [] == failed
    assert 80 == len({key.id for key in drawn})
    assert [Standing("comoros", 80, 0, 0)] == vault.standing()


# --- The file -----------------------------------------------------------------------------------------------------------------


def test_a_vault_is_its_owners_alone_and_is_begun_once(tmp_path: Path) -> None:
    """
    Nobody else may enter; begun again it is as it was; positions are remembered, and what was overtaken is replaced.
    """
    folder = tmp_path / "a" / "vault"
    with Vault.of(folder, begin=True) as vault:
        (key,) = vault.issue("comoros", 1)
        vault.take([], (), {("t", 0): 3, ("t", 1): 4})
    with Vault.of(folder, begin=True) as vault:
        vault.take([], (), {("t", 0): 5})
        assert {("t", 0): 5, ("t", 1): 4} == vault.places()
        assert None is refused(vault, key)

    assert (0o700, 0o600) == (stat.S_IMODE(folder.stat().st_mode), stat.S_IMODE((folder / FILE).stat().st_mode))


def test_a_file_that_is_no_vault_is_refused_with_what_to_do(tmp_path: Path) -> None:
    """
    One that is not there, one that is empty, one of another version, and bytes; and a folder that cannot be made.
    """
    with pytest.raises(DeclarationError, match="boutre cases begin"):
        Vault.of(tmp_path)
    (tmp_path / FILE).touch()
    with pytest.raises(Unavailable, match="boutre cases begin"):
        Vault.of(tmp_path)
    with Vault.of(tmp_path, begin=True) as vault:
        vault._connection.execute("PRAGMA user_version = 99")
    with pytest.raises(Unavailable, match="restore it"):
        Vault.of(tmp_path)
    (tmp_path / FILE).write_bytes(b"not a database, but long enough to be taken for one" * 40)
    with pytest.raises(Unavailable, match="SQLITE_NOTADB"):
        Vault.of(tmp_path)
    with pytest.raises(Unavailable, match="cannot be made"):
        Vault.of(tmp_path / FILE / "below", begin=True)
