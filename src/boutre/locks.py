"""
Locks between processes of one machine: held until they are given up or the process ends, however it ends.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from boutre.errors import Unavailable

TURN_S: Final = 0.05
"""Seconds between two attempts of one who waits."""


def taken(path: Path, otherwise: str) -> int:
    """
    Take the lock file *path*; who closes the descriptor that it gives, gives it up.

    Raises Unavailable, with *otherwise* for whoever reads it, where another process has it.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise Unavailable(otherwise) from None
    return descriptor


@contextmanager
def held(path: Path, otherwise: str, patience: float = 0.0) -> Iterator[None]:
    """
    Hold the lock file *path* as long as the block lasts; raises Unavailable as ``taken`` does, after *patience* seconds.
    """
    until = time.monotonic() + patience
    while True:
        try:
            descriptor = taken(path, otherwise)
        except Unavailable:
            if time.monotonic() >= until:
                raise
            time.sleep(TURN_S)
        else:
            break
    try:
        yield
    finally:
        os.close(descriptor)
