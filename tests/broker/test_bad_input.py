"""
Bad input on the real Kafka with the real workers, each sent as it would really come, with a good record behind it.

What holds for all of it: the good record comes out to its recipients; the bad one is one reject, with its reason and where it
stood, in its own member's rejects and nowhere else; none of its values stands anywhere else; the account adds up.
"""

from __future__ import annotations

import json
import math
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException, Producer

from boutre.connectors.memory import partition_of
from boutre.errors import Unavailable
from boutre.ops.account import Place
from boutre.ops.broker import Broker
from boutre.processors.decision import Outbound
from boutre.schemas.identity import record_id
from broker.bad_input import batches
from broker.bad_input.bus import (
    LARGEST_MESSAGE,
    Bus,
    Rejected,
    expect_through,
    now_ms,
    position,
    recipients_of,
    running,
    signable,
    sighting,
)
from broker.bad_input.cases import CASES, REVOKED, Case
from broker.bad_input.member import Machine
from records import RECIPIENTS, Value, national, signed

RESERVED = 150_000_000
"""Bytes that a worker may come to take for bad input, whatever it is."""


@pytest.fixture(scope="module")
def bus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bus]:
    """
    One bus for all of these; at its end everything that was sent to it must have come out, and the account must add up.
    """
    broker = Broker()
    try:
        broker.start()
    except Unavailable as error:
        broker.close()
        pytest.skip(str(error))
    try:
        with running(broker.bootstrap, tmp_path_factory.mktemp("bus"), {"comoros": signable(REVOKED)}) as made:
            yield made
            made.follow(lambda: made.account.in_flight == 0, "all that was sent")
            summary = made.account.summary()
            assert summary["adds_up"], summary
            places = [reject.place for reject in made.rejects if reject.value["place"]["topic"]]
            assert len(places) == len(set(places))
    finally:
        broker.close()


@pytest.fixture
def secret() -> str:
    """Something that stands in one input only."""
    return fresh()


def fresh() -> str:
    """A word that nobody else says."""
    return f"secret-{uuid.uuid4().hex}"


def in_both_languages(reject: Rejected) -> None:
    """Hold that a reject says what is wrong, and what to do, in English and in French."""
    said = reject.value["sentence"]
    assert said["en"].strip()
    assert said["fr"].strip()
    assert said["en"] != said["fr"]


def only_reject(bus: Bus, place: Place, code: str) -> Rejected:
    """The one reject of what stood there: in its member's rejects, with its reason and its place, in both languages."""
    (found,) = bus.of(place)
    assert f"rejects.{place[0].split('.')[1]}" == found.topic
    assert code == found.value["code"]
    assert found.value["member"] == place[0].split(".")[1]
    assert place[0] in found.value["sentence"]["en"]
    in_both_languages(found)
    return found


def nowhere_else(bus: Bus, secret: str, reject: Rejected) -> None:
    """Hold that what was rejected stands with its owner only, and there in the content only."""
    national_topic = reject.value["place"]["topic"]
    told = {name: part for name, part in reject.value.items() if name != "content"}

    assert bus.traces(secret.encode(), reject.topic, *([national_topic] if national_topic else [])) == []
    assert secret not in repr(told)


# --- Records, one by one ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sent:
    """
    A bad record and the good one behind it.
    """

    secret: str
    place: Place
    content: bytes | None
    good: Value


def good_behind(topic: str, number: int) -> Value:
    """A good record for the same topic."""
    member = topic.split(".")[1]
    if member == "observatory-ais":
        return position(fresh(), f"2190{number:05}")
    return sighting(fresh(), member)


def send_case(bus: Bus, number: int, case: Case) -> Sent:
    """Send a bad record and a good one behind it, into the same partition."""
    secret = fresh()
    if case.before is not None:
        bus.send(case.before(secret))
    bad = case.make(secret)
    count = bus.collector.declarations.topic(bad.topic).partitions
    place = bus.send(bad, (partition_of(bad.key, count) + case.strayed) % count if case.strayed else None)
    good = good_behind(bad.topic, number)
    behind = bus.send(national("sighting", good, at=now_ms()))
    for _ in range(64):
        # A key decides its partition: others are tried until one falls behind the bad record.
        if behind[1] == place[1]:
            break
        number += 1000
        good = good_behind(bad.topic, number)
        behind = bus.send(national("sighting", good, at=now_ms()))
    assert place[:2] == behind[:2]
    assert place[2] < behind[2]
    return Sent(secret, place, bad.value, good)


@pytest.fixture(scope="module")
def sent(bus: Bus) -> dict[str, Sent]:
    """
    Every bad record, each with a good one behind it, and all of the good ones through.
    """
    made = {name: send_case(bus, number, case) for number, (name, case) in enumerate(CASES.items())}
    bus.follow(lambda: all(bus.of(one.place) and bus.out(one.good["id"]) for one in made.values()), "the good records")
    return made


@pytest.mark.parametrize("name", CASES)
def test_a_bad_record_is_one_reject_and_the_next_goes_through(bus: Bus, sent: dict[str, Sent], name: str) -> None:
    """
    A bad record of any sort is rejected once, to its owner alone, with its bytes; the good one behind it reaches its recipients.
    """
    case, one = CASES[name], sent[name]
    reject = only_reject(bus, one.place, case.code)

    assert recipients_of("sighting", one.good) == bus.given(one.good["id"])
    assert {"rejected"} == {bus.account.outcome(str(reject.value["input"]), recipient) for recipient in RECIPIENTS}
    assert (one.content[:65_536] if one.content is not None else None) == reject.value["content"]
    assert case.field is None or case.field == reject.value["place"]["field"]
    if one.content is not None and one.secret.encode() in one.content:
        nowhere_else(bus, one.secret, reject)


# --- Batches that no library writes -----------------------------------------------------------------------------------------------


def batch_of(*outs: Outbound) -> bytes:
    """A batch of these records, as a client would write it."""
    return batches.batch([(out.key, out.value, out.headers) for out in outs])


def fine() -> tuple[Value, Outbound]:
    """A good record of Madagascar, and its message."""
    value = sighting(fresh(), "madagascar")
    return value, national("sighting", value, at=now_ms())


def test_a_header_whose_name_is_no_text_takes_nobody_with_it(bus: Bus, secret: str) -> None:
    """
    A record with such a header is judged by the headers that it needs; one without them is a reject, and the batch around it is read.
    """
    (before, first), (behind, last), (told, named) = fine(), fine(), fine()
    odd = (batches.Name(b"\xff\xfe" + secret.encode()), b"x")
    plain = batches.batch(
        [
            (first.key, first.value, first.headers),
            (b"x", b"?", [odd]),
            (named.key, named.value, [odd, *named.headers]),
            (last.key, last.value, last.headers),
        ]
    )
    begin = batches.send(bus.bootstrap, first.topic, plain)

    for value in (before, told, behind):
        expect_through(bus, "sighting", value)
    nowhere_else(bus, secret, only_reject(bus, (first.topic, 0, begin + 1), "unsigned"))


def test_a_compressed_batch_with_such_a_header_is_read_too(bus: Bus, secret: str) -> None:
    """
    The same, where the records are compressed.
    """
    value, good = fine()
    odd = (batches.Name(b"\xff" + secret.encode()), b"x")
    begin = batches.send(
        bus.bootstrap, good.topic, batches.zstd(batches.batch([(b"x", b"?", [odd]), (good.key, good.value, good.headers)]))
    )

    expect_through(bus, "sighting", value)
    nowhere_else(bus, secret, only_reject(bus, (good.topic, 0, begin), "unsigned"))


@pytest.mark.parametrize("attributes", [0x01, 0x80, 0xFF])
def test_attributes_of_a_record_mean_nothing(bus: Bus, attributes: int) -> None:
    """
    A byte that Kafka keeps for later, and that anybody may set, spoils no record.
    """
    topic, (value, good) = "national.madagascar.sighting", fine()
    begin = batches.send(bus.bootstrap, topic, batches.with_attributes(batch_of(Outbound(topic, b"x", b"?", 0)), attributes))
    bus.send(good)

    expect_through(bus, "sighting", value)
    only_reject(bus, (topic, 0, begin), "unsigned")


def memory(bus: Bus, name: str, kind: str) -> int:
    """Bytes of memory that a worker has (``VmRSS``), or had at most (``VmHWM``)."""
    status = Path(f"/proc/{bus.worker(name).pid}/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith(kind))


def test_a_batch_that_grows_a_thousandfold_is_not_unpacked(bus: Bus) -> None:
    """
    Each record of it is a reject, though nobody has read them; the next batch goes through, and no worker has taken the memory.
    """
    topic, (value, good) = "national.madagascar.sighting", fine()
    before = memory(bus, "accept-reports", "VmRSS")
    whole = batches.zstd(batches.batch([(b"x", b"\0" * 45_000_000, [])] * 2))
    assert len(whole) < 100_000
    begin = batches.send(bus.bootstrap, topic, whole)
    bus.send(good)

    expect_through(bus, "sighting", value)
    for offset in (begin, begin + 1):
        reject = only_reject(bus, (topic, 0, offset), "too-large")
        assert reject.value["content"] is None
    assert memory(bus, "accept-reports", "VmHWM") - before < 80_000_000


# --- What is no bad input, and what never gets there -------------------------------------------------------------------------------


def test_a_clock_that_is_a_little_ahead_is_believed(bus: Bus) -> None:
    """
    Within the skew that is allowed, a time in the future is one of now.
    """
    value = sighting(fresh(), "seychelles")
    value["times"]["observed"]["at"] += timedelta(hours=1, minutes=8)
    bus.send(national("sighting", value, at=now_ms()))

    expect_through(bus, "sighting", value)


def test_headers_for_routers_decide_nothing(bus: Bus) -> None:
    """
    A record whose CloudEvents headers name another member, kind and id is what its value says, and is accounted for under its own id.
    """
    value, other = sighting(fresh(), "seychelles"), sighting(fresh(), "seychelles")
    lies = {"ce_id": str(other["id"]).encode(), "ce_type": b"boutre.alert", "ce_source": b"/france/x", "ce_specversion": b"\xff"}
    out = national("sighting", value, at=now_ms())
    bus.send(replace(out, headers=(*out.headers, *lies.items())))

    expect_through(bus, "sighting", value)
    assert other["id"] not in bus.account.identifiers


def test_more_than_the_broker_takes_never_gets_there(bus: Bus) -> None:
    """
    The sender itself is told that a message is too large, and nothing of it is on any topic.
    """
    out = signed("national.seychelles.sighting", b"\0" * (LARGEST_MESSAGE + 1), "seychelles", b"x")

    with pytest.raises(KafkaException) as refused:
        bus.send(out)
    assert KafkaError.MSG_SIZE_TOO_LARGE == refused.value.args[0].code()


def test_a_report_of_thousands_of_names_is_remembered_in_few_bytes(bus: Bus) -> None:
    """
    As many reports of one event as are remembered, each with as many names as fit, go through: what is remembered stays small.
    """
    names = [{"attribute": "name", "value": f"{number:x}q"} for number in range(60_000)]
    where = {"latitude": -26.5, "longitude": 33.5}
    values = [sighting(fresh(), "france", claims=names, position=where) for _ in range(3)]
    for value in values:
        value["event"]["type"] = "attack"
        bus.send(national("sighting", value, at=now_ms()))
    bus.follow(lambda: all(bus.out(value["id"]) for value in values), "reports with many names")

    remembered = [message for message in bus.messages if message.place[0] == "bus.accept-reports.changelog"]
    assert max(len(message.value) for message in remembered) < 20_000


# --- Very much of it ---------------------------------------------------------------------------------------------------------------


def test_a_flood_of_garbage_drowns_nobody(bus: Bus) -> None:
    """
    Five thousand records of garbage, and some hundred megabytes that were sent as a few, are rejects each; another member's record,
    sent behind them, goes through, and so does the next of the same member. No worker has grown for it.
    """
    names = [worker.name for worker in bus.standing.workers]
    before = {name: memory(bus, name, "VmRSS") for name in names}
    own, other = sighting(fresh(), "france"), sighting(fresh(), "seychelles")
    topic = "national.france.sighting"
    already = len(bus.rejects)
    squeezed = Producer({"bootstrap.servers": bus.bootstrap, "compression.type": "zstd", "linger.ms": 0})
    for number in range(5_000):
        squeezed.produce(topic, f"{number:08}".encode() * 100, b"x")
        squeezed.poll(0)
    for _ in range(200):
        squeezed.produce(topic, b"\0" * 990_000, b"x")
        squeezed.poll(0.001)
    assert squeezed.flush(60) == 0
    bus.send(national("sighting", other, at=now_ms()))
    bus.send(national("sighting", own, at=now_ms()))

    expect_through(bus, "sighting", other)
    expect_through(bus, "sighting", own)
    flood = [reject for reject in bus.rejects[already:] if reject.value["place"]["topic"] == topic]
    assert len(flood) == len({reject.place for reject in flood}) == 5_200
    assert {"rejects.france"} == {reject.topic for reject in flood}
    assert {"unsigned": 5_000, "too-large": 200} == Counter(reject.value["code"] for reject in flood)
    assert {} == {name: memory(bus, name, "VmHWM") for name in names if memory(bus, name, "VmHWM") - before[name] > RESERVED}


# --- What a member's connectors cannot read ----------------------------------------------------------------------------------------


def line(reference: str, **groups: Any) -> bytes:
    """A report as a line of JSON, of the day that the sample is of, at a place of its own."""
    whole = {
        "reference": reference,
        "times": {"observed": {"at": "2024-03-01T06:30Z", "precision": "minute"}},
        "event": {"type": "irregular-migration"},
        "position": sighting("nobody")["position"],
        **groups,
    }
    return json.dumps(whole).encode()


def table_row(reference: str, remark: str, **cells: str) -> bytes:
    """A row of the table, with what is wrong in it."""
    where = sighting("nobody")["position"]
    right = {"date": "2024-03-01", "latitude": f"{where['latitude']:.2f}", "longitude": f"{where['longitude']:.2f}", "mmsi": ""}
    return ",".join([reference, *{**right, **cells}.values(), remark]).encode()


HEADING = b"reference,date,latitude,longitude,mmsi,remark"
Bad = tuple[str, str, int | None, str | None, str]
"""What a connector must reject: feed, file, line, field, code."""


@dataclass(frozen=True, slots=True)
class Published:
    """
    What a member's feeds came to: the secret of each bad input, good references, and all that the command said.
    """

    secrets: dict[Bad, str]
    good: dict[str, list[str]]
    counts: dict[str, Any]
    said: str


def tables(machine: Machine, secrets: dict[Bad, str]) -> list[str]:
    """Put tables, one with broken rows and some that are none; gives the references of the good rows."""
    good = [fresh() for _ in range(2)]
    rows: list[tuple[str, str | None, Callable[[str], bytes]]] = [
        ("malformed-line", None, lambda secret: table_row("1", secret) + b",one,more"),
        ("malformed-line", None, lambda secret: table_row("2", f'"{secret}')),
        ("wrong-encoding", None, lambda secret: table_row("3", secret) + b" \xe9toile"),
        ("out-of-range", "position.latitude", lambda secret: table_row("4", secret, latitude="95", longitude="200")),
        ("latitude-longitude-swapped", "position.latitude", lambda secret: table_row("5", secret, latitude="145", longitude="-12")),
        ("impossible-time", "date", lambda secret: table_row("6", secret, date="2024-02-30")),
        ("future-time", "times.observed", lambda secret: table_row("7", secret, date="2199-01-01")),
        ("wrong-type", "latitude", lambda secret: table_row("8", "", latitude=secret)),
        ("placeholder-identifier", "claims.mmsi", lambda secret: table_row("9", secret, mmsi="123456789")),
        ("missing-field", "reference", lambda secret: table_row("", secret)),
    ]
    lines = [HEADING, table_row(good[0], "fine")]
    for code, field, make in rows:
        secret = fresh()
        lines.append(make(secret))
        secrets["seychelles-table", "table.csv", len(lines), field, code] = secret
    machine.declare("seychelles-table")
    machine.put("table.csv", b"\n".join([*lines, table_row(good[1], "fine"), b""]))
    whole: dict[str, tuple[str, Callable[[str], bytes]]] = {
        "empty": ("empty-file", lambda _: b""),
        "utf16": ("wrong-encoding", lambda secret: f"reference,date\n1,{secret}\n".encode("utf-16")),
        "columns": ("malformed-line", lambda secret: f"reference,{secret}\n1,2\n".encode()),
    }
    for name, (code, make) in whole.items():
        secret = fresh()
        machine.declare(f"seychelles-{name}", like="seychelles-table", path=f"input/{name}.csv")
        machine.put(f"{name}.csv", make(secret))
        secrets[f"seychelles-{name}", f"{name}.csv", 1, None, code] = secret
    return good


def json_lines(machine: Machine, secrets: dict[Bad, str]) -> list[str]:
    """Put lines of which some are broken."""
    good = [fresh() for _ in range(2)]
    told = {"language": "en"}
    rows: list[tuple[str, str | None, Callable[[str], bytes]]] = [
        ("naive-time", "times.observed.at", lambda s: line(s, times={"observed": {"at": "2024-03-01T06:30", "precision": "minute"}})),
        ("impossible-time", "times.observed.at", lambda s: line(s, times={"observed": {"at": "2024-02-30T06:30Z", "precision": "minute"}})),
        ("foreign-member", "origin.member", lambda s: line(s, origin={"member": "seychelles"})),
        ("wrong-type", "position.latitude", lambda s: line("w1", position={"latitude": s, "longitude": 1})),
        ("wrong-type", "position.latitud", lambda s: line(s, position={"latitud": 1})),
        ("wrong-type", "times.accepted_at", lambda s: line(s, times={"accepted_at": "2024-03-01T06:30Z"})),
        ("wrong-kind", None, lambda s: line(s, kind="reject")),
        ("malformed-line", None, lambda s: line(s)[:-1]),
        ("malformed-line", None, lambda s: line(s, position={"latitude": math.nan, "longitude": 1.0})),
        ("malformed-line", None, lambda s: b'{"reference":' + b"[" * 5_000 + s.encode()),
        ("malformed-line", None, lambda s: f'{{"reference": "1", "reference": "{s}"}}'.encode()),
        ("wrong-encoding", None, lambda s: line(s) + b"\xff"),
        ("too-large", None, lambda s: line("t1", narrative=[{**told, "text": s + "x" * 950_000}])),
        ("too-large", None, lambda s: line("t2", narrative=[{**told, "text": s + "x" * 1_100_000}])),
        ("unknown-code", "handling.tlp", lambda s: line("u1", handling={"tlp": s})),
    ]
    lines = [line(good[0])]
    for code, field, make in rows:
        secret = fresh()
        lines.append(make(secret))
        secrets["mauritius-lines", "reports.jsonl", len(lines), field, code] = secret
    machine.declare("mauritius-lines")
    machine.put("reports.jsonl", b"\n".join([*lines, line(good[1]), b""]))
    return good


def forms(machine: Machine, secrets: dict[Bad, str]) -> list[str]:
    """Put forms of which one is whole."""
    reference = fresh()
    where = sighting("nobody")["position"]
    cells = {
        "Kind of report": "sighting",
        "Your reference of the report": reference,
        "Exercise?": "no",
        "Time zone of the times below": "UTC",
        "Date of the event": "2024-03-09",
        "Kind of event": "irregular-migration",
        "Latitude": f"{where['latitude']:.2f}",
        "Longitude": f"{where['longitude']:.2f}",
        "Kind of craft": "kwassa",
        "By what it was seen": "Sighting",
        "TLP marking": "GREEN",
    }
    machine.declare("comoros-forms")
    machine.put("forms/whole.csv", "field,value\n" + "".join(f"{name},{value}\n" for name, value in cells.items()))
    broken: dict[str, tuple[str, int | None, Callable[[str], bytes]]] = {
        "half.csv": ("incomplete-form", None, lambda s: f"field,value\nKind of report,sighting\nYour reference of the report,{s}\n".encode()),
        "nothing.csv": ("empty-file", None, lambda _: b""),
        "letters.csv": ("wrong-encoding", 2, lambda s: f"field,value\nKind of report,{s}".encode() + b"\x81\x8d\xff\n"),
        "book.xlsx": ("not-readable", None, lambda s: b"PK\x03\x04" + s.encode()),
        "picture.png": ("not-readable", None, lambda s: b"\x89PNG" + s.encode()),
    }
    for name, (code, number, make) in broken.items():
        secret = fresh()
        machine.put(f"forms/{name}", make(secret))
        secrets["comoros-forms", name, number, None, code] = secret
    return [reference]


@pytest.fixture(scope="module")
def published(bus: Bus, tmp_path_factory: pytest.TempPathFactory) -> Published:
    """
    Feeds with bad input, published by the command from a folder of their own.
    """
    machine = Machine.at(tmp_path_factory.mktemp("member"))
    secrets: dict[Bad, str] = {}
    good = {
        "seychelles-table": tables(machine, secrets),
        "mauritius-lines": json_lines(machine, secrets),
        "comoros-forms": forms(machine, secrets),
    }
    feeds = sorted({feed for feed, *_ in secrets})
    counts, said = machine.publish(bus, *feeds)
    wanted = [record_id(feed.split("-")[0], "sighting", feed, reference) for feed, refs in good.items() for reference in refs]
    bus.follow(lambda: all(bus.out(one) for one in wanted), "the good reports of the feeds")
    bus.follow(lambda: len(from_connectors(bus)) >= len(secrets), "the rejects of the feeds")
    return Published(secrets, good, counts, said)


def from_connectors(bus: Bus) -> list[Rejected]:
    """The rejects that connectors wrote."""
    return [reject for reject in bus.rejects if reject.value["place"]["file"] is not None]


def test_every_bad_input_of_a_feed_is_one_reject(bus: Bus, published: Published) -> None:
    """
    Each is rejected where it stood in its file, with its reason, to its own member, in both languages, and for every recipient.
    """
    found = {
        (reject.value["place"]["file"], reject.value["place"]["line"], reject.value["code"]): reject for reject in from_connectors(bus)
    }
    wanted = {(file, number, code): (feed, field) for feed, file, number, field, code in published.secrets}

    assert wanted.keys() == found.keys()
    assert len(from_connectors(bus)) == len(wanted)
    for key, (feed, field) in wanted.items():
        reject = found[key]
        assert f"rejects.{feed.split('-')[0]}" == reject.topic
        assert field is None or field == reject.value["place"]["field"], key
        assert key[0] in reject.value["sentence"]["fr"]
        in_both_languages(reject)
        assert {"rejected"} == {bus.account.outcome(str(reject.value["input"]), recipient) for recipient in RECIPIENTS}


def test_the_values_of_a_bad_input_stand_with_its_owner_only(bus: Bus, published: Published) -> None:
    """
    What a connector could not read is in its member's rejects, in the content alone, and in nothing that anybody says.
    """
    for (feed, *_), secret in published.secrets.items():
        assert [] == bus.traces(secret.encode(), f"rejects.{feed.split('-')[0]}")
        assert secret not in published.said
    for reject in from_connectors(bus):
        told = repr({name: part for name, part in reject.value.items() if name != "content"})
        assert [] == [secret for secret in published.secrets.values() if secret in told]


def test_the_good_reports_of_a_feed_go_through(bus: Bus, published: Published) -> None:
    """
    What stands before, between and behind the bad ones reaches its recipients, and what each feed came to adds up.
    """
    for feed, references in published.good.items():
        for reference in references:
            identifier = record_id(feed.split("-")[0], "sighting", feed, reference)
            (frame,) = [message.value for message in bus.messages if message.key == identifier.encode() and "national" in message.place[0]]
            assert recipients_of("sighting", bus.collector.codec.decode(frame).value) == bus.given(identifier)
            assert bus.given(identifier)
    bad = Counter(feed for feed, *_ in published.secrets)
    assert {feed: (len(published.good.get(feed, ())), bad[feed]) for feed in bad} == {
        feed: (row["records"], row["rejects"]) for feed, row in published.counts.items()
    }
