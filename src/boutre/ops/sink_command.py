"""
``boutre sink``: take a recipient's views somewhere: into files, into a database.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, Final

import click
import structlog
from pydantic import TypeAdapter, ValidationError

from boutre.connectors.consumer import Consumer
from boutre.connectors.delivery import KINDS
from boutre.connectors.opening import Opening
from boutre.connectors.plain import line
from boutre.connectors.sinks.contract import Sink, Write, find, names
from boutre.connectors.sinks.dead_letters import open_dead_letters
from boutre.connectors.sinks.runner import MOST, Limits, Runner
from boutre.errors import DeclarationError, Fault, Retry
from boutre.health import OWN
from boutre.ops import logs
from boutre.ops.assembly import keys_of
from boutre.ops.command import with_settings
from boutre.ops.living import living
from boutre.ops.settings import Settings
from boutre.ops.whose import kinds_of

log = structlog.get_logger(__name__)

OPEN: Final = "sink"
"""What the process lacks until its sink is open."""


@click.group()
def sink() -> None:
    """Take a recipient's views into files or a database."""


@sink.command("list")
@click.option("--output", type=click.Choice(["text", "json"]), default="text", show_default=True)
def list_sinks(output: str) -> None:
    """Show which sinks are installed, and their options."""
    for each in map(find, names()):
        options = [field.name for field in fields(each.options)]
        if output == "json":
            click.echo(line({"name": each.name, "summary": each.summary, "options": options}))
        else:
            click.echo(f"{each.name}: {each.summary} ({', '.join(f'--set {name}=...' for name in options)})")


@sink.command(epilog="Example: boutre sink run jsonl rcoc --set folder=out")
@click.argument("name")
@click.argument("recipient")
@click.option("--set", "pairs", multiple=True, metavar="OPTION=VALUE", help="An option of the sink; see boutre sink list.")
@click.option("--kind", "kinds", multiple=True, type=click.Choice(KINDS), help="Only this kind; several times for several.")
@click.option("--group", help="Under which name the broker remembers the position.  [default: RECIPIENT.NAME]")
@click.option("--dead-letters", type=click.Path(path_type=Path, dir_okay=False), help="File for what the sink cannot take.")
@click.option("--most", type=click.IntRange(1, 10_000), default=MOST, show_default=True, help="Views in a batch at most.")
@click.option("--once", is_flag=True, help="Take what is there, and stop.")
@with_settings
def run(
    settings: Settings,
    *,
    name: str,
    recipient: str,
    pairs: tuple[str, ...],
    kinds: tuple[str, ...],
    group: str | None,
    dead_letters: Path | None,
    most: int,
    once: bool,
) -> None:
    """
    Run the sink NAME for RECIPIENT until it is told to stop.

    A position moves only once the sink has the views. A sink that was killed is started again, and goes on where it was.
    """
    logs.to_stderr()
    chosen = find(name)
    options = options_of(chosen, pairs)
    taken = kinds_of(settings, recipient, kinds)
    aside = dead_letters or Path(getattr(options, "folder", ".")) / recipient / f"dead-letters.{name}.jsonl"
    consumer = Consumer(
        settings.kafka.client(),
        Opening.of(keys_of(settings)),
        recipient=recipient,
        kinds=taken,
        group=group or f"{recipient}.{name}",
        until_end=once,
    )
    with ExitStack() as stack:
        stopped = stack.enter_context(told_to_stop())
        OWN.lacks(OPEN, "not open yet")
        stack.enter_context(living(settings, "sink", f"{name} of {recipient}"))
        dead = stack.enter_context(open_dead_letters(aside))
        write = opened(stack, chosen, options, stopped)
        if write is None:
            return
        OWN.has(OPEN)
        views = stack.enter_context(consumer)
        counts = Runner(name, views, write, dead, Limits(most=most), stopped.is_set).run()
    click.echo(line({"sink": name, "recipient": recipient, **asdict(counts)}))


def options_of(chosen: Sink[Any], pairs: tuple[str, ...]) -> Any:
    """
    Make the options of a sink from ``name=value`` pairs; raises DeclarationError with all that is wrong with them.
    """
    known = {field.name for field in fields(chosen.options)}
    given: dict[str, str] = {}
    faults = []
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or key not in known:
            there = ", ".join(sorted(known))
            faults.append(Fault("--set", key, f"{chosen.name} has no such option; say --set OPTION=VALUE with one of: {there}"))
        given[key] = value
    if not faults:
        try:
            return TypeAdapter(chosen.options).validate_python(given)
        except ValidationError as error:
            # The value may hold a password, so it is not said again.
            faults = [Fault("--set", ".".join(map(str, each["loc"])), each["msg"].lower()) for each in error.errors()]
    raise DeclarationError(faults)


def opened(stack: ExitStack, chosen: Sink[Any], options: Any, stopped: threading.Event) -> Write | None:
    """
    Open a sink, as often as it asks to be opened later; None where it was told to stop meanwhile.
    """
    while not stopped.is_set():
        try:
            return stack.enter_context(chosen.open(options))
        except Retry as asked:
            log.warning("sink.retry", sink=chosen.name, after=asked.after, reason=str(asked))
            OWN.lacks(OPEN, "it cannot be opened yet; the log says why")
            stopped.wait(asked.after)
    return None


@contextmanager
def told_to_stop() -> Iterator[threading.Event]:
    """
    Give an event that SIGTERM and SIGINT set: what was begun is finished, then the sink ends.
    """
    event = threading.Event()
    before = {number: signal.signal(number, lambda *_: event.set()) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield event
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
