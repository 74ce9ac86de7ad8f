"""
The embedded broker that `boutre kafka start` left running: written down in `.boutre/kafka.json`, found again, stopped.

The file is a claim, not a fact: a process id may belong to another process by now. Whether it is ours is told by its
command line, which names our folder, and whether it answers as ours by its cluster id.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from boutre.errors import Unavailable

FILE: Final = "kafka.json"

# Seconds that an orderly stop may take before the process is killed.
_PATIENCE: Final = 30.0


@dataclass(frozen=True, slots=True)
class Standing:
    """
    A broker that runs on its own: how to reach it, and how to tell that it is still the same.
    """

    pid: int
    bootstrap: str
    cluster_id: str
    home: str

    def write(self, state: Path) -> None:
        """
        Write it down, whole or not at all.
        """
        state.mkdir(parents=True, exist_ok=True)
        part = state / f"{FILE}.part"
        part.write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")
        part.replace(state / FILE)

    def runs(self) -> bool:
        """
        Whether the process of that id is this broker.
        """
        return str(Path(self.home) / "server.properties") in _command_line(self.pid)

    def stop(self) -> None:
        """
        Stop the process if it is this broker, and return once it is gone.

        Raises:
            Unavailable: it does not go.
        """
        for how, patience in ((signal.SIGTERM, _PATIENCE), (signal.SIGKILL, _PATIENCE)):
            if not self.runs():
                return
            os.kill(self.pid, how)
            deadline = time.monotonic() + patience
            while self.runs() and time.monotonic() < deadline:
                time.sleep(0.05)
        if self.runs():
            raise Unavailable(f"the embedded Kafka (process {self.pid}) does not stop; look at {self.home}")


def written(state: Path) -> Standing | None:
    """
    What is written down in the folder *state*, whether it still runs or not; None when nothing (usable) is.
    """
    try:
        told: dict[str, Any] = json.loads((state / FILE).read_text(encoding="utf-8"))
        return Standing(int(told["pid"]), str(told["bootstrap"]), str(told["cluster_id"]), str(told["home"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def standing(state: Path) -> Standing | None:
    """
    The broker that runs, by what is written down in *state*.
    """
    found = written(state)
    return found if found is not None and found.runs() else None


def _command_line(pid: int) -> str:
    # Where there is no /proc (macOS), ps tells the same; a process that ended and waits to be reaped has no line.
    if Path("/proc/self").exists():
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        except OSError:
            return ""
    told = subprocess.run(["/bin/ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)  # noqa: S603 - the argument is a number
    return told.stdout
