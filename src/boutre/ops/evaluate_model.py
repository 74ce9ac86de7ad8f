"""
Writes a model that was learnt as TOML, with a word on each comparison, and from what it was learnt.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from inspect import getdoc
from pathlib import Path
from typing import Any, NamedTuple

from boutre.durable import replace
from boutre.processors.matching.comparisons import BY_NAME
from boutre.processors.matching.judged import Score
from boutre.processors.matching.model import ComparisonFile, ModelFile

WIDTH = 118
"""Characters of a line."""


class Learnt(NamedTuple):
    """
    How a model was learnt: *from_what*, *by* which command, and its *figures* by name on what is said by *unseen*.
    """

    from_what: str
    by: str
    unseen: str
    figures: Mapping[str, Score]


def from_pairs(pairs: int, figures: Mapping[str, Score]) -> Learnt:
    """
    Say of a model that ``boutre evaluate`` learnt it from so many known pairs.
    """
    by = "boutre evaluate DIR --learn FILE"
    return Learnt(
        f"{pairs} known pairs, whose digest is learnt_on", by, "On stretches of time that the weights had not seen", figures
    )


def write(path: Path, file: ModelFile, learnt: Learnt) -> None:
    """
    Write *file*, with how it was learnt and how it did on reports that its weights had not seen.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    replace(path, text(file, learnt).encode())


def text(file: ModelFile, learnt: Learnt) -> str:
    """
    Give the model as TOML. What is read back is what was written.
    """
    return "\n".join((*_head(file, learnt), *(line for one in file.comparison for line in _comparison(one)), ""))


def _head(file: ModelFile, learnt: Learnt) -> Iterator[str]:
    yield f"# How likely two reports are of one: {file.name}, version {file.version}."
    yield "# docs/matching.md tells how a score comes about."
    yield "#"
    yield from _comment(f"Learnt from {learnt.from_what}, by:")
    yield f"#   {learnt.by}"
    yield f"# {learnt.unseen}:"
    for name, one in learnt.figures.items():
        yield f"#   {name:<13} precision {one.precision:.3f}  recall {one.recall:.3f}  F1 {one.f1:.3f}"
    yield "# Weights are bits: each doubles (1) or halves (-1) the odds that two reports are of one."
    yield "# A level without bits says nothing."
    yield ""
    top = file.model_dump(exclude={"block", "calibration", "comparison"})
    yield from _table(top)
    yield ""
    yield "# Which pairs are compared at all."
    yield "[block]"
    yield from _table(file.block.model_dump(exclude_none=True))
    yield ""
    yield "# What the odds among rivals mean: the probability of slope * bits + intercept."
    yield "[calibration]"
    yield from _table(file.calibration.model_dump())


def _comparison(one: ComparisonFile) -> Iterator[str]:
    yield ""
    yield from _comment((getdoc(BY_NAME[one.of]) or "").split("\n\n")[0])
    yield from _comment(_LEARNT[one.learnt])
    yield "[[comparison]]"
    tables = {"bits", "words", "activities"}
    plain = one.model_dump(exclude=tables, exclude_defaults=True)
    yield from _table({"name": one.name, "of": one.of, **plain})
    for name in ("words", "activities"):
        held = getattr(one, name)
        if held:
            yield f"[comparison.{name}]"
            yield from _table(held)
    yield "[comparison.bits]"
    yield from _table({level: one.bits[level] for level in _in_order(one)})


_BARE = re.compile("[A-Za-z0-9_-]+")
_LEARNT = {
    "together": "Learnt together with others, since what they say overlaps.",
    "alone": "Learnt alone, by how often a level stands among matches and among others.",
    "no": "Not learnt but judged: the pairs do not tell enough of it.",
}


def _in_order(one: ComparisonFile) -> list[str]:
    """Give levels as a reader expects them: a ladder upwards, words by what they say."""
    ladder = [f"<{edge:g}" for edge in one.edges] + ([f">={one.edges[-1]:g}"] if one.edges else [])
    rest = sorted(set(one.bits) - set(ladder), key=lambda level: (-one.bits[level], level))
    return [level for level in ladder if level in one.bits] + rest


def _table(values: Mapping[str, Any]) -> Iterator[str]:
    for key, value in values.items():
        yield f"{key if _BARE.fullmatch(key) else _quoted(key)} = {_value(value)}"


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, int | float):
        return repr(value)
    return "[" + ", ".join(map(_value, value)) + "]"


def _quoted(value: str) -> str:
    # What JSON escapes TOML escapes alike; DEL is the one that JSON leaves.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")


def _comment(said: str) -> Iterable[str]:
    line = "#"
    for word in said.split():
        if len(line) + len(word) + 1 > WIDTH:
            yield line
            line = "#"
        line += f" {word}"
    yield line
