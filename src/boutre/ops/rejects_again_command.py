"""
``boutre rejects send-again``: what was rejected goes out once more, as it is where it passes now, or mended.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from boutre.connectors.kafka_transport import KafkaTransport
from boutre.connectors.memory import MemoryTransport
from boutre.connectors.sdk import Bad, Raw
from boutre.errors import DeclarationError, Fault, Refuse
from boutre.language import say
from boutre.ops import rejects_bus, rejects_file
from boutre.ops.assembly import assemble, keys_of
from boutre.ops.command import with_settings
from boutre.ops.rejects_check import Gate
from boutre.ops.rejects_desk import LANGUAGE, MEMBER, OF_BUS, OUTPUT, RejectDesk, choice_of, choosing
from boutre.ops.rejects_recovery import Found, Recovered, Unmade, document_of, read_again
from boutre.ops.rejects_sending import Item, Outcome, Sender
from boutre.ops.rejects_standing import Entry, Standing
from boutre.ops.rejects_store import SentAgain
from boutre.ops.settings import Settings
from boutre.schemas.cases.pool import Rehearsed
from boutre.schemas.keys.folder import MEMBERS
from boutre.schemas.sense import Problem
from boutre.schemas.signature import key_id

DONE: Final = frozenset({"sent", "would-be-sent", "already-sent"})
SHOWN: Final = 20
"""How many of those that were not sent the table names; with --output json all are."""


@click.command("send-again", epilog="Example: boutre rejects send-again --member comoros --code unknown-key --dry-run")
@click.argument("ids", metavar="[ID]...", nargs=-1)
@MEMBER
@OF_BUS
@choosing
@click.option("--all", "everything", is_flag=True, help="All that are open, where neither ID nor option chooses.")
@click.option(
    "--from", "files", multiple=True, type=click.Path(dir_okay=False, path_type=Path), help="A file of boutre rejects fix."
)
@click.option("--dry-run", is_flag=True, help="Check everything, send nothing. A file is checked without a broker.")
@click.option("--force", is_flag=True, help="Also what was sent again before: once, or so often that it is held back.")
@LANGUAGE
@OUTPUT
@with_settings
def send_again(
    settings: Settings,
    /,
    *,
    ids: tuple[str, ...],
    member: str | None,
    files: tuple[Path, ...],
    output: str,
    language: str | None,
    of_bus: bool,
    everything: bool,
    dry_run: bool,
    force: bool,
    **more: Any,
) -> None:
    """
    Send again what was rejected: by ID (of a reject or its record), by reason, all that now passes, or mended files.

    Each is checked first as the bus will check it; what would be refused again is told with its field, and not sent. A run that was
    killed goes on where it was: what Kafka has is not sent again, and what arrives twice is dropped by the bus.

    With --bus, operations put records again where a step of the bus stopped at them; --from is then a list of rejects as JSON.
    """
    chosen = choice_of(ids, **more)
    narrowed = bool(ids or any(more.values()))
    if bool(files) == (narrowed or everything) or (everything and narrowed):
        raise click.UsageError("say which: IDs or options that choose, or --all, or --from FILE")
    language = language or settings.language
    own = RejectDesk.of(settings, member, of_bus=of_bus)
    with own.store(alone=True) as store:
        if of_bus:
            outcomes = _of_bus(own, store, files, None if files else chosen, dry=dry_run, force=force)
        elif files:
            outcomes = _mended(own, store, files, dry=dry_run, force=force)
        else:
            outcomes = _chosen(own, store, chosen, output, dry=dry_run, force=force)
    _show(outcomes, output, language)
    named = bool(ids or files)
    if named and (not outcomes or any(one.result not in DONE for one in outcomes)):
        raise click.exceptions.Exit(1)


def _chosen(own: RejectDesk, store: SentAgain, chosen: Any, output: str, *, dry: bool, force: bool) -> list[Outcome]:
    gate, aside = own.gate(), list[Outcome]()
    sender = _sender(own, gate, store, dry=dry, force=force)
    with own.reading() as topics:
        found = own.standings(topics, store, chosen)
        todo, done = _divided(found, force=force)
        with _progress(len(todo), shown=output == "table") as progress:

            def items() -> Iterator[Item]:
                for entry, what in own.recovery(gate, topics).find(todo):
                    progress()
                    if isinstance(what, Recovered):
                        yield Item(entry.id, entry.code, what)
                    else:
                        aside.append(_aside(entry, what))

            sent = list(sender.send(items()))
    return [*sent, *aside, *done]


def _divided(found: Iterable[Standing], *, force: bool) -> tuple[list[Entry], list[Outcome]]:
    """Part what is to be sent from what was; what a newer reject has overtaken is neither."""
    todo, done = [], []
    for entry, state, _ in found:
        if state == "open" or (state == "sent" and force):
            todo.append(entry)
        elif state == "sent":
            done.append(Outcome(entry.id, entry.record, entry.code, "already-sent"))
    return todo, done


def _aside(entry: Entry, what: Found) -> Outcome:
    told = (entry.id, entry.record, entry.code)
    return Outcome(*told, "to-be-mended", what.problem) if isinstance(what, Unmade) else Outcome(*told, "not-kept")


def _mended(own: RejectDesk, store: SentAgain, files: Sequence[Path], *, dry: bool, force: bool) -> list[Outcome]:
    gate = own.gate()
    items, aside = [], []
    for path in files:
        mended = rejects_file.read(path)
        if mended.member != own.member:
            raise DeclarationError([Fault(str(path), "member", f"is {mended.member}, and these are the rejects of {own.member}")])
        found = mended.found if isinstance(mended.found, Recovered) else _read(own, gate, *mended.found)
        if isinstance(found, Problem):
            aside.append(Outcome(mended.reject, mended.record, mended.code, "to-be-mended", found))
        else:
            items.append(Item(mended.reject, mended.code, found, mended=True))
    return [*_sender(own, gate, store, dry=dry, force=force).send(items), *aside]


def _read(own: RejectDesk, gate: Gate, name: str, lines: Sequence[str]) -> Recovered | Problem:
    """Have a feed's own source read what was mended."""
    (feed,) = own.desk.feeds((name,))
    if feed.member != gate.member:
        return Problem("foreign-member", "feed")
    item = read_again(feed, lines)
    if isinstance(item, Raw):
        try:
            return Recovered(item.kind, document_of(feed, item, _now()), "connector", feed.id)
        except Refuse as refused:
            return Problem(refused.code, refused.field)
    return Problem(item.code, item.where.field, item.detail) if isinstance(item, Bad) else Problem("not-readable", "content")


def _sender(own: RejectDesk, gate: Gate, store: SentAgain, *, dry: bool, force: bool) -> Sender:
    keys = keys_of(own.settings)
    if dry:
        return Sender(gate, Ed25519PrivateKey.generate(), Rehearsed(), MemoryTransport({}), store, _now, dry=True, force=force)
    private = keys.private(own.member)
    if (own.settings.keys / MEMBERS).is_file() and key_id(private.public_key()) in keys.keyring().revoked:
        message = "is revoked: the bus would refuse whatever it signs; boutre keys rotate makes another"
        raise DeclarationError([Fault(str(own.settings.keys / "members" / f"{own.member}.pem"), "", message)])
    transport = KafkaTransport(own.settings.kafka.producer())
    transport.ready()
    return Sender(gate, private, keys.cases.keys(own.member), transport, store, _now, force=force)


def _of_bus(own: RejectDesk, store: SentAgain, files: Sequence[Path], chosen: Any, *, dry: bool, force: bool) -> list[Outcome]:
    listed = [entry for path in files for entry in rejects_bus.listed(path)]
    assembly = assemble(own.settings.folder())
    with own.reading() as topics:
        again = rejects_bus.Again(own.settings, assembly, topics, store, _now, dry=dry, force=force)
        if chosen is not None:
            todo, done = _divided(own.standings(topics, store, chosen), force=force)
        else:
            sent_at = store.sent_at()
            todo = [entry for entry in listed if force or entry.id not in sent_at]
            done = [Outcome(one.id, one.record, one.code, "already-sent") for one in listed if one not in todo]
        return [*again.send(todo), *done]


def _show(outcomes: Sequence[Outcome], output: str, language: str) -> None:
    if output == "json":
        click.echo(json.dumps([one.plain() for one in outcomes], indent=2, ensure_ascii=False))
        return
    for result, count in sorted(Counter(one.result for one in outcomes).items()):
        click.echo(f"{count:>7}  {say(f'rejects.result.{result}', language)}")
    left = [one for one in outcomes if one.result not in DONE]
    for one in left[:SHOWN]:
        why = one.problem
        told = "" if why is None else " ".join(filter(None, (why.code, why.field and f"({why.field})", why.detail)))
        click.echo("  ".join(filter(None, (one.reject, one.result, told))))
    if len(left) > SHOWN:
        click.echo(say("rejects.more", language, count=len(left) - SHOWN))
    if not outcomes:
        click.echo(say("rejects.none", language), err=True)


@contextmanager
def _progress(total: int, *, shown: bool) -> Iterator[Any]:
    """Show on a terminal how far it is; gives what is called for each."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(file=sys.stderr)
    with Progress(*columns, console=console, disable=not shown or not console.is_terminal, transient=True) as progress:
        task = progress.add_task("send again", total=total)
        yield lambda: progress.advance(task)


def _now() -> datetime:
    return datetime.now(UTC)
