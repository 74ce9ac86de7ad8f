"""
Who may do what, on a real Kafka with TLS, passwords and an authorizer: every principal by every resource by every operation.

What is expected is worked out here, from writers and readers of the topics and from the graph of the processors, by other code than
that which makes the rules. What counts as proof, for each operation (`access_probe.py` sends the requests as they are, past every
client library):

- **read**: the broker hands out the first record of the topic, which was put there before; a no is error 29 and not one byte.
- **write**: the broker takes a record, and afterwards each topic has grown by as many records as there are who may write.
- **describe**: the topic is named to somebody who asks for all topics, answers by its name, and tells where it ends.
- **create, alter, alter-configs**: the request passes as "to be validated only", which asks for the same right and changes nothing.
- **describe-configs**: the settings are told. **delete**: asked for in earnest, of every topic and group, since nobody may.
- **groups**: found and described (describe); a heartbeat as a member of it is answered "no such member" and not "not yours" (read).
- **transactional ids**: found (describe); a producer id is handed out for it (write).
- **cluster**: the rules are shown (describe); a rule is taken (alter): all but the admin ask for the right to read everything.

Somebody with a password and no rules, and somebody who comes without any name, are asked the same.
"""

from __future__ import annotations

import asyncio
import json
import os
import ssl
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import pytest
from aiokafka.errors import KafkaError
from click.testing import CliRunner, Result
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from access_probe import DENIED, Asked, Login, Probe, ran
from boutre.connectors.kafka_views import Reader
from boutre.errors import Unavailable
from boutre.ops import access_command
from boutre.ops.access_cluster import Authorizer
from boutre.ops.access_plan import Entry
from boutre.ops.assembly import assemble
from boutre.ops.broker import Broker
from boutre.ops.command import main
from boutre.ops.secure_broker import CERTIFIED, ORGANISATION, ROOT, SECURE, SecureBroker
from boutre.processors.edges import Edge
from boutre.topics.bus import Declarations
from boutre.topics.topic import Topic
from records import CODEC, kwassa

REPOSITORY: Final = Path(__file__).parents[2]

FOREIGN: Final = "weather.forecast"
MISSING: Final = "weather.nowhere"
"""A topic of somebody else on the same cluster, and one that is not there."""

STRANGER: Final = "stranger"
NAMELESS: Final = "nobody at all"
BY_CERTIFICATE: Final = "member.comoros by its certificate"

NOT_OURS: Final = ("weather.desk", "rmifc-desk", "boutre-release-2", "member.desk")
"""Groups whose names are almost those of parties and processors."""

FOLLOWERS = ("again", "answers", "audit", "cases", "records")
"""What runs beside the processors under a principal of its own."""

NAMING_A_GROUP = ("audit", "records")
"""Those of them whose client looks for a group by its name; the others read without one."""

NO_IDS: Final = ("boutre-release", "boutre-release-99", "boutre-release-0-0", "boutre-accept-reports-1", "boutre-accept-reports-01")
"""Transactional ids that are almost a processor's: without a partition, of one that its input does not have, of another step."""

YES: Final[Mapping[tuple[str, str], int]] = {
    ("topic", "create"): 36,  # it is there already
    ("group", "read"): 25,  # no such member
}
"""The codes by which Kafka says yes to a question that is not meant to do anything; every other yes is 0."""


@dataclass(frozen=True, slots=True)
class Ground:
    """
    The cluster with the rules and topics of this repository's bus, made by the command, and everybody's password.
    """

    secure: SecureBroker
    bus: Declarations
    edges: tuple[Edge, ...]
    folder: Path

    def password(self, principal: str) -> str:
        """The password that the command made."""
        if principal == ROOT:
            return self.secure.password
        return (self.folder / "passwords" / f"{principal}.password").read_text(encoding="utf-8").strip()

    def login(self, principal: str) -> Login:
        """How a principal comes in by its password."""
        context = ssl.create_default_context(cafile=str(self.secure.ca))
        return Login(self.secure.broker.ports[SECURE], "SASL_SSL", context, principal, self.password(principal))

    def certified(self, name: str, organisation: str | None) -> Login:
        """How somebody comes in by a certificate of that name."""
        pair = self.secure.authority.pair(name, self.folder / f"{name}-{organisation}.pem", organisation=organisation)
        context = ssl.create_default_context(cafile=str(self.secure.ca))
        context.load_cert_chain(pair)
        return Login(self.secure.broker.ports[CERTIFIED], "SSL", context)

    def environment(self, principal: str) -> dict[str, str]:
        """What a program of this principal is told."""
        password = self.folder / f"{principal}.secret"
        password.write_text(self.password(principal), encoding="utf-8")
        kafka = {
            "BOOTSTRAP_SERVERS": self.secure.broker.address(SECURE),
            "SECURITY_PROTOCOL": "SASL_SSL",
            "SASL_MECHANISM": "SCRAM-SHA-512",
            "SASL_USERNAME": principal,
            "SASL_PASSWORD_FILE": str(password),
            "SSL_CA_LOCATION": str(self.secure.ca),
            "REPLICATION_FACTOR": "1",
        }
        own = {"BOUTRE_STATE": str(self.folder / principal), "BOUTRE_KEYS": str(self.folder / "keys")}
        return {**own, **{f"BOUTRE_KAFKA__{name}": value for name, value in kafka.items()}}

    def run(self, principal: str, *words: str) -> Result:
        """Run a command as this principal, in this process."""
        return CliRunner().invoke(main, ["--bus", str(self.bus.root), *words], env=self.environment(principal))


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """
    The cluster: rules and passwords by a super user with `boutre access apply`, then topics by the admin with its own rights alone.
    """
    secure = SecureBroker()
    try:
        secure.start()
    except Unavailable as error:
        secure.close()
        pytest.skip(str(error))
    assembly = assemble(REPOSITORY)
    read_once = pytest.MonkeyPatch()
    read_once.setattr(access_command, "assemble", lambda _root: assembly)
    made = Ground(secure, assembly.declarations, assembly.pipeline.edges, tmp_path_factory.mktemp("access"))
    try:
        applied = made.run(ROOT, "access", "apply", "--yes", "--passwords", str(made.folder / "passwords"))
        assert 0 == applied.exit_code, applied.output
        root = Authorizer(secure.root())
        (made.folder / "passwords" / f"{STRANGER}.password").write_text("nothing-for-me")
        root.set_passwords({STRANGER: "nothing-for-me"})
        topics = made.run("staff.admin", "topics", "apply", "--yes")
        assert 0 == topics.exit_code, topics.output
        admin = AdminClient(secure.root())
        admin.create_topics([NewTopic(FOREIGN, 1, 1)])[FOREIGN].result(30)
        yield made
    finally:
        read_once.undo()
        secure.close()


# --- What the declarations say ------------------------------------------------------------------------------------------


def of_topic(ground: Ground, principal: str, topic: Topic) -> set[str]:
    """
    What a principal may do with a declared topic, by its writers and readers and by the graph.
    """
    kind, _, name = principal.partition(".")
    by_party = {
        word: party
        for word, parties in (("read", topic.readers), ("write", topic.writers))
        for party in parties
        if (kind, party) in {("member", topic.member), ("recipient", topic.recipient)} and party == name
    }
    if kind == "bus" and name in FOLLOWERS:
        return of_follower(name, topic.name)
    if kind == "bus":
        edge = next(edge for edge in ground.edges if edge.name == name)
        if topic.name == edge.changelog:
            return {"read", "write", "describe-configs"}
        found = {"read"} if topic.name in edge.reads and "bus" in topic.readers else set()
        return found | ({"write"} if topic.name in edge.writes and "bus" in topic.writers else set())
    if principal == "staff.operations":
        return {"describe", "describe-configs", *(("read",) if "operations" in topic.readers else ())}
    return {"describe", "describe-configs", "create", "alter", "alter-configs"} if principal == "staff.admin" else set(by_party)


def of_follower(name: str, topic: str) -> set[str]:
    """
    What one who follows beside the processors may do with a topic.
    """
    if name == "cases":
        reports = topic.startswith("national.") and topic.endswith((".sighting", ".interception", ".alert"))
        return {"read"} if reports or topic == "bus.retraction" else set()
    if name == "audit":
        return {"read"} if topic == "bus.receipt" else set()
    if name == "again":
        stopped = topic in {f"bus.{kind}" for kind in ("sighting", "interception", "alert", "retraction")}
        return {"read", "write"} if stopped or topic.startswith(("bus.offer.", "bus.said", "bus.meeting.", "bus.found.")) else set()
    if name == "records":
        accepted = topic in {"bus.sighting", "bus.interception", "bus.alert", "bus.retraction"}
        return {"read"} if accepted or topic.startswith("bus.found.") else set()
    told = {"read"} if topic in {"bus.receipt", "bus.retraction"} or topic.startswith(("from.", "replies.")) else set()
    return told | ({"write"} if topic.startswith(("asked.", "replied.")) else set())


def of_group(ground: Ground, principal: str, group: str) -> set[str]:
    """
    What a principal may do with a consumer group.
    """
    kind, _, name = principal.partition(".")
    owner = {
        **{f"boutre-{edge.name}": f"bus.{edge.name}" for edge in ground.edges},
        **{f"member.{one}.desk": f"member.{one}" for one in ground.bus.members},
        **{f"{one}.desk": f"recipient.{one}" for one in ground.bus.recipients},
        "operations.desk": "staff.operations",
        **{f"boutre.{name}": f"bus.{name}" for name in NAMING_A_GROUP},
    }.get(group)
    if owner is None:
        return set()
    if owner == principal:
        return {"read"}
    if principal == "staff.operations":
        return {"describe"}
    if kind == "bus" and name not in FOLLOWERS and group.startswith("boutre-"):
        mine = next(edge for edge in ground.edges if edge.name == name)
        theirs = next(edge for edge in ground.edges if f"bus.{edge.name}" == owner)
        return {"describe"} if mine.writes & set(theirs.reads) else set()
    return set()


def of_transactions(ground: Ground, principal: str, name: str) -> set[str]:
    """
    What a principal may do with a transactional id.
    """
    for edge in ground.edges:
        for partition in range(ground.bus.topics[edge.changelog].partitions):
            if name == f"boutre-{edge.name}-{partition}" and principal == f"bus.{edge.name}":
                return {"write"}
    return set()


def may(ground: Ground, principal: str, asked: Asked) -> bool:
    """
    Whether the declarations let a principal do what was asked; to read, write, create or alter is to describe as well.
    """
    resource, name, question = asked
    operation = question.partition(" ")[0]
    if resource == "topic":
        topic = ground.bus.topics.get(name)
        given = set() if topic is None else of_topic(ground, principal, topic)
    elif resource == "group":
        given = of_group(ground, principal, name)
    elif resource == "transactional-id":
        given = of_transactions(ground, principal, name)
    else:
        given = {"describe", "alter"} if principal == "staff.admin" else set()
    if given & {"read", "write", "create", "alter"}:
        given.add("describe")
    return operation in given


def groups_of(ground: Ground) -> list[str]:
    """
    Every group of the declarations, one for each party that names its own, and some that are nobody's.
    """
    parties = [*(f"member.{one}" for one in ground.bus.members), *ground.bus.recipients, "operations"]
    followers = [f"boutre.{name}" for name in FOLLOWERS]
    return [*(f"boutre-{edge.name}" for edge in ground.edges), *followers, *(f"{one}.desk" for one in parties), *NOT_OURS]


def ids_of(ground: Ground) -> list[str]:
    """
    Every transactional id of the declarations, and some that are nobody's.
    """
    counts = {edge.name: ground.bus.topics[edge.changelog].partitions for edge in ground.edges}
    return [*(f"boutre-{name}-{one}" for name, count in counts.items() for one in range(count)), *NO_IDS]


def everybody(ground: Ground) -> dict[str, Login]:
    """
    Who is asked: every principal by its password, one by its certificate as well, and two who may do nothing.
    """
    parties = [*(f"member.{one}" for one in ground.bus.members), *(f"recipient.{one}" for one in ground.bus.recipients)]
    bus = [*(edge.name for edge in ground.edges), *FOLLOWERS]
    names = [*parties, *(f"bus.{name}" for name in bus), "staff.operations", "staff.admin", STRANGER]
    logins = {name: ground.login(name) for name in names}
    logins[BY_CERTIFICATE] = ground.certified("member.comoros", ORGANISATION)
    logins[NAMELESS] = Login(ground.secure.broker.ports["CLIENT"])
    return logins


async def ask_all(ground: Ground) -> tuple[dict[str, Probe], Counter[str]]:
    """
    Ask everybody everything, all at the same time; gives the answers, and by how many records each topic grew.
    """
    counts = {name: topic.partitions for name, topic in ground.bus.topics.items()} | {FOREIGN: 1, MISSING: 1}
    groups, ids = groups_of(ground), ids_of(ground)
    async with ground.login(ROOT).connection() as connection:
        root = Probe(connection)
        # There is something to read in every topic, and every coordinator has awoken.
        await root.fill(ground.bus.topics)
        for group in groups:
            await root.group(group)
        for name in NO_IDS:
            await root.transaction(name)
        before = await root.ends(counts)

        async def ask(name: str, login: Login) -> tuple[str, Probe]:
            async with login.connection() as own:
                probe = Probe(own)
                me = name.partition(" ")[0]
                await probe.everything(counts, groups, ids, me, grants=name != "staff.admin")
                return name, probe

        answers = dict(await asyncio.gather(*(ask(name, login) for name, login in everybody(ground).items())))
        after = await root.ends(counts)
    return answers, Counter({name: after[name] - before[name] for name in ground.bus.topics})


@pytest.fixture(scope="module")
def matrix(ground: Ground) -> tuple[dict[str, Probe], Counter[str]]:
    """
    What everybody was told.
    """
    return ran(ask_all(ground))


async def filled(ground: Ground, topics: list[str]) -> None:
    """
    Put a record into each of these topics.
    """
    async with ground.login(ROOT).connection() as connection:
        await Probe(connection).fill(topics)


# --- The matrix -----------------------------------------------------------------------------------------------------------


def test_everybody_may_do_what_is_declared_and_nothing_else(ground: Ground, matrix: tuple[dict[str, Probe], Counter[str]]) -> None:
    """
    Each answer is a yes where the declarations say so, and Kafka's own no everywhere else; nothing else comes back.

    A no gives not one byte of a record; a yes to write is a record more. Who asks for all topics is shown those that it may
    describe and no other, and what it may not describe answers as what is not there: nobody can find out which topics there are.
    """
    answers, grown = matrix

    wrong = []
    expected_growth: Counter[str] = Counter()
    for name, probe in answers.items():
        principal = name.partition(" ")[0]
        for asked, code in probe.codes.items():
            resource, topic, operation = asked
            allowed = may(ground, principal, asked)
            expected = YES.get((resource, operation), 0) if allowed else DENIED[resource]
            if code != expected:
                wrong.append((name, *asked, expected, code))
            if resource == "topic" and operation == "write" and allowed:
                expected_growth[topic] += 1
        shown = {topic for topic in ground.bus.topics if may(ground, principal, ("topic", topic, "describe"))}
        assert shown == probe.seen, name
        assert {topic for topic in ground.bus.topics if may(ground, principal, ("topic", topic, "read"))} == {
            topic for topic, content in probe.fetched.items() if content
        }, name
        hidden = (set(ground.bus.topics) - shown) | {FOREIGN}
        operations = {operation for resource, _, operation in probe.codes if resource == "topic"}
        told = {topic: {probe.codes["topic", topic, operation] for operation in operations} for topic in hidden | {MISSING}}
        assert dict.fromkeys(told, told[MISSING]) == told, name

    assert [] == wrong
    assert expected_growth == grown


def test_nothing_is_left_out_of_the_matrix(ground: Ground, matrix: tuple[dict[str, Probe], Counter[str]]) -> None:
    """
    Every principal is asked for every operation on every topic, group and transactional id, and each may do something.
    """
    answers, _ = matrix

    topics, groups, ids = len(ground.bus.topics) + 2, len(groups_of(ground)), len(ids_of(ground))
    assert {9 * topics + 4 * groups + 2 * ids + 3} == {len(probe.codes) for probe in answers.values()}
    assert {STRANGER, NAMELESS} == {
        name for name, probe in answers.items() if not any(may(ground, name.partition(" ")[0], asked) for asked in probe.codes)
    }


# --- Who comes in -----------------------------------------------------------------------------------------------------------


async def refused(login: Login) -> bool:
    """
    Whether somebody is not let in at all: no question is answered, not even which requests there are.
    """
    try:
        async with login.connection() as connection:
            probe = Probe(connection)
            await probe.look([MISSING])
            return False
    except (KafkaError, OSError):
        return True


def test_nobody_comes_in_without_tls_and_the_right_password(ground: Ground) -> None:
    """
    A wrong password, another's password, an unknown user, and a client that does not speak TLS: none is let in.
    """
    right = ground.login("recipient.rmifc")
    wrong = {
        "a wrong password": replace(right, password="something-else"),
        "another's password": replace(right, password=ground.password("recipient.rcoc")),
        "no password": replace(right, password=""),
        "an unknown user": replace(right, username="recipient.nobody"),
        "a password in the clear": replace(right, protocol="SASL_PLAINTEXT", context=None, patience_s=2),
        "nothing but TLS": replace(right, protocol="SSL", patience_s=2),
        "nothing at all": Login(right.port, patience_s=2),
    }

    async def ask() -> dict[str, bool]:
        return dict(zip(wrong, await asyncio.gather(*map(refused, wrong.values())), strict=True))

    assert dict.fromkeys(wrong, True) == ran(ask())
    assert not ran(refused(right))


def test_a_certificate_is_somebody_only_by_its_whole_name(ground: Ground) -> None:
    """
    A certificate of the right authority whose name is not of the form of the rule is refused, and is no principal of its own.
    """
    names = [
        ("member.comoros", None),
        ("member.comoros", "Elsewhere"),
        (f"member.comoros,O={ORGANISATION}", "Elsewhere"),
        (ROOT, ORGANISATION),
        ("broker", None),
        ("broker", ORGANISATION),
        ("member.comoros.desk", ORGANISATION),
    ]

    async def ask() -> list[bool]:
        none = Login(ground.secure.broker.ports[CERTIFIED], "SSL", ssl.create_default_context(cafile=str(ground.secure.ca)))
        return await asyncio.gather(*(refused(ground.certified(*one)) for one in names), refused(none))

    assert [True] * (len(names) + 1) == ran(ask())
    assert not ran(refused(ground.certified("member.comoros", ORGANISATION)))


# --- The commands -----------------------------------------------------------------------------------------------------------


def told(result: Result) -> dict[str, Any]:
    """
    The answer of a command with --output json.
    """
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


def test_drift_is_seen_and_taken_back_only_when_asked(ground: Ground) -> None:
    """
    The admin, with its own rights alone, sees and mends what was done by hand; what is denied, or is not the bus's own, stays.
    """
    lost = Entry("User:recipient.rmifc", "topic", "for.rmifc.alert", "literal", "read")
    surplus = [
        Entry("User:intern", "topic", "for.rmifc.alert", "literal", "read"),
        Entry("User:member.gone", "topic", "national.comoros.sighting", "literal", "write"),
        Entry("User:recipient.rcoc", "group", "rmifc.", "prefixed", "read"),
    ]
    left = [
        Entry("User:member.comoros", "topic", "national.comoros.sighting", "literal", "write", "deny"),
        Entry("User:mirror", "topic", "*", "literal", "read"),
    ]
    passed_over = [Entry("User:weather", "topic", "weather.", "prefixed", "read")]
    root = Authorizer(ground.secure.root())
    assert 0 == ground.run("staff.admin", "access", "drift").exit_code
    root.grant([*surplus, *left, *passed_over])
    root.revoke([lost])
    try:
        drift = ground.run("staff.admin", "access", "drift", "--output", "json")
        mended = ground.run("staff.admin", "access", "apply", "--yes")
        after = told(ground.run("staff.admin", "access", "plan", "--output", "json"))
        removed = ground.run("staff.admin", "access", "apply", "--yes", "--remove")
        rest = told(ground.run("staff.admin", "access", "drift", "--output", "json"))
        there = root.entries()
    finally:
        root.revoke([*surplus, *left, *passed_over])

    assert (1, 0, 0) == (drift.exit_code, mended.exit_code, removed.exit_code)
    assert [asdict(lost)] == told(drift)["create"]
    assert sorted(surplus) == sorted(Entry(**one) for one in told(drift)["surplus"])
    assert ([], 3, 2) == (after["create"], len(after["surplus"]), len(after["left"]))
    assert ([], [], 2) == (rest["create"], rest["surplus"], len(rest["left"]))
    assert there.isdisjoint(surplus)
    assert there.issuperset([lost, *left, *passed_over])
    assert 0 == ground.run("staff.admin", "access", "drift").exit_code


def test_who_may_not_see_the_rules_is_told_so(ground: Ground, broker: Broker) -> None:
    """
    A member that asks for the plan is told whom to sign in as; a cluster without an authorizer is called by its name.
    """
    asked = ground.run("member.comoros", "access", "plan")

    assert 3 == asked.exit_code
    assert "staff.admin" in asked.stderr
    with pytest.raises(Unavailable, match="no authorizer"):
        Authorizer({"bootstrap.servers": broker.bootstrap}).entries()


def test_passwords_are_made_once(ground: Ground) -> None:
    """
    A second apply leaves every password as it is; who has no file gets a new one, which works, and nobody else may read the file.
    """
    folder = ground.folder / "passwords"
    before = {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}
    (folder / "member.france.password").unlink()

    ground.run("staff.admin", "access", "apply", "--yes", "--passwords", str(folder))

    after = {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}
    assert {"member.france.password"} == {name for name in before if before[name] != after[name]}
    assert {0o600} == {path.stat().st_mode & 0o777 for path in folder.iterdir() if STRANGER not in path.name}
    deadline = time.monotonic() + 20
    while ran(refused(ground.login("member.france"))):  # the broker hears of it a moment after the controller
        assert time.monotonic() < deadline


# --- A record goes through ----------------------------------------------------------------------------------------------------


def test_a_record_goes_through_with_everybody_by_its_own_rights_alone(ground: Ground) -> None:
    """
    Connector, both workers and recipient each sign in as themselves, and a report comes out as a view at the end.
    """
    command = [sys.executable, "-m", "boutre", "--bus", str(ground.bus.root)]
    environments = {name: {**os.environ, **ground.environment(name)} for name in ("bus.accept-reports", "bus.release")}
    connector = {**os.environ, **ground.environment("member.mauritius")}
    assert 0 == ground.run("member.mauritius", "keys", "dev").exit_code
    with ExitStack() as stack:
        for name, environment in environments.items():
            log = stack.enter_context((ground.folder / f"{name}.log").open("wb"))
            arguments = [*command, "worker", name.removeprefix("bus."), "--metrics-port", "0"]
            worker = subprocess.Popen(arguments, stdout=log, stderr=log, env=environment)
            stack.callback(worker.wait, 30)
            stack.callback(worker.terminate)
        published = [*command, "connector", "run", "mauritius-ops-room", "--once"]
        subprocess.run(published, check=True, capture_output=True, env=connector)
        config = ground.secure.client("recipient.rmifc", ground.password("recipient.rmifc"))
        topics = [topic.name for topic in ground.bus.topics.values() if topic.recipient == "rmifc"]
        with Reader(config, topics, group="rmifc.desk") as views:
            deadline = time.monotonic() + 90
            view = None
            while (view is None or view.data is None) and time.monotonic() < deadline:  # the matrix left records without a value
                view = views.poll(1)
            if view is not None:
                views.done(view.topic, view.partition, view.offset)
                views.commit()
    logs = "".join((ground.folder / f"{name}.log").read_text(encoding="utf-8") for name in environments)

    assert view is not None, logs[-3000:]
    assert view.data is not None, logs[-3000:]
    assert not [name for name in environments if ground.password(name) in logs]


@pytest.mark.parametrize("name", ["answers", "audit", "cases"])
def test_who_follows_beside_the_processors_does_so_by_its_own_rights_alone(ground: Ground, name: str) -> None:
    """
    Over TLS, as itself, it reads what stands on its topics to the end; as another one it is told that they are not its own.
    """
    ran(filled(ground, list(ground.bus.topics)))
    assert 0 == ground.run(f"bus.{name}", "keys", "dev").exit_code
    done = ground.run(f"bus.{name}", name, "follow", "--once")
    other = ground.run("recipient.rmifc", name, "follow", "--once")

    assert 0 == done.exit_code, done.output
    assert json.loads(done.stdout.splitlines()[-1])["taken"] > 0
    assert 3 == other.exit_code
    assert "not yours to read" in other.stderr


def test_a_member_sees_its_own_rejects_and_nobody_elses(ground: Ground) -> None:
    """
    A member's rejects are counted for itself alone; operations see those of the bus, and who may put records again sees none.
    """
    rejects = [("member.comoros", "--member", "comoros"), ("staff.operations", "--bus")]
    others = [
        ("member.mauritius", "--member", "comoros"),
        ("member.comoros", "--bus"),
        ("staff.operations", "--member", "comoros"),
        ("bus.again", "--bus"),
        ("bus.again", "--member", "comoros"),
    ]

    ran(filled(ground, ["rejects.comoros", "rejects.bus"]))
    own = [ground.run(*one[:1], "rejects", "list", *one[1:]) for one in rejects]
    refused = [ground.run(*one[:1], "rejects", "list", *one[1:]) for one in others]

    assert [0, 0] == [done.exit_code for done in own], [done.output for done in own]
    assert [3] * len(others) == [done.exit_code for done in refused]
    assert not any(done.stdout for done in refused)


def test_who_may_put_a_record_again_does_so_from_a_list(ground: Ground, tmp_path: Path) -> None:
    """
    Operations may not: a list goes from who reads the dead letters to who writes to the bus, and one record more stands there.
    """
    value = kwassa(victims=None, suspects=None)
    stood: list[Any] = []
    producer = Producer({**ground.secure.root(), "log_level": 0})
    frame = CODEC.encode("interception", value)
    producer.produce("bus.interception", frame, b"comoros", 0, on_delivery=lambda _, message: stood.append(message.offset()))
    assert 0 == producer.flush(30)
    told = {"id": "r", "record": value["id"], "member": "bus", "kind": "interception", "stage": "release", "code": "internal-error"}
    listed = {**told, "field": None, "feed": None, "at": "2026-09-20T22:40:00Z", "source": f"bus.interception/0/{stood[0]}"}
    (tmp_path / "dead.json").write_text(json.dumps([listed]), encoding="utf-8")
    words = ("rejects", "send-again", "--bus", "--from", str(tmp_path / "dead.json"), "--output", "json")

    others = [ground.run(one, *words) for one in ("staff.operations", "bus.records")]
    done = ground.run("bus.again", *words)

    assert [3, 3] == [one.exit_code for one in others], [(one.output, one.exception) for one in others]
    assert 0 == done.exit_code, done.output
    assert ["sent"] == [one["result"] for one in json.loads(done.stdout)]


def test_a_recipient_reads_without_a_group_and_by_its_own_groups_alone(ground: Ground) -> None:
    """
    Who only looks needs no group; a group of another recipient, also one whose name merely begins alike, is not given.
    """
    config = ground.secure.client("recipient.rmifc", ground.password("recipient.rmifc"))
    topics = ["for.rmifc.alert"]
    ran(filled(ground, topics))

    with Reader({**config, "group.id": "rmifc.nobody"}, topics, group=None, until_end=True) as looked:
        found = looked.poll(20)
    for group in ("rcoc.desk", "rmifc-desk", "boutre-release"):
        with pytest.raises(Unavailable, match=f"{group} is not yours"), Reader(config, topics, group=group) as views:
            views.poll(20)

    assert found is not None
    with pytest.raises(Unavailable, match="missing or not yours"), Reader(config, ["for.rcoc.alert"], group=None):
        pass
