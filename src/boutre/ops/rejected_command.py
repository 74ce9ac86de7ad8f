"""
``boutre connector rejected`` and ``forget``: what the feeds of this machine refused, which stands nowhere else.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import click

from boutre.connectors import feeds
from boutre.connectors.kept import Kept, Refused, oldest
from boutre.ops.command import with_settings
from boutre.ops.settings import Settings

FOLDER = "rejected"


def kept_of(settings: Settings, *, dry: bool = False) -> Kept:
    """Give what this machine keeps of what its feeds refused."""
    return Kept(None if dry else settings.state / "connectors" / FOLDER)


@click.command(epilog="Example: boutre connector rejected forms-comoros --output json")
@click.argument("feed", metavar="FEED")
@click.option("--id", "only", metavar="ID", help="Only what has this id, of a reject or of a record.")
@click.option("--content", is_flag=True, help="In the table too, show what came in.")
@click.option("--output", type=click.Choice(["table", "json"]), default="table", show_default=True, help="Form of the answer.")
@with_settings
def rejected(settings: Settings, feed: str, only: str | None, output: str, *, content: bool) -> None:
    """
    Show what a FEED refused on this machine: when, why, where it stood. With --output json, what came in as well.

    It may name people: rejects on Kafka hold nothing of it. It is deleted after the keep_rejected_days of the feed.
    """
    declared = feeds.one(settings.folder(), feed)
    kept = kept_of(settings)
    kept.expire(feed, oldest(datetime.now(UTC), declared.keep_rejected_days))
    found = [one for one in kept.of(feed) if only in {None, one.id, one.record}]
    if output == "json":
        click.echo(json.dumps([one.as_json() for one in found], indent=2, ensure_ascii=False))
        return
    for one in found:
        click.echo(f"{one.id}  {one.at}  {one.code:<24}  {_place(one)}")
        if content:
            click.echo(one.content.decode("utf-8", "backslashreplace").rstrip("\n"))
    click.echo(f"{len(found)} kept", err=True)


@click.command(epilog="Example: boutre connector forget forms-comoros --all")
@click.argument("feed", metavar="FEED")
@click.argument("ids", metavar="[ID]...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Delete all that the feed refused.")
@with_settings
def forget(settings: Settings, feed: str, ids: tuple[str, ...], *, everything: bool) -> None:
    """
    Delete from this machine what a FEED refused, by the IDs of rejects or of records; exit with 1 where there was nothing.

    The source itself, a file or a folder of forms, is left as it is.
    """
    if everything == bool(ids):
        raise click.UsageError("name what is to be forgotten, or say --all")
    feeds.one(settings.folder(), feed)
    kept = kept_of(settings)
    if everything:
        gone = sum(1 for _ in kept.of(feed))
        kept.expire(feed, date.max)
    else:
        gone = kept.forget(feed, ids)
    click.echo(f"{gone} forgotten", err=True)
    if not gone:
        click.get_current_context().exit(1)


def forget_record(settings: Settings, record: str) -> int:
    """
    Delete what feeds of this machine had refused of a record before it was mended; gives how many inputs that were.
    """
    kept = kept_of(settings)
    return sum(kept.forget(feed, [record]) for feed in kept.feeds())


def _place(one: Refused) -> str:
    return ":".join(str(one.place[name]) for name in ("file", "line", "field") if one.place.get(name) is not None) or "-"
