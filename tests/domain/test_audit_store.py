"""
The audit log on its disk: each receipt once whatever ends the process, and nothing altered unseen.
"""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit_writer import KEY, RECIPIENTS, codec, commitment, frame, name, place, taken
from boutre.errors import BusError, DeclarationError, Unavailable
from boutre.ops.audit_compare import compare
from boutre.ops.audit_file import FILE, Damaged, alone
from boutre.ops.audit_follow import items
from boutre.ops.audit_proving import cosigners, keep, prove, sign, since, verify
from boutre.ops.audit_store import Store, open_store
from boutre.ops.audit_witness import WitnessFolder
from boutre.schemas.audit.checkpoint import Checkpoint, Note, NotProved, Signature, opened
from boutre.schemas.audit.entry import BUS
from boutre.schemas.audit.examine import Finding
from boutre.schemas.audit.papers import Extension, Inclusion
from boutre.schemas.audit.witness import Contradicted
from boutre.schemas.signature import Keyring, key_id

WRITER: Final = Path(__file__).parents[1] / "audit_writer.py"
PRIVATE: Final = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
NEXT: Final = Ed25519PrivateKey.from_private_bytes(bytes(range(2, 34)))
KEYS: Final = (PRIVATE.public_key(),)
STATE: Final = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
MEMBERS: Final = Keyring({key_id(STATE.public_key()): ("seychelles", STATE.public_key())})
NOW: Final = 1_800_000_000


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """
    A log of thirty receipts.
    """
    with open_store(tmp_path / "audit", KEY) as made:
        taken(made, range(30))
        yield made


def findings(store: Store, *shown: Note) -> list[Finding]:
    """What does not fit in any of its logs."""
    return list(verify(store, store.sizes(), shown, KEYS, KEYS))


def fetch(partition: int, offset: int) -> bytes | None:
    """A receipt from where it stood."""
    return next(frame(number) for number in range(1000) if place(number) == (partition, offset))


def proved(store: Store, identifier: str, log: str | None = None) -> Inclusion:
    """A proof as it comes out of its file."""
    return Inclusion.read(prove(store, KEY, codec(), fetch, identifier=identifier, log=log).write())


def altered(folder: Path, statement: str, *values: object) -> None:
    """Do something to the file behind the log's back."""
    with closing(sqlite3.connect(folder / FILE)) as connection, connection:
        assert connection.execute(statement, values).rowcount


def test_each_recipient_has_a_log_of_its_own_deliveries_alone(store: Store) -> None:
    """
    Thirty receipts, of which two of three were delivered: all in the bus's log, and each delivery in its recipient's.
    """
    assert {BUS: 30, "rcoc": 10, "rmifc": 10} == store.sizes()
    assert {0: 15, 1: 15} == store.positions()
    assert [] == findings(store)


def test_what_others_got_leaves_no_trace_in_a_recipients_log(tmp_path: Path) -> None:
    """
    With or without the receipts of everybody else, a recipient's log has the same size, and the same is in it.
    """
    mine = [number for number in range(40) if RECIPIENTS[number % 2] == "rcoc" and number % 3]
    for folder, numbers in (("all", range(40)), ("mine", mine)):
        with open_store(tmp_path / folder, KEY) as made:
            taken(made, numbers)
            sign(made, "rcoc", PRIVATE)
            assert len(mine) == made.sizes()["rcoc"]
            opened_by = [proved(made, name("v", number)).opening for number in mine]
            assert [each.content for each in opened_by if each] == [
                b'{"agreements":["rcoc-coordination@1"],"commitment":"%s","kind":"sighting","policy":"pppppppppppppppp",'
                b'"recipient":"rcoc","topic":"for.rcoc.sighting","view":"%s"}'
                % (commitment(number).hex().encode(), name("v", number).encode())
                for number in mine
            ]


def test_a_receipt_that_comes_again_is_not_taken_again(store: Store) -> None:
    """
    Whoever reads from before the position brings nothing new; what comes after it is taken.
    """
    assert 0 == taken(store, range(30))
    assert 3 == taken(store, range(28, 32))
    assert 32 == store.sizes()[BUS]
    assert [] == findings(store)


def test_what_cannot_be_read_is_an_entry_all_the_same(store: Store) -> None:
    """
    Bytes that are no receipt are committed to under the name of their place, and stop nothing.
    """
    for offset, content in enumerate((b"", b"\0nothing", None), 15):
        store.append(KEY, items(codec(), 0, offset, content), {0: offset + 1})

    assert 33 == store.sizes()[BUS]
    assert [] == findings(store)


def test_a_writer_that_is_killed_leaves_whole_transactions(tmp_path: Path) -> None:
    """
    Killed with -9 again and again in the middle of writing: each receipt that the position counts is in once, and all fits.
    """
    folder = tmp_path / "audit"
    seen = 0
    for kill in range(6):
        with subprocess.Popen([sys.executable, WRITER, folder], stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            # Another number of transactions each time, and then in the middle of one.
            assert writer.stdout.read(3 + 5 * kill)
            writer.kill()
        with open_store(folder) as made:
            count = sum(made.positions().values())
            assert count > seen
            assert count % 7 == 0
            assert count == made.sizes()[BUS]
            assert count - len(range(0, count, 3)) == made.sizes()["rcoc"] + made.sizes()["rmifc"]
            assert [] == findings(made)
            seen = count


def test_a_torn_tail_is_cut_off_and_comes_again(tmp_path: Path) -> None:
    """
    What was written last is cut anywhere, or a byte of it is wrong: whole transactions stand, and the rest is taken anew.
    """
    folder = tmp_path / "audit"
    with open_store(folder, KEY) as made:
        for first in range(0, 35, 7):
            taken(made, range(first, first + 7))
        files = {path.name: path.read_bytes() for path in folder.iterdir()}
    tail = files[f"{FILE}-wal"]
    assert len(tail) > 10_000
    stood = set()
    for number, cut in enumerate([*range(0, len(tail), len(tail) // 23), len(tail) - 1]):
        torn = tmp_path / f"torn-{number}"
        torn.mkdir()
        (torn / FILE).write_bytes(files[FILE])
        broken = tail[:cut] if number % 2 else tail[:cut] + bytes([tail[cut] ^ 0x40]) + tail[cut + 1 :]
        (torn / f"{FILE}-wal").write_bytes(broken)
        with open_store(torn, KEY) as made:
            count = sum(made.positions().values())
            assert count % 7 == 0
            assert (count or None) == made.sizes().get(BUS)
            assert [] == findings(made)
            stood.add(count)
            taken(made, range(35))
            assert 35 == made.sizes()[BUS]
            assert [] == findings(made)
    assert len(stood) > 2


def test_one_follower_is_enough(tmp_path: Path) -> None:
    """
    A second one is kept out, until the first has gone.
    """
    with alone(tmp_path), pytest.raises(Unavailable, match="one is enough"), alone(tmp_path):
        pass
    with alone(tmp_path):
        pass


def test_another_key_salts_nothing(store: Store, tmp_path: Path) -> None:
    """
    A log is not gone on with under another key, whose salts nobody could make again.
    """
    assert store.sizes()
    with pytest.raises(DeclarationError, match="under another audit"), open_store(tmp_path / "audit", KEY[::-1]):
        pass


def test_no_log_is_begun_by_looking(tmp_path: Path) -> None:
    """
    Who only reads is told where the log should be.
    """
    with pytest.raises(DeclarationError, match="boutre audit follow begins the log"), open_store(tmp_path):
        pass
    (tmp_path / FILE).write_bytes(b"This is no log. " * 100)
    with pytest.raises(Damaged, match="damaged"), open_store(tmp_path):
        pass


# --- What is done behind the log's back -----------------------------------------------------------------------------------------

MISDEEDS: Final = {
    "flip": "UPDATE entry SET entry = ?2 WHERE log = 1 AND place = ?1",
    "drop": "DELETE FROM entry WHERE log = 1 AND place = ?1 AND ?2 IS NOT NULL",
    "truncate": "DELETE FROM entry WHERE log = 1 AND place >= ?1 AND ?2 IS NOT NULL",
    "flip a node": "UPDATE node SET hash = ?2 WHERE log = 1 AND number = ?1",
    "drop a node": "DELETE FROM node WHERE log = 1 AND number = ?1 AND ?2 IS NOT NULL",
    "add": "INSERT INTO entry VALUES (1, 30 + ?1, ?2, NULL, NULL, NULL, NULL, NULL)",
    "size": "UPDATE log SET size = ?1 WHERE number = 1 AND ?2 IS NOT NULL",
}


@pytest.mark.parametrize("place", [0, 1, 17, 28, 29])
@pytest.mark.parametrize("what", MISDEEDS)
def test_whatever_is_done_to_the_file_is_found(store: Store, tmp_path: Path, what: str, place: int) -> None:
    """
    By the nodes alone, before anything was signed: the log and the place are named, and the other logs hold.
    """
    altered(tmp_path / "audit", MISDEEDS[what], place, bytes(32))

    found = findings(store)
    assert found
    assert {BUS} == {one.log for one in found}
    if what in {"flip", "drop", "truncate"}:
        assert place == found[0].place


def test_two_entries_that_changed_places_are_found(store: Store, tmp_path: Path) -> None:
    """
    Exactly the two are named.
    """
    (_, one), (_, other) = list(store.entries(BUS))[3], list(store.entries(BUS))[20]
    altered(tmp_path / "audit", MISDEEDS["flip"], 3, other)
    altered(tmp_path / "audit", MISDEEDS["flip"], 20, one)

    assert [3, 20] == [each.place for each in findings(store)]


def test_a_checkpoint_that_was_altered_is_found(store: Store, tmp_path: Path) -> None:
    """
    What is kept as a checkpoint and is none that the bus signed, or one of another log or size, is named.
    """
    text = sign(store, BUS, PRIVATE).write()
    other = sign(store, "rcoc", PRIVATE).write()
    for wrong in (text.replace("\n30\n", "\n29\n"), "nothing", other):
        altered(tmp_path / "audit", "UPDATE checkpoint SET note = ? WHERE log = 1", wrong)
        assert [BUS] == [each.log for each in findings(store)]
    altered(tmp_path / "audit", "UPDATE checkpoint SET note = ? WHERE log = 1", text)
    assert [] == findings(store)


def forged(folder: Path, count: int) -> Store:
    """Another log under the same name: as whoever holds the disk and the key of salts can make one."""
    with open_store(folder / "audit") as true, open_store(folder / "forged", KEY) as made:
        taken(made, range(count))
        altered(folder / "forged", "UPDATE about SET identity = ?", true.identity)
        return Store(sqlite3.connect(folder / "forged" / FILE, isolation_level=None), true.identity)


def test_a_forged_log_fits_itself_and_not_what_others_have_kept(store: Store, tmp_path: Path) -> None:
    """
    A log that was made anew whole holds in itself; a checkpoint that somebody kept says that it is a fork, or was cut off.
    """
    note = sign(store, BUS, PRIVATE)
    for count, what in (
        (30, "are not those that were signed"),
        (33, "are not those that were signed"),
        (20, "30 entries were signed"),
    ):
        forgery = forged(tmp_path, count)
        assert [] == findings(forgery)
        found = findings(forgery, note)
        assert found
        assert what in found[0].what
        forgery._connection.close()
        shutil.rmtree(tmp_path / "forged")


def test_nothing_is_signed_over_a_fork(store: Store, tmp_path: Path) -> None:
    """
    A log that no longer begins with what was signed last gets no other signature, and cosigned checkpoints of it are not kept.
    """
    note = sign(store, BUS, PRIVATE)
    forgery = forged(tmp_path, 30)
    altered(tmp_path / "forged", "INSERT INTO checkpoint VALUES (1, 30, ?)", note.write())

    with closing(forgery._connection):
        with pytest.raises(Contradicted, match="no longer begins with the 30"):
            sign(forgery, BUS, PRIVATE)
        with pytest.raises(Contradicted, match="not those here"):
            keep(forgery, note, KEYS, MEMBERS)


def compared(store: Store, receipts: list[tuple[int, int, bytes | None]], lows: dict[int, int] | None = None) -> list[str]:
    """What does not fit between the log and these receipts."""
    return [str(one) for one in compare(store, KEY, codec(), lows or {0: 0, 1: 0}, receipts)]


def test_the_log_is_held_against_the_receipts(store: Store) -> None:
    """
    All of them fit; one that was altered, one that was never logged and one that is gone are told.
    """
    receipts: list[tuple[int, int, bytes | None]] = [(*place(number), frame(number)) for number in range(30)]
    assert [] == compared(store, receipts)

    other = frame(4).replace(b"comoros", b"mayotte")
    assert other != frame(4)
    wrong = [one if one[2] != frame(4) else (*one[:2], other) for one in receipts]
    assert ["bus: entry 4: its receipt on Kafka is not the one that it was made of"] == compared(store, wrong)
    assert ["bus: 1 entries are of receipts that are not on Kafka", "rcoc: 1 entries are of receipts that are not on Kafka"] == (
        compared(store, [one for one in receipts if one[2] != frame(4)])
    )
    assert [] == compared(store, receipts[6:], {0: 3, 1: 3}), "what Kafka keeps no longer is not missing"
    assert ["bus: 1 receipts on Kafka have no entry, the first at partition 0, offset 15"] == (
        compared(store, [*receipts, (0, 15, frame(33))])
    )


def test_a_receipt_whose_entries_were_erased_is_not_missing(store: Store) -> None:
    """
    As many receipts may be without an entry as were erased, and no more.
    """
    receipts: list[tuple[int, int, bytes | None]] = [(*place(number), frame(number)) for number in range(30)]
    store.erase(name("r", 4))

    assert [] == compared(store, receipts)
    assert ["bus: 2 receipts on Kafka have no entry, the first at partition 0, offset 2"] == (
        compared(store, [*receipts, (0, 15, frame(33))])
    )


def test_a_log_is_looked_through_while_it_grows(store: Store, tmp_path: Path) -> None:
    """
    What a follower adds meanwhile is not taken for wrong.
    """
    with open_store(tmp_path / "audit") as reader, reader.still():
        sizes = reader.sizes()
        taken(store, range(30, 60))
        assert sizes == reader.sizes()
        assert [] == findings(reader)
    assert 60 == store.sizes()[BUS]


def test_no_value_of_a_receipt_stands_in_the_file(store: Store, tmp_path: Path) -> None:
    """
    The record, its member, the policy, the agreements and the commitment are committed to and not written down.
    """
    sign(store, BUS, PRIVATE)
    content = b"".join(path.read_bytes() for path in (tmp_path / "audit").iterdir())

    assert name("r", 4).encode() in content
    assert not [one for one in (name("a", 2), "comoros", "p" * 16, "rcoc-coordination") if one.encode() in content]
    assert commitment(4) not in content
    assert commitment(4).hex().encode() not in content


# --- Signing, witnessing, proving -----------------------------------------------------------------------------------------------


def test_a_state_witnesses_a_log_as_it_grows(store: Store, tmp_path: Path) -> None:
    """
    Signed, cosigned, kept, grown, proved from there, cosigned again; what the State kept holds against the log.
    """
    witness = WitnessFolder(tmp_path / "witness", "seychelles")
    first = witness.cosign(Extension(0, (), sign(store, "rcoc", PRIVATE)), KEYS, STATE, NOW)
    assert {"seychelles": NOW} == keep(store, first, KEYS, MEMBERS)

    taken(store, range(30, 60))
    shown = Extension.read(since(store, sign(store, "rcoc", PRIVATE), 10).write())
    second = witness.cosign(shown, KEYS, STATE, NOW + 1)
    keep(store, second, KEYS, MEMBERS)

    assert second == witness.last("rcoc")
    assert [10, 20] == [size for size, _ in store.notes("rcoc")]
    assert second == Note.read(store.notes("rcoc")[1][1])
    assert second == sign(store, "rcoc", PRIVATE)
    assert [] == findings(store, first, second)


def test_lines_of_strangers_are_neither_kept_nor_passed_on(store: Store, tmp_path: Path) -> None:
    """
    A note may carry signatures of keys that nobody knows; what is kept holds those of the bus and of the members alone.
    """
    note = sign(store, BUS, PRIVATE)
    junk = Signature("boutre.witness/nobody", b"1234", bytes(72))
    crowded = Note(note.text, (*(replace(junk, made=bytes([at]) * 72) for at in range(250)), *note.signatures))

    cosigned = WitnessFolder(tmp_path / "witness", "seychelles").cosign(Extension(0, (), crowded), KEYS, STATE, NOW)
    assert [store.origin(BUS), "boutre.witness/seychelles"] == [one.name for one in cosigned.signatures]
    keep(store, Note(note.text, (*crowded.signatures, *cosigned.signatures)), KEYS, MEMBERS)
    assert cosigned == Note.read(store.notes(BUS)[0][1])


def test_a_rotated_key_signs_again_what_was_cosigned(store: Store, tmp_path: Path) -> None:
    """
    The bus signs the same entries by its new key, and who has cosigned them is still there.
    """
    cosigned = WitnessFolder(tmp_path / "witness", "seychelles").cosign(
        Extension(0, (), sign(store, BUS, PRIVATE)), KEYS, STATE, NOW
    )
    keep(store, cosigned, KEYS, MEMBERS)

    again = sign(store, BUS, NEXT)
    assert again == Note.read(store.notes(BUS)[0][1])
    assert opened(again, [NEXT.public_key()]) == opened(again, KEYS)
    assert {"seychelles": NOW} == cosigners(again, MEMBERS)
    later = Keyring({**MEMBERS.keys, key_id(NEXT.public_key()): ("seychelles", NEXT.public_key())})
    assert {"seychelles": NOW} == cosigners(again, later), "a member whose key was rotated as well"


def test_a_witness_keeps_the_evidence_of_a_fork(store: Store, tmp_path: Path) -> None:
    """
    A rollback and a fork are refused; the State has both checkpoints, each signed by the bus, and cosigns the true log as before.
    """
    witness = WitnessFolder(tmp_path / "witness", "seychelles")
    true = witness.cosign(Extension(0, (), sign(store, BUS, PRIVATE)), KEYS, STATE, NOW)
    for second, count in enumerate((20, 30, 40)):
        forgery = forged(tmp_path, count)
        with closing(forgery._connection):
            note = sign(forgery, BUS, PRIVATE)
            old = min(count, 30)
            with pytest.raises(Contradicted, match="they are the evidence"):
                witness.cosign(since(forgery, note, old), KEYS, STATE, NOW + second)
        kept = Note.read((tmp_path / "witness" / f"bus.contradiction.{NOW + second}.note").read_text(encoding="utf-8"))
        assert count == opened(kept, KEYS).size
        shutil.rmtree(tmp_path / "forged")

    assert true == witness.last(BUS)
    taken(store, range(30, 40))
    assert 40 == Checkpoint.read(witness.cosign(since(store, sign(store, BUS, PRIVATE), 30), KEYS, STATE, NOW).text).size


def test_a_log_begun_anew_is_cosigned_only_on_demand(store: Store, tmp_path: Path) -> None:
    """
    Another identity is refused until the operators have explained it; the last checkpoint of the old log is kept.
    """
    witness = WitnessFolder(tmp_path / "witness", "seychelles")
    old = witness.cosign(Extension(0, (), sign(store, BUS, PRIVATE)), KEYS, STATE, NOW)
    with open_store(tmp_path / "new", KEY) as anew:
        taken(anew, range(5))
        shown = Extension(0, (), sign(anew, BUS, PRIVATE))
        with pytest.raises(NotProved, match="begun anew"):
            witness.cosign(shown, KEYS, STATE, NOW)
        assert old == witness.last(BUS)
        witness.cosign(shown, KEYS, STATE, NOW + 1, begun_anew=True)
    assert old == Note.read((tmp_path / "witness" / f"bus.begun-anew.{NOW + 1}.note").read_text(encoding="utf-8"))


def test_a_witness_whose_memory_is_damaged_cosigns_nothing(store: Store, tmp_path: Path) -> None:
    """
    A witness that does not know what it saw must not take anything for the first.
    """
    witness = WitnessFolder(tmp_path / "witness", "seychelles")
    shown = Extension(0, (), sign(store, BUS, PRIVATE))
    witness.cosign(shown, KEYS, STATE, NOW)
    (tmp_path / "witness" / "bus.note").write_text("", encoding="utf-8")

    with pytest.raises(DeclarationError, match="bring it back from its backup"):
        witness.cosign(shown, KEYS, STATE, NOW)


def test_a_witness_writes_nowhere_else(store: Store, tmp_path: Path) -> None:
    """
    The name of a log is the name of a file: one that leads elsewhere is refused before anything is read or written.
    """
    witness = WitnessFolder(tmp_path / "witness", "seychelles")
    text = sign(store, BUS, PRIVATE).text

    for log in ("..", ".", "", "a\u2028b", "bus.note"):
        with pytest.raises(NotProved):
            witness.cosign(Extension(0, (), Note(text.replace("/bus\n", f"/{log}\n"), ())), KEYS, STATE, NOW)
    assert not (tmp_path / "witness").exists()


@pytest.mark.parametrize("number", [1, 2, 14, 28, 29])
def test_a_receipt_is_proved_and_opened(store: Store, number: int) -> None:
    """
    In the bus's log it opens the receipt, in its recipient's what the recipient knows; each under a salt of its own.
    """
    recipient = RECIPIENTS[number % 2]
    for log in (BUS, recipient):
        sign(store, log, PRIVATE)
    whole, own = proved(store, name("r", number)), proved(store, name("v", number))

    assert (30, 10) == (whole.proved(KEYS).size, own.proved(KEYS).size)
    assert whole.opening is not None
    assert own.opening is not None
    assert (BUS, frame(number)) == (whole.opening.log, whole.opening.content)
    assert recipient == own.opening.log
    assert whole.opening.salt != own.opening.salt
    assert own == proved(store, name("r", number), recipient)


def test_a_proof_needs_something_that_was_signed(store: Store) -> None:
    """
    No entry, none in that log, nothing signed, nothing signed since: each in a sentence.
    """
    with pytest.raises(NotProved, match="no receipt and no view"):
        proved(store, "nothing")
    with pytest.raises(NotProved, match="the log rmifc"):
        proved(store, name("r", 2), "rmifc")
    with pytest.raises(NotProved, match="boutre audit checkpoint bus signs one"):
        proved(store, name("r", 2))
    sign(store, BUS, PRIVATE)
    taken(store, range(30, 31))
    with pytest.raises(NotProved, match="no checkpoint holds entry 30"):
        proved(store, name("r", 30))


def test_a_receipt_that_was_altered_on_kafka_is_found_when_it_is_proved(store: Store) -> None:
    """
    What is no longer what was committed to opens nothing; nor does what is gone.
    """
    sign(store, BUS, PRIVATE)
    for wrong, what in ((frame(3), "is not the one"), (b"", "is not the one"), (None, "no longer on Kafka")):
        with pytest.raises(NotProved, match=what):
            prove(store, KEY, codec(), lambda *_, wrong=wrong: wrong, identifier=name("r", 2))


def test_an_entry_that_is_erased_is_opened_by_nobody_and_the_tree_stays(store: Store, tmp_path: Path) -> None:
    """
    Neither the receipt's id nor the nonce stands in any file any more; the log holds, its checkpoints hold, others open as before.
    """
    for log in (BUS, "rcoc"):
        sign(store, log, PRIVATE)
    identifier, view = name("r", 2), name("v", 2)
    with closing(sqlite3.connect(tmp_path / "audit" / FILE)) as connection:
        nonces = [row[0] for row in connection.execute("SELECT nonce FROM entry WHERE receipt = ?", (identifier,)).fetchall()]
    assert 2 == len(nonces)

    assert 2 == store.erase(identifier)
    assert 0 == store.erase(identifier)

    content = b"".join(path.read_bytes() for path in (tmp_path / "audit").iterdir())
    assert not [one for one in (*nonces, identifier.encode(), view.encode()) if one in content]
    for gone in (identifier, view):
        with pytest.raises(NotProved, match="or it was erased"):
            proved(store, gone)
    assert [] == findings(store)
    assert 30 == proved(store, name("r", 1)).proved(KEYS).size


def test_a_log_that_is_not_there_is_named(store: Store) -> None:
    """
    Whoever asks for a log that nothing was delivered to is told which there are.
    """
    for ask in (lambda: store.notes("france"), lambda: store.at("france", 0), lambda: sign(store, "france", PRIVATE)):
        with pytest.raises(BusError, match="there are: bus, rmifc, rcoc"):
            ask()
