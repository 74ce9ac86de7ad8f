"""
docs/a-record.md: one real record from its line in a file to each recipient, made by the real pipeline in memory.

Where the page must change, write it anew: PYTHONPATH=tests python tests/domain/test_a_record_page.py
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import pytest
from cryptography.exceptions import InvalidSignature

import journey
from boutre.connectors.delivery import Delivery
from boutre.connectors.memory import partition_of
from boutre.connectors.phrases import Words
from boutre.connectors.plain import plain, stamp
from boutre.connectors.wording import lines
from boutre.processors.decision import Outbound
from boutre.processors.local import LocalBus
from boutre.schemas.signature import sign, signed_bytes
from expected_views import flat, tables
from frames import Part, dump, taken_apart
from journey import ACCEPTED, STAMP
from pages import Page
from records import CODEC, RECIPIENTS, local_bus, private, real_pipeline, recipient_key

TABLE: Final = tables()["imb-attack"]
FEED, REFERENCE, KIND = TABLE["feed"], TABLE["reference"], TABLE["kind"]
MEMBER: Final = journey.feed(FEED).member
WIDE: Final = 134
"""Letters of a line of JSON before it is broken."""


# --- The record on its way ------------------------------------------------------------------------------------------------


def message() -> Outbound:
    """The Kafka record that the connector sends."""
    return journey.message(FEED, REFERENCE)


def after() -> LocalBus:
    """The bus after that record went through it, its views as they are sent."""
    return tampered(message())


def value(topic: str) -> dict[str, Any]:
    """The one record that a topic holds."""
    return journey.held(after(), topic)


def view(recipient: str) -> tuple[Outbound, dict[str, Any]]:
    """What one recipient got: as Kafka has it, and decoded."""
    topic = f"for.{recipient}.{KIND}"
    return after().read(topic)[0], value(topic)


def receipts() -> dict[str, dict[str, Any]]:
    """The receipt of each recipient."""
    return {one["recipient"]: one for out in after().read("bus.receipt") for one in (CODEC.decode(out.value).value,)}


def tampered(*out: Outbound) -> LocalBus:
    """A bus that was given other records."""
    made = local_bus(sealed=True)
    made.publish(out)
    return made


def flipped() -> Outbound:
    """The message with one bit changed in the name of the ship, so that it still is a record that reads well."""
    frame = bytearray(message().value)
    frame[frame.index(b"Full City") + len("Full ")] ^= 1
    return Outbound(message().topic, message().key, bytes(frame), STAMP, message().headers)


def resigned(frame: bytes) -> Outbound:
    """Another frame in its place, with the member's own signature."""
    headers = dict(message().headers) | {"boutre-signature": sign(private(MEMBER), message().topic, frame)}
    return Outbound(message().topic, message().key, frame, STAMP, tuple(headers.items()))


# --- How it is shown ------------------------------------------------------------------------------------------------------


def short(told: Any) -> Any:
    """Plain values without what is null or empty."""
    if isinstance(told, Mapping):
        return {name: less for name, inner in told.items() if (less := short(inner)) not in (None, [], {})}
    return [short(inner) for inner in told] if isinstance(told, list) else told


def pretty(told: Any, indent: int = 0) -> str:
    """JSON in which what fits into a line stands on one."""
    flat_text = json.dumps(told, ensure_ascii=False)
    if not isinstance(told, Mapping | list) or (indent and len(flat_text) + indent <= WIDE):
        return flat_text
    pad = " " * (indent + 2)
    if isinstance(told, Mapping):
        rows = [f"{pad}{json.dumps(name)}: {pretty(inner, indent + 2)}" for name, inner in told.items()]
    else:
        rows = [f"{pad}{pretty(inner, indent + 2)}" for inner in told]
    open_, close = "{}" if isinstance(told, Mapping) else "[]"
    return "\n".join([open_, ",\n".join(rows), " " * indent + close])


def fenced(text: str, language: str = "") -> str:
    """A block of code."""
    return f"```{language}\n{text}\n```"


def groups(frame: bytes) -> dict[str, list[Part]]:
    """The parts of a frame by the group that they are of; the head has none."""
    found: dict[str, list[Part]] = {}
    for part in taken_apart(frame):
        found.setdefault(re.split(r"[.\[]", part.path)[0], []).append(part)
    return found


def annotated(frame: bytes, known: Mapping[str, bytes] | None = None, most: int = 99) -> Iterator[str]:
    """
    A dump in which every group begins a line and is named; groups that are null and follow one another share one.

    Of groups that are as in *known* only the size is told, and of others at most *most* lines.
    """
    nulls: list[str] = []
    for name, parts in [*groups(frame).items(), ("", [])]:
        at, data, says = (parts[0].at, b"".join(part.data for part in parts), parts[0].says) if parts else (len(frame), b"", "")
        same = known is not None and known.get(name) == data
        if says == "null" and (same or known is None):
            nulls.append(name)
            continue
        if nulls:
            yield from noted(at - len(nulls), bytes(len(nulls)), f"{', '.join(nulls)}: null")
            nulls = []
        if same and len(data) > 1:
            yield f"{at:04x}  … {len(data)} bytes".ljust(73) + f"{name or 'head'}: as on the bus"
        elif parts:
            label = name or f"head: {parts[1].says}"
            yield from noted(at, data, f"{label}: {says}" if len(data) == 1 else label, most)


def noted(at: int, data: bytes, name: str, most: int = 99) -> Iterator[str]:
    """The lines of one group."""
    rows = [f"{at + int(row[:4], 16):04x}{row[4:]}" for row in dump(data)]
    for number, row in enumerate(rows[:most]):
        yield row if number else f"{row:<71}  {name}"
    if len(rows) > most:
        yield f"      … {len(data) - 16 * most} bytes more"


def bytes_of(frame: bytes) -> dict[str, bytes]:
    """The bytes of each group."""
    return {name: b"".join(part.data for part in parts) for name, parts in groups(frame).items()}


def as_sent(out: Outbound, partitions: int) -> str:
    """A Kafka record without its value."""
    rows = [
        f"topic       {out.topic}",
        f"key         {out.key.decode()}",
        f"partition   {partition_of(out.key, partitions)}" + (f" of {partitions}" if partitions > 1 else ", the only one"),
        f"timestamp   {out.timestamp} = {stamp(datetime.fromtimestamp(out.timestamp / 1000, UTC))}",
    ]
    rows += ["headers"] if out.headers else []
    for name, held in out.headers:
        if name == "boutre-signature":
            rows += [f"  {name:<18} {held.hex()[:64]}", f"{'':<21}{held.hex()[64:]}"]
        else:
            rows.append(f"  {name:<18} {held.decode()}")
    return "\n".join([*rows, f"value       {len(out.value)} bytes, SHA-256 {hashlib.sha256(out.value).hexdigest()}"])


# --- The parts of the page ------------------------------------------------------------------------------------------------


def the_line() -> str:
    """The head of the file and the line."""
    rows = journey.feed(FEED).options.path.read_text(encoding="utf-8").splitlines()
    return fenced("\n".join([rows[0], next(row for row in rows if row.startswith(f"{REFERENCE},"))]))


def the_record() -> str:
    """What the connector makes of it."""
    return fenced(pretty(short(plain(CODEC.decode(message().value).value))), "json")


def identity() -> tuple[str, ...]:
    """What the id is made of."""
    return (MEMBER, KIND, FEED, REFERENCE, "0")


def hashed() -> bytes:
    """The bytes under the id's digest, by the words of docs/wire.md."""
    return b"boutre record\0" + b"".join(len(part.encode()).to_bytes(4, "big") + part.encode() for part in identity())


def the_id() -> str:
    """The bytes that are hashed, and what comes of them."""
    digest = hashlib.sha256(hashed()).digest()
    return fenced("\n".join([*dump(hashed()), "", f"SHA-256     {digest.hex()}", f"id          {named(digest)}"]))


def named(digest: bytes) -> str:
    """A digest as ids are written."""
    return base64.b32encode(digest[:20]).decode().lower()


def the_message() -> str:
    """The Kafka record."""
    return fenced(as_sent(message(), 1))


def the_frame() -> str:
    """Its value, group by group."""
    return fenced("\n".join(annotated(message().value)))


def the_bus_record() -> str:
    """The record on the bus, and what accept added to it."""
    before, now = flat(CODEC.decode(message().value).value), flat(value(f"bus.{KIND}"))
    added = [f"+ {path} = {json.dumps(held)}" for path, held in now.items() if before.get(path) != held]
    (out,) = after().read(f"bus.{KIND}")
    topics = real_pipeline().declarations.topics
    return fenced("\n".join([as_sent(out, topics[out.topic].partitions), "", *added]), "diff")


def the_memory() -> str:
    """What accept remembers."""
    return fenced(pretty(dict(after().states["accept-reports"])), "json")


def the_decisions() -> str:
    """For each recipient, what release gave it of what the record holds, and by which clause not the rest."""
    rows = [
        "| recipient | by | less precise | not given, and by which clause | view |",
        "|---|---|---|---|---|",
    ]
    for recipient, receipt in receipts().items():
        agreement = ", ".join(f"`{name}`" for name in receipt["agreements"])
        if receipt["outcome"] != "delivered":
            rows.append(f"| {recipient} | {agreement} | | everything: `{receipt['reason']}` | none |")
            continue
        coarse = "; ".join(f"`{state['field']}`: {state['method']}" for state in touched(receipt, "coarsened")) or "nothing"
        clauses: dict[str, list[str]] = {}
        for state in touched(receipt, "withheld"):
            clauses.setdefault(state["clause"], []).append(f"`{state['field']}`")
        kept_back = "; ".join(f"{', '.join(fields)} (by {clause})" for clause, fields in clauses.items())
        rows.append(f"| {recipient} | {agreement} | {coarse} | {kept_back} | {len(view(recipient)[0].value):,} bytes |")
    return "\n".join(rows)


def touched(receipt: Mapping[str, Any], how: str) -> list[Mapping[str, Any]]:
    """The fields that a release changed and that the record holds."""
    held = {".".join(part for part in path.split(".") if not part.isdigit()) for path in flat(value(f"bus.{KIND}"))}
    return [
        state
        for state in receipt["fields"]
        if state["state"] == how and any(f"{path}.".startswith(f"{state['field']}.") for path in held)
    ]


def the_view(recipient: str) -> str:
    """One view as Kafka has it, and in JSON; of the fields that were changed the first ones."""
    out, got = view(recipient)
    told = short(plain(got))
    changed = sorted(told["view"]["fields"], key=lambda state: state["state"])
    told["view"]["fields"] = [*changed[:6], f"... and {len(changed) - 6} more"]
    return "\n\n".join([fenced(as_sent(out, 1)), fenced(pretty(told), "json")])


def the_bytes(recipient: str) -> str:
    """The bytes of one view: the groups that differ from the record on the bus."""
    (on_bus,) = after().read(f"bus.{KIND}")
    return fenced("\n".join(annotated(view(recipient)[0].value, bytes_of(on_bus.value), most=3)))


def the_words() -> str:
    """What somebody at the centre of the Comoros reads."""
    out, got = view("comoros")
    known_as = str(got["view"]["of"])
    delivery = Delivery("comoros", KIND, str(got["id"]), known_as, got, out.topic, 0, 0, ACCEPTED)
    first, *rest = lines(delivery, "fr", Words.core())
    return fenced("\n".join([first.text, *(f"  {line.text}" for line in rest)]))


def the_receipt() -> str:
    """The receipt of the release to the Comoros."""
    told = short(plain(receipts()["comoros"]))
    told["fields"] = [*told["fields"][:3], f"... and {len(told['fields']) - 3} more"]
    return fenced(pretty(told), "json")


def the_reject() -> str:
    """What stands in the observatory's rejects when a bit was flipped."""
    (out,) = tampered(flipped()).read(f"rejects.{MEMBER}")
    told = short(plain(CODEC.decode(out.value).value))
    told["content"] = f"(the {len(message().value)} bytes as they came)"
    return fenced(pretty(told), "json")


def cases() -> dict[str, Sequence[Outbound]]:
    """What could be done to the message, by what it is called on the page."""
    good = message()
    other = CODEC.encode(KIND, {**CODEC.decode(good.value).value, "exercise": True})
    return {
        "the same message again": (good, good),
        "one bit flipped": (flipped(),),
        "no signature": (Outbound(good.topic, good.key, good.value, STAMP),),
        "copied to `national.comoros.sighting`": (
            Outbound("national.comoros.sighting", good.key, good.value, STAMP, good.headers),
        ),
        "another key": (Outbound(good.topic, b"another", good.value, STAMP, good.headers),),
        "one byte more, signed by its member": (resigned(good.value + b"\0"),),
        "an unknown schema id, signed by its member": (resigned(good.value[:4] + b"\xff" + good.value[5:]),),
        "sent, then changed under the same reference and revision, and signed": (good, resigned(other)),
    }


def the_cases() -> str:
    """What comes of each."""
    rows = ["| what is done | stands in | as |", "|---|---|---|"]
    for name, sent in cases().items():
        bus = tampered(*sent)
        stage, handled = next((stage, one) for stage, one in reversed(bus.handled) if stage.startswith("accept"))
        assert stage == "accept-reports"
        (where,) = [topic for topic in bus.topics if topic.startswith("rejects.")] or ["nothing: it is dropped"]
        rows.append(f"| {name} | {f'`{where}`' if where.startswith('rejects.') else where} | `{handled.reason}` |")
    return "\n".join(rows)


PAGE: Final = Page(
    "docs/a-record.md",
    "tests/domain/test_a_record_page.py",
    {
        "line": the_line,
        "record": the_record,
        "id": the_id,
        "message": the_message,
        "frame": the_frame,
        "accepted": the_bus_record,
        "memory": the_memory,
        "decisions": the_decisions,
        "rmifc": lambda: the_view("rmifc"),
        "rmifc in bytes": lambda: the_bytes("rmifc"),
        "comoros": lambda: the_view("comoros"),
        "comoros in bytes": lambda: the_bytes("comoros"),
        "comoros in words": the_words,
        "receipt": the_receipt,
        "reject": the_reject,
        "cases": the_cases,
    },
)


# --- The page holds -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PAGE.parts)
def test_the_page_shows_what_the_bus_does(name: str) -> None:
    """Each part of the page is what the real pipeline makes of the record today, to the byte."""
    assert PAGE.shown(name) == PAGE.parts[name]()


def test_the_whole_frame_can_be_typed_off() -> None:
    """The page's dump of the national record is the frame: nothing is left out, and no place is told wrong."""
    rows = re.findall(r"^([0-9a-f]{4})  ((?:[0-9a-f]{2} )*[0-9a-f]{2}) ", PAGE.shown("frame"), re.MULTILINE)
    frame = bytearray()
    for at, row in rows:
        assert int(at, 16) == len(frame)
        frame += bytes.fromhex(row)

    assert message().value == bytes(frame)


def test_the_signature_is_over_what_the_page_shows() -> None:
    """The headers on the page verify the frame, and not the one with the flipped bit."""
    public = private(MEMBER).public_key()
    signature = bytes.fromhex("".join(re.findall(r"[0-9a-f]{64}", PAGE.shown("message").partition("value")[0])))

    public.verify(signature, signed_bytes(message().topic, message().value))
    with pytest.raises(InvalidSignature):
        public.verify(signature, signed_bytes(message().topic, flipped().value))


def test_names_on_the_page_are_made_as_the_page_says() -> None:
    """The record's id by SHA-256, a recipient's name for it and a view's id by HMAC: by the page's own words, not by our code."""
    identifier = named(hashlib.sha256(hashed()).digest())
    for recipient in ("rmifc", "comoros"):
        key = hashlib.sha256(f"recipient {recipient}".encode()).digest()
        out, got = view(recipient)
        without = CODEC.encode(KIND, {**got, "id": ""})
        length = len(identifier).to_bytes(4, "big")

        assert key == recipient_key(recipient)
        assert out.key.decode() == named(hmac.digest(key, b"boutre pseudonym\0" + identifier.encode(), "sha256"))
        assert got["id"] == named(hmac.digest(key, b"boutre view\0" + length + identifier.encode() + without, "sha256"))
        assert out.key.decode() in PAGE.shown(recipient)
    assert identifier == message().key.decode()
    assert identifier in PAGE.shown("id")


def test_the_commitment_is_over_what_was_given() -> None:
    """The receipt's commitment is BLAKE2b under the recipient's key over the frame that it got."""
    key = recipient_key("comoros")
    told = hashlib.blake2b(view("comoros")[0].value, key=key, digest_size=32).digest()

    assert told == receipts()["comoros"]["commitment"]
    assert base64.b64encode(told).decode() in PAGE.shown("receipt")


def test_what_is_withheld_does_not_stand_in_the_bytes() -> None:
    """The ship's name, the reference and the country are in the record and in no byte of the view of the Comoros."""
    for secret in (b"Full City", REFERENCE.encode(), b"SOM", b"International Maritime Bureau", b"under-way"):
        assert secret in message().value
        assert secret not in view("comoros")[0].value


def test_what_is_withheld_leaves_the_view_as_it_is() -> None:
    """Another ship, another country, another place in the cell: the Comoros get the same key, headers and bytes as on the page."""
    held = CODEC.decode(message().value).value
    other = {
        **held,
        "claims": [{**held["claims"][0], "value": "Another"}],
        "unmapped": [{"name": "nearest_country", "value": "YEM"}],
        "position": {**held["position"], "latitude": 12.4999, "longitude": 50.5},
        "craft": None,
    }
    bus = tampered(resigned(CODEC.encode(KIND, other)))

    assert after().read("for.comoros.sighting") == bus.read("for.comoros.sighting")
    assert after().read("for.rmifc.sighting") != bus.read("for.rmifc.sighting")


def test_nobody_gets_what_was_refused() -> None:
    """Of a message that is refused nothing stands on any recipient's topic, nor in anybody's rejects but one."""
    for name, sent in cases().items():
        if len(sent) == 1:
            bus = tampered(*sent)
            reached = [topic for topic in bus.topics if not topic.startswith("national.")]

            assert [topic for topic in reached if topic.startswith("rejects.")] == reached, name
            assert len(reached) == 1, name


def test_every_recipient_stands_in_the_table() -> None:
    """All eight recipients, each with a decision."""
    assert list(RECIPIENTS) == re.findall(r"^\| ([a-z][a-z-]+) \|", PAGE.shown("decisions"), re.MULTILINE)[1:]


if __name__ == "__main__":
    PAGE.write()
