"""
By what names a processor's workers are known to the cluster: its consumer group, and an id for the transactions of each partition.

Here and not in the runtime, since the access rules are made of them too, and nobody needs Faust for a name.
"""

from __future__ import annotations


def group_of(processor: str) -> str:
    """
    Give the consumer group of a processor.
    """
    return f"boutre-{processor}"


def transactions_of(group: str, partition: int) -> str:
    """
    Give the transactional id by which one partition of a group's input is written: a new owner fences the old one by it.
    """
    return f"{group}-{partition}"
