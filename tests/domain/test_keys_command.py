"""
``boutre keys``: made where they are used, handed over as rows, rotated and revoked; nothing secret is shown, nothing written over.
"""

from __future__ import annotations

import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from boutre.ops.command import main
from boutre.schemas.keys import KeyFolder


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A folder of keys that is this test's own, and no bus around it."""
    monkeypatch.chdir(tmp_path)


def boutre(folder: Path, *arguments: str) -> Result:
    """Run the command on a folder of keys."""
    return CliRunner().invoke(main, ["keys", *arguments], env={"BOUTRE_KEYS": str(folder)})


def good(result: Result) -> str:
    """What a command that went well printed."""
    assert 0 == result.exit_code, result.stderr
    return result.stdout


def ids(folder: Path) -> dict[str, bool]:
    """All listed ids, and whether they are revoked."""
    return {row["id"]: row["revoked"] for row in json.loads(good(boutre(folder, "list", "--output", "json")))}


def private(folder: Path) -> list[Path]:
    """All private keys of a folder."""
    return sorted(path for path in folder.rglob("*") if path.suffix in {".pem", ".key"})


@pytest.mark.parametrize(
    "whose", [("--member", "comoros"), ("--recipient", "rcoc"), ("--recipient", "rcoc", "--suite", "MLKEM768-X25519"), ("--bus",)]
)
def test_a_key_is_made_listed_and_printed(tmp_path: Path, whose: tuple[str, ...]) -> None:
    """
    The private key is its owner's to read, the public row goes to stdout as it stands in the list, and no secret is printed.
    """
    keys = tmp_path / "keys"
    made = boutre(keys, "make", *whose)
    (path,) = private(keys)
    (listed,) = keys.glob("*.toml")

    assert good(made) == listed.read_text(encoding="utf-8")
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)
    assert [] == [line for line in path.read_text().splitlines() if "PRIVATE" not in line and line in made.output]
    assert [False] == list(ids(keys).values())
    assert made.stdout == good(boutre(keys, "publish", *whose[:2]))


@pytest.mark.parametrize("whose", [("--member", "comoros"), ("--recipient", "rcoc"), ("--bus",)])
def test_a_key_is_never_written_over(tmp_path: Path, whose: tuple[str, ...]) -> None:
    """
    Made a second time it is refused, and every file is as it was.
    """
    keys = tmp_path / "keys"
    good(boutre(keys, "make", *whose))
    before = {path: path.read_bytes() for path in keys.rglob("*") if path.is_file()}
    again = boutre(keys, "make", *whose)

    assert 2 == again.exit_code
    assert "boutre keys rotate" in again.stderr
    assert before == {path: path.read_bytes() for path in keys.rglob("*") if path.is_file()}


@pytest.mark.parametrize("whose", [("--member", "comoros"), ("--recipient", "rcoc"), ("--bus",)])
def test_rotated_there_are_two_and_the_old_one_is_kept(tmp_path: Path, whose: tuple[str, ...]) -> None:
    """
    The new one is listed beside the old one, and both private keys are there: nothing that was signed or sealed is lost.
    """
    keys = tmp_path / "keys"
    good(boutre(keys, "make", *whose))
    (old,) = private(keys)
    content = old.read_bytes()
    row = good(boutre(keys, "rotate", *whose))

    assert [False, False] == list(ids(keys).values())
    assert 1 == row.count("[[key]]")
    assert 2 == len(private(keys))
    assert content in [path.read_bytes() for path in private(keys)]
    third = good(boutre(keys, "rotate", *whose))
    assert 3 == len(private(keys)) == len(ids(keys))
    assert third != row


def test_a_row_is_handed_over_from_one_machine_to_another(tmp_path: Path) -> None:
    """
    A recipient makes its key at home, the bus gets its public row and nothing else; handed over twice it is there once.
    """
    home, bus = tmp_path / "home", tmp_path / "bus"
    good(boutre(home, "make", "--recipient", "rcoc"))
    for _ in range(2):
        good(boutre(home, "publish", "--recipient", "rcoc", "--into", str(bus)))
    (row,) = KeyFolder(bus).recipient_rows()

    assert [] == private(bus)
    assert KeyFolder(bus).sealing_keys().at("rcoc", datetime.now(UTC)) == row.id
    assert KeyFolder(home).opening_key("rcoc", row.id) is not None


def test_the_newest_key_in_force_is_sealed_for(tmp_path: Path) -> None:
    """
    A key that begins later waits for its day; from then on it is taken, until it is revoked.
    """
    keys = tmp_path / "keys"
    now = datetime.now(UTC)
    later = (now + timedelta(days=10)).date().isoformat()
    good(boutre(keys, "make", "--recipient", "rcoc"))
    (first,) = ids(keys)
    good(boutre(keys, "rotate", "--recipient", "rcoc", "--from", later, "--suite", "MLKEM768-X25519"))
    (second,) = ids(keys).keys() - {first}
    moments = (now, now + timedelta(days=9), now + timedelta(days=11), now + timedelta(days=735))
    found = [KeyFolder(keys).sealing_keys().at("rcoc", moment) for moment in moments]
    good(boutre(keys, "revoke", second))

    assert [first, first, second, second] == found
    assert first == KeyFolder(keys).sealing_keys().at("rcoc", moments[2])
    assert {first: False, second: True} == ids(keys)


def test_the_list_says_which_keys_are_in_force(tmp_path: Path) -> None:
    """
    Ended, revoked, in force, not yet: whoever looks sees in time that the next key is missing.
    """
    keys = tmp_path / "keys"
    today = datetime.now(UTC).date()
    days = {"ended": (-10, 0), "in force": (0, 1), "not yet in force": (1, 2), "revoked": (-1, 9)}
    for first, last in days.values():
        terms = ("--from", str(today + timedelta(days=first)), "--until", str(today + timedelta(days=last)))
        good(boutre(keys, "rotate", "--recipient", "rcoc", *terms))
    good(boutre(keys, "revoke", list(KeyFolder(keys).recipient_rows())[3].id))
    rows = {row["id"]: row["state"] for row in json.loads(good(boutre(keys, "list", "--output", "json")))}

    assert list(days) == [rows[row.id] for row in KeyFolder(keys).recipient_rows()]
    assert set(days) == {line.split("  ")[-1] for line in good(boutre(keys, "list")).splitlines()}


@pytest.mark.parametrize("name", ["bus.toml", "recipients.toml", "members.toml"])
def test_revoking_leaves_all_else_as_it_was(tmp_path: Path, name: str) -> None:
    """
    One row says so, whether it said anything of it before; comments and other rows stay to the byte.
    """
    keys = tmp_path / "keys"
    folder = KeyFolder(keys)
    folder.development(["comoros", "france"], ["rmifc", "rcoc"])
    path = keys / name
    path.write_text("# by hand\n" + path.read_text(encoding="utf-8").replace("revoked = false\n", "", 1), encoding="utf-8")
    before = path.read_text(encoding="utf-8")
    identifiers = [line.split('"')[1] for line in before.splitlines() if line.startswith("id = ")]
    good(boutre(keys, "revoke", identifiers[0]))
    after = path.read_text(encoding="utf-8")

    assert {identifiers[0]} == {name for name, off in ids(keys).items() if off}
    assert before == after.replace("revoked = true\n", "", 1)
    good(boutre(keys, "revoke", identifiers[0]))
    assert after == path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("make",), "say exactly one of them"),
        (("make", "--bus", "--member", "comoros"), "say exactly one of them"),
        (("make", "--member", "../comoros"), "is no name"),
        (("make", "--recipient", "rcoc", "--from", "2027-01-01", "--until", "2027-01-01"), "or on that day"),
        (("rotate", "--bus"), "bus.pem: does not exist"),
        (("rotate", "--member", "comoros"), "comoros.pem: does not exist"),
        (("publish", "--recipient", "rcoc"), "boutre keys make makes one"),
        (("publish", "--bus"), "bus.toml: does not exist"),
        (("revoke", "0123456789abcdef"), "no list has a key"),
        (("list",), "has no list of public keys"),
    ],
)
def test_what_cannot_be_done_is_told(tmp_path: Path, arguments: tuple[str, ...], told: str) -> None:
    """
    With status 2, what is wrong and what to do; and nothing is made.
    """
    result = boutre(tmp_path / "keys", *arguments)

    assert 2 == result.exit_code
    assert told in result.stderr
    assert [] == list(tmp_path.rglob("*"))


def test_what_is_handed_over_is_proved_first(tmp_path: Path) -> None:
    """
    A row that is no key is not taken, and the list stays as it was.
    """
    home, bus = tmp_path / "home", tmp_path / "bus"
    good(boutre(home, "make", "--recipient", "rcoc"))
    good(boutre(home, "publish", "--recipient", "rcoc", "--into", str(bus)))
    before = (bus / "recipients.toml").read_bytes()
    listed = home / "recipients.toml"
    good(boutre(home, "rotate", "--recipient", "rcoc"))
    text = listed.read_text(encoding="utf-8")
    listed.write_text(text[:-60].replace('public = "', 'public = "AAAA', 2) + text[-60:], encoding="utf-8")
    result = boutre(home, "publish", "--recipient", "rcoc", "--into", str(bus))

    assert 2 == result.exit_code
    assert "is not the base64" in result.stderr
    assert before == (bus / "recipients.toml").read_bytes()
