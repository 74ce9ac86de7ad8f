"""
The traces of what a reader was given, each told when what was read has had its effect.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from boutre.connectors.delivery import Polled
from boutre.tracing import OWN, Hop


@dataclass(slots=True)
class ReadingTraces:
    """
    By partition, the traces of what was given out and is not done, in the order of its offsets.
    """

    open: dict[tuple[str, int], deque[tuple[int, Hop]]] = field(default_factory=dict)

    def given(self, group: str, polled: Polled) -> None:
        """Note what was given out to *group*."""
        hop = OWN.read(group, (polled.topic, polled.partition, polled.offset), polled.headers)
        if hop is not None:
            self.open.setdefault((polled.topic, polled.partition), deque()).append((polled.offset, hop))

    def done(self, topic: str, partition: int, offset: int) -> None:
        """Tell what is done up to *offset*."""
        waiting = self.open.get((topic, partition))
        while waiting and waiting[0][0] <= offset:
            waiting.popleft()[1].end("done")

    def forget(self, places: Iterable[tuple[str, int]]) -> None:
        """Forget what comes again, to whoever has these partitions now."""
        for place in places:
            self.open.pop(place, None)
