"""
Writes to a store without end, until it is killed: transaction n puts and takes away keys that follow from n alone.

    python store_writer.py FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

from boutre.processors.runtime.store import Row, Store
from boutre.processors.windows import Window, Windows

WINDOWS = Windows({"id": Window(400, 1_000_000)})
KEYS = 997


def changes_of(number: int) -> dict[str, Row]:
    """
    Give what transaction *number* changes: seven keys, every third of them taken away.
    """
    rows: dict[str, Row] = {}
    for place in range(7 * number, 7 * number + 7):
        key = f"id:{place * 31 % KEYS}"
        rows[key] = (key.encode(), None if place % 3 == 0 else b'"%d"' % number, 1_000 + number, [])
    return rows


def main() -> None:
    """
    Go on from where the store stands, and say that writing has begun.
    """
    store = Store(Path(sys.argv[1]), WINDOWS)
    number = store.position
    while True:
        number += 1
        store.apply(changes_of(number), number, clock=1_000 + number, complete_at=float(number))
        if number % 50 == 0:
            sys.stdout.write(".")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
