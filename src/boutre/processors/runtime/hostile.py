"""
Has every consumer of aiokafka in this process read batches as hostile (``batches.py``), in bounded memory: members write them.

Private names of aiokafka are used, all of them in this module; its version is pinned for it. To import it is to use it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aiokafka.consumer import fetcher

from boutre.processors.decision import Inbound
from boutre.processors.runtime.batches import LARGEST_POLL, Batches, Unread


class Records(fetcher.PartitionRecords):  # type: ignore[misc] # aiokafka has no types here
    """
    The records of one partition, as steps see them; aiokafka's own record would be made first and thrown away.
    """

    def _consumer_record(self, tp: Any, record: Any) -> Inbound:
        value: Any = record.value
        refused: str | None = None
        if isinstance(value, Unread):
            value, refused = None, value.code
        headers = {name: content for name, content in record.headers if content is not None}
        return Inbound(tp.topic, tp.partition, record.offset, record.key, value, headers, record.timestamp, refused)


class Fetched(fetcher.FetchResult):  # type: ignore[misc] # aiokafka has no types here
    """
    What was fetched of one partition, handed on in parts that are bounded in bytes too.
    """

    def getall(self, max_records: int | None = None) -> list[Inbound]:
        """Give the next records, up to *max_records*; the rest stays for the next call."""
        if not self.check_assignment(self._topic_partition) or not self.has_more():
            return []
        taken: list[Inbound] = []
        size = 0
        records: Iterator[Inbound] = self._partition_records  # type: ignore[has-type] # aiokafka says so in its constructor only
        for record in records:
            taken.append(record)
            size += len(record.key or b"") + len(record.value or b"")
            if size >= LARGEST_POLL or len(taken) == max_records:
                self._update_position()
                return taken
        self._update_position()
        self._partition_records = None
        return taken


fetcher.MemoryRecords = Batches
fetcher.FetchResult = Fetched
fetcher.PartitionRecords = Records
