"""
The sink ``geojson``: ``<folder>/<recipient>/<kind>.geojson``, a FeatureCollection that QGIS and web maps open as it is.

The features are kept a line each in ``<kind>.geojsonl``, to which lines are added; from it the collection is written anew after
each batch and put in the place of the old one in one step, so that nobody ever reads half of one. Writing costs the whole file each
time: well for thousands of features and for intelligence records, too slow for a year of AIS.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from boutre.connectors.delivery import Delivery
from boutre.connectors.plain import line
from boutre.connectors.sinks.contract import sink
from boutre.connectors.sinks.feature import feature
from boutre.connectors.sinks.lines import PRIVATE, Lines, alone
from boutre.durable import sync_folder
from boutre.errors import Retry

HEAD: Final = b'{"type":"FeatureCollection","features":[\n'
FOOT: Final = b"\n]}\n"


@dataclass(frozen=True, slots=True)
class Options:
    """
    Below which folder the files stand.
    """

    folder: Path


class Maps:
    """
    The collections below a folder, each opened when its first view comes.
    """

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        self._stack = stack
        self._files: dict[tuple[str, str], Lines] = {}
        self._ours: set[str] = set()
        self._behind: set[Lines] = set()

    def add(self, recipient: str, kind: str, views: Sequence[Delivery]) -> None:
        """
        Add the features of *views*, and put the new collection in the place of the old one.
        """
        file = self._files.get((recipient, kind))
        if file is None:
            if recipient not in self._ours:
                self._stack.enter_context(alone(self.folder / recipient, "geojson"))
                self._ours.add(recipient)
            file = self._stack.enter_context(Lines(self.folder / recipient / f"{kind}.geojsonl"))
            self._files[recipient, kind] = file
            self._behind.add(file)  # A process that was killed may have added lines and not written them out.
        if file.add((view.id, line(feature(view))) for view in views):
            self._behind.add(file)
        if file in self._behind:
            collect(file.path, file.path.with_suffix(".geojson"))
            self._behind.discard(file)


def collect(lines: Path, collection: Path) -> None:
    """
    Write the features of *lines* as one FeatureCollection, in the place of the one that was there.

    Raises Retry where the disk cannot take it; the old one then stays.
    """
    descriptor, name = tempfile.mkstemp(dir=collection.parent, prefix=f".{collection.name}.")
    try:
        with os.fdopen(descriptor, "wb") as out, lines.open("rb") as features:
            os.fchmod(out.fileno(), PRIVATE)
            out.write(HEAD)
            for number, text in enumerate(features):
                out.write((b",\n" if number else b"") + text.rstrip(b"\n"))
            out.write(FOOT)
            out.flush()
            os.fsync(out.fileno())
        Path(name).replace(collection)
        sync_folder(collection.parent)
    except OSError as failure:
        Path(name).unlink(missing_ok=True)
        raise Retry(f"{collection} cannot be written: {failure.strerror}", after=5.0) from failure


@contextmanager
def open_maps(options: Options) -> Iterator[Maps]:
    """
    Hold the files of *options* open.
    """
    with ExitStack() as stack:
        yield Maps(options.folder, stack)


@sink("geojson", opens=open_maps)
def write(maps: Maps, batch: Sequence[Delivery]) -> None:
    """Add each view as a feature to the map of its recipient and kind."""
    for recipient, kind in dict.fromkeys((view.recipient, view.kind) for view in batch):
        maps.add(recipient, kind, [view for view in batch if (view.recipient, view.kind) == (recipient, kind)])
