"""
Offers: what a recipient was given of a report, cut down to what matching looks at, for the cells in which it may be linked.

An offer is written in the same transaction as the view that it is of, and holds nothing that the view does not: its groups are the
view's own bytes. What names people is never in it, sealed or not. Positions by AIS make none: a track is followed by its MMSI.

Beside it stands what it was made from (``ROOTS``), by this recipient's names, whether or not release remembers that it was given
those: release remembers by member, and a centre that tells on what another State reported is no second source. A recipient is told
of them by what it has alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from boutre.processors.case import Case
from boutre.processors.correlation.weighing import Weighing, known_in
from boutre.processors.decision import Outbound
from boutre.processors.layout import Layout, whole
from boutre.processors.matching.sighted import sighted
from boutre.processors.movement.detection import SCHEME as DETECTED
from boutre.schemas.codec import Codec
from boutre.schemas.view_signature import ID_HEADER

TOPIC: Final = "bus.offer.{kind}"
PATTERN: Final = "bus.offer.{kind}"

MATCHED: Final = (
    "lifecycle", "origin", "times", "event", "position", "movement", "craft", "claims", "persons", "sensor", "assessment",
    "provenance", "handling", "recall",
)  # fmt: skip
"""The groups of a view that an offer holds, of those that its kind has. None of them can be sealed: they name nobody."""

VIEW: Final = "boutre_view"
"""The header with the id of the view."""

SEALED: Final = "boutre_sealed"
"""The header that says that the view is sealed: what is made of it has to be sealed too."""

ROOTS: Final = "boutre_roots"
"""The header with the names of the records that it was made from, where its recipient is told what it was made from."""

AIS: Final = "ais"
"""The type of positions by AIS: of these there are too many, and their craft tell who they are."""

NOWHERE: Final = "nowhere"
"""The cell of what has no position that its recipient may have: it is linked to nothing, and may still call for an alert."""


@dataclass(frozen=True, slots=True)
class Offers:
    """
    Makes offers for cells of *side_deg* degrees, known as far as those that weigh them look.
    """

    codec: Codec
    side_deg: float
    weighings: Sequence[Weighing]
    _forms: dict[str, tuple[list[bytes], tuple[int, ...], int]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def of(  # noqa: PLR0917 - a record, and what one recipient has of it
        self,
        recipient: str,
        case: Case,
        given: Mapping[str, Any],
        name: str,
        view: Sequence[bytes],
        sent: Outbound,
        roots: Sequence[str] = (),
    ) -> tuple[tuple[Outbound, ...], tuple[str, ...]]:
        """
        Offer what *recipient* was given, and give the cells in which it is known from now on.

        *given* are its groups *event* and *position* as that recipient has them, *roots* its names of what it was made from. It
        goes to the cells where it is known, and to those where it, or what it revises, was known before.
        """
        recall = case.value.get("recall") or {}
        earlier = str(recall.get("record") or case.value["lifecycle"].get("revises") or case.identifier)
        if is_track(given.get("event")):
            return (), ()
        before = case.had.cells(recipient, earlier)
        cells = tuple(before) if recall else self.cells(case.kind, given, before)
        made = self.make(recipient, case.kind, name=name, view=view, cells=cells, sent=sent, roots=roots)
        return made, () if recall else cells

    def cells(self, kind: str, given: Mapping[str, Any], before: Iterable[str] = ()) -> tuple[str, ...]:
        """Give the cells for a record as its recipient has it, and those in which it was offered *before*."""
        one = sighted(kind, {"id": "", "event": given.get("event"), "position": given.get("position")})
        now = known_in(one, self.side_deg, self.weighings)
        return tuple(dict.fromkeys((*(now or (NOWHERE,)), *before)))

    def make(
        self,
        recipient: str,
        kind: str,
        *,
        name: str,
        view: Sequence[bytes],
        cells: Iterable[str],
        sent: Outbound,
        roots: Sequence[str] = (),
    ) -> tuple[Outbound, ...]:
        """
        Make one offer for each cell: *view* are the pieces of the view, *name* is what its recipient calls the record.

        *sent* is the view as it goes out: what it is sealed for stands beside the offer, and its time is the view's.
        """
        base, places, id_place = self._forms.get(kind) or self._form(kind)
        pieces = base.copy()
        for place in places:
            pieces[place] = view[place]
        pieces[id_place] = base[id_place] + name.encode()
        frame = whole(pieces)
        view_id = dict(sent.headers).get(ID_HEADER, b"")
        headers = ((VIEW, view_id), *(() if sent.seal is None else ((SEALED, b"yes"),)))
        headers += ((ROOTS, ",".join(roots).encode()),) if roots else ()
        topic = TOPIC.format(kind=kind)
        return tuple(Outbound(topic, cell_key(recipient, cell), frame, sent.timestamp, headers) for cell in cells)

    def _form(self, kind: str) -> tuple[list[bytes], tuple[int, ...], int]:
        layout = Layout(self.codec, kind)
        chosen = tuple(layout.place[name] for name in ("exercise", "view", *MATCHED) if name in layout.place)
        rest = {name: None for name, place in layout.place.items() if place not in chosen and name != "id"}
        base = layout.pieces(rest)
        base[layout.place["id"]] = layout.before("id")
        form = self._forms[kind] = base, chosen, layout.place["id"]
        return form


def is_track(event: Any) -> bool:
    """
    Say whether a recipient has a record as a position by AIS, and as nothing that was detected of one.
    """
    if not isinstance(event, Mapping) or event.get("type") != AIS:
        return False
    classes = event.get("classes")
    return not (isinstance(classes, Iterable) and any(one["scheme"] == DETECTED for one in classes))


def cell_key(recipient: str, cell: str) -> bytes:
    """
    Give the key under which a recipient's knowledge of a cell stands together.
    """
    return f"{recipient}|{cell}".encode()


def of_key(key: bytes | None) -> tuple[str, str] | None:
    """
    Give the recipient and the cell of a key, or None where it is no such key.
    """
    recipient, bar, cell = (key or b"").decode("utf-8", "replace").partition("|")
    return (recipient, cell) if bar and recipient and cell else None
