"""
This machine: versions of what is installed, folders of what is remembered, files of keys.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from boutre.ops.doctor.finding import Finding

OTHERS: Final = 0o077
"""The rights of everybody but the owner."""


@dataclass(frozen=True, slots=True)
class Installed:
    """
    A library by the version that is installed (None: it is not), and whether that is one of those that are *wanted*.
    """

    name: str
    version: str | None
    wanted: str
    fits: bool


@dataclass(frozen=True, slots=True)
class Folder:
    """
    A folder or file of this machine: what it holds, the numbers of its owner and of who runs this, whether that one may write.

    *mode* are its rights as a number; *form* the number of its form as written, and *known* those that this version reads.
    """

    what: str
    path: str
    owner: int
    runner: int
    writable: bool
    mode: int = 0o700
    private: bool = False
    form: int | None = None
    known: tuple[int, ...] = ()


def of_versions(found: Iterable[Installed]) -> Iterator[Finding]:
    """
    Tell what is not installed, or in another version than this one is made for.
    """
    for one in found:
        if one.fits:
            continue
        there = "is not installed" if one.version is None else f"is installed as {one.version}"
        means = "private names of these libraries are used; another version may do something else, or nothing"
        yield Finding(
            "versions", "error", f"{one.name} {there}, wanted is {one.wanted}", means, f"pip install '{one.name}{one.wanted}'"
        )


def of_folders(found: Iterable[Folder]) -> Iterator[Finding]:
    """
    Tell which folders are somebody else's, cannot be written, are open to others, or are of a form that is not known.
    """
    for one in found:
        if not one.writable:
            # Root may write what is another's; so this is asked, and not told from the owner.
            means = "the process that needs it does not start, or cannot remember what it did"
            what = f"{one.path} ({one.what}) cannot be written; it belongs to user {one.owner}, this is user {one.runner}"
            yield Finding("state", "error", what, means, f"ls -ld {one.path}; run as its owner")
        elif one.owner != one.runner:
            means = "what this user writes there, the processes of the other may not be able to read"
            what = f"{one.path} ({one.what}) belongs to user {one.owner}, this is user {one.runner}"
            yield Finding("state", "warning", what, means, f"ls -ld {one.path}; run as its owner")
        if one.private and one.mode & OTHERS:
            means = "whoever has an account on this machine can read it"
            what = f"{one.path} ({one.what}) is open to others: {one.mode & 0o777:o}"
            yield Finding("keys", "error", what, means, f"chmod go= {one.path}")
        if one.form is not None and one.form not in one.known:
            means = "a newer version of the bus wrote it, and this one does not touch it"
            what = f"{one.path} ({one.what}) is of form {one.form}; this version reads {', '.join(map(str, one.known))}"
            yield Finding("state", "error", what, means, "boutre --version; go back to the version that wrote it")


def missing_keys(names: Iterable[str]) -> Iterator[Finding]:
    """
    Tell the files of keys that a worker asks for and that are not on this machine.
    """
    if lacking := sorted(names):
        means = "workers and connectors that need them do not start on this machine; elsewhere they may be"
        what = f"{len(lacking)} files of keys are not here: {', '.join(lacking[:4])}{' and more' if len(lacking) > 4 else ''}"  # noqa: PLR2004 - enough to know which
        yield Finding("keys", "warning", what, means, "boutre keys --help; docs/keys.md")


def another_cluster(found: str, meant: str | None) -> Iterator[Finding]:
    """
    Tell that the cluster that answers is not the one that this folder was applied to.
    """
    if meant is not None and found != meant:
        means = "what is remembered here speaks of the other; commands that change something refuse this one"
        what = f"the cluster that answers is {found}, the one that is meant is {meant}"
        yield Finding("state", "error", what, means, "boutre settings; look at BOUTRE_KAFKA__BOOTSTRAP_SERVERS")
