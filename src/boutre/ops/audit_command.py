"""
``boutre audit``: the log of what was released, which nobody can alter or shorten unseen.
"""

from __future__ import annotations

import json
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Final

import click
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from boutre.connectors.plain import line
from boutre.errors import DeclarationError, Fault
from boutre.ops import logs
from boutre.ops.assembly import assemble, keys_of
from boutre.ops.audit_compare import compare
from boutre.ops.audit_file import FILE, alone
from boutre.ops.audit_follow import following, read_again, receipt_at
from boutre.ops.audit_proving import cosigners, keep, prove, sign, since, verify
from boutre.ops.audit_store import Store, open_store
from boutre.ops.audit_telling import tell_log, tell_proof, when
from boutre.ops.audit_witness import WitnessFolder
from boutre.ops.command import with_settings
from boutre.ops.following import run
from boutre.ops.living import living
from boutre.ops.settings import Settings
from boutre.ops.sink_command import told_to_stop
from boutre.schemas.audit.checkpoint import NOTE_TYPE, Checkpoint, Note, NotProved, Verifier
from boutre.schemas.audit.entry import BUS
from boutre.schemas.audit.examine import Finding
from boutre.schemas.audit.papers import Extension, Inclusion
from boutre.schemas.keys import files

NO: Final = 1
AUDIT_KEY: Final = "audit.key"
OUTPUT: Final = click.option("--output", type=click.Choice(["table", "json"]), default="table", show_default=True)
FOLDER: Final = click.option(
    "--folder", type=click.Path(path_type=Path, file_okay=False), help="Of the log.  [default: STATE/audit]"
)
PAPER: Final = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.group(epilog="Example: boutre audit follow --once && boutre audit checkpoint && boutre audit verify")
def audit() -> None:
    """Keep the log of what was released, prove what is in it, witness it for a State."""


@audit.command(epilog="Example: boutre audit follow --once")
@click.option("--once", is_flag=True, help="Take what is there, and stop.")
@FOLDER
@with_settings
def follow(settings: Settings, *, once: bool, folder: Path | None) -> None:
    """Take the receipts of the bus into the log, each once, until told to stop."""
    logs.to_stderr()
    place = _folder(settings, folder)
    codec = assemble(settings.folder()).codec
    with alone(place), open_store(place, _key(settings, place, begins=True)) as store, told_to_stop() as stopped:
        beside = nullcontext() if once else living(settings, "follower", "audit")
        with following(store, codec, _key(settings, place), settings.kafka.client()) as follower, beside:
            taken = run(follower, stopped.is_set, once=once)
        click.echo(line({"taken": taken, "sizes": store.sizes()}))


@audit.command(epilog="Example: boutre audit checkpoint rcoc --since 120 > rcoc.checkpoint")
@click.argument("log", default=BUS)
@click.option("--since", "old", type=click.IntRange(0), help="With the proof for a witness who has cosigned so many entries.")
@click.option("--output", type=click.Choice(["note", "json"]), default="note", show_default=True)
@FOLDER
@with_settings
def checkpoint(settings: Settings, *, log: str, old: int | None, output: str, folder: Path | None) -> None:
    """
    Sign how many entries LOG has and what they are: the bus's own log, or that of a recipient.

    What is printed is for the log's recipient or another witness: boutre audit witness.
    """
    private = keys_of(settings).bus_signing()
    with open_store(_folder(settings, folder)) as store:
        note = sign(store, log, private)
        text = note.write() if old is None else since(store, note, old).write()
    if output == "note":
        click.echo(text, nl=False)
        return
    told = Checkpoint.read(note.text)
    key = Verifier(told.origin, NOTE_TYPE, private.public_key()).line()
    click.echo(line({"origin": told.origin, "size": told.size, "root": told.root.hex(), "key": key, "note": text}))


@audit.command("list", epilog="Example: boutre audit list --output json")
@OUTPUT
@FOLDER
@with_settings
def list_(settings: Settings, *, output: str, folder: Path | None) -> None:
    """Show the logs, how many entries each has, and who has witnessed how many."""
    members = keys_of(settings).keyring()
    rows: list[dict[str, Any]] = []
    with open_store(_folder(settings, folder)) as store:
        for log, size in store.sizes().items():
            kept = [(at, Note.read(text)) for at, text in store.notes(log)]
            seen = {member: at for at, note in kept for member in cosigners(note, members)}
            rows.append({"log": log, "entries": size, "signed": kept[-1][0] if kept else 0, "witnessed": seen})
    if output == "json":
        click.echo(json.dumps(rows, indent=2))
        return
    for row in rows:
        by = ", ".join(f"{member} {at}" for member, at in row["witnessed"].items()) or "nobody"
        click.echo(f"{row['log']:<24}{row['entries']:>10} entries, {row['signed']} signed, witnessed by {by}")


@audit.command(epilog="Example: boutre audit witness rcoc.checkpoint --member seychelles > rcoc.cosigned")
@click.argument("shown", metavar="CHECKPOINT", type=PAPER)
@click.option("--member", required=True, help="Whose witness this is; its key signs.")
@click.option("--begun-anew", is_flag=True, help="Take a log that the operators say was begun anew under another name.")
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False), help="Of the witness.  [default: STATE/witness/MEMBER]")
@with_settings
def witness(settings: Settings, *, shown: Path, member: str, begun_anew: bool, folder: Path | None) -> None:
    """
    Cosign a CHECKPOINT for a member State, where the log begins with all that this State has cosigned of it.

    A rollback or a fork is refused, and what proves it is kept. What is printed goes back to the bus: boutre audit keep.
    """
    keys = keys_of(settings)
    place = folder or settings.state / "witness" / member
    paper = Extension.read(_text(shown))
    cosigned = WitnessFolder(place, member).cosign(
        paper, _in_force(settings), keys.private(member), int(time.time()), begun_anew=begun_anew
    )
    click.echo(cosigned.write(), nl=False)


@audit.command("keep", epilog="Example: boutre audit keep rcoc.cosigned")
@click.argument("note", metavar="COSIGNED", type=PAPER)
@FOLDER
@with_settings
def keep_(settings: Settings, *, note: Path, folder: Path | None) -> None:
    """Keep a COSIGNED checkpoint with the log, once all of it is proved."""
    with open_store(_folder(settings, folder)) as store:
        by = keep(store, Note.read(_text(note)), _in_force(settings), keys_of(settings).keyring())
    click.echo(f"kept, cosigned by {when(by)}", err=True)


@audit.command("prove", epilog="Example: boutre audit prove 2nqyx3k6qs5ozk5aemv7pkmpgb2w4kyl > release.tlog-proof")
@click.argument("identifier", metavar="RECEIPT_ID")
@click.option("--log", help="In which log.  [default: the bus's for a receipt, its recipient's for a view]")
@click.option("--output", type=click.Choice(["proof", "json"]), default="proof", show_default=True)
@FOLDER
@with_settings
def prove_(settings: Settings, *, identifier: str, log: str | None, output: str, folder: Path | None) -> None:
    """
    Prove that a receipt, or a view by its id, is in the log, and open its entry and no other.

    A proof in the bus's log opens the whole receipt: it is for the operators and a court. A proof in a recipient's log opens what
    that recipient knows anyway.
    """
    place = _folder(settings, folder)
    codec, client = assemble(settings.folder()).codec, settings.kafka.client()

    def fetch(partition: int, offset: int) -> bytes | None:
        return receipt_at(client, partition, offset)

    with open_store(place) as store:
        proof = prove(store, _key(settings, place), codec, fetch, identifier=identifier, log=log)
    if output == "proof":
        click.echo(proof.write(), nl=False)
        return
    click.echo(line({"place": proof.place, "checkpoint": proof.note.text, "proof": proof.write()}))


@audit.command("verify", epilog="Example: boutre audit verify --checkpoint from-seychelles.note")
@click.option("--log", "only", multiple=True, help="Only this log; several times for several.")
@click.option("--checkpoint", "shown", multiple=True, type=PAPER, help="A checkpoint that somebody else has kept.")
@click.option("--receipts", is_flag=True, help="Read the receipts on Kafka again as well, and hold each against its entry.")
@click.option("--proof", type=PAPER, help="Look at this proof instead; neither the log nor Kafka is needed.")
@OUTPUT
@FOLDER
@with_settings
def verify_(
    settings: Settings,
    *,
    only: tuple[str, ...],
    shown: tuple[Path, ...],
    receipts: bool,
    proof: Path | None,
    output: str,
    folder: Path | None,
) -> None:
    """
    Look through the log: exit status 1 where an entry was altered, taken out, put elsewhere, cut off, or the log is another one.

    By itself the log shows what was altered behind the operators' backs. Whether the operators cut off its end, only a checkpoint
    shows that somebody else has kept.
    """
    if proof is not None:
        ring = keys_of(settings).keyring()
        tell_proof(Inclusion.read(_text(proof)), _in_force(settings), ring, assemble(settings.folder()).codec, output)
        return
    place, keys = _folder(settings, folder), keys_of(settings).bus_keyring().keys.values()
    with open_store(place) as store, store.still():
        sizes = store.sizes()
        chosen = only or tuple(sizes)
        if strange := [log for log in chosen if log not in sizes]:
            raise DeclarationError([Fault("--log", log, f"is no log here; there are: {', '.join(sizes)}") for log in strange])
        notes = [Extension.read(_text(path)).note for path in shown]
        findings = list(verify(store, chosen, notes, _in_force(settings), keys))
        if receipts:
            findings += _compared(settings, store, place)
        signed = {log: max((at for at, _ in store.notes(log)), default=0) for log in chosen}
    tell_log(findings, {log: (sizes[log], signed[log]) for log in chosen}, output)
    if findings:
        click.get_current_context().exit(NO)


@audit.command(epilog="Example: boutre audit erase 2nqyx3k6qs5ozk5aemv7pkmpgb2w4kyl")
@click.argument("receipt", metavar="RECEIPT_ID")
@click.option("--yes", is_flag=True, help="Do not ask.")
@FOLDER
@with_settings
def erase(settings: Settings, *, receipt: str, yes: bool, folder: Path | None) -> None:
    """
    Delete what opens the entries of a receipt, for good; the log stays whole and can be verified as before.

    The receipt on Kafka is another matter; so are backups of the log.
    """
    if not yes:
        click.confirm("nobody will be able to open these entries again; delete what opens them?", abort=True, err=True)
    with open_store(_folder(settings, folder)) as store:
        found = store.erase(receipt)
    if not found:
        raise NotProved(f"no entry is of {receipt}: it is no receipt here, or was erased before")
    click.echo(f"{found} {'entry' if found == 1 else 'entries'} can no longer be opened", err=True)


def _compared(settings: Settings, store: Store, place: Path) -> list[Finding]:
    """Hold the log against the receipts on Kafka."""
    codec, key = assemble(settings.folder()).codec, _key(settings, place)
    with read_again(settings.kafka.client(), store.positions()) as (lows, again):
        return list(compare(store, key, codec, lows, again))


def _folder(settings: Settings, folder: Path | None) -> Path:
    return folder or settings.state / "audit"


def _key(settings: Settings, folder: Path, *, begins: bool = False) -> bytes:
    """Give the operators' key; it is made with the log, and never once there is one."""
    path = settings.keys / AUDIT_KEY
    if begins and not (folder / FILE).is_file():
        files.make(path, files.new_secret())
    if not path.is_file():
        raise files.missing(
            path, "bring it back from its backup: without it no entry can be opened; boutre audit follow makes it once"
        )
    return files.secret(path)


def _in_force(settings: Settings) -> list[Ed25519PublicKey]:
    ring = keys_of(settings).bus_keyring()
    return [key for identifier, key in ring.keys.items() if identifier not in ring.revoked]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise NotProved(f"{path} holds no text") from None
