"""
``boutre recall``: take a record back; who was told of it, and what became of it there.
"""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from boutre.errors import DeclarationError, Fault
from boutre.ops.answers_command import FOLDER, OUTPUT
from boutre.ops.answers_store import Recalled, open_answers
from boutre.ops.answers_take import EPOCH
from boutre.ops.assembly import assemble
from boutre.ops.command import with_settings
from boutre.ops.recall_send import KIND, SCOPES, Recall, send_recall
from boutre.ops.rejected_command import forget_record
from boutre.ops.settings import Settings
from boutre.processors.edges import KINDS


@click.group(epilog="Example: boutre recall status")
def recall() -> None:
    """Take records back, and follow what becomes of them."""


@recall.command(
    epilog="Example: boutre recall send 5ofj... --member comoros --kind interception --scope erase --reason legal-order"
)
@click.argument("record")
@click.option("--member", required=True, help="Who takes it back: the record's own member, whose private key is on this machine.")
@click.option("--kind", type=click.Choice([kind for kind in KINDS if kind != KIND]), required=True, help="What the record is.")
@click.option("--scope", type=click.Choice(SCOPES), required=True, help="No longer to be relied on, or no copy may remain.")
@click.option("--reason", required=True, help="A code of the vocabulary recall-reason.")
@click.option("--subject", metavar="MMSI", help="Of a position by AIS: the MMSI under which it was sent.")
@with_settings
def send(settings: Settings, /, record: str, **said: str | None) -> None:
    """
    Take a RECORD back, by its id: whoever had it is told, and with --scope erase its case key is destroyed.

    A RECORD that has not come yet can be taken back too. With erase, what a connector of this machine had refused of it goes too.
    """
    assembly = assemble(settings.folder())
    if said["member"] not in assembly.declarations.members:
        raise DeclarationError([Fault("--member", str(said["member"]), "is no member; see boutre topics plan")])
    sent = send_recall(
        settings, assembly, Recall(record=record, **{name: value for name, value in said.items() if value}), datetime.now(UTC)
    )
    forgotten = forget_record(settings, record) if said["scope"] == "erase" else 0
    click.echo(json.dumps({"recall": sent, "record": record, "scope": said["scope"], "forgotten": forgotten}))


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
