"""
A view in the words of a language, line by line: what somebody at a centre reads.

Pure. Every view says where it comes from, how sure it is, how old it is, and what was withheld and whom to ask for it. What is
unknown and what was withheld never read alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from boutre.connectors import wording_links as links
from boutre.connectors.delivery import LINK, Delivery
from boutre.connectors.phrases import Words, field_name, length, listed, named, number, safe, space, text_in
from boutre.language import say
from boutre.schemas.marks import Sealed, Withheld

Mark = Literal["exercise", "urgent", "head", "body", "withheld", "faint"]

ALWAYS: Final = ("position", "craft", "persons", "assessment")
"""
Groups of which a reader wants to be told that nothing is known.
"""

BODY: Final = (
    "event", "position", "movement", "area", "craft", "claims", "persons", "action", "sensor", "migration", "vulnerability",
    "trafficking", "victims", "suspects", "narrative", "assessment", "recall", "provenance", "unmapped",
    "handling",
)  # fmt: skip
"""
The groups that are told part by part, in the order in which they are.
"""

TOLD: Final[Mapping[str, frozenset[str]]] = {
    "position": frozenset({"latitude", "longitude", "accuracy_m"}),
    "event": frozenset({"type"}),
}
"""
Parts that were told otherwise: in the first line, or as one place.
"""

METHOD: Final = re.compile(r"(?:(?P<name>grid|band) (?P<degree>[0-9]+(?:\.[0-9]+)?)(?: degree)?|time (?P<unit>[a-z]+))")


@dataclass(frozen=True, slots=True)
class Line:
    """
    One line, and what kind of line it is.
    """

    text: str
    mark: Mark = "body"


def lines(view: Delivery, language: str, words: Words) -> tuple[Line, ...]:
    """
    Give *view* in ``en`` or ``fr``.

    Its age is that at its release to this recipient, so that the same view always reads the same.
    """
    return tuple(line for part in (_head, _from, _when, _warning, _link, _body, _not_given) for line in part(view, language, words))


def _head(view: Delivery, language: str, words: Words) -> Iterator[Line]:
    if view.value["exercise"]:
        yield Line(say("mark.exercise", language), "exercise")
    life = _group(view.value, "lifecycle")
    if _group(view.value, "warning").get("lives_at_risk"):
        yield Line(say("mark.lives-at-risk", language), "urgent")
    event = _group(view.value, "event")
    what = links.type_of(view, language, words) or words.say(view.kind, "event.type", event.get("type"), language)
    kind = words.vocabularies.label("kind@1", view.kind, language)
    yield Line(" · ".join(filter(None, (kind, what, safe(view.id)))), "head")
    standing = links.standing(view, language, words)
    if standing:
        yield Line(standing, "urgent")
    if life.get("status") == "cancel" and not standing:
        yield Line(say("mark.cancelled", language), "urgent")
    elif life.get("status") == "update":
        yield Line(say("mark.amended", language, revision=life.get("revision") or 0), "urgent")
    if life.get("repeats"):
        yield Line(say("mark.repeats", language), "faint")


def _from(view: Delivery, language: str, words: Words) -> Iterator[Line]:
    origin = view.value.get("origin")
    if links.by_the_bus(view):
        yield Line(_headed("origin", links.maker(view, language), language))
        return
    if not isinstance(origin, Mapping):
        yield Line(_headed("origin", _state(origin, view, "origin", language, words), language))
        return
    names = (origin.get(name) for name in ("member", "authority", "unit", "feed", "reference"))
    yield Line(_headed("origin", ", ".join(safe(str(name)) for name in names if name), language))


def _when(view: Delivery, language: str, words: Words) -> Iterator[Line]:
    times = view.value.get("times")
    if view.kind == LINK and times is None:
        yield Line(_headed("times", links.told_at(view, language), language))
        return
    if not isinstance(times, Mapping):
        yield Line(_headed("times", _state(times, view, "times", language, words), language))
        return
    known = (
        (name, words.say(view.kind, f"times.{name}", times.get(name), language))
        for name in ("observed", "observed_until", "reported", "accepted_at")
    )
    said = [named(name, text + _altered(view, f"times.{name}", language), language) for name, text in known if text]
    observed = times.get("observed") or {}
    if observed.get("at") is not None:
        old = max(0.0, (view.timestamp - observed["at"]).total_seconds())
        said.append(say("watch.age", language, age=length(old, language, observed.get("precision"))))
    yield Line(_headed("times", listed(said, language) or say("mark.unknown", language), language))
    if times.get("late"):
        yield Line(say("mark.late", language), "urgent")


def _warning(view: Delivery, language: str, words: Words) -> Iterator[Line]:
    warning = view.value.get("warning")
    if not isinstance(warning, Mapping):
        if warning is not None:
            yield Line(_headed("warning", _state(warning, view, "warning", language, words), language))
        return
    for name in ("headline", "description", "instruction"):
        if warning.get(name):
            yield Line(text_in(warning[name], language), "head" if name == "headline" else "body")
    names = ("severity", "urgency", "certainty", "category", "response", "onset", "expires")
    said = ((name, words.say(view.kind, f"warning.{name}", warning.get(name), language)) for name in names)
    yield Line(_headed("warning", listed((named(name, text, language) for name, text in said if text), language), language))


def _link(view: Delivery, language: str, words: Words) -> Iterator[Line]:
    if view.kind != LINK:
        return
    group = view.value.get("link")
    if isinstance(group, Mapping):
        yield from (Line(text) for text in links.told(view, language, words))
    else:
        mark: Mark = "faint" if group is None else "withheld"
        yield Line(_headed("link", _state(group, view, "link", language, words), language), mark)


def _body(view: Delivery, language: str, words: Words) -> Iterator[Line]:
    known = words.fields.get(view.kind, {})
    for name in BODY:
        if name not in view.value:
            continue
        group = view.value[name]
        if isinstance(group, Withheld | Sealed):
            yield Line(_headed(name, _state(group, view, name, language, words), language), "withheld")
        elif group in (None, []):
            if name in ALWAYS and name in known:
                yield Line(_headed(name, _state(None, view, name, language, words), language), "faint")
        else:
            text = _told(view, name, group, language, words)
            if text or name in ALWAYS:
                yield Line(_headed(name, text or _state(None, view, name, language, words), language))


def _told(view: Delivery, name: str, group: Any, language: str, words: Words) -> str:
    if not isinstance(group, Mapping):
        return words.say(view.kind, name, group, language) + _altered(view, name, language)
    first = [words.say(view.kind, name, group, language)] if name == "position" else []
    shown = TOLD.get(name, frozenset())
    parts = (
        (f"{name}.{part}", words.say(view.kind, f"{name}.{part}", value, language))
        for part, value in group.items()
        if part not in shown
    )
    rest = [named(path, text + _altered(view, path, language), language) for path, text in parts if text]
    return listed((*first, *rest), language) + _altered(view, name, language)


def _not_given(view: Delivery, language: str, words: Words) -> Iterator[Line]:
    """What was withheld of a group in part, and by which agreements the view was cut; whole groups say so where they stand."""
    whole = {name for name, group in view.value.items() if isinstance(group, Withheld)}
    partly: dict[str, list[str]] = {}
    for state in view.value["view"]["fields"]:
        top, _, part = state["field"].partition(".")
        if state["state"] == "withheld" and top not in whole and part:
            partly.setdefault(top, []).append(field_name(state["field"], language))
    if partly:
        told = listed((f"{say(f'group.{top}', language)} ({', '.join(parts)})" for top, parts in partly.items()), language)
        asked = {group.ask for group in view.value.values() if isinstance(group, Withheld)}
        ask = (
            f" {say('action.ask', language, whom=words.contact(next(iter(asked)), language))}"
            if len(asked) == 1 and asked != {None}
            else ""
        )
        heading = say("watch.withheld", language, recipient=view.recipient)
        yield Line(f"{heading}{space(language)}: {told}.{ask}", "withheld")
    if links.by_the_bus(view):
        yield Line(say("watch.link.basis", language, recipient=view.recipient), "faint")
    agreements = ", ".join(safe(each) for each in view.value["view"]["agreements"])
    if agreements:
        yield Line(say("watch.policy", language, agreements=agreements), "faint")


def _state(group: Any, view: Delivery, name: str, language: str, words: Words) -> str:
    """Why there is nothing to tell of a group: withheld, sealed, unknown, or unknown as far as it is given."""
    if isinstance(group, Withheld):
        ask = words.contact(group.ask, language)
        return say("mark.withheld", language, agreement=group.agreement, clause=group.clause, ask=ask)
    if isinstance(group, Sealed):
        return say("mark.sealed", language)
    hidden = any(state["field"].startswith(f"{name}.") and state["state"] == "withheld" for state in view.value["view"]["fields"])
    return say("watch.unknown-as-given" if hidden else "mark.unknown", language)


def _altered(view: Delivery, path: str, language: str) -> str:
    return altered(view.value["view"]["fields"], path, language)


def altered(states: Sequence[Mapping[str, Any]], path: str, language: str) -> str:
    """
    The mark of a field that was coarsened or put under a pseudonym, in brackets after its value; else nothing.
    """
    for state in states:
        if state["field"] == path and state["state"] != "withheld":
            mark = say(f"mark.{state['state']}", language, method=method(state["method"], language))
            return f" [{mark}]"
    return ""


def method(code: str | None, language: str) -> str | None:
    """
    How a field was coarsened, in words; as it is where the catalogue has none for it.
    """
    found = METHOD.fullmatch(code or "")
    if found is None:
        return code
    if found["unit"]:
        return say("watch.method.time", language, degree=say(f"watch.unit.{found['unit']}", language))
    return say(f"watch.method.{found['name']}", language, degree=number(float(found["degree"]), language))


def _headed(group: str, text: str, language: str) -> str:
    return f"{say(f'group.{group}', language)}{space(language)}: {text}"


def _group(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = value.get(name)
    return found if isinstance(found, Mapping) else {}
