"""
Tells a cancellation that somebody asked for from one that a client of Kafka lets slip out.

aiokafka cancels what it waits for itself when a node goes away, and who waits for it is told the same as if to end itself.
Taken for that, a task ends without a word. Faust's own, which looks after rebalances, did: the worker was there, kept its
partitions by its heartbeats, and did nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


class Torn(Exception):  # noqa: N818 - named for what it says
    """
    What was waited for was cancelled by another than oneself.
    """


@contextmanager
def tearing() -> Iterator[None]:
    """
    Raise ``Torn`` where something inside is cancelled though nobody has asked this task to end.
    """
    try:
        yield
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        raise Torn from error
