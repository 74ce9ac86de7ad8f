"""
What the operators of a bus do with its audit log: sign it, keep what others cosigned, prove an entry, look it through.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from boutre.errors import BusError, Refuse
from boutre.ops.audit_store import Kept, Store
from boutre.processors.receipts import KIND
from boutre.schemas.audit import tree
from boutre.schemas.audit.checkpoint import (
    COSIGNATURE_TYPE,
    Checkpoint,
    Note,
    NotProved,
    Verifier,
    cosigned_at,
    logs,
    opened,
    signed,
)
from boutre.schemas.audit.entry import BUS, Release, log_of, salt
from boutre.schemas.audit.examine import Finding, examine
from boutre.schemas.audit.papers import Extension, Inclusion, Opening
from boutre.schemas.audit.witness import Contradicted, name_of
from boutre.schemas.codec import Codec
from boutre.schemas.signature import Keyring


def sign(store: Store, log: str, private: Ed25519PrivateKey) -> Note:
    """
    Sign a checkpoint of all entries of a *log* and keep it; the one that is kept where the log has not grown since.

    Raises Contradicted where the log no longer begins with what was signed last: another signature would make the fork.
    """
    new = store.at(log, store.sizes().get(log, 0))
    kept = store.notes(log)
    if kept:
        before = Checkpoint.read(Note.read(kept[-1][1]).text)
        if before.size > new.size or store.at(log, before.size) != before:
            raise Contradicted(f"{log} no longer begins with the {before.size} entries that were signed; run boutre audit verify")
        if before.size == new.size and (note := _in_force(kept[-1][1], private)) is not None:
            return note
    note = signed(new, private)
    if kept and kept[-1][0] == new.size:
        # Signed by a key that was rotated: whoever cosigned these entries has cosigned them still.
        note = note.with_all(Note.read(kept[-1][1]))
    store.keep(log, new.size, note)
    return note


def since(store: Store, note: Note, old: int) -> Extension:
    """
    Give the proof that the log of a checkpoint began with its first *old* entries, for whoever witnessed those.
    """
    checkpoint = Checkpoint.read(note.text)
    log = log_of(checkpoint.origin)
    if not 0 <= old <= checkpoint.size:
        raise NotProved(f"{log} has {checkpoint.size} entries; nothing proves how {old} begin")
    return Extension(old, tuple(tree.consistency(old, checkpoint.size, store.nodes(log))), note)


def keep(store: Store, note: Note, keys: Iterable[Ed25519PublicKey], members: Keyring) -> dict[str, int]:
    """
    Keep a checkpoint that others cosigned; gives which members did, and when in seconds since 1970 UTC.

    Raises NotProved where it is not the bus's or a cosignature is false, Contradicted where it does not fit the log.
    """
    keys = tuple(keys)
    checkpoint = opened(note, keys)
    log = log_of(checkpoint.origin)
    if checkpoint.origin != store.origin(log) or log not in store.sizes():
        raise NotProved(f"this is a checkpoint of {checkpoint.origin}, which is no log of this store")
    if checkpoint.size > store.sizes()[log] or store.at(log, checkpoint.size) != checkpoint:
        raise Contradicted(f"the bus signed {checkpoint.size} entries of {log} that are not those here; run boutre audit verify")
    by = cosigners(note, members)
    # Lines of strangers prove nothing, and would let anybody make the note as large as they like.
    note = note.by((*logs(checkpoint.origin, keys), *_witnesses(members)))
    for size, text in store.notes(log):
        if size == checkpoint.size:
            note = Note.read(text).with_all(note)
    store.keep(log, checkpoint.size, note)
    return by


def cosigners(note: Note, members: Keyring) -> dict[str, int]:
    """
    Give the members whose witness cosigned, and when in seconds since 1970 UTC; raises NotProved for a false cosignature.
    """
    seen = [(known.name.rpartition("/")[2], cosigned_at(note, known)) for known in _witnesses(members)]
    return {member: at for member, at in seen if at is not None}


def prove(
    store: Store,
    key: bytes,
    codec: Codec,
    fetch: Callable[[int, int], bytes | None],
    *,
    identifier: str,
    log: str | None = None,
) -> Inclusion:
    """
    Prove the entry of a receipt, or of a view in its recipient's log, against the last checkpoint that holds it.

    *fetch* gives a receipt by its partition and offset. Raises NotProved where there is no such entry, it was erased, or nothing
    was signed since; Contradicted where the receipt is no longer the one that was committed to.
    """
    found = [one for one in store.find(identifier) if log is None or one.log == log]
    if not found:
        where = "any log" if log is None else f"the log {log}"
        raise NotProved(f"no entry of {where} is of {identifier}: it is no receipt and no view, or it was erased")
    kept = ([one for one in found if one.log == BUS] or found)[-1]
    notes = [Note.read(text) for size, text in store.notes(kept.log) if size > kept.place]
    if not notes:
        raise NotProved(f"no checkpoint holds entry {kept.place} of {kept.log} yet; boutre audit checkpoint {kept.log} signs one")
    checkpoint = Checkpoint.read(notes[-1].text)
    hashes = tree.inclusion(kept.place, checkpoint.size, store.nodes(kept.log))
    return Inclusion(kept.place, tuple(hashes), notes[-1], _opening(kept, key, codec, fetch))


def verify(
    store: Store, chosen: Iterable[str], shown: Iterable[Note], keys: Iterable[Ed25519PublicKey], known: Iterable[Ed25519PublicKey]
) -> Iterator[Finding]:
    """
    Give all that does not fit in the *chosen* logs.

    They are held against the checkpoints that are kept, by any key that is *known*, also a revoked one, and against those that are
    *shown* from elsewhere, which a key in force (*keys*) must have signed.
    """
    broken = store.sound()
    if broken is not None:
        yield Finding("the file", None, f"SQLite finds: {broken}")
    sizes, keys, known = store.sizes(), tuple(keys), tuple(known)
    outside = [opened(note, keys) for note in shown]
    for one in outside:
        if one.origin != store.origin(log_of(one.origin)) or log_of(one.origin) not in sizes:
            yield Finding(log_of(one.origin), None, f"a checkpoint was shown of {one.origin}, which is no log of this store")
    for log in chosen:
        checkpoints = [one for one in outside if one.origin == store.origin(log)]
        for size, text in store.notes(log):
            try:
                checkpoint = opened(Note.read(text), known)
            except NotProved:
                yield Finding(log, None, f"what is kept as the checkpoint of {size} entries is not signed by the bus")
                continue
            if (checkpoint.origin, checkpoint.size) != (store.origin(log), size):
                yield Finding(log, None, f"what is kept as the checkpoint of {size} entries is another one")
            else:
                checkpoints.append(checkpoint)
        yield from examine(log, sizes[log], store.entries(log), store.all_nodes(log), checkpoints)


def _witnesses(members: Keyring) -> list[Verifier]:
    """Give the members' witnesses, one for each key that is in force."""
    in_force = [held for identifier, held in members.keys.items() if identifier not in members.revoked]
    return [Verifier(name_of(member), COSIGNATURE_TYPE, public) for member, public in in_force]


def _opening(kept: Kept, key: bytes, codec: Codec, fetch: Callable[[int, int], bytes | None]) -> Opening:
    if kept.nonce is None or kept.receipt is None or kept.partition is None or kept.offset is None:
        raise NotProved(f"entry {kept.place} of {kept.log} was erased: that it is there can be proved, what it says cannot")
    frame = fetch(kept.partition, kept.offset)
    if frame is None:
        raise NotProved(f"the receipt of entry {kept.place} of {kept.log} is no longer on Kafka, so nothing opens the entry")
    content = frame
    if kept.log != BUS:
        release = _release(codec, frame)
        content = b"" if release is None else release.content()
    opening = Opening(kept.log, salt(key, kept.log, kept.nonce, kept.receipt), content)
    if opening.entry() != kept.entry:
        raise Contradicted(f"the receipt on Kafka is not the one that entry {kept.place} of {kept.log} was made of")
    return opening


def _release(codec: Codec, frame: bytes) -> Release | None:
    try:
        return Release.of(codec.decode(frame, frozenset({KIND})).value)
    except Refuse:
        return None


def _in_force(text: str, private: Ed25519PrivateKey) -> Note | None:
    """Give a kept checkpoint, where the key that would sign now has signed it."""
    try:
        note = Note.read(text)
        opened(note, (private.public_key(),))
    except BusError:
        return None
    return note
