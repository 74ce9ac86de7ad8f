"""
Rejects on a real Kafka, from the connector that refused or the bus that did, through a person's hands, to the recipients.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from boutre.ops.broker import Broker
from boutre.ops.command import main
from boutre.ops.rejects_bus import TOPIC
from boutre.ops.rejects_store import FILE
from boutre.processors.decision import Outbound
from boutre.schemas.keys import KeyFolder
from boutre.schemas.rejects import reject
from broker.bad_input.bus import Bus, ago, now_ms, recipients_of, running, sighting
from broker.bad_input.sealing import as_sent
from broker.conftest import started
from records import CODEC, ROOT, Value, private, signed

MEMBER: Final = "seychelles"
FEED: Final = "desk"
MANY: Final = 600
STRANGER: Final = "a key that nobody registered"

DECLARED: Final = """
member = "seychelles"
kinds = ["sighting"]
source = "lines"

[options]
path = "{path}"

[handling]
tlp = "GREEN"
"""


@dataclass(frozen=True, slots=True)
class Ground:
    """
    A bus that runs, with the machine of a member beside it: its feed, its keys, its state.
    """

    bus: Bus
    root: Path
    home: Path

    @property
    def environment(self) -> Mapping[str, str]:
        """What programs of the member are told."""
        return {
            "BOUTRE_BUS": str(self.root),
            "BOUTRE_KEYS": str(self.bus.standing.settings.keys),
            "BOUTRE_STATE": str(self.home / "member"),
            "BOUTRE_KAFKA__BOOTSTRAP_SERVERS": self.bus.bootstrap,
        }

    def boutre(self, *words: str, status: int = 0, **more: str) -> Result:
        """Run a command on the member's machine."""
        done = CliRunner().invoke(main, list(words), env={**self.environment, **more})
        assert status == done.exit_code, done.output
        return done

    def rejects(self, *words: str, status: int = 0, **more: str) -> Any:
        """Run a command of rejects; gives what it says as data."""
        told = self.boutre("rejects", *words, "--member", MEMBER, "--output", "json", status=status, **more)
        return json.loads(told.stdout)

    def publish(self, *reports: Value) -> None:
        """Have the connector read what was added to its file."""
        path = self.home / "desk.jsonl"
        with path.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(report) + "\n" for report in reports)
        self.boutre("connector", "run", FEED, "--once")

    def refused(self, *values: Value) -> None:
        """Send records under a Kafka key that is not theirs, and wait until each is rejected."""
        places = []
        for value in values:
            out = as_sent("sighting", value, at=now_ms())
            places.append(self.bus.send(Outbound(out.topic, b"mine", out.value, out.timestamp, out.headers)))
        self.bus.follow(lambda: all(map(self.bus.of, places)), "their rejects")

    def accepted(self) -> Counter[str]:
        """Count what was accepted, by the ids of records."""
        stood = [message for message in self.bus.messages if message.place[0] == "bus.sighting"]
        return Counter(str(CODEC.decode(message.value).value["id"]) for message in stood)


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """A bus on a Kafka of its own, whose declarations have one feed more."""
    home = tmp_path_factory.mktemp("rejects")
    root = home / "bus-declared"
    for room in ("topics", "schemas", "processors"):
        shutil.copytree(ROOT / room, root / room)
    (root / "connectors").mkdir()
    (root / "connectors" / f"{FEED}.toml").write_text(DECLARED.format(path=home / "desk.jsonl"), encoding="utf-8")
    broker = started(Broker())
    try:
        with running(broker.bootstrap, home, {}, root) as bus:
            yield Ground(bus, root, home)
    finally:
        broker.close()


def report(reference: str, **groups: Any) -> Value:
    """A report as the member's own system writes it, an hour old."""
    value = sighting(reference, MEMBER)
    seen = {"at": ago(hours=1)["at"].isoformat(), "precision": "minute"}
    groups = {"event": value["event"], "craft": {"kind": "kwassa"}, "position": value["position"], **groups}
    return {"reference": reference, "times": {"observed": seen}, **groups}


def test_what_a_connector_refused_is_mended_and_delivered(ground: Ground, tmp_path: Path) -> None:
    """
    A latitude that no place has is refused where it came in. Its owner mends it in a file, and it reaches its recipients.

    It is found under its reason and its field, shown with what to do in French; a file that is still wrong is told by its field,
    without a broker.
    """
    good = report("D-1")
    wrong = {**good, "position": {**good["position"], "latitude": 1234.0}}
    wanted = recipients_of("sighting", sighting("D-1", MEMBER))
    ground.publish(wrong)
    (row,) = [row for row in ground.rejects("list") if row["feed"] == FEED]
    (each,) = ground.rejects("list", "--each", "--feed", FEED, "--field", "position")

    assert ("out-of-range", "position.latitude", 1, 0) == tuple(row[name] for name in ("code", "field", "open", "sent"))
    shown = ground.boutre("rejects", "show", each["id"], "--member", MEMBER, "--language", "fr").stdout
    assert "Valeur hors limites (out-of-range)" in shown
    assert "Le connecteur de cette machine l'a conservé" in shown
    assert "1234.0" in shown
    assert "1234.0" not in ground.boutre("rejects", "show", each["id"], "--member", MEMBER, "--no-record").stdout
    assert ["to-be-mended"] == [one["result"] for one in ground.rejects("send-again", each["id"], status=1)]

    path = tmp_path / "mend.json"
    ground.boutre("rejects", "fix", each["id"], "--member", MEMBER, "--out", str(path))
    assert 0o600 == path.stat().st_mode & 0o777
    (checked,) = ground.rejects(
        "send-again", "--from", str(path), "--dry-run", status=1, BOUTRE_KAFKA__BOOTSTRAP_SERVERS="127.0.0.1:1"
    )
    assert ("to-be-mended", "out-of-range", "position.latitude") == tuple(checked[name] for name in ("result", "problem", "field"))
    mended = json.loads(path.read_text(encoding="utf-8"))
    mended["value"]["position"]["latitude"] = good["position"]["latitude"]
    path.write_text(json.dumps(mended), encoding="utf-8")
    (sent,) = ground.rejects("send-again", "--from", str(path))

    assert ("sent", each["record"]) == (sent["result"], sent["record"])
    # The account calls it rejected until a receipt says more.
    ground.bus.follow(lambda: wanted == ground.bus.given(each["record"]), "the report that was mended")
    assert 1 == ground.accepted()[each["record"]]
    assert [] == ground.rejects("list", "--each", "--feed", FEED)
    assert ["sent"] == [one["state"] for one in ground.rejects("list", "--each", "--feed", FEED, "--state", "sent")]


def test_what_the_bus_refused_is_sent_again_by_its_reason(ground: Ground) -> None:
    """
    Sent under another Kafka key it is refused; under the right one it comes out, with the id that it had.

    What names people is as it was sealed. It is sent once, however often that is asked for.
    """
    value = sighting("S-1", MEMBER, victims=[{"name": "Nobody Real"}], handling={"tlp": "GREEN", "personal_data": True})
    ground.refused(value)
    ways = (("--code", "wrong-key", "--dry-run"), ("--code", "wrong-key"), (value["id"],))
    # Of that reason there may be others' too.
    outcomes = [one["result"] for way in ways for one in ground.rejects("send-again", *way) if one["record"] == value["id"]]

    assert ["would-be-sent", "sent", "already-sent"] == outcomes
    ground.bus.follow(lambda: bool(ground.bus.given(value["id"])), "the record that was sent again")
    assert 1 == ground.accepted()[value["id"]]


def test_a_run_that_was_killed_goes_on_where_it_was(ground: Ground) -> None:
    """
    Killed in the middle, and said again: all are sent, at most a hundred of them twice, and each is accepted once.
    """
    values = [sighting(f"M-{number}", MEMBER) for number in range(MANY)]
    ids = {value["id"] for value in values}
    ground.refused(*values)
    words = ["rejects", "send-again", "--code", "wrong-key", "--member", MEMBER, "--output", "json"]
    run = subprocess.Popen(
        [sys.executable, "-m", "boutre", *words], env={**os.environ, **ground.environment}, stdout=subprocess.DEVNULL
    )
    try:
        while run.poll() is None and not 0 < remembered(ground, ids) < MANY:
            time.sleep(0.001)
    finally:
        run.send_signal(signal.SIGKILL)
    run.wait(30)
    first = remembered(ground, ids)
    outcomes = ground.rejects("send-again", "--code", "wrong-key")

    assert 0 < first < MANY, "it was not killed in the middle"
    done = Counter(one["result"] for one in outcomes if one["record"] in ids)
    assert {"sent": MANY - first, "already-sent": first} == done
    # One member's records stay in order: when the last is through, so is what came twice before it.
    through = ground.bus.account.receipts
    ground.bus.follow(lambda: all((identifier, "rcoc") in through for identifier in ids), "all of them")
    assert {1} == {ground.accepted()[identifier] for identifier in ids}
    sent = Counter(told["id"] for told in told_on(ground, "national.seychelles.sighting") if told["id"] in ids)
    assert MANY * 2 <= sent.total() <= MANY * 2 + 100


def test_what_is_rejected_again_and_again_is_held_back(ground: Ground, tmp_path: Path) -> None:
    """
    Three times, with a key that the bus does not know; then by force alone, also on a machine that remembers nothing of it.

    On a machine that has not that key no command signs it by itself: a person looks at it, and sends it as a file.
    """
    value = sighting("L-1", MEMBER)
    machine_of(tmp_path / "keys", private(STRANGER))
    here = {"BOUTRE_KEYS": str(tmp_path / "keys")}
    out = as_sent("sighting", value, at=now_ms())
    place = ground.bus.send(signed(out.topic, out.value, STRANGER, out.key))
    ground.bus.follow(lambda: bool(ground.bus.of(place)), "its reject")

    def again(*more: str, status: int = 0, **environment: str) -> str:
        before = len(ground.bus.rejects)
        (outcome,) = ground.rejects("send-again", value["id"], *more, status=status, **here, **environment)
        if outcome["result"] == "sent":
            ground.bus.follow(lambda: len(ground.bus.rejects) > before, "that it is rejected once more")
        return str(outcome["result"])

    assert ["sent"] * 3 == [again() for _ in range(3)]
    assert "held" == again(status=1)
    assert "held" == again(status=1, BOUTRE_STATE=str(tmp_path / "another"))
    (listed,) = [one for one in ground.rejects("list", "--each") if one["record"] == value["id"]]
    assert ("unknown-key", 3) == (listed["code"], listed["times"])
    assert "sent" == again("--force")
    assert 0 == ground.accepted()[value["id"]]

    elsewhere = str(tmp_path / "elsewhere")
    (outcome,) = ground.rejects("send-again", value["id"], "--force", status=1, BOUTRE_STATE=elsewhere)
    assert "unproved" == outcome["result"]
    ground.boutre("rejects", "fix", value["id"], "--member", MEMBER, "--out", str(tmp_path / "seen.json"))
    (outcome,) = ground.rejects("send-again", "--from", str(tmp_path / "seen.json"), "--force", BOUTRE_STATE=elsewhere)
    assert "sent" == outcome["result"]
    ground.bus.follow(lambda: 1 == ground.accepted()[value["id"]], "the record that a person has seen")


def test_operations_put_again_what_stopped_at_a_step_of_the_bus(ground: Ground, tmp_path: Path) -> None:
    """
    A dead letter of the bus is listed, and its record put once more where it stood: the same bytes, key, id and time.
    """
    value = sighting("B-1", MEMBER)
    ground.bus.send(as_sent("sighting", value, at=now_ms()))
    ground.bus.follow(lambda: ground.bus.out(value["id"]), "the record")
    (stood,) = [one for one in ground.bus.messages if one.place[0] == "bus.sighting" and value["id"].encode() in one.value]
    # As the release would write it, had it failed on this record.
    ground.bus.send(dead_letter(value["id"], stood.place))
    state = str(tmp_path / "operations")
    listed = ground.boutre("rejects", "list", "--bus", "--each", "--output", "json", BOUTRE_STATE=state).stdout
    path = tmp_path / "dead.json"
    path.write_text(listed, encoding="utf-8")
    told = ground.boutre("rejects", "send-again", "--bus", "--from", str(path), "--output", "json", BOUTRE_STATE=state)
    once_more = ground.boutre("rejects", "send-again", "--bus", "--all", "--output", "json", BOUTRE_STATE=state)

    assert [(value["id"], "release", "internal-error")] == [
        (one["record"], one["stage"], one["code"]) for one in json.loads(listed)
    ]
    assert ["sent"] == [one["result"] for one in json.loads(told.stdout)]
    assert ["already-sent"] == [one["result"] for one in json.loads(once_more.stdout)]
    ground.bus.follow(lambda: 2 == ground.accepted()[value["id"]], "the record once more")
    copies = [one for one in ground.bus.messages if one.place[0] == "bus.sighting" and value["id"].encode() in one.value]
    assert 1 == len({(one.key, one.value, one.timestamp, one.place[1]) for one in copies})


def dead_letter(identifier: str, place: tuple[str, int, int]) -> Outbound:
    """What a step writes of a record at which it stopped."""
    topic, partition, offset = place
    told = reject(
        member="bus",
        stage="release",
        code="internal-error",
        place={"topic": topic, "partition": partition, "offset": offset},
        at=None,
        input_id=identifier,
        kind="sighting",
    )
    return Outbound(TOPIC, identifier.encode(), CODEC.encode("reject", told), now_ms())


def machine_of(keys: Path, own: Ed25519PrivateKey) -> None:
    """Make the keys of a machine whose member signs with this one."""
    (keys / "members").mkdir(parents=True)
    pem = own.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (keys / "members" / f"{MEMBER}.pem").write_bytes(pem)
    KeyFolder(keys).development([MEMBER], ())


def told_on(ground: Ground, topic: str) -> list[Value]:
    """Every record that stands on a topic."""
    return [CODEC.decode(message.value).value for message in ground.bus.messages if message.place[0] == topic]


def remembered(ground: Ground, ids: set[str]) -> int:
    """How many of these the machine of the member knows to have sent again."""
    path = ground.home / "member" / "rejects" / FILE
    if not path.exists():
        return 0
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10) as connection:
        try:
            found = connection.execute("SELECT record FROM sent").fetchall()
        except sqlite3.OperationalError:
            return 0
    connection.close()
    return len({record for (record,) in found} & ids)
