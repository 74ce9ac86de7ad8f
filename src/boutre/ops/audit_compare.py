"""
Holds an audit log against the receipts themselves, as they stand on Kafka: what is there and was not logged, and the reverse.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from boutre.ops.audit_follow import items
from boutre.ops.audit_store import Item, Kept, Store
from boutre.schemas.audit.entry import committed, salt
from boutre.schemas.audit.examine import Finding
from boutre.schemas.codec import Codec


def compare(
    store: Store, key: bytes, codec: Codec, lows: Mapping[int, int], receipts: Iterable[tuple[int, int, bytes | None]]
) -> Iterator[Finding]:
    """
    Give what does not fit between a log and the *receipts* up to where it has read: partition, offset and frame of each.

    *lows* are the first offsets that Kafka still has: of what was before them nothing can be said. An entry that was erased does
    not say which receipt it was of, so as many receipts may be without an entry as were erased.
    """
    fits: Counter[str] = Counter()
    without: dict[str, list[Item]] = {}
    stretches = {partition: (lows[partition], upto) for partition, upto in store.positions().items()}
    for partition, offset, frame in receipts:
        for item in items(codec, partition, offset, frame):
            kept = _entry_of(store, item)
            if kept is None:
                without.setdefault(item.log, []).append(item)
                continue
            fits[item.log] += 1
            if kept.entry != committed(item.log, salt(key, item.log, kept.nonce or b"", item.receipt), item.content):
                yield Finding(item.log, kept.place, "its receipt on Kafka is not the one that it was made of")
    for log in store.sizes():
        missing = without.pop(log, [])
        if len(missing) > store.erased(log):
            yield _not_logged(log, missing)
        strange = store.opening(log, stretches) - fits[log]
        if strange:
            yield Finding(log, None, f"{strange} entries are of receipts that are not on Kafka")
    for log, missing in without.items():
        yield _not_logged(log, missing)


def _not_logged(log: str, missing: list[Item]) -> Finding:
    first = missing[0]
    where = f"the first at partition {first.partition}, offset {first.offset}"
    return Finding(log, None, f"{len(missing)} receipts on Kafka have no entry, {where}")


def _entry_of(store: Store, item: Item) -> Kept | None:
    place = (item.log, item.partition, item.offset)
    return next((one for one in store.find(item.receipt) if (one.log, one.partition, one.offset) == place), None)
