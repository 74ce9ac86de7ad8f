"""
``boutre cases``: vault, pools and destruction by hand, as operators type it; nothing secret is shown, no pool written over.
"""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeAlias

import pytest
from click.testing import CliRunner, Result

from boutre.ops.command import main
from boutre.schemas.cases.pool import FilePool
from boutre.schemas.cases.vault import Vault
from boutre.schemas.keys import KeyFolder
from records import ROOT

Boutre: TypeAlias = Callable[..., Result]
RECORD: Final = "k4hdw2n5xvqzt7m3cjy6aob2eu5rfigl"


@pytest.fixture
def boutre(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Boutre:
    """The command, with keys in a folder of this test's own and the vault elsewhere."""
    for name, folder in (("KEYS", "keys"), ("STATE", "state"), ("VAULT", "vault")):
        monkeypatch.setenv(f"BOUTRE_{name}", str(tmp_path / folder))
    monkeypatch.chdir(tmp_path)

    def run(*words: str, status: int = 0, said: str | None = None) -> Result:
        done = CliRunner().invoke(main, ["--bus", str(ROOT), "cases", *words], input=said)
        assert status == done.exit_code, done.output
        return done

    return run


def drawn(tmp_path: Path) -> dict[str, bytes]:
    """The private halves that stand in the vault, by the ids of their keys."""
    with Vault.of(tmp_path / "vault") as vault:
        return dict(vault._connection.execute("SELECT id, bytes FROM key JOIN secret ON key = number ORDER BY number").fetchall())


def test_without_a_vault_every_command_says_how_to_make_one(boutre: Boutre, tmp_path: Path) -> None:
    """
    Nothing is made by the way: a vault that is not where it should be is lost, and not to be begun anew unseen.
    """
    for words in (
        ("issue", "comoros"),
        ("status",),
        ("show", RECORD),
        ("destroy", RECORD, "--yes"),
        ("retire", "comoros", "--yes"),
    ):
        assert "boutre cases begin makes it" in boutre(*words, status=2).stderr
    assert not (tmp_path / "vault").exists()


def test_it_is_begun_once(boutre: Boutre, tmp_path: Path) -> None:
    """
    A second time it stays as it is, with its keys.
    """
    assert "is made" in boutre("begin").stderr
    boutre("issue", "comoros", "--count", "3")
    before = drawn(tmp_path)
    assert "is there" in boutre("begin").stderr

    assert 3 == len(before)
    assert before == drawn(tmp_path)


def test_a_pool_is_written_and_topped_up_and_no_key_of_it_is_lost(boutre: Boutre, tmp_path: Path) -> None:
    """
    The file is what a connector reads, in the order in which it was drawn; it holds public halves only, and is its owner's.
    """
    boutre("begin")
    path = tmp_path / "out" / "comoros.txt"
    boutre("issue", "comoros", "--count", "2", "--to", str(path))
    pool = FilePool(path, "comoros")
    took = [pool.take().id for _ in range(2)]
    boutre("issue", "comoros", "--count", "3", "--to", str(path), "--add")
    took += [pool.take().id for _ in range(3)]

    assert list(drawn(tmp_path)) == took
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)
    assert [] == [other for other in path.parent.iterdir() if not other.name.startswith("comoros.txt")]
    assert not [secret for secret in drawn(tmp_path).values() if secret in path.read_bytes()]


def test_a_pool_on_stdout_is_the_same_and_can_be_added_to_one(boutre: Boutre, tmp_path: Path) -> None:
    """
    As it is sent over a line: the head with the first, none with what is added.
    """
    boutre("begin")
    path = tmp_path / "comoros.txt"
    path.write_text(boutre("issue", "comoros", "--count", "1").stdout + boutre("issue", "comoros", "--count", "1", "--add").stdout)
    pool = FilePool(path, "comoros")

    assert list(drawn(tmp_path)) == [pool.take().id, pool.take().id]


def test_a_half_written_line_is_cut_off_before_more_is_added(boutre: Boutre, tmp_path: Path) -> None:
    """
    Else the first new key would be glued to it, and no connector could read the file any more.
    """
    boutre("begin")
    path = tmp_path / "comoros.txt"
    boutre("issue", "comoros", "--count", "2", "--to", str(path))
    path.write_text(path.read_text()[:-5])
    boutre("issue", "comoros", "--count", "1", "--to", str(path), "--add")
    pool = FilePool(path, "comoros")
    first, _, last = drawn(tmp_path)

    assert [first, last] == [pool.take().id, pool.take().id]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("issue", "como"), "'como' is no member; there are mauritius"),
        (("issue", "comoros", "--to", "there.txt"), "--add tops it up"),
        (("issue", "comoros", "--to", "missing.txt", "--add"), "without --add it is made"),
        (("issue", "comoros", "--to", "there.txt", "--add"), "it is no pool of this member"),
        (("issue", "comoros", "--count", "0"), "is not in the range"),
        (("retire", "como", "--yes"), "is no member"),
        (("destroy", "K-17", "--yes"), "is no id of a record"),
        (("destroy", RECORD.upper(), "--yes"), "is no id of a record"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_no_key_is_drawn(
    boutre: Boutre, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    """
    Each says what to do; a file that is there stays as it was.
    """
    boutre("begin")
    (tmp_path / "there.txt").write_text("boutre case keys 1 france\n")

    assert said in boutre(*words, status=2).stderr
    assert {} == drawn(tmp_path)
    assert "boutre case keys 1 france\n" == (tmp_path / "there.txt").read_text()


def test_destroying_by_hand_is_asked_for_and_done_and_seen(boutre: Boutre, tmp_path: Path) -> None:
    """
    The keys of that record go; it is told that recipients are not; `show` ends with 1 before and with 0 after.
    """
    boutre("begin")
    boutre("issue", "comoros", "--count", "3")
    one, two, other = drawn(tmp_path)
    with Vault.of(tmp_path / "vault") as vault:
        vault.take(
            [("comoros", RECORD, one), ("comoros", RECORD, two), ("comoros", "x", other)], (), {("national.comoros.alert", 0): 9}
        )
    assert f"{RECORD}: not erased\n" == boutre("show", RECORD, status=1).stdout
    boutre("destroy", RECORD, status=1, said="n\n")
    assert {"record": RECORD, "erased": False} == json.loads(boutre("show", RECORD, "--output", "json", status=1).stdout)

    done = boutre("destroy", RECORD, said="y\n")

    assert {"record": RECORD, "destroyed": 2} == json.loads(done.stdout.splitlines()[-1])
    assert "recipients are told by a recall only" in done.stderr
    assert [bytes(32), bytes(32)] == [drawn(tmp_path)[each] for each in (one, two)]
    assert any(drawn(tmp_path)[other])
    shown = json.loads(boutre("show", RECORD, "--output", "json").stdout)
    assert (True, 2, 0, [None]) == tuple(shown[name] for name in ("erased", "keys_destroyed", "keys_left", "by"))
    assert "by hand; 2 keys destroyed" in boutre("show", RECORD).stdout
    counts = json.loads(boutre("status", "--output", "json").stdout)
    assert {"members": [{"member": "comoros", "waiting": 0, "used": 1, "destroyed": 2}]} | {
        "read": [{"topic": "national.comoros.alert", "partition": 0, "next": 9}]
    } == counts
    table = boutre("status").stdout
    assert "comoros: 0 waiting, 1 in use, 2 destroyed\nnational.comoros.alert, partition 0: read up to 9\n" == table


def test_a_record_that_was_not_seen_is_told_to_wait_and_one_that_is_not_theirs_to_stand(boutre: Boutre, tmp_path: Path) -> None:
    """
    Destroyed before it comes; and a recall by somebody whose record it is not leaves it, which `show` tells.
    """
    boutre("begin")
    boutre("issue", "comoros", "--count", "1")
    (key,) = drawn(tmp_path)
    with Vault.of(tmp_path / "vault") as vault:
        vault.take([("comoros", RECORD, key)], (), {})
        vault.erase([RECORD], member="france")
    said = boutre("show", RECORD, status=1).stdout

    assert "not erased; france asked for it, and it is not theirs; 0 keys destroyed, 1 left" in said
    assert "no key of it was seen yet" in boutre("destroy", RECORD[::-1], "--yes").stderr
    assert "0 keys destroyed" in boutre("show", RECORD[::-1]).stdout


def test_keys_that_were_not_seen_are_retired(boutre: Boutre, tmp_path: Path) -> None:
    """
    And the member is in need of a new pool, which is told.
    """
    boutre("begin")
    boutre("issue", "comoros", "--count", "2")
    done = boutre("retire", "comoros", "--yes")

    assert {"member": "comoros", "destroyed": 2} == json.loads(done.stdout)
    assert "boutre cases issue comoros" in done.stderr
    assert {bytes(32)} == set(drawn(tmp_path).values())


def test_for_development_the_vault_comes_with_the_keys(tmp_path: Path) -> None:
    """
    `boutre keys dev` makes it once, where the settings say, and never anew.
    """
    keys = KeyFolder(tmp_path / "keys", tmp_path / "elsewhere")
    made = keys.development(["comoros"], [])
    again = keys.development(["comoros"], [])

    assert tmp_path / "elsewhere" / "cases.sqlite" in made
    assert [] == again
