"""
`boutre audit` as operators, States and recipients type it, on a log that stands on a disk.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TypeAlias

import pytest
from click.testing import CliRunner, Result

from audit_writer import KEY, RECIPIENTS, codec, frame, name, place, taken
from boutre.ops.audit_command import audit
from boutre.ops.audit_file import FILE
from boutre.ops.audit_proving import prove
from boutre.ops.audit_store import open_store
from boutre.ops.command import main
from boutre.schemas.audit.checkpoint import COSIGNATURE_TYPE, Note, Verifier, cosigned_at
from boutre.schemas.audit.witness import name_of
from boutre.schemas.keys import KeyFolder
from records import ROOT

Boutre: TypeAlias = Callable[..., Result]


@pytest.fixture
def boutre(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Boutre:
    """
    The command, on a bus with keys and a log of thirty receipts.
    """
    keys = KeyFolder(tmp_path / "keys")
    keys.development(["seychelles", "comoros"], RECIPIENTS)
    (tmp_path / "keys" / "audit.key").write_text(KEY.hex(), encoding="ascii")
    with open_store(tmp_path / "state" / "audit", KEY) as store:
        taken(store, range(30))
    monkeypatch.setenv("BOUTRE_KEYS", str(tmp_path / "keys"))
    monkeypatch.setenv("BOUTRE_STATE", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)

    def run(*words: str | Path, status: int = 0) -> Result:
        done = CliRunner().invoke(main, ["--bus", str(ROOT), "audit", *map(str, words)])
        assert status == done.exit_code, done.output
        return done

    return run


def altered(tmp_path: Path) -> None:
    """Flip a byte of an entry."""
    with closing(sqlite3.connect(tmp_path / "state" / "audit" / FILE)) as connection, connection:
        (entry,) = connection.execute("SELECT entry FROM entry WHERE log = 1 AND place = 17").fetchone()
        wrong = bytes([entry[0] ^ 1]) + entry[1:]
        connection.execute("UPDATE entry SET entry = ? WHERE log = 1 AND place = 17", (wrong,))


def grown(tmp_path: Path, count: int) -> None:
    """Let the log grow to so many receipts."""
    with open_store(tmp_path / "state" / "audit", KEY) as store:
        taken(store, range(count))


@pytest.mark.parametrize("command", ["follow", "checkpoint", "list", "witness", "keep", "prove", "verify", "erase"])
def test_every_command_shows_an_example(boutre: Boutre, command: str) -> None:
    """
    Help ends with a line to copy.
    """
    assert f"Example: boutre audit {command}" in boutre(command, "--help").stdout


def test_the_page_names_commands_that_there_are() -> None:
    """
    Each line to copy in docs/audit.md is a command with the options that it has.
    """
    page = (ROOT / "docs" / "audit.md").read_text(encoding="utf-8")
    lines = re.findall(r"^    boutre audit (\w+)(.*?)(?:#.*)?$", page, re.MULTILINE)

    assert {"follow", "list", "checkpoint", "verify", "witness", "keep", "prove", "erase"} == {command for command, _ in lines}
    for command, rest in lines:
        known = {option for each in audit.commands[command].params for option in each.opts}
        assert set(re.findall(r"--[\w-]+", rest)) <= known, command


def test_a_log_that_holds_is_said_to_hold(boutre: Boutre) -> None:
    """
    Each log with its entries; as JSON for machines.
    """
    said = boutre("verify").stdout
    told = json.loads(boutre("verify", "--output", "json").stdout)

    assert ["bus", "rmifc", "rcoc"] == [line.split()[0] for line in said.splitlines()]
    assert 3 == said.count("hold\n")
    assert (True, [], 30) == (told["holds"], told["findings"], told["logs"]["bus"]["entries"])


def test_a_flipped_byte_ends_with_status_1_and_is_named(boutre: Boutre, tmp_path: Path) -> None:
    """
    The log and the place are named; the logs of recipients still hold by themselves.
    """
    altered(tmp_path)

    said = boutre("verify", status=1).stdout
    told = json.loads(boutre("verify", "--output", "json", status=1).stdout)

    assert "bus: entry 17: is not what the tree was made of" in said
    assert [(False, "bus", 17)] == [(told["holds"], one["log"], one["place"]) for one in told["findings"]]
    boutre("verify", "--log", "rcoc")


def test_a_file_that_is_no_file_of_a_log_is_said_to_be_damaged(boutre: Boutre, tmp_path: Path) -> None:
    """
    Pages that SQLite cannot read end with status 1 and a sentence, not with a traceback.
    """
    path = tmp_path / "state" / "audit" / FILE
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))

    assert "damaged" in boutre("verify", status=1).stderr


def test_a_checkpoint_goes_to_a_witness_and_comes_back(boutre: Boutre, tmp_path: Path) -> None:
    """
    Signed, witnessed, kept; grown, proved from there, witnessed again; the list says who has seen how much.
    """
    Path("one").write_text(boutre("checkpoint", "rcoc").stdout, encoding="utf-8")
    Path("two").write_text(boutre("witness", "one", "--member", "seychelles").stdout, encoding="utf-8")
    assert "cosigned by seychelles at 2" in boutre("keep", "two").stderr
    grown(tmp_path, 60)
    Path("three").write_text(boutre("checkpoint", "rcoc", "--since", "10").stdout, encoding="utf-8")
    Path("four").write_text(boutre("witness", "three", "--member", "seychelles").stdout, encoding="utf-8")
    boutre("keep", "four")

    rows = json.loads(boutre("list", "--output", "json").stdout)
    assert {"log": "rcoc", "entries": 20, "signed": 20, "witnessed": {"seychelles": 20}} in rows
    assert "20 entries, 20 signed, witnessed by seychelles 20" in boutre("list").stdout
    boutre("verify", "--checkpoint", "two", "--checkpoint", "three")
    told = json.loads(boutre("checkpoint", "rcoc", "--output", "json").stdout)
    assert (20, Path("four").read_text(encoding="utf-8")) == (told["size"], told["note"])
    assert told["key"].startswith(told["origin"] + "+")


def test_a_witness_refuses_a_rollback_in_a_sentence(boutre: Boutre, tmp_path: Path) -> None:
    """
    A checkpoint of fewer entries than were cosigned: status 1, what happened, and where the evidence is.
    """
    Path("before").write_text(boutre("checkpoint").stdout, encoding="utf-8")
    grown(tmp_path, 60)
    Path("after").write_text(boutre("checkpoint").stdout, encoding="utf-8")
    boutre("witness", "after", "--member", "comoros")

    said = boutre("witness", "before", "--member", "comoros", status=1)

    assert "" == said.stdout
    assert "has cosigned 60 entries, and the bus now signs 30: a rollback" in said.stderr
    assert [path.name for path in (tmp_path / "state" / "witness" / "comoros").glob("bus.contradiction.*")]


def test_a_log_that_was_cut_off_is_found_by_what_a_state_kept(boutre: Boutre, tmp_path: Path) -> None:
    """
    The log holds in itself; with the checkpoint of a State it does not.
    """
    folder = tmp_path / "state" / "audit"
    saved = (folder / FILE).read_bytes()
    grown(tmp_path, 60)
    Path("kept").write_text(boutre("checkpoint").stdout, encoding="utf-8")
    for path in folder.glob(f"{FILE}*"):
        path.unlink()
    (folder / FILE).write_bytes(saved)

    boutre("verify")
    assert "60 entries were signed, 30 are there" in boutre("verify", "--checkpoint", "kept", status=1).stdout


def test_a_proof_is_read_without_log_and_kafka(boutre: Boutre, tmp_path: Path) -> None:
    """
    What a recipient is handed proves, with the bus's public key alone, what it was given; altered, it proves nothing.
    """
    for log in ("bus", "rcoc"):
        boutre("checkpoint", log)

    def fetch(partition: int, offset: int) -> bytes | None:
        return next(frame(number) for number in range(30) if place(number) == (partition, offset))

    with open_store(tmp_path / "state" / "audit") as store:
        for identifier in (name("v", 4), name("r", 4)):
            proof = prove(store, KEY, codec(), fetch, identifier=identifier)
            Path(identifier).write_text(proof.write(), encoding="utf-8")
    (tmp_path / "state").rename(tmp_path / "elsewhere")

    told = json.loads(boutre("verify", "--proof", name("v", 4), "--output", "json").stdout)
    assert (name("v", 4), "rcoc", 10) == (told["opens"]["view"], told["opens"]["recipient"], told["size"])
    assert "record" not in told["opens"]
    assert f"record       {name('a', 2)}" in boutre("verify", "--proof", name("r", 4)).stdout
    text = Path(name("v", 4)).read_text(encoding="utf-8")
    Path("altered").write_text(text.replace("index 1", "index 3"), encoding="utf-8")
    assert "does not stand at 3" in boutre("verify", "--proof", "altered", status=1).stderr


def test_an_entry_is_erased_once_and_the_log_holds(boutre: Boutre) -> None:
    """
    It asks first; a second time there is nothing to erase.
    """
    assert "Aborted" in boutre("erase", name("r", 4), status=1).output
    assert "2 entries can no longer be opened" in boutre("erase", name("r", 4), "--yes").stderr
    assert "was erased before" in boutre("erase", name("r", 4), "--yes", status=1).stderr
    boutre("verify")


def test_without_the_key_of_the_salts_no_other_one_is_made(boutre: Boutre, tmp_path: Path) -> None:
    """
    A lost key is told; a new one in its place would open nothing that there is.
    """
    (tmp_path / "keys" / "audit.key").unlink()

    assert "without it no entry can be opened" in boutre("follow", "--once", status=2).stderr
    assert not (tmp_path / "keys" / "audit.key").exists()


def test_only_a_bus_that_is_believed_signs(boutre: Boutre, tmp_path: Path) -> None:
    """
    With a revoked key nothing is signed, nothing that it signed is cosigned, and the log can still be looked through.
    """
    Path("note").write_text(boutre("checkpoint").stdout, encoding="utf-8")
    keys = KeyFolder(tmp_path / "keys")
    keys.revoke(next(iter(keys.bus_keyring().keys)))

    boutre("checkpoint", status=2)
    assert "not signed by a key of the bus that is in force" in boutre("witness", "note", "--member", "comoros", status=1).stderr
    boutre("verify")


def test_what_cannot_be_used_is_named(boutre: Boutre) -> None:
    """
    Logs that are not there, files that are none: status 2 for what was typed, 1 for what proves nothing.
    """
    Path("binary").write_bytes(b"\xff\xfe")

    assert "there are: bus, rmifc, rcoc" in boutre("verify", "--log", "france", status=2).stderr
    assert "there are: bus, rmifc, rcoc" in boutre("checkpoint", "france", status=2).stderr
    assert "holds no text" in boutre("witness", "binary", "--member", "comoros", status=1).stderr
    assert "nothing proves how 31 begin" in boutre("checkpoint", "--since", "31", status=1).stderr
    assert "does not exist" in boutre("list", "--folder", "nowhere", status=2).stderr


def test_a_cosignature_is_under_the_name_of_its_state(boutre: Boutre, tmp_path: Path) -> None:
    """
    What a State hands back can be proved with its public key by anybody.
    """
    Path("note").write_text(boutre("checkpoint").stdout, encoding="utf-8")
    cosigned = Note.read(boutre("witness", "note", "--member", "comoros").stdout)
    ring = KeyFolder(tmp_path / "keys").keyring()

    assert [name_of("comoros")] == [one.name for one in cosigned.signatures[1:]]
    public = next(key for member, key in ring.keys.values() if member == "comoros")
    assert cosigned_at(cosigned, Verifier(name_of("comoros"), COSIGNATURE_TYPE, public))
