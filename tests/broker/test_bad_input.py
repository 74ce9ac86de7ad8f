"""
Bad input on the real Kafka with the real workers, each sent as it would really come, with a good record behind it.

What holds for all of it: the good record comes out to its recipients; the bad one is one reject, with its reason and where it
stood, in its own member's rejects and nowhere else; none of its values stands anywhere else; the account adds up.
"""

from __future__ import annotations

import base64
import json
import re
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from confluent_kafka import KafkaError, KafkaException, Producer
from msgspec.structs import replace

from boutre.connectors.consumer import Consumer
from boutre.connectors.memory import partition_of
from boutre.connectors.opening import Lost, Opening
from boutre.ops.account import Place
from boutre.ops.broker import Broker
from boutre.ops.command import main
from boutre.processors.decision import Outbound
from boutre.schemas.identity import record_id
from boutre.schemas.keys import KeyFolder
from boutre.schemas.sealing.suites import HYBRID
from broker.bad_input import batches
from broker.bad_input.bus import (
    LARGEST_MESSAGE,
    Bus,
    Rejected,
    ago,
    expect_through,
    now_ms,
    position,
    recipients_of,
    running,
    sighting,
    signable,
)
from broker.bad_input.canaries import Canary, canaries, changed_for, strays
from broker.bad_input.cases import CASES, REVOKED, Case
from broker.bad_input.declarations import UNKNOWN_NAMES, UNREADABLE, Break
from broker.bad_input.inputs import Bad, forms, fresh, json_lines, tables
from broker.bad_input.member import Machine
from broker.bad_input.sealing import as_sent
from broker.conftest import started
from canaries import valid_canary
from on_disk import read
from records import RECIPIENTS, ROOT, Value, names_people, report, signed

RESERVED = 150_000_000
"""Bytes that a worker may come to take for bad input, whatever it is."""


@pytest.fixture(scope="module")
def kafka() -> Iterator[Broker]:
    """
    The Kafka of that bus.
    """
    broker = started(Broker())
    yield broker
    broker.close()


@pytest.fixture(scope="module")
def bus(kafka: Broker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bus]:
    """
    One bus for all of these; at its end everything that was sent to it must have come out, and the account must add up.
    """
    with running(kafka.bootstrap, tmp_path_factory.mktemp("bus"), {"comoros": signable(REVOKED)}) as made:
        yield made
        made.settled()
        places = [reject.place for reject in made.rejects if reject.value["place"]["topic"]]
        assert len(places) == len(set(places))


@pytest.fixture
def secret() -> str:
    """Something that stands in one input only."""
    return fresh()


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


# --- Records, one by one ----------------------------------------------------------------------------------------------------


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
    behind = bus.send(as_sent("sighting", good, at=now_ms()))
    for _ in range(64):
        # A key decides its partition: others are tried until one falls behind the bad record.
        if behind[1] == place[1]:
            break
        number += 1000
        good = good_behind(bad.topic, number)
        behind = bus.send(as_sent("sighting", good, at=now_ms()))
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

    Personal data that nobody sealed is not written once more, not even for its owner.
    """
    case, one = CASES[name], sent[name]
    reject = only_reject(bus, one.place, case.code)

    assert recipients_of("sighting", one.good) == bus.given(one.good["id"])
    assert {"rejected"} == {bus.account.outcome(str(reject.value["input"]), recipient) for recipient in RECIPIENTS}
    kept = None if names_people(one.content) else one.content
    assert (kept[:65_536] if kept is not None else None) == reject.value["content"]
    assert case.field is None or case.field == reject.value["place"]["field"]
    if one.content is not None and one.secret.encode() in one.content:
        nowhere_else(bus, one.secret, reject)


# --- Batches that no library writes -----------------------------------------------------------------------------------------


def batch_of(*outs: Outbound) -> bytes:
    """A batch of these records, as a client would write it."""
    return batches.batch([(out.key, out.value, out.headers) for out in outs])


def fine() -> tuple[Value, Outbound]:
    """A good record of Madagascar, and its message."""
    value = sighting(fresh(), "madagascar")
    return value, as_sent("sighting", value, at=now_ms())


def test_a_header_whose_name_is_no_text_takes_nobody_with_it(bus: Bus, secret: str) -> None:
    """
    A record with such a header is judged by the headers that it needs, one without them is a reject; the batch around it is read.
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


# --- What is no bad input, and what never gets there ------------------------------------------------------------------------


def test_a_clock_that_is_a_little_ahead_is_believed(bus: Bus) -> None:
    """
    Within the skew that is allowed, a time in the future is one of now.
    """
    value = sighting(fresh(), "seychelles")
    value["times"]["observed"]["at"] += timedelta(hours=1, minutes=8)
    bus.send(as_sent("sighting", value, at=now_ms()))

    expect_through(bus, "sighting", value)


def test_headers_for_routers_decide_nothing(bus: Bus) -> None:
    """
    A record whose CloudEvents headers name another member, kind and id is what its value says, and accounted for under its own id.
    """
    value, other = sighting(fresh(), "seychelles"), sighting(fresh(), "seychelles")
    lies = {"ce_id": str(other["id"]).encode(), "ce_type": b"boutre.alert", "ce_source": b"/france/x", "ce_specversion": b"\xff"}
    out = as_sent("sighting", value, at=now_ms())
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
    names = [{"attribute": "name", "value": f"{number:x}q"} for number in range(20_000)]
    where = {"latitude": -26.5, "longitude": 33.5}
    values = [sighting(fresh(), "france", claims=names, position=where) for _ in range(3)]
    for value in values:
        value["event"]["type"] = "attack"
        bus.send(as_sent("sighting", value, at=now_ms()))
    bus.follow(lambda: all(bus.out(value["id"]) for value in values), "reports with many names")

    remembered = [message for message in bus.messages if message.place[0] == "bus.accept-reports.changelog"]
    assert max(len(message.value) for message in remembered) < 20_000


def test_a_member_that_spoils_its_own_rejects_spoils_no_account(bus: Bus) -> None:
    """
    A member's connectors write to its rejects, so anything can stand there: the account counts it, and goes on.
    """
    before = bus.account.unreadable_rejects
    bus.send(Outbound("rejects.madagascar", b"x", b"?", 0))
    bus.follow(lambda: bus.account.unreadable_rejects == before + 1, "what is no reject")

    value, good = fine()
    bus.send(good)
    expect_through(bus, "sighting", value)


def test_the_page_shows_how_to_look_at_ones_rejects(bus: Bus, secret: str) -> None:
    """
    The example of the page, run as it stands on this Kafka, prints the reason of a reject, its place and its sentence in French.
    """
    place = bus.send(signed("national.comoros.sighting", secret.encode(), "comoros", b"x"))
    bus.follow(lambda: bool(bus.of(place)), "the reject")
    (example,) = re.findall(r"```python\n(.+?)```", (ROOT / "docs" / "rejects.md").read_text(encoding="utf-8"), re.DOTALL)
    assert '"localhost:9092"' in example
    told = example.replace("localhost:9092", bus.bootstrap)

    done = subprocess.run([sys.executable, "-c", told], check=True, capture_output=True, text=True, timeout=120)

    assert any(
        line.startswith("undecodable {") and f"'offset': {place[2]}" in line and "illisible" in line
        for line in done.stdout.splitlines()
    )
    assert secret not in done.stdout


# --- Very much of it --------------------------------------------------------------------------------------------------------


def test_a_flood_of_garbage_drowns_nobody(bus: Bus) -> None:
    """
    Five thousand records of garbage, and two hundred megabytes that were sent as a few bytes, are a reject each.

    Another member's record, sent behind them, goes through, and so does the next of the same member; no worker has grown for it.
    """
    names = [worker.name for worker in bus.standing.workers]
    for name in names:
        # What it had at most is counted from here: the tests before this one sent much as well.
        Path(f"/proc/{bus.worker(name).pid}/clear_refs").write_text("5", encoding="ascii")
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
    bus.send(as_sent("sighting", other, at=now_ms()))
    bus.send(as_sent("sighting", own, at=now_ms()))

    expect_through(bus, "sighting", other)
    expect_through(bus, "sighting", own)
    flood = [reject for reject in bus.rejects[already:] if reject.value["place"]["topic"] == topic]
    assert len(flood) == len({reject.place for reject in flood}) == 5_200
    assert {"rejects.france"} == {reject.topic for reject in flood}
    assert {"unsigned": 5_000, "too-large": 200} == Counter(reject.value["code"] for reject in flood)
    assert {} == {name: memory(bus, name, "VmHWM") for name in names if memory(bus, name, "VmHWM") - before[name] > RESERVED}


# --- What is left of it in the audit log ------------------------------------------------------------------------------------


def test_the_audit_log_has_every_receipt_and_shows_what_is_altered(
    bus: Bus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Whatever else was sent: each receipt is in the bus's log, each delivery in its recipient's, and a view is proved to be logged.

    A byte that is flipped is found.
    """
    for variable, told in (("KEYS", bus.keys.path), ("STATE", tmp_path), ("KAFKA__BOOTSTRAP_SERVERS", bus.bootstrap)):
        monkeypatch.setenv(f"BOUTRE_{variable}", str(told))

    def audit(*words: str, status: int = 0) -> str:
        done = CliRunner().invoke(main, ["--bus", str(ROOT), "audit", *words])
        assert status == done.exit_code, done.output
        return str(done.stdout)

    value = sighting(fresh())
    bus.send(as_sent("sighting", value, at=now_ms()))
    expect_through(bus, "sighting", value)
    bus.settled()
    codec = bus.collector.codec

    def written() -> list[dict[str, Any]]:
        return [codec.decode(message.value).value for message in bus.messages if message.place[0] == "bus.receipt"]

    def at_least(many: int) -> Callable[[], bool]:
        return lambda: len(written()) >= many

    sizes: dict[str, int] = {}
    while len(receipts := written()) != sizes.get("bus"):  # what the bus itself finds or says has receipts that nobody waited for
        sizes = json.loads(audit("follow", "--once").splitlines()[-1])["sizes"]
        bus.follow(at_least(sizes["bus"]), "the receipts that are in the log")
    delivered = [receipt for receipt in receipts if receipt["outcome"] == "delivered"]
    assert {"bus": len(receipts), **Counter(receipt["recipient"] for receipt in delivered)} == sizes
    given = next(receipt for receipt in delivered if receipt["record"] == value["id"])
    audit("checkpoint", given["recipient"])
    proof = tmp_path / "proof"
    proof.write_text(audit("prove", given["view"]), encoding="utf-8")
    opens = json.loads(audit("verify", "--proof", str(proof), "--output", "json"))["opens"]
    assert (given["view"], given["commitment"].hex()) == (opens["view"], opens["commitment"])
    assert value["id"] not in proof.read_text(encoding="utf-8") + json.dumps(opens)
    audit("verify", "--receipts")
    with closing(sqlite3.connect(tmp_path / "audit" / "audit.sqlite")) as file, file:
        (entry,) = file.execute("SELECT entry FROM entry WHERE log = 1 AND place = 0").fetchone()
        file.execute("UPDATE entry SET entry = ? WHERE log = 1 AND place = 0", (bytes([entry[0] ^ 1]) + entry[1:],))
    assert "entry 0: is not what the tree was made of" in audit("verify", status=1)


# --- What a member's connectors cannot read ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Published:
    """
    What a member's feeds came to: the secret of each bad input, good references, and all that the command said.
    """

    secrets: dict[Bad, str]
    good: dict[str, list[str]]
    counts: dict[str, Any]
    said: str
    machine: Machine


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
    return Published(secrets, good, counts, said, machine)


def from_connectors(bus: Bus) -> list[Rejected]:
    """The rejects that connectors wrote."""
    return [reject for reject in bus.rejects if reject.value["place"]["file"] is not None]


def test_every_bad_input_of_a_feed_is_one_reject(bus: Bus, published: Published) -> None:
    """
    Each is rejected where it stood in its file, with its reason, to its own member, in both languages, and for every recipient.
    """
    found = {
        (reject.value["place"]["file"], reject.value["place"]["line"], reject.value["code"]): reject
        for reject in from_connectors(bus)
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


def came_in(row: Value) -> bytes:
    """What a connector's machine keeps of an input that was refused."""
    return str(row["content"]).encode() if "content" in row else base64.b64decode(row["base64"])


def test_the_values_of_a_bad_input_stay_on_their_owners_machine(bus: Bus, published: Published) -> None:
    """
    What a connector could not read stands on no topic, its member's rejects included, and in nothing that anybody says.

    On its machine it is kept under the id of its reject, and can be forgotten there.
    """
    rejects = {reject.value["id"]: reject.value for reject in from_connectors(bus)}
    for (feed, file, number, _, code), secret in published.secrets.items():
        assert [] == bus.traces(secret.encode())
        assert secret not in published.said
        rows = published.machine.rejected(feed)
        (one,) = [row for row in rows if (row["place"]["file"], row["place"]["line"], row["code"]) == (file, number, code)]
        told = rejects[one["id"]]
        assert (one["record"], one["place"]["field"]) == (told["input"], told["place"]["field"])
        # An empty file has none, and of a table that is bad as a whole its first line is all that was read.
        assert number == 1 or code == "empty-file" or secret.encode() in came_in(one)
        assert (None, False) == (told["content"], told["truncated"])


def test_the_good_reports_of_a_feed_go_through(bus: Bus, published: Published) -> None:
    """
    What stands before, between and behind the bad ones reaches its recipients, and what each feed came to adds up.
    """
    for feed, references in published.good.items():
        for reference in references:
            identifier = record_id(feed.split("-")[0], "sighting", feed, reference)
            (frame,) = [
                message.value for message in bus.messages if message.key == identifier.encode() and "national" in message.place[0]
            ]
            assert recipients_of("sighting", bus.collector.codec.decode(frame).value) == bus.given(identifier)
            assert bus.given(identifier)
    bad = Counter(feed for feed, *_ in published.secrets)
    assert {feed: (len(published.good.get(feed, ())), bad[feed]) for feed in bad} == {
        feed: (row["records"], row["rejects"]) for feed, row in published.counts.items()
    }


# --- Keys of recipients ----------------------------------------------------------------------------------------------------


PARTNER = "protection-partner"


def in_need(secret: str) -> Value:
    """A report of people in need, which tells the partner for protection where they went ashore."""
    told: Value = {"action": {"kind": "Interception"}, "vulnerability": {"disembarkation": secret}, "handling": {"tlp": "AMBER"}}
    return report("interception", "comoros", secret, times={"observed": ago(hours=1)}, **told)


def held(home: Path, topics: str, secret: str) -> bool:
    """Whether the log segments of these topics hold a text; a text that comes once stands in compressed batches as it is."""
    return any(secret.encode() in read(path) for path in home.rglob(f"{topics}/*.log"))


def views_of(bus: Bus, opening: Opening) -> list[str]:
    """What the partner reads with these keys: where people went ashore."""
    with Consumer(
        {"bootstrap.servers": bus.bootstrap}, opening, recipient=PARTNER, kinds=("interception",), until_end=True
    ) as views:
        return [view.value["vulnerability"]["disembarkation"] for view in views if isinstance(view.value["vulnerability"], dict)]


def test_what_is_sealed_stands_on_no_disk_but_its_recipient_reads_it(kafka: Broker, bus: Bus, secret: str) -> None:
    """
    A text that the partner gets stands in the segments of the bus's own topics, and in none of the partner's; the partner reads it.
    """
    value = in_need(secret)
    bus.send(as_sent("interception", value, at=now_ms()))
    bus.follow(lambda: bus.out(value["id"]), "a report of people in need")

    assert PARTNER in bus.given(value["id"])
    assert held(kafka.home, "bus.interception-*", secret)
    assert not held(kafka.home, f"for.{PARTNER}.*", secret)
    assert [] == [one.place for one in bus.messages if one.place[0].startswith(f"for.{PARTNER}.") and one.holds(secret.encode())]
    assert secret in views_of(bus, Opening.of(bus.keys))


def test_a_key_that_is_revoked_while_workers_run_seals_nothing_more(bus: Bus, tmp_path: Path) -> None:
    """
    Nothing goes out to the partner, the receipt says no-key, others get theirs. With a new key it goes on; who lacks that is told.
    """
    old = [row.id for row in bus.keys.recipient_rows() if row.recipient == PARTNER and not row.revoked]
    for identifier in old:
        bus.keys.revoke(identifier)
    first, second = in_need(fresh()), in_need(fresh())
    bus.send(as_sent("interception", first, at=now_ms()))
    bus.follow(lambda: bus.out(first["id"]), "a report that cannot be sealed")
    told = bus.account.receipts[first["id"], PARTNER]
    path, row = bus.keys.make_recipient(PARTNER, HYBRID, date(2000, 1, 1), date(2100, 1, 1))
    bus.keys.take("recipients.toml", [row])
    bus.send(as_sent("interception", second, at=now_ms()))
    bus.follow(lambda: bus.out(second["id"]), "a report that is sealed for a new key")
    elsewhere = KeyFolder(tmp_path)
    elsewhere.take("bus.toml", bus.keys.bus_rows())

    assert ("withheld", "no-key") == told[:2]
    assert bus.given(first["id"]) == bus.given(second["id"]) - {PARTNER} != set()
    seen = views_of(bus, Opening.of(bus.keys))
    assert (False, True) == tuple(one["vulnerability"]["disembarkation"] in seen for one in (first, second))
    with pytest.raises(Lost, match="there is no private key"):
        views_of(bus, Opening.of(elsewhere))
    assert path.is_file()


# --- The way back -----------------------------------------------------------------------------------------------------------


def test_a_request_goes_to_its_owner_and_the_reply_comes_back(bus: Bus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    By the commands that people use: a recipient asks for a field of a view, and the owner refuses, each by names of its own.

    An answer to a view of somebody else's reaches no owner.
    """
    for variable, told in (("KEYS", bus.keys.path), ("STATE", tmp_path), ("KAFKA__BOOTSTRAP_SERVERS", bus.bootstrap)):
        monkeypatch.setenv(f"BOUTRE_{variable}", str(told))

    def run(*words: str, status: int = 0) -> list[Value]:
        done = CliRunner().invoke(main, ["--bus", str(ROOT), *words])
        assert status == done.exit_code, done.output
        text = str(done.stdout)
        return list(json.loads(text)) if text.startswith("[") else [json.loads(one) for one in text.splitlines()]

    value = sighting(fresh())
    bus.send(as_sent("sighting", value, at=now_ms()))
    expect_through(bus, "sighting", value)
    bus.settled()
    codec = bus.collector.codec
    receipts = [codec.decode(message.value).value for message in bus.messages if message.place[0] == "bus.receipt"]
    views = {one["recipient"]: one["view"] for one in receipts if one["record"] == value["id"] and one["view"]}

    run("answers", "say", views["rcoc"], "--recipient", "rcoc", "--said", "release-requested", "--field", "sensor")
    run("answers", "say", views["rmifc"], "--recipient", "rcoc", "--said", "acknowledged")
    assert [] != run("answers", "follow", "--once")
    (asked,) = [one for one in run("answers", "read", "--member", "comoros", "--output", "json") if one["record"] == value["id"]]
    run("answers", "reply", asked["id"], "--member", "comoros", "--said", "refused", "--text", "Enquête", "--text-language", "fr")
    (followed,) = run("answers", "follow", "--once")
    replies = run("answers", "read", "--recipient", "rcoc", "--output", "json")

    assert (["sensor"], "rcoc", None) == (asked["fields"], asked["recipient"], asked["view"])
    assert [("refused", views["rcoc"], "Enquête")] == [(one["said"], one["view"], one["text"][0]["text"]) for one in replies]
    assert 1 == followed["not_made_out"]
    assert ["refused"] == [one["state"] for one in run("answers", "requests", "--output", "json")]


# --- Canaries ---------------------------------------------------------------------------------------------------------------


def test_a_canary_in_every_field_stands_only_where_it_may(kafka: Broker, bus: Bus) -> None:
    """
    Of a record of every kind each text stands on its owner's topic, among the accepted records, and with whom its rules keep it.

    What names people stands open nowhere at all. Looked for in every topic's messages and segments, Kafka's own topics, views when
    they are opened, receipts, what members are told, rejects, changelogs, state, logs and metrics.
    """
    found: list[Canary] = []
    for number, kind in enumerate(("sighting", "interception", "alert")):
        value = valid_canary(kind, "seychelles", str(number))
        bus.send(as_sent(kind, value, at=now_ms()))
        bus.follow(lambda value=value: bus.out(value["id"]), f"a {kind} full of canaries")  # type: ignore[misc] # its default is a value
        found += canaries(bus, kind, value)

    assert {"rmifc", "rcoc", "france"} <= {who for one in found for who in one.given}
    assert any(not one.given for one in found)
    assert {"victims", "suspects", "narrative"} <= {one.path.partition(".")[0] for one in found if one.sealed}
    assert any(one.text in message.value for one in found for message in bus.messages if message.place[0] == "for.rmifc.sighting")
    assert [] == strays(bus, kafka.home, "seychelles", found)


@pytest.mark.parametrize(("kind", "member"), [("sighting", "mauritius"), ("interception", "madagascar"), ("alert", "france")])
def test_what_a_recipient_may_not_have_changes_no_byte_of_what_it_got(bus: Bus, kind: str, member: str) -> None:
    """
    Each recipient's message on Kafka, opened: key, value, time and id are those of a record that differs in all that is hidden.

    The other record is cut and written by the same release, by the bus's own keys; judged before sealing, which is random.
    """
    value, other = valid_canary(kind, member, f"{kind} own"), valid_canary(kind, member, f"{kind} other")
    bus.send(as_sent(kind, value, at=now_ms()))
    bus.follow(lambda: bus.out(value["id"]), f"a {kind} full of canaries")
    given = bus.given(value["id"])

    assert len(given) > 3
    for recipient in sorted(given):
        got, expected = changed_for(bus, recipient, kind, value, other)
        assert 1 == len(got)
        assert expected == got, recipient


# --- Declarations -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("breaks", [UNREADABLE, UNKNOWN_NAMES], ids=["unreadable", "unknown names"])
def test_all_that_is_wrong_in_the_declarations_is_told_at_once(tmp_path: Path, breaks: tuple[Break, ...]) -> None:
    """
    However many files of however many rooms are wrong: one run names each with file and key, ends with 2, and shows no traceback.
    """
    machine = Machine.at(tmp_path / "bus")
    for feed in ("seychelles-table", "mauritius-lines", "comoros-forms"):
        machine.declare(feed)
    sound = machine.boutre("check")
    assert sound.returncode == 0, sound.stderr
    for file, before, after, _ in breaks:
        path = machine.folder / file
        text = path.read_text(encoding="utf-8")
        assert before in text, (file, before)
        path.write_text(text.replace(before, after, 1), encoding="utf-8")

    done = machine.boutre("check")

    told = done.stderr.splitlines()
    assert [] == [(file, key) for file, _, _, key in breaks if not any(said.startswith(f"{file}: {key}") for said in told)]
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
