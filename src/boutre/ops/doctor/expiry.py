"""
What ends by a date: certificates, recipients' keys, agreements.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Final

from boutre.ops.doctor.finding import Finding

SOON: Final = timedelta(days=30)
"""How long before its end something is told: another State has to be asked for the next one."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """
    A certificate by its file: in force from *begins* until *ends*, UTC.
    """

    path: str
    subject: str
    begins: datetime
    ends: datetime


@dataclass(frozen=True, slots=True)
class Key:
    """
    A key for which views of *recipient* are sealed: in force from *begins* up to before *ends*, UTC, unless it is revoked.
    """

    recipient: str
    id: str
    begins: datetime
    ends: datetime
    revoked: bool = False


@dataclass(frozen=True, slots=True)
class Agreement:
    """
    An agreement by its id: in force from *begins* up to before *ends*, UTC.
    """

    id: str
    recipient: str
    begins: datetime
    ends: datetime


def of_certificates(found: Iterable[Certificate], now: datetime) -> Iterator[Finding]:
    """
    Tell the certificates that are out of force, or will be soon.
    """
    for one in found:
        means = "whoever shows it, or is proved by it, gets no connection"
        next_step = f"openssl x509 -noout -subject -dates -in {one.path}; ask its authority for the next one"
        name = f"the certificate {one.subject} in {one.path}"
        if now < one.begins:
            yield Finding("keys", "error", f"{name} begins only at {_at(one.begins)}", means, next_step)
        elif now >= one.ends:
            yield Finding("keys", "error", f"{name} ended at {_at(one.ends)}", means, next_step)
        elif one.ends - now <= SOON:
            yield Finding("keys", "warning", f"{name} ends at {_at(one.ends)}, {_left(one.ends - now)}", means, next_step)


def of_keys(found: Iterable[Key], now: datetime) -> Iterator[Finding]:
    """
    Tell the recipients for whom no key is in force, or none will be soon; one that ends behind another that goes on is no matter.
    """
    for recipient, some in groupby(sorted(found, key=lambda key: key.recipient), key=lambda key: key.recipient):
        rows = [key for key in some if not key.revoked]
        next_step = f"boutre keys rotate --recipient {recipient}"
        ends = covered(rows, now)
        if ends is None:
            latest = max((key.ends for key in rows if key.ends <= now), default=None)
            why = "its keys are revoked or not in force yet" if latest is None else f"its last key ended at {_at(latest)}"
            means = "what must be sealed for it is not released to it, and waits at the release step until there is a key"
            yield Finding("keys", "error", f"no key of {recipient} is in force: {why}", means, next_step)
        elif ends - now <= SOON:
            means = "from then on what must be sealed for it waits at the release step"
            yield Finding(
                "keys", "warning", f"the last key of {recipient} ends at {_at(ends)}, {_left(ends - now)}", means, next_step
            )


def covered(rows: Iterable[Key], now: datetime) -> datetime | None:
    """Give until when there is a key in force without a gap from *now* on; None where there is none now."""
    ends, reached = None, now
    for key in sorted(rows, key=lambda key: key.begins):
        if key.begins <= reached < key.ends:
            ends = reached = key.ends
    return ends


def of_agreements(found: Iterable[Agreement], now: datetime) -> Iterator[Finding]:
    """
    Tell the agreements that ended, or will soon: by none of them is anything given any more.
    """
    for one in found:
        means = f"{one.recipient} gets nothing by it; what another agreement gives is as before"
        next_step = f"boutre policy draw --recipient {one.recipient}; its parties sign the next one"
        if now >= one.ends:
            yield Finding("agreements", "warning", f"{one.id} ended at {_at(one.ends)}", means, next_step)
        elif one.ends - now <= SOON:
            what = f"{one.id} ends at {_at(one.ends)}, {_left(one.ends - now)}"
            yield Finding("agreements", "warning", what, f"from then on {means}", next_step)


def _at(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M UTC")


def _left(left: timedelta) -> str:
    return f"in {left.days} days" if left >= timedelta(days=2) else f"in {left.total_seconds() / 3600:.0f} hours"
