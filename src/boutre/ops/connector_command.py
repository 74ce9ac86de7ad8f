"""
``boutre connector``: the feeds of this bus, run and tried.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Literal, TypeVar

import click
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from boutre.connectors import examples, feeds
from boutre.connectors.cursor import Cursors
from boutre.connectors.feeds import Feed
from boutre.connectors.kafka_transport import KafkaTransport
from boutre.connectors.known import Known
from boutre.connectors.memory import MemoryTransport
from boutre.connectors.record import Maker
from boutre.connectors.runner import Published, Runner
from boutre.connectors.runner_stop import Stop
from boutre.connectors.transport import Transport
from boutre.errors import Fault
from boutre.ops import logs
from boutre.ops.command import with_settings
from boutre.ops.living import living
from boutre.ops.rejected_command import forget, kept_of, rejected
from boutre.ops.settings import Settings
from boutre.schemas import lock, vocabulary
from boutre.schemas.cases.pool import CaseKeys, Rehearsed
from boutre.schemas.codec import Codec
from boutre.schemas.keys import KeyFolder
from boutre.schemas.sense import Area
from boutre.schemas.validation import Validator
from boutre.topics import bus
from boutre.topics.bus import Declarations
from boutre.topics.strict import raise_all

Output = Literal["table", "json"]
F = TypeVar("F", bound=Callable[..., object])


@dataclass(frozen=True, slots=True)
class Desk:
    """
    What a connector needs of the bus: its declarations and its schemas, and nothing of its agreements.
    """

    settings: Settings
    declarations: Declarations
    codec: Codec
    validator: Validator
    known: Known

    @classmethod
    def of(cls, settings: Settings) -> Desk:
        """Read it; ``DeclarationError`` with everything that is wrong in a room."""
        root = settings.folder()
        locked = lock.load(lock.folder_of(root))
        words = vocabulary.load(lock.folder_of(root) / "vocabularies")
        return cls(settings, bus.load(root), Codec(locked), Validator(locked, words.has), Known.of(locked, words.has))

    @property
    def members(self) -> frozenset[str]:
        """The members of the bus."""
        return frozenset(self.declarations.members)

    def feeds(self, names: tuple[str, ...]) -> tuple[Feed, ...]:
        """Read these feeds, or all where none is named."""
        root = self.settings.folder()
        if not names:
            return feeds.load(root, self.known, self.members)
        return tuple(feeds.one(root, name, self.known, self.members) for name in names)

    def maker(self, feed: Feed, private: Ed25519PrivateKey, cases: CaseKeys) -> Maker:
        """Give what makes the records of a feed."""
        box = self.declarations.members[feed.member].area
        area = None if box is None else Area(box.west, box.south, box.east, box.north)
        return Maker(self.codec, self.validator.check, private, area, cases)

    def runner(self, feed: Feed, transport: Transport, *, dry: bool = False, anew: bool = False) -> Runner:
        """Give what runs a feed; a dry run needs no key and keeps no cursor, one *anew* reads from the beginning and keeps none."""
        keys = KeyFolder(self.settings.keys, self.settings.vault)
        private = Ed25519PrivateKey.generate() if dry else keys.private(feed.member)
        cases = Rehearsed() if dry else keys.cases.keys(feed.member)
        cursors = Cursors(None if dry or anew else self.settings.state / "connectors")
        return Runner(self.maker(feed, private, cases), transport, cursors, _now, kept=kept_of(self.settings, dry=dry))


def _output_option(command: F) -> F:
    return click.option(
        "--output", type=click.Choice(["table", "json"]), default="table", show_default=True, help="Form of the answer."
    )(command)


@click.group(epilog="Example: boutre connector run incidents-imb --once")
def connector() -> None:
    """Bring a member's reports onto the bus: the feeds declared in connectors/."""


connector.add_command(rejected)
connector.add_command(forget)


@connector.command("list", epilog="Example: boutre connector list --output json")
@_output_option
@with_settings
def list_command(settings: Settings, output: Output) -> None:
    """Show the feeds of this bus: whose they are, what they read, how far they were read."""
    desk = Desk.of(settings)
    cursors = Cursors(settings.state / "connectors")
    rows = [
        {
            "feed": feed.id,
            "member": feed.member,
            "kinds": list(feed.kinds),
            "source": feed.source.name,
            "exercise": feed.exercise,
            "rhythm_hours": None if feed.rhythm is None else feed.rhythm.total_seconds() / 3600,
            "examples": len(feed.examples),
            "cursor": cursors.load(feed.id),
        }
        for feed in desk.feeds(())
    ]
    if output == "json":
        click.echo(json.dumps(rows, indent=2))
        return
    for row in rows:
        marks = "exercise" if row["exercise"] else ""
        click.echo(f"{row['feed']:<24}  {row['member']:<18}  {row['source']:<12}  {row['cursor'] or '-':<24}  {marks}".rstrip())


@connector.command("check", epilog="Example: boutre connector check incidents-imb")
@click.argument("names", metavar="[FEED]...", nargs=-1)
@with_settings
def check_command(settings: Settings, names: tuple[str, ...]) -> None:
    """Read the feeds strictly and run their examples; needs no broker and no key."""
    desk = Desk.of(settings)
    found = desk.feeds(names)
    faults: list[Fault] = []
    for feed in found:
        faults.extend(examples.check(feed, desk.codec, desk.validator.check, _now()))
    raise_all(faults)
    tried = sum(len(feed.examples) for feed in found)
    click.echo(f"{len(found)} feeds and {tried} examples are in order", err=True)


@connector.command("run", epilog="Example: boutre connector run incidents-imb incidents-asam --once --output json")
@click.argument("names", metavar="FEED...", nargs=-1, required=True)
@click.option("--once", is_flag=True, help="End when the source is read to its end; else go on until stopped.")
@click.option("--dry-run", is_flag=True, help="Make and check every record, send nothing, keep no cursor. Implies --once.")
@_output_option
@with_settings
def run_command(settings: Settings, names: tuple[str, ...], output: Output, *, once: bool, dry_run: bool) -> None:
    """
    Publish feeds: what each source gives, from where it stopped, signed, to its member's topics.

    SIGTERM and Ctrl-C end it in good order: what was sent is waited for, and the cursor is saved.
    """
    logs.to_stderr()
    once = once or dry_run
    if len(names) > 1 and not once:
        raise click.UsageError("one process follows one feed; name several with --once only")
    desk = Desk.of(settings)
    found = desk.feeds(names)
    transport = _transport(desk, dry=dry_run)
    runners = [(feed, desk.runner(feed, transport, dry=dry_run)) for feed in found]
    done: list[tuple[Feed, Published]] = []
    beside = nullcontext() if dry_run else living(settings, "connector", ", ".join(names))
    with beside, Stop().on_signals() as stop:
        for feed, runner in runners:
            if not stop.asked:
                done.append((feed, runner.run(feed, follow=not once, stop=stop)))
    _show(done, output, dry=dry_run)


def _transport(desk: Desk, *, dry: bool) -> Transport:
    if dry:
        return MemoryTransport({name: topic.partitions for name, topic in desk.declarations.topics.items()}, _now)
    transport = KafkaTransport(desk.settings.kafka.producer())
    transport.ready()
    return transport


def _show(done: list[tuple[Feed, Published]], output: Output, *, dry: bool) -> None:
    if output == "json":
        click.echo(json.dumps([{"feed": feed.id, "member": feed.member, **asdict(counts)} for feed, counts in done], indent=2))
        return
    for feed, counts in done:
        click.echo(f"{feed.id:<24}  {counts.records:>7} records  {counts.rejects:>5} rejected  {counts.noted:>5} no reports")
        for word, reasons in (("rejected", counts.reasons), ("no report", counts.notes)):
            for reason, count in reasons.items():
                click.echo(f"{'':<24}  {count:>7} {word}: {reason}")
    refused = [feed.id for feed, counts in done if counts.rejects]
    if refused and not dry:
        click.echo(f"what was rejected stays on this machine: boutre connector rejected {refused[0]}", err=True)


def _now() -> datetime:
    return datetime.now(UTC)
