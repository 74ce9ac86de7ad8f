"""
The plan for a cluster's topics, without a cluster: its promises hold for whatever is declared and whatever stands there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boutre.ops.plan import Found, Plan, Wanted, plan

ROOT = Path(__file__).parents[2]

# Few names and few values, so that what is declared and what is found often meet, and often just differ.
NAMES = ("national.a.sighting", "bus.sighting", "for.a.sighting", "rejects.a")
KEYS = ("retention.ms", "cleanup.policy", "min.insync.replicas", "message.timestamp.type")
VALUES = {
    "retention.ms": ("-1", "1000", "2000"),
    "cleanup.policy": ("delete", "compact"),
    "min.insync.replicas": ("1", "2"),
    "message.timestamp.type": ("CreateTime", "LogAppendTime"),
}
STRANGE = ("bus.forgotten", "for.b.sighting", "somebody.elses", "__consumer_offsets")


def configs(keys: tuple[str, ...] = KEYS) -> st.SearchStrategy[dict[str, str]]:
    """
    Settings of a topic, some of them missing.
    """
    return st.fixed_dictionaries({}, optional={key: st.sampled_from(VALUES[key]) for key in keys})


def declarations() -> st.SearchStrategy[list[Wanted]]:
    """
    What may be declared: names once, few partitions.
    """
    topic = st.builds(
        Wanted,
        name=st.sampled_from(NAMES),
        partitions=st.integers(1, 3),
        replication=st.sampled_from((1, 3)),
        config=configs(),
        growing=st.booleans(),
    )
    return st.lists(topic, unique_by=lambda one: one.name)


def clusters() -> st.SearchStrategy[dict[str, Found]]:
    """
    What may stand on a cluster: declared or not, with settings of its own.
    """
    topic = st.builds(
        Found,
        name=st.sampled_from(NAMES + STRANGE),
        partitions=st.integers(1, 3),
        replication=st.sampled_from((1, 3)),
        config=configs(),
        overrides=st.frozensets(st.sampled_from((*KEYS, "segment.ms"))),
    )
    return st.lists(topic, unique_by=lambda one: one.name).map(lambda found: {one.name: one for one in found})


def performed(todo: Plan, actual: Mapping[str, Found]) -> dict[str, Found]:
    """
    The cluster after a plan, as Kafka would have it.
    """
    after = dict(actual)
    for made in todo.create:
        assert made.name not in after
        after[made.name] = Found(made.name, made.partitions, made.replication, made.config, frozenset(made.config))
    for grown in todo.grow:
        assert grown.before == after[grown.name].partitions
        after[grown.name] = replace(after[grown.name], partitions=grown.after)
    for changed in todo.configure:
        there = after[changed.name]
        values = {key: new for key, (_, new) in changed.changes.items()}
        after[changed.name] = replace(there, config={**there.config, **values}, overrides=there.overrides | frozenset(values))
    return after


@given(declared=declarations(), actual=clusters(), loss=st.booleans())
def test_the_second_time_there_is_nothing_to_do(declared: list[Wanted], actual: dict[str, Found], *, loss: bool) -> None:
    """
    After a plan was performed, planning again finds no step, and refuses what it refused before.
    """
    first = plan(declared, actual, allow_loss=loss)
    second = plan(declared, performed(first, actual), allow_loss=loss)

    assert second.steps == 0
    assert first.refused == second.refused


@given(declared=declarations(), actual=clusters(), loss=st.booleans())
def test_nothing_goes_and_nothing_shrinks(declared: list[Wanted], actual: dict[str, Found], *, loss: bool) -> None:
    """
    Every topic is still there, with at least its partitions and just its copies.
    """
    after = performed(plan(declared, actual, allow_loss=loss), actual)

    assert actual.keys() <= after.keys()
    assert all(topic.partitions <= after[name].partitions for name, topic in actual.items())
    assert all(topic.replication == after[name].replication for name, topic in actual.items())


@given(declared=declarations(), actual=clusters(), loss=st.booleans())
def test_what_remembers_by_partition_keeps_its_partitions(declared: list[Wanted], actual: dict[str, Found], *, loss: bool) -> None:
    """
    A topic that is not declared growing has the partitions that it had, and the difference is refused.
    """
    todo = plan(declared, actual, allow_loss=loss)
    after = performed(todo, actual)
    fixed = [topic for topic in declared if topic.name in actual and not topic.growing]

    assert all(actual[topic.name].partitions == after[topic.name].partitions for topic in fixed)
    assert {topic.name for topic in fixed if topic.partitions != actual[topic.name].partitions} <= {
        refused.name for refused in todo.refused
    }


@given(declared=declarations(), actual=clusters(), loss=st.booleans())
def test_what_nobody_declared_is_not_touched(declared: list[Wanted], actual: dict[str, Found], *, loss: bool) -> None:
    """
    Undeclared topics, and undeclared settings of declared topics, are as before.
    """
    after = performed(plan(declared, actual, allow_loss=loss), actual)
    names = {topic.name: topic for topic in declared}

    assert all(actual[name] == after[name] for name in actual if name not in names)
    assert all(
        actual[name].config[key] == after[name].config[key]
        for name in actual.keys() & names.keys()
        for key in actual[name].config.keys() - names[name].config.keys()
    )


@given(declarations(), clusters())
def test_records_are_not_thrown_away_unless_that_is_meant(declared: list[Wanted], actual: dict[str, Found]) -> None:
    """
    Without --allow-loss no retention gets shorter and no cleanup policy changes.
    """
    after = performed(plan(declared, actual), actual)

    def kept(value: str | None) -> float:
        return float("inf") if value in ("-1", None) else float(str(value))

    for name, topic in actual.items():
        assert topic.config.get("cleanup.policy") == after[name].config.get("cleanup.policy")
        assert kept(topic.config.get("retention.ms")) <= kept(after[name].config.get("retention.ms"))


@given(declarations(), clusters())
def test_a_cluster_differs_or_is_as_declared(declared: list[Wanted], actual: dict[str, Found]) -> None:
    """
    No difference means that every declared topic stands there as declared, and nothing else in the bus's name spaces.
    """
    todo = plan(declared, actual, allow_loss=True)
    spaces = {topic.name.partition(".")[0] for topic in declared}
    same = all(
        topic.name in actual
        and topic.partitions == actual[topic.name].partitions
        and topic.replication == actual[topic.name].replication
        and topic.config.items() <= actual[topic.name].config.items()
        and actual[topic.name].overrides <= topic.config.keys()
        for topic in declared
    )
    strange = {name for name in actual if name.partition(".")[0] in spaces} - {topic.name for topic in declared}

    assert (not same or bool(strange)) == todo.differs
    assert tuple(sorted(strange)) == todo.undeclared


@pytest.mark.parametrize(
    ("there", "meant", "growing", "expected"),
    [
        (1, 3, True, (1, 0)),
        (1, 3, False, (0, 1)),
        (3, 1, True, (0, 1)),
        (3, 1, False, (0, 1)),
        (3, 3, False, (0, 0)),
    ],
)
def test_partitions(there: int, meant: int, *, growing: bool, expected: tuple[int, int]) -> None:
    """
    More are added only where that is declared, fewer never; each refusal is one sentence that says what to declare.
    """
    todo = plan([Wanted("bus.sighting", meant, 1, {}, growing)], {"bus.sighting": Found("bus.sighting", there, 1, {})})

    assert expected == (len(todo.grow), len(todo.refused))
    assert all(f"declare {there}" in refused.why for refused in todo.refused)


def test_a_plan_in_plain_values() -> None:
    """
    What --output json shows has all parts, with names and numbers as they are.
    """
    declared = [
        Wanted("bus.alert", 4, 3, {"retention.ms": "1"}),
        Wanted("for.a.alert", 2, 3, {"retention.ms": "2"}, growing=True),
        Wanted("bus.sighting", 4, 3, {}),
    ]
    actual = {
        "for.a.alert": Found("for.a.alert", 1, 3, {"retention.ms": "1"}, frozenset({"segment.ms"})),
        "bus.sighting": Found("bus.sighting", 4, 1, {}),
        "bus.old": Found("bus.old", 1, 1, {}),
    }
    shown = plan(declared, actual).as_json()

    assert [{"name": "bus.alert", "partitions": 4, "replication": 3, "config": {"retention.ms": "1"}}] == shown["create"]
    assert [{"name": "for.a.alert", "from": 1, "to": 2}] == shown["grow"]
    assert [{"name": "for.a.alert", "changes": {"retention.ms": {"from": "1", "to": "2"}}}] == shown["configure"]
    assert ["bus.sighting"] == [refused["name"] for refused in shown["refused"]]
    assert ["bus.old"] == shown["undeclared"]
    assert {"for.a.alert": ["segment.ms"]} == shown["strays"]
    assert shown["unchanged"] == 0


def test_every_promise_names_a_test_that_exists() -> None:
    """
    Each numbered promise of docs/topics.md is held by tests that can be found by the names given there.
    """
    text = (ROOT / "docs" / "topics.md").read_text(encoding="utf-8")
    promises = re.findall(r"^(\d+)\. (.*(?:\n   .*)*)", text, flags=re.MULTILINE)
    tests = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").glob("*/test_*.py"))
    named = {number: re.findall(r"`(test_\w+)`", promise) for number, promise in promises}

    assert [str(number) for number in range(1, 11)] == list(named)
    assert all(named.values()), named
    assert [] == [name for names in named.values() for name in names if f"def {name}(" not in tests]
