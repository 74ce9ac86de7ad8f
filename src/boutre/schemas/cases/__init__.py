"""
Case keys: personal groups of a record lie under a key of its own, which can be destroyed when nothing else can be.

Whatever was written to a log, a changelog, a disk or a backup stays there; without its key it is noise. The keys stand in a vault
outside of Kafka (``vault``); a member's connector has their public halves (``pool``) and can seal, and open nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

PERSONAL: Final = ("trafficking", "vulnerability", "victims", "suspects", "narrative")
"""The personal groups: those in whose place the schemas allow ``Sealed``."""

OPEN: Final[Mapping[str, frozenset[str]]] = {
    "trafficking": frozenset({"perpetrators"}),
    "vulnerability": frozenset({"unaccompanied_children", "pregnant", "medical_urgent", "disembarkation"}),
}
"""
What of them may stand unsealed in a view: numbers, a need for a doctor, a port. It names nobody, and rescuers must have it even
where a key is lost (decision 90).
"""
