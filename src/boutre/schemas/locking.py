"""
Locks new versions of schemas, and proves that what is locked still holds.

Locking gives a schema its number on the wire for ever: the whole schema is written to ``locked/<kind>-<version>.avsc``, its id
and SHA-256 are added to ``lock.toml``. A file once locked is never written again. Nothing is locked that any locked version
of its kind cannot read, or cannot be read by.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from boutre.errors import DeclarationError, Fault
from boutre.schemas import fields
from boutre.schemas.compatibility import full_transitive
from boutre.schemas.hazards import hazards
from boutre.schemas.lock import LOCK_FILE, Lock, Locked, core, load
from boutre.schemas.vocabulary import Vocabularies
from boutre.schemas.vocabulary import load as load_vocabularies
from boutre.schemas.writing import make_writer

FIRST_ID: Final = 0x424F5501
"""
The id of the first schema ever locked: "BOU" in ASCII and 1.

Registries count from 1, so that an id of theirs is never one of ours, and a frame's first bytes tell a person what they are.
"""

LOCKED: Final = "locked"

_HEAD: Final = """\
# The locked schemas: what each id on the wire stands for, for ever. Written by `boutre schemas lock`; rows are only added.
# sha256 is that of the whole file, docs, units and categories too.
"""


def text(schema: dict[str, Any]) -> str:
    """
    Give a schema as the text that is locked.
    """
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def check(folder: Path) -> list[Fault]:
    """
    Give all that is wrong with the schemas of *folder* and with its lock; empty where nothing is.

    Proved are the fields of the working schemas (docs, units, categories), the SHA-256 of every locked file, that no id and no
    version is locked twice, that every two versions of a kind can read each other, that none is dangerous to read by, and that
    the working schemas are the newest that are locked.
    """
    working, lock, faults = _both(folder)
    if lock is not None:
        faults += _among(lock)
        for kind, schema in working.items():
            faults += _unwritable(kind, schema)
            if kind not in lock.kinds:
                faults.append(Fault(f"{kind}.avsc", "", "is not locked yet; run boutre schemas lock"))
            elif _differs(lock.latest(kind), schema):
                newest = lock.latest(kind).version
                faults.append(Fault(f"{kind}.avsc", "", f"differs from locked version {newest}; run boutre schemas lock"))
                faults += _against(lock, kind, schema)
    return faults


def lock(folder: Path) -> list[Locked]:
    """
    Lock the working schemas of *folder* that differ from the newest locked version of their kind; give those just locked.

    Raises ``DeclarationError`` with all that forbids it, and then locks nothing.
    """
    working, before, faults = _both(folder, may_be_new=True)
    before = before or Lock(())
    new = {}
    for kind, schema in sorted(working.items()):
        if kind not in before.kinds or _differs(before.latest(kind), schema):
            new[kind] = schema
            faults += _unwritable(kind, schema)
            faults += _against(before, kind, schema)
    faults += _among(before)
    if faults:
        raise DeclarationError(faults)
    added = list(_numbered(before, new))
    _write(folder, before, added, new)
    return added


def _both(folder: Path, *, may_be_new: bool = False) -> tuple[dict[str, Any], Lock | None, list[Fault]]:
    faults: list[Fault] = []
    working: dict[str, Any] = {}
    locked = None
    try:
        working = fields.read(folder)
        faults += fields.faults(working, _vocabularies(folder))
        # Ids are put into frames that are written already, right behind the head.
        faults += [
            Fault(f"{kind}.avsc", "id", "is not the first field, or no string; a record begins with its id")
            for kind, schema in working.items()
            if [(each["name"], each["type"]) for each in schema["fields"][:1]] != [("id", "string")]
        ]
    except DeclarationError as error:
        faults += error.faults
    try:
        if not may_be_new or (folder / LOCK_FILE).exists():
            locked = load(folder)
    except DeclarationError as error:
        faults += error.faults
    return working, locked, faults


def _vocabularies(folder: Path) -> Vocabularies:
    own = folder / "vocabularies"
    return load_vocabularies(own if own.is_dir() else core() / "vocabularies")


def _unwritable(kind: str, schema: dict[str, Any]) -> Iterator[Fault]:
    """The codec writes only the shapes that it knows: null first in a union, and one plain type in it."""
    try:
        make_writer(schema)
    except (KeyError, ValueError) as error:
        yield Fault(f"{kind}.avsc", "", f"holds a type that the codec does not write: {error}")


def _among(locked: Lock) -> Iterator[Fault]:
    for entry in locked.entries:
        file = file_of(entry)
        yield from (Fault(file, each.path, each.message) for each in hazards(entry.schema, file))
        older = {
            other.version: other.schema for other in locked.entries if other.kind == entry.kind and other.version < entry.version
        }
        yield from (Fault(file, each.path, each.message) for each in full_transitive(entry.schema, older))


def _against(locked: Lock, kind: str, schema: dict[str, Any]) -> Iterator[Fault]:
    versions = {entry.version: entry.schema for entry in locked.entries if entry.kind == kind}
    for each in full_transitive(schema, versions):
        yield Fault(f"{kind}.avsc", each.path, each.message)


def _differs(newest: Locked, schema: dict[str, Any]) -> bool:
    # By text, since the order of keys and fields is locked too; dictionaries would compare equal.
    return hashlib.sha256(text(schema).encode()).hexdigest() != newest.sha256


def _numbered(before: Lock, new: dict[str, Any]) -> Iterator[Locked]:
    next_id = max((entry.id + 1 for entry in before.entries), default=FIRST_ID)
    for number, (kind, schema) in enumerate(new.items()):
        version = before.latest(kind).version + 1 if kind in before.kinds else 1
        yield Locked(next_id + number, kind, version, schema, hashlib.sha256(text(schema).encode()).hexdigest())


def file_of(entry: Locked) -> str:
    """
    Give the file of a locked schema, from the folder of the schemas.
    """
    return f"{LOCKED}/{entry.kind}-{entry.version}.avsc"


def _write(folder: Path, before: Lock, added: list[Locked], new: dict[str, Any]) -> None:
    if not added:
        return
    (folder / LOCKED).mkdir(exist_ok=True)
    stranded = []
    for entry in added:
        path = folder / file_of(entry)
        try:
            with path.open("x", encoding="utf-8", newline="\n") as file:
                file.write(text(new[entry.kind]))
        except FileExistsError:
            # A lock that was interrupted leaves its files behind; anything else of that name is somebody's work.
            if path.read_text(encoding="utf-8") != text(new[entry.kind]):
                stranded.append(Fault(file_of(entry), "", f"stands there but not in {LOCK_FILE}; move it away and lock again"))
    if stranded:
        raise DeclarationError(stranded)
    rows = (folder / LOCK_FILE).read_text(encoding="utf-8") if before.entries else _HEAD
    part = folder / f"{LOCK_FILE}.part"
    part.write_text(rows + "".join(map(_row, added)), encoding="utf-8", newline="\n")
    part.replace(folder / LOCK_FILE)


def _row(entry: Locked) -> str:
    return (
        f"\n[[schema]]\nid = 0x{entry.id:08X}\nkind = {json.dumps(entry.kind)}\nversion = {entry.version}\n"
        f"file = {json.dumps(file_of(entry))}\nsha256 = {json.dumps(entry.sha256)}\n"
    )
