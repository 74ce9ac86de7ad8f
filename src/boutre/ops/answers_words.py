"""
What goes with which word of ``boutre answers say``: a second view, an end, fields; and what is said to whoever got it wrong.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from boutre.errors import DeclarationError, Fault
from boutre.processors.links.said import SILENCED
from boutre.schemas.answers import JUDGEMENTS, REQUEST

DURATION: Final = re.compile(r"(?:(?P<days>\d+)d)?(?:(?P<hours>\d+)h)?(?:(?P<minutes>\d+)m(?:in)?)?", re.ASCII)
"""Days, hours and minutes in this order, each or none: ``2d``, ``1h``, ``1h30m``."""

FORMS: Final = "a duration such as 30m, 1h or 2d, or an instant with its zone such as 2026-09-21T18:00Z"


def checked(said: str, view: str, *, other: str | None, until: str | None, fields: Sequence[str], now: datetime) -> datetime | None:
    """
    Give until when it holds, None where nothing was said of it; DeclarationError with all that does not fit the word.
    """
    faults = [*_fields_wrong(said, fields), *_other_wrong(said, view, other)]
    end: datetime | None = None
    if until is not None and said != SILENCED:
        faults.append(Fault("--until", "", f"goes with --said {SILENCED} alone; leave it out of {said}"))
    elif until is not None:
        read = ends(until, now)
        if isinstance(read, str):
            faults.append(Fault("--until", "", read))
        else:
            end = read
    if faults:
        raise DeclarationError(faults)
    return end


def ends(text: str, now: datetime) -> datetime | str:
    """
    Read until when, to the millisecond; in words what is wrong where it is no such thing, or over already.
    """
    try:
        end = _instant(text, now)
    except OverflowError:
        return "lies further off than there are years"
    if end is None:
        return f"is {FORMS}"
    if end.tzinfo is None:
        return "says no zone, so that nobody knows which moment it is; end it with Z for UTC, or with +03:00"
    try:
        end = end.astimezone(UTC)
    except OverflowError:
        return "lies further off than there are years"
    end = end.replace(microsecond=end.microsecond // 1000 * 1000)
    if end <= now:
        return "is over already; name a moment to come, or leave it out for the rest of the occurrence"
    return end


def in_a_line(value: Mapping[str, Any], label: str, *, with_recipient: bool) -> str:
    """
    Give an answer as a person reads it in a list, with *label* for its word; *with_recipient* says who it is from.
    """
    named = value["record"] or value["view"] or "-"
    both = named if value["other"] is None else f"{named} and {value['other']}"
    who = f"{value['recipient']} of {both}" if with_recipient else f"of {both}"
    parts = [f"{label}, by {value['by']}" if value["by"] else label]
    if value["until"] is not None:
        parts.append(f"until {value['until']:%Y-%m-%d %H:%M} UTC")
    elif value["said"] == SILENCED:
        parts.append("no end given")
    if value["due_at"] is not None:
        parts.append(f"a reply is due until {value['due_at']:%Y-%m-%d %H:%M} UTC")
    return f"{value['id']}  {'EXERCISE ' if value['exercise'] else ''}{who}: {'; '.join(parts)}"


def _instant(text: str, now: datetime) -> datetime | None:
    found = DURATION.fullmatch(text.strip())
    if found is not None and any(found.groups()):
        return now + timedelta(**{unit: int(number) for unit, number in found.groupdict(default="0").items()})
    try:
        return datetime.fromisoformat(text.strip())
    except ValueError:
        return None


def _fields_wrong(said: str, fields: Sequence[str]) -> list[Fault]:
    return [Fault("--field", "", f"goes with --said {REQUEST}; leave it out of {said}")] if fields and said != REQUEST else []


def _other_wrong(said: str, view: str, other: str | None) -> list[Fault]:
    judged = f"{', '.join(sorted(JUDGEMENTS))}"
    if said not in JUDGEMENTS:
        return (
            [] if other is None else [Fault("--other", "", f"goes with --said {judged}; {said} is said of one view: leave it out")]
        )
    if not (other or "").strip():
        return [Fault("--other", "", f"{said} is said of two views; name the second one with --other VIEW")]
    if other == view:
        return [Fault("--other", "", "is VIEW itself; name the other of the two views that you compared")]
    return []
