"""
The pipeline is proved before it runs: what reads and writes what, and that nothing but release reaches a recipient.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from boutre.errors import DeclarationError, Fault
from boutre.processors import pipeline as pipelines
from boutre.processors.accept import Accept
from boutre.processors.correlate import Correlate
from boutre.processors.decision import TICK
from boutre.processors.detect import Detect
from boutre.processors.edges import Edge
from boutre.processors.graph_faults import check
from boutre.processors.hear import Hear
from boutre.processors.meet import Meet
from boutre.processors.picture import mermaid
from boutre.processors.pipeline import Pipeline
from boutre.processors.release import Release
from boutre.topics import bus
from records import CODEC, LOCK, RECIPIENTS, ROOT, STATE_KEY, keyring, real_pipeline, recipient_key, words

Change = Callable[[str, str, str], None]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """
    A copy of this repository's declarations.
    """
    for room in ("topics", "processors"):
        shutil.copytree(ROOT / room, tmp_path / room)
    (tmp_path / "schemas").mkdir()
    return tmp_path


@pytest.fixture
def change(root: Path) -> Change:
    """
    Replaces a text in a declaration.
    """

    def changing(name: str, old: str, new: str) -> None:
        path = root / name
        content = path.read_text(encoding="utf-8")
        assert old in content
        path.write_text(content.replace(old, new, 1), encoding="utf-8")

    return changing


def load(root: Path) -> Pipeline:
    """Read a pipeline as the commands do."""
    return pipelines.load(root, bus.load(root), LOCK, words())


def faults(root: Path) -> list[str]:
    """All that is wrong with it."""
    with pytest.raises(DeclarationError) as error:
        load(root)
    return [f"{fault.file} {fault.key} {fault.message}" for fault in error.value.faults]


# --- The real one ----------------------------------------------------------------------------------------------------------


def test_this_bus_is_whole() -> None:
    """
    Every path from a national topic to a recipient passes accept and release; every topic read is written by someone.

    By a recipient, too, or by the clock of a worker.
    """
    edges = real_pipeline().edges
    topics = real_pipeline().declarations.topics
    written = {name for edge in edges for name in edge.writes}

    assert [] == list(check(real_pipeline()))
    ends = {
        "accept": (2, ("national.",), ("bus.", "rejects.")),
        "detect": (1, ("bus.sighting", "bus.retraction"), ("bus.found.", "bus.meeting.", "rejects.bus")),
        "meet": (1, ("bus.meeting.",), ("bus.found.", "rejects.bus")),
        "release": (1, ("bus.",), ("for.", "told.", "bus.receipt", "bus.offer.", "rejects.bus")),
        "hear": (1, ("from.",), ("bus.said", "rejects.bus")),
        "correlate": (1, ("bus.offer.", "bus.said", "bus.tick"), ("for.", "bus.receipt", "rejects.bus")),
    }
    assert {kind: number for kind, (number, *_) in ends.items()} == Counter(edge.kind for edge in edges)
    for edge in edges:
        _, before, after = ends[edge.kind]
        assert all(name.startswith(before) for name in edge.reads)
        assert all(name.startswith(after) for name in edge.writes)
        assert edge.changelog in topics
        outside = ("national.", "from.", TICK)
        assert all(name.startswith(outside) or name in written for name in edge.reads)
    assert {name for name in topics if name.startswith("national.")} == {
        name for edge in edges for name in edge.reads if edge.kind == "accept"
    }


def test_the_ends_of_an_edge_have_one_schema() -> None:
    """
    What is read as a kind was written as that kind; but for what is made of others, which is links and alerts.
    """
    topics = real_pipeline().declarations.topics

    for edge in real_pipeline().edges:
        read, written = ({topics[name].kind for name in names} for names in (edge.reads, edge.writes))
        if edge.kind == "correlate":
            assert {"link", "alert", "receipt", "reject"} == written
        else:
            assert read <= written


def test_processors_are_made_of_the_edges() -> None:
    """
    Each with its step, its own rejects, and what it may write; one alone where only one is asked for.
    """
    made = real_pipeline().processors(CODEC, keyring(), recipient_key, STATE_KEY)
    alone = real_pipeline().processors(CODEC, keyring(), recipient_key, STATE_KEY, "release")
    release = made[4].step

    assert [Accept, Accept, Detect, Meet, Release, Hear, Correlate] == [type(one.step) for one in made]
    assert ["release"] == [one.name for one in alone]
    assert [{"rejects.bus"}] * 5 == [set(one.rejects.values()) for one in made[2:]]
    assert isinstance(release, Release)
    assert list(RECIPIENTS) == [desk.recipient for desk in release.desks]
    assert len(RECIPIENTS) == len({desk.key for desk in release.desks})
    assert [("comoros", "sighting"), ("bus", "sighting"), ("bus", "receipt")] == [
        real_pipeline().owner(topic) for topic in ("national.comoros.sighting", "bus.sighting", "bus.receipt")
    ]


def test_the_picture_shows_every_party() -> None:
    """
    Members, steps and recipients are in it; and it is the same each time.
    """
    drawn = mermaid(real_pipeline())

    assert drawn == mermaid(real_pipeline())
    for name in (*RECIPIENTS, *real_pipeline().declarations.members, "accept-reports", "accept-ais", "release"):
        assert f'"{name}"' in drawn


# --- What can be wrong -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "case",
    [
        ("processors/pipeline.toml", '"mauritius", ', "", "national.mauritius.sighting is read by nobody"),
        (
            "processors/pipeline.toml",
            'members = ["observatory-ais"]',
            'members = ["observatory-ais", "france"]',
            "exactly one accept",
        ),
        ("processors/pipeline.toml", '"mauritius", ', '"mauritius", "atlantis", ', "'atlantis' is no member"),
        ("processors/pipeline.toml", '"mauritius", ', '"mauritius", "atlantis", ', "rejects.atlantis is not declared"),
        ("processors/pipeline.toml", 'name = "accept-ais"', 'name = "accept-other"', "bus.accept-other.changelog is not declared"),
        ("processors/pipeline.toml", 'name = "accept-ais"', 'name = "accept-reports"', "'accept-reports' is there twice"),
        (
            "processors/pipeline.toml",
            "windows.id = { days = 1100",
            "windows.ids = { days = 1100",
            "lacks 'id', which accept remembers",
        ),
        (
            "processors/pipeline.toml",
            "windows.id = { days = 1100",
            "windows.ids = { days = 1100",
            "windows.ids accept remembers nothing",
        ),
        ("processors/pipeline.toml", "windows.id = { days = 1100", "windows.id = { day = 1100", "did you mean days"),
        ("processors/pipeline.toml", "windows.id = { days = 1100", "windows.id = { days = 0", "greater than or equal to 1"),
        (
            "processors/pipeline.toml",
            "windows.had = { days = 1100",
            "windows.had = { days = 364",
            "364 days are less than the 365 for which rmifc-fusion",
        ),
        (
            "processors/pipeline.toml",
            "windows.gone = { days = 3650",
            "windows.gone = { days = 9",
            "release.windows.gone.days 9 days are less than the 365",
        ),
        (
            "processors/pipeline.toml",
            "windows.track = { days = 30",
            "windows.track = { days = 29",
            "29 days are less than the 30 for which",
        ),
        ("processors/pipeline.toml", 'of = ["observatory-ais"]', 'of = ["observatory-movement"]', "it is not followed"),
        ("processors/pipeline.toml", 'member = "observatory-movement"', 'member = "france"', "is no State's report"),
        ("processors/pipeline.toml", 'of = ["france", "seychelles"]', 'of = ["rmifc"]', "'rmifc' is no member"),
        ("processors/pipeline.toml", 'of = ["france", "seychelles"]', 'of = ["observatory-imb"]', "nobody could be told"),
        ("processors/pipeline.toml", 'of = ["france", "seychelles"]', 'of = ["observatory-ais"]', "everybody's already"),
        ("processors/pipeline.toml", 'of = ["france", "seychelles"]', 'of = ["observatory-contacts"]', "it is not followed"),
        (
            "processors/pipeline.toml",
            'member = "observatory-contacts"',
            'member = "observatory-movement"',
            "agreements must tell them apart",
        ),
        ("processors/pipeline.toml", 'member = "observatory-contacts"', 'member = "comoros"', "is no State's report"),
        ("processors/pipeline.toml", 'purposes = ["Safety", "Security"]', 'purposes = ["Curiosity"]', "'Curiosity' is no purpose"),
        ("topics/national.toml", 'timestamp = "append"', 'timestamp = "create"', "has the times of its senders"),
        ("topics/changelogs.toml", 'timestamp = "create"', 'timestamp = "append"', "does not keep the times"),
        ("processors/pipeline.toml", '"attack"', '"atack"', "'atack' is no event type"),
        ("processors/pipeline.toml", "distress = 900", "shipwreck = 900", "'shipwreck' is no event type"),
        ("processors/pipeline.toml", "cell_deg = 0.1", "cell_deg = 0", "cell_deg"),
        ("processors/pipeline.toml", "[release]", "[releases]", "did you mean release"),
        ("processors/agreements/rcoc-ais.toml", 'recipient = "rcoc"', 'recipient = "rcocc"', "did you mean 'rcoc'"),
        (
            "topics/recipients.toml",
            'body = "protection"\nlanguage = "en"\nkinds = ["sighting", "interception", "alert", "retraction", "link"]',
            'body = "protection"\nlanguage = "en"\nkinds = ["sighting", "interception", "alert", "link"]',
            "kinds lacks 'retraction', which it gets by protection-needs",
        ),
        (
            "topics/recipients.toml",
            'body = "protection"\nlanguage = "en"\nkinds = ["sighting", "interception", "alert", "retraction", "link"]',
            'body = "protection"\nlanguage = "en"\nkinds = ["sighting", "interception", "alert", "retraction"]',
            "kinds lacks 'link', in which it is told how its reports hang together",
        ),
        ("topics/changelogs.toml", "partitions = 1", "partitions = 2", "they must be equal"),
    ],
)
def test_what_does_not_fit_is_said(case: tuple[str, str, str, str], root: Path, change: Change) -> None:
    """
    The fault names the file and what is wrong, before anything runs.
    """
    name, old, new, said = case
    change(name, old, new)
    found = faults(root)

    # What a declaration of topics lacks is said where it is needed.
    assert any(said in fault for fault in found), found
    assert all(".toml " in fault for fault in found)


def test_the_pipeline_and_the_agreements_are_read_together(root: Path, change: Change) -> None:
    """
    A fault in the pipeline does not hide those of the agreements.
    """
    change("processors/pipeline.toml", "cell_deg = 0.1", "cell_deg = 0")
    change("processors/agreements/rcoc-ais.toml", 'recipient = "rcoc"', 'recipient = "rcocc"')

    assert {"processors/pipeline.toml", "processors/agreements/rcoc-ais.toml"} == {fault.split()[0] for fault in faults(root)}


def test_a_rule_of_repeats_stands_once(root: Path) -> None:
    """
    Two rules of one name could not be told apart in a view.
    """
    path = root / "processors" / "pipeline.toml"
    content = path.read_text(encoding="utf-8")
    path.write_text(content + content[content.index("[[repeats]]") :], encoding="utf-8")

    assert ["processors/pipeline.toml repeats 'same-day-same-place' is there twice"] == faults(root)


def test_an_accept_that_writes_to_a_recipient_is_found() -> None:
    """
    Nothing but release: the check looks at what is written, not at what a step is called.
    """

    class Leaky(Pipeline):
        """A pipeline whose first accept would write to RMIFC."""

        @property
        def edges(self) -> tuple[Edge, ...]:
            first, *rest = real_pipeline().edges
            return Edge(
                first.kind, first.name, first.reads, first.writes | {"for.rmifc.sighting"}, first.changelog, first.windows
            ), *rest

    real = real_pipeline()
    found = list(check(Leaky(real.file, real.policy, real.declarations, real.vocabularies)))

    assert [Fault("processors/pipeline.toml", "accept-reports", "only a release may write to a recipient")] == found
