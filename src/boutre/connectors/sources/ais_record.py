"""
A sighting from an AIS message: its groups as the schema has them, with what is known of the craft joined to where it is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

from boutre.connectors.sources.ais_decode import Fix, Spoken
from boutre.connectors.sources.ais_identity import Station
from boutre.connectors.sources.ais_known import Craft, Heard
from boutre.connectors.sources.nmea_assembly import Message

_MINUTE: Final = 60
_SKEW: Final = timedelta(seconds=5)
_BY_HAND, _RECKONED, _OUT = 61, 62, 63  # in place of the second: why it is none
_LONG_RANGE: Final = 27
_LONG_RANGE_M: Final = 131.0  # message 27 counts tenths of a minute: half of one, in both directions
_PRECISE_M: Final = 10.0
_ACTIVE: Final = 14  # navigational status of a distress beacon that was set off; 15 is one under test

_CRAFT: Final = (  # ITU-R M.1371-5, table 53: mostly the first digit is the kind, of 3 and 5 both digits are
    (range(20, 30), "wing-in-ground"),
    (range(30, 31), "fishing-vessel"),
    (range(31, 33), "tug"),
    (range(33, 34), "dredger"),
    (range(34, 35), "dive-vessel"),
    (range(35, 36), "warship"),
    (range(36, 37), "sailing-vessel"),
    (range(37, 38), "yacht"),
    (range(40, 50), "high-speed-craft"),
    (range(50, 51), "pilot-vessel"),
    (range(51, 52), "search-and-rescue"),
    (range(52, 53), "tug"),
    (range(53, 54), "port-tender"),
    (range(54, 55), "anti-pollution"),
    (range(55, 56), "law-enforcement"),
    (range(58, 59), "medical-transport"),
    (range(60, 70), "passenger"),
    (range(70, 80), "cargo-ship"),
    (range(80, 90), "tanker"),
    (range(90, 100), "other"),
)
_BY_STATION: Final = MappingProxyType({Station.AIRCRAFT: "aircraft", Station.DISTRESS: "distress-beacon"})
_FIXED_BY: Final[Mapping[int, str]] = MappingProxyType(  # by satellites but Loran-C, Chayka and what was surveyed
    {4: "other", 5: "other", 7: "reported"}
)
_LONGEST_M: Final = 511  # per part of the length: this long or longer


def reference(message: Message, spoken: Spoken, received: datetime) -> str:
    """
    The same for one transmission, however many stations heard it, and however often it is read.

    A digest of the bits, the sender and the second: the second of the fix where the message tells it, so that stations whose clocks
    differ by less than half a minute agree, else the second of receipt.
    """
    at = observed(received, spoken.fix).replace(microsecond=0)
    content = f"{spoken.mmsi:09d} {at:%Y%m%d%H%M%S} {message.fill} {message.payload}"
    return hashlib.sha256(content.encode("ascii")).hexdigest()[:32]


def observed(received: datetime, fix: Fix | None) -> datetime:
    """
    When the fix was taken: the message gives the second of the minute, the receipt gives the rest.

    A receiver's clock may be some seconds behind the satellites'; where the message gives no second, it is the time of receipt.
    """
    if fix is None or fix.second >= _MINUTE:
        return received
    at = received.replace(second=fix.second, microsecond=0)
    if at - received > _SKEW:
        return at - timedelta(minutes=1)
    if received - at >= timedelta(minutes=1) - _SKEW:
        return at + timedelta(minutes=1)
    return at


def sighting(message: Message, spoken: Spoken, kind: Station, craft: Craft, received: datetime) -> dict[str, Any]:
    """
    The groups of a sighting; *received* is when a station heard it (UTC), *craft* what is known of the sender.

    A distress beacon under test makes an exercise: a real alarm must never be raised by it, and nothing be lost of it either.
    """
    fix = spoken.fix
    distress = kind is Station.DISTRESS
    value: dict[str, Any] = {
        "times": {
            "observed": _moment(observed(received, fix)),
            "observed_until": None,
            "reported": _moment(received),
        },
        "event": {"type": "distress" if distress else "ais", "classes": [], "nature": "Declared", "outcome": None},
        "position": _position(spoken, craft) if fix is not None and fix.placed else None,
        "movement": _movement(fix, craft),
        "craft": _craft(kind, craft),
        "claims": [_claim("mmsi", Heard(f"{spoken.mmsi:09d}", received, received)), *(_claim(*c) for c in craft.claims())],
        "sensor": {
            "kind": "AutomaticIdentificationSystem",
            "platform": "shore-station" if message.station.startswith("00") else None,
            "name": message.station or None,
        },
        "unmapped": list(_unmapped(message, spoken, craft)) or None,
    }
    if distress and ((fix is not None and fix.status != _ACTIVE) or "TEST" in (spoken.text or "").upper()):
        value["exercise"] = True
    if spoken.text:
        value["narrative"] = [{"language": "en", "text": spoken.text, "translation_of": None}]
    return value


def _moment(at: datetime) -> dict[str, Any]:
    return {"at": at, "precision": "second", "uncertainty_s": None}


def _claim(attribute: str, heard: Heard) -> dict[str, Any]:
    value = str(heard.value)
    return {"attribute": attribute, "value": value, "source": "ais", "first_seen": heard.first, "last_seen": heard.last}


def _position(spoken: Spoken, craft: Craft) -> dict[str, Any]:
    fix = spoken.fix
    assert fix is not None
    if fix.second == _OUT:
        how = None
    elif fix.second in {_BY_HAND, _RECKONED}:
        how = "reported" if fix.second == _BY_HAND else "dead-reckoning"
    else:
        how = _FIXED_BY.get(craft.get("fixed_by"), "gnss")
    accuracy = None
    if fix.precise and how is not None:
        accuracy = _LONG_RANGE_M if spoken.number == _LONG_RANGE else _PRECISE_M
    return {
        "latitude": fix.latitude,
        "longitude": fix.longitude,
        "accuracy_m": accuracy,  # without the flag it is worse than 10 m or not known, which is no number
        "fix": how,
        "place": None,
        "locode": None,
    }


def _movement(fix: Fix | None, craft: Craft) -> dict[str, Any] | None:
    destination = craft.get("destination")
    if fix is None:
        return None
    return {
        "course_deg": fix.course,
        "heading_deg": fix.heading,
        "speed_kn": fix.speed,
        "navigational_status": None if fix.status is None else str(fix.status),
        "destination": destination,
    }


def _craft(kind: Station, craft: Craft) -> dict[str, Any]:
    ship_type, length = craft.get("ship_type"), craft.get("length_m")
    what = _BY_STATION.get(kind)
    if what is None and ship_type is not None:
        what = next((code for types, code in _CRAFT if ship_type in types), None)
    if length is not None:
        length = {"min": float(length), "max": float(length) if length < _LONGEST_M else None, "estimated": False}
    return {
        "kind": what,
        "source_kind": None if ship_type is None else f"AIS ship type {ship_type}",
        "hull": None,
        "colours": [],
        "length_m": length,
        "engines": None,
        "persons_on_board": None,
        "markings": [],
        "activity": None,
    }


def _unmapped(message: Message, spoken: Spoken, craft: Craft) -> Any:
    fix = spoken.fix
    found = (
        ("ais.message", spoken.number),
        ("ais.rate_of_turn_deg_min", fix.turn if fix else None),
        ("ais.raim", True if fix and fix.raim else None),
        ("ais.altitude_m", fix.altitude_m if fix else None),
        ("ais.beam_m", craft.get("beam_m")),
        ("ais.draught_m", craft.get("draught_m")),
        ("pghp.country", message.country or None),
        ("pghp.region", message.region or None),
    )
    return ({"name": name, "value": str(value)} for name, value in found if value is not None)
