"""
Receipts that follow from their numbers, and a writer that puts them into an audit log without end, until it is killed.

    python audit_writer.py FOLDER
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final

from boutre.ops.audit_follow import items
from boutre.ops.audit_store import Item, Store, open_store
from boutre.schemas import lock
from boutre.schemas.codec import Codec
from boutre.schemas.identity import ALPHABET

ROOT: Final = Path(__file__).parents[1]
KEY: Final = bytes(range(32))
RECIPIENTS: Final = ("rcoc", "rmifc")
PARTITIONS: Final = 2
TOGETHER: Final = 7
LETTERS: Final = str.maketrans("0123456789", ALPHABET[:10].decode())


@cache
def codec() -> Codec:
    """The codec of the bus's schemas."""
    return Codec(lock.load(lock.folder_of(ROOT)))


def name(letter: str, number: int) -> str:
    """An id of 32 letters."""
    return letter + f"{number:031d}".translate(LETTERS)


def commitment(number: int) -> bytes:
    """What stands in receipt *number* for what was delivered."""
    return sha256(number.to_bytes(4, "big")).digest()


@cache
def frame(number: int) -> bytes:
    """Receipt *number*: two of three were delivered, to the one recipient or the other."""
    delivered = number % 3 != 0
    recipient = RECIPIENTS[number % 2]
    value = {
        "id": name("r", number),
        "record": name("a", number // 2),
        "kind": "sighting",
        "member": "comoros",
        "recipient": recipient,
        "outcome": "delivered" if delivered else "withheld",
        "reason": None if delivered else "no-agreement",
        "view": name("v", number) if delivered else None,
        "topic": f"for.{recipient}.sighting" if delivered else None,
        "policy": "p" * 16,
        "agreements": ["rcoc-coordination@1"],
        "fields": [],
        "commitment": commitment(number) if delivered else None,
        "accepted_at": None,
    }
    return codec().encode("receipt", value)


def place(number: int) -> tuple[int, int]:
    """The partition and the offset at which receipt *number* stands."""
    return number % PARTITIONS, number // PARTITIONS


def taken(store: Store, numbers: Iterable[int]) -> int:
    """Take receipts into a log as one look at Kafka would bring them."""
    found: list[Item] = []
    positions: dict[int, int] = {}
    for number in numbers:
        partition, offset = place(number)
        found += items(codec(), partition, offset, frame(number))
        positions[partition] = offset + 1
    return store.append(KEY, found, positions)


def main() -> None:
    """Go on from where the log stands, and say that writing has begun."""
    with open_store(Path(sys.argv[1]), KEY) as store:
        number = sum(store.positions().values())
        while True:
            taken(store, range(number, number + TOGETHER))
            number += TOGETHER
            sys.stdout.write(".")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
