"""
What may not be used of Faust, since it goes past the transactions of this project or takes a partition apart.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import faust
import pytest

from boutre.processors.decision import Drop, Inbound, State
from boutre.processors.handle import Handler, Processor
from boutre.processors.runtime import worker
from boutre.processors.runtime.connection import Connection
from records import CODEC

RUNTIME: Final = sorted(Path(worker.__file__).parent.glob("*.py"))

PAST_THE_TRANSACTION: Final = {
    "group_by": "writes by the app's own producer",
    "forward": "writes by the app's own producer",
    "through": "writes by the app's own producer",
    "cast": "writes by the app's own producer",
    "ask": "writes by the app's own producer",
    "Table": "writes its changelog by the app's own producer",
    "GlobalTable": "writes its changelog by the app's own producer",
    "SetTable": "writes its changelog by the app's own producer",
    "SetGlobalTable": "writes its changelog by the app's own producer",
    "send_soon": "writes by the app's own producer",
    "send_and_wait": "asks for each delivery alone",
    "maybe_start_producer": "starts the app's own producer",
    "ack": "brings Faust's commits back",
    "commit_offsets": "moves a position by itself",
}
"""Names that no module of the runtime may ask anything for, each with the reason."""

PRODUCING: Final = {"outbox.py", "clock.py"}
"""Where ``send`` is that of the shard's own transactional producer, or of the clock's, whose records hold nothing to be lost."""


def asked_for(path: Path) -> Iterator[str]:
    """Every name that a module asks something for."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute):
            yield node.attr


@pytest.mark.parametrize("path", RUNTIME, ids=lambda path: path.stem)
def test_nothing_goes_past_the_transaction(path: Path) -> None:
    """
    Faust's own ways to write and to remember use a producer of its own, whose records no abort takes back.
    """
    forbidden = {**PAST_THE_TRANSACTION, **({} if path.name in PRODUCING else {"send": "writes by the app's own producer"})}

    assert {} == {name: forbidden[name] for name in asked_for(path) if name in forbidden}


def test_positions_are_moved_by_transactions_alone() -> None:
    """
    Nobody calls ``commit`` on a consumer: a position that moves by itself moves past what was not done.
    """
    calls = {
        ast.unparse(node.func)
        for path in RUNTIME
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "commit"
    }

    assert {"overlay.commit"} >= calls  # the embedded store, once Kafka has committed


class Four:
    """
    A cluster of which every topic has four partitions.
    """

    def partitions_for_topic(self, _: str) -> set[int]:
        """Give them."""
        return {0, 1, 2, 3}


@pytest.fixture
def app(tmp_path: Path) -> faust.App:
    """
    The app of a processor that reads two topics.
    """

    def step(_: Inbound, __: State) -> Drop:
        return Drop("same-report")

    processor = Processor("x", step, ("in", "in2"), frozenset({"out"}), {"comoros": "rejects.comoros"}, "log")
    return worker.build("group", Handler(processor, CODEC, lambda _: ("comoros", "sighting")), Connection("localhost:1"), tmp_path)


def test_no_agent_acknowledges(app: faust.App) -> None:
    """
    One that does brings Faust's own commits back, for every agent of the same topic.
    """
    agents: list[Any] = list(app.agents.values())

    assert agents
    assert [False] * len(agents) == [agent.channel.acks for agent in agents]
    assert not app.in_transaction


def test_nothing_is_remembered_by_faust(app: faust.App) -> None:
    """
    There is no table: what is remembered is written in the shard's transaction.
    """
    assert {} == dict(app.tables)


@pytest.mark.parametrize("members", [1, 2, 3, 4, 5])
def test_a_partition_of_all_topics_goes_to_one_worker(app: faust.App, members: int) -> None:
    """
    What is remembered of a key is shared by the same partition of all topics; the producer of it must have one owner, too.

    Without standbys Faust would silently take another assignor, which gives the same partition of two topics to two workers.
    """
    assert app.conf.table_standby_replicas > 0
    assignor: Any = app.assignor
    metadata = assignor.metadata({"in", "in2"})
    given = assignor.assign(Four(), {f"member-{number}": metadata for number in range(members)})
    owners: dict[int, set[str]] = {}
    for member, assignment in given.items():
        for _, partitions in assignment.assignment:
            for partition in partitions:
                owners.setdefault(partition, set()).add(member)

    assert {0, 1, 2, 3} == owners.keys()
    assert {1} == {len(some) for some in owners.values()}
