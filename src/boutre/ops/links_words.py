"""
What ``boutre links`` says: clusters, refusals and what does not count, as sentences in both languages and as plain data.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from boutre.language import LANGUAGES, say
from boutre.ops.links_read import Unusable
from boutre.processors.links.clusters import Cluster, Limits, Refused
from boutre.processors.links.explain import explain, judged_by, number
from boutre.processors.links.link import DIRECTED, Judgement, Link
from boutre.processors.links.picture import Picture


def lines(seen: Picture, limits: Limits, language: str) -> Iterator[str]:
    """
    Say what follows for one recipient, type by type, as lines for a terminal.
    """
    head = "links.head-exercise" if seen.exercise else "links.head"
    yield say(head, language, recipient=seen.recipient, count=len(seen.links))
    for type_, found in seen.of.items():
        yield ""
        yield say(f"link.type.{type_}", language)
        for place, one in enumerate(found.groups, 1):
            yield f"  {place}. {_cluster(seen, one, language)}"
            yield from (f"       {_linked(seen.links[each], language)}" for each in one.links)
        if not found.groups:
            yield f"  {say('links.none', language)}"
        if found.refused:
            yield f"  {say('links.refused', language)}"
            yield from (f"     {refusal(seen.links[each.link], each, limits, language)}" for each in found.refused)
    idle = [f"  {_idle(seen.links[key], why, limits, language)}" for key, why in seen.idle]
    yield from _part("links.idle", idle, language)
    directed = [one for one in seen.links.values() if one.type in DIRECTED and one.stands]
    yield from _part("links.directed", [f"  {_linked(one, language)}" for one in directed], language)
    yield from _part("links.said", [f"  {_said(one, language)}" for one in seen.judgements], language)
    yield from _part("links.placeless", [f"  {_unplaced(each, why, language)}" for each, why in seen.unplaced], language)


def refusal(link: Link, refused: Refused, limits: Limits, language: str) -> str:
    """
    Say why a link that stands was not followed.
    """
    one, other = refused.held_apart or link.records
    bounds: dict[str, Any] = {"links": limits.links, "records": limits.records}
    why = say(f"links.why.{refused.why}", language, one=one, other=other, **bounds)
    return say("links.because", language, pair=_pair(link, language), number=number(link.probability, language), why=why)


def unusable(found: Iterable[Unusable], language: str) -> Iterator[str]:
    """
    Say of lines that cannot be used where they stand and why.
    """
    for each in found:
        yield say("links.line", language, place=each.place, why=say(f"links.unusable.{each.why}", language))


def plain(seen: Picture, limits: Limits) -> dict[str, Any]:
    """
    Give a picture for programs, its sentences in both languages.
    """
    refused = [(type_, each) for type_, found in seen.of.items() for each in found.refused]
    return {
        "recipient": seen.recipient,
        "exercise": seen.exercise,
        "clusters": [
            {"type": type_, "records": list(one.records), "links": list(one.links), "least": _least(seen, one)}
            for type_, found in seen.of.items()
            for one in found.groups
        ],
        "refused": [
            {
                "type": type_,
                "link": each.link,
                "why": each.why,
                "held_apart": each.held_apart and list(each.held_apart),
                "sentence": {language: refusal(seen.links[each.link], each, limits, language) for language in LANGUAGES},
            }
            for type_, each in refused
        ],
        "hubs": {type_: list(found.hubs) for type_, found in seen.of.items() if found.hubs},
        "not_counted": [{"link": key, "why": why, "reason": seen.links[key].reason} for key, why in seen.idle],
        "judgements": [
            {"id": one.id, "records": [one.a, one.b], "verdict": one.verdict, "by": one.by, "types": list(one.types)}
            for one in seen.judgements
        ],
        "unplaced": [{"id": each, "why": why} for each, why in seen.unplaced],
        "links": [_link(one) for one in seen.links.values()],
    }


def _link(one: Link) -> dict[str, Any]:
    return {
        "id": one.id,
        "type": one.type,
        "records": list(one.records),
        "rule": one.rule,
        "by": one.by,
        "status": one.status,
        "reason": one.reason,
        "judgement": one.judgement,
        "probability": one.probability,
        "explanation": explain(one),
    }


def _part(title: str, rows: list[str], language: str) -> Iterator[str]:
    if rows:
        yield ""
        yield say(title, language)
        yield from rows


def _cluster(seen: Picture, one: Cluster, language: str) -> str:
    least = number(_least(seen, one), language)
    return say("links.bound", language, records=", ".join(one.records), number=least)


def _least(seen: Picture, one: Cluster) -> float:
    return min(seen.links[each].probability for each in one.links)


def _pair(link: Link, language: str) -> str:
    form = "links.from-to" if link.type in DIRECTED else "links.pair"
    return say(form, language, one=link.records[0], other=link.records[1])


def _linked(link: Link, language: str) -> str:
    return say("links.linked", language, pair=_pair(link, language), sentence=explain(link)[language])


def _idle(link: Link, why: str, limits: Limits, language: str) -> str:
    told = _linked(link, language)
    return f"{told} {say('links.weak', language, number=number(limits.probability, language))}" if why == "weak" else told


def _said(one: Judgement, language: str) -> str:
    both = say("links.pair", language, one=one.a, other=one.b)
    return say("links.linked", language, pair=both, sentence=judged_by(one)[language])


def _unplaced(answer: str, why: str, language: str) -> str:
    return say("links.line", language, place=answer, why=say(f"links.unplaced.{why}", language))
