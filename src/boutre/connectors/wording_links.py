"""
A link in the words of a language: what of what, how sure, who or what says so, on which evidence, and whether it still stands.

Pure. Nobody reports a link, and an alert of the bus's own neither: the bus makes them of what one recipient was given. So where
another view names its member, these name the rule or the person.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from boutre.connectors.delivery import LINK, Delivery
from boutre.connectors.phrases import Words, named, number, safe, scalar
from boutre.language import say

ALERT: Final = "alert"
WITHDRAWN: Final = "withdrawn"
PAIR: Final = 2
BITS: Final = 1  # digits; a tenth of a bit changes odds by a fourteenth
SPEAKS: Final = 0.05
"""
Bits below which a comparison says nothing either way.
"""


def by_the_bus(view: Delivery) -> bool:
    """
    Whether the bus itself made what *view* tells: every link, and an alert that no member sent and no agreement cut.
    """
    if view.value.get("origin") is not None:
        return False
    own = not view.value["view"]["agreements"] and not view.value["view"]["fields"]
    return view.kind == LINK or (view.kind == ALERT and own)


def maker(view: Delivery, language: str) -> str:
    """
    Which rule or person is behind what the bus made; the bus alone where neither is known.
    """
    told, provenance = _group(view.value, "link"), _group(view.value, "provenance")
    rule = told.get("rule") or provenance.get("method")
    by = safe(str(told.get("by") or "")) or None
    if rule:
        return say("watch.link.by-rule", language, rule=safe(str(rule)), recipient=view.recipient, by=by)
    if by:
        return say("watch.link.by-person", language, by=by)
    return say("watch.link.by-the-bus", language, recipient=view.recipient)


def told_at(view: Delivery, language: str) -> str:
    """
    When the bus told a link, and where the ages of what it links are to be read.
    """
    return say("watch.link.told", language, at=scalar(view.timestamp, language))


def type_of(view: Delivery, language: str, words: Words) -> str:
    """
    How the two belong together, in words; empty for other kinds, and where it is not known.
    """
    return words.say(LINK, "link.type", _group(view.value, "link").get("type"), language) if view.kind == LINK else ""


def standing(view: Delivery, language: str, words: Words) -> str | None:
    """
    What a reader must know first: that the link was withdrawn and why, or counts for nothing until somebody decides; else None.
    """
    told = _group(view.value, "link")
    status = told.get("status")
    if status == WITHDRAWN or (told and _group(view.value, "lifecycle").get("status") == "cancel"):
        reason = words.say(LINK, "link.reason", told.get("reason"), language)
        return say("watch.link.withdrawn", language, reason=reason or None)
    return words.say(LINK, "link.status", status, language) if status not in (None, "made") else None


def told(view: Delivery, language: str, words: Words) -> Iterator[str]:
    """
    The link line by line: its two views, its own id, how sure it is, why, and each comparison with what it weighs.
    """
    group = view.value.get("link")
    if not isinstance(group, Mapping):
        return
    ends = _ends(group, language)
    if ends:
        yield ends
    yield _line("id", safe(view.of), language)
    yield _line("status", words.say(LINK, "link.status", group.get("status"), language), language)
    yield _line("probability", _sure(group, language), language)
    said = _sentence(group.get("explanation"), language)
    if said:
        yield _line("explanation", said, language)
    for each in group.get("evidence") or ():
        yield _evidence(each, language)
    independent = group.get("independent")
    yield _line("independent", scalar(independent, language) or say("mark.unknown", language), language)
    if group.get("judgement"):
        yield _line("judgement", safe(str(group["judgement"])), language)


def _ends(group: Mapping[str, Any], language: str) -> str:
    views, records = _names(group.get("views")), _names(group.get("records"))
    if len(views) < PAIR and len(records) < PAIR:
        return _line("views", ", ".join(filter(None, (*views, *records))) or say("mark.unknown", language), language)
    ends = [_end(views, records, n, language) for n in range(PAIR)]
    return say("watch.link.between", language, one=ends[0], other=ends[1])


def _end(views: Sequence[str], records: Sequence[str], n: int, language: str) -> str:
    view, record = (names[n] if n < len(names) else "" for names in (views, records))
    # A record of which no view is known any more is still named.
    return say("watch.link.end", language, view=view or say("mark.unknown", language), record=record or None)


def _sure(group: Mapping[str, Any], language: str) -> str:
    """A person's word has no percentage: it is a person's word."""
    if group.get("rule") is None and (group.get("by") or group.get("judgement")):
        return say("watch.link.said", language)
    return scalar(group.get("probability"), language, "%") or say("mark.unknown", language)


def _evidence(each: Mapping[str, Any], language: str) -> str:
    bits = each["bits"]
    side = "nothing" if abs(bits) < SPEAKS else "for" if bits > 0 else "against"
    text = _sentence(each.get("sentence"), language) or f"{safe(each['comparison'])}, {safe(each['level'])}"
    return say(f"watch.link.{side}", language, text=text, bits=number(bits, language, BITS))


def _sentence(sentence: Any, language: str) -> str:
    return safe(str(sentence.get(language) or "")) if isinstance(sentence, Mapping) else ""


def _line(name: str, text: str, language: str) -> str:
    return named(name, text or say("mark.unknown", language), language)


def _names(found: Any) -> list[str]:
    return [safe(str(each)) for each in found] if isinstance(found, list | tuple) else []


def _group(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = value.get(name)
    return found if isinstance(found, Mapping) else {}
