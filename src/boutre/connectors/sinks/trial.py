"""
What an integrator tries a sink with: views as a recipient gets them, and the tests that every sink passes.

    class TestBell(SinkContract):
        sink = bell.write

        def options(self, folder: Path) -> bell.Options:
            return bell.Options(folder / "bell.log")

        def effect(self, options: bell.Options) -> list[str]:
            return [line.split()[0] for line in options.path.read_text().splitlines()]

All that the views tell is made up.
"""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Final

from boutre.connectors.delivery import KINDS, Delivery, topic
from boutre.connectors.sinks.contract import Sink
from boutre.schemas import lock
from boutre.schemas.codec import Codec
from boutre.schemas.identity import record_id
from boutre.schemas.marks import Sealed, Withheld

RELEASED: Final = datetime(2026, 3, 9, 4, 30, tzinfo=UTC)
SEEN: Final = datetime(2026, 3, 9, 1, 10, tzinfo=UTC)
WITHHELD: Final = Withheld("comoros-rcoc@1", "categories.identity", "Comoros Coast Guard, +269 000 00 00")
SEALED: Final = Sealed(
    "hpke-x25519-hkdf-sha256-aes-256-gcm",
    "case-1",
    b"\x00" * 12,
    b"\xff\x00ciphertext",
    ({"recipient": "protection-partner", "key_id": "1", "encapsulated": b"\x01", "wrapped": b"\x02"},),
)


def _span(least: float | None, most: float | None, *, estimated: bool = False) -> dict[str, Any]:
    return {"min": least, "max": most, "estimated": estimated}


def _moment(at: datetime, precision: str) -> dict[str, Any]:
    return {"at": at, "precision": precision, "uncertainty_s": None}


def _text(language: str, text: str) -> dict[str, Any]:
    return {"language": language, "text": text, "translation_of": None}


SHARED: Final[Mapping[str, Any]] = {
    "lifecycle": {"status": "initial", "revision": 0},
    "origin": {"member": "comoros", "authority": "Gendarmerie nationale", "feed": "forms", "language": "fr"},
    "times": {
        "observed": _moment(SEEN, "minute"),
        "reported": _moment(SEEN + timedelta(hours=1), "minute"),
        "received_at": SEEN + timedelta(hours=3),
        "accepted_at": SEEN + timedelta(hours=3, seconds=1),
        "late": False,
    },
    "handling": {"tlp": "AMBER", "purposes": ["SAR"]},
}
SEEN_AT_SEA: Final[Mapping[str, Any]] = {
    "event": {
        "type": "irregular-migration",
        "classes": [{"scheme": "cise-irregular-migration", "version": "1.5.3", "code": "IrregularEntryAttempt"}],
    },
    "position": {"latitude": -12.25, "longitude": 44.75, "accuracy_m": 39_358.0},
    "craft": {
        "kind": "kwassa",
        "hull": "fibreglass",
        "colours": ["blue", "white"],
        "length_m": _span(7, 9, estimated=True),
        "engines": {"count": _span(1, 1), "power_kw": _span(29.4, 29.4), "kind": "outboard"},
        "persons_on_board": _span(28, 30, estimated=True),
    },
    "claims": WITHHELD,
    "persons": {
        "total": _span(28, 30, estimated=True),
        "dead": _span(0, 0),
        "missing": _span(2, None),
        "counts": [{"sex": "female", "age_band": "child", "condition": "alive", "count": _span(4, 4)}],
    },
    "assessment": {"reliability": "B", "credibility": "2", "probability": 0.8},
}
GROUPS: Final[Mapping[str, Mapping[str, Any]]] = {
    "sighting": {
        **SHARED,
        **SEEN_AT_SEA,
        "narrative": [_text("fr", "Vu par un pêcheur, moteur en panne."), _text("en", "Seen by a fisherman.")],
        "provenance": WITHHELD,
    },
    "interception": {
        **SHARED,
        **SEEN_AT_SEA,
        "action": {
            "kind": "Rescue",
            "authority": "Gendarmerie maritime",
            "boarded": True,
            "measures": [{"kind": "arrest", "count": _span(2, 2), "detail": None}],
            "smugglers": _span(2, 2),
        },
        "migration": {"departure": "Anjouan", "destination": "Mayotte", "migrant_types": ["Irregular"]},
        "vulnerability": {"needs": ["medical-care", "food"], "pregnant": _span(1, 1), "medical_urgent": True},
        "trafficking": WITHHELD,
        "victims": SEALED,
        "suspects": WITHHELD,
    },
    "alert": {
        **SHARED,
        **SEEN_AT_SEA,
        "position": None,
        "warning": {
            "message": "Alert",
            "severity": "Severe",
            "urgency": "Immediate",
            "certainty": "Likely",
            "headline": [_text("fr", "Embarcation en détresse"), _text("en", "Craft in distress")],
            "instruction": [_text("fr", "Veillez sur le canal 16."), _text("en", "Listen on channel 16.")],
            "lives_at_risk": True,
        },
        "area": {
            "names": [_text("fr", "Nord de Mayotte")],
            "polygon": [
                {"latitude": -12.0, "longitude": 44.5},
                {"latitude": -12.0, "longitude": 45.0},
                {"latitude": -12.5, "longitude": 45.0},
            ],
        },
    },
    "retraction": {
        **SHARED,
        "recall": {"record": "withdrawn", "kind": "sighting", "scope": "retract", "reason": "wrong"},
    },
    "link": {
        "lifecycle": SHARED["lifecycle"],
        "link": {
            "type": "same-craft",
            "records": [record_id("comoros", "sighting", "trial", "0"), record_id("france", "interception", "trial", "0")],
            "views": [record_id("rcoc", "sighting", "trial", "0"), record_id("rcoc", "interception", "trial", "0")],
            "rule": "kwassa@1",
            "by": None,
            "status": "made",
            "reason": None,
            "judgement": None,
            "probability": 0.87,
            "explanation": {
                "en": (
                    "Same craft: very likely (0.87). For it: the distance between them (strongly). "
                    "Against it: the engines (slightly)."
                ),
                "fr": (
                    "Même embarcation : probable (0,87). Pour : la distance qui les sépare (fortement). "
                    "Contre : la motorisation (légèrement)."
                ),
            },
            "evidence": [
                {
                    "comparison": "distance",
                    "level": "near",
                    "bits": 3.4,
                    "sentence": {"en": "the distance between them (strongly)", "fr": "la distance qui les sépare (fortement)"},
                },
                {
                    "comparison": "engines",
                    "level": "other",
                    "bits": -0.66,
                    "sentence": {"en": "the engines (slightly)", "fr": "la motorisation (légèrement)"},
                },
            ],
            "independent": True,
        },
        "handling": {"tlp": "AMBER"},
    },
}
"""
The groups of one view of each kind; what is not named is unknown.
"""

BY_THE_BUS: Final = frozenset({"link"})
"""
Kinds that the bus itself makes of what a recipient has: nobody reports them, and no agreement cuts them.
"""

STATES: Final = (
    {"field": "position", "state": "coarsened", "clause": "fields.position", "method": "grid 0.5 degree"},
    {"field": "origin.unit", "state": "withheld", "clause": "default-deny", "method": None},
    {"field": "claims", "state": "withheld", "clause": "categories.identity", "method": None},
)


@cache
def codec() -> Codec:
    """
    Give the codec of the core schemas.
    """
    return Codec(lock.load())


def view(kind: str, number: int = 0, *, recipient: str = "rcoc", **groups: Any) -> dict[str, Any]:
    """
    Give the value of the *number*-th view of *kind*, with *groups* in place of its own.
    """
    own = kind in BY_THE_BUS
    return {
        "id": record_id(recipient, kind, "trial", str(number)),
        "exercise": True,
        **GROUPS[kind],
        "view": {
            "recipient": recipient,
            "of": record_id("bus" if own else "comoros", kind, "trial", str(number)),
            "agreements": [] if own else ["comoros-rcoc@1"],
            "policy": "trial",
            "fields": [] if own else [dict(state) for state in STATES],
        },
        **groups,
    }


def delivery(kind: str = "sighting", number: int = 0, *, recipient: str = "rcoc", **groups: Any) -> Delivery:
    """
    Give a view as it comes out of a recipient's topic: encoded and decoded, so that it holds every field of its schema.
    """
    value = codec().decode(codec().encode(kind, view(kind, number, recipient=recipient, **groups))).value
    return Delivery(recipient, kind, value["id"], value["view"]["of"], value, topic(recipient, kind), 0, number, RELEASED)


class SinkContract(abc.ABC):
    """
    What holds for every sink: inherit it, and say which sink, with which options, and how its effect is seen.
    """

    sink: ClassVar[Sink[Any]]

    @abc.abstractmethod
    def options(self, folder: Path) -> Any:
        """Options for a sink that has had nothing yet, its files below *folder*."""

    @abc.abstractmethod
    def effect(self, options: Any) -> Sequence[str]:
        """The ids of the views that have had an effect, each as often as it has had one."""

    def test_every_kind_has_its_effect(self, tmp_path: Path) -> None:
        """What was written is there once writing has returned, whatever its kind."""
        options = self.options(tmp_path)
        batch = [delivery(kind, number) for number, kind in enumerate(KINDS)]
        with self.sink.open(options) as write:
            write(batch)

            assert sorted(each.id for each in batch) == sorted(self.effect(options))

    def test_what_comes_again_has_no_further_effect(self, tmp_path: Path) -> None:
        """A batch that is written twice, and again after a restart, has its effect once."""
        options = self.options(tmp_path)
        batch = [delivery("sighting", number) for number in range(5)]
        with self.sink.open(options) as write:
            write(batch[:3])
            write(batch[:4])
        with self.sink.open(options) as write:
            write(batch)

        assert sorted(each.id for each in batch) == sorted(self.effect(options))

    def test_a_view_that_stands_twice_in_a_batch_has_its_effect_once(self, tmp_path: Path) -> None:
        """A batch may hold one view twice, as when its topic does."""
        options = self.options(tmp_path)
        one = delivery("alert")
        with self.sink.open(options) as write:
            write([one, one])

        assert [one.id] == list(self.effect(options))

    def test_nothing_is_a_batch_too(self, tmp_path: Path) -> None:
        """An empty batch is delivered by doing nothing."""
        options = self.options(tmp_path)
        with self.sink.open(options) as write:
            write([])
