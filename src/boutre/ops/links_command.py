"""
``boutre links``: what follows from the links that a recipient was told, and from what its people say.
"""

from __future__ import annotations

from typing import IO, Final

import click
from rich.console import Console
from rich.text import Text

from boutre.connectors.plain import line
from boutre.language import LANGUAGES
from boutre.ops.command import with_settings
from boutre.ops.links_compare import compared
from boutre.ops.links_read import Files, exercises
from boutre.ops.links_words import lines, plain, unusable
from boutre.ops.settings import Language, Settings
from boutre.processors.links.clusters import Limits
from boutre.processors.links.picture import Had, Picture, Whose, picture

LIMITS: Final = Limits()
"""What counts on the bus."""

EXAMPLES: Final = """\b
Examples:
  boutre sink run jsonl rcoc --set folder=out --once
  boutre links explain out/rcoc/link.jsonl
  boutre watch rcoc --kind link --once --output json | boutre links explain - --output json
\b
With what people said, and the reports by which their views are known:
  boutre answers read --recipient rcoc --own --output json > said.jsonl
  boutre links explain out/rcoc/{link,sighting}.jsonl --said said.jsonl --language fr
\b
As the bus does it, with what the reports themselves say against each other:
  boutre links explain out/rcoc/{link,sighting,interception}.jsonl --compare
"""


@click.group()
def links() -> None:
    """Show which records are of one craft or event, as a recipient's links say, and why others are not."""


@links.command(epilog=EXAMPLES)
@click.argument("files", nargs=-1, required=True, type=click.File("rb"))
@click.option("--said", type=click.File("rb"), help="What people said of two views: answers, a line of JSON each.")
@click.option(
    "--at-least",
    type=click.FloatRange(0, 1),
    default=LIMITS.probability,
    show_default=True,
    help="Probability from which a link counts.",
)
@click.option("--compare", is_flag=True, help="Hold apart what reports in FILES say against each other, by the bus's models.")
@click.option("--language", "--lang", type=click.Choice(list(LANGUAGES)), help="Language of the words.  [default: settings]")
@click.option("--output", type=click.Choice(["table", "json"]), default="table", show_default=True, help="Form of the answer.")
@with_settings
def explain(
    settings: Settings,
    *,
    files: tuple[IO[bytes], ...],
    said: IO[bytes] | None,
    at_least: float,
    compare: bool,
    language: Language | None,
    output: str,
) -> None:
    """
    Say which clusters follow from the links in FILES, which links were refused and why, and which do not count.

    FILES hold one recipient's views as lines of JSON, those of one link in the order in which they came; - reads what is piped in.
    Links are looked at; of other views it is learnt of which record they are, and what was taken back. No broker and no key is
    needed, no declared bus but for --compare, and nothing is kept: what is shown is made anew from what stands there. Ends with 1
    where a line could not be used.
    """
    read = Files()
    for each in files:
        read.views(each, each.name)
    if said is not None:
        read.said(said, said.name)
    limits = Limits(probability=at_least, links=LIMITS.links, records=LIMITS.records)
    had = Had(read.names, frozenset(read.recalled), compared(settings.folder(), read.reports) if compare else {})
    found = [_pictured(read, had, limits, exercise=exercise) for exercise in exercises(read)]
    tongue = language or settings.language
    if output == "json":
        unread = [{"place": one.place, "why": one.why} for one in read.unusable]
        click.echo(line({"pictures": [plain(one, limits) for one in found], "unusable": unread}))
    else:
        _print([text for one in found for text in lines(one, limits, tongue)])
        for text in unusable(read.unusable, tongue):
            click.echo(text, err=True)
    if read.unusable or any(one.unplaced for one in found):
        click.get_current_context().exit(1)


def _pictured(read: Files, had: Had, limits: Limits, *, exercise: bool) -> Picture:
    words = [one for one in read.words if one.exercise == exercise]
    recipient = read.recipient or next((one.recipient for one in words), "-")
    return picture(Whose(recipient, exercise), read.told.get(exercise, ()), words, had, limits)


def _print(texts: list[str]) -> None:
    console = Console(highlight=False, markup=False, emoji=False)
    for text in texts:
        console.print(Text(text), soft_wrap=True)
