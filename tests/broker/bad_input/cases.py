"""
Bad records, each as it would really come: what is sent, and the reason for which it must be rejected.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

from msgspec.structs import replace

from boutre.processors.decision import Outbound
from boutre.schemas.cases.pool import CaseKeys, VaultPool
from boutre.schemas.codec import FRAME, MAX_REPORT_BYTES
from boutre.schemas.identity import record_id
from boutre.schemas.marks import Withheld
from boutre.schemas.rejects import reject
from boutre.schemas.sealing.suites import SealingKey
from boutre.schemas.signature import KEY_HEADER, SIGNATURE_HEADER
from broker.bad_input.bus import ago, now_ms, position, sighting
from broker.bad_input.sealing import SEALING, as_sent
from domain.test_hostile import CORPUS
from records import CODEC, Value, count, local_bus, moment, national, signed

TOPIC: Final = "national.comoros.sighting"
AIS: Final = "national.observatory-ais.sighting"

UNKNOWN: Final = "a member whose key nobody registered"
REVOKED: Final = "comoros, by a key that was stolen"


@dataclass(frozen=True, slots=True)
class Case:
    """
    One bad record: *make* builds it around a secret, which must come to stand nowhere but with its owner.

    *field* is what the reject must name; *before* is a record that must have come first; *strayed* is how many partitions away from
    that of its key it is put.
    """

    code: str
    make: Callable[[str], Outbound]
    field: str | None = None
    before: Callable[[str], Outbound] | None = None
    strayed: int = 0


def report(secret: str, member: str = "comoros", **groups: Any) -> Value:
    """A sighting that says the secret, wherever a sighting says something freely."""
    return sighting(secret, member, **{"narrative": [{"language": "fr", "text": secret}], **groups})


def framed(**groups: Any) -> Callable[[str], Outbound]:
    """The report with these groups, signed and sent as it should be."""
    return lambda secret: as_sent("sighting", report(secret, **groups), at=now_ms())


def timed(times: Callable[[], Value]) -> Callable[[str], Outbound]:
    """The report with times that are told when it is sent."""

    def make(secret: str) -> Outbound:
        return framed(times=times())(secret)

    return make


def tracked(**groups: Any) -> Callable[[str], Outbound]:
    """A position by AIS with these groups."""
    said = {"narrative": lambda secret: [{"language": "en", "text": secret}]}
    return lambda secret: as_sent("sighting", position(secret, **{**groups, "narrative": said["narrative"](secret)}), at=now_ms())


def raw(content: Callable[[str], bytes | None], key: bytes = b"x", topic: str = TOPIC) -> Callable[[str], Outbound]:
    """Any bytes, signed by their member as if they were a record."""

    def make(secret: str) -> Outbound:
        frame = content(secret)
        out = signed(topic, frame or b"", topic.split(".")[1], key)
        return replace(out, value=frame)

    return make


def headed(change: Callable[[dict[str, bytes]], Mapping[str, bytes | None]], **groups: Any) -> Callable[[str], Outbound]:
    """The report with other headers than it should have."""

    def make(secret: str) -> Outbound:
        out = framed(**groups)(secret)
        return replace(out, headers=tuple(change(dict(out.headers)).items()))

    return make


def signed_by(signer: str, topic: str = TOPIC) -> Callable[[str], Outbound]:
    """The report, signed by somebody for a topic, and sent to Comoros' topic."""

    def make(secret: str) -> Outbound:
        right = framed()(secret)
        return replace(signed(topic, right.value, signer, right.key), topic=TOPIC)

    return make


def in_the_name_of(member: str, topic: str, signer: str) -> Callable[[str], Outbound]:
    """A report that names a member, on a topic, signed by somebody for that topic."""
    return lambda secret: as_sent("sighting", report(secret, member), at=now_ms(), topic=topic, signer=signer)


def again(**groups: Any) -> Callable[[str], Outbound]:
    """A report under the same reference, whatever it says; the reference itself is no secret."""
    said = {"fix": "visual", "latitude": -26.0, "longitude": 37.0}

    def make(secret: str) -> Outbound:
        value = sighting(f"once more {secret[-8:]}", position=said, narrative=[{"language": "fr", "text": secret}])
        return as_sent("sighting", {**value, **groups}, at=now_ms())

    return make


def with_number(field: float, number: float) -> Callable[[str], bytes]:
    """A frame in which the eight bytes of *field* are those of *number*, which no codec of ours would write."""

    def make(secret: str) -> bytes:
        frame = CODEC.encode("sighting", report(secret, position={"latitude": field, "longitude": 45.0}))
        before, after = struct.pack("<d", field), struct.pack("<d", number)
        assert frame.count(before) == 1
        return frame.replace(before, after)

    return make


def claiming(attribute: str, value: str) -> Callable[[str], Outbound]:
    """A report whose craft is said to be known by this."""
    return framed(claims=[{"attribute": attribute, "value": value, "source": "witness"}])


def own_id(content: Callable[[str], bytes]) -> Callable[[str], Outbound]:
    """Signed bytes under the key that the report of the same secret has."""
    return lambda secret: raw(content, record_id("comoros", "sighting", "ops-room", secret).encode())(secret)


def view_of(secret: str) -> Value:
    """What a recipient has got of a report of its own member: a view, as it stands on its topic."""
    written = local_bus()
    written.publish([national("sighting", report(secret), at=now_ms())])
    return CODEC.decode(written.read("for.rmifc.sighting")[0].value).value


def as_view(secret: str) -> Value:
    """A report that says of itself that it is a view."""
    return {**report(secret), "view": view_of(secret)["view"]}


def interception(secret: str) -> bytes:
    """The frame of another kind."""
    value = {name: group for name, group in report(secret).items() if name != "craft"}
    return CODEC.encode("interception", {**value, "id": record_id("comoros", "interception", "ops-room", secret)})


def a_reject(secret: str) -> bytes:
    """The frame of a reject."""
    place = {"topic": TOPIC, "partition": 0, "offset": 1, "file": None, "line": None, "field": None}
    value = reject(
        member="comoros",
        stage="accept",
        code="undecodable",
        place=place,
        at=datetime.now(UTC),
        input_id=secret,
        content=secret.encode(),
    )
    return CODEC.encode("reject", value)


def large(length: int) -> Callable[[str], bytes]:
    """A report of so many bytes."""

    def make(secret: str) -> bytes:
        value = report(secret)
        bare = len(CODEC.encode("sighting", value)) + 2  # the length of the text takes two bytes more
        text = secret + "x" * (length - bare)
        frame = CODEC.encode("sighting", {**value, "narrative": [{"language": "fr", "text": text}]})
        assert length == len(frame)
        return frame

    return make


def under(keys: Callable[[], CaseKeys]) -> Callable[[str], Outbound]:
    """The report, its personal groups sealed under some case key."""
    return lambda secret: national("sighting", report(secret), at=now_ms(), cases=keys())


def destroyed() -> CaseKeys:
    """Case keys of Comoros that were destroyed as soon as they were drawn."""
    assert SEALING.folders is not None
    vault = SEALING.folders.open()
    pool = VaultPool(vault, "comoros")
    key = pool.take()
    vault.take([("comoros", "a record that was erased", key.id)], (), {})
    vault.erase(["a record that was erased"])
    return _Given(key)


@dataclass(frozen=True, slots=True)
class _Given:
    key: SealingKey

    def take(self) -> SealingKey:
        return self.key


def lifted(secret: str) -> Outbound:
    """A report with the sealed narrative of another one in the place of its own."""
    other = CODEC.decode(as_sent("sighting", report(f"{secret} other")).value)
    bare = CODEC.decode(CODEC.encode("sighting", report(secret, narrative=None)))
    frame = bare.frame_with({"narrative": other.value["narrative"]})
    return signed(TOPIC, frame, "comoros", str(bare.value["id"]).encode(), at=now_ms())


def soon(**later: float) -> Value:
    """A moment that is yet to come."""
    return moment((datetime.now(UTC) + timedelta(**later)).isoformat(timespec="milliseconds"))


def _same(frame: bytes, _: str) -> bytes:
    return frame


BYTES: Final = {
    "bytes that are nothing": Case("undecodable", raw(str.encode)),
    "an empty value": Case("undecodable", raw(lambda _: b"")),
    "no value": Case("undecodable", raw(lambda _: None)),
    "no value and no headers": Case("unsigned", lambda secret: replace(raw(lambda _: None)(secret), headers=())),
    "an unknown schema id": Case("unknown-schema", raw(lambda secret: FRAME.pack(0, 4) + secret.encode())),
    "a record of another kind": Case("wrong-kind", raw(interception)),
    "a reject": Case("wrong-kind", raw(a_reject)),
    "a report that says it is a view": Case(
        "wrong-kind", own_id(lambda secret: as_sent("sighting", as_view(secret)).value), "view"
    ),
    "a view sent back": Case("bad-identifier", raw(lambda secret: CODEC.encode("sighting", view_of(secret))), "id"),
    "a group that says it was withheld": Case("wrong-type", framed(craft=Withheld("a", "b", None)), "craft"),
    "bytes behind the record": Case("not-canonical", raw(lambda secret: framed()(secret).value + secret.encode())),
    "a report a byte too large": Case("too-large", own_id(large(900_001))),
    "a report of a whole frame": Case("too-large", own_id(large(1_000_000))),
    "as much as a message may have": Case("too-large", raw(lambda secret: secret.encode() + b"\0" * 1_040_000)),
}

SENSE: Final = {
    "latitude and longitude swapped": Case(
        "latitude-longitude-swapped", framed(position={"latitude": 112.5, "longitude": -12.5}), "position.latitude"
    ),
    "swapped, by its waters": Case(
        "latitude-longitude-swapped", tracked(position={"latitude": 12.74, "longitude": 55.61}), "position.latitude"
    ),
    "a position far outside its waters": Case(
        "outside-area", tracked(position={"latitude": -20.0, "longitude": 120.0}), "position.latitude"
    ),
    "a latitude and a longitude that are nowhere": Case(
        "out-of-range", framed(position={"latitude": 95.0, "longitude": 200.0}), "position.latitude"
    ),
    "a longitude out of range": Case(
        "out-of-range", framed(position={"latitude": 10.0, "longitude": 180.01}), "position.longitude"
    ),
    "a latitude that is no number": Case("out-of-range", own_id(with_number(12.3456789, math.nan))),
    "a latitude without end": Case("out-of-range", own_id(with_number(12.3456789, -math.inf))),
    "a time before there were such reports": Case(
        "impossible-time", framed(times={"observed": moment("1850-01-01T00:00:00Z")}), "times.observed"
    ),
    "a time in the future": Case("future-time", timed(lambda: {"observed": soon(hours=1)}), "times.observed"),
    "a clock that is more than the skew ahead": Case(
        "future-time", timed(lambda: {"observed": soon(minutes=12)}), "times.observed"
    ),
    "reported before it was seen": Case(
        "impossible-time",
        timed(lambda: {"observed": ago(hours=1), "reported": ago(hours=3)}),
        "times.reported",
    ),
    "the MMSI of a device that was never set up": Case("placeholder-identifier", claiming("mmsi", "123456789"), "claims.mmsi"),
    "an IMO number of zeros": Case("placeholder-identifier", claiming("imo", "0000000"), "claims.imo"),
    "a call sign NONE": Case("placeholder-identifier", claiming("call-sign", "NONE"), "claims.call-sign"),
    "a name that is a hyphen": Case("placeholder-identifier", claiming("name", "-"), "claims.name"),
    "an IMO number with a wrong check digit": Case("bad-identifier", claiming("imo", "9074728"), "claims.imo"),
    "a code that is in no list": Case("unknown-code", lambda secret: framed(event={"type": secret})(secret), "event.type"),
    "a report of nothing": Case("missing-field", framed(event=None), "event"),
    "fewer than no people": Case(
        "negative-count", framed(craft={"kind": "kwassa", "persons_on_board": count(-1)}), "craft.persons_on_board.min"
    ),
    "more people on board at least than at most": Case(
        "inconsistent-count", framed(craft={"kind": "kwassa", "persons_on_board": count(30, 20)}), "craft.persons_on_board"
    ),
    "a text that steers a terminal": Case(
        "wrong-type", lambda secret: framed(narrative=[{"language": "fr", "text": f"\x1b[2J{secret}"}])(secret), "narrative.text"
    ),
}

SIGNATURES: Final = {
    "no signature": Case("unsigned", headed(lambda _: {})),
    "a key and no signature": Case("unsigned", headed(lambda told: {KEY_HEADER: told[KEY_HEADER]})),
    "a signature without content": Case("unsigned", headed(lambda told: {**told, SIGNATURE_HEADER: None})),
    "half a signature": Case("bad-signature", headed(lambda told: {**told, SIGNATURE_HEADER: told[SIGNATURE_HEADER][:32]})),
    "the signature of other bytes": Case(
        "bad-signature", lambda secret: replace(framed()(secret), headers=framed()(f"{secret}?").headers)
    ),
    "a record that was signed for another topic": Case("bad-signature", signed_by("comoros", "national.comoros.alert")),
    "signed by another member's key": Case("foreign-member", signed_by("seychelles")),
    "signed by a key that nobody knows": Case("unknown-key", signed_by(UNKNOWN)),
    "signed by a revoked key": Case("revoked-key", signed_by(REVOKED)),
    "a key whose name is no letters": Case("unknown-key", headed(lambda told: {**told, KEY_HEADER: b"\xff\0\x1b["})),
}

IDENTITY: Final = {
    "in the name of another member": Case("foreign-member", in_the_name_of("seychelles", TOPIC, "comoros"), "origin.member"),
    "on the topic of another member": Case("foreign-member", in_the_name_of("comoros", "national.seychelles.sighting", "comoros")),
    "in the name of the topic's member, by another's key": Case("foreign-member", in_the_name_of("comoros", TOPIC, "seychelles")),
    "personal data that nobody sealed": Case(
        "not-sealed", lambda secret: national("sighting", report(secret), at=now_ms()), "narrative"
    ),
    "sealed under another member's case key": Case("unknown-case-key", under(lambda: SEALING.of("seychelles"))),
    "sealed under a case key that is no longer there": Case("case-erased", under(destroyed)),
    "sealed personal data of another record": Case("cannot-be-opened", lifted, "narrative"),
    "another Kafka key": Case("wrong-key", lambda secret: replace(framed()(secret), key=secret.encode()), "id"),
    "no Kafka key": Case("wrong-key", lambda secret: replace(framed()(secret), key=None), "id"),
    "in another partition than its key's": Case("wrong-key", tracked(), strayed=1),
    "an id of its own making": Case(
        "bad-identifier", raw(lambda secret: CODEC.encode("sighting", {**report(secret), "id": "a" * 32}), b"a" * 32), "id"
    ),
    "the same id with another content": Case("changed-without-revision", again(), "id", again(narrative=None)),
}

HOSTILE: Final = {
    # Size comes first: of what is larger than a report may be, nothing else is asked.
    f"hostile Avro: {name}": Case("too-large" if len(frame) > MAX_REPORT_BYTES else code, raw(partial(_same, frame)))
    for name, (frame, code) in CORPUS.items()
}

CASES: Final[Mapping[str, Case]] = {**BYTES, **SENSE, **SIGNATURES, **IDENTITY, **HOSTILE}
