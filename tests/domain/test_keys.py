"""
The folder of keys: made once, read strictly, and never put a key back into force.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat

from boutre.errors import DeclarationError, Refuse
from boutre.schemas.keys import KeyFolder
from boutre.schemas.signature import KEY_HEADER, SIGNATURE_HEADER, key_id, sign

MEMBERS = ("comoros", "france")
RECIPIENTS = ("rmifc", "rcoc")


@pytest.fixture
def folder(tmp_path: Path) -> KeyFolder:
    """
    Development keys of two members and two recipients, the key of what is remembered, and a vault.
    """
    made = KeyFolder(tmp_path / "keys")
    assert 9 == len(made.development(MEMBERS, RECIPIENTS))
    return made


def listed(folder: KeyFolder, old: str, new: str) -> None:
    """Change the list of public keys."""
    path = folder.path / "members.toml"
    content = path.read_text(encoding="utf-8")
    assert re.search(old, content)
    path.write_text(re.sub(old, new, content, count=1), encoding="utf-8")


def fault(call: Callable[[], object]) -> str:
    """The only thing that is wrong."""
    with pytest.raises(DeclarationError) as error:
        call()
    (only,) = error.value.faults
    return str(only)


def code(folder: KeyFolder, member: str) -> str | None:
    """Why a record that this member signs is not believed."""
    private = folder.private(member)
    headers = {KEY_HEADER: key_id(private.public_key()).encode(), SIGNATURE_HEADER: sign(private, "t", b"f")}
    try:
        folder.keyring().verify(member, "t", b"f", headers)
    except Refuse as refusal:
        return refusal.code
    return None


def test_what_is_made_proves_its_members(folder: KeyFolder) -> None:
    """
    Each member's key signs for that member; each recipient has a key of its own of 32 bytes.
    """
    assert [None, None] == [code(folder, member) for member in MEMBERS]
    keys = {folder.recipient(name) for name in RECIPIENTS}
    assert (2, {32}) == (len(keys), {len(key) for key in keys})


def test_only_their_owner_can_read_them(folder: KeyFolder) -> None:
    """
    Private keys and the recipients' keys are readable by nobody else.
    """
    secret = [path for path in folder.path.rglob("*") if path.suffix in {".pem", ".key"}]

    assert 8 == len(secret)
    assert {0o600} == {stat.S_IMODE(path.stat().st_mode) for path in secret}
    assert {0o700} == {stat.S_IMODE(path.parent.stat().st_mode) for path in secret}


def test_made_again_nothing_changes(folder: KeyFolder) -> None:
    """
    Keys that exist stay as they are, to the byte, and so does the list.
    """
    before = {path: path.read_bytes() for path in folder.path.rglob("*") if path.is_file()}

    assert [] == folder.development(MEMBERS, RECIPIENTS)
    assert before == {path: path.read_bytes() for path in folder.path.rglob("*") if path.is_file()}


def test_a_revoked_key_stays_revoked(folder: KeyFolder) -> None:
    """
    Making what is missing does not put a key back into force, nor forget a member whose private key is elsewhere.
    """
    listed(folder, "revoked = false", "revoked = true")
    (folder.path / "members" / "france.pem").unlink()
    folder.development(["comoros", "seychelles"], RECIPIENTS)

    assert "revoked-key" == code(folder, "comoros")
    assert {"comoros", "france", "seychelles"} == {member for member, _ in folder.keyring().keys.values()}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("revoked = false", "revokd = true", "did you mean revoked"),
        ("revoked = false", 'revoked = "true"', "boolean"),
        ("member = .*", "", "member: is missing"),
        ('public = "', 'public = "!', "is not the base64"),
        ('public = ".*"', 'public = "AAAA"', "is not the base64"),
        ('id = ".*"', 'id = "0123456789abcdef"', "is not the id of this key"),
        ("member = ", "member ", "is not TOML"),
        ("revoked = false", "revoked = false\nmore = 1", "is not known here"),
    ],
)
def test_the_list_is_read_strictly(old: str, new: str, said: str, folder: KeyFolder) -> None:
    """
    A misspelt ``revoked`` leaves no key in force: nothing is read until it is mended.
    """
    listed(folder, old, new)

    assert said in fault(folder.keyring)
    assert "members.toml" in fault(folder.keyring)


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("bus", "revoked = false", "revokd = true", "did you mean revoked"),
        ("bus", 'public = ".*"', 'public = "AAAA"', "is not the base64"),
        ("bus", 'public = ".*"\n', "", "public is missing, and the key is not revoked"),
        ("bus", 'id = ".*"', 'id = "0123456789abcdef"', "is not the id of this key"),
        ("bus", 'id = ".*"', 'id = "short"', "id: string should match"),
        ("recipients", "revoked = false", "revokd = true", "did you mean revoked"),
        ("recipients", 'suite = ".*"', 'suite = "RSA"', "suite: input should be"),
        ("recipients", 'suite = ".*"', 'suite = "MLKEM768-X25519"', "is not the base64 of a public key of MLKEM768-X25519"),
        ("recipients", 'public = ".*"', f'public = "{"A" * 43}="', "is not the base64 of a public key"),
        ("recipients", 'id = ".*"', 'id = "0123456789abcdef"', "is not the id of this key"),
        ("recipients", "until = .*", "until = 2000-01-01", "until lies before from, or on the same day"),
        ("recipients", "until = .*", "", "until: is missing"),
        ("recipients", "from = .*", 'from = "soon"', "date"),
    ],
)
def test_the_lists_of_bus_and_recipients_are_read_as_strictly(name: str, old: str, new: str, said: str, folder: KeyFolder) -> None:
    """
    Also a key by which nothing can be wrapped, and one whose time is over before it begins, is none.
    """
    path = folder.path / f"{name}.toml"
    content = path.read_text(encoding="utf-8")
    assert re.search(old, content)
    path.write_text(re.sub(old, new, content, count=1), encoding="utf-8")
    read = {"bus": folder.bus_keyring, "recipients": folder.sealing_keys}[name]

    assert said in fault(read)
    assert f"{name}.toml" in fault(read)


def test_all_that_is_wrong_in_a_list_is_told_at_once(folder: KeyFolder) -> None:
    """
    Both recipients' rows are wrong, and one of them stands there twice: all of it is said.
    """
    path = folder.path / "recipients.toml"
    content = re.sub('id = "', 'id = "f', path.read_text(encoding="utf-8"))
    path.write_text(content + content[: content.index("[[key]]", 5)], encoding="utf-8")
    with pytest.raises(DeclarationError) as error:
        folder.sealing_keys()

    assert 3 == len(error.value.faults)


def test_a_key_of_the_bus_that_nobody_lists_signs_nothing(folder: KeyFolder) -> None:
    """
    A new private key must be listed before a worker starts with it, and a revoked one starts none.
    """
    assert folder.bus_private().public_key() == folder.bus_signing().public_key()
    folder.revoke(folder.bus_rows()[0].id)
    assert "is revoked" in fault(folder.bus_signing)
    folder.rotate_bus()
    assert "is not listed" in fault(folder.bus_signing)
    folder.list_bus()
    assert folder.bus_signing() is not None


def test_a_key_stands_for_one_member(folder: KeyFolder) -> None:
    """
    The same key under two members would let one sign for the other.
    """
    path = folder.path / "members.toml"
    content = path.read_text(encoding="utf-8")
    first = content[: content.index("[[key]]", 5)].replace('"comoros"', '"france"')
    path.write_text(content + first, encoding="utf-8")

    assert "is there twice" in fault(folder.keyring)


def test_what_is_missing_is_said_with_what_makes_it(tmp_path: Path) -> None:
    """
    The file, and the command.
    """
    empty = KeyFolder(tmp_path)

    for call in (empty.keyring, lambda: empty.private("comoros"), lambda: empty.recipient("rmifc"), empty.state):
        assert "boutre keys dev makes it" in fault(call)


def test_a_private_key_is_an_ed25519_in_pem_without_password(folder: KeyFolder) -> None:
    """
    Anything else is said to be what it is not.
    """
    path = folder.path / "members" / "comoros.pem"
    own = folder.private("comoros")
    rsa = generate_private_key(65_537, 2048).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    locked = own.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
    for content, said in ((b"nonsense", "is no private key"), (locked, "without a password"), (rsa, "is not an Ed25519 key")):
        path.write_bytes(content)
        assert said in fault(lambda: folder.private("comoros"))


@pytest.mark.parametrize(
    ("content", "said"), [("zz", "is not hexadecimal"), ("00" * 31, "has less than 32 bytes"), ("é", "is not")]
)
def test_a_recipients_key_is_long_enough(content: str, said: str, folder: KeyFolder) -> None:
    """
    A short one could be guessed, and with it every name made of it.
    """
    (folder.path / "recipients" / "rmifc.key").write_text(content, encoding="utf-8")
    (folder.path / "state.key").write_text(content, encoding="utf-8")

    assert said in fault(lambda: folder.recipient("rmifc"))
    assert said in fault(folder.state)
