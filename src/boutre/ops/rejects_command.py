"""
``boutre rejects``: what of a member's was rejected and why, how many for which reason, one of them whole, as a file to be mended.

Whoever reads does so by their own rights on Kafka: a member sees its rejects and nobody else's. What came in is shown to who can
read the connector's own folder, or the member's own topic.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import click

from boutre.connectors.plain import UNSAFE, stamp
from boutre.language import say
from boutre.ops.command import with_settings
from boutre.ops.rejects_again_command import send_again
from boutre.ops.rejects_desk import LANGUAGE, MEMBER, OF_BUS, OUTPUT, RejectDesk, choice_of, choosing
from boutre.ops.rejects_file import save, written
from boutre.ops.rejects_recovery import Found, Gone, Recovered, Unmade
from boutre.ops.rejects_standing import STATES, Row, Standing, rows
from boutre.ops.settings import Settings
from boutre.schemas import lock, vocabulary
from boutre.schemas.vocabulary import Vocabularies

REASONS: Final = "reject-reason@1"


@click.group(epilog="Example: boutre rejects list --member comoros")
def rejects() -> None:
    """See what was rejected and why, mend it, and send it again."""


rejects.add_command(send_again)


@rejects.command("list", epilog="Example: boutre rejects list --member comoros --code unknown-code --each")
@MEMBER
@OF_BUS
@choosing
@click.option("--each", is_flag=True, help="Each reject by itself, in place of counts.")
@click.option("--state", "states", multiple=True, type=click.Choice(STATES), help="With --each.  [default: open]")
@LANGUAGE
@OUTPUT
@with_settings
def list_command(settings: Settings, /, member: str | None, output: str, *, of_bus: bool, each: bool, **more: Any) -> None:
    """
    Count what was rejected, by reason, field and feed; those first of which most are open.

    A record counts once, by its latest reject. Sent again means: from this machine, and no newer reject has come.
    """
    states, language = more.pop("states") or ("open",), more.pop("language") or settings.language
    own = RejectDesk.of(settings, member, of_bus=of_bus)
    with own.reading() as topics, own.store() as store:
        found = own.standings(topics, store, choice_of(**more))
        unreadable = topics.unreadable
    if each:
        _each([one for one in found if one.state in states], output)
    else:
        _rows(rows(found), output, _words(own), language)
    if unreadable:
        click.echo(say("rejects.unreadable", language, count=unreadable), err=True)


@rejects.command(epilog="Example: boutre rejects show k4hd... --member comoros --language fr")
@click.argument("reject", metavar="ID")
@MEMBER
@click.option("--no-record", is_flag=True, help="Leave out what came in, which may name people.")
@LANGUAGE
@OUTPUT
@with_settings
def show(settings: Settings, /, reject: str, member: str | None, output: str, *, no_record: bool, language: str | None) -> None:
    """
    Show one reject, by its ID or that of its record: what the reason means, what to do, and the record where it is still kept.
    """
    language = language or settings.language
    own = RejectDesk.of(settings, member)
    standing, value, found = _one(own, reject)
    if output == "json":
        click.echo(json.dumps(_shown(standing, value, Gone() if no_record else found), indent=2, ensure_ascii=False))
        return
    entry = standing.entry
    click.echo(f"{_words(own).label(REASONS, entry.code, language)} ({entry.code})")
    click.echo(f"  {value['sentence'][language]}")
    for name, told in (("field", entry.field), ("place", entry.source), ("feed", entry.feed), ("record", entry.record)):
        if told is not None:
            click.echo(f"  {say(f'rejects.head.{name}', language)} {_safe(told)}")
    click.echo(f"  {say('rejects.head.at', language)} {entry.at:%Y-%m-%d %H:%M:%S} UTC")
    click.echo(f"  {say(f'rejects.state.{standing.state}', language)}")
    if standing.times:
        click.echo(f"  {say('rejects.times', language, count=standing.times)}")
    _show_found(found, language, hidden=no_record)
    if isinstance(found, Recovered) or (isinstance(found, Unmade) and found.lines):
        click.echo(say("rejects.next", language, id=entry.id))


@rejects.command(epilog="Example: boutre rejects fix k4hd... --member comoros --out k4hd.json")
@click.argument("reject", metavar="ID")
@MEMBER
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The file to write; it is new.")
@LANGUAGE
@with_settings
def fix(settings: Settings, reject: str, member: str | None, out: Path, language: str | None) -> None:
    """
    Write one reject, by its ID or that of its record, into a file to be mended: for its owner's eyes only, it may name people.

    Then: boutre rejects send-again --from FILE. With --dry-run the file is checked, and nothing is sent.
    """
    language = language or settings.language
    standing, value, found = _one(RejectDesk.of(settings, member), reject)
    if isinstance(found, Gone) or (isinstance(found, Unmade) and not found.lines):
        click.echo(say(f"rejects.found.{'gone' if isinstance(found, Gone) else 'source'}", language), err=True)
        raise click.exceptions.Exit(1)
    save(out, written(standing.entry, value["sentence"][language], found, language))
    click.echo(say("rejects.how-to-mend", language), err=True)


def _one(own: RejectDesk, asked: str) -> tuple[Standing, Mapping[str, Any], Found]:
    """Give the latest reject of that id, its value, and what is left of what it is about."""
    with own.reading() as topics, own.store() as store:
        found = own.standings(topics, store, choice_of((asked,)))
        chosen = [one for one in found if one.entry.id == asked] or [one for one in found if one.state != "superseded"]
        if not chosen:
            click.echo(say("rejects.none", own.settings.language), err=True)
            raise click.exceptions.Exit(1)
        entry = chosen[-1].entry
        stood = topics.records([entry.spot]).get(entry.spot)
        value = own.desk.codec.decode(None if stood is None else stood.value, frozenset({"reject"})).value
        ((_, what),) = own.recovery(own.gate(), topics).find([entry])
    return chosen[-1], value, what


def _words(own: RejectDesk) -> Vocabularies:
    return vocabulary.load(lock.folder_of(own.settings.folder()) / "vocabularies")


def _rows(found: list[Row], output: str, words: Vocabularies, language: str) -> None:
    if output == "json":
        click.echo(json.dumps([{**row._asdict(), "newest": stamp(row.newest)} for row in found], indent=2))
        return
    for row in found:
        alike = "  ".join(filter(None, (f"{row.code:<26}", _safe(row.field or "-"), row.feed)))
        counted = say("rejects.count", language, open=row.open, sent=row.sent)
        click.echo(f"{alike}\n    {words.label(REASONS, row.code, language)}. {counted} {row.newest:%Y-%m-%d %H:%M} UTC")
    if not found:
        click.echo(say("rejects.none", language), err=True)


def _each(found: list[Standing], output: str) -> None:
    if output == "json":
        click.echo(json.dumps([_plain(one) for one in found], indent=2, ensure_ascii=False))
        return
    for entry, state, times in found:
        told = [entry.id, f"{entry.at:%Y-%m-%d %H:%M:%S}", f"{state:<10}", str(times), f"{entry.code:<26}", entry.field or "-"]
        click.echo("  ".join([*map(_safe, told), entry.feed or entry.stage, _safe(entry.source or "-")]))


def _plain(one: Standing) -> dict[str, Any]:
    told = {name: value for name, value in one.entry._asdict().items() if name not in {"stood", "spot"}}
    return {**told, "at": stamp(one.entry.at), "state": one.state, "times": one.times}


def _shown(one: Standing, value: Mapping[str, Any], found: Found) -> dict[str, Any]:
    told = {**_plain(one), "sentence": dict(value["sentence"])}
    match found:
        case Recovered():
            return {**told, "found": found.found, "value": dict(found.document)}
        case Unmade():
            return {**told, "found": "connector", "content": None if found.lines is None else list(found.lines)}
        case Gone():
            return {**told, "found": None}


def _show_found(found: Found, language: str, *, hidden: bool) -> None:
    match found:
        case Recovered():
            click.echo(say(f"rejects.found.{found.found}", language))
            if not hidden:
                click.echo(_safe(json.dumps(_said(found.document), indent=2, ensure_ascii=False)))
        case Unmade() if found.lines is not None:
            click.echo(say("rejects.found.text", language))
            for line in () if hidden else found.lines:
                click.echo(f"  {_safe(line)}")
        case Unmade():
            click.echo(say("rejects.found.source", language))
        case Gone():
            click.echo(say("rejects.found.gone", language))


def _said(value: Any) -> Any:
    """Give what a record says, without all that it does not: a file to be mended has that too."""
    if isinstance(value, Mapping):
        return {name: _said(inner) for name, inner in value.items() if inner not in (None, [], {})}
    return [_said(inner) for inner in value] if isinstance(value, list) else value


def _safe(text: str) -> str:
    """What others wrote steers no terminal; a line's end stays one."""
    shown = UNSAFE.sub(lambda found: f"\\u{ord(found.group()):04x}", text)
    return "".join(each if each >= " " or each == "\n" else f"\\u{ord(each):04x}" for each in shown)
