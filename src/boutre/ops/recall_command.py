"""
``boutre recall``: who was told that a record is taken back, and what became of it there.
"""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from boutre.ops.answers_command import FOLDER, OUTPUT
from boutre.ops.answers_store import Recalled, open_answers
from boutre.ops.answers_take import EPOCH
from boutre.ops.assembly import assemble
from boutre.ops.command import with_settings
from boutre.ops.settings import Settings


@click.group(epilog="Example: boutre recall status")
def recall() -> None:
    """Follow what becomes of records that are taken back."""


@recall.command(epilog="Example: boutre recall status --output json")
@click.argument("record", required=False)
@FOLDER
@OUTPUT
@with_settings
def status(settings: Settings, record: str | None, folder: Path | None, output: str) -> None:
    """
    Show for each recall, or that of a RECORD, what every recipient who had the record answered; ends with 1 where one is overdue.

    A recipient answers with boutre answers say VIEW --said erased, held or unreachable, where VIEW is that of the recall.
    """
    clock = timedelta(hours=assemble(settings.folder()).pipeline.file.answers.recall_hours)
    now = datetime.now(UTC)
    with open_answers(folder or settings.state / "answers") as store:
        rows = [_told(one, now, clock) for one in store.recalls() if record in (None, one.record, one.recall)]
    if output == "json":
        click.echo(json.dumps(rows, indent=2))
    for row in rows if output == "table" else ():
        click.echo(f"{row['record']}  {row['recipient']}: {row['state']}, told {row['told']}, due {row['due']}")
    counts = Counter(row["state"] for row in rows)
    click.echo(", ".join(f"{count} {state}" for state, count in sorted(counts.items())) or "nothing was taken back", err=True)
    if counts["overdue"]:
        click.get_current_context().exit(1)


def _told(one: Recalled, now: datetime, clock: timedelta) -> dict[str, Any]:
    told = EPOCH + timedelta(milliseconds=one.at)
    state = one.said or ("overdue" if now > told + clock else "waiting")
    return {
        "recall": one.recall,
        "record": one.record,
        "member": one.member,
        "recipient": one.recipient,
        "scope": one.scope,
        "told": told.isoformat(),
        "due": (told + clock).isoformat(),
        "state": state,
        "answered": None if one.answered is None else (EPOCH + timedelta(milliseconds=one.answered)).isoformat(),
    }
