"""
The runbooks of `docs/runbooks/`, walked through on an embedded Kafka: each test does what a page says, in its order.
"""

from __future__ import annotations

import os
import re
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from click.testing import CliRunner, Result
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewPartitions, NewTopic

import echo as echoes
from boutre.errors import DeclarationError, Refuse
from boutre.ops.broker import Broker
from boutre.ops.command import main
from boutre.processors.decision import Outbound
from boutre.schemas.keys import KeyFolder
from boutre.schemas.signature import KEY_HEADER, SIGNATURE_HEADER, key_id, sign
from broker.bad_input.bus import sighting
from broker.conftest import started
from broker.test_state import OnDisk
from echo import once_each
from records import CODEC, national

ROOT: Final = Path(__file__).parents[2]
ROOMS: Final = ("topics", "schemas", "processors", "connectors")
PATIENCE_S: Final = 90

FULL: Final = 12 << 20
"""Bytes of the small disk: Kafka's own topics and some of ours fit, a flood does not."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """
    A copy of the declarations of this repository, to be changed.
    """
    copied = tmp_path / "bus"
    for room in ROOMS:
        shutil.copytree(ROOT / room, copied / room)
    return copied


Run = Callable[..., Result]


@pytest.fixture
def run(folder: Path, tmp_path: Path, own_broker: Broker, monkeypatch: pytest.MonkeyPatch) -> Run:
    """
    Run a command on that copy and a Kafka of its own.
    """
    told = {"BOUTRE_STATE": str(tmp_path / "state"), "BOUTRE_KEYS": str(tmp_path / "keys"), "BOUTRE_KAFKA__REPLICATION_FACTOR": "1"}
    for name, value in {**told, "BOUTRE_KAFKA__BOOTSTRAP_SERVERS": own_broker.bootstrap}.items():
        monkeypatch.setenv(name, value)
    return lambda *words: CliRunner().invoke(main, ["--bus", str(folder), *words])


def changed(path: Path, old: str, new: str) -> None:
    """
    Edit a declaration: *old* stands in it once.
    """
    text = path.read_text(encoding="utf-8")
    assert 1 == text.count(old), old
    path.write_text(text.replace(old, new), encoding="utf-8")


def partitions(broker: Broker, topic: str) -> int:
    """
    How many a topic has on the cluster.
    """
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    return len(admin.list_topics(topic, timeout=20).topics[topic].partitions)


@pytest.fixture
def state(own_broker: Broker, tmp_path: Path) -> Iterator[OnDisk]:
    """
    A processor that remembers, with its topics and its changelog, on a Kafka of its own.
    """
    made = OnDisk(own_broker.bootstrap, "walk", tmp_path)
    made.create()
    yield made
    made.stop()


# --- Adding partitions ---------------------------------------------------------------------------------------------------------


@pytest.mark.timeout(300)
def test_partitions_are_added_where_nothing_is_remembered(run: Run, folder: Path, own_broker: Broker) -> None:
    """
    Views grow by plan and apply; what a processor remembers by partition is refused, and then nothing at all is done.
    """
    assert 0 == run("topics", "apply", "--yes").exit_code
    views = folder / "topics" / "views.toml"
    changed(views, "partitions = 1\n", "partitions = 3\n")
    assert "for.rmifc.sighting" in run("topics", "plan").output
    assert 0 == run("topics", "apply", "--yes").exit_code
    assert 3 == partitions(own_broker, "for.rmifc.sighting")

    changed(views, "partitions = 3\n", "partitions = 4\n")
    grown = re.compile(r'partitions = 4\n((?:#.*\n)*together = "bus"\n)')
    for number, name in enumerate(("bus.toml", "changelogs.toml")):
        path = folder / "topics" / name
        path.write_text(grown.sub(r"partitions = 8\n\1", path.read_text(encoding="utf-8")), encoding="utf-8")
        if number == 0:  # not even the declarations are taken: the changelog of release stands together with its input
            alone = run("topics", "apply", "--yes")
            assert (2, True) == (alone.exit_code, "together" in alone.output)
    refused = run("topics", "apply", "--yes")
    assert (2, True) == (refused.exit_code, "move to a new topic" in refused.output)
    assert (4, 3) == (partitions(own_broker, "bus.sighting"), partitions(own_broker, "for.rmifc.sighting"))


@pytest.mark.timeout(300)
def test_a_processor_with_memory_is_moved_to_more_partitions(state: OnDisk, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Its input is read to the end, it is stopped, its topics are made anew with more partitions, and it starts: on its old disk too.

    Nothing is lost; what it remembered is gone, as the page says, so that a key that is sent again comes through once more.
    """
    keys = [f"key-{number}" for number in range(60)]
    first = state.on("disk")
    state.send(keys)
    assert [once_each(keys)] * 2 == state.out(len(keys))
    state.stop_gently(first)

    admin = AdminClient({"bootstrap.servers": state.bootstrap})
    anew = (*state.reads, state.changelog)
    for future in admin.delete_topics(list(anew), operation_timeout=30).values():
        future.result(30)
    config = {state.changelog: {"cleanup.policy": "compact"}}
    until = time.monotonic() + PATIENCE_S
    while set(anew) & set(admin.list_topics(timeout=20).topics):
        assert time.monotonic() < until
        time.sleep(0.2)
    for future in admin.create_topics([NewTopic(name, 4, 1, config=config.get(name, {})) for name in anew]).values():
        future.result(30)
    for topic in (*state.writes, f"{state.tag}.rejects"):
        admin.create_partitions([NewPartitions(topic, 4)])[topic].result(30)
    monkeypatch.setattr(echoes, "PARTITIONS", 4)

    second = state.on("disk")
    state.send(keys)
    state.send(later := ["later-1", "later-2"])
    state.send(later)
    found = state.out(len(keys) + len(later))
    assert dict.fromkeys(keys, 2) | dict.fromkeys(later, 1) == dict(found[0])
    assert "another changelog" in state.log(1).read_text(encoding="utf-8")
    state.stop_gently(second)


# --- Upgrade and rollback ------------------------------------------------------------------------------------------------------


@pytest.mark.timeout(300)
def test_workers_are_exchanged_with_their_state_and_back(state: OnDisk) -> None:
    """
    One stops in order, the next goes on from its disk, and a third from the second's: nothing is read anew, lost or passed twice.
    """
    sent: list[str] = []
    for number in range(3):
        worker = state.on("disk")
        sent += [f"key-{number}-{each}" for each in range(40)]
        state.send(sent)  # and all those before once more
        assert [once_each(sent)] * 2 == state.out(len(sent))
        state.stop_gently(worker)
        assert "filled anew" not in state.log(number).read_text(encoding="utf-8")


# --- Backup and restore --------------------------------------------------------------------------------------------------------


@pytest.mark.timeout(300)
def test_a_node_is_brought_back_from_its_backup(tmp_path: Path) -> None:
    """
    The folder is copied while the node is down, and put back: topics, positions and memory are those of the backup, together.

    A worker's disk that is ahead of the backup is not believed and filled anew. What came after the backup is gone from Kafka; sent
    again, it comes through once.
    """
    home = tmp_path / "kafka"
    broker = started(Broker(home))
    state = OnDisk(broker.bootstrap, "walk", tmp_path)
    try:
        state.create()
        before, after = [f"before-{number}" for number in range(40)], [f"after-{number}" for number in range(40)]
        worker = state.on("disk")
        state.send(before)
        assert [once_each(before)] * 2 == state.out(len(before))
        state.stop_gently(worker)
        broker.stop()
        shutil.copytree(home, tmp_path / "backup")

        broker.start()
        worker = state.on("disk")
        state.send(after)
        assert [once_each([*before, *after])] * 2 == state.out(len(before) + len(after))
        state.stop_gently(worker)
        broker.kill()
        shutil.rmtree(home)
        shutil.copytree(tmp_path / "backup", home)

        broker.start()
        assert [once_each(before)] * 2 == state.out(len(before))
        worker = state.on("disk")
        state.send([*before, *after])
        assert [once_each([*before, *after])] * 2 == state.out(len(before) + len(after))
        state.stop_gently(worker)
        assert "outside of the changelog" in state.log(2).read_text(encoding="utf-8")
    finally:
        state.stop()
        broker.close()


# --- Adding a member -----------------------------------------------------------------------------------------------------------

KENYA: Final = """
[[member]]
id = "kenya"
state = "KEN"
names = { en = "Kenya", fr = "Kenya" }
languages = ["en", "sw"]
kinds = ["sighting", "retraction"]
partitions = 1
rate = 100_000
"""


@pytest.mark.timeout(300)
def test_a_member_joins_a_bus_that_runs(run: Run, folder: Path, tmp_path: Path, own_broker: Broker) -> None:
    """
    Declared, checked, its topics made, its key handed over: its first report is accepted, and nothing of the others was touched.
    """
    assert 0 == run("topics", "apply", "--yes").exit_code
    assert 0 == run("keys", "dev").exit_code

    members = folder / "topics" / "members.toml"
    members.write_text(members.read_text(encoding="utf-8") + KENYA, encoding="utf-8")
    half = run("check")
    assert 2 == half.exit_code  # nobody would read its topics
    changed(
        folder / "processors" / "pipeline.toml",
        '"comoros", "france", "observatory-imb"',
        '"comoros", "france", "kenya", "observatory-imb"',
    )
    checked = run("check")
    assert 0 == checked.exit_code, checked.output

    planned = run("topics", "plan").output
    applied = run("topics", "apply", "--yes")
    assert 0 == applied.exit_code
    its = ["national.kenya.sighting", "national.kenya.retraction", "rejects.kenya", "told.kenya", "asked.kenya", "replies.kenya"]
    assert all(name in planned for name in its)
    assert f"{len(its)} changes made" in applied.output
    assert "national.kenya.sighting" in run("access", "matrix", "--principal", "member.kenya").output
    assert "producerByteRate: 100000" in run("strimzi", "--cluster", "bus", "--part", "users").output
    assert '"address": "national.kenya.sighting"' in run("asyncapi", "--member", "kenya").output

    made = run("keys", "make", "--member", "kenya")
    assert 0 == made.exit_code, made.output
    assert run("keys", "publish", "--member", "kenya").stdout.strip() in (tmp_path / "keys" / "members.toml").read_text(
        encoding="utf-8"
    )

    value = sighting("KE-1", "kenya")
    worker = subprocess.Popen(
        [sys.executable, "-m", "boutre", "--bus", str(folder), "worker", "accept-reports"], cwd=tmp_path, env=dict(os.environ)
    )
    try:
        out = national_by(tmp_path / "keys", value)
        producer = Producer({"bootstrap.servers": own_broker.bootstrap, "partitioner": "murmur2_random"})
        headers: list[tuple[str, str | bytes | None]] = list(out.headers)
        producer.produce(out.topic, out.value, out.key, headers=headers)
        assert 0 == producer.flush(30)
        assert value["id"] == first(own_broker, "bus.sighting")["id"]
    finally:
        worker.terminate()
        assert 0 == worker.wait(60)


def national_by(keys: Path, value: Any) -> Outbound:
    """
    A record as its member's connector would send it, signed by the private key in that folder.
    """
    out = national("sighting", value)
    own = KeyFolder(keys).private("kenya")
    headers = ((KEY_HEADER, key_id(own.public_key()).encode()), (SIGNATURE_HEADER, sign(own, out.topic, out.value)))
    return Outbound(out.topic, out.key, out.value, out.timestamp, headers)


def first(broker: Broker, topic: str) -> Any:
    """
    The first record of a topic, in whatever partition; it is waited for.
    """
    consumer = Consumer({"bootstrap.servers": broker.bootstrap, "group.id": "walk", "isolation.level": "read_committed"})
    consumer.assign([TopicPartition(topic, number, 0) for number in range(partitions(broker, topic))])
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        message = consumer.poll(0.5)
        if message is not None and not message.error():
            consumer.close()
            return CODEC.decode(message.value() or b"").value
    consumer.close()
    pytest.fail("nothing was accepted")


# --- A lost key ----------------------------------------------------------------------------------------------------------------


def test_a_lost_key_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A member's key is made anew and its row handed over: what either signed is taken, until the old one is revoked at the bus.

    What is missing at the bus or at a recipient is named with its file, and a copy that is put back is as good as before.
    """
    own, bus = tmp_path / "member", tmp_path / "bus"

    def at(place: Path, *words: str) -> Result:
        monkeypatch.setenv("BOUTRE_KEYS", str(place))
        return CliRunner().invoke(main, ["--bus", str(ROOT), "keys", *words])

    def taken(private: Any) -> bool:
        topic, frame = "national.comoros.sighting", b"frame"
        headers = {KEY_HEADER: key_id(private.public_key()).encode(), SIGNATURE_HEADER: sign(private, topic, frame)}
        try:
            KeyFolder(bus).keyring().verify("comoros", topic, frame, headers)
        except Refuse:
            return False
        return True

    for words in (["make", "--member", "comoros"], ["publish", "--member", "comoros", "--into", str(bus)]):
        assert 0 == at(own, *words).exit_code
    old = KeyFolder(own).private("comoros")
    assert taken(old)
    for words in (["rotate", "--member", "comoros"], ["publish", "--member", "comoros", "--into", str(bus)]):
        done = at(own, *words)
        assert 0 == done.exit_code, done.output
    new = KeyFolder(own).private("comoros")
    assert [True, True] == [taken(old), taken(new)]
    assert 0 == at(bus, "revoke", key_id(old.public_key())).exit_code
    assert [False, True] == [taken(old), taken(new)]

    assert 0 == at(bus, "make", "--bus").exit_code
    shutil.copytree(bus, tmp_path / "copy")
    before = KeyFolder(bus).bus_signing().public_key()
    (bus / "bus.pem").unlink()
    with pytest.raises(DeclarationError, match=r"bus\.pem"):
        KeyFolder(bus).bus_signing()
    shutil.copy(tmp_path / "copy" / "bus.pem", bus / "bus.pem")
    assert key_id(before) == key_id(KeyFolder(bus).bus_signing().public_key())


# --- A full disk ---------------------------------------------------------------------------------------------------------------


class SmallDisk:
    """
    A folder that takes no more than some bytes.

    It is a file system of its own where that may be mounted, else a limit on the files of the process that writes there, which
    stops Kafka in the same way.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.folder.mkdir()
        size = f"size={4 * FULL}"
        self.mounted = 0 == self._mount("-t", "tmpfs", "-o", size, "tmpfs", str(folder))

    @staticmethod
    def _mount(*words: str) -> int:
        return subprocess.run(["mount", *words], capture_output=True, check=False).returncode

    def limit(self, broker: Broker) -> None:
        """Let the disk end where it does."""
        if not self.mounted:
            assert broker.pid is not None
            resource.prlimit(broker.pid, resource.RLIMIT_FSIZE, (FULL, resource.RLIM_INFINITY))

    def enlarge(self) -> None:
        """Give it room; who only has a limit is started anew without one."""
        if self.mounted:
            assert 0 == self._mount("-o", f"remount,size={20 * FULL}", str(self.folder))

    def close(self) -> None:
        """Take it away."""
        if self.mounted:
            subprocess.run(["umount", str(self.folder)], check=False)


@pytest.mark.timeout(300)
def test_a_full_disk_stops_the_node_and_loses_nothing(tmp_path: Path) -> None:
    """
    The node ends when its disk takes no more. With room it starts again, and has every record that it had acknowledged.
    """
    disk = SmallDisk(tmp_path / "disk")
    broker = Broker(disk.folder / "kafka", properties={"log.index.size.max.bytes": "65536", "log.segment.bytes": str(64 << 20)})
    try:
        started(broker)
        _made(broker, "walk")
        disk.limit(broker)
        taken = _fill(broker)
        until = time.monotonic() + PATIENCE_S
        while broker.pid is not None:
            assert time.monotonic() < until, "the node goes on though its disk is full"
            time.sleep(0.2)

        disk.enlarge()
        broker.restart()
        consumer = Consumer({"bootstrap.servers": broker.bootstrap, "group.id": "walk", "auto.offset.reset": "earliest"})
        low, high = consumer.get_watermark_offsets(TopicPartition("walk", 0), 30)
        consumer.close()
        assert taken > 0
        assert high - low >= taken
        more = _fill(broker, 50)
        assert 50 == more
    finally:
        broker.close()
        disk.close()


def _made(broker: Broker, topic: str) -> None:
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    admin.create_topics([NewTopic(topic, 1, 1)])[topic].result(30)


def _fill(broker: Broker, records: int = 10_000) -> int:
    """
    Write records of 16 KiB until no more are taken, or that many are; gives how many were acknowledged.
    """
    taken: list[None] = []

    def delivered(error: Any, _message: Any) -> None:
        if error is None:
            taken.append(None)

    told = {"bootstrap.servers": broker.bootstrap, "acks": "all", "message.timeout.ms": 6_000, "log_level": 0}
    producer = Producer(told)
    for _ in range(records):
        producer.produce("walk", os.urandom(16_384), on_delivery=delivered)
        producer.poll(0)
        if broker.pid is None:
            break
        while len(producer) > 100:
            producer.poll(0.05)
    producer.flush(20)
    return len(taken)
