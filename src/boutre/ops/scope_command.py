"""
``boutre scope``: named operations inside which an agreement may give more.
"""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from boutre.errors import DeclarationError, Fault
from boutre.ops.assembly import assemble, keys_of
from boutre.ops.command import with_settings
from boutre.ops.settings import Settings
from boutre.ops.whole_topic import values
from boutre.processors.pipeline import SCOPES
from boutre.processors.receipts import KIND, TOPIC
from boutre.processors.scopes import HANDS, Said, Scope, read_scopes
from boutre.schemas.signature import Keyring
from boutre.topics.strict import raise_all


@click.group(epilog="Example: boutre scope activate exercise-2027 --member comoros --person 'duty officer'")
def scope() -> None:
    """See, activate and end the operations inside which an agreement may give more."""


def _scopes(settings: Settings) -> dict[str, Scope]:
    faults: list[Fault] = []
    found = {one.id: one for one in read_scopes(settings.folder() / SCOPES, faults)}
    raise_all(faults)
    return found


def _one(settings: Settings, name: str) -> Scope:
    found = _scopes(settings)
    if name not in found:
        raise DeclarationError([Fault(f"{SCOPES}/{name}.toml", "", f"is not declared; there are {', '.join(found) or 'none'}")])
    return found[name]


def _told(one: Scope, keyring: Keyring, now: datetime) -> dict[str, Any]:
    """Say where a scope stands."""
    hands = sorted({said.member for said in one.activated if one.proved("activate", said, keyring)})
    since = one.since(keyring)
    ended = sorted({said.member for said in one.ended if one.proved("end", said, keyring)})
    refused = len([said for said in one.activated if not one.proved("activate", said, keyring)])
    state = "ended" if ended or now >= one.end else "waiting" if since is None or now < since else "active"
    return {
        "scope": one.id,
        "state": state,
        "start": one.start.isoformat(),
        "end": one.end.isoformat(),
        "activated_by": hands,
        "still_needed": max(0, HANDS - len(hands)),
        "signatures_that_do_not_fit": refused,
        "ended_by": ended,
    }


@scope.command(name="list", epilog="Example: boutre scope list --output json")
@click.option("--output", type=click.Choice(["table", "json"]), default="table", show_default=True)
@with_settings
def list_(settings: Settings, output: str) -> None:
    """Show every declared operation, who activated it, and whether it is active now."""
    keyring, now = keys_of(settings).keyring(), datetime.now(UTC)
    rows = [_told(one, keyring, now) for one in _scopes(settings).values()]
    if output == "json":
        click.echo(json.dumps(rows, indent=2))
        return
    for row in rows:
        needed = f", {row['still_needed']} more needed" if row["still_needed"] and row["state"] == "waiting" else ""
        by = ", ".join(row["activated_by"]) or "nobody"
        click.echo(f"{row['scope']}  {row['state']}  {row['start']} to {row['end']}  activated by {by}{needed}")
        if row["signatures_that_do_not_fit"]:
            click.echo(
                f"  {row['signatures_that_do_not_fit']} signatures do not fit what is declared now; activate it anew", err=True
            )


@scope.command(epilog="Example: boutre scope activate exercise-2027 --member comoros --person 'duty officer'")
@click.argument("name")
@click.option("--member", required=True, help="The member that activates it; its private key must be on this machine.")
@click.option("--person", required=True, help="Who does so, by function.")
@with_settings
def activate(settings: Settings, name: str, member: str, person: str) -> None:
    """Sign that a member activates an operation; the second member's signature makes it active."""
    one = _one(settings, name)
    keyring = keys_of(settings).keyring()
    if any(one.proved("end", said, keyring) for said in one.ended):
        raise DeclarationError(
            [Fault(f"{SCOPES}/{name}.toml", "ended", "it was ended; declare another operation under another id")]
        )
    if any(said.member == member and one.proved("activate", said, keyring) for said in one.activated):
        raise DeclarationError([Fault(f"{SCOPES}/{name}.toml", "activated", f"{member} has activated it already; another must")])
    _sign(settings, one, "activate", "activated", member, person)
    told = _told(_one(settings, name), keyring, datetime.now(UTC))
    needed = told["still_needed"]
    click.echo(f"{name}: {told['state']}" + (f"; {needed} more members must activate it" if needed else ""), err=True)


@scope.command(epilog="Example: boutre scope end exercise-2027 --member seychelles --person 'duty officer'")
@click.argument("name")
@click.option("--member", required=True, help="The member that ends it; its private key must be on this machine.")
@click.option("--person", required=True, help="Who does so, by function.")
@with_settings
def end(settings: Settings, name: str, member: str, person: str) -> None:
    """Sign that a member ends an operation: nothing more goes out by it, also of what is on its way."""
    _sign(settings, _one(settings, name), "end", "ended", member, person)
    click.echo(f"{name}: ended; workers see it within a second or two", err=True)


@scope.command(epilog="Example: boutre scope report exercise-2027 --output json")
@click.argument("name")
@click.option("--output", type=click.Choice(["table", "json"]), default="table", show_default=True)
@with_settings
def report(settings: Settings, name: str, output: str) -> None:
    """Count what was released inside an operation: by recipient, member and kind, from the receipts."""
    one = _one(settings, name)
    assembly = assemble(settings.folder())
    ours = {each.name for each in assembly.pipeline.policy.agreements if each.scope == one.id}
    counts: Counter[tuple[str, str, str]] = Counter()
    for receipt in values(settings, assembly.codec, TOPIC, KIND, "operations.scopes"):
        if receipt["outcome"] == "delivered" and ours.intersection(receipt["agreements"]):
            counts[receipt["recipient"], receipt["member"], receipt["kind"]] += 1
    rows = [
        dict(zip(("recipient", "member", "kind", "released"), (*key, count), strict=True)) for key, count in sorted(counts.items())
    ]
    if output == "json":
        click.echo(json.dumps({"scope": one.id, "agreements": sorted(ours), "released": rows}, indent=2))
        return
    for row in rows:
        click.echo(f"{row['recipient']}  {row['kind']} of {row['member']}: {row['released']}")
    click.echo(f"{sum(counts.values())} released by {', '.join(sorted(ours)) or 'no agreement'}", err=True)


def _sign(settings: Settings, one: Scope, word: str, key: str, member: str, person: str) -> None:  # noqa: PLR0917 - what is said, by whom
    private = keys_of(settings).private(member)
    said = one.say(word, member, person, datetime.now(UTC), private)
    if not one.proved(word, said, keys_of(settings).keyring()):
        raise DeclarationError([Fault(str(settings.keys), member, "its key is not among the public keys, or is revoked")])
    _append(settings.folder() / SCOPES / f"{one.id}.toml", key, said)


def _append(path: Path, key: str, said: Said) -> None:
    """Add a statement behind what is declared; what stands there is not written anew, comments and all."""
    at = said.at.strftime("%Y-%m-%dT%H:%M:%SZ")
    rows = {"member": said.member, "person": said.person, "key": said.key, "signature": said.signature}
    # A JSON string is a TOML string.
    body = "".join(f"{name} = {json.dumps(value, ensure_ascii=False)}\n" for name, value in rows.items())
    with path.open("a", encoding="utf-8") as file:
        file.write(f"\n[[{key}]]\nat = {at}\n{body}")
