"""
What a number says of the station that sends it, and which identities are no identities.

MMSI after ITU-R M.585: nine digits of which three, the MID, name the State; MIDs run from 201 to 775. IMO numbers after IMO
Resolution A.1117(30): seven digits, the last of them a check digit. Equipment that was never set up sends placeholders; they are
shared by many craft at once, and a record that carried one would link what has nothing to do with each other.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Final

MID: Final = range(201, 776)
"""
The numbers that name a State or territory (ITU, table of maritime identification digits).
"""

_PLACEHOLDERS: Final = frozenset({1193046, 12345678, 123456789, 987654321, *(digit * 111111111 for digit in range(10))})
_NO_NAMES: Final = frozenset(
    {"", "NONE", "NIL", "NA", "UNKNOWN", "UNDEFINED", "NOTAVAILABLE", "NOTDEFINED", "NONAME", "TEST", "XXXX", "0"}
)
_REPEATED: Final = 3  # as many times the same letter is no name
_DIGITS: Final = 9  # a MMSI has nine digits
_IMO: Final = range(1_000_000, 10_000_000)


class Station(Enum):
    """
    The kinds of station that MMSIs tell apart.
    """

    SHIP = "ship"
    AUXILIARY = "craft-of-a-parent-ship"
    HANDHELD = "handheld-radio"
    AIRCRAFT = "search-and-rescue-aircraft"
    DISTRESS = "distress-beacon"
    COAST = "coast-station"
    GROUP = "group-of-ships"
    AID = "aid-to-navigation"


class Placeholder(Enum):
    """
    A number that is no identity at all: what unset equipment sends, or what no rule of numbering allows.
    """

    UNSET = "placeholder-identifier"
    IMPOSSIBLE = "bad-identifier"


def station(mmsi: int) -> Station | Placeholder:
    """
    Tell what kind of station *mmsi* numbers, or why it numbers none.
    """
    if mmsi in _PLACEHOLDERS:
        return Placeholder.UNSET
    text = f"{mmsi:09d}"
    if len(text) > _DIGITS:
        return Placeholder.IMPOSSIBLE
    if text.startswith(("970", "972", "974")):
        return Station.DISTRESS
    for prefix, kind in (
        ("111", Station.AIRCRAFT),
        ("98", Station.AUXILIARY),
        ("99", Station.AID),
        ("00", Station.COAST),
        ("0", Station.GROUP),
        ("8", Station.HANDHELD),
        ("", Station.SHIP),
    ):
        if text.startswith(prefix):
            return kind if int(text[len(prefix) : len(prefix) + 3]) in MID else Placeholder.IMPOSSIBLE
    return Placeholder.IMPOSSIBLE


def imo(number: int | None) -> str | None:
    """
    Give an IMO number as its seven digits; None where it is unset or its check digit is wrong.
    """
    if number is None or number not in _IMO:
        return None
    digits = [int(digit) for digit in str(number)]
    total = sum(weight * digit for weight, digit in zip(range(7, 1, -1), digits, strict=False))
    return str(number) if total % 10 == digits[-1] else None


def words(text: str | None) -> str | None:
    """
    Give what somebody keyed in as name, call sign or destination; None where it says nothing.

    ``@`` ends a text in AIS. What stands for nothing in practice (``NONE``, ``UNKNOWN``, dashes, one repeated letter) is nothing.
    """
    found = " ".join((text or "").partition("@")[0].split())
    letters = re.sub(r"[^A-Z0-9]", "", found.upper())
    if letters in _NO_NAMES or (len(letters) >= _REPEATED and len(set(letters)) == 1):
        return None
    return found or None
