"""
``boutre answers``: the way back - what recipients say of their views, what they ask for, what owners reply.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import click

from boutre.connectors.plain import line
from boutre.errors import DeclarationError, Fault
from boutre.ops import logs
from boutre.ops.answers_follow import following_answers
from boutre.ops.answers_store import Asked, open_answers
from boutre.ops.answers_take import EPOCH, Taker
from boutre.ops.answers_words import FORMS, checked, in_a_line
from boutre.ops.assembly import assemble
from boutre.ops.command import with_settings
from boutre.ops.following import run
from boutre.ops.living import living
from boutre.ops.one_message import send
from boutre.ops.settings import Settings
from boutre.ops.sink_command import told_to_stop
from boutre.ops.whole_topic import values
from boutre.schemas import answers as words

OUTPUT: Final = click.option("--output", type=click.Choice(["table", "json"]), default="table", show_default=True)
FOLDER: Final = click.option(
    "--folder", type=click.Path(path_type=Path, file_okay=False), help="Of the store.  [default: STATE/answers]"
)
TEXT: Final = click.option("--text", help="What you add, in your own words.")
LANGUAGE: Final = click.option("--text-language", default="en", show_default=True, help="BCP 47 tag of those words.")
BY: Final = click.option("--by", help="Who says so, by function: duty officer.")


@click.group(epilog="Example: boutre answers say vyq2... --recipient rcoc --said acknowledged")
def answers() -> None:
    """Answer views, ask for more, reply to requests, and see who waits for whom."""


@answers.command(epilog="Example: boutre answers follow --once")
@click.option("--once", is_flag=True, help="Take what is there, and stop.")
@FOLDER
@with_settings
def follow(settings: Settings, *, once: bool, folder: Path | None) -> None:
    """Bring answers to the owners of their records and replies back, until told to stop. Operations run one of it."""
    logs.to_stderr()
    assembly = assemble(settings.folder())
    with open_answers(_folder(settings, folder), begin=True) as store, told_to_stop() as stopped:
        clock = timedelta(hours=assembly.pipeline.file.answers.reply_hours)
        taker = Taker(store, assembly.codec, assembly.declarations, clock)
        beside = nullcontext() if once else living(settings, "follower", "answers")
        with following_answers(taker, settings.kafka.client()) as follower, beside:
            taken = run(follower, stopped.is_set, once=once)
        click.echo(line({"taken": taken, "to_be_sent": store.unsent(), "not_made_out": len(store.unknown())}))


EXAMPLES: Final = """\b
Examples:
  boutre answers say VIEW --recipient rcoc --said useful --by 'duty officer'
  boutre answers say VIEW --recipient rcoc --said release-requested --field suspects
  boutre answers say VIEW --recipient rcoc --said erased
\b
Of two views, whether they are of one (same, not-same, unsure):
  boutre answers say VIEW --other VIEW2 --recipient rcoc --said same
  boutre answers say VIEW --other VIEW2 --recipient rcoc --said not-same --by analyst
  boutre answers say VIEW --other VIEW2 --recipient rcoc --said unsure
\b
Of a view of an alert:
  boutre answers say VIEW --recipient rcoc --said acknowledged
  boutre answers say VIEW --recipient rcoc --said validated --by 'watch officer'
  boutre answers say VIEW --recipient rcoc --said dismissed --text 'A ferry on time'
  boutre answers say VIEW --recipient rcoc --said silenced --until 1h
  boutre answers say VIEW --recipient rcoc --said silenced --until 2026-09-21T18:00Z
  boutre answers say VIEW --recipient rcoc --said silenced
  boutre answers say VIEW --recipient rcoc --said closed
"""


@answers.command(epilog=EXAMPLES)
@click.argument("view")
@click.option("--recipient", required=True, help="Who answers.")
@click.option(
    "--said", type=click.Choice(sorted(words.BY_RECIPIENT | words.FOR_ITSELF)), required=True, help="What is said of the view."
)
@click.option("--other", metavar="VIEW", help="With same, not-same, unsure: the other view.")
@click.option("--until", help=f"With silenced: {FORMS}.  [default: the rest of the occurrence]")
@click.option("--field", "fields", multiple=True, help="A field that is asked for, by its path; may be given several times.")
@click.option("--exercise", is_flag=True, help="The view is of an exercise; such words count in exercises alone.")
@TEXT
@LANGUAGE
@BY
@with_settings
def say(
    settings: Settings,
    /,
    view: str,
    recipient: str,
    said: str,
    *,
    fields: tuple[str, ...],
    exercise: bool,
    **more: str | None,
) -> None:
    """
    Say something of a VIEW, by the id that it has: it was received, more is asked for, it was erased.

    Or whether it and another are of one craft or event, and what is to become of an alert: those words stay with the bus, no owner
    is told of them. A silence lasts no longer than the alert's rule allows; without --until it is for the rest of the occurrence
    where the rule has that, else for as long as the rule allows.
    """
    assembly = assemble(settings.folder())
    _known(assembly.declarations.recipients, recipient, "--recipient", "recipient")
    now, other = datetime.now(UTC), more["other"]
    until = checked(said, view, other=other, until=more["until"], fields=fields, now=now)
    told: dict[str, Any] = {"fields": fields, "text": _text(more), "by": more["by"], "exercise": exercise}
    value = words.answer(recipient, said, now, view=view, other=other, until=until, **told)
    send(settings, f"from.{recipient}.answer", view, assembly.codec.encode(words.KIND, value))
    extra = {name: value[name] for name in ("other", "until") if value[name] is not None}
    click.echo(line({"answer": value["id"], "view": view, "said": said, **extra}))


@answers.command(epilog="Example: boutre answers reply k4hd... --member comoros --said refused --text 'Not before the trial'")
@click.argument("request")
@click.option("--member", required=True, help="Who replies: the owner of the record.")
@click.option("--said", type=click.Choice(sorted(words.BY_OWNER)), required=True, help="Whether it will be given.")
@TEXT
@LANGUAGE
@BY
@with_settings
def reply(settings: Settings, /, request: str, member: str, said: str, **more: str | None) -> None:
    """
    Reply to a REQUEST for release, by its id.

    Nothing is released by the reply itself: what is granted its owner sends, as an update with another marking, or by an agreement.
    """
    assembly = assemble(settings.folder())
    _known(assembly.declarations.members, member, "--member", "member")
    # To whom it goes the bus finds out: the owner is told of the request, and not by which name its recipient knows the view.
    value = words.answer(member, said, datetime.now(UTC), text=_text(more), by=more["by"], answers=request)
    send(settings, f"replies.{member}", request, assembly.codec.encode(words.KIND, value))
    click.echo(line({"reply": value["id"], "request": request, "said": said}))


@answers.command(epilog="Example: boutre answers read --recipient rcoc --own --output json > said.jsonl")
@click.option("--recipient", help="Read what came back to a recipient.")
@click.option("--member", help="Read what was said of a member's records.")
@click.option("--own", is_flag=True, help="With --recipient: what it said itself, of views, of links and of alerts.")
@OUTPUT
@with_settings
def read(settings: Settings, *, recipient: str | None, member: str | None, own: bool, output: str) -> None:
    """Show what was said to you: of your records, as a member; to your requests, as a recipient. With --own, what you said."""
    if (recipient is None) == (member is None):
        raise DeclarationError([Fault("--recipient", "", "or --member: name one")])
    if own and member is not None:
        raise DeclarationError([Fault("--own", "", "goes with --recipient; what a member replied is told to who asked")])
    assembly = assemble(settings.folder())
    topic, party = (f"replied.{recipient}", recipient) if recipient else (f"asked.{member}", f"member.{member}")
    topic = f"from.{recipient}.answer" if own else topic
    if topic not in assembly.declarations.topics:
        raise DeclarationError([Fault("--recipient" if recipient else "--member", "", f"there is no topic {topic}")])
    for value in values(settings, assembly.codec, topic, words.KIND, f"{party}.answers"):
        label = assembly.vocabularies.label("answer@1", value["said"], settings.language)
        click.echo(line(value) if output == "json" else in_a_line(value, label, with_recipient=member is not None))


@answers.command(epilog="Example: boutre answers requests --output json")
@FOLDER
@OUTPUT
@with_settings
def requests(settings: Settings, folder: Path | None, output: str) -> None:
    """Show every request for release, whose reply it waits for and until when; ends with 1 where one is overdue."""
    now = datetime.now(UTC)
    with open_answers(_folder(settings, folder)) as store:
        rows = [_asked(one, now) for one in store.requests()]
    _shown(rows, output, "{request}  {recipient} asks {member}, {kind}: {state}, due {due}".format_map)
    if any(row["state"] == "overdue" for row in rows):
        click.get_current_context().exit(1)


def _asked(one: Asked, now: datetime) -> dict[str, Any]:
    due = _moment(one.due)
    state = one.said or ("overdue" if now > due else "waiting")
    return {
        "request": one.id,
        "recipient": one.recipient,
        "member": one.member,
        "kind": one.kind,
        "record": one.record,
        "asked": _moment(one.at).isoformat(),
        "due": due.isoformat(),
        "state": state,
        "replied": None if one.answered is None else _moment(one.answered).isoformat(),
    }


def _shown(rows: list[dict[str, Any]], output: str, told_as: Callable[[dict[str, Any]], str]) -> None:
    if output == "json":
        click.echo(json.dumps(rows, indent=2))
    for row in rows if output == "table" else ():
        click.echo(told_as(row))


def _moment(milliseconds: int) -> datetime:
    return EPOCH + timedelta(milliseconds=milliseconds)


def _text(more: dict[str, str | None]) -> list[dict[str, Any]]:
    return [] if not more["text"] else [{"language": more["text_language"], "text": more["text"], "translation_of": None}]


def _known(there: Any, name: str, option: str, what: str) -> None:
    if name not in there:
        raise DeclarationError([Fault(option, "", f"{name!r} is no {what}; there are {', '.join(there)}")])


def _folder(settings: Settings, folder: Path | None) -> Path:
    return folder or settings.state / "answers"
