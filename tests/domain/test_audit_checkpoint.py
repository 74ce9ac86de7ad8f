"""
Checkpoints, proofs as files and witnesses: the notes of C2SP, what is believed and what is not.
"""

from __future__ import annotations

import base64
from typing import Final

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from boutre.errors import BusError
from boutre.schemas.audit import tree
from boutre.schemas.audit.checkpoint import (
    COSIGNATURE_TYPE,
    NOTE_TYPE,
    Checkpoint,
    Note,
    NotProved,
    Verifier,
    cosigned,
    cosigned_at,
    opened,
    signed,
)
from boutre.schemas.audit.entry import BUS, Release, committed, fingerprint, log_of, origin, salt
from boutre.schemas.audit.papers import Extension, Inclusion, Opening
from boutre.schemas.audit.witness import Contradicted, judge

ORIGIN: Final = origin("00ff00ff00ff00ff", "rcoc")
PRIVATE: Final = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
STRANGER: Final = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
KEYS: Final = (PRIVATE.public_key(),)
WITNESS: Final = Verifier("boutre.witness/seychelles", COSIGNATURE_TYPE, STRANGER.public_key())

EXAMPLE: Final = (
    "This is an example message.\n\n"
    "\u2014 example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)
"""The example of C2SP signed-note, with its key below."""

EXAMPLE_KEY: Final = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"


class Log:
    """A log of so many entries, *salted* so that two may part."""

    def __init__(self, size: int, parts: int | None = None) -> None:
        growth = tree.Growth()
        self.entries = [b"entry %d" % at if parts is None or at < parts else b"other %d" % at for at in range(size)]
        self._nodes = [node for entry in self.entries for node in growth.append(tree.leaf(entry))]

    def node(self, level: int, index: int) -> bytes:
        """A node of its tree."""
        return self._nodes[tree.stored(level, index)]

    def checkpoint(self, size: int, named: str = ORIGIN) -> Checkpoint:
        """Its checkpoint of so many entries."""
        return Checkpoint(named, size, tree.root(size, self.node))

    def shown(self, old: int, size: int, private: Ed25519PrivateKey = PRIVATE, named: str = ORIGIN) -> Extension:
        """What the bus shows a witness who has seen *old* entries."""
        return Extension(old, tuple(tree.consistency(old, size, self.node)), signed(self.checkpoint(size, named), private))


LOG: Final = Log(40)


def test_the_example_of_the_specification_is_read_as_it_says() -> None:
    """
    Key id, key line and signature are those of C2SP signed-note.
    """
    name, _, rest = EXAMPLE_KEY.partition("+")
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(rest.partition("+")[2])[1:])
    known = Verifier(name, NOTE_TYPE, public)
    note = Note.read(EXAMPLE)

    assert EXAMPLE_KEY == known.line()
    assert EXAMPLE == note.write()
    assert known.key_id == note.signatures[0].key_id
    public.verify(note.signatures[0].made, note.text.encode())


def test_a_checkpoint_is_three_lines_and_a_signature() -> None:
    """
    The note is that of C2SP tlog-checkpoint, byte by byte.
    """
    checkpoint = LOG.checkpoint(7)
    lines = signed(checkpoint, PRIVATE).write().split("\n")

    assert [ORIGIN, "7", base64.b64encode(checkpoint.root).decode(), ""] == lines[:4]
    assert lines[4].startswith(f"\u2014 {ORIGIN} ")
    assert ["", 6] == [lines[5], len(lines)]
    assert checkpoint == opened(Note.read(signed(checkpoint, PRIVATE).write()), KEYS)


def test_a_cosignature_is_over_its_time_and_the_whole_text() -> None:
    """
    What a witness signs is ``cosignature/v1``, the time and the text, as C2SP tlog-cosignature has it.
    """
    note = signed(LOG.checkpoint(7), PRIVATE)
    made = cosigned(note, WITNESS.name, STRANGER, 1_679_315_147)
    both = Note(note.text, (*note.signatures, made))

    STRANGER.public_key().verify(made.made[8:], b"cosignature/v1\ntime 1679315147\n" + note.text.encode())
    assert 1_679_315_147 == cosigned_at(Note.read(both.write()), WITNESS)
    assert LOG.checkpoint(7) == opened(both, KEYS)
    assert cosigned_at(note, WITNESS) is None
    assert both == note.with_all(both) == both.with_all(note)


def test_a_cosignature_of_another_time_is_false() -> None:
    """
    The time cannot be changed, and a note with a false cosignature of a known witness is none.
    """
    note = signed(LOG.checkpoint(7), PRIVATE)
    made = cosigned(note, WITNESS.name, STRANGER, 1_679_315_147)
    later = type(made)(made.name, made.key_id, (1_679_315_148).to_bytes(8, "big") + made.made[8:])

    with pytest.raises(NotProved, match="is false"):
        cosigned_at(Note(note.text, (*note.signatures, later)), WITNESS)


@given(st.data())
def test_a_note_that_is_altered_anywhere_is_not_believed(data: st.DataObject) -> None:
    """
    One character exchanged, taken out or put in, anywhere: nothing is opened, or it is still the same checkpoint.
    """
    text = signed(LOG.checkpoint(7), PRIVATE).write()
    at = data.draw(st.integers(0, len(text) - 1))
    put = data.draw(st.sampled_from(["", "0", "A", "\n", "=", "\x00", " ", "\u2014", "é"]))
    wide = data.draw(st.integers(0, 1))
    changed = text[:at] + put + text[at + wide :]
    try:
        found = opened(Note.read(changed), KEYS)
    except NotProved:
        return
    assert LOG.checkpoint(7) == found
    assert text == changed


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        "one\n",
        f"{ORIGIN}\n7\n",
        f"{ORIGIN}\n07\n{'A' * 43}=\n",
        f"{ORIGIN}\n-7\n{'A' * 43}=\n",
        f"{ORIGIN}\n7\n{'A' * 42}==\n",
        f"{ORIGIN}\n7\n{'A' * 43}=\nan extension\n",
        f"two words\n7\n{'A' * 43}=\n",
        f"\n7\n{'A' * 43}=\n",
        f"{ORIGIN}\n{'9' * 20}\n{'A' * 43}=\n",
    ],
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    """
    Three lines, strictly: no sign, no zero in front, no other base64, nothing more.
    """
    with pytest.raises(NotProved, match="this is no checkpoint"):
        Checkpoint.read(text)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "text\n",
        "text\n\nno dash\n",
        f"text\n\n\u2014 a+b {'A' * 8}\n",
        "text\n\n\u2014 a AAAA\n",
        "a\tb\n\n\u2014 a AAAAAAAA\n",
    ],
)
def test_what_is_no_note_is_refused(content: str) -> None:
    """
    A text, an empty line, and lines that are signatures.
    """
    with pytest.raises(NotProved, match="this is no signed note"):
        Note.read(content)


def test_a_note_has_an_end() -> None:
    """
    A note larger than any that is meant is not looked at.
    """
    note = signed(LOG.checkpoint(7), PRIVATE)

    with pytest.raises(NotProved, match="this is no signed note"):
        Note.read(note.write() + note.signatures[0].line() * 1000)


def test_only_the_bus_is_believed() -> None:
    """
    A checkpoint that another key signed, or no key that is in force, opens nothing.
    """
    for keys in ((), (STRANGER.public_key(),)):
        with pytest.raises(NotProved, match="not signed by a key of the bus"):
            opened(signed(LOG.checkpoint(7), PRIVATE), keys)


def test_a_checkpoint_opens_for_each_key_while_one_follows_the_other() -> None:
    """
    While keys are rotated both are believed.
    """
    both = (STRANGER.public_key(), *KEYS)

    assert (
        LOG.checkpoint(7) == opened(signed(LOG.checkpoint(7), PRIVATE), both) == opened(signed(LOG.checkpoint(7), STRANGER), both)
    )


# --- Witnessing --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("old", [0, 1, 7, 32, 39, 40])
def test_a_log_that_only_grew_is_witnessed(old: int) -> None:
    """
    Whatever was seen last, the proof from there is enough; the first checkpoint needs none.
    """
    assert LOG.checkpoint(40) == judge(LOG.checkpoint(old) if old else None, LOG.shown(old, 40), KEYS)


def test_every_rollback_is_refused() -> None:
    """
    A checkpoint of fewer entries than were cosigned, though it is a true one of the same log.
    """
    for size in range(40):
        with pytest.raises(Contradicted, match="a rollback"):
            judge(LOG.checkpoint(40), LOG.shown(0, size), KEYS)


def test_every_fork_is_refused() -> None:
    """
    A log that parts from the one that was seen, at any entry, however much it grew since.
    """
    for parts in range(7):
        fork = Log(12, parts)
        for size in range(7, 13):
            with pytest.raises(Contradicted, match="a fork"):
                judge(LOG.checkpoint(7), fork.shown(7, size), KEYS)


def test_a_false_or_foreign_proof_is_refused() -> None:
    """
    A proof from another size is asked for again; a true checkpoint with a false proof is not cosigned.
    """
    shown = LOG.shown(7, 40)

    with pytest.raises(NotProved, match="boutre audit checkpoint --since 9") as wrong:
        judge(LOG.checkpoint(9), shown, KEYS)
    assert not isinstance(wrong.value, Contradicted)
    with pytest.raises(Contradicted, match="not proved"):
        judge(LOG.checkpoint(7), Extension(7, shown.hashes[:-1], shown.note), KEYS)
    with pytest.raises(NotProved, match="not signed"):
        judge(LOG.checkpoint(7), LOG.shown(7, 40, STRANGER), KEYS)


def test_a_log_begun_anew_is_not_taken_for_the_old_one() -> None:
    """
    Another identity of the store is another log, whatever it is called.
    """
    other = origin("11aa11aa11aa11aa", "rcoc")

    with pytest.raises(NotProved, match="was begun anew"):
        judge(LOG.checkpoint(7), LOG.shown(7, 40, named=other), KEYS)
    assert "rcoc" == log_of(other)


def test_an_empty_log_has_one_root() -> None:
    """
    A first checkpoint of nothing with the root of something is refused.
    """
    assert Checkpoint(ORIGIN, 0, tree.EMPTY) == judge(None, LOG.shown(0, 0), KEYS)
    with pytest.raises(NotProved, match="a root that an empty log has not"):
        judge(None, Extension(0, (), signed(Checkpoint(ORIGIN, 0, bytes(32)), PRIVATE)), KEYS)


# --- Files -------------------------------------------------------------------------------------------------------------------


def proof(place: int = 5, size: int = 9, log: str = "rcoc") -> Inclusion:
    """A proof of an entry of a small log, with what opens it."""
    growth, nodes = tree.Growth(), []
    opening = Opening(log, bytes(range(32)), b'{"view":"v"}')
    for at in range(size):
        nodes += growth.append(tree.leaf(opening.entry() if at == place else b"%d" % at))
    hashes = tree.inclusion(place, size, lambda level, index: nodes[tree.stored(level, index)])
    return Inclusion(place, tuple(hashes), signed(Checkpoint(ORIGIN, size, growth.root()), PRIVATE), opening)


def test_a_proof_goes_through_its_file() -> None:
    """
    Written, read again, and it proves what it proved.
    """
    whole = proof()

    assert whole == Inclusion.read(whole.write())
    assert 9 == Inclusion.read(whole.write()).proved(KEYS).size
    assert whole.write().startswith("c2sp.org/tlog-proof@v1\nextra ")
    assert LOG.shown(7, 40) == Extension.read(LOG.shown(7, 40).write())
    assert LOG.shown(7, 40).write().startswith("old 7\n")
    assert Extension(0, (), LOG.shown(0, 40).note) == Extension.read(LOG.shown(0, 40).note.write())


def test_a_proof_of_another_log_or_without_opening_proves_nothing() -> None:
    """
    What opens an entry says of which log it is, and without it nothing is proved.
    """
    with pytest.raises(NotProved, match="another log"):
        proof(log=BUS).proved(KEYS)
    with pytest.raises(NotProved, match="nothing that opens"):
        Inclusion(5, proof().hashes, proof().note, None).proved(KEYS)
    with pytest.raises(NotProved, match="does not stand at 4"):
        Inclusion(4, proof().hashes, proof().note, proof().opening).proved(KEYS)


@given(st.data())
def test_a_file_that_is_altered_anywhere_proves_nothing_else(data: st.DataObject) -> None:
    """
    One character of a proof: it is refused, or it still proves the same entry at the same place.
    """
    whole = proof()
    text = whole.write()
    at = data.draw(st.integers(0, len(text) - 1))
    put = data.draw(st.sampled_from(["", "0", "A", "\n", "=", "\x00", " ", "+", "extra "]))
    changed = text[:at] + put + text[at + data.draw(st.integers(0, 1)) :]
    try:
        found = Inclusion.read(changed)
        checkpoint = found.proved(KEYS)
    except BusError:
        return
    assert found.opening is not None
    assert whole.opening is not None
    assert (5, 9, whole.opening.entry()) == (found.place, checkpoint.size, found.opening.entry())


# --- Entries -----------------------------------------------------------------------------------------------------------------

RECEIPT: Final = {
    "id": "r" * 32,
    "record": "secret-record",
    "kind": "sighting",
    "member": "secret-member",
    "recipient": "rcoc",
    "outcome": "delivered",
    "reason": None,
    "view": "v" * 32,
    "topic": "for.rcoc.sighting",
    "policy": "p",
    "agreements": ["a@1"],
    "fields": [],
    "commitment": bytes(32),
    "accepted_at": None,
}


def test_a_release_holds_what_its_recipient_may_know() -> None:
    """
    Neither the record nor its member nor the receipt's id nor the time stands in it; what was not delivered is none.
    """
    release = Release.of(RECEIPT)

    assert release is not None
    content = release.content().decode()
    assert '"view":"' + "v" * 32 in content
    assert not any(secret in content for secret in ("secret", "r" * 32, "accepted"))
    assert Release.of({**RECEIPT, "outcome": "withheld"}) is None
    assert Release.of({**RECEIPT, "outcome": "repeat"}) is None
    for unknown in ("record", "member", "id", "accepted_at", "fields"):
        assert release == Release.of({**RECEIPT, unknown: "other"}), unknown


@given(st.binary(min_size=16, max_size=16), st.binary(min_size=16, max_size=16), st.text(max_size=20), st.binary(max_size=60))
def test_an_entry_is_opened_by_its_own_salt_alone(one: bytes, other: bytes, identifier: str, content: bytes) -> None:
    """
    Another nonce, key, log, receipt or content makes another entry; the same makes the same.
    """
    key = bytes(range(32))
    entry = committed("rcoc", salt(key, "rcoc", one, identifier), content)

    assert 32 == len(entry)
    assert entry == committed("rcoc", salt(key, "rcoc", one, identifier), content)
    others = [
        committed("rcoc", salt(key[::-1], "rcoc", one, identifier), content),
        committed("rcoc", salt(key, "rcof", one, identifier), content),
        committed("rcoc", salt(key, "rcoc", one, identifier + "x"), content),
        committed("rcoc", salt(key, "rcoc", one, identifier), content + b"x"),
        committed(BUS, salt(key, "rcoc", one, identifier), content),
    ]
    if one != other:
        others.append(committed("rcoc", salt(key, "rcoc", other, identifier), content))
    assert entry not in others


def test_the_mark_of_a_key_is_not_the_key() -> None:
    """
    A store can tell that it is given another key, and tells nobody the right one.
    """
    assert 16 == len(fingerprint(bytes(32)))
    assert fingerprint(bytes(32)) != fingerprint(bytes([1]) + bytes(31))
