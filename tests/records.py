"""
Records for tests: reports as they come from the field, any record that a schema allows, and the real bus in memory.

``report`` and the named ones (``attack``, ``kwassa``, ``track``, ``warning``, ``recall``) give values that accept lets through;
``any_record`` draws every field of a kind, near the ends of what it can hold, and is as valid. ``national`` signs a value.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import strategies as st

from boutre.errors import Refuse
from boutre.processors import pipeline as pipelines
from boutre.processors.accept import Accept, national_key
from boutre.processors.decision import Inbound, Outbound
from boutre.processors.handle import Handler
from boutre.processors.local import LocalBus
from boutre.processors.pipeline import Pipeline
from boutre.processors.release import Release
from boutre.schemas import lock, vocabulary
from boutre.schemas.cases.groups import personal, seal
from boutre.schemas.cases.pool import CaseKeys
from boutre.schemas.codec import Codec
from boutre.schemas.fields import FieldInfo, walk
from boutre.schemas.identity import pseudonym, record_id
from boutre.schemas.signature import KEY_HEADER, SIGNATURE_HEADER, Keyring, key_id, sign
from boutre.schemas.validation import BOUNDS, COUNTED
from boutre.topics import bus
from sealed import finish

ROOT: Final = Path(__file__).parents[1]
LOCK: Final = lock.load()
CODEC: Final = Codec(LOCK)
KINDS: Final = ("sighting", "interception", "alert", "retraction")
RECIPIENTS: Final = ("rmifc", "rcoc", "mauritius", "seychelles", "madagascar", "comoros", "france", "protection-partner")
STATES: Final = ("mauritius", "seychelles", "madagascar", "comoros", "france")
FIELDS: Final[Mapping[str, tuple[FieldInfo, ...]]] = {kind: tuple(walk(LOCK.latest(kind).schema)) for kind in KINDS}

AT: Final = 1_790_000_000_000
"""When records of these tests are accepted, in milliseconds: a September evening of 2026."""

NOW: Final = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=AT)

Value = dict[str, Any]


# --- The bus ---------------------------------------------------------------------------------------------------------------


@cache
def words() -> vocabulary.Vocabularies:
    """The core vocabularies."""
    return vocabulary.load(ROOT / "schemas" / "vocabularies")


@cache
def real_pipeline() -> Pipeline:
    """This repository's own pipeline and agreements."""
    return pipelines.load(ROOT, bus.load(ROOT), LOCK, words())


@cache
def private(member: str) -> Ed25519PrivateKey:
    """A member's key: of these tests, and always the same."""
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(member.encode()).digest())


@cache
def keyring() -> Keyring:
    """The public keys of all members."""
    return Keyring({key_id(private(name).public_key()): (name, private(name).public_key()) for name in bus.load(ROOT).members})


def recipient_key(recipient: str) -> bytes:
    """The key of a recipient's own names."""
    return hashlib.sha256(b"recipient " + recipient.encode()).digest()


STATE_KEY: Final = hashlib.sha256(b"state").digest()
"""The key of digests of what is remembered."""


@cache
def handlers() -> tuple[Handler, ...]:
    """The real processors."""
    made = real_pipeline().processors(CODEC, keyring(), recipient_key, STATE_KEY, finish=finish(RECIPIENTS, KINDS))
    return tuple(Handler(processor, CODEC, real_pipeline().owner) for processor in made)


def local_bus(*, sealed: bool = False) -> LocalBus:
    """The real bus in memory, empty; its views are signed, and sealed where they must be, if it is *sealed*."""
    return LocalBus(handlers(), sealed=sealed)


def handler(name: str) -> Handler:
    """One of the real processors."""
    return next(each for each in handlers() if each.processor.name == name)


def accept() -> Accept:
    """The real step accept of the reports."""
    step = handler("accept-reports").processor.step
    assert isinstance(step, Accept)
    return step


def release() -> Release:
    """The real step release."""
    step = handler("release").processor.step
    assert isinstance(step, Release)
    return step


# --- Reports as they come --------------------------------------------------------------------------------------------------


def moment(text: str, precision: str = "minute") -> Value:
    """A time with its precision."""
    return {"at": datetime.fromisoformat(text).astimezone(UTC), "precision": precision, "uncertainty_s": None}


def count(least: float, most: float | None = None) -> Value:
    """A number of people, or of anything."""
    return {"min": float(least), "max": float(least if most is None else most), "estimated": most is not None}


def report(kind: str, member: str, reference: str, revision: int = 0, **groups: Any) -> Value:
    """The least that accept lets through, and *groups* beside and in the place of it."""
    least: Value = {
        "exercise": False,
        "lifecycle": {"status": "update" if revision else "initial", "revision": revision},
        "origin": {"member": member, "feed": "ops-room", "reference": reference},
        "times": {"observed": moment("2026-09-20T22:40:00Z")},
        "handling": {"tlp": "GREEN"},
    }
    if kind != "retraction":
        least["event"] = {"type": "irregular-migration"}
    whole = {**least, **groups}
    feed = whole["origin"]["feed"] if isinstance(whole["origin"], Mapping) else "ops-room"
    return {"id": record_id(member, kind, feed, reference, revision), **whole}


def attack(reference: str = "IMB-00006", member: str = "observatory-imb", **groups: Any) -> Value:
    """A boarding off Caluula, from the IMB list."""
    return report(
        "sighting",
        member,
        reference,
        **{
            "times": {"observed": moment("1995-04-03T00:00:00Z", "day")},
            "event": {"type": "attack", "classes": [{"scheme": "imb-attack", "code": "Boarding"}]},
            "position": {"latitude": 12.145, "longitude": 50.81, "place": "off Caluula"},
            "claims": [{"attribute": "name", "value": "FULL CITY", "source": "witness"}],
            "sensor": {"kind": "Sighting"},
            "narrative": [{"language": "en", "text": "Boarded from two skiffs."}],
            "provenance": {"sources": [{"name": "IMB list"}], "location": f"feed_imb.csv:{reference}"},
            **groups,
        },
    )


def kwassa(reference: str = "KM-1", member: str = "comoros", **groups: Any) -> Value:
    """An interception between Anjouan and Mayotte, with the people on board."""
    return report(
        "interception",
        member,
        reference,
        **{
            "times": {"observed": moment("2026-09-20T22:40:00Z"), "reported": moment("2026-09-20T23:05:00Z")},
            "event": {"type": "irregular-migration", "nature": "Observed"},
            "position": {"latitude": -12.55, "longitude": 44.75, "accuracy_m": 200.0, "fix": "gnss"},
            "craft": {"kind": "kwassa", "colours": ["blue"], "length_m": count(7, 8), "markings": ["deux traits blancs"]},
            "persons": {"total": count(28), "survivors": count(27), "dead": count(1), "outcome": "disembarked"},
            "action": {"kind": "Interception", "unit": "vedette Mtsahara", "boarded": True, "smugglers": count(2)},
            "migration": {"departure": "Domoni", "migrant_types": ["Irregular"], "fare": {"min": 300.0, "max": 1000.0}},
            "vulnerability": {"needs": ["medical-care"], "unaccompanied_children": count(2), "medical_urgent": True},
            "victims": [{"name": "Nobody Real", "birth_year": 2009}, {"name": "Fatima"}],
            "suspects": [{"name": "Nobody Either", "role": "suspect"}],
            "narrative": [{"language": "fr", "text": "Interpellée de nuit, moteur en panne."}],
            "handling": {"tlp": "AMBER", "personal_data": True},
            **groups,
        },
    )


def track(reference: str, mmsi: str = "219000001", seconds: int = 0, **groups: Any) -> Value:
    """A position by AIS in Danish waters."""
    at = NOW - timedelta(seconds=60 - seconds)
    return report(
        "sighting",
        "observatory-ais",
        reference,
        **{
            "times": {"observed": {"at": at, "precision": "second"}},
            "event": {"type": "ais", "nature": "Declared"},
            "position": {"latitude": 55.61, "longitude": 12.74, "accuracy_m": 10.0, "fix": "gnss"},
            "movement": {"course_deg": 91.5, "speed_kn": 12.1},
            "claims": [{"attribute": "mmsi", "value": mmsi}],
            "sensor": {"kind": "AutomaticIdentificationSystem", "name": "Drogden"},
            "handling": {"tlp": "CLEAR"},
            **groups,
        },
    )


def warning(reference: str = "AL-1", member: str = "seychelles", **groups: Any) -> Value:
    """An alert: a boat adrift."""
    return report(
        "alert",
        member,
        reference,
        **{
            "event": {"type": "distress"},
            "warning": {
                "message": "Alert",
                "severity": "Severe",
                "urgency": "Immediate",
                "certainty": "Likely",
                "headline": [{"language": "en", "text": "Boat adrift"}, {"language": "fr", "text": "Embarcation à la dérive"}],
                "onset": NOW,
                "expires": NOW + timedelta(hours=6),
            },
            "area": {"centre": {"latitude": -4.6, "longitude": 55.5}, "radius_m": 20_000.0},
            **groups,
        },
    )


def recall(of: Value, kind: str, member: str | None = None, reference: str | None = None, **groups: Any) -> Value:
    """The retraction of a record, by its member or by another."""
    subject = national_key(of)
    return report(
        "retraction",
        member or of["origin"]["member"],
        reference or f"recall of {of['id']}",
        **{
            "recall": {
                "record": of["id"],
                "subject": subject if subject != of["id"] else None,
                "kind": kind,
                "scope": "retract",
            },
            **groups,
        },
    )


def national(
    kind: str,
    value: Value,
    *,
    at: int = AT,
    topic: str | None = None,
    key: bytes | None = None,
    signer: str | None = None,
    cases: CaseKeys | None = None,
) -> Outbound:
    """The signed record of Kafka for *value*, as its member's connector would write it: what names people sealed by *cases*."""
    member = value["origin"]["member"]
    frame = CODEC.encode(kind, value)
    if cases is not None:
        frame = seal(CODEC, CODEC.decode(frame), cases.take)
    return signed(topic or f"national.{member}.{kind}", frame, signer or member, key or national_key(value).encode(), at=at)


def names_people(frame: bytes | None) -> bool:
    """Say whether a frame holds personal groups that nobody sealed: no reject writes them once more."""
    try:
        return bool(personal(CODEC.decode(frame).value))
    except Refuse:
        return False


def signed(topic: str, frame: bytes, signer: str, key: bytes, *, at: int = AT) -> Outbound:
    """Any bytes, signed by a member for a topic."""
    own = private(signer)
    headers = ((KEY_HEADER, key_id(own.public_key()).encode()), (SIGNATURE_HEADER, sign(own, topic, frame)))
    return Outbound(topic, key, frame, at, headers)


def inbound(out: Outbound, offset: int = 0) -> Inbound:
    """A record as a processor reads it."""
    return Inbound(out.topic, 0, offset, out.key, out.value, dict(out.headers), out.timestamp)


def on_bus(kind: str, value: Value, *, at: int = AT, offset: int = 0) -> Inbound:
    """A record as accept would leave it on ``bus.<kind>``, without asking accept."""
    return Inbound(f"bus.{kind}", 0, offset, b"lane", CODEC.encode(kind, value), {}, at)


def views(written: Mapping[str, list[Outbound]] | tuple[Outbound, ...], recipient: str) -> list[Outbound]:
    """All that was written for one recipient of what members reported, in its order: without what the bus makes of it."""
    every = written if isinstance(written, tuple) else [out for outs in written.values() for out in outs]
    return [out for out in every if out.topic.startswith(f"for.{recipient}.") and not by_the_bus(out)]


def by_the_bus(out: Outbound) -> bool:
    """Say whether a view is of a link or an alert that the bus made: no agreement gives it, since nobody reported it."""
    kind = out.topic.rpartition(".")[2]
    return kind == "link" or (kind == "alert" and not CODEC.decode(out.value).value["view"]["agreements"])


def known_as(recipient: str, value: Value) -> str:
    """The name by which a recipient knows a record."""
    return pseudonym(recipient_key(recipient), value["id"])


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value at the end of a path that is not null; an item of a list has the path of its list."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from leaves(item, f"{path}.{name}" if path else name)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from leaves(item, path)
    elif value is not None:
        yield path, value


# --- Any record ------------------------------------------------------------------------------------------------------------

LATITUDES = (-90.0, -89.999999, -12.8, -0.05, -0.0, 0.0, 0.1, 0.3, 12.145, 45.0, 89.95, 90.0)
LONGITUDES = (-180.0, -179.999999, -0.0, 0.0, 0.3, 45.15, 50.81, 179.95, 179.999999, 180.0)
TEXTS = ("a", "É", "Anjouan", "vedette à coque bleue", "مركب", "Ny antsasaky ny alina", "-" * 40, "x=1;DROP", "line\nline", "0")
PRECISIONS = ("second", "minute", "hour", "day", "month", "year")
PEOPLE = (0, 1, 4, 5, 9, 10, 19, 20, 49, 50, 99, 100, 499, 500, 1_000)
INSTANTS = ("1900-01-01T00:00:00", "1995-04-03T23:59:59.999", "2024-02-29T00:00:00", "2025-12-31T23:59:59", "2026-09-20T22:40:31.5")


def any_record(kind: str, *, member: str = "seychelles", full: bool = False) -> st.SearchStrategy[Value]:
    """Any record of a kind that accept lets through; where *full*, every field has a value."""
    densities = st.just(1.0) if full else st.sampled_from((0.0, 0.3, 0.6, 0.9, 1.0))
    seeds = st.integers(min_value=0, max_value=2**32 - 1)
    return st.builds(lambda seed, density: Drawn(Random(seed), density).record(kind, member), seeds, densities)  # noqa: S311 - a test


@cache
def _tree(kind: str) -> dict[str, tuple[FieldInfo, ...]]:
    found: dict[str, list[FieldInfo]] = {}
    for info in FIELDS.get(kind) or walk(LOCK.latest(kind).schema):
        found.setdefault(info.path.rpartition(".")[0], []).append(info)
    return {path: tuple(children) for path, children in found.items()}


def below(kind: str, path: str = "") -> tuple[FieldInfo, ...]:
    """The fields right below a path; the groups of a kind where it is empty."""
    return _tree(kind).get(path, ())


class Drawn:
    """Draws records from the schemas: *density* is how many of the fields that may be empty are not."""

    def __init__(self, random: Random, density: float) -> None:
        self.random = random
        self.density = density

    def record(self, kind: str, member: str) -> Value:
        """A whole valid record."""
        value = {info.name: self._field(info, kind) for info in below(kind)}
        reference = str(self.random.getrandbits(40))
        value["lifecycle"] |= {"revision": 0, "repeats": None}
        if kind not in KINDS:
            # Made by the bus: nobody reports it.
            return value | {"id": record_id("bus", kind, "bus", reference), "view": None}
        value["origin"] |= {"member": member, "feed": "ops-room", "reference": reference}
        value |= {"id": record_id(member, kind, "ops-room", reference), "view": None}
        value["times"] = self._times(value["times"])
        if isinstance(value.get("persons"), dict):
            self._sensible_people(value["persons"])
        if kind == "alert":
            value["warning"] |= {"onset": None}
        if kind == "retraction":
            value["recall"] |= {"subject": None}
        return value

    def sealed(self) -> bool:
        """Whether to leave out what may be left out."""
        return self.random.random() >= self.density

    def _field(self, info: FieldInfo, kind: str) -> Any:
        if info.nullable and not info.required and self.sealed():
            return None
        if info.many:
            return [self._item(info, kind) for _ in range(self.random.choice((0, 1, 2, 3) if self.density < 1 else (1, 2)))]
        return self._item(info, kind)

    def _item(self, info: FieldInfo, kind: str) -> Any:
        children = below(kind, info.path)
        if not children:
            return self.leaf(info)
        return self._sensible(info, {child.name: self._field(child, kind) for child in children})

    def _sensible(self, info: FieldInfo, value: Value) -> Value:
        if info.type_name == "Range" and None not in (value["min"], value["max"]):
            value["min"], value["max"] = sorted((value["min"], value["max"]))
        if info.type_name == "Claim":
            real = {"mmsi": "219000001", "imo": "9074729"}
            value["value"] = real.get(value["attribute"], value["value"] if len(value["value"]) > 1 else "KM 12")
            value["value"] = "KM 12" if set(value["value"]) <= set("-0 ") else value["value"]
        return value

    def leaf(self, info: FieldInfo) -> Any:
        """A value of one field, near an end of what it can be."""
        choose = self.random.choice
        match info.type_name:
            case "boolean":
                return choose((True, False))
            case "timestamp-millis":
                return choose([datetime.fromisoformat(text).replace(tzinfo=UTC) for text in INSTANTS])
            case "date":
                return choose((date(1900, 1, 1), date(2009, 2, 28), date(2026, 9, 20)))
            case "string" if info.path == "handling.release_to":
                return choose(RECIPIENTS)
            case "string":
                return choose(sorted(words().codes(info.vocabulary))) if info.vocabulary else choose(TEXTS)
            case "double" | "long":
                return self._number(info)
        raise AssertionError(info.type_name)

    def _number(self, info: FieldInfo) -> float:
        choose = self.random.choice
        if info.name == "latitude":
            return choose((*LATITUDES, self.random.uniform(-90, 90)))
        if info.name == "longitude":
            return choose((*LONGITUDES, self.random.uniform(-180, 180)))
        if info.type_name == "long":
            least, most = BOUNDS[info.unit]
            return choose((int(least), int(least) + 1, int(most)))
        if info.unit in COUNTED:
            return float(choose(PEOPLE if info.unit != "engine" else PEOPLE[:10]))
        least, most = BOUNDS.get(info.unit, (0.0, 1e6))
        return choose((float(least), math.nextafter(most, least), self.random.uniform(least, min(most, 1000.0)), 0.5))

    def _sensible_people(self, persons: Value) -> None:
        """At least so many dead, missing and saved are not more than at most so many in all."""
        for name in ("survivors", "dead", "missing"):
            if persons["total"] and persons[name]:
                persons[name]["min"] = None

    def _times(self, drawn: Value) -> Value:
        """What was seen, then until when, then reported; and none of it of the bus."""
        observed = drawn["observed"]
        later = {name: drawn[name] and {**drawn[name], "at": observed["at"]} for name in ("observed_until", "reported")}
        return {**drawn, **later, "accepted_at": None, "late": None}
