"""
When a member State may put its name under a checkpoint: only where the log begins with all that this State has seen of it.

A bus that shows two recipients two different logs, or takes back what it had written, must get past every witness with both. It
cannot: each witness remembers the last checkpoint that it cosigned, and wants a proof from there.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from boutre.schemas.audit import tree
from boutre.schemas.audit.checkpoint import Checkpoint, NotProved, opened
from boutre.schemas.audit.papers import Extension

WITNESS: Final = "boutre.witness"


def name_of(member: str) -> str:
    """
    Give the name under which a member State cosigns.
    """
    return f"{WITNESS}/{member}"


class Contradicted(NotProved):
    """
    The bus has signed two checkpoints that cannot both be true: both notes together are the evidence.
    """


def judge(last: Checkpoint | None, shown: Extension, keys: Iterable[Ed25519PublicKey]) -> Checkpoint:
    """
    Give the checkpoint that was *shown*, where a witness who last cosigned *last* may cosign it.

    Raises NotProved where it is not signed by one of the bus's *keys* or the proof is not the one that is wanted, Contradicted for
    a rollback or a fork. A first checkpoint is taken as it is: from then on the log is bound.
    """
    new = opened(shown.note, keys)
    if new.size == 0 and new.root != tree.EMPTY:
        raise NotProved(f"the checkpoint of {new.origin} says that there are no entries, with a root that an empty log has not")
    if last is None:
        return new
    if new.origin != last.origin:
        raise NotProved(f"the log {last.origin} was begun anew as {new.origin}: nothing proves that it holds what the old one held")
    known = f"{new.origin}: this witness has cosigned {last.size} entries"
    if new.size < last.size:
        raise Contradicted(f"{known}, and the bus now signs {new.size}: a rollback. Keep both checkpoints, they are the evidence")
    if new.size == last.size:
        if new.root != last.root:
            raise Contradicted(
                f"{known}, and the bus now signs as many others: a fork. Keep both checkpoints, they are the evidence"
            )
        return new
    if last.size and shown.old != last.size:
        raise NotProved(f"{known}; ask the bus for a proof from there: boutre audit checkpoint --since {last.size}")
    if not tree.extends(last.size, last.root, new.size, new.root, shown.hashes):
        raise Contradicted(
            f"{known}, and the {new.size} that the bus now signs are not proved to begin with them: a fork, or a false proof. "
            "Ask once more for the proof; if it stays so, keep both checkpoints, they are the evidence"
        )
    return new
