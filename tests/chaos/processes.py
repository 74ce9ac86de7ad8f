"""
Processes of the bus that can be killed, frozen, told to stop and started again; none outlives the one that started it.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from boutre.ops.guard import Guard

Role = Literal["worker", "connector", "sink"]


@dataclass(slots=True, eq=False)
class Process:
    """
    One process: its *role*, its *stage* (a processor, a feed, or a sink and its recipient), and whether it should be running.

    *data* is the folder that it has for itself. *extra* marks a worker that joined later, and is not missed when it leaves.
    """

    name: str
    role: Role
    stage: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    folder: Path
    extra: bool = False
    wanted: bool = True
    frozen: bool = False
    starts: int = 0
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    _guard: Guard | None = field(default=None, repr=False)

    @property
    def data(self) -> Path:
        """The folder of its own, which it may lose."""
        return self.folder / "data" / self.name

    @property
    def log(self) -> Path:
        """What it says."""
        return self.folder / "logs" / f"{self.name}.log"

    @property
    def running(self) -> bool:
        """Whether it is there, frozen or not."""
        return self._process is not None and self._process.poll() is None

    @property
    def status(self) -> int | None:
        """With what it ended."""
        return None if self._process is None else self._process.poll()

    def start(self) -> None:
        """Start it."""
        self.reap()
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.data.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "boutre", *self.arguments],
                env=self.environment, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        self._guard = Guard(self._process.pid)
        self.starts += 1
        self.wanted, self.frozen = True, False

    def kill(self) -> None:
        """End it as a power cut would."""
        self.wanted = self.frozen = False
        self._send(signal.SIGKILL)
        if self._process is not None:
            self._process.wait()
        self.reap()

    def freeze(self) -> None:
        """Stop it where it stands; its connections stay open."""
        self._send(signal.SIGSTOP)
        self.frozen = True

    def thaw(self) -> None:
        """Let it go on."""
        self._send(signal.SIGCONT)
        self.frozen = False

    def leave(self) -> None:
        """Tell it to stop in order."""
        self.wanted = False
        self._send(signal.SIGTERM)

    def end(self, patience: float) -> bool:
        """Wait until it has stopped, and kill it where it does not; says whether it stopped."""
        try:
            if self._process is not None:
                self._process.wait(max(0.0, patience))
        except subprocess.TimeoutExpired:
            self.kill()
            return False
        finally:
            self.reap()
        return True

    def wipe(self) -> None:
        """Take its disk away."""
        shutil.rmtree(self.data, ignore_errors=True)

    def reap(self) -> None:
        """Let the guard of a process that ended go."""
        if self._guard is not None and not self.running:
            self._guard.release()
            self._guard = None

    def partitions(self) -> frozenset[int]:
        """Give the partitions that a worker said last that it has; its log is all that knows."""
        found: frozenset[int] = frozenset()
        for line in self._said():
            if line.get("event") == "ready":
                found = frozenset(line["partitions"])
        return found

    def counted(self, *words: str) -> int:
        """Give how many lines of its log name one of these errors."""
        return sum(1 for line in self._said() if line.get("error") in words)

    def _said(self) -> list[dict[str, Any]]:
        lines = []
        for text in self.log.read_text(encoding="utf-8", errors="replace").splitlines() if self.log.exists() else ():
            try:
                line = json.loads(text)
            except ValueError:
                continue
            if isinstance(line, dict):
                lines.append(line)
        return lines

    def _send(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            os.kill(self._process.pid, number)
