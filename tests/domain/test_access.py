"""
The access rules, without a cluster: whatever is declared, nobody gets what is another's, and a plan does no more than it says.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any, Final

import jsonschema
import pytest
from click.testing import CliRunner
from hypothesis import assume, event, given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from boutre.errors import DeclarationError
from boutre.ops import access_matrix
from boutre.ops.access import ADMIN, OPERATIONS, SPACES, Rule, overlap, principals, wanted
from boutre.ops.access_plan import Entry, entries, plan
from boutre.ops.access_strimzi import LONGEST_NAME, users, yaml
from boutre.ops.assembly import assemble
from boutre.ops.command import main
from boutre.ops.secure_broker import NAMES
from boutre.processors.edges import Edge
from boutre.topics.bus import Declarations
from boutre.topics.topic import Topic

ROOT: Final = Path(__file__).parents[2]
SCHEMA: Final = ROOT / "tests" / "domain" / "strimzi-1.2.0-kafkauser.json"

BUS: Final = assemble(ROOT)
EDGES: Final = BUS.pipeline.edges
RULES: Final = wanted(BUS.declarations, EDGES)

# Few ids, of which some begin as others do, and some as groups and principals do.
IDS: Final = ("a", "a-b", "ab", "boutre", "boutre-x", "member", "recipient", "staff", "x-member")
STEPS: Final = ("x", "x-1", "x-1-0", "admin", "operations")


def topic(name: str, *, member: str | None = None, recipient: str | None = None, **more: Any) -> Topic:
    """
    A topic as it might be declared.
    """
    made = replace(next(iter(BUS.declarations.topics.values())), name=name, pattern=name, member=member, recipient=recipient)
    return replace(made, **more)


@st.composite
def declared(draw: st.DrawFn) -> tuple[Declarations, tuple[Edge, ...]]:
    """
    A bus whose topics may name anybody as writers and readers, and whose processors may read and write anything.
    """
    members = draw(st.lists(st.sampled_from(IDS), min_size=1, max_size=3, unique=True))
    recipients = draw(st.lists(st.sampled_from(IDS), min_size=1, max_size=3, unique=True))
    parties = ["bus", "operations", *members, *recipients]
    named = []
    for name, member, recipient in [
        *((f"national.{one}.s", one, None) for one in members),
        *((f"for.{one}.s", None, one) for one in recipients),
        ("bus.s", None, None),
        ("bus.memory", None, None),
    ]:
        own = [one for one in (member, recipient, "bus") if one is not None]
        some = st.lists(st.sampled_from(draw(st.sampled_from([own, own, own, parties]))), min_size=1, max_size=2, unique=True)
        readers, writers = (("bus",), ("bus",)) if name == "bus.memory" else (tuple(draw(some)), tuple(draw(some)))
        partitions = draw(st.integers(1, 3))
        named.append(topic(name, member=member, recipient=recipient, readers=readers, writers=writers, partitions=partitions))
    anything = draw(st.integers(0, 9)) == 0
    read = [one.name for one in named if anything or "bus" in one.readers]
    written = [one.name for one in named if anything or "bus" in one.writers]
    edges = tuple(
        Edge(
            "accept",
            step,
            tuple(draw(st.lists(st.sampled_from(read), min_size=1, max_size=2, unique=True))),
            frozenset(draw(st.lists(st.sampled_from(written), max_size=2))),
            "bus.memory",
            EDGES[0].windows,
        )
        for step in draw(st.lists(st.sampled_from(STEPS), max_size=3, unique=True))
    )
    bus = replace(
        BUS.declarations,
        topics={one.name: one for one in named},
        members=dict.fromkeys(members, next(iter(BUS.declarations.members.values()))),
        recipients=dict.fromkeys(recipients, next(iter(BUS.declarations.recipients.values()))),
    )
    return bus, edges


@given(declared())
def test_whatever_is_declared_the_parties_stay_apart(drawn: tuple[Declarations, tuple[Edge, ...]]) -> None:
    """
    There are no rules, since what is declared is refused; or each rule has its declaration, and no two parties share anything.

    In another order the same is declared, and the same rules follow.
    """
    bus, edges = drawn
    try:
        rules = wanted(bus, edges)
    except DeclarationError:
        event("refused")
        return
    event("rules")
    nobody_gets_what_is_anothers(bus, rules)
    every_rule_has_its_declaration(bus, edges, rules)
    no_two_share_a_group_or_a_transactional_id(rules)
    nothing_is_without_a_rule(bus, edges, rules)
    turned: Any = {name: dict(reversed(list(getattr(bus, name).items()))) for name in ("topics", "members", "recipients")}
    assert rules == wanted(replace(bus, **turned), edges[::-1])


def nobody_gets_what_is_anothers(bus: Declarations, rules: Iterable[Rule]) -> None:
    """
    A party's rules are about its own topics and those that are nobody's, by whole names.
    """
    for rule in rules:
        kind, _, party = rule.principal.partition(".")
        if rule.resource == "topic" and kind in {"member", "recipient"}:
            there = bus.topics[rule.name]
            own = (kind, party) in {("member", there.member), ("recipient", there.recipient)}
            assert "literal" == rule.pattern
            assert own or there.member is there.recipient is None


def every_rule_has_its_declaration(bus: Declarations, edges: Iterable[Edge], rules: Iterable[Rule]) -> None:
    """
    Who reads is among the readers, who writes among the writers; a processor only what its edge says as well; the admin neither.
    """
    graph = {f"bus.{edge.name}": edge for edge in edges}
    for rule in rules:
        if rule.resource != "topic" or rule.operation not in {"read", "write"}:
            continue
        there = bus.topics[rule.name]
        parties = there.readers if rule.operation == "read" else there.writers
        if edge := graph.get(rule.principal):
            used = edge.reads if rule.operation == "read" else edge.writes
            assert "bus" in parties
            assert rule.name in {*used, edge.changelog}
        elif rule.principal in {"bus.answers", "bus.audit"}:
            assert "bus" in parties
        else:
            assert rule.principal.partition(".")[2] in parties
    readers = {rule.principal for rule in rules if (rule.resource, rule.operation) == ("topic", "read")}
    for rule in rules:
        if rule.resource == "group" and rule.operation == "read":
            assert rule.principal in readers
        if rule.resource == "group" and rule.principal in graph and rule.operation == "describe":
            (other,) = [edge for edge in edges if f"boutre-{edge.name}" == rule.name]
            assert graph[rule.principal].writes.intersection(other.reads)
        if rule.pattern == "prefixed":
            assert rule.resource == "group" or rule.principal == ADMIN


def no_two_share_a_group_or_a_transactional_id(rules: Iterable[Rule]) -> None:
    """
    Of two principals that may read by a group, or write by a transactional id, no name can be both's.
    """
    taken = [rule for rule in rules if rule.resource in {"group", "transactional-id"} and rule.operation != "describe"]
    for one, other in combinations(taken, 2):
        if one.resource == other.resource and one.principal != other.principal:
            assert not overlap((one.name, one.pattern), (other.name, other.pattern))


def nothing_is_without_a_rule(bus: Declarations, edges: Iterable[Edge], rules: Iterable[Rule]) -> None:
    """
    Each topic, group and transactional id of the bus has a rule: where a cluster lets everybody use what has none, it is not these.
    """
    names = {kind: {rule.name for rule in rules if rule.resource == kind} for kind in ("topic", "group", "transactional-id")}
    assert set(bus.topics) <= names["topic"]
    assert {f"boutre-{edge.name}" for edge in edges} <= names["group"]
    assert {f"boutre-{edge.name}-0" for edge in edges} <= names["transactional-id"]


@given(st.from_regex(r"[a-z][a-z0-9]{0,8}(-[a-z0-9]{1,6})?", fullmatch=True))
def test_another_recipient_brings_rules_about_itself_alone(name: str) -> None:
    """
    Each rule that comes with a recipient is its own, or is about its topics and groups; no rule of anybody else goes or comes.
    """
    before = BUS.declarations
    assume(name not in before.recipients and name not in before.members and name not in {"bus", "operations", "member"})
    like = next(iter(before.recipients))
    own = {
        f"for.{name}.{topic.kind}": replace(topic, name=f"for.{name}.{topic.kind}", recipient=name, owner=name, readers=(name,))
        for topic in before.topics.values()
        if topic.recipient == like
    }
    more = replace(before, topics={**before.topics, **own}, recipients={**before.recipients, name: before.recipients[like]})
    after = wanted(more, replace(BUS.pipeline, declarations=more).edges)

    assert after >= RULES
    assert own
    for rule in after - RULES:
        assert rule.principal == f"recipient.{name}" or rule.name in own or (rule.resource, rule.name) == ("group", f"{name}.")
    assert {f"for.{name}.{topic.kind}" for topic in own.values()} == {
        rule.name for rule in after if rule.principal == f"recipient.{name}" and rule.resource == "topic"
    }


def test_what_is_declared_against_the_separation_is_refused_with_everything_at_once() -> None:
    """
    Another party among a topic's readers, a topic that does not know the bus, and groups that cannot be told apart.
    """
    topics = dict(BUS.declarations.topics)
    spoilt = {
        "for.rmifc.alert": replace(topics["for.rmifc.alert"], readers=("rmifc", "rcoc"), writers=("operations",)),
        "national.comoros.alert": replace(topics["national.comoros.alert"], writers=("comoros", "mauritius")),
    }
    with pytest.raises(DeclarationError) as caught:
        wanted(replace(BUS.declarations, topics={**topics, **spoilt}), EDGES)
    told = " ".join(map(str, caught.value.faults))
    recipients = {**BUS.declarations.recipients, "member": next(iter(BUS.declarations.recipients.values()))}
    reads = {
        "for.member.alert": replace(topics["for.rmifc.alert"], name="for.member.alert", recipient="member", readers=("member",))
    }
    with pytest.raises(DeclarationError) as shared:
        wanted(replace(BUS.declarations, recipients=recipients, topics={**topics, **reads}), EDGES)

    # Two processors write alerts to a recipient, and each says what it lacks.
    assert 4 == len(caught.value.faults)
    assert "readers: rcoc would have what is another party's" in told
    assert "writers: mauritius would have what is another party's" in told
    assert "for.rmifc.alert does not name bus among its writers" in told
    assert "recipient.member (member.)" in str(shared.value) or "(member.) and those of" in str(shared.value)


def test_who_is_member_and_recipient_has_two_principals() -> None:
    """
    What Mauritius publishes and what it receives are read by different users: a connector's machine gives no view away.
    """
    own = {name: {rule.name for rule in RULES if rule.principal == name} for name in ("member.mauritius", "recipient.mauritius")}

    assert own["member.mauritius"].isdisjoint(own["recipient.mauritius"])
    assert "national.mauritius.alert" in own["member.mauritius"]
    assert "for.mauritius.alert" in own["recipient.mauritius"]


def test_those_who_keep_it_going_read_what_topics_give_them_and_no_more() -> None:
    """
    Operations describe every topic and group, and read those that name them; the admin reads and writes no record.
    """
    read = {rule.name for rule in RULES if rule.principal == OPERATIONS and rule.operation == "read" and rule.resource == "topic"}
    seen = {rule.name for rule in RULES if rule.principal == OPERATIONS and rule.operation == "describe"}

    assert {name for name, topic in BUS.declarations.topics.items() if "operations" in topic.readers} == read
    assert set(BUS.declarations.topics) <= seen
    assert not [
        rule for rule in RULES if rule.principal == OPERATIONS and rule.operation not in {"read", "describe", "describe-configs"}
    ]
    assert not [rule for rule in RULES if rule.principal == ADMIN and rule.operation in {"read", "write"}]


def test_names_of_principals_say_whose_they_are() -> None:
    """
    Each begins with one of the spaces, and is what the rule for certificates makes of a name of this form, and of no other.
    """
    names = principals(BUS.declarations, EDGES)
    pattern = re.compile(NAMES.removeprefix("RULE:").partition("$/")[0] + "$")

    assert len(names) == len(set(names))
    assert all(name.startswith(SPACES) for name in names)
    assert {rule.principal for rule in RULES} <= set(names)
    for name in names:
        found = pattern.fullmatch(f"CN={name},O=Boutre")
        assert found is not None
        assert name == found[1]
        for strange in (f"CN={name}", f"CN={name},O=Boutre,C=KM", f"OU=x,CN={name},O=Boutre", f"CN={name}\\,O=Boutre,O=Else"):
            assert pattern.fullmatch(strange) is None


def test_the_rule_for_certificates_is_the_one_that_is_tested() -> None:
    """
    What production brokers are told, and what the page says, is the rule by which the tests' broker names its clients.
    """
    line = f"ssl.principal.mapping.rules={NAMES}".replace("\\", "\\\\")  # as a file of properties has it

    assert line in (ROOT / "ops" / "kafka" / "server.properties").read_text(encoding="utf-8").splitlines()
    assert f"    {line}" in (ROOT / "docs" / "access.md").read_text(encoding="utf-8").splitlines()


# --- The plan ---------------------------------------------------------------------------------------------------------------

OWN: Final = entries(RULES)
STRANGE: Final = (
    Entry("User:intern", "topic", "for.rmifc.alert", "literal", "read"),
    Entry("User:intern", "topic", "for.rm", "prefixed", "read"),
    Entry("User:intern", "topic", "fo", "prefixed", "read"),
    Entry("User:*", "topic", "*", "literal", "read"),
    Entry("User:*", "group", "rmifc.desk", "literal", "read"),
    Entry("User:member.gone", "topic", "weather.forecast", "literal", "read"),
    Entry("User:recipient.rcoc", "topic", "for.rmifc.alert", "literal", "all"),
    Entry("User:member.comoros", "topic", "national.comoros.alert", "literal", "write", "deny"),
    Entry("User:member.comoros", "topic", "national.comoros.alert", "literal", "write", "allow", "10.0.0.1"),
    Entry("User:weather", "topic", "weather.", "prefixed", "all"),
    Entry("User:weather", "group", "boutre", "literal", "read"),
    Entry("User:root", "cluster", "kafka-cluster", "literal", "all"),
)
PASSED_OVER: Final = {entry for entry in STRANGE if entry.principal in {"User:weather", "User:root"}}
clusters = st.tuples(
    st.sets(st.sampled_from(sorted(OWN)), max_size=20),
    st.sets(st.sampled_from(STRANGE)),
).map(lambda drawn: (OWN - drawn[0]) | drawn[1])


@given(clusters)
def test_what_a_plan_says_brings_the_cluster_to_what_is_wanted(found: frozenset[Entry]) -> None:
    """
    Done, and the surplus removed, there is nothing to do; what is left is denied or reaches further; others are not mentioned.
    """
    todo = plan(OWN, found)
    after = (found | set(todo.create)) - set(todo.surplus)
    again = plan(OWN, after)

    assert OWN <= after
    assert ((), (), todo.left) == (again.create, again.surplus, again.left)
    assert found - OWN - set(todo.surplus) - {one.entry for one in todo.left} <= PASSED_OVER
    assert len(OWN & found) == todo.unchanged
    assert todo.differs == bool(todo.create or todo.surplus or todo.left)


@given(clusters)
def test_a_plan_removes_nothing_that_is_not_the_buss(found: frozenset[Entry]) -> None:
    """
    Nothing that is wanted, denied, of others, or wider than the bus is ever surplus.
    """
    for entry in plan(OWN, found).surplus:
        assert entry not in OWN
        assert "allow" == entry.permission
        assert entry not in PASSED_OVER
        assert (entry.name, entry.pattern) not in {("*", "literal"), ("fo", "prefixed")}


def test_each_strange_rule_has_its_place() -> None:
    """
    By name: what is surplus, what is left, and what is passed over.
    """
    todo = plan(OWN, OWN | set(STRANGE))

    assert {STRANGE[0], STRANGE[1], STRANGE[4], STRANGE[5], STRANGE[6], STRANGE[8]} == set(todo.surplus)
    assert {STRANGE[2], STRANGE[3], STRANGE[7]} == {one.entry for one in todo.left}
    assert not todo.create
    assert todo.as_json()["unchanged"] == len(OWN)


def test_a_cluster_may_name_people_by_their_certificates() -> None:
    """
    Where names are not mapped the same rules are looked for under the whole name of the certificate.
    """
    by_certificate = entries(RULES, "CN={}")

    assert not plan(by_certificate, by_certificate, "CN={}").differs
    assert not plan(by_certificate, OWN, "CN={}").left
    assert "User:CN=member.comoros" in {entry.principal for entry in by_certificate}


@given(
    st.text("ab.*", max_size=4), st.text("ab.*", max_size=4), st.sampled_from(("literal", "prefixed")), st.text("ab.", max_size=6)
)
def test_names_overlap_where_one_name_fits_both(first: str, second: str, pattern: str, name: str) -> None:
    """
    Whatever fits both patterns proves that they overlap, and overlapping does not depend on the order.
    """
    one, other = (first, "prefixed"), (second, pattern)

    assert overlap(one, other) == overlap(other, one)
    if name.startswith(first) and (name.startswith(second) if pattern == "prefixed" else name == second):
        assert overlap(one, other)


# --- Matrix, Strimzi, commands -------------------------------------------------------------------------------------------------


def test_the_matrix_holds_every_rule_once() -> None:
    """
    As cells and as JSON: each rule is a letter, and each letter a rule.
    """
    told = access_matrix.as_json(RULES)
    rules = {Rule(one["principal"], one["resource"], one["name"], one["pattern"], op) for one in told for op in one["operations"]}

    assert rules == RULES
    assert len(RULES) == sum(len(letters) for row in access_matrix.cells(RULES).values() for letters in row.values())


def test_the_matrix_is_a_row_a_resource() -> None:
    """
    The command shows what one principal may, by whole names; an unknown one is refused with those that there are.
    """
    shown = CliRunner().invoke(main, ["--bus", str(ROOT), "access", "matrix", "--principal", "recipient.rmifc"])
    unknown = CliRunner().invoke(main, ["--bus", str(ROOT), "access", "matrix", "--principal", "rmifc"])

    rows = dict(line.rsplit(maxsplit=1) for line in shown.stdout.splitlines() if line.startswith(("topic", "group")))
    assert 0 == shown.exit_code
    own = {name for name, topic in BUS.declarations.topics.items() if topic.recipient == "rmifc"}
    expected = {f"topic  {name}": "RW" if name.startswith("from.") else "R" for name in own} | {"group  rmifc.*": "R"}
    assert expected == {name.strip(): letters for name, letters in rows.items()}
    assert 2 == unknown.exit_code
    assert "recipient.rmifc" in unknown.stderr


def schema() -> dict[str, Any]:
    """
    Strimzi's own schema of a `KafkaUser`, without what JSON Schema does not know; nothing may be there that it does not name.
    """
    definition = json.loads(SCHEMA.read_text(encoding="utf-8"))
    (version,) = [one for one in definition["spec"]["versions"] if one["name"] == "v1"]
    found: dict[str, Any] = closed(version["schema"]["openAPIV3Schema"])
    return found


def closed(part: Any) -> Any:
    """
    The same schema, in which an object has no other properties than those that are named.
    """
    if isinstance(part, list):
        return [closed(one) for one in part]
    if not isinstance(part, Mapping):
        return part
    shut = {"additionalProperties": False} if "properties" in part and part.get("type") == "object" else {}
    return {**shut, **{key: closed(value) for key, value in part.items()}}


@pytest.mark.parametrize("authentication", ["scram-sha-512", "tls"])
def test_strimzi_takes_the_users(authentication: str) -> None:
    """
    What the command writes is valid by Strimzi's own schema, and says the rules of every principal and nothing else.
    """
    words = ["access", "strimzi", "--cluster", "western-indian-ocean", "--namespace", "bus", "--authentication", authentication]
    written = CliRunner().invoke(main, ["--bus", str(ROOT), *words])
    resources = list(YAML(typ="safe").load_all(written.stdout))
    ours = schema()

    for resource in resources:
        jsonschema.validate(resource, ours)
        assert {"type": authentication} == resource["spec"]["authentication"]
    assert list(principals(BUS.declarations, EDGES)) == [resource["metadata"]["name"] for resource in resources]
    assert RULES == set(read_back(resources))


def read_back(resources: Iterable[Mapping[str, Any]]) -> Iterable[Rule]:
    """
    The rules that Strimzi would make of its resources.
    """
    types: dict[str, Any] = {"topic": "topic", "group": "group", "transactionalId": "transactional-id", "cluster": "cluster"}
    words: dict[str, Any] = {"Read": "read", "Write": "write", "Describe": "describe", "DescribeConfigs": "describe-configs"}
    words |= {"Create": "create", "Alter": "alter", "AlterConfigs": "alter-configs"}
    for resource in resources:
        for acl in resource["spec"]["authorization"]["acls"]:
            there = acl["resource"]
            pattern: Any = "prefixed" if there.get("patternType") == "prefix" else "literal"
            for operation in acl["operations"]:
                yield Rule(
                    resource["metadata"]["name"],
                    types[there["type"]],
                    there.get("name", "kafka-cluster"),
                    pattern,
                    words[operation],
                )


def test_the_schema_can_say_no() -> None:
    """
    A resource with a misspelt operation, an unknown key or no authentication type is not valid.
    """
    (good,) = users([rule for rule in RULES if rule.principal == "member.comoros"], ["member.comoros"], "c", "tls")
    for spoil in ('"Read"->"Raed"', '"patternType"->"pattern"', '"tls"->"password"', '"acls"->"rules"'):
        old, _, new = spoil.partition("->")
        text = json.dumps(good)
        assert old in text
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(json.loads(text.replace(old, new)), schema())


def test_a_name_that_no_certificate_can_hold_is_refused() -> None:
    """
    With certificates, not with passwords.
    """
    name = f"recipient.{'r' * (LONGEST_NAME - 9)}"

    assert users([], [name], "c", "scram-sha-512")
    with pytest.raises(DeclarationError, match="longer than 64"):
        users([], [name], "c", "tls")


LETTERS: Final = st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]), max_size=3)


@given(st.recursive(LETTERS, lambda inner: st.dictionaries(LETTERS, inner, max_size=3), max_leaves=6))
def test_yaml_is_read_as_it_was_meant(value: Any) -> None:
    """
    Whatever texts a resource holds, a reader of YAML finds them again.
    """
    resource = {"kind": "KafkaUser", "spec": value}

    assert [resource] == list(YAML(typ="safe").load_all(yaml([resource])))


def test_the_names_of_a_cluster_need_a_place() -> None:
    """
    `--names` without a place for the name, or with two, is refused before anything is asked.
    """
    for form in ("CN=", "{}{}", "{name}", "{"):
        refused = CliRunner().invoke(main, ["--bus", str(ROOT), "access", "plan", "--names", form])
        assert 2 == refused.exit_code
        assert "in the place of the name" in refused.stderr


def test_the_rules_need_no_faust() -> None:
    """
    Who writes the matrix does not wait for Faust.
    """
    code = "import boutre.ops.access_command, sys; print('faust' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "False" == done.stdout.strip()


def test_whatever_a_step_of_the_bus_stops_at_can_be_put_again_and_looked_at() -> None:
    """
    Each topic of the bus that a step reads ``bus.again`` may read and write; what release reads, ``bus.records`` may read.
    """
    of_the_bus = {
        name: (BUS.declarations.topics[name], edge.kind)
        for edge in EDGES
        for name in edge.reads
        if edge.kind != "accept" and BUS.declarations.topics[name].recipient is None and name != "bus.tick"
    }
    allowed = {(rule.principal, rule.operation, rule.name) for rule in RULES}

    assert len(of_the_bus) >= 12
    for name, (_, kind) in of_the_bus.items():
        assert {("bus.again", "read", name), ("bus.again", "write", name)} <= allowed
        if kind == "release":
            assert ("bus.records", "read", name) in allowed
