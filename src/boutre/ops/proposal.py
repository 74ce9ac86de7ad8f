"""
Agreements of another folder, read as if they were those of a bus: what is proposed, before it is signed.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from boutre.errors import DeclarationError, Fault
from boutre.processors import pipeline
from boutre.processors.agreement import Agreement
from boutre.processors.pipeline import Pipeline
from boutre.schemas.lock import Lock
from boutre.schemas.vocabulary import Vocabularies
from boutre.topics.bus import Declarations
from boutre.topics.strict import ROOMS, read, table_of

AGREEMENTS: Final = "processors/agreements"


def is_bus(folder: Path) -> bool:
    """
    Say whether a folder declares a whole bus.
    """
    return all((folder / room).is_dir() for room in ROOMS)


def agreements_folder(folder: Path) -> Path:
    """
    Give the folder of agreements of *folder*, which is one itself, or a bus, or its ``processors/``. Raises DeclarationError.
    """
    inner = (folder / AGREEMENTS, folder / "agreements", folder)
    found = next(each for each in inner if each.is_dir() or each == folder)
    if not any(found.glob("*.toml")):
        raise DeclarationError(
            [Fault(str(folder), "", "no agreement stands here; name a folder that holds <agreement>.toml files")]
        )
    return found


def agreement_files(folder: Path) -> dict[str, str]:
    """
    Give for each agreement of *folder*, by id, where its file stands in a bus.
    """
    found: dict[str, str] = {}
    for path in sorted(agreements_folder(folder).glob("*.toml")):
        table = table_of(path, []) or {}
        found[str(table.get("id"))] = f"{AGREEMENTS}/{path.name}"
    return found


def read_proposal(root: Path, declarations: Declarations, lock: Lock, words: Vocabularies, folder: Path) -> Pipeline:
    """
    Read the pipeline of the bus at *root* with the agreements of *folder* in the place of its own.

    Raises DeclarationError with all that is wrong there, the examples included, by the names of its own files.
    """
    own = agreements_folder(folder.absolute())
    with TemporaryDirectory() as made:
        # As a bus of its own, so that a proposal is held to everything that an agreement of a bus is held to.
        for room in ROOMS:
            Path(made, room).mkdir()
        for there in (root / "processors").iterdir():
            if there.name != "agreements":
                (shutil.copytree if there.is_dir() else shutil.copyfile)(there, Path(made, "processors", there.name))
        Path(made, AGREEMENTS).mkdir()
        for path in own.glob("*.toml"):
            shutil.copyfile(path, Path(made, AGREEMENTS, path.name))
        try:
            return pipeline.load(Path(made), declarations, lock, words)
        except DeclarationError as error:
            raise DeclarationError([_renamed(fault, own) for fault in error.faults]) from None


def read_agreements(folder: Path) -> dict[str, Agreement]:
    """
    Read the agreements of *folder* by the names of their files, each by itself; those that cannot be read are left out.
    """
    read_so_far = {path.name: read(path, Agreement, []) for path in sorted(agreements_folder(folder).glob("*.toml"))}
    return {name: agreement for name, agreement in read_so_far.items() if agreement is not None}


def _renamed(fault: Fault, folder: Path) -> Fault:
    name = fault.file.removeprefix(f"{AGREEMENTS}/")
    return fault if name == fault.file else replace(fault, file=f"{folder.name}/{name}")
