"""
What workers remember, on a real Kafka: the store is what the changelog says, after kills, compaction, moves and lost disks.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import math
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from aiokafka import TopicPartition as Place
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from boutre import metrics
from boutre.errors import Unavailable
from boutre.ops.broker import Broker
from boutre.ops.cluster import Cluster
from boutre.processors.digests import digest
from boutre.processors.repeats import traces
from boutre.processors.runtime import restore as restoring
from boutre.processors.runtime.restore import Changelog, restore
from boutre.processors.runtime.store import Store
from boutre.processors.windows import Window, Windows
from broker.bad_input.bus import now_ms, position, running, sighting
from broker.conftest import started
from echo import PARTITIONS, PATIENCE_S, WORKER, Echo, Worker, once_each
from records import CODEC, national, real_pipeline, recall

WINDOWS = Windows({"": Window(400, 1_000_000)})
DAY_S = 86_400.0

State = dict[str, Any]


def changelog(bootstrap: str, topic: str, partition: int) -> list[tuple[int, str, bytes | None]]:
    """All committed records of a changelog that are still there: offset, key and value."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "changelog", "isolation.level": "read_committed"})
    at = TopicPartition(topic, partition)
    _, end = consumer.get_watermark_offsets(at, 10)
    consumer.assign([TopicPartition(topic, partition, 0)])
    found: list[tuple[int, str, bytes | None]] = []
    until = time.monotonic() + 20
    while time.monotonic() < until and (position := consumer.position([at])[0].offset) < end:
        found += [
            (message.offset() or 0, (message.key() or b"").decode(), message.value())
            for message in consumer.consume(500, 0.3)
            if not message.error()
        ]
    assert position >= end or consumer.position([at])[0].offset >= end
    consumer.close()
    return found


def state_of(records: list[tuple[int, str, bytes | None]], before: int | None = None) -> State:
    """What a changelog says, up to an offset."""
    state = {key: value for offset, key, value in records if before is None or offset < before}
    return {key: json.loads(value) for key, value in state.items() if value is not None}


def held(store: Store) -> State:
    """All that is in a store."""
    names = {name.decode() for kind in store.classes() for block in store.blocks(kind) for name in block.keys}
    found = {name: entry for name in names if (entry := store.get(name)) is not None}
    assert len(store) == len(found)
    return {name: json.loads(value) for name, (_, value) in found.items()}


class OnDisk(Echo):
    """
    An echo whose workers know their changelog, and can be started again on the disk of one that ended.
    """

    def on(self, disk: str, *, fault: tuple[str, str, int] | None = None, most: int = 1_000_000) -> Worker:
        """Start a worker on this disk."""
        data = self.folder / disk
        known = Cluster({"bootstrap.servers": self.bootstrap}).incarnation(self.changelog)
        told = {
            "bootstrap": self.bootstrap,
            "group": self.tag,
            "reads": self.reads,
            "writes": self.writes,
            "rejects": f"{self.tag}.rejects",
            "changelog": self.changelog,
            "data": str(data),
            "fault": fault,
            "incarnation": known,
            "most": most,
        }
        with self.log(len(self.workers)).open("wb") as log:
            process = subprocess.Popen([sys.executable, str(WORKER), json.dumps(told)], stdout=log, stderr=log)
        self.workers.append(Worker(process, data))
        return self.workers[-1]

    @property
    def changelog(self) -> str:
        """The topic of the changelog."""
        return f"{self.tag}.changelog"

    def log(self, number: int) -> Path:
        """What a worker said, counted from 0."""
        return self.folder / f"worker-{number}.log"

    def stop_gently(self, worker: Worker) -> None:
        """Let a worker end by itself."""
        worker.process.send_signal(signal.SIGTERM)
        assert worker.ended(60) == 0

    def stores(self, disk: str) -> Iterator[tuple[int, Store]]:
        """Open what lies on a disk, partition by partition."""
        for partition in range(PARTITIONS):
            store = Store(self.folder / disk / "state" / str(partition), WINDOWS)
            yield partition, store
            store.close()


@pytest.fixture
def echo(broker: Broker, unique: Callable[[str], str], tmp_path: Path) -> Iterator[OnDisk]:
    """
    An echo on the session's Kafka.
    """
    made = OnDisk(broker.bootstrap, unique("state"), tmp_path)
    made.create()
    yield made
    made.stop()


# --- Workers -----------------------------------------------------------------------------------------------------------------


def test_a_kill_between_the_commit_and_the_store_loses_nothing(echo: OnDisk) -> None:
    """
    A worker dies when Kafka has committed and its store has not changed: the store is then what the changelog said before.

    Started again on the same disk it reads what it missed and no more, no key comes out twice, and in the end store and changelog
    are one.
    """
    keys: list[str] = []
    doomed = echo.on("disk", fault=("die", "committed", 4))
    while not doomed.fault_happened:
        keys += [f"key-{number}" for number in range(len(keys), len(keys) + 40)]
        echo.send(keys[-40:])
    assert doomed.ended() == -signal.SIGKILL

    behind = 0
    for partition, store in echo.stores("disk"):
        records = changelog(echo.bootstrap, echo.changelog, partition)
        assert state_of(records, store.position) == held(store)
        behind += len(state_of(records)) - len(store)
    assert behind > 0

    again = echo.on("disk")
    echo.send(more := [*keys, "last"])
    assert [once_each(more)] * 2 == echo.out(len(set(more)))
    echo.stop_gently(again)

    assert "filled anew" not in echo.log(1).read_text(encoding="utf-8")
    assert set(more) == {key for _, store in echo.stores("disk") for key in held(store)}
    for partition, store in echo.stores("disk"):
        assert state_of(changelog(echo.bootstrap, echo.changelog, partition)) == held(store)
        # A new owner remembers from the same moments on: the changelog has the times of acceptance.
        new = Store(echo.folder / "new" / str(partition), WINDOWS)
        asyncio.run(restore(new, {"bootstrap_servers": echo.bootstrap}, Place(echo.changelog, partition), None, "echo"))
        assert {key: store.get(key) for key in held(store)} == {key: new.get(key) for key in held(new)}
        # What only repeated left nothing in the changelog, its time neither.
        assert max(entry[0] for key in held(new) if (entry := new.get(key))) <= new.checkpoint.clock <= store.checkpoint.clock
        new.close()


def test_more_than_the_most_is_forgotten_everywhere(echo: OnDisk) -> None:
    """
    The oldest keys go from the disk and from the changelog alike; a new owner remembers what the old one did.
    """
    first = echo.on("disk", most=30)
    keys = [f"key-{number}" for number in range(400)]
    for begin in range(0, len(keys), 20):
        echo.send(keys[begin : begin + 20])
        time.sleep(0.05)
    assert [once_each(keys)] * 2 == echo.out(len(keys))
    echo.send(["last"])
    assert [once_each([*keys, "last"])] * 2 == echo.out(len(keys) + 1)
    echo.stop_gently(first)

    told = [state_of(changelog(echo.bootstrap, echo.changelog, partition)) for partition in range(PARTITIONS)]
    assert told == [held(store) for _, store in echo.stores("disk")]
    assert all(len(one) <= 30 + 20 for one in told)

    echo.send(sorted(key for one in told for key in one))
    second = echo.on("other", most=30)
    echo.send(["really last"])
    assert once_each([*keys, "last", "really last"]) == echo.read(echo.writes[0], len(keys) + 2)
    echo.stop_gently(second)


def test_the_store_of_a_lost_partition_is_closed(echo: OnDisk) -> None:
    """
    When a second worker takes a partition over, the first one's store of it is closed while that worker goes on.
    """
    first = echo.on("disk")
    keys = [f"key-{number}" for number in range(100)]
    echo.send(keys)
    assert once_each(keys) == echo.read(echo.writes[0], len(keys))
    assert {0: False, 1: False} == {partition: free(echo, partition) for partition in range(PARTITIONS)}

    second = echo.on("other")
    until = time.monotonic() + PATIENCE_S
    while sum(free(echo, partition) for partition in range(PARTITIONS)) != 1:
        assert time.monotonic() < until
        time.sleep(0.3)
    echo.send([*keys, "last"])
    assert once_each([*keys, "last"]) == echo.read(echo.writes[0], len(keys) + 1)
    assert first.process.poll() is None
    for worker in (second, first):
        echo.stop_gently(worker)


def free(echo: OnDisk, partition: int) -> bool:
    """Whether nobody has a partition's store of the first worker open."""
    try:
        Store(echo.folder / "disk" / "state" / str(partition), WINDOWS).close()
    except Unavailable:
        return False
    return True


def test_a_second_worker_on_one_folder_is_refused(echo: OnDisk) -> None:
    """
    It says what to do and ends; the first one is not disturbed.
    """
    first = echo.on("disk")
    echo.send(["one"])
    assert once_each(["one"]) == echo.read(echo.writes[0], 1)
    second = echo.on("disk")

    assert second.ended(60) != 0
    assert "give each a folder of its own (--data)" in echo.log(1).read_text(encoding="utf-8")
    echo.send(["two"])
    assert once_each(["one", "two"]) == echo.read(echo.writes[0], 2)
    echo.stop_gently(first)


# --- Restoring ---------------------------------------------------------------------------------------------------------------


class Log:
    """
    A changelog, a writer of transactions and a store.
    """

    def __init__(self, bootstrap: str, name: str, folder: Path) -> None:
        """Make a writer; the topic is made by ``create``."""
        self.bootstrap = bootstrap
        self.name = name
        self.folder = folder
        self._producer = Producer({"bootstrap.servers": bootstrap, "transactional.id": name})
        self._begun = False

    def create(self, **config: str) -> None:
        """Make the topic, anew where it was there."""
        admin = AdminClient({"bootstrap.servers": self.bootstrap})
        if self.name in admin.list_topics(timeout=10).topics:
            admin.delete_topics([self.name])[self.name].result(30)
            time.sleep(1)
        settings = {"cleanup.policy": "compact", **{key.replace("_", "."): value for key, value in config.items()}}
        admin.create_topics([NewTopic(self.name, 1, 1, config=settings)])[self.name].result(30)

    @property
    def known(self) -> Changelog:
        """Which changelog it is."""
        return Changelog(*Cluster({"bootstrap.servers": self.bootstrap}).incarnation(self.name))

    def write(self, state: State, *, commit: bool = True) -> None:
        """Write a transaction; None is a tombstone."""
        if not self._begun:
            self._producer.init_transactions(30)
            self._begun = True
        self._producer.begin_transaction()
        for key, value in state.items():
            self._producer.produce(self.name, None if value is None else json.dumps(value).encode(), key.encode(), partition=0)
        self._producer.flush(30)
        (self._producer.commit_transaction if commit else self._producer.abort_transaction)(30)

    def open(self, name: str = "0") -> Store:
        """Open a store."""
        return Store(self.folder / name, WINDOWS)

    def restore(self, store: Store, known: Changelog | None = None) -> State:
        """Fill a store; gives what is in it then."""
        connection = {"bootstrap_servers": self.bootstrap}
        asyncio.run(restore(store, connection, Place(self.name, 0), known or self.known, "echo"))
        return held(store)


@pytest.fixture
def log(broker: Broker, unique: Callable[[str], str], tmp_path: Path) -> Log:
    """
    A changelog on the session's Kafka.
    """
    made = Log(broker.bootstrap, unique("log"), tmp_path)
    made.create()
    return made


def restored() -> float:
    """How many records of changelogs were read so far."""
    return metrics.REGISTRY.get_sample_value("boutre_state_restored_total", {"stage": "echo"}) or 0.0


def test_only_what_is_missing_is_read(log: Log) -> None:
    """
    Committed records only; from the beginning the first time, then from where the store stands, and nothing where nothing is new.
    """
    store, before = log.open(), restored()
    log.write({f"key-{number}": number for number in range(100)})
    log.write({"key-1": "never"}, commit=False)
    expected: State = {f"key-{number}": number for number in range(100)}
    assert expected == log.restore(store)
    assert 100 == restored() - before

    log.write({"key-2": None, "key-3": {"x": 1}})
    store.close()
    store = log.open()
    expected = {**{key: value for key, value in expected.items() if key != "key-2"}, "key-3": {"x": 1}}
    assert expected == log.restore(store)
    assert 102 == restored() - before
    assert expected == log.restore(store)
    assert 102 == restored() - before
    store.close()


def test_a_changelog_that_was_made_again_is_another_one(log: Log) -> None:
    """
    Deleted and made again under the same name, with as many records: what the old one said is not remembered.
    """
    store = log.open()
    log.write({"old": 1, "both": 1})
    assert {"old": 1, "both": 1} == log.restore(store)
    before = log.known
    log.create()
    log.write({"new": 2, "both": 2})

    assert before.incarnation != log.known.incarnation
    assert {"new": 2, "both": 2} == log.restore(store)
    store.close()


def test_a_restore_that_is_interrupted_goes_on_as_old_as_it_was(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    What was read before the interruption is as old as its beginning: its tombstones need not stand any longer than from then.
    """
    monkeypatch.setattr(restoring, "POLL", 10)
    log.write({f"key-{number}": number for number in range(100)})
    store, now = log.open(), time.time()
    whole = Store.apply

    def failing(self: Store, rows: Any, position: int, **named: Any) -> None:
        if position > 40:
            raise OSError
        whole(self, rows, position, **named)

    monkeypatch.setattr(Store, "apply", failing)
    with pytest.raises(OSError, match=r"^$"):
        log.restore(store)
    assert 0 < len(store) < 100
    begun = store.checkpoint.complete_at
    assert now <= begun <= time.time()

    monkeypatch.setattr(Store, "apply", whole)
    store.close()
    store = log.open()
    assert begun == store.checkpoint.complete_at
    assert {f"key-{number}": number for number in range(100)} == log.restore(store)
    assert store.checkpoint.complete_at > begun
    store.close()


def test_forgotten_keys_stay_forgotten_when_their_tombstones_are_gone(tmp_path: Path) -> None:
    """
    Kafka compacts for real, until neither the old values nor their tombstones are there.

    A new owner remembers what is left; a store from before, older than the tombstones, is not believed. Believed, it would remember
    what was forgotten: which is what the check is for.
    """
    with started(Broker(properties={"log.cleaner.backoff.ms": "100"})) as broker:
        log = Log(broker.bootstrap, "compacted", tmp_path)
        log.create(segment_ms="100", min_cleanable_dirty_ratio="0.001", delete_retention_ms="100", min_compaction_lag_ms="0")
        log.write({f"key-{number}": "old" for number in range(50)})
        old, believed = log.open("old"), log.open("believed")
        for store in (old, believed):
            assert 50 == len(log.restore(store))
        log.write(dict.fromkeys([f"key-{number}" for number in range(25)]))
        log.write({f"key-{number}": "new" for number in range(40, 50)})

        until = time.monotonic() + PATIENCE_S
        records = changelog(broker.bootstrap, log.name, 0)
        while len(records) > 30 or any(value is None for _, _, value in records):
            assert time.monotonic() < until
            log.write({"filler": time.time()})
            time.sleep(0.5)
            records = changelog(broker.bootstrap, log.name, 0)
        expected = state_of(records)
        expected["filler"] = "still"
        log.write({"filler": "still"})

        assert {*[f"key-{number}" for number in range(25, 50)], "filler"} == set(expected)
        assert expected == log.restore(log.open("new"))
        assert 0.1 == log.known.tombstones_s
        assert expected == log.restore(old)
        wrong = log.restore(believed, Changelog(log.known.incarnation, DAY_S))
        assert {f"key-{number}" for number in range(25)} == wrong.keys() - expected.keys()


# --- What others could read --------------------------------------------------------------------------------------------------

CANARY = "Kanaria Zwölf"
MMSI = "219099917"
LATITUDE, LONGITUDE = -11.734_561, 45.298_713


def guesses(day: str) -> set[bytes]:
    """Digests without a key of everything about the canary that somebody could guess, whole and cut short, in hexadecimal."""
    cells = [str(math.floor(number / 0.1)) for number in (LATITUDE, LONGITUDE)]
    words = [MMSI, CANARY, CANARY.casefold(), "kanariazwölf", "kanariazwo\u0308lf", "kanariazwolf", "KANARIA", "off Kanariabucht"]
    places = [sep.join((str(LATITUDE), str(LONGITUDE))) for sep in (",", ", ", " ", "\0")] + [
        sep.join(cells) for sep in (",", "\0")
    ]
    rule = real_pipeline().file.repeats[0].name
    places.append("\0".join((rule, "sighting", "comoros", "attack", day, *cells)))
    texts = [text.encode() for text in (*words, *places)]
    made = [
        hashlib.new(name, text).hexdigest() for name in ("md5", "sha1", "sha256", "sha512", "blake2b", "blake2s") for text in texts
    ]
    made += [hashlib.blake2b(text, digest_size=size).hexdigest() for size in (8, 12, 16, 20, 32) for text in texts]
    return {text[:24].encode() for text in made} | {text[:16].encode() for text in made}


BY_DIGEST: Final = frozenset({"bus.accept-reports.changelog", "bus.accept-ais.changelog", "bus.release.changelog"})
"""The changelogs of those that only need to know whether they have seen something."""


def test_no_changelog_holds_a_value_or_what_gives_it_away(own_broker: Broker, tmp_path: Path) -> None:
    """
    Neither the canary's name nor its place is in a changelog, nor a digest of them that could be made without the bus's key.

    Those that link reports and follow craft compare values, and so remember what names nobody of them: they are the bus's alone.

    Reports, a repeat, AIS and a recall have gone through all workers before, and left what they remember there.
    """
    event = {"type": "attack", "nature": "Observed"}
    where = {"latitude": LATITUDE, "longitude": LONGITUDE, "place": "off Kanariabucht", "fix": "visual"}
    seen = [
        sighting(f"canary-{number}", claims=[{"attribute": "name", "value": CANARY}], position=where, event=event)
        for number in range(2)
    ]
    heard = position("canary-ais", MMSI)
    known = guesses(seen[0]["times"]["observed"]["at"].date().isoformat())
    # What is guessed is what would stand there, were there no key.
    (trace,) = traces(real_pipeline().rules(b""), "sighting", CODEC.decode(CODEC.encode("sighting", seen[0])).value)
    assert {name.removeprefix("repeat:").encode() for name in (trace.keys[0], *trace.names)} <= known
    with running(own_broker.bootstrap, tmp_path, {}) as bus:
        for value in (*seen, heard):
            bus.send(national("sighting", value, at=now_ms()))
        bus.follow(lambda: all(bus.out(value["id"]) for value in (*seen, heard)), "the canary")
        bus.send(national("retraction", taken := recall(seen[0], "sighting"), at=now_ms()))
        bus.follow(lambda: bus.out(taken["id"]), "its recall")
        # Its readers may have it there: so it would be found.
        assert CANARY.encode() in b"".join(message.value for message in bus.messages if message.place[0] == "bus.sighting")
        found = [message for message in bus.messages if message.place[0] in BY_DIGEST]
        secret = bus.keys.state()

    assert BY_DIGEST == {one.place[0] for one in found}
    assert {b"id", b"repeat", b"had", b"track", b"gone"} == {message.key.partition(b":")[0] for message in found}
    whole = b"\n".join(part for message in found for part in (message.key, message.value))
    parts = [part.encode() for part in (CANARY, MMSI, "Kanaria", "kanaria", "Zwölf", "11.73", "45.29", "-118\0", "Kanariabucht")]
    values = [struct.pack(form, number) for form in ("<d", ">d", "<f") for number in (LATITUDE, LONGITUDE)]
    assert [] == [part for part in (*parts, *values, *known) if part in whole]
    assert secret not in whole
    assert secret.hex().encode() not in whole
    assert digest(secret, b"kanariazwolf").encode() in whole
