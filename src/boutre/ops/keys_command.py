"""
``boutre keys``: the keys of a bus.
"""

from __future__ import annotations

import json

import click

from boutre.ops.assembly import keys_of
from boutre.ops.command import with_settings
from boutre.ops.settings import Settings
from boutre.topics import bus


@click.group(epilog="Example: boutre keys dev")
def keys() -> None:
    """Make the development keys of a laptop, and show which keys are known."""


@keys.command(epilog="Example: boutre keys dev")
@with_settings
def dev(settings: Settings) -> None:
    """Make every key that is missing, for a laptop and the demo; keys that exist stay as they are."""
    declarations = bus.load(settings.folder())
    made = keys_of(settings).development(declarations.members, declarations.recipients)
    for path in made:
        click.echo(str(path))
    click.echo(f"{len(made)} made in {settings.keys}; they are for development, a real bus gets its members' public keys", err=True)


@keys.command(name="list", epilog="Example: boutre keys list --output json")
@click.option("--output", type=click.Choice(["table", "json"]), default="table", show_default=True)
@with_settings
def list_(settings: Settings, output: str) -> None:
    """Show the members' public keys by id; private keys are never shown."""
    ring = keys_of(settings).keyring()
    rows = [{"id": name, "member": member, "revoked": name in ring.revoked} for name, (member, _) in sorted(ring.keys.items())]
    if output == "json":
        click.echo(json.dumps(rows, indent=2))
        return
    for row in rows:
        click.echo(f"{row['id']}  {row['member']}{'  revoked' if row['revoked'] else ''}")
