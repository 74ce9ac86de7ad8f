"""
`boutre schemas`: check the schemas, lock new versions of them, and hold a registry to what is locked.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from rich import box
from rich.console import Console
from rich.table import Table

from boutre.errors import DeclarationError
from boutre.ops.command import with_settings
from boutre.ops.settings import Settings
from boutre.schemas import locking
from boutre.schemas.lock import Lock, Locked, core, load
from boutre.schemas.registry import Registry
from boutre.schemas.registry import faults as registry_faults
from boutre.schemas.registry import push as registry_push


@click.group()
def schemas() -> None:
    """
    Check the schemas, lock new versions, hold a registry to what is locked.

    Example: boutre schemas check && boutre schemas lock
    """


@schemas.command()
@with_settings
def check(settings: Settings) -> None:
    """
    Prove that the schemas are sound, locked, and readable by one another for good.

    Every field has a doc, a unit and a sharing category; every locked file is as it was; every two versions of a kind can read
    each other; and what stands in the schemas folder is what was locked last.
    """
    faults = locking.check(_folder(settings))
    if faults:
        raise DeclarationError(faults)
    lock = load(_folder(settings))
    click.echo(f"{len(lock.kinds)} kinds and {len(lock.entries)} locked schemas are sound", err=True)


@schemas.command()
@with_settings
def lock(settings: Settings) -> None:
    """
    Lock each schema that differs from its newest locked version, as a new version with an id of its own.

    Nothing is locked unless all of it can be; what is locked once is never changed or taken away.
    """
    added = locking.lock(settings.folder() / "schemas")
    for entry in added:
        click.echo(f"{entry.kind} {entry.version} locked as {entry.id} ({locking.file_of(entry)})")
    if not added:
        click.echo("nothing has changed since the last lock", err=True)


@schemas.command("list")
@click.option("--output", type=click.Choice(["table", "json"]), default="table", help="Form of the answer.")
@with_settings
def list_(settings: Settings, output: str) -> None:
    """
    List what is locked: kind, version, id on the wire, SHA-256.
    """
    rows = [_row(entry) for entry in load(_folder(settings)).entries]
    if output == "json":
        click.echo(json.dumps(rows, indent=2))
        return
    table = Table(box=box.SIMPLE)
    for heading in ("kind", "version", "id", "frame begins", "sha256"):
        table.add_column(heading)
    for row in rows:
        table.add_row(row["kind"], str(row["version"]), str(row["id"]), row["frame_begins"], row["sha256"][:16])
    Console().print(table)


@schemas.command()
@click.argument("kind")
@click.option("--version", type=int, help="The version; without it, the newest that is locked.")
@with_settings
def show(settings: Settings, kind: str, version: int | None) -> None:
    """
    Print the locked schema of KIND, whole and by itself, as a client of another language needs it.
    """
    click.echo(locking.text(_entry(load(_folder(settings)), kind, version).schema), nl=False)


@schemas.group()
def registry() -> None:
    """
    Compare a Confluent-compatible schema registry with what is locked, or bring it there.
    """


def _reached(command: Callable[..., None]) -> Callable[..., None]:
    file = click.Path(exists=True, dir_okay=False, path_type=Path)
    for option in (
        click.option("--ca", type=file, help="PEM of the authority that signed its certificate; else the system's."),
        click.option("--user-file", type=file, help="File that holds name:password for it."),
        click.option("--url", required=True, help="Root of its API, for example https://host/apis/ccompat/v7"),
    ):
        command = option(command)
    return command


@registry.command("check")
@_reached
@with_settings
def registry_check(settings: Settings, url: str, user_file: Path | None, ca: Path | None) -> None:
    """
    Prove that the registry holds our locked schemas, nothing else under their names, and guards them.
    """
    lock = load(_folder(settings))
    found = registry_faults(_registry(url, user_file, ca), lock)
    if found:
        raise DeclarationError(found)
    click.echo(f"{url} holds all {len(lock.entries)} locked schemas", err=True)


@registry.command("push")
@_reached
@with_settings
def registry_push_command(settings: Settings, url: str, user_file: Path | None, ca: Path | None) -> None:
    """
    Register the locked schemas that the registry lacks; it then refuses what is not FULL_TRANSITIVE.

    Never deletes, and changes nothing where a stranger's schema stands under one of our names.
    """
    added = registry_push(_registry(url, user_file, ca), load(_folder(settings)))
    for entry, registry_id in added:
        click.echo(f"{entry.kind} {entry.version} registered as {registry_id}")
    if not added:
        click.echo("the registry holds all of them already", err=True)


def _registry(url: str, user_file: Path | None, ca: Path | None) -> Registry:
    user = user_file.read_text(encoding="utf-8").strip() if user_file is not None else None
    trust = ssl.create_default_context(cafile=str(ca)) if ca is not None else None
    return Registry(url, user=user, trust=trust)


def _folder(settings: Settings) -> Path:
    own = settings.folder() / "schemas"
    return own if own.is_dir() else core()


def _row(entry: Locked) -> dict[str, Any]:
    return {
        "kind": entry.kind,
        "version": entry.version,
        "id": entry.id,
        "frame_begins": (b"\0" + entry.id.to_bytes(4, "big")).hex(" "),
        "sha256": entry.sha256,
    }


def _entry(lock: Lock, kind: str, version: int | None) -> Locked:
    versions = {entry.version: entry for entry in lock.entries if entry.kind == kind}
    if not versions:
        raise click.BadParameter(f"is none of {', '.join(sorted(lock.kinds))}", param_hint="KIND")
    if version is not None and version not in versions:
        known = ", ".join(map(str, sorted(versions)))
        raise click.BadParameter(f"is none of {known}", param_hint="--version")
    return versions[version or max(versions)]
