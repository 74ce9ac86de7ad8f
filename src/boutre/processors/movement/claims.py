"""
What one number says that it is: its names, call signs and IMO numbers in turn, and the changes among them.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from boutre.processors.matching.identifiers import checks
from boutre.processors.matching.placeholders import LONGEST, own
from boutre.processors.movement.detection import IDENTITY, Detection, found
from boutre.processors.movement.report import Report
from boutre.processors.movement.thresholds import MINUTE_S, Thresholds

KEPT: Final = 8192
"""Values whose form is kept: a craft says the same name every few seconds."""

_SHORT: Final = 5
_CUT: Final = 18  # AIS names have at most 20 letters, and what is longer is cut


class Claim(Struct, frozen=True):
    """
    One value of one attribute: as it is compared and as it is shown, since when, until when, how often, and by which report first.
    """

    attribute: str
    value: str
    shown: str
    first: float
    last: float
    count: int = 1
    told: bool = False
    record: str = ""


@lru_cache(maxsize=KEPT)
def compared(attribute: str, value: str) -> str | None:
    """
    Give a claimed value as it is compared: capitals and digits only; None where it is no value.

    One repeated letter, an IMO number whose check digit is wrong, and what matching knows to stand for nothing are none: there is
    one list of that, ``identifiers.toml``, as the engine has it.
    """
    letters = re.sub(r"[^A-Z0-9]", "", value.upper())
    if len(set(letters)) < 2 or len(value) > LONGEST or own().holds(attribute, value):  # noqa: PLR2004 - one letter, however often
        return None
    if attribute != "imo":
        return letters
    digits = letters.removeprefix("IMO")
    return digits if re.fullmatch(r"[1-9]\d{6}", digits) and not own().holds("imo", digits) and checks(digits) else None


def alike(attribute: str, one: str, other: str) -> bool:
    """
    Whether two values as they are compared are one: names that differ in one letter, or of which one was cut short, are.

    A digit more or less is another name: fleets count their craft. Numbers and call signs are one only when they are equal.
    """
    if one == other or attribute != "name":
        return one == other
    short, long = sorted((one, other), key=len)
    if long.startswith(short) and len(short) >= _CUT:
        return True
    if len(short) < _SHORT or len(long) - len(short) > 1:
        return False
    same = next((number for number, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    odd = long[same] if len(long) > len(short) else short[same] + long[same]
    rest = short[same:] if len(long) > len(short) else short[same + 1 :]
    return rest == long[same + 1 :] and odd.isalpha()


def claiming(claims: tuple[Claim, ...], report: Report, rules: Thresholds) -> tuple[tuple[Claim, ...], tuple[Detection, ...]]:
    """
    Go on with what a number claims by its next report; say once when a value that is new to it is established.

    Two values that come in turn are one change, not many: hulls that share a number do that.
    """
    told: list[Detection] = []
    for attribute, shown in report.claims:
        value = compared(attribute, shown) if attribute in rules.identity.attributes else None
        if value is None:
            continue
        mine = [one for one in claims if one.attribute == attribute]
        known = next((one for one in mine if alike(attribute, one.value, value)), None)
        if known is None:
            known = Claim(attribute, value, shown, report.at, report.at, record=report.id)
        else:
            known = replace(known, last=report.at, count=known.count + 1)
        others = [one for one in mine if one.value != known.value]
        established = [one for one in others if one.count >= rules.identity.least_reports]
        if not known.told and known.count >= rules.identity.least_reports:
            known = replace(known, told=True)
            if established:
                told.append(_change(max(established, key=_recent), known, report, rules))
        kept = sorted((*others, known), key=_recent)[-rules.identity.most_values :]
        claims = (*(one for one in claims if one.attribute != attribute), *kept)
    return claims, tuple(told)


def _recent(claim: Claim) -> tuple[float, float, str]:
    return claim.last, claim.first, claim.value


def _change(before: Claim, now: Claim, report: Report, rules: Thresholds) -> Detection:
    return found(
        IDENTITY,
        rules.version,
        report,
        begin=now.first,
        end=report.at,
        certainty=rules.identity.certainty,
        evidence=(
            ("reports_before", before.count, "count"),
            ("reports_since", now.count, "count"),
            ("between", (now.first - before.last) / MINUTE_S, "min"),
        ),
        facts={"attribute": now.attribute, "from": before.shown, "to": now.shown},
        thresholds=(("least_reports", rules.identity.least_reports, "count"),),
        records=(before.record, now.record),
        of=now.attribute,
    )
