"""
What the bits of an AIS message say, as far as a report is made of it: a fix, static data, words of a distress beacon.

Messages after ITU-R M.1371-5; the bits are read by pyais. Values that stand for "not available" (latitude 91, longitude 181, course
360, heading 511, speed 102.3 ...) are None here, and so is what does not fit into its range. Other messages give neither a fix
nor static data; they are named in ``OTHER`` and are no reports.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from pyais.bit_vector import bit_vector
from pyais.messages import MSG_CLASS

from boutre.connectors.sources.nmea import Flaw

OTHER: Final[Mapping[int, str]] = MappingProxyType(
    {
        4: "base-station-report",
        6: "binary-message",
        7: "acknowledgement",
        8: "binary-message",
        10: "inquiry",
        11: "time-report",
        12: "safety-message",
        13: "acknowledgement",
        14: "safety-message",
        15: "interrogation",
        16: "assignment",
        17: "differential-corrections",
        20: "link-management",
        21: "aid-to-navigation",
        22: "channel-management",
        23: "assignment",
        25: "binary-message",
        26: "binary-message",
        28: "aid-to-navigation",
    }
)
"""
Messages that are understood and are no reports about a craft, each with what it is.
"""

# Bits that a message must have for what is read of it: nominal lengths are longer, and receivers cut what is spare.
_POSITIONS: Final = MappingProxyType({1: 143, 2: 143, 3: 143, 9: 134, 18: 139, 19: 139, 27: 94})
_STATICS: Final = MappingProxyType({5: 270, 24: 160})
_HEADER: Final = 38
_EXTENDED: Final = 301  # bits of message 19 up to the end of the dimensions
_VOYAGE: Final = 422  # bits of message 5 up to the end of the destination
_PART_B: Final = 162
_SHIP_TYPE_AT: Final = MappingProxyType({5: 232, 19: 263, 24: 40})
_LONG_RANGE: Final = 27
_AIRCRAFT: Final = 9
_SAFETY_BROADCAST: Final = 14
_AUXILIARY: Final = range(980_000_000, 990_000_000)


@dataclass(frozen=True, slots=True)
class Fix:
    """
    Where a station says it is and how it moves: degrees WGS 84, degrees true, knots; None where it does not say.

    *second* is the second of the UTC minute in which the fix was taken; from 60 on, why there is none (60 not available, 61 set by
    hand, 62 dead reckoning, 63 the positioning system is out). *precise* is true for 10 m or better. *status* is the navigational
    status from 0 to 15, None where the message has none.
    """

    latitude: float | None
    longitude: float | None
    precise: bool
    course: float | None = None
    heading: float | None = None
    speed: float | None = None
    status: int | None = None
    second: int = 60
    raim: bool | None = None
    turn: float | None = None
    altitude_m: int | None = None

    @property
    def placed(self) -> bool:
        """
        Whether it has a position.
        """
        return self.latitude is not None and self.longitude is not None


@dataclass(frozen=True, slots=True)
class Statics:
    """
    What a station says of its craft; None where it does not say, texts as they were keyed in. Lengths are metres.
    """

    name: str | None = None
    call_sign: str | None = None
    imo: int | None = None
    ship_type: int | None = None
    length_m: int | None = None
    beam_m: int | None = None
    draught_m: float | None = None
    destination: str | None = None
    fixed_by: int | None = None


@dataclass(frozen=True, slots=True)
class Spoken:
    """
    A decoded message: its number, who sends it, and what it holds. *other* is what it is when it holds nothing of use here.
    """

    number: int
    mmsi: int
    fix: Fix | None = None
    statics: Statics | None = None
    text: str | None = None
    other: str | None = None


def decode(payload: str, fill: int) -> Spoken | Flaw:
    """
    Decode the six-bit characters *payload* with *fill* bits of padding; never raises.
    """
    bits = bit_vector(payload.encode("ascii", "replace"), fill)
    length = len(payload) * 6 - fill
    if length < _HEADER:
        return Flaw("undecodable", "an AIS message begins with 38 bits: number, repeat indicator, MMSI")
    number, mmsi = bits.get(0, 6), bits.get(8, 30)
    if number in OTHER and number != _SAFETY_BROADCAST:
        return Spoken(number, mmsi, other=OTHER[number])
    needed = _POSITIONS.get(number) or _STATICS.get(number) or (_HEADER if number == _SAFETY_BROADCAST else None)
    if needed is None:
        return Flaw("undecodable", "AIS has messages from 1 to 28", "message")
    if length < needed:
        return Flaw("undecodable", f"message {number} has at least {needed} bits")
    try:
        read: Any = MSG_CLASS[number].from_vector(bits)
        return _spoken(number, mmsi, read, bits, length)
    except Exception:  # noqa: BLE001 - the bits are anybody's, and pyais promises no closed set of errors
        return Flaw("undecodable", f"the bits make no message {number}")


def _spoken(number: int, mmsi: int, read: Any, bits: Any, length: int) -> Spoken:
    ship_type = bits.get(_SHIP_TYPE_AT[number], 8) if number in _SHIP_TYPE_AT else None
    if number == _SAFETY_BROADCAST:
        return Spoken(number, mmsi, text=read.text or "", other=OTHER[number])
    if number in _POSITIONS:
        statics = _statics(read, ship_type) if number == 19 and length >= _EXTENDED else None  # noqa: PLR2004 - class B, extended
        return Spoken(number, mmsi, fix=_fix(number, read), statics=statics)
    if number == 5:  # noqa: PLR2004 - static and voyage data
        statics = _statics(read, ship_type, voyage=length >= _VOYAGE)
    elif read.partno == 0:
        statics = Statics(name=read.shipname)
    elif length < _PART_B:
        statics = Statics(ship_type=ship_type)
    elif mmsi in _AUXILIARY:  # in place of dimensions it names its parent ship
        statics = Statics(call_sign=read.callsign, ship_type=ship_type)
    else:
        statics = _statics(read, ship_type)
    return Spoken(number, mmsi, statics=statics)


def _fix(number: int, read: Any) -> Fix:
    unknown_speed = {_LONG_RANGE: 63, _AIRCRAFT: 1023}.get(number, 102.3)
    status = getattr(read, "status", None)
    altitude = getattr(read, "alt", None)
    turn = getattr(read, "turn", None)
    return Fix(
        latitude=_within(read.lat, -90, 90),
        longitude=_within(read.lon, -180, 180),
        precise=bool(read.accuracy),
        course=_below(read.course, 360),
        heading=_below(getattr(read, "heading", None), 360),
        speed=_below(read.speed, unknown_speed),
        status=None if status is None else int(status),
        second=int(getattr(read, "second", 60)),
        raim=getattr(read, "raim", None),
        turn=float(turn) if turn is not None and abs(turn) not in {127, 128} else None,
        altitude_m=altitude if altitude is not None and altitude < 4095 else None,  # noqa: PLR2004 - 4095 is not available
    )


def _statics(read: Any, ship_type: int | None, *, voyage: bool = False) -> Statics:
    draught = getattr(read, "draught", None) if voyage else None
    return Statics(
        name=getattr(read, "shipname", None),
        call_sign=getattr(read, "callsign", None),
        imo=getattr(read, "imo", None) or None,
        ship_type=ship_type or None,
        length_m=(read.to_bow + read.to_stern) or None,
        beam_m=(read.to_port + read.to_starboard) or None,
        draught_m=draught or None,
        destination=read.destination if voyage else None,
        fixed_by=int(getattr(read, "epfd", 0)) or None,
    )


def _within(value: float | None, low: float, high: float) -> float | None:
    return float(value) if value is not None and low <= value <= high else None


def _below(value: float | None, limit: float) -> float | None:
    return float(value) if value is not None and 0 <= value < limit else None
