"""
The recipients' public keys as they stand in the folder now, for a process that runs for months.

A key that is revoked must not wait for a restart. Where the list cannot be read (somebody is editing it), what was read last holds
for a minute, and then there are no keys: what must be sealed is withheld, and everything else goes on.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

import structlog

from boutre.errors import DeclarationError
from boutre.schemas.keys.folder import RECIPIENTS, KeyFolder
from boutre.schemas.keys.lists import SealingKeys

log = structlog.get_logger()

GRACE_S: Final = 60.0
"""Seconds for which a list that cannot be read leaves the last one in force."""


class CurrentKeys:
    """
    The keys of *folder*; *now* counts seconds. ``DeclarationError`` where they cannot be read at the start.
    """

    def __init__(self, folder: KeyFolder, now: Callable[[], float] = time.monotonic) -> None:
        self._folder = folder
        self._now = now
        self._stamp = self._stood()
        self._wrong_since: float | None = None
        self.keys = folder.sealing_keys()

    def look(self) -> None:
        """Read the list again where it has changed."""
        stood = self._stood()
        if stood != self._stamp:
            self._stamp = stood
            try:
                self.keys = self._folder.sealing_keys()
                self._wrong_since = None
            except (DeclarationError, OSError) as error:
                self._wrong_since = self._wrong_since or self._now()
                # Without a traceback: what is wrong stands in the file, and boutre keys list tells all of it.
                log.warning("keys.unreadable", file=RECIPIENTS, error=type(error).__name__, grace_s=GRACE_S)
        if self._wrong_since is not None and self._now() - self._wrong_since >= GRACE_S:
            self.keys = SealingKeys({})

    def _stood(self) -> tuple[int, int, int] | None:
        try:
            told = (self._folder.path / RECIPIENTS).stat()
        except OSError:
            return None
        return told.st_mtime_ns, told.st_ino, told.st_size
