"""
Locked schemas: each version of each kind as one whole file with the id that it has on the wire, for ever.

The whole file is locked by its SHA-256, since the parsing canonical form of Avro drops docs, units and sharing categories,
and a changed category is a changed promise. Ids are the bus's own; a registry that gives others is mapped by fingerprint.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastavro.schema import fingerprint, to_parsing_canonical_form

from boutre.errors import DeclarationError, Fault

LOCK_FILE = "lock.toml"


@dataclass(frozen=True, slots=True)
class Locked:
    """
    One version of one kind: its id on the wire and its whole schema.
    """

    id: int
    kind: str
    version: int
    schema: dict[str, Any]
    sha256: str

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the parsing canonical form, by which a registry's schema is recognised."""
        return str(fingerprint(to_parsing_canonical_form(self.schema), "SHA-256"))


@dataclass(frozen=True, slots=True)
class Lock:
    """
    All locked schemas.
    """

    entries: tuple[Locked, ...]

    def by_id(self, schema_id: int) -> Locked | None:
        """Give the schema with this id, or None: an unknown id is for its caller to refuse."""
        return next((entry for entry in self.entries if entry.id == schema_id), None)

    def latest(self, kind: str) -> Locked:
        """Give the newest version of *kind*; KeyError where none is locked."""
        versions = [entry for entry in self.entries if entry.kind == kind]
        if not versions:
            raise KeyError(kind)
        return max(versions, key=lambda entry: entry.version)

    @property
    def kinds(self) -> frozenset[str]:
        """All kinds that are locked."""
        return frozenset(entry.kind for entry in self.entries)


def core() -> Path:
    """
    Give the folder of the core schemas: in a wheel packed beside this file, in a checkout the root's ``schemas``.
    """
    packed = Path(__file__).with_name("core")
    return packed if packed.is_dir() else Path(__file__).parents[3] / "schemas"


def folder_of(bus: Path) -> Path:
    """
    Give the folder of the schemas of the bus at *bus*: its own where it has locked any, else the core ones of the engine.
    """
    own = bus / "schemas"
    return own if (own / LOCK_FILE).is_file() else core()


def load(folder: Path | None = None) -> Lock:
    """
    Read the lock file of *folder*; every file that is missing or changed is a fault, all of them at once.
    """
    folder = folder or core()
    faults: list[Fault] = []
    path = folder / LOCK_FILE
    if not path.is_file():
        raise DeclarationError([Fault(str(path), "", "no schema is locked yet: run boutre schemas lock")])
    entries = []
    try:
        rows = tomllib.loads(path.read_text(encoding="utf-8")).get("schema", [])
    except ValueError as error:
        raise DeclarationError([Fault(str(path), "", f"is not TOML in UTF-8: {error}")]) from None
    for number, row in enumerate(rows):
        entry = _entry(folder, f"schema[{number}]", row, faults)
        if entry is not None:
            entries.append(entry)
    faults.extend(_twice(entries))
    if faults:
        raise DeclarationError(faults)
    return Lock(tuple(entries))


def _entry(folder: Path, key: str, row: dict[str, Any], faults: list[Fault]) -> Locked | None:
    wanted = {"id": int, "kind": str, "version": int, "file": str, "sha256": str}
    wrong = [name for name, kind in wanted.items() if not isinstance(row.get(name), kind)]
    wrong += sorted(set(row) - set(wanted))
    if wrong:
        faults.append(Fault(LOCK_FILE, key, f"these keys are missing, unknown or of another type: {', '.join(wrong)}"))
        return None
    path = folder / row["file"]
    if not path.is_file():
        faults.append(Fault(LOCK_FILE, key, f"{row['file']} is missing; take it back from version control"))
        return None
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != row["sha256"]:
        faults.append(Fault(row["file"], "", "a locked schema was changed; take it back and lock a new version instead"))
        return None
    return Locked(row["id"], row["kind"], row["version"], json.loads(content), row["sha256"])


def _twice(entries: Iterable[Locked]) -> list[Fault]:
    seen: set[object] = set()
    faults = []
    for entry in entries:
        for name, value in (("id", entry.id), ("version", (entry.kind, entry.version))):
            if (name, value) in seen:
                faults.append(Fault(LOCK_FILE, f"{entry.kind} {entry.version}", f"this {name} is locked twice"))
            seen.add((name, value))
    return faults
