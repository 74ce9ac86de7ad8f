"""
The model by which reports are matched: which comparisons, what each level says, and where a link begins. All of it is data.

The weights add up (Fellegi and Sunter, 1969): each level of each comparison changes the odds by a factor, whose binary logarithm is
its bits. They were learnt offline from pairs of which the truth is known; the file says from which.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from msgspec import Struct
from pydantic import Field

from boutre.errors import Fault
from boutre.processors.matching.comparisons import BY_NAME, LEAST_EDGES, Compare
from boutre.processors.matching.found import Evidence
from boutre.processors.matching.ground import Ground
from boutre.processors.matching.sighted import Sighted
from boutre.processors.matching.terms import Terms
from boutre.topics.strict import Declared, file_name, read

FOLDER: Final = "processors/matching"

MOST_BITS: Final = 40.0
"""Odds beyond a million millions to one are this: no report is surer than that."""


class ComparisonFile(Terms):
    """
    One comparison: what it is *of*, its terms, the *bits* of each level, and the levels that make a match *impossible*.

    A level that *bits* does not name says nothing. *learnt* says how its weights are: ``together`` with those of other comparisons,
    since what they say overlaps; ``alone``, by how often a level stands among matches and among others; or not at all, but by
    judgement.
    """

    name: str = Field(pattern=r"^[a-z][a-z-]*$")
    of: str
    bits: Mapping[str, float]
    impossible: tuple[str, ...] = ()
    learnt: Literal["together", "alone", "no"] = "together"


class BlockFile(Declared):
    """
    Which pairs are compared at all: reports at most so many *hours* and *kilometres* apart, or that share an identifier.

    On the bus, where reports are linked as they come, *at_sea_km* stands in the place of *kilometres*, if it is given.
    """

    hours: float = Field(gt=0)
    kilometres: float = Field(gt=0)
    at_sea_km: float | None = Field(default=None, gt=0)


class CalibrationFile(Declared):
    """
    How the odds among rivals become a probability that means what it says: ``slope`` and ``intercept`` of its logarithm, in bits.
    """

    slope: float = Field(default=1.0, gt=0)
    intercept: float = 0.0


class ModelFile(Declared):
    """
    A model as it is declared.

    *prior_bits* are the odds of a pair of which nothing was compared; *rivals* says whether a report of one source speaks of what
    at most one report of another source does; *rivals_bits* is what of the prior was set for that. *within_source* says whether two
    reports of one source are matched. Pairs below *least_bits* are no candidates, not even as rivals: so what hangs together stays
    small. *learnt_on* is the digest of the pairs that it was learnt from.
    """

    name: str = Field(pattern=r"^[a-z][a-z-]*$")
    version: int = Field(ge=1)
    type: Literal["same-event", "same-craft"]
    kinds: tuple[str, ...] = Field(min_length=1)
    events: tuple[str, ...] = Field(min_length=1)
    prior_bits: float
    rivals: bool = True
    rivals_bits: float = 0.0
    within_source: bool = False
    least_bits: float = -8.0
    link_at: float = Field(gt=0, lt=1)
    learnt_on: str = ""
    block: BlockFile
    calibration: CalibrationFile = Field(default_factory=CalibrationFile)
    comparison: tuple[ComparisonFile, ...] = Field(min_length=1)


class Weighed(Struct, frozen=True):
    """
    What two reports come to: the *bits* in all, with the prior, and the evidence in the order of the model.
    """

    bits: float
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Model:
    """
    A model with its comparisons, ready to weigh.
    """

    file: ModelFile
    compare: tuple[tuple[ComparisonFile, Compare], ...]

    @property
    def rule(self) -> str:
        """The rule's name and version, as links name it."""
        return f"{self.file.name}@{self.file.version}"

    def speaks_of(self, one: Sighted) -> bool:
        """Say whether a report is of the kinds and types of event that this model matches."""
        return one.kind in self.file.kinds and one.event in self.file.events

    def levels(self, one: Sighted, other: Sighted, ground: Ground) -> tuple[str | None, ...]:
        """Give the level of each comparison, None where a report says nothing of it."""
        return tuple(compare(one, other, terms, ground) for terms, compare in self.compare)

    def weigh(self, one: Sighted, other: Sighted, ground: Ground) -> Weighed | None:
        """Weigh two reports; None where a level says that they cannot be of one."""
        return self.sum(self.levels(one, other, ground))

    def sum(self, levels: Sequence[str | None]) -> Weighed | None:
        """Add up what the levels say; None where one of them rules a match out."""
        evidence = []
        for (terms, _), level in zip(self.compare, levels, strict=True):
            if level is None:
                continue
            if level in terms.impossible:
                return None
            bits = terms.bits.get(level)
            if bits is not None:
                evidence.append(Evidence(terms.name, level, bits))
        total = self.file.prior_bits + math.fsum(one.bits for one in evidence)
        return Weighed(max(-MOST_BITS, min(MOST_BITS, total)), tuple(evidence))

    def probability(self, bits: float) -> float:
        """Give the probability that odds of so many *bits*, weighed among rivals, mean; from 0 to 1."""
        calibration = self.file.calibration
        return probability(calibration.slope * bits + calibration.intercept)


def probability(bits: float) -> float:
    """
    Give the probability of odds whose binary logarithm is *bits*.
    """
    return 1 / (1 + 2 ** -max(-MOST_BITS, min(MOST_BITS, bits)))


def bits_of(chance: float) -> float:
    """
    Give the binary logarithm of the odds of a probability, within the bounds of any model.
    """
    least = 2**-MOST_BITS
    kept = min(1 - least, max(least, chance))
    return math.log2(kept / (1 - kept))


def model_of(file: ModelFile) -> Model:
    """
    Make a model of its declaration; KeyError where a comparison is of nothing that is known.
    """
    return Model(file, tuple((one, BY_NAME[one.of]) for one in file.comparison))


def load(path: Path, faults: list[Fault], root: Path | None = None) -> Model | None:
    """
    Read one model; what is wrong is added to *faults*, and then there is none.
    """
    file = read(path, ModelFile, faults, root=root)
    if file is None:
        return None
    name = file_name(path, root)
    wrong = [Fault(name, one.name, f"of = {one.of!r} is no comparison") for one in file.comparison if one.of not in BY_NAME]
    names = [one.name for one in file.comparison]
    wrong += [Fault(name, each, "is there twice") for each in sorted({each for each in names if names.count(each) > 1})]
    wrong += [Fault(name, one.name, "edges must rise") for one in file.comparison if list(one.edges) != sorted(set(one.edges))]
    wrong += [
        Fault(name, one.name, f"needs {least} or more edges")
        for one in file.comparison
        if len(one.edges) < (least := LEAST_EDGES.get(one.of, 0))
    ]
    faults.extend(wrong)
    return None if wrong else model_of(file)
