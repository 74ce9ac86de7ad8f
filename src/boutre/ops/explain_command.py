"""
``boutre explain``: who would get a record, what of it, why not the rest, and whom to ask.

In English and in French, since centres and lawyers read it. No value of the record is shown.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from boutre.connectors import feeds
from boutre.connectors.phrases import space
from boutre.connectors.record import build
from boutre.connectors.sdk import Bad, Raw
from boutre.errors import Refuse
from boutre.language import say
from boutre.ops.command import with_settings
from boutre.ops.policy_words import ANY_SIGN, SIGNS, Tongue
from boutre.ops.proposal import agreement_files
from boutre.ops.record_input import Given, NoRecord, Reading
from boutre.ops.record_topics import find
from boutre.ops.rehearsal import Rehearsal
from boutre.ops.settings import Language, Settings
from boutre.processors.edges import KINDS
from boutre.processors.explain import Explanation, explain
from boutre.processors.ways import MADE, Way, folded, held


@click.command("explain", epilog="Example: boutre explain --feed incidents-imb --reference IMB-00006 --recipient comoros")
@click.argument("file", required=False, type=click.Path(exists=True, path_type=Path))
@click.option("--feed", help="Read the record from this feed's own input, by its mapping, instead of a file.")
@click.option("--reference", help="With --feed: the source's own reference of the report.  [default: its first]")
@click.option("--input", "source", type=click.Path(exists=True, path_type=Path), help="With --feed: another input than its own.")
@click.option("--from-bus", "identifier", metavar="ID", help="Look the record with this id up on the bus, as bus.records.")
@click.option("--kind", type=click.Choice(KINDS), help="Its kind, where neither the file nor its id says it.")
@click.option("--recipient", "recipients", multiple=True, help="Only this one; several times for several.  [default: all]")
@click.option("--all", "every", is_flag=True, help="Every field of its kind, also those that it does not hold.")
@click.option("--at", type=click.DateTime(), help="As if accepted then (UTC).  [default: when it was, else now]")
@click.option("--language", type=click.Choice(["en", "fr"]), help="Language of the words.  [default: settings]")
@click.option("--output", type=click.Choice(["table", "json"]), default="table", show_default=True, help="Form of the answer.")
@with_settings
def command(
    settings: Settings,
    *,
    file: Path | None,
    feed: str | None,
    reference: str | None,
    source: Path | None,
    identifier: str | None,
    kind: str | None,
    recipients: tuple[str, ...],
    every: bool,
    at: datetime | None,
    language: Language | None,
    output: str,
) -> None:
    """
    Say what each recipient would get of a record, field by field, and why not the rest.

    FILE holds a record as JSON, as connectors make it, or as a frame. A record that the bus has not accepted yet is tried first:
    what would be refused goes to nobody. Nothing is published, no key and no broker is needed but for --from-bus.
    """
    if sum(way is not None for way in (file, feed, identifier)) != 1:
        raise click.UsageError("name one record: FILE, or --feed with --reference, or --from-bus ID")
    rehearsal = Rehearsal.of(settings)
    tongue = Tongue.of(rehearsal.assembly, language or settings.language, agreement_files(settings.folder()))
    if unknown := [name for name in recipients if name not in rehearsal.assembly.declarations.recipients]:
        there = ", ".join(rehearsal.assembly.declarations.recipients)
        raise click.UsageError(tongue.say("watch.unknown-recipient", recipient=unknown[0], known=there))
    moment = None if at is None else at.replace(tzinfo=UTC)
    try:
        if file is not None:
            given = one(Reading(rehearsal.assembly.codec, rehearsal.fields, kind).file(file))
        elif feed is not None:
            given = _of_feed(rehearsal, feed, reference, source, moment or datetime.now(UTC))
        else:
            given = find(settings, rehearsal.assembly, identifier or "")
        accepted = accepted_at(rehearsal, given, moment)
    except Refuse as refused:
        why = say(f"reject.{refused.code}", tongue.language, field=refused.field)
        click.echo(tongue.say("explain.refused", why=why), err=True)
        raise click.exceptions.Exit(1) from None
    found = explain(rehearsal.step, accepted.kind, accepted.value, accepted.accepted or datetime.now(UTC), rehearsal.fields)
    _show([found[name] for name in recipients or found], None if every else held(accepted.value), tongue, output)


def _show(chosen: Sequence[Explanation], shown: frozenset[str] | None, tongue: Tongue, output: str) -> None:
    if output == "json":
        click.echo(json.dumps([_plain(each, shown) for each in chosen], indent=2, ensure_ascii=False))
        return
    console = Console(highlight=False, markup=False, emoji=False)
    for each in chosen:
        for line in lines(each, tongue):
            console.print(Text(line), soft_wrap=True)
        if each.given:
            console.print(_table(each, shown, tongue))
        console.print()
    if shown is not None:
        click.echo(tongue.say("explain.held-only"), err=True)


def one(records: Iterable[Given]) -> Given:
    """
    Give the only record of some; NoRecord where there is none, or more than one.
    """
    found = list(records)
    if len(found) != 1:
        raise NoRecord(f"one record is explained at a time, and here are {len(found)}")
    return found[0]


def accepted_at(rehearsal: Rehearsal, given: Given, moment: datetime | None) -> Given:
    """
    Give a record as the bus has it: as it was accepted, or as it would be at *moment*, else now. Raises Refuse.
    """
    if given.accepted is not None:
        return replace(given, value=rehearsal.opened(given.kind, given.value), accepted=moment or given.accepted)
    now = moment or datetime.now(UTC)
    return Given(given.kind, rehearsal.accept(given.kind, given.value, now), now)


def _of_feed(rehearsal: Rehearsal, name: str, reference: str | None, source: Path | None, now: datetime) -> Given:
    for found, item in feed_items(rehearsal, name, source):
        if isinstance(item, Raw) and reference in (None, item.reference):
            return Given(
                item.kind,
                rehearsal.assembly.codec.decode(rehearsal.assembly.codec.encode(item.kind, build(found, item, now))).value,
            )
        if isinstance(item, Bad) and item.reference == reference:
            raise Refuse(item.code, field=item.where.field)
    raise NoRecord(f"the input of {name} holds no report with that reference")


def feed_items(rehearsal: Rehearsal, name: str, source: Path | None) -> Iterator[tuple[feeds.Feed, Raw | Bad]]:
    """
    Give what a feed's own source reads, from the declared input or another.
    """
    found = feeds.one(rehearsal.assembly.root, name)
    options = found.options
    if source is not None:
        paths = [each for each in ("path", "folder") if hasattr(options, each)]
        if not paths:
            raise NoRecord(f"{name} reads no file, so it takes no --input")
        options = replace(options, **{paths[0]: source})
    for item in found.source(options):
        if isinstance(item, Raw | Bad):
            yield found, item


# --- Showing -------------------------------------------------------------------------------------------------------------


def lines(told: Explanation, tongue: Tongue) -> Iterator[str]:
    """
    Say in sentences whether a recipient gets a record, why not, and whom to ask.
    """
    recipient = tongue.party(told.recipient)
    if told.given:
        yield tongue.say("explain.given", recipient=recipient, agreements=", ".join(told.agreements))
    else:
        yield tongue.say("explain.nothing", recipient=recipient, reason=tongue.reason(told.reason))
    if told.supposed:
        yield tongue.say("explain.supposed", recipient=recipient)
    for verdict in told.verdicts:
        if verdict.reason is None:
            if not told.given or len(told.verdicts) > 1:
                yield f"  {verdict.agreement.name}{space(tongue.language)}: {tongue.say('explain.speaks')}"
            continue
        yield f"  {verdict.agreement.name}{space(tongue.language)}: {tongue.reason(verdict.reason)}"
        # Where another agreement gives it, what this one asks for is nothing that anybody has to mend.
        for failing in () if told.given else verdict.failing:
            where, must = tongue.where(verdict.agreement, failing), tongue.must_be(failing, verdict.agreement)
            yield f"    {where}{space(tongue.language)}: {must}"
    if told.ask:
        yield tongue.say("explain.asked", whom=tongue.ask(told.ask))


def cells(told: Explanation, shown: frozenset[str] | None) -> dict[str, Way]:
    """
    Give the ways of the fields that are shown: all, or those that the record holds. What the bus writes itself is left out.
    """
    return {path: way for path, way in told.ways.items() if way.state != MADE and (shown is None or path in shown)}


def _table(told: Explanation, shown: frozenset[str] | None, tongue: Tongue) -> Table:
    table = Table()
    for column in ("field", "way", "clause"):
        table.add_column(tongue.say(f"explain.column.{column}"), overflow="fold", no_wrap=column == "clause")
    several = len(told.agreements) > 1
    for line in folded(cells(told, shown)):
        way = line.cell
        assert isinstance(way, Way)
        clause = " ".join(filter(None, (way.clause, way.agreement if several else "")))
        sign = SIGNS.get(way.state, ANY_SIGN)
        # What a rule for a field or a category is says its name; the others are told.
        meaning = "" if "." in way.clause else f" ({tongue.clause(way.clause)})"
        table.add_row(Text(tongue.headed(line.group, line.paths)), Text(f"{sign} {tongue.way(way)}"), Text(f"{clause}{meaning}"))
    return table


def _plain(told: Explanation, shown: frozenset[str] | None) -> Mapping[str, Any]:
    """An explanation for programs; nothing in it is a value of the record."""
    return {
        "recipient": told.recipient,
        "kind": told.kind,
        "outcome": told.outcome,
        "reason": told.reason,
        "agreements": list(told.agreements),
        "ask": list(told.ask),
        "supposed": told.supposed,
        "verdicts": [
            {"agreement": each.agreement.name, "reason": each.reason, "failing": [asdict(one) for one in each.failing]}
            for each in told.verdicts
        ],
        "fields": {path: asdict(way) for path, way in cells(told, shown).items()},
    }
