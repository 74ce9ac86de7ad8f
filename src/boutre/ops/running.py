"""
Which processes of the bus run on this machine, and on which port each tells of itself: a file for each, in ``processes`` of state.

A file is a claim and no fact: its process may have been killed, and its number be another's by now. Who is asked tells who it is.
"""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from boutre.health import HEALTHY, READY
from boutre.ops.broker import alive
from boutre.ops.doctor.late import Answered

FOLDER: Final = "processes"
ANSWER_S: Final = 2.0
EVERYWHERE: Final = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 - addresses at which somebody listens


@dataclass(frozen=True, slots=True)
class Running:
    """
    A process: its kind and name, and where it tells of itself.
    """

    kind: str
    name: str
    address: str
    pid: int = 0


@contextmanager
def written(state: Path, kind: str, name: str, host: str, port: int) -> Iterator[None]:
    """
    Write this process down as long as this lasts; where the folder cannot be written, ``boutre status`` has to be told where it is.
    """
    path = state / FOLDER / f"{os.getpid()}.json"
    told = Running(kind, name, f"{'127.0.0.1' if host in EVERYWHERE else host}:{port}", os.getpid())
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        for before in running(state):
            # One that was killed has its successor here, and is no matter any more.
            if (before.kind, before.name) == (kind, name) and not alive(before.pid):
                (path.parent / f"{before.pid}.json").unlink(missing_ok=True)
        path.write_text(json.dumps(asdict(told)) + "\n", encoding="utf-8")
    try:
        yield
    finally:
        with suppress(OSError):
            path.unlink()


def running(state: Path) -> list[Running]:
    """
    Give the processes that are written down; one that was killed stays, until another of its kind and name begins.
    """
    found = []
    for path in sorted((state / FOLDER).glob("*.json")):
        with suppress(OSError, ValueError, TypeError):
            found.append(Running(**json.loads(path.read_text(encoding="utf-8"))))
    return found


def ask(one: Running) -> Answered:
    """
    Ask a process for its health; one that does not answer is told as such.
    """
    try:
        ready, body = _get(one.address, READY)
        healthy, more = _get(one.address, HEALTHY)
    except (OSError, ValueError):
        return Answered(one.kind, one.name, one.address, why=("does not answer",))
    kind, name = str(body.get("process") or one.kind), str(body.get("name") or one.name)
    if one.kind and (kind, name) != (one.kind, one.name):
        return Answered(one.kind, one.name, one.address, why=(f"ended; {kind} {name} answers in its place",))
    why = tuple(dict.fromkeys([*body.get("why", ()), *more.get("why", ())]))
    return Answered(kind, name, one.address, ready, healthy, body, why)


def _get(address: str, path: str) -> tuple[bool, dict[str, Any]]:
    try:
        with urllib.request.urlopen(f"http://{address}{path}", timeout=ANSWER_S) as answer:
            fine, content = True, answer.read(65_536)
    except urllib.error.HTTPError as refused:
        fine, content = False, refused.read(65_536)
    told = json.loads(content)
    if not isinstance(told, dict):
        raise ValueError  # noqa: TRY004 - what came is no answer, whatever it is
    return fine, told
