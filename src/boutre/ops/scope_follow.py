"""
Follows the scopes' files while a worker runs: an operation that is ended gives nothing more a second later, without a restart.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

import structlog

from boutre.errors import BusError, Fault
from boutre.processors.scopes import Scopes, read_scopes
from boutre.schemas.signature import Keyring

log = structlog.get_logger()

EVERY_S: Final = 1.0
"""Seconds between two looks at the files."""


@dataclass(slots=True)
class ScopeFollow:
    """
    Keeps *scopes* as the files of *folder* have them, by the keys that *keyring* reads; as a context manager, in a thread.

    A file that cannot be read activates nothing, and every other scope ends with it: what an operator meant to say is not known.
    """

    folder: Path
    scopes: Scopes
    keyring: Callable[[], Keyring]
    _seen: object = ()
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._run, name="scopes", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def look(self) -> None:
        """Read the files anew, where one of them or the list of keys has changed."""
        try:
            files = [(path.name, path.read_bytes()) for path in sorted(self.folder.glob("*.toml"))]
            keyring = self.keyring()
        except (BusError, OSError) as error:
            self._none(type(error).__name__)
            return
        found = files, {name: member for name, (member, _) in keyring.keys.items()}, keyring.revoked
        if found == self._seen:
            return
        faults: list[Fault] = []
        scopes = read_scopes(self.folder, faults)
        if faults:
            self._none(*(f"{fault.file} {fault.key}" for fault in faults))
        else:
            self.scopes.replace(scopes, keyring)
            log.info("scopes", active=sorted(self.scopes.terms))
        self._seen = found

    def _none(self, *why: str) -> None:
        """Let no scope be active, until what is there can be read; it is said once."""
        self.scopes.terms = {}
        if self._seen is not None:
            log.error("scopes cannot be read, so none is active", why=why)
        self._seen = None

    def _run(self) -> None:
        while not self._stop.wait(EVERY_S):
            try:
                self.look()
            except Exception as error:  # noqa: BLE001 - this thread must not end, or an end would never be seen
                self._none(type(error).__name__)
