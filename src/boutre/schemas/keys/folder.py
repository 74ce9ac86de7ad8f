"""
One folder of keys: what is in it, and what is made there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from boutre.errors import DeclarationError, Fault
from boutre.schemas.cases.folders import CaseFolders
from boutre.schemas.keys import files, lists, rows
from boutre.schemas.sealing.suites import CLASSIC, OpeningKey
from boutre.schemas.signature import Keyring
from boutre.schemas.view_signature import BusKeyring

MEMBERS: Final = "members.toml"
BUS: Final = "bus.toml"
RECIPIENTS: Final = "recipients.toml"

TABLES: Final[Mapping[str, type[lists.Members | lists.BusKeys | lists.Recipients]]] = {
    MEMBERS: lists.Members,
    BUS: lists.BusKeys,
    RECIPIENTS: lists.Recipients,
}
"""What each list holds."""

ALWAYS: Final = (date(2000, 1, 1), date(2100, 1, 1))
"""When development keys are in force: samples and tests have times of their own."""


@dataclass(frozen=True, slots=True)
class KeyFolder:
    """
    A folder of keys; every method names the file that is missing or unreadable, and what makes it.
    """

    path: Path
    elsewhere: Path | None = None
    """Where the vault is, if not here: its backups are no backups of keys (``docs/keys.md``)."""

    # --- Making --------------------------------------------------------------------------------------------------------------

    def development(self, members: Iterable[str], recipients: Iterable[str]) -> list[Path]:
        """Make every key that is missing, readable by its owner only; keys that exist stay. Gives the files made."""
        made: list[Path] = []
        for member in members:
            made += self._make(self._private(member), files.new_private())
        for recipient in recipients:
            made += self._make(self._recipient(recipient), files.new_secret())
        made += self._make(self._state, files.new_secret())
        made += self._make(self._bus, files.new_private())
        if not self.cases.there:
            self.cases.begin().close()
            made.append(self.cases.file)
        # Added to and never written anew: what stands there may be revoked, or another machine's.
        self.list_members(sorted(path.stem for path in (self.path / "members").glob("*.pem")))
        self.list_bus()
        listed = {row.recipient for row in self.recipient_rows()}
        for recipient in recipients:
            if recipient not in listed:
                path, row = self.make_recipient(recipient, CLASSIC, *ALWAYS)
                made.append(path)
                lists.append(self.path / RECIPIENTS, [row])
        return made

    def make_member(self, member: str) -> Path:
        """Make a member's private key; ``DeclarationError`` where it has one."""
        return self._new(self._private(member))

    def make_bus(self) -> Path:
        """Make the private key of the bus; ``DeclarationError`` where it has one."""
        return self._new(self._bus)

    def make_recipient(self, recipient: str, suite: str, begins: date, ends: date) -> tuple[Path, rows.RecipientRow]:
        """Make another private key of a recipient; gives the file, and the public row, which is not listed yet."""
        key = OpeningKey.new(suite)
        path = self._opening(recipient, key.id)
        row = rows.recipient_row(recipient, suite, key.public, begins, ends)
        files.make(path, key.pem)
        return path, row

    def rotate_member(self, member: str) -> Path:
        """Put a member's key away and make another; gives where the old one is."""
        old = rows.member_row(member, self.private(member).public_key())
        kept = files.put_away(self._private(member), f"{member}.{old.id}.pem")
        self._new(self._private(member))
        return kept

    def rotate_bus(self) -> Path:
        """Put the key of the bus away and make another; gives where the old one is."""
        old = rows.bus_row(self.bus_private().public_key())
        kept = files.put_away(self._bus, f"bus.{old.id}.pem")
        self._new(self._bus)
        return kept

    def list_members(self, members: Iterable[str]) -> list[rows.MemberRow]:
        """List the public keys of members whose private keys are here, where they are not listed yet; gives all of these rows."""
        found = [rows.member_row(member, self.private(member).public_key()) for member in members]
        path = self.path / MEMBERS
        listed = {row.id for row in self.member_rows()} if path.is_file() else set()
        lists.append(path, [row for row in found if row.id not in listed])
        return found

    def list_bus(self) -> rows.BusRow:
        """List the public key of the bus, where it is not listed yet; gives its row."""
        row = rows.bus_row(self.bus_private().public_key())
        path = self.path / BUS
        listed = {one.id for one in self.bus_rows()} if path.is_file() else set()
        lists.append(path, [] if row.id in listed else [row])
        return row

    def take(self, name: str, given: Iterable[rows.Row]) -> None:
        """
        Add public rows that somebody handed over to the list *name*; those that are there stay as they are.

        ``DeclarationError`` where the list would not be one any more: then it stays as it was.
        """
        path = self.path / name
        before = path.read_text(encoding="utf-8") if path.is_file() else None
        model = TABLES[name]
        listed = {row.id for row in lists.rows_of(path, model).key} if before is not None else set()
        lists.append(path, [row for row in given if row.id not in listed])
        try:
            self._prove(name)
        except DeclarationError:
            path.unlink() if before is None else files.replace(path, before)
            raise

    def revoke(self, identifier: str) -> Path:
        """Revoke a public key, whichever list it stands in; gives the list. ``DeclarationError`` where it stands in none."""
        for name, model in TABLES.items():
            path = self.path / name
            if not path.is_file() or identifier not in {row.id for row in lists.rows_of(path, model).key}:
                continue
            before = path.read_text(encoding="utf-8")
            files.replace(path, rows.revoked(before, identifier))
            try:
                done = all(row.revoked for row in lists.rows_of(path, model).key if row.id == identifier)
            except DeclarationError:
                done = False
            if not done:
                files.replace(path, before)
                raise DeclarationError([Fault(str(path), f"key[{identifier}]", "write revoked = true into this row by hand")])
            return path
        raise DeclarationError([Fault(str(self.path), "", f"no list has a key {identifier}; see boutre keys list")])

    # --- Reading -------------------------------------------------------------------------------------------------------------

    def private(self, member: str) -> Ed25519PrivateKey:
        """Give the private key with which a member's connectors sign."""
        return files.signing_key(self._private(member))

    def bus_private(self) -> Ed25519PrivateKey:
        """Give the private key of the bus, whether anybody believes it or not."""
        return files.signing_key(self._bus)

    def bus_signing(self) -> Ed25519PrivateKey:
        """
        Give the private key of the bus, once it is proved that recipients can believe it.

        ``DeclarationError`` where its public key is not listed in ``bus.toml``, or is revoked.
        """
        key = self.bus_private()
        row, ring = rows.bus_row(key.public_key()), self.bus_keyring()
        if row.id in ring.revoked or row.id not in ring.keys:
            why = "is revoked; boutre keys rotate --bus makes another" if row.id in ring.revoked else "is not listed"
            raise DeclarationError([Fault(str(self.path / BUS), f"key[{row.id}]", f"{why}: nobody would believe what it signs")])
        return key

    def recipient(self, recipient: str) -> bytes:
        """Give the key of a recipient's own names."""
        return files.secret(self._recipient(recipient))

    def opening_key(self, recipient: str, identifier: str) -> OpeningKey | None:
        """Give a private key of a recipient, or None where it is not here."""
        path = self._opening(recipient, identifier)
        try:
            key = OpeningKey.of(path.read_bytes())
        except FileNotFoundError:
            return None
        except (ValueError, TypeError):
            raise DeclarationError([Fault(str(path), "", "is no private key of a recipient; restore it from its backup")]) from None
        if key.id != identifier:
            raise DeclarationError([Fault(str(path), "", f"holds the key {key.id}; a key's file has its id for a name")])
        return key

    def state(self) -> bytes:
        """
        Give the key by which digests are made of what workers remember; all workers of a bus have the same.

        With another key no repeat of an earlier report is known any more, and nothing else is lost.
        """
        return files.secret(self._state)

    def keyring(self) -> Keyring:
        """Read the members' public keys."""
        return lists.keyring(self.path / MEMBERS, self.member_rows())

    def bus_keyring(self) -> BusKeyring:
        """Read the public keys of the bus."""
        return lists.bus_keyring(self.path / BUS, self.bus_rows())

    def sealing_keys(self) -> lists.SealingKeys:
        """Read the recipients' public keys; without a list there are none, and what must be sealed is withheld."""
        return lists.sealing_keys(self.path / RECIPIENTS, self.recipient_rows())

    def member_rows(self) -> tuple[rows.MemberRow, ...]:
        """Give the rows of ``members.toml``."""
        return lists.rows_of(self._there(MEMBERS), lists.Members).key

    def bus_rows(self) -> tuple[rows.BusRow, ...]:
        """Give the rows of ``bus.toml``."""
        how = "whoever runs the bus hands it over (boutre keys publish --bus); for development, boutre keys dev makes it"
        return lists.rows_of(self._there(BUS, how), lists.BusKeys).key

    def recipient_rows(self) -> tuple[rows.RecipientRow, ...]:
        """Give the rows of ``recipients.toml``; none where there is no list."""
        path = self.path / RECIPIENTS
        return lists.rows_of(path, lists.Recipients).key if path.exists() else ()

    def _prove(self, name: str) -> None:
        """Read a list as those do who use it."""
        read: Mapping[str, Callable[[], object]] = {MEMBERS: self.keyring, BUS: self.bus_keyring, RECIPIENTS: self.sealing_keys}
        read[name]()

    def listed(self) -> tuple[str, ...]:
        """Name the lists that are here."""
        return tuple([name for name in TABLES if (self.path / name).is_file()])

    # --- Where they stand ----------------------------------------------------------------------------------------------------

    @property
    def cases(self) -> CaseFolders:
        """Say where the vault of case keys and the pools stand."""
        return CaseFolders(self.elsewhere or self.path / "vault", self.path / "cases")

    def opening_path(self, recipient: str, identifier: str) -> Path:
        """Say where a private key of a recipient stands, or should."""
        return self._opening(recipient, identifier)

    def _there(self, name: str, how: str | None = None) -> Path:
        path = self.path / name
        if not path.is_file():
            raise files.missing(path, how) if how else files.missing(path)
        return path

    @property
    def _state(self) -> Path:
        return self.path / "state.key"

    @property
    def _bus(self) -> Path:
        return self.path / "bus.pem"

    def _private(self, member: str) -> Path:
        return self.path / "members" / f"{member}.pem"

    def _recipient(self, recipient: str) -> Path:
        return self.path / "recipients" / f"{recipient}.key"

    def _opening(self, recipient: str, identifier: str) -> Path:
        return self.path / "recipients" / recipient / f"{identifier}.pem"

    @staticmethod
    def _make(path: Path, content: bytes) -> list[Path]:
        return [path] if files.make(path, content) else []

    @staticmethod
    def _new(path: Path) -> Path:
        if not files.make(path, files.new_private()):
            raise DeclarationError(
                [Fault(str(path), "", "is there already; no key is written over, boutre keys rotate makes another")]
            )
        return path
