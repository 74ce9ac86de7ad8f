"""
What ``boutre audit`` says: of a log that was looked through, and of a proof that holds.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import click
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from boutre.connectors.plain import line, plain
from boutre.errors import Refuse
from boutre.ops.audit_proving import cosigners
from boutre.schemas.audit.checkpoint import NotProved
from boutre.schemas.audit.entry import BUS
from boutre.schemas.audit.examine import TOLD, Finding
from boutre.schemas.audit.papers import Inclusion
from boutre.schemas.codec import Codec
from boutre.schemas.signature import Keyring


def tell_log(findings: list[Finding], logs: Mapping[str, tuple[int, int]], output: str) -> None:
    """
    Say of each of *logs* how many entries it has and how many are signed, and what was found; as a table, of many the first.
    """
    if output == "json":
        told = [{"log": one.log, "place": one.place, "what": one.what} for one in findings]
        counts = {log: {"entries": entries, "signed": signed} for log, (entries, signed) in logs.items()}
        click.echo(line({"holds": not findings, "logs": counts, "findings": told}))
        return
    for log in dict.fromkeys([*logs, *(one.log for one in findings)]):
        wrong = [one for one in findings if one.log == log]
        if log in logs:
            entries, signed = logs[log]
            click.echo(f"{log:<24}{entries:>10} entries, {signed} signed, {'DO NOT HOLD' if wrong else 'hold'}")
        for one in wrong[:TOLD]:
            click.echo(f"  {one}")
        if len(wrong) > TOLD:
            click.echo(f"  and {len(wrong) - TOLD} more")


def tell_proof(proof: Inclusion, keys: Iterable[Ed25519PublicKey], members: Keyring, codec: Codec, output: str) -> None:
    """
    Say what a proof proves, once it holds; raises NotProved where it does not.
    """
    told = proof.proved(keys)
    opens = _opened(proof, codec)
    by = cosigners(proof.note, members)
    if output == "json":
        click.echo(line({"origin": told.origin, "place": proof.place, "size": told.size, "witnesses": by, "opens": opens}))
        return
    click.echo(f"entry {proof.place} of the {told.size} of {told.origin}, cosigned by {when(by)}")
    for name, value in opens.items():
        click.echo(f"  {name:<12} {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}")


def when(by: Mapping[str, int]) -> str:
    """
    Say who cosigned, and when: seconds since 1970 as a moment in UTC.
    """
    return ", ".join(f"{member} at {datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ}" for member, at in by.items()) or "nobody"


def _opened(proof: Inclusion, codec: Codec) -> dict[str, Any]:
    """Read what a proof opens, which was proved: a receipt, or a release as its recipient knows it."""
    assert proof.opening is not None  # else it proved nothing
    content = proof.opening.content
    try:
        found: dict[str, Any] = plain(codec.decode(content).value) if proof.opening.log == BUS else json.loads(content)
    except (Refuse, ValueError):
        raise NotProved("the proof holds, and what it opens cannot be read") from None
    return found
