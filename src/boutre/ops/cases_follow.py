"""
Follows reports and recalls on Kafka, and destroys the case keys of what is erased.

Topics are read side by side, so that a recall may be read before its record: the vault remembers it, and destroys the key as soon
as it is seen. What was read and how far is one transaction of the vault.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import structlog

from boutre import metrics
from boutre.locks import held
from boutre.ops.cases_take import Found, reads
from boutre.ops.following import LOOK_S, MOST, Behind, there
from boutre.processors.runtime.connection import Connection
from boutre.processors.runtime.reader import Place, Reader
from boutre.schemas.cases.vault import Destroyed, Vault
from boutre.schemas.codec import Codec
from boutre.topics.bus import Declarations

log = structlog.get_logger()

WRITE_S: Final = 5.0
"""Seconds after which it is written how far was read where nothing was found: what is read again changes nothing."""

COUNT_S: Final = 30.0
"""Seconds between two counts of the keys that are left."""

LOST: Final = (
    "The topic was made anew, or records were deleted before the vault had seen which keys they use: an erasure cannot find those "
    "keys. boutre cases follow --past-gap goes on from what is there; then boutre cases retire MEMBER destroys every key of that "
    "member which was not seen in use, and its connectors need a new pool (boutre cases issue)"
)


@dataclass(slots=True)
class CasesFollower:
    """
    Follows from where the vault has got to; made by ``following_cases``. *now* gives seconds of any clock that only goes forward.
    """

    vault: Vault
    codec: Codec
    declarations: Declarations
    _reader: Reader
    _written: dict[Place, int]
    now: Callable[[], float] = time.monotonic
    _wrote: float | None = None
    _counted: float | None = None

    def take(self) -> int:
        """Take what Kafka gives within a moment; gives how many messages it was."""
        found = Found(self.codec)
        messages = self._reader.look(MOST, LOOK_S)
        for message in messages:
            found.take(self.declarations.topic(message.topic), message.value)
        if found.uses or found.recalls or self._wrote is None or self.now() - self._wrote >= WRITE_S:
            self.write(found)
        self._count()
        return len(messages)

    def write(self, found: Found) -> None:
        """Write what was found and how far was read."""
        moved = {place: offset for place, offset in self._reader.reached().items() if self._written.get(place) != offset}
        if moved or found.uses or found.recalls:
            tell(self.vault.take(found.uses, found.recalls, moved))
            self._written |= moved
        self._wrote = self.now()

    @property
    def at_end(self) -> bool:
        """Whether nothing that was committed is left to read, as far as Kafka has said."""
        return not self._reader.left()

    def _count(self) -> None:
        if self._counted is None or self.now() - self._counted >= COUNT_S:
            self._counted = self.now()
            for one in self.vault.standing():
                metrics.CASE_KEYS_WAITING.labels(one.member).set(one.waiting)


@contextmanager
def following_cases(
    vault: Vault, codec: Codec, declarations: Declarations, client: Mapping[str, Any], *, past_gap: bool = False
) -> Iterator[CasesFollower]:
    """
    Follow from where *vault* has got to, alone; *past_gap* goes on from what is there where Kafka does not hold what comes next.

    Raises Unavailable where Kafka does not answer or somebody else follows, Behind where records are missing.
    """
    with (
        held(vault.path.with_name("follow.lock"), f"another boutre cases follow writes to {vault.path}; one is enough"),
        Reader(Connection.of(client)) as reader,
    ):
        known = vault.places()
        reader.begin(begins(reader.ends(reader.partitions(reads(declarations))), known, past_gap=past_gap))
        follower = CasesFollower(vault, codec, declarations, reader, known)
        yield follower
        follower.write(Found(codec))


def tell(destroyed: Iterable[Destroyed]) -> None:
    """
    Log and count the keys that were destroyed. Ids are no secrets.
    """
    for one in destroyed:
        log.info("cases.destroyed", member=one.member, record=one.record, keys=one.keys)
        metrics.CASE_KEYS_DESTROYED.labels(one.member).inc(one.keys)


def begins(places: Mapping[Place, tuple[int, int]], known: Mapping[Place, int], *, past_gap: bool) -> dict[Place, int]:
    """
    Say where to begin with each place, whose first offset and end on Kafka are given, after what is *known*; raises Behind.
    """
    found, missing = {}, []
    for place, (low, high) in places.items():
        begin = found[place] = known.get(place, low)
        if not low <= begin <= high:
            missing.append(f"{place[0]}, partition {place[1]}: the vault goes on at offset {begin}, and {there(low, high)}")
            found[place] = low
        elif place not in known and low:
            log.warning("cases.begins-late", topic=place[0], partition=place[1], first=low)
    if missing and not past_gap:
        raise Behind("\n".join([*missing, LOST]))
    for line in missing:
        log.error("cases.gap", what=line)
    return found
