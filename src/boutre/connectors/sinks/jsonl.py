"""
The sink ``jsonl``: ``<folder>/<recipient>/<kind>.jsonl``, a view a line.

Each line is the view as it was delivered, as plain data (see ``boutre.connectors.plain``). A view stands there once however often
it is delivered. Files can be read by their owner only, since they hold what was shared with this recipient and nobody else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from boutre.connectors.delivery import Delivery
from boutre.connectors.plain import line
from boutre.connectors.sinks.contract import sink
from boutre.connectors.sinks.lines import Lines, alone


@dataclass(frozen=True, slots=True)
class Options:
    """
    Below which folder the files stand.
    """

    folder: Path


class Folder:
    """
    The files of a folder, each opened when its first view comes.
    """

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        self._stack = stack
        self._files: dict[tuple[str, str], Lines] = {}
        self._ours: set[str] = set()

    def file(self, recipient: str, kind: str) -> Lines:
        """
        Give the open file of one recipient and kind.
        """
        opened = self._files.get((recipient, kind))
        if opened is None:
            if recipient not in self._ours:
                self._stack.enter_context(alone(self.folder / recipient, "jsonl"))
                self._ours.add(recipient)
            opened = self._stack.enter_context(Lines(self.folder / recipient / f"{kind}.jsonl"))
            self._files[recipient, kind] = opened
        return opened


@contextmanager
def open_folder(options: Options) -> Iterator[Folder]:
    """
    Hold the files of *options* open.
    """
    with ExitStack() as stack:
        yield Folder(options.folder, stack)


@sink("jsonl", opens=open_folder)
def write(folder: Folder, batch: Sequence[Delivery]) -> None:
    """Add each view as a line of JSON to the file of its recipient and kind."""
    for recipient, kind in dict.fromkeys((view.recipient, view.kind) for view in batch):
        lines = [(view.id, line(view.value)) for view in batch if (view.recipient, view.kind) == (recipient, kind)]
        folder.file(recipient, kind).add(lines)
