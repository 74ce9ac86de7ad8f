"""
The lag evaluator on a real Kafka, case by case beside Burrow and Kafka's own kafka-consumer-groups; and when the broker goes.
"""

from __future__ import annotations

import json
import struct
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest
from click.testing import CliRunner
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from prometheus_client import CollectorRegistry, generate_latest

from boutre.errors import Unavailable
from boutre.ops import jars
from boutre.ops.access import FOLLOWERS
from boutre.ops.broker import Broker, free_port
from boutre.ops.command import main
from boutre.ops.embedded import CLIENT, CONTROLLER
from boutre.ops.lag.board import Board
from boutre.ops.lag.declared import LagFile
from boutre.ops.lag.evaluator import Evaluator
from boutre.ops.lag.groups import Group, follower_group
from boutre.ops.lag.report import PartitionLag, Report
from boutre.ops.lag.search import FINEST_MS
from boutre.ops.lag_bus import watching
from boutre.ops.lag_watch import LagWatch
from boutre.ops.secure_broker import ROOT as SUPER
from boutre.ops.secure_broker import SECURE, SecureBroker
from burrow import PROGRAM, Burrow, Member, burrow, commit, old_kafka, serving
from lag_cases import CASES, LAST, Case

ROOT: Final = Path(__file__).parents[2]
OLD: Final = "OLD"
WINDOW: Final = 5
STEP_S: Final = 1.2
FILE: Final = LagFile(window=WINDOW, gone_s=2)

# Offsets behind which the rewound group's commits go back, so that the way back is still in the window at the end.
BACK: Final = LAST - 2

PREPARE: Final = -1


def client(address: str) -> dict[str, Any]:
    """A client's settings; one that outlives its broker for a moment says nothing of it."""
    return {"bootstrap.servers": address, "log_level": 0}


@dataclass
class Actor:
    """
    One case as it is played: a topic of one partition, who writes to it, and who reads it as a member of a group.
    """

    name: str
    address: str
    reader: Consumer | None = None
    writers: dict[str | None, Producer] = field(default_factory=dict)
    member: Member = field(default_factory=Member)

    def join(self) -> None:
        """Become a member, and wait for the partition."""
        self.reader = Consumer({**client(self.address), "group.id": self.name, "enable.auto.commit": False})
        self.reader.subscribe([self.name])

    def joined(self) -> None:
        """Wait until the partition is there."""
        assert self.reader is not None
        until = time.monotonic() + 60
        while not self.reader.assignment() and time.monotonic() < until:
            self.reader.poll(0.05)
        told: Any = self.reader.consumer_group_metadata()
        self.member = Member(str(self.reader.memberid()), struct.unpack_from("<i", told, len(b"CGMDv2:"))[0])

    def leave(self) -> None:
        """Go."""
        if self.reader is not None:
            self.reader.close()
        self.reader, self.member = None, Member()

    def write(self, count: int, transaction: str | None = None) -> None:
        """Write records, in a transaction that ends as said: committed, aborted, or open."""
        own = {} if transaction is None else {"transactional.id": f"{self.name}.{transaction}"}
        if (producer := self.writers.get(transaction)) is None:
            producer = self.writers[transaction] = Producer({**client(self.address), **own})
            if transaction is not None:
                producer.init_transactions(60)
        if transaction is not None:
            producer.begin_transaction()
        for _ in range(count):
            producer.produce(self.name, b"nothing of anybody")
        producer.flush(60)
        if transaction == "committed":
            producer.commit_transaction(60)
        elif transaction == "aborted":
            producer.abort_transaction(60)

    def at(self, offset: int) -> None:
        """Commit."""
        commit(self.address, self.name, self.name, [(0, offset)], self.member)


# What a case needs is there before its first step; a step is short, so that commits are as far apart as Burrow takes them to be.


def idle(actor: Actor, step: int) -> None:
    """Everything is read."""
    if step == PREPARE:
        actor.write(10)
    else:
        actor.at(10)


def slow(actor: Actor, step: int) -> None:
    """Half of what comes is read."""
    if step != PREPARE:
        actor.write(10)
        actor.at(5 * (step + 1))


def stalled(actor: Actor, step: int) -> None:
    """The same offset, again and again."""
    if step == PREPARE:
        actor.write(20)
    else:
        actor.at(5)


def stopped(actor: Actor, step: int) -> None:
    """Three of ten are read, then nobody is there."""
    if step == PREPARE:
        return
    actor.write(10)
    if step < 3:
        actor.at(3 * (step + 1))
    else:
        actor.leave()


def gone(actor: Actor, step: int) -> None:
    """Everything is read, then nobody is there, then more comes."""
    if step == PREPARE:
        actor.write(10)
    elif step < 3:
        actor.at(10)
    else:
        actor.leave()
        actor.write(5)


def rewound(actor: Actor, step: int) -> None:
    """Back, and on from there."""
    if step == PREPARE:
        actor.write(40)
    else:
        actor.at(10 + step if step < BACK else 3 + step - BACK)


def mark(actor: Actor, step: int) -> None:
    """Before the mark of a transaction."""
    if step == PREPARE:
        actor.write(10, "committed")
    else:
        actor.at(10)


def aborted(actor: Actor, step: int) -> None:
    """Before what was aborted."""
    if step == PREPARE:
        actor.write(5, "committed")
        actor.write(5, "aborted")
    else:
        actor.at(5)


def still_open(actor: Actor, step: int) -> None:
    """Before an open transaction."""
    if step == PREPARE:
        actor.write(5, "committed")
        actor.write(4, "open")
    else:
        actor.at(6)


def mixed(actor: Actor, step: int) -> None:
    """Before what was aborted, and behind that what was not."""
    if step == PREPARE:
        actor.write(3, "committed")
        actor.write(4, "aborted")
        actor.write(2, "committed")
    else:
        actor.at(3)


def remade(actor: Actor, step: int) -> None:
    """The topic goes, and comes again."""
    if step == PREPARE:
        actor.write(10)
    elif step == 0:
        actor.at(8)
    elif step == 2:
        admin = AdminClient(client(actor.address))  # held, since it ends with its last mention
        admin.delete_topics([actor.name])[actor.name].result(30)
    elif step == 4:
        make(actor.address, [actor.name])
        actor.write(3)


def never(actor: Actor, step: int) -> None:
    """Nobody ever comes."""
    if step == PREPARE:
        actor.write(4)


PLAYS: Final[Mapping[str, Callable[[Actor, int], None]]] = {
    play.__name__: play for play in (idle, slow, stalled, stopped, gone, rewound, mark, aborted, mixed, remade, never)
} | {"open": still_open}


def make(address: str, names: Sequence[str]) -> None:
    """Make topics of one partition, once those of the same names are gone."""
    admin = AdminClient(client(address))
    until = time.monotonic() + 30
    while set(names) & admin.list_topics(timeout=30).topics.keys() and time.monotonic() < until:
        time.sleep(0.1)
    for future in admin.create_topics([NewTopic(name, 1, 1) for name in names]).values():
        future.result(30)


@dataclass(frozen=True)
class Told:
    """
    What was said at the end of all cases: by the evaluator, by Burrow (None where it is not here), and by kafka-consumer-groups.
    """

    report: Report
    burrow: Mapping[str, dict[str, Any]] | None
    kafka: Mapping[str, tuple[int, int, int]]
    stamps: Mapping[str, int]

    def ours(self, name: str) -> PartitionLag:
        """What the evaluator says of a case."""
        return next(one.partitions[0] for one in self.report.groups if one.group.name == name)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """
    Play all cases side by side, and ask everybody. It takes a broker of its own, which an old client can reach through a proxy.
    """
    ports = {name: free_port() for name in (CLIENT, CONTROLLER, OLD)}
    proxy = free_port()
    advertised = f"{CLIENT}://127.0.0.1:{ports[CLIENT]},{OLD}://127.0.0.1:{proxy}"
    broker = Broker(ports=ports, listeners={OLD: "PLAINTEXT"}, properties={"advertised.listeners": advertised})
    try:
        tools()
        broker.start()
    except Unavailable as error:
        broker.close()
        pytest.skip(str(error))
    actors = [Actor(case.name, broker.bootstrap) for case in CASES]
    try:
        make(broker.bootstrap, [case.name for case in CASES])
        with serving(old_kafka(proxy, broker.address(OLD))):
            if PROGRAM.exists():
                folder = tmp_path_factory.mktemp("burrow")
                with burrow(folder, proxy, free_port(), window=WINDOW, distance=1) as second:
                    yield played(broker, actors, second)
            else:
                yield played(broker, actors, None)
    finally:
        for actor in actors:
            actor.leave()
            actor.writers.clear()
        broker.close()


def played(broker: Broker, actors: list[Actor], second: Burrow | None) -> Told:
    """Play the cases step by step, with a look of the evaluator after each."""
    for actor in actors:
        if actor.name not in {"never", "remade"}:
            actor.join()
    for actor in actors:
        if actor.reader is not None:
            actor.joined()
    groups = [Group(case.name, "processor", "bus", (case.name,)) for case in CASES]
    evaluator = Evaluator(groups, FILE)
    with watching(client(broker.bootstrap), [case.name for case in CASES], groups) as bus:
        for actor in actors:
            PLAYS[actor.name](actor, PREPARE)
        for step in range(LAST + 1):
            begun = time.monotonic()
            for actor in actors:
                PLAYS[actor.name](actor, step)
            report = evaluator.take(bus.look())
            time.sleep(max(0.0, STEP_S - (time.monotonic() - begun)))
    asked = None if second is None else {case.name: second.group(case.name) for case in CASES}
    stamps = {case.name: stamp(broker.bootstrap, case.name, case.first) for case in CASES if case.first is not None}
    return Told(report, asked, consumer_groups(broker.bootstrap), stamps)


def stamp(address: str, topic: str, offset: int) -> int:
    """The timestamp of a record, ms since 1970, as a plain reader finds it."""
    with Consumer({**client(address), "group.id": "stamp"}) as reader:
        reader.assign([TopicPartition(topic, 0, offset)])
        message = reader.poll(30)
        assert message is not None
        assert (offset, None) == (message.offset(), message.error())
        return int(message.timestamp()[1])


def tools() -> tuple[Path, ...]:
    """The jars of Kafka's own tools."""
    return jars.fetch((*jars.COORDINATES, f"org.apache.kafka:kafka-tools:{jars.KAFKA}"))


def consumer_groups(address: str) -> dict[str, tuple[int, int, int]]:
    """What kafka-consumer-groups says of every group that has committed: its offset, the end, and the lag."""
    command = [str(jars.java()), "-cp", ":".join(map(str, tools())), "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand"]
    command += ["--bootstrap-server", address, "--describe", "--all-groups", "--timeout", "60000"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    rows = (line.split() for line in done.stdout.splitlines())
    return {row[0]: (int(row[3]), int(row[4]), int(row[5])) for row in rows if len(row) >= 6 and all(map(str.isdigit, row[2:6]))}


every_case = pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])


@every_case
def test_what_the_evaluator_says(told: Told, case: Case) -> None:
    """Lag and status of each case; the age is that of the first record that a reader gets, by its own timestamp."""
    found = told.ours(case.name)
    seconds = None if case.first is None else (told.report.at - told.stamps[case.name]) / 1000

    assert case.ours == (found.lag, found.status.name)
    assert (0.0 if seconds is None else seconds) == found.seconds


@every_case
def test_what_kafka_says(told: Told, case: Case) -> None:
    """Kafka's own tool has the lag of the table; where it knows the group, offsets and ends are the same."""
    found = told.kafka.get(case.name)
    ours = told.ours(case.name)

    assert case.kafka == (None if found is None else found[2])
    if found is not None:
        assert found == (ours.committed, ours.bounds.end, ours.bounds.end - found[0])
    else:
        assert ours.committed is None


@every_case
def test_what_burrow_says(told: Told, case: Case) -> None:
    """Burrow has the status and the lag of the table: its own words for what it saw of the same commits."""
    if told.burrow is None:
        pytest.skip("Burrow is not installed; apt-get install burrow")
    partitions = told.burrow[case.name].get("partitions") or []
    found = [(one["current_lag"], one["status"]) for one in partitions]

    assert ([] if case.burrow[0] is None else [case.burrow]) == found


def test_where_it_differs_is_said() -> None:
    """Each case in which the tools do not agree says why; the others need no words."""
    for case in CASES:
        agree = case.ours == case.burrow and case.ours[0] == case.kafka
        assert agree == (not case.why), case.name


def test_the_broker_goes_and_comes(own_broker: Broker) -> None:
    """While it is away the last report stays up, and is said to be old; when it is back, lag goes on."""
    make(own_broker.bootstrap, ["t"])
    actor = Actor("t", own_broker.bootstrap)
    actor.write(9)
    actor.at(4)
    group = Group("t", "processor", "bus", ("t",))
    with watching(client(own_broker.bootstrap), ["t"], [group]) as bus:
        watch = LagWatch(bus, Evaluator([group], FILE), Board(time.time), 10, ("bus",))
        first = watch.look()
        registry = CollectorRegistry()
        registry.register(watch.series)
        own_broker.stop()
        with pytest.raises(Unavailable):
            watch.look()
        away, page = watch.board.standing, generate_latest(registry).decode()
        own_broker.start()
        back = again(watch)

    assert (True, False, True) == (first.up, away.up, back.up)
    assert first.report == away.report
    assert "boutre_lag_up 0.0" in page
    assert 'kafka_consumergroup_lag{consumergroup="t",partition="0",topic="t"} 5.0' in page
    assert back.report is not None
    assert [5] == [one.lag for one in back.report.groups]


def test_the_age_of_what_may_not_be_read(broker: Broker, unique: Callable[[str], str]) -> None:
    """Who may only describe a topic has the same lag, and its age to half a second; marks of transactions count for him."""
    names = [unique("read"), unique("denied")]
    make(broker.bootstrap, names)
    for name in names:
        actor = Actor(name, broker.bootstrap)
        actor.write(3)
        time.sleep(1.5)
        actor.write(1)
        actor.write(1, "committed")
        actor.at(3)
    groups = [Group(name, "processor", "bus", (name,)) for name in names]
    with watching(client(broker.bootstrap), names, groups) as bus:
        bus.reader._denied[names[1]] = time.monotonic()
        look = bus.look()
        right = stamp(broker.bootstrap, names[1], 3)
        for name in names:
            commit(broker.bootstrap, name, name, [(0, 5)])
        later = bus.look()

    found = {name: look.nexts[(name, 0), 3] for name in names}
    assert all(one is not None and one.offset == 3 for one in found.values())
    searched = found[names[1]]
    assert searched is not None
    assert abs(right - searched.timestamp) <= FINEST_MS
    # Behind the last record stands a mark: who reads knows that nothing is left, and who may not cannot tell it from a record.
    assert later.nexts[(names[0], 0), 5] is None
    assert later.nexts.get(((names[1], 0), 5)) is not None


def test_to_describe_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever keeps the bus going sees how far everybody is, and how old what they have not read is, and may read none of it."""
    secure = SecureBroker()
    try:
        secure.start()
    except Unavailable as error:
        secure.close()
        pytest.skip(str(error))
    try:
        passwords = tmp_path / "passwords"
        signed_in(monkeypatch, secure, tmp_path, SUPER, secure.password)
        run = CliRunner().invoke
        assert 0 == run(main, ["--bus", str(ROOT), "access", "apply", "--yes", "--passwords", str(passwords)]).exit_code
        assert 0 == run(main, ["--bus", str(ROOT), "topics", "apply", "--yes"]).exit_code
        producer = Producer({**secure.root(), "log_level": 0})
        producer.produce("bus.alert", b"x", timestamp=0)  # the broker gives the time of this topic
        producer.flush(30)
        password = (passwords / "staff.operations.password").read_text(encoding="utf-8").strip()
        signed_in(monkeypatch, secure, tmp_path, "staff.operations", password)
        begun = time.time()
        told = run(main, ["--bus", str(ROOT), "lag", "--output", "json"])
    finally:
        secure.close()

    assert 0 == told.exit_code, told.output
    assert "lag.may-not-read" in told.stderr
    found = {one["group"]: one for one in json.loads(told.stdout)["groups"]}
    assert 1 == found["boutre-release"]["lag"]
    assert 0 <= found["boutre-release"]["lag_seconds"] < 600 + time.time() - begun


def signed_in(monkeypatch: pytest.MonkeyPatch, secure: SecureBroker, folder: Path, principal: str, password: str) -> None:
    """Let commands sign in as somebody."""
    secret = folder / f"{principal}.secret"
    secret.write_text(password, encoding="utf-8")
    kafka = {
        "BOOTSTRAP_SERVERS": secure.broker.address(SECURE),
        "SECURITY_PROTOCOL": "SASL_SSL",
        "SASL_MECHANISM": "SCRAM-SHA-512",
        "SASL_USERNAME": principal,
        "SASL_PASSWORD_FILE": str(secret),
        "SSL_CA_LOCATION": str(secure.ca),
        "REPLICATION_FACTOR": "1",
    }
    for name, value in kafka.items():
        monkeypatch.setenv(f"BOUTRE_KAFKA__{name}", value)
    monkeypatch.setenv("BOUTRE_STATE", str(folder))
    monkeypatch.setenv("BOUTRE_KEYS", str(folder / "keys"))


def again(watch: LagWatch) -> Any:
    """Look until the broker answers."""
    until = time.monotonic() + 60
    while True:
        try:
            return watch.look()
        except Unavailable:
            if time.monotonic() > until:
                raise


def test_the_command_on_a_whole_bus(own_broker: Broker, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """
    `boutre lag` names every declared group; with nothing to read all are OK, and a record that nobody reads is one behind.
    """
    monkeypatch.setenv("BOUTRE_KAFKA__BOOTSTRAP_SERVERS", own_broker.bootstrap)
    monkeypatch.setenv("BOUTRE_KAFKA__REPLICATION_FACTOR", "1")
    monkeypatch.setenv("BOUTRE_STATE", str(tmp_path))
    monkeypatch.setenv("BOUTRE_KEYS", str(tmp_path / "keys"))
    run = CliRunner().invoke
    before = run(main, ["--bus", str(ROOT), "lag", "--output", "json"])
    assert 0 == run(main, ["--bus", str(ROOT), "topics", "apply", "--yes"]).exit_code
    quiet = run(main, ["--bus", str(ROOT), "lag", "--output", "json"])
    producer = Producer(client(own_broker.bootstrap))
    producer.produce("bus.alert", b"x")
    producer.flush(30)
    commit(own_broker.bootstrap, "rcoc.own", "for.rcoc.alert", [(0, 0)])
    loud = run(main, ["--bus", str(ROOT), "lag", "--output", "json"])
    shown = run(main, ["--bus", str(ROOT), "lag"])

    assert (1, 0, 0) == (before.exit_code, quiet.exit_code, loud.exit_code), quiet.output[-3000:]
    assert {"ERR", None} == {one["status"] for one in json.loads(before.stdout)["groups"]}
    found = {one["group"]: one for one in json.loads(loud.stdout)["groups"]}
    assert {"boutre-release": 1} == {name: one["lag"] for name, one in found.items() if one["lag"]}
    assert set(map(follower_group, FOLLOWERS)) == {name for name, one in found.items() if not one["seen"]}
    assert [("rcoc.own", "rcoc")] == [(one["group"], one["owner"]) for one in json.loads(loud.stdout)["undeclared"]]
    assert "boutre-release" in shown.stdout
