"""
``boutre watch``: the views of one recipient in a terminal, as they come.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import click
from rich.console import Console
from rich.text import Text

from boutre.connectors.consumer import Consumer
from boutre.connectors.delivery import KINDS, BadDelivery, Delivery
from boutre.connectors.opening import Opening
from boutre.connectors.phrases import Words
from boutre.connectors.plain import line, stamp
from boutre.connectors.wording import Mark, lines
from boutre.language import say
from boutre.ops.assembly import keys_of
from boutre.ops.command import with_settings
from boutre.ops.settings import Settings
from boutre.ops.whose import kinds_of

STYLES: Final[Mapping[Mark, str]] = {
    "exercise": "bold black on yellow",
    "urgent": "bold red",
    "head": "bold",
    "body": "",
    "withheld": "magenta",
    "faint": "dim",
}


@click.command(epilog="Example: boutre watch rcoc --kind alert --language fr --from beginning")
@click.argument("recipient")
@click.option("--kind", "kinds", multiple=True, type=click.Choice(KINDS), help="Only this kind; several times for several.")
@click.option("--language", type=click.Choice(["en", "fr"]), help="Language of the words.  [default: settings]")
@click.option(
    "--from", "start", type=click.Choice(["beginning", "end"]), help="Where to begin.  [default: end; with --once beginning]"
)
@click.option("--once", is_flag=True, help="Show what is there, and stop.")
@click.option("--output", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Words, or JSON lines.")
@with_settings
def watch(
    settings: Settings,
    *,
    recipient: str,
    kinds: tuple[str, ...],
    language: str | None,
    start: str | None,
    output: str,
    once: bool,
) -> None:
    """
    Show the views that RECIPIENT is given, until Ctrl+C.

    Watching moves no position: whoever watches takes nothing from anybody else.
    """
    language = language or settings.language
    begin = start or ("beginning" if once else "end")
    shown = kinds_of(settings, recipient, kinds)
    screen = Screen(recipient, language, output)
    config = settings.kafka.consumer(f"{recipient}.watch")
    consumer = Consumer(
        config,
        Opening.of(keys_of(settings)),
        recipient=recipient,
        kinds=shown,
        start="beginning" if begin == "beginning" else "end",
        until_end=once,
        on_bad=screen.bad,
    )
    with consumer as views:
        if not once:
            click.echo(say("watch.waiting", language, recipient=recipient), err=True)
        try:
            for view in views:
                screen.show(view)
        except KeyboardInterrupt:
            pass
        finally:
            click.echo(say("watch.stopped", language, count=screen.count), err=True)


class Screen:
    """
    Where views are shown: words in colour on a terminal, words alone elsewhere, or a JSON object a line.
    """

    def __init__(self, recipient: str, language: str, output: str) -> None:
        self.count = 0
        self._recipient = recipient
        self._language = language
        self._words = Words.core() if output == "text" else None
        self._console = Console(highlight=False, markup=False, emoji=False)

    def show(self, view: Delivery) -> None:
        """
        Show one view.
        """
        self.count += 1
        if self._words is None:
            click.echo(line(document(view)))
            return
        first, *rest = lines(view, self._language, self._words)
        self._console.print(Text(first.text, style=STYLES[first.mark]), soft_wrap=True)
        for each in rest:
            self._console.print(Text(f"  {each.text}", style=STYLES[each.mark]), soft_wrap=True)
        self._console.print()

    def bad(self, bad: BadDelivery) -> None:
        """
        Say on stderr that something is there which cannot be shown.
        """
        click.echo(say("watch.bad", self._language, place=bad.place, recipient=self._recipient, code=bad.code), err=True)


def document(view: Delivery) -> dict[str, object]:
    """
    A view with where it stood, for programs.
    """
    return {
        "kind": view.kind,
        "id": view.id,
        "of": view.of,
        "topic": view.topic,
        "partition": view.partition,
        "offset": view.offset,
        "released": stamp(view.timestamp),
        "value": view.value,
    }
