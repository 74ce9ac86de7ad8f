"""
``boutre cases``: the vault of case keys - make it, issue keys to members, destroy those of what is erased.
"""

from __future__ import annotations

import json
import os
import re
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Final

import click

from boutre.connectors.plain import line
from boutre.errors import DeclarationError, Fault, Unavailable
from boutre.ops import logs
from boutre.ops.assembly import assemble, keys_of
from boutre.ops.cases_follow import following_cases, tell
from boutre.ops.command import with_settings
from boutre.ops.following import run
from boutre.ops.living import living
from boutre.ops.settings import Settings
from boutre.ops.sink_command import told_to_stop
from boutre.schemas.cases.pool import HEAD, written
from boutre.schemas.cases.vault import ANYBODY, Erasure
from boutre.schemas.identity import ID_LETTERS
from boutre.schemas.keys import files
from boutre.topics import bus

NO: Final = 1
MOST: Final = 100_000
RECORD: Final = re.compile(f"[a-z2-7]{{{ID_LETTERS}}}")
OUTPUT: Final = click.option("--output", type=click.Choice(["table", "json"]), default="table", show_default=True)
YES: Final = click.option("--yes", is_flag=True, help="Do not ask.")


@click.group(epilog="Example: boutre cases issue comoros --count 500 --to comoros.txt")
def cases() -> None:
    """Keep the keys under which personal groups lie, one for each record, and destroy those of what is erased."""


@cases.command(epilog="Example: boutre cases begin")
@with_settings
def begin(settings: Settings) -> None:
    """Make the vault; one that is there stays as it is. It belongs on the bus's own machine, and not into its backup."""
    folders = keys_of(settings).cases
    there = folders.there
    folders.begin().close()
    click.echo(f"{folders.file} {'is there' if there else 'is made'}", err=True)


@cases.command(epilog="Example: boutre cases issue comoros --count 500 --to comoros.txt")
@click.argument("member")
@click.option("--count", type=click.IntRange(1, MOST), default=500, show_default=True, help="Records that name people, so many.")
@click.option("--to", type=click.Path(path_type=Path, dir_okay=False), help="File of the pool.  [default: stdout]")
@click.option("--add", is_flag=True, help="Top up a pool: add to the file that is there; on stdout, leave the head out.")
@with_settings
def issue(settings: Settings, *, member: str, count: int, to: Path | None, add: bool) -> None:
    """
    Draw keys for MEMBER, and write their public halves for its connectors: one is used up by each record that names people.

    The file is no secret, but it must be the right one: hand it over by a way that you trust. It belongs to KEYS/cases/MEMBER.txt.
    """
    _declared(settings, member)
    pool = None if to is None else _pool(to, member, add=add)
    with keys_of(settings).cases.open() as vault:
        issued = vault.issue(member, count)
    if to is None or pool is None:
        click.echo(written(member, issued, head=not add), nl=False)
        return
    _replace(to, pool + written(member, issued, head=not add))
    click.echo(f"{to} has {count} keys{' more' if add else ''} for {member}", err=True)


@cases.command(epilog="Example: boutre cases follow --once")
@click.option("--once", is_flag=True, help="Take what is there, and stop.")
@click.option("--past-gap", is_flag=True, help="Go on where records were deleted before they were read.")
@with_settings
def follow(settings: Settings, *, once: bool, past_gap: bool) -> None:
    """Note which record uses which key, and destroy the keys of what is erased, until told to stop. Operations run one of it."""
    logs.to_stderr()
    assembly = assemble(settings.folder())
    client = settings.kafka.client()
    with keys_of(settings).cases.open() as vault, told_to_stop() as stopped:
        beside = nullcontext() if once else living(settings, "follower", "cases")
        with following_cases(vault, assembly.codec, assembly.declarations, client, past_gap=past_gap) as follower, beside:
            taken = run(follower, stopped.is_set, once=once)
        click.echo(line({"taken": taken, "destroyed": sum(one.destroyed for one in vault.standing())}))


@cases.command(epilog="Example: boutre cases show k4hdw2n5xvqzt7m3cjy6aob2eu5rfigl")
@click.argument("record")
@OUTPUT
@with_settings
def show(settings: Settings, record: str, output: str) -> None:
    """Say whether RECORD is erased, when, and how many of its keys were destroyed; ends with 1 where it is not."""
    with keys_of(settings).cases.open() as vault:
        found = vault.erasure(record)
    click.echo(json.dumps(_erasure(record, found), indent=2) if output == "json" else _sentence(record, found))
    if found is None or found.left:
        click.get_current_context().exit(NO)


@cases.command(epilog="Example: boutre cases status --output json")
@OUTPUT
@with_settings
def status(settings: Settings, output: str) -> None:
    """Count each member's keys (waiting to be used, in use, destroyed), and show how far each topic was followed."""
    with keys_of(settings).cases.open() as vault:
        rows = [one._asdict() for one in vault.standing()]
        places = sorted(vault.places().items())
    if output == "json":
        read = [{"topic": topic, "partition": number, "next": following} for (topic, number), following in places]
        click.echo(json.dumps({"members": rows, "read": read}, indent=2))
        return
    for row in rows:
        click.echo("{member}: {waiting} waiting, {used} in use, {destroyed} destroyed".format_map(row))
    for (topic, number), following in places:
        click.echo(f"{topic}, partition {number}: read up to {following}")
    if not places:
        click.echo("nothing was followed yet: boutre cases follow", err=True)


@cases.command(epilog="Example: boutre cases destroy k4hdw2n5xvqzt7m3cjy6aob2eu5rfigl --yes")
@click.argument("record")
@YES
@with_settings
def destroy(settings: Settings, *, record: str, yes: bool) -> None:
    """
    Destroy the keys of RECORD by hand, where a person asks the bus itself; the bus forgets what it says of people, for good.

    Recipients are not told by this: the member still sends a recall of scope erase, which reaches everyone who got the record.
    """
    if not RECORD.fullmatch(record):
        raise DeclarationError(
            [Fault("RECORD", record, f"is no id of a record: {ID_LETTERS} letters and digits, as receipts have it")]
        )
    if not yes:
        click.confirm(f"nobody will be able to read again what {record} says of people; destroy its keys?", abort=True, err=True)
    with keys_of(settings).cases.open() as vault:
        destroyed = vault.erase([record])
        tell(destroyed)
    click.echo(line({"record": record, "destroyed": sum(one.keys for one in destroyed)}))
    if not destroyed:
        click.echo("no key of it was seen yet; one that is seen later is destroyed at once", err=True)
    click.echo("recipients are told by a recall only: have the member send one of scope erase", err=True)


@cases.command(epilog="Example: boutre cases retire comoros --yes")
@click.argument("member")
@YES
@with_settings
def retire(settings: Settings, *, member: str, yes: bool) -> None:
    """Destroy every key of MEMBER that no record was seen with: after a gap in what was followed, or where a pool went astray."""
    _declared(settings, member)
    if not yes:
        click.confirm(f"what {member} seals with the pool that it has now will be refused; go on?", abort=True, err=True)
    with keys_of(settings).cases.open() as vault:
        gone = vault.retire(member)
    click.echo(line({"member": member, "destroyed": gone}))
    click.echo(
        f"{member} needs a new pool (boutre cases issue {member} --to FILE); the old one goes, and what stands beside it", err=True
    )


def _declared(settings: Settings, member: str) -> None:
    there = bus.load(settings.folder()).members
    if member not in there:
        raise DeclarationError([Fault("MEMBER", "", f"{member!r} is no member; there are {', '.join(there)}")])


def _pool(path: Path, member: str, *, add: bool) -> str:
    """Give what stands in the file before: nothing of a new one."""
    if not add:
        if path.exists():
            raise DeclarationError([Fault(str(path), "", "is there already, and its connectors count by it; --add tops it up")])
        return ""
    try:
        before = path.read_text(encoding="ascii")
    except FileNotFoundError:
        raise DeclarationError([Fault(str(path), "", "does not exist; without --add it is made")]) from None
    except (OSError, UnicodeDecodeError) as error:
        raise DeclarationError([Fault(str(path), "", f"cannot be read ({type(error).__name__})")]) from None
    if before.split("\n", 1)[0] != HEAD + member:
        raise DeclarationError([Fault(str(path), "line 1", f"should be {HEAD}{member}: it is no pool of this member")])
    # A line that somebody left half written is nobody's key.
    return before[: before.rindex("\n") + 1] if "\n" in before else f"{before}\n"


def _replace(path: Path, text: str) -> None:
    """Write the file whole or not at all: a connector may be reading it."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        files.make(fresh, text.encode("ascii"))
        fresh.replace(path)
    except OSError as error:
        raise Unavailable(f"{path} cannot be written: {type(error).__name__}; the keys that were drawn are left unused") from None


def _erasure(record: str, found: Erasure | None) -> dict[str, Any]:
    if found is None:
        return {"record": record, "erased": False}
    said = [member if member != ANYBODY else None for member in found.by]
    told = {"at": found.at.isoformat(), "by": said, "keys_destroyed": found.destroyed, "keys_left": found.left}
    return {"record": record, "erased": not found.left, **told}


def _sentence(record: str, found: Erasure | None) -> str:
    if found is None:
        return f"{record}: not erased"
    by = ", ".join(member or "hand" for member in found.by)
    keys = f"{found.destroyed} {'key' if found.destroyed == 1 else 'keys'} destroyed"
    if found.left:
        return f"{record}: not erased; {by} asked for it, and it is not theirs; {keys}, {found.left} left"
    return f"{record}: erased at {found.at:%Y-%m-%d %H:%M} UTC by {by}; {keys}"
