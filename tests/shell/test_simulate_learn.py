"""
``boutre simulate --learn``: the weights of craft come from seeds and from nothing else, and the bus reads what was learnt.
"""

from __future__ import annotations

import json
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
from click.testing import CliRunner

from boutre.connectors.simulation.nights import nights
from boutre.errors import Fault
from boutre.ops.command import main
from boutre.ops.simulate_learn import Lesson, learn, stock
from boutre.processors.matching import model as modelling
from boutre.processors.matching import models
from boutre.processors.matching.learning import HARDLY, fingerprint
from boutre.processors.matching.matcher import Matcher, settled
from boutre.processors.matching.model import Model
from pages import ROOT

LESSON = Lesson(101, 104, 4)
SHOWN = 9


def craft() -> Matcher:
    """The bus's model of craft."""
    return next(one for one in models.of(ROOT).matchers() if one.model.file.name == "craft")


@cache
def learnt_once() -> Matcher:
    """The same, learnt from the lesson."""
    return learn(craft(), LESSON)


def run(path: Path, *arguments: str) -> tuple[int, str, str]:
    """The exit status, what it said, and what it told on the side."""
    given = ["simulate", "--seed", str(SHOWN), "--nights", "4", "--learn", str(path), "--output", "json", *arguments]
    done = CliRunner().invoke(main, ["--bus", str(ROOT), *given])
    return done.exit_code, done.stdout, done.stderr


def read(path: Path) -> Model:
    """What was written, as a bus reads it."""
    faults: list[Fault] = []
    found = modelling.load(path, faults)
    assert [] == faults
    assert found is not None
    return found


def test_what_was_learnt_is_read_and_links(tmp_path: Path) -> None:
    """The bus's loader takes the file; it holds what learning gave, links nights that it has not seen, and says whence it is."""
    path = tmp_path / "new" / "craft.toml"
    status, out, told = run(path, "--learn-from", "101", "104")
    made, file = craft(), read(path).file
    learnt = learnt_once()
    what, known = stock(learnt, nights(SHOWN, 4))
    links = [pair for pair in settled(read(path), what) if pair.probability >= file.link_at]
    figures = json.loads(out)["matchers"]

    assert 0 == status, told
    assert learnt.model.file == file
    assert {"craft@1", "craft@1 learnt", "distance-and-time@1"} == set(figures)
    assert figures["craft@1 learnt"]["links"]["f1"] > figures["distance-and-time@1"]["links"]["f1"]
    assert len({(link.a, link.b) for link in links}.intersection(known)) > len(links) / 3
    assert fingerprint({pair for seed in LESSON.seeds for pair in stock(made, nights(seed, 4))[1]}) == file.learnt_on
    assert "boutre simulate --nights 4 --learn FILE --learn-from 101 104" in path.read_text(encoding="utf-8")


def test_the_same_seeds_give_the_same_file(tmp_path: Path) -> None:
    """To the byte; and other seeds another one."""
    one, again, other = (tmp_path / name for name in ("one.toml", "again.toml", "other.toml"))
    for path, last in ((one, "103"), (again, "103"), (other, "102")):
        assert 0 == run(path, "--nights", "2", "--learn-from", "101", last)[0]

    assert one.read_bytes() == again.read_bytes()
    assert read(one).file.comparison != read(other).file.comparison


def test_what_hardly_any_pair_shows_keeps_its_judgement() -> None:
    """Of a few nights many a level is never seen: it says what it said before, and so does whatever is not learnt."""
    made = craft()
    seen: list[Counter[str | None]] = [Counter() for _ in made.model.file.comparison]
    for seed in LESSON.weights:
        what, known = stock(made, nights(seed, LESSON.nights))
        sides = {side for pair in known for side in pair}
        for one, other, levels in what.pairs:
            if sides & {what.reports[one].id, what.reports[other].id}:
                for counts, level in zip(seen, levels, strict=True):
                    counts[level] += 1
    before, after = made.model.file, learnt_once().model.file
    kept = learnt = 0

    for counts, old, new in zip(seen, before.comparison, after.comparison, strict=True):
        assert old.bits.keys() <= new.bits.keys()
        for level, bits in old.bits.items():
            kept += counts[level] < HARDLY
            learnt += counts[level] >= HARDLY and bits != new.bits[level]
            assert counts[level] >= HARDLY or bits == new.bits[level]
    assert kept
    assert learnt
    unlearnt = ("name", "version", "type", "kinds", "events", "link_at", "block", "within_source", "least_bits")
    assert [getattr(before, name) for name in unlearnt] == [getattr(after, name) for name in unlearnt]


@pytest.mark.parametrize(
    ("seeds", "message"),
    [(("5", "12"), "must not be learnt from"), (("101", "101"), "2 seeds or more"), (("104", "101"), "2 seeds or more")],
)
def test_seeds_that_cannot_be_learnt_from_are_refused(tmp_path: Path, seeds: tuple[str, str], message: str) -> None:
    """The nights that are shown, a single seed, the last before the first: nothing is written."""
    status, _, told = run(tmp_path / "craft.toml", "--learn-from", *seeds)

    assert 0 != status
    assert message in told
    assert not (tmp_path / "craft.toml").exists()


@pytest.mark.parametrize(("first", "last"), [(1, 2), (1, 4), (1, 7), (101, 124), (0, 99)])
def test_no_seed_is_learnt_from_twice(first: int, last: int) -> None:
    """Weights and calibration come from seeds apart, all of them, three quarters and the rest."""
    lesson = Lesson(first, last, 3)

    assert list(lesson.seeds) == [*lesson.weights, *lesson.rest]
    assert lesson.weights
    assert lesson.rest
    assert len(lesson.weights) >= len(lesson.rest)
