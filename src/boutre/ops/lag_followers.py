"""
How far the followers are that run on this machine: their offsets stand in their stores, and nowhere on Kafka.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress

from boutre.errors import BusError
from boutre.ops.answers_store import open_answers
from boutre.ops.assembly import keys_of
from boutre.ops.audit_store import open_store
from boutre.ops.lag.groups import follower_group
from boutre.ops.lag.look import Place
from boutre.ops.settings import Settings
from boutre.processors.receipts import TOPIC as RECEIPTS


def stored(settings: Settings) -> Mapping[str, Mapping[Place, int]]:
    """
    Give the offsets of each follower whose store stands where the settings say; of one that cannot be opened nothing is given.
    """
    sources: tuple[tuple[str, Callable[[Settings], Mapping[Place, int]]], ...] = (
        ("answers", _answers),
        ("audit", _audit),
        ("cases", _cases),
    )
    found: dict[str, Mapping[Place, int]] = {}
    for name, positions in sources:
        with suppress(BusError):
            found[follower_group(name)] = positions(settings)
    return found


def _answers(settings: Settings) -> Mapping[Place, int]:
    with open_answers(settings.state / "answers") as store:
        return store.positions()


def _audit(settings: Settings) -> Mapping[Place, int]:
    with open_store(settings.state / "audit") as store:
        return {(RECEIPTS, partition): offset for partition, offset in store.positions().items()}


def _cases(settings: Settings) -> Mapping[Place, int]:
    with keys_of(settings).cases.open() as vault:
        return vault.places()
