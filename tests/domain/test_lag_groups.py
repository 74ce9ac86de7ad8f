"""
Which groups are expected follows from what is declared, in one place; a file that declares more is read strictly.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from boutre.errors import Fault
from boutre.ops import access
from boutre.ops.lag.declared import FILE, LagFile, load
from boutre.ops.lag.groups import NOBODY, follower_group, groups_of, owner_of, owners
from boutre.processors.edges import Edge, edges_of
from boutre.processors.groups import group_of
from boutre.processors.pipeline_file import PipelineFile
from boutre.topics import bus
from boutre.topics.bus import Declarations
from boutre.topics.strict import read

ROOT: Final = Path(__file__).parents[2]

Loaded = Callable[[str], tuple[LagFile, list[Fault]]]


@pytest.fixture(scope="module")
def declared() -> Declarations:
    """What this repository declares."""
    return bus.load(ROOT)


@pytest.fixture(scope="module")
def edges(declared: Declarations) -> tuple[Edge, ...]:
    """Its processors."""
    faults: list[Fault] = []
    file = read(ROOT / "processors/pipeline.toml", PipelineFile, faults, root=ROOT)
    assert file is not None, faults
    return edges_of(file, declared.topics)


@pytest.fixture
def loaded(tmp_path: Path, declared: Declarations) -> Loaded:
    """Reads a text as the file of a bus."""

    def reading(text: str) -> tuple[LagFile, list[Fault]]:
        faults: list[Fault] = []
        (tmp_path / "processors").mkdir()
        (tmp_path / FILE).write_text(text, encoding="utf-8")
        return load(tmp_path, declared, faults), faults

    return reading


def test_the_file_of_this_repository_says_the_defaults(declared: Declarations) -> None:
    """What stands in it is what a bus without it has."""
    faults: list[Fault] = []

    assert LagFile() == load(ROOT, declared, faults)
    assert [] == faults


def test_a_bus_without_the_file_has_the_defaults(tmp_path: Path, declared: Declarations) -> None:
    """The file may be missing."""
    faults: list[Fault] = []

    assert LagFile() == load(tmp_path, declared, faults)
    assert [] == faults


def test_all_faults_at_once(loaded: Loaded) -> None:
    """Each with the group it is in."""
    _, faults = loaded(
        """
        [[group]]
        name = "rcoc.a"
        recipient = "rcoc"
        kinds = ["link"]
        [[group]]
        name = "rcoc.a"
        recipient = "rcoc"
        [[group]]
        name = "rmifc.b"
        recipient = "rcoc"
        [[group]]
        name = "x.c"
        recipient = "nobody-known"
        """
    )

    assert [
        (FILE, "group[rcoc.a].name", "is there twice"),
        (FILE, "group[rmifc.b].name", "must begin with rcoc. or the recipient has no right to it"),
        (FILE, "group[x.c].recipient", "nobody-known is no recipient"),
    ] == [(fault.file, fault.key, fault.message) for fault in faults]


@pytest.mark.parametrize("text", ["every = 10", "window = 2", "allowed = -1", "gone_s = nan", 'every_s = "10"'])
def test_what_is_mistyped_is_refused(loaded: Loaded, text: str) -> None:
    """Nothing is guessed."""
    _, faults = loaded(text)

    assert [FILE] == [fault.file for fault in faults]


def test_every_reader_of_the_bus_is_expected(declared: Declarations, edges: tuple[Edge, ...], loaded: Loaded) -> None:
    """Each processor by its workers' group with the topics of its edge, each follower, and the recipients' declared groups."""
    file, faults = loaded('[[group]]\nname = "rcoc.files"\nrecipient = "rcoc"\nkinds = ["link"]\nrests_hours = 1.5')
    found = {group.name: group for group in groups_of(declared, edges, file)}

    assert [] == faults
    assert {group_of(edge.name): edge.reads for edge in edges} == {
        name: group.topics for name, group in found.items() if group.kind == "processor"
    }
    assert set(map(follower_group, access.FOLLOWERS)) == {name for name, group in found.items() if group.kind == "follower"}
    assert (("for.rcoc.link",), 5400) == (found["rcoc.files"].topics, found["rcoc.files"].rests_s)
    assert all(topic in declared.topics for group in found.values() for topic in group.topics)


def test_a_group_of_all_kinds_reads_all_views(declared: Declarations, loaded: Loaded) -> None:
    """Without kinds, all that the recipient is given, and nothing of anybody else."""
    file, _ = loaded('[[group]]\nname = "rcoc.files"\nrecipient = "rcoc"')
    (group,) = groups_of(declared, (), file)[-1:]

    assert {f"for.rcoc.{kind}" for kind in declared.recipients["rcoc"].kinds} == set(group.topics)


@pytest.mark.parametrize(
    ("group", "owner"),
    [
        ("boutre-old-processor", "bus"),
        ("boutre.account", "bus"),
        ("operations.look", "operations"),
        ("rcoc.demo.1", "rcoc"),
        ("recipient.rcoc.x", "rcoc"),
        ("member.mauritius.own", "mauritius"),
        ("mauritius.sink", "mauritius"),
        ("console-consumer-77", NOBODY),
        ("rcoc", NOBODY),
    ],
)
def test_whose_an_undeclared_group_is(declared: Declarations, group: str, owner: str) -> None:
    """By how its name begins, as the access rules have it; every answer is one of those that the metric has a series for."""
    assert owner == owner_of(declared, group)
    assert owner in owners(declared)
