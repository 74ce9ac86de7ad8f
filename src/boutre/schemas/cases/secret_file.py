"""
A SQLite file that holds secrets: what is overwritten in it stays nowhere else.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

PRAGMAS: Final = ("journal_mode = DELETE", "synchronous = EXTRA", "secure_delete = ON", "temp_store = MEMORY")
"""
The journal holds pages as they were, and is removed at every commit, for good: EXTRA syncs its folder too. Nothing is put aside
elsewhere.
"""


def connected(path: Path, *, patience: float, any_thread: bool = False) -> sqlite3.Connection:
    """
    Open the file, which is waited for so many seconds where another process writes to it. Raises what SQLite raises.
    """
    connection = sqlite3.connect(path, timeout=patience, isolation_level=None, check_same_thread=not any_thread)
    try:
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
    except sqlite3.Error:
        connection.close()
        raise
    return connection
