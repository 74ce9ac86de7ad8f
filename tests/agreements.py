"""
Agreements for tests, and what they say in so many words: the oracle that the cuts are held against.

``verdict`` reads an agreement as a lawyer would, field by field, without any of the code that cuts. ``other_than_visible`` changes
all of a record that a recipient may not have, and nothing of what it may.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from random import Random
from typing import Any, Final

from hypothesis import strategies as st

from boutre.processors.agreement import Agreement, Coarse
from boutre.processors.coarsen import BANDS, METHODS, PRECISIONS, Coarsen
from boutre.processors.policy import make
from boutre.processors.release import Desk, Release
from boutre.processors.repeats import Rule
from boutre.schemas.fields import FieldInfo
from boutre.schemas.meanings import CATEGORIES
from boutre.topics.members import Area
from boutre.topics.regions import Region, Regions
from records import CODEC, FIELDS, KINDS, Value, below, recipient_key

BOTH: Final = {"en": "x", "fr": "x"}
SAMPLE: Final = {"name": "none", "kind": "sighting", "given": {}, "withheld": "marking"}
EVERYWHERE: Final = frozenset({"demonstration"})
REGIONS: Final = Regions(
    Region(id=name, level=level, names={"en": name, "fr": name}, area=Area(west=west, south=-60, east=east, north=60))  # type: ignore[arg-type] # as it is declared
    for name, level, west, east in (("west", 1, -180, -0.5), ("middle", 1, -0.5, 55), ("east", 1, 50, 180), ("all", 2, -180, 90))
)
"""Regions that lie over one another and leave something out, for these tests."""

PERSONS: Final = ("victims", "suspects")
"""Lists of persons."""


def agreement(recipient: str = "rmifc", **parts: Any) -> Agreement:
    """An agreement that speaks of every record and, without *parts*, gives nothing of it."""
    whole: Value = {
        "id": f"{recipient}-test",
        "version": 1,
        "recipient": recipient,
        "parties": ("all",),
        "title": BOTH,
        "reason": BOTH,
        "legal_basis": BOTH,
        "purposes": ("Security", "SAR"),
        "kinds": KINDS,
        "start": date(2018, 4, 29),
        "end": date(2030, 1, 1),
        "retention_days": 1,
        "ask": "somebody",
        "when": {"tlp_max": "RED"},
        "example": (SAMPLE,),
    }
    return Agreement.model_validate({**whole, **parts})


def any_agreement(recipient: str = "rmifc", name: str = "any") -> st.SearchStrategy[Agreement]:
    """Agreements with rules of every sort, for categories and for fields at every depth."""
    return st.integers(min_value=0, max_value=2**32 - 1).map(lambda seed: _drawn(Random(seed), recipient, name))  # noqa: S311 - a test


def _drawn(random: Random, recipient: str, name: str) -> Agreement:
    said = {category: random.choice(("keep", "keep", "withhold", None)) for category in CATEGORIES}
    infos = [info for kind in KINDS for info in FIELDS[kind] if info.top not in ("id", "exercise", "view")]
    rules = {info.path: _rule(random, info) for info in random.sample(infos, random.choice((0, 2, 6, 20)))}
    # Groups matter most, and are few among the fields.
    groups = [info for info in infos if "." not in info.path or info.type_name in ("Position", "Moment", "Range")]
    rules |= {info.path: _rule(random, info) for info in random.sample(groups, random.choice((0, 2, 6)))}
    made = agreement(recipient, id=name, categories={key: rule for key, rule in said.items() if rule}, fields=rules)
    told = [path for path in PERSONS if all(_tells_roles(made, kind, path) for kind in KINDS)]
    return made.model_copy(update={"roles": dict.fromkeys(random.sample(told, random.choice((0, len(told)))), ("victim", "crew"))})


def _tells_roles(made: Agreement, kind: str, path: str) -> bool:
    """Whether persons' roles are given, without which no list may be limited by them."""
    return all(_one(made, kind, info) == "keep" for info in FIELDS[kind] if info.path == f"{path}.role")


def _rule(random: Random, info: FieldInfo) -> Any:
    coarse: list[Any] = []
    if info.type_name == "Position":
        coarse = [{"coarsen": "grid", "degrees": degrees} for degrees in (0.1, 0.5, 7, 28)]
        coarse += [{"coarsen": "region", "level": level} for level in (1, 2)]
    if info.type_name in ("Moment", "timestamp-millis") and info.name != "at":
        coarse = [{"coarsen": "time", "to": to} for to in PRECISIONS[1:]]
    if info.type_name == "Range" and info.unit in (METHODS["band"].units or ()):
        coarse = [{"coarsen": "band", "width": width} for width in (1, 2, 3)]
    if info.type_name == "string" and not info.vocabulary and not info.reference:
        coarse = ["pseudonymise"]
    return random.choice(("keep", "withhold", *coarse))


def release_of(*agreements: Agreement, rules: Sequence[Rule] = ()) -> Release:
    """A release for the recipients of *agreements*; every position lies in the zone ``demonstration``."""
    policy = make(agreements, FIELDS, REGIONS)
    desks = [
        Desk(recipient, recipient_key(recipient), cuts, dict.fromkeys(KINDS, "policy")) for recipient, cuts in policy.cuts.items()
    ]
    return Release(CODEC, {f"bus.{kind}": kind for kind in KINDS}, desks, lambda *_: EVERYWHERE, tuple(rules))


# --- What an agreement says ------------------------------------------------------------------------------------------------


def verdict(agreements: Sequence[Agreement], kind: str, info: FieldInfo) -> str | Coarsen:
    """What may be given of one field: ``keep``, ``pseudonymise``, ``withhold``, or how it is to be coarsened."""
    said = [_one(agreement, kind, info) for agreement in agreements]
    coarse = sorted((one for one in said if isinstance(one, Coarsen)), key=lambda one: one.degree)
    if len({one.method for one in coarse} | {one for one in said if one == "pseudonymise"}) > 1:
        # Nobody can say which of them is the stricter.
        return "withhold"
    if "withhold" in said or (info.path == "times.late" and not _knows(agreements, kind, ("times.observed", "event.type"))):
        return "withhold"
    return coarse[-1] if coarse else "pseudonymise" if "pseudonymise" in said else "keep"


def exactly(agreements: Sequence[Agreement], kind: str, info: FieldInfo) -> bool:
    """Whether a field comes through as it is: by the ordinary agreements together, or by those of one exception together."""
    if kind == "retraction":
        return verdict(agreements, kind, info) == "keep"
    sorts = {(each.safety_of_life, each.scope) for each in agreements}
    of_sort = [[each for each in agreements if (each.safety_of_life, each.scope) == sort] for sort in sorts]
    return any(verdict(each, kind, info) == "keep" for each in of_sort)


def _one(agreement: Agreement, kind: str, info: FieldInfo) -> str | Coarsen:
    parts = info.path.split(".")
    prefixes = [".".join(parts[: length + 1]) for length in range(len(parts))]
    rules = {path: agreement.fields[path] for path in prefixes if path in agreement.fields}
    if "withhold" in rules.values() or info.path == "recall.subject":
        return "withhold"
    coarse = next((path for path, rule in rules.items() if isinstance(rule, Coarse)), None)
    if coarse is not None:
        rule = rules[coarse]
        assert isinstance(rule, Coarse)
        category = next(other.category for other in FIELDS[kind] if other.path == coarse)
        return "withhold" if agreement.categories.get(category) == "withhold" else rule.rule(REGIONS)
    if agreement.categories.get(info.category) == "withhold":
        return "withhold"
    if rules.get(info.path) == "pseudonymise":
        return "pseudonymise"
    return "keep" if "keep" in rules.values() or agreement.categories.get(info.category) == "keep" else "withhold"


def _knows(agreements: Sequence[Agreement], kind: str, paths: Sequence[str]) -> bool:
    fields = [info for info in FIELDS[kind] for path in paths if info.path == path or info.path.startswith(f"{path}.")]
    return all(verdict(agreements, kind, info) == "keep" for info in fields if not below(kind, info.path))


def visible(agreements: Sequence[Agreement], kind: str, info: FieldInfo) -> bool:
    """Whether anything of a field may be given; a group that cannot stand without what is withheld of it may not."""
    children = below(kind, info.path)
    coarse = coarsening(agreements, info)
    if not children or coarse:
        # What a rule coarsens is given where everybody would give what comes out of it.
        method = METHODS[coarse.method] if coarse else None
        gives = [child for child in children if method and child.name in method.gives | method.made_of] or [info]
        return "withhold" not in {verdict(agreements, kind, one) for one in gives}
    needed = [child for child in children if not child.nullable and not child.many]
    limited = any(info.path in agreement.roles for agreement in agreements)
    if limited and any(verdict(agreements, kind, child) != "keep" for child in children if child.name == "role"):
        # Who is left of a list that is limited by roles tells them.
        return False
    seen = [visible(agreements, kind, child) for child in children]
    return any(seen) and all(visible(agreements, kind, child) for child in needed)


def coarsening(agreements: Sequence[Agreement], info: FieldInfo) -> Coarsen | None:
    """The rule that coarsens this very field, the coarsest of several."""
    rules = [agreement.fields.get(info.path) for agreement in agreements]
    coarse = [rule.rule(REGIONS) for rule in rules if isinstance(rule, Coarse)]
    return max(coarse, key=lambda rule: rule.degree, default=None)


# --- Two records that are one for a recipient ------------------------------------------------------------------------------


def other_than_visible(agreements: Sequence[Agreement], kind: str, own: Value, other: Value, random: Random) -> Value:
    """
    Give *own* with all that *agreements* do not give taken from *other*: values, presence, numbers of items.

    What decides whether a record is given at all stays, and so does its id: its recipient sees names made from it.
    """
    blend = _Blend(agreements, kind, random)
    value = {info.name: blend.field(info, own.get(info.name), other.get(info.name)) for info in below(kind)}
    value |= {"id": own["id"], "exercise": own["exercise"], "view": None}
    decides = {
        "handling": ("tlp", "purposes", "release_to", "handling_codes"),
        "origin": ("member",),
        "event": ("type",),
        "recall": ("record",),
    }
    for group, names in decides.items():
        if group in own:
            value[group] = {**value[group], **{name: own[group][name] for name in names}}
    return value


def cell(value: float, degrees: float, limit: int) -> int:
    """The number of the cell of a grid that holds a value, in exact fractions; the end of the world belongs to the last one."""
    size = Fraction(str(degrees))
    return min(math.floor(Fraction(str(value)) / size), math.ceil(limit / size) - 1)


class _Blend:
    def __init__(self, agreements: Sequence[Agreement], kind: str, random: Random) -> None:
        self.agreements = agreements
        self.kind = kind
        self.random = random

    def field(self, info: FieldInfo, own: Any, other: Any) -> Any:
        if not visible(self.agreements, self.kind, info):
            return other if other is not None or info.nullable else own
        coarse = coarsening(self.agreements, info)
        if coarse is not None:
            return [self.mate(coarse, one, other) for one in own] if info.many and own else own and self.mate(coarse, own, other)
        if not below(self.kind, info.path):
            return self.written_otherwise(own) if verdict(self.agreements, self.kind, info) == "pseudonymise" else own
        if not info.many:
            return self.group(info, own, other)
        return self.many(info, own, other)

    def group(self, info: FieldInfo, own: Any, other: Any) -> Any:
        children = below(self.kind, info.path)
        hides = any(not visible(self.agreements, self.kind, child) for child in children)
        needed = any(not child.nullable and not child.many for child in children)
        if own is None and (not hides or needed or not isinstance(other, Mapping)):
            return None
        mine, theirs = own or {}, other if isinstance(other, Mapping) else {}
        made = {child.name: self.field(child, mine.get(child.name), theirs.get(child.name)) for child in children}
        return {child.name: [] if made[child.name] is None and not child.nullable else made[child.name] for child in children}

    def written_otherwise(self, own: Any) -> Any:
        """The same text in the other case: one pseudonym stands for both."""
        if isinstance(own, list):
            return [self.written_otherwise(one) for one in own]
        return own if own is None or own.swapcase().casefold() != own.casefold() else own.swapcase()

    def many(self, info: FieldInfo, own: Any, other: Any) -> Any:
        others = list(other or ()) or [None]
        limits = [agreement.roles[info.path] for agreement in self.agreements if info.path in agreement.roles]
        if limits:
            # Persons of other roles may be anybody, or nobody; only their own place in the list is kept empty of the given ones.
            given = [item for item in own or () if all(item.get("role") in limit for limit in limits)]
            strangers = [item for item in others if item is not None and not all(item.get("role") in limit for limit in limits)]
            made = [self.group(info, item, self.random.choice(others)) for item in given]
            for item in strangers:
                made.insert(self.random.randint(0, len(made)), item)
            return made if made or own is not None or not info.nullable else None
        made = [self.group(info, item, self.random.choice(others)) for item in own or ()]
        # Items of which nothing is visible may stand anywhere.
        hidden = [item for item in (self.group(info, None, item) for item in others) if item is not None]
        for item in hidden:
            made.insert(self.random.randint(0, len(made)), item)
        return made if made or own is not None or not info.nullable else None

    def mate(self, coarse: Coarsen, own: Any, other: Any) -> Any:
        """Give another value that is the same when it is coarsened."""
        if coarse.method == "region":
            return self.same_region(own, other if isinstance(other, Mapping) else {}, int(coarse.degree))
        if coarse.method == "grid":
            return self.position(own, other if isinstance(other, Mapping) else {}, coarse.degree)
        if coarse.method == "time":
            return self.moment(own, int(coarse.degree))
        ends = BANDS[:: 2 ** (int(coarse.degree) - 1)]
        return {"min": self.counted(own["min"], ends), "max": self.counted(own["max"], ends), "estimated": None}

    def counted(self, own: float | None, ends: tuple[int, ...]) -> float | None:
        if own is None:
            return None
        least = max(end for end in ends if end <= own)
        most = next((end - 1 for end in ends if end > own), least + 1000)
        return float(self.random.randint(least, most))

    def position(self, own: Value, other: Mapping[str, Any], degrees: float) -> Value:
        near = {name: self.near(own[name], degrees, limit) for name, limit in (("latitude", 90), ("longitude", 180))}
        return {**dict.fromkeys(own), **other, **near, "accuracy_m": own["accuracy_m"]}

    def same_region(self, own: Value, other: Mapping[str, Any], level: int) -> Value:
        latitude, longitude = own["latitude"], own["longitude"]
        made = {**dict.fromkeys(own), **other, "latitude": latitude, "longitude": longitude}
        if latitude is None or longitude is None:
            return made
        for _ in range(20):
            at = self.random.uniform(-90, 90), self.random.uniform(-180, 180)
            if REGIONS.at(level, *at) is REGIONS.at(level, latitude, longitude):
                return {**made, "latitude": at[0], "longitude": at[1]}
        return made

    def near(self, own: float | None, degrees: float, limit: int) -> float | None:
        if own is None:
            return None
        for _ in range(20):
            found = own + self.random.uniform(-degrees, degrees)
            if abs(found) <= limit and cell(found, degrees, limit) == cell(own, degrees, limit):
                return found
        return own

    def moment(self, own: Any, degree: int) -> Any:
        if isinstance(own, datetime):
            return self.instant(own, degree)
        if own["at"] is None:
            return {**own, "uncertainty_s": 1.0}
        precise = PRECISIONS.index(own["precision"]) if own["precision"] else 0
        precision = own["precision"] if precise > degree else PRECISIONS[self.random.randint(0, degree)]
        return {"at": self.instant(own["at"], max(degree, precise)), "precision": precision, "uncertainty_s": self.random.random()}

    def instant(self, own: datetime, degree: int) -> datetime:
        # Fields of the calendar, not lengths: the oracle knows months.
        names = ("second", "minute", "hour", "day", "month", "year")[degree:]
        least = {"month": 1, "day": 1, "hour": 0, "minute": 0, "second": 0}
        start = datetime(**{**least, **{name: getattr(own, name) for name in names}}, tzinfo=UTC)
        seconds = {0: 1, 1: 60, 2: 3600, 3: 86_400, 4: 28 * 86_400, 5: 365 * 86_400}[degree]
        return start + timedelta(milliseconds=self.random.randrange(seconds * 1000))
