"""
What reports on file say against each other, by the models of the bus, so that no chain of links brings them together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from boutre.ops.record_input import Reading
from boutre.processors.links.clusters import Against
from boutre.processors.matching import models
from boutre.processors.matching.apart import against
from boutre.processors.matching.sighted import Sighted, sighted
from boutre.schemas import lock
from boutre.schemas.codec import Codec
from boutre.schemas.fields import walk

KINDS: Final[Mapping[str, str]] = {"sensor": "sighting", "action": "interception"}
"""The group by which a view says its kind: each is of one kind alone, and stands in every view of it, if only as null."""


@dataclass(frozen=True, slots=True)
class Report:
    """
    One report on file: where it stands, its *kind*, its recipient's *name* for the record, and the view as plain data.
    """

    place: str
    kind: str
    name: str
    value: Mapping[str, Any]


def kind_of(value: Mapping[str, Any]) -> str | None:
    """
    Give the kind of a view, as plain data; None where it is no report that is matched.
    """
    return next((kind for group, kind in KINDS.items() if group in value), None)


def compared(root: Path, reports: Iterable[Report]) -> dict[str, Against]:
    """
    Say of two records, for each type of link that the bus at *root* makes, whether their reports speak against each other.

    Of several views of a record the last counts. Raises NoRecord where a view is none of this bus's schemas.
    """
    codec = Codec(lock.load(lock.folder_of(root)))
    fields = {kind: tuple(walk(codec.lock.latest(kind).schema)) for kind in KINDS.values()}
    seen: dict[str, Sighted] = {}
    for one in reports:
        value = Reading(codec, fields, one.kind).document(one.value, one.place).value
        seen[one.name] = sighted(one.kind, value, one.name)
    return {matcher.model.file.type: against(matcher, seen.values()) for matcher in models.of(root).matchers()}
