"""
Locks between processes of one machine: held until they are given up or the process ends, however it ends.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from boutre.errors import Unavailable


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
def held(path: Path, otherwise: str) -> Iterator[None]:
    """
    Hold the lock file *path* as long as the block lasts; raises Unavailable as ``taken`` does.
    """
    descriptor = taken(path, otherwise)
    try:
        yield
    finally:
        os.close(descriptor)
