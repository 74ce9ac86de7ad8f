"""
Records as connectors send them to the bus of these tests: what names people is sealed by keys of its vault.

Bad records are declared before any bus runs; so the vault stands here once one does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from boutre.processors.decision import Outbound
from boutre.schemas.cases.folders import CaseFolders
from boutre.schemas.cases.pool import CaseKeys
from records import Value, national


@dataclass(slots=True)
class Sealing:
    """
    The case keys of every member, drawn in the vault of the bus that runs.
    """

    folders: CaseFolders | None = None
    _pools: dict[str, CaseKeys] = field(default_factory=dict)

    def begin(self, folders: CaseFolders) -> None:
        """Draw from this vault from now on."""
        self.folders = folders
        self._pools.clear()

    def of(self, member: str) -> CaseKeys:
        """Give where a member's connectors have case keys from."""
        assert self.folders is not None, "no bus runs"
        return self._pools.setdefault(member, self.folders.keys(member))


SEALING = Sealing()


def as_sent(kind: str, value: Value, **more: Any) -> Outbound:
    """The signed record of Kafka for *value*, with what names people sealed; *more* as of ``national``."""
    return national(kind, value, cases=SEALING.of(value["origin"]["member"]), **more)
