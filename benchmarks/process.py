"""
Processes that are timed: started alike, each with a log of its own, and ended with this one.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from benchmarks.work import ROOT
from boutre.ops.guard import Guard

STOP_S: Final = 20.0
TICKS: Final = os.sysconf("SC_CLK_TCK")


class Process:
    """
    A module of this package in a process of its own, told *call* (a dataclass) as JSON; *python* is another environment's, if any.
    """

    def __init__(self, module: str, call: Any, log: Path, python: Path | None = None) -> None:
        self.log = log
        with log.open("wb") as file:
            self._process = subprocess.Popen(  # noqa: S603 - our own modules, with names made here
                [str(python or sys.executable), "-m", module, json.dumps(asdict(call))],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))},
                start_new_session=True,
            )
        self._guard = Guard(self._process.pid)

    def alive(self) -> bool:
        """Say whether it runs."""
        return self._process.poll() is None

    def cpu(self) -> float:
        """Give the seconds of processor that it has used, its threads' too; 0 once it has ended."""
        try:
            # The fields behind the command's name, which stands in brackets and may hold anything.
            fields = (
                Path(f"/proc/{self._process.pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
            )
        except OSError:
            return 0.0
        return (int(fields[11]) + int(fields[12])) / TICKS

    def wait(self, seconds: float) -> int:
        """Wait for its own end, and give its status."""
        return self._process.wait(seconds)

    def stop(self) -> None:
        """Stop it in order, and kill it where it does not stop."""
        if not self.alive():
            self._guard.release()
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._guard.release()

    def kill(self) -> None:
        """Kill it as a power cut would."""
        self._process.kill()
        self._process.wait()
        self._guard.release()

    def __enter__(self) -> Self:
        """Give it."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Stop it."""
        self.stop()
