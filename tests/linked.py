"""
Links and judgements for tests, as rules and people make them.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from boutre.processors.links.link import Judgement, Link, made
from boutre.processors.matching.found import SAME_CRAFT, Evidence, found

RULE = "kwassa@1"
NAMES = st.sampled_from("abcdef")


def link(one: str, other: str, probability: float = 0.9, type_: str = SAME_CRAFT, rule: str = RULE) -> Link:
    """A link as a rule makes it."""
    return made("reunion", found(one, other, type_, rule, probability, (Evidence("distance", "near", 3.0),)))


def judgement(one: str, other: str, verdict: Any, at: float = 1.0, **more: Any) -> Judgement:
    """A judgement of the watch."""
    return Judgement(one, other, verdict, "watch officer", at, more.pop("id", f"{one}{other}{at}"), **more)


@st.composite
def judgements(draw: st.DrawFn) -> list[Judgement]:
    """Some judgements of few records, at few times, so that they contradict each other."""
    pairs = st.tuples(NAMES, NAMES).filter(lambda both: both[0] != both[1])
    made_ = draw(st.lists(st.tuples(pairs, st.sampled_from(["same", "not-same", "unsure"]), st.integers(0, 3)), max_size=8))
    return [judgement(*both, verdict, at, id=str(place)) for place, (both, verdict, at) in enumerate(made_)]


@st.composite
def links(draw: st.DrawFn) -> list[Link]:
    """Links of few records with probabilities that are often equal, each once."""
    pairs = st.tuples(NAMES, NAMES).filter(lambda both: both[0] < both[1])
    chances = st.sampled_from([0.2, 0.5, 0.500001, 0.8, 0.8, 0.99])
    return [link(*both, draw(chances)) for both in draw(st.lists(pairs, unique=True, max_size=15))]
