"""
What three tools say of the same groups on one broker: Boutre's evaluator, Burrow, and Kafka's own kafka-consumer-groups.

``tests/broker/test_lag.py`` plays each case and holds all three to this table; ``docs/lag.md`` shows it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

LAST: Final = 8
"""The last step of a case; the first is 0. Burrow judges five commits together, one in each step."""


@dataclass(frozen=True)
class Case:
    """
    One group on one partition: what happens, and for each tool the lag (None: it does not know of the group) and the status.

    *first* is the offset of the first unread record, where there is one.
    """

    name: str
    happens: str
    ours: tuple[int, str]
    burrow: tuple[int | None, str]
    kafka: int | None
    first: int | None = None
    why: str = ""


CASES: Final = (
    Case("idle", "Everything is read; its member goes on saying so.", (0, "OK"), (0, "OK"), 0),
    Case(
        "slow",
        "Ten records come in each step, five are read.",
        (45, "WARN"),
        (45, "WARN"),
        45,
        45,
    ),
    Case("stalled", "Its member commits the same offset again and again.", (15, "STALL"), (15, "STALL"), 15, 5),
    Case("stopped", "It reads three of ten in each step, then its member goes.", (81, "STOP"), (81, "STOP"), 81, 9),
    Case("gone", "Everything is read; its member goes, and more records come.", (30, "STOP"), (30, "STOP"), 30, 10),
    Case("rewound", "It goes back, and on from there.", (35, "REWIND"), (35, "REWIND"), 35, 5),
    Case(
        "mark",
        "Everything is read; the last offset is the mark of a transaction.",
        (0, "OK"),
        (1, "STALL"),
        1,
        None,
        "A mark is no record. Both others count offsets.",
    ),
    Case(
        "aborted",
        "Everything is read; behind it lie a mark, five records of an aborted transaction and its mark.",
        (0, "OK"),
        (7, "STALL"),
        7,
        None,
        "Nobody gets what was aborted.",
    ),
    Case(
        "open",
        "Everything is read; behind it a transaction is open, with four records so far.",
        (0, "OK"),
        (4, "STALL"),
        4,
        None,
        "Nobody may read them yet, so nobody is behind. `boutre_topic_partition_held_offsets` tells of them.",
    ),
    Case(
        "mixed",
        "It stands before a mark, four aborted records with their mark, and two committed ones with theirs.",
        (3, "STALL"),
        (9, "STALL"),
        9,
        9,
        "Counted from the first record that a reader would get.",
    ),
    Case(
        "remade",
        "It has read eight of ten; the topic is deleted, made again, and gets three records.",
        (3, "STOP"),
        (None, ""),
        None,
        0,
        "Kafka forgets the offsets with the topic, and with them both others the group. It is declared, so its lag counts on.",
    ),
    Case(
        "never",
        "It was declared and never came; there are four records.",
        (4, "STOP"),
        (None, ""),
        None,
        0,
        "Both others know a group from its commits.",
    ),
)  # fmt: skip
