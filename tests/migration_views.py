"""
Views for the tests of the migration database: full of values that nothing else has, and what a database holds of them.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from boutre.connectors.delivery import Delivery, topic
from boutre.connectors.sinks.migration.database import Options, connect, write
from boutre.connectors.sinks.trial import RELEASED, codec, delivery, view
from boutre.schemas.cases import OPEN, PERSONAL
from canaries import Canaries

PERSONAL_CANARY: Final = re.compile(rb"canary ((?:%s)\.[a-z_.]+) \d+" % b"|".join(name.encode() for name in PERSONAL))
Backup = Callable[[Options], Options]
"""Copies a database as it is, and leaves its keys where they are."""

OPEN_TEXTS: Final = {"vulnerability.disembarkation"}
"""The fields of texts that are declared open: they may be found."""


def canary_view(kind: str = "interception", number: int = 0, recipient: str = "rcoc") -> Delivery:
    """A view in which every field that its schema has holds a value of its own."""
    drawn = {**Canaries().record(kind, "comoros"), "exercise": True}
    cut = view(kind, number, recipient=recipient)
    value = codec().decode(codec().encode(kind, {**drawn, "id": cut["id"], "view": cut["view"]})).value
    return Delivery(recipient, kind, value["id"], value["view"]["of"], value, topic(recipient, kind), 0, number, RELEASED)


def recall(of: Delivery, scope: str = "erase", number: int = 0, *, exercise: bool = False) -> Delivery:
    """The retraction of a view's record, as its recipient gets it; in earnest, unless it is one of an *exercise*."""
    group = {"record": of.of, "kind": of.kind, "scope": scope, "reason": "wrong"}
    return delivery("retraction", number, recipient=of.recipient, recall=group, exercise=exercise)


def closed_leaves(of: Delivery) -> Iterator[tuple[str, Any]]:
    """Every value of a view that must not stand in plain, with its path."""
    for name in PERSONAL:
        for path, value in _leaves(of.value.get(name), name):
            if path.split(".")[1] not in OPEN.get(name, ()):
                yield path, value


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, each in value.items():
            yield from _leaves(each, f"{path}.{name}")
    elif isinstance(value, list):
        for each in value:
            yield from _leaves(each, path)
    elif value is not None:
        yield path, value


def files(place: Options) -> dict[str, bytes]:
    """What a database in a file consists of, its logs too."""
    path = Path(place.url.removeprefix("sqlite:///"))
    return {each.name: each.read_bytes() for each in path.parent.glob(f"{path.name}*") if each.is_file()}


def keys_of(place: Options) -> Path:
    """The folder of a database's keys."""
    return place.keys or Path(f"{place.url.removeprefix('sqlite:///')}.keys")


def secrets_in(folder: Path) -> list[bytes]:
    """The keys in a folder, but for those that are zeros."""
    with closing(sqlite3.connect(folder / "keys.sqlite")) as file:
        return [key for (key,) in file.execute("SELECT key FROM secret") if any(key)]


def ask(place: Options, query: str) -> list[tuple[Any, ...]]:
    """Ask a database what it holds, as it is: no sink is started, which would mend some of it."""
    with connect(place) as database:
        return database.connection.rows(query)


def put(place: Options, *views: Delivery) -> None:
    """Write views into a database."""
    with write.open(place) as deliver:
        deliver(views)
