"""
``boutre keys``: make keys, hand over what is public, put new ones in the place of old ones, revoke.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from boutre.errors import DeclarationError, Fault
from boutre.ops.assembly import keys_of
from boutre.ops.command import with_settings
from boutre.ops.settings import Settings
from boutre.schemas.keys import KeyFolder
from boutre.schemas.keys.folder import BUS, MEMBERS, RECIPIENTS
from boutre.schemas.keys.rows import RecipientRow, Row
from boutre.schemas.sealing.suites import CLASSIC, NUMBERS
from boutre.topics import bus

LASTS_DAYS: Final = 730
"""How long a recipient's key is in force unless it is said otherwise."""

DAY: Final = click.DateTime(["%Y-%m-%d"])

Command = TypeVar("Command", bound=Any)


@click.group(epilog="Example: boutre keys dev")
def keys() -> None:
    """Make, hand over, rotate and revoke the keys of a bus; private keys are never shown."""


def whose(command: Command) -> Command:
    """
    Let a command be told whose key is meant: exactly one of member, recipient and bus.
    """
    for option in (
        click.option("--bus", "of_bus", is_flag=True, help="The key by which the bus signs views."),
        click.option("--recipient", metavar="R", help="A key that opens the views of recipient R."),
        click.option("--member", metavar="M", help="The key by which connectors of member M sign."),
    ):
        command = option(command)
    return command


def terms(command: Command) -> Command:
    """
    Let a command be told what a recipient's new key is, and when it is in force.
    """
    for option in (
        click.option("--until", type=DAY, help=f"Day on which it ends, in UTC.  [default: {LASTS_DAYS} days after it begins]"),
        click.option("--from", "begins", type=DAY, help="Day on which it begins, in UTC.  [default: today]"),
        click.option("--suite", type=click.Choice(sorted(NUMBERS)), default=CLASSIC, show_default=True, help="For a recipient."),
    ):
        command = option(command)
    return command


@keys.command(epilog="Example: boutre keys dev")
@with_settings
def dev(settings: Settings) -> None:
    """Make every key that is missing, for a laptop and the demo; keys that exist stay as they are."""
    declarations = bus.load(settings.folder())
    made = keys_of(settings).development(declarations.members, declarations.recipients)
    for path in made:
        click.echo(str(path))
    click.echo(f"{len(made)} made in {settings.keys}; they are for development, on a real bus each makes its own", err=True)


@keys.command(epilog="Example: boutre keys make --recipient protection-partner --suite MLKEM768-X25519")
@whose
@terms
@with_settings
def make(
    settings: Settings,
    *,
    member: str | None,
    recipient: str | None,
    of_bus: bool,
    suite: str,
    begins: datetime | None,
    until: datetime | None,
) -> None:
    """Make a private key on the machine that will use it, list its public key here, and print the row to hand over."""
    folder, name = keys_of(settings), _one(member, recipient, of_bus=of_bus)
    if recipient is not None:
        if mine := [row.id for row in folder.recipient_rows() if row.recipient == recipient and not row.revoked]:
            raise _fault(
                folder, f"{recipient} has the key {', '.join(mine)}; boutre keys rotate --recipient {recipient} adds another"
            )
        _new_recipient_key(folder, recipient, suite, begins, until)
        return
    path = folder.make_bus() if of_bus else folder.make_member(name)
    _told(path, [folder.list_bus()] if of_bus else folder.list_members([name]))


@keys.command(epilog="Example: boutre keys rotate --recipient protection-partner --from 2027-01-01")
@whose
@terms
@with_settings
def rotate(
    settings: Settings,
    *,
    member: str | None,
    recipient: str | None,
    of_bus: bool,
    suite: str,
    begins: datetime | None,
    until: datetime | None,
) -> None:
    """
    Make another key in the place of one that is there; print the row to hand over. The old one stays good until it is revoked.

    Of a recipient both stay in use: views that were sealed for the old one are opened by it. Of a member and of the bus the old
    private key is put away under old/, and whoever signs does so with the new one from its next start on: hand over the row first.
    """
    folder, name = keys_of(settings), _one(member, recipient, of_bus=of_bus)
    if recipient is not None:
        _new_recipient_key(folder, recipient, suite, begins, until)
        return
    kept = folder.rotate_bus() if of_bus else folder.rotate_member(name)
    click.echo(f"the old one is {kept}", err=True)
    _told(None, [folder.list_bus()] if of_bus else folder.list_members([name]))


@keys.command(epilog="Example: boutre keys publish --recipient protection-partner")
@whose
@click.option("--into", type=click.Path(path_type=Path, file_okay=False), help="Append to the list in this folder of keys instead.")
@with_settings
def publish(settings: Settings, *, member: str | None, recipient: str | None, of_bus: bool, into: Path | None) -> None:
    """Print the public rows that others need, to be appended to their list; nothing secret is in them."""
    folder, name = keys_of(settings), _one(member, recipient, of_bus=of_bus)
    rows: list[Row]
    if of_bus:
        rows, file = list(folder.bus_rows()), BUS
    elif recipient is not None:
        rows, file = [row for row in folder.recipient_rows() if row.recipient == name], RECIPIENTS
    else:
        rows, file = [row for row in folder.member_rows() if row.member == name], MEMBERS
    if not rows:
        raise _fault(folder, f"no public key of {name} is listed; boutre keys make makes one")
    if into is None:
        click.echo("".join([row.text for row in rows]), nl=False)
        click.echo(f"append this to {file} of whoever needs it", err=True)
        return
    KeyFolder(into).take(file, rows)
    click.echo(f"{into / file} has {', '.join([row.id for row in rows])}", err=True)


@keys.command(epilog="Example: boutre keys revoke 21fe31dfa154a261")
@click.argument("identifier", metavar="ID")
@with_settings
def revoke(settings: Settings, identifier: str) -> None:
    """Revoke the key ID in the lists of this folder; whoever else lists it must do the same."""
    click.echo(f"{identifier} is revoked in {keys_of(settings).revoke(identifier)}", err=True)


@keys.command(name="list", epilog="Example: boutre keys list --output json")
@click.option("--output", type=click.Choice(["table", "json"]), default="table", show_default=True)
@with_settings
def list_(settings: Settings, output: str) -> None:
    """Show the public keys of members, bus and recipients by id; private keys are never shown."""
    folder = keys_of(settings)
    rows = _rows(folder)
    if output == "json":
        click.echo(json.dumps(rows, indent=2))
        return
    for row in rows:
        told = [row["id"], row["whose"], row.get("suite"), f"{row['from']} to {row['until']}" if "from" in row else None]
        click.echo("  ".join([one for one in (*told, row.get("state", "revoked" if row["revoked"] else None)) if one]))


def _rows(folder: KeyFolder) -> list[dict[str, Any]]:
    """Give all that is listed here, each list read strictly; a member or a recipient has not all of them."""
    there = folder.listed()
    if not there:
        raise _fault(folder, "has no list of public keys; boutre keys make makes one, for development boutre keys dev makes all")
    found: list[dict[str, Any]] = []
    if MEMBERS in there:
        folder.keyring()
        found += [
            {"id": row.id, "whose": f"member {row.member}", "member": row.member, "revoked": row.revoked}
            for row in folder.member_rows()
        ]
    if BUS in there:
        folder.bus_keyring()
        found += [{"id": row.id, "whose": "bus", "revoked": row.revoked} for row in folder.bus_rows()]
    folder.sealing_keys()
    found += [
        {
            "id": row.id,
            "whose": f"recipient {row.recipient}",
            "recipient": row.recipient,
            "suite": row.suite,
            "from": row.from_.isoformat(),
            "until": row.until.isoformat(),
            "revoked": row.revoked,
            "state": _state(row, datetime.now(UTC).date()),
        }
        for row in folder.recipient_rows()
    ]
    return sorted(found, key=lambda row: str(row["id"]))


def _state(row: RecipientRow, today: date) -> str:
    if row.revoked:
        return "revoked"
    if today < row.from_:
        return "not yet in force"
    return "in force" if today < row.until else "ended"


def _new_recipient_key(folder: KeyFolder, recipient: str, suite: str, begins: datetime | None, until: datetime | None) -> None:
    first: date = begins.date() if begins else datetime.now(UTC).date()
    last = until.date() if until else first + timedelta(days=LASTS_DAYS)
    if last <= first:
        raise DeclarationError([Fault("--until", last.isoformat(), f"lies before {first.isoformat()}, or on that day")])
    path, row = folder.make_recipient(recipient, suite, first, last)
    folder.take(RECIPIENTS, [row])
    _told(path, [row])


def _told(path: Path | None, rows: list[Any]) -> None:
    if path is not None:
        click.echo(f"the private key is {path}; keep a copy where only its owner comes", err=True)
    click.echo("".join([row.text for row in rows]), nl=False)


def _one(member: str | None, recipient: str | None, *, of_bus: bool) -> str:
    given = [name for name in (member, recipient, "the bus" if of_bus else None) if name]
    if len(given) != 1:
        raise DeclarationError([Fault("--member, --recipient, --bus", "", "say exactly one of them")])
    (name,) = given
    if name != "the bus" and not name.replace("-", "").isalnum():
        raise DeclarationError([Fault("--member, --recipient", name, "is no name of a member or recipient")])
    return name


def _fault(folder: KeyFolder, message: str) -> DeclarationError:
    return DeclarationError([Fault(str(folder.path), "", message)])
