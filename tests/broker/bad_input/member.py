"""
A member's own machine: a copy of the bus's folders with the member's feeds, and the command that publishes them.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from broker.bad_input.bus import Bus
from records import ROOT

FEEDS: Final = Path(__file__).with_name("feeds")


@dataclass(frozen=True, slots=True)
class Machine:
    """
    A folder that declares a bus, with a place for input.
    """

    folder: Path

    @classmethod
    def at(cls, folder: Path) -> Machine:
        """Copy what this repository declares, without its feeds."""
        for room in ("topics", "schemas", "processors"):
            shutil.copytree(ROOT / room, folder / room)
        (folder / "connectors").mkdir()
        (folder / "input").mkdir()
        return cls(folder)

    def declare(self, name: str, *, like: str | None = None, path: str | None = None) -> None:
        """Take over a feed of these tests, or one like it that reads another file."""
        text = (FEEDS / f"{like or name}.toml").read_text(encoding="utf-8")
        lines = [f'path = "{path}"' if path and line.startswith("path = ") else line for line in text.splitlines()]
        (self.folder / "connectors" / f"{name}.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")

    def put(self, name: str, content: str | bytes) -> None:
        """Put a file where the feeds look for it."""
        path = self.folder / "input" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)

    def boutre(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run the command on this folder."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("BOUTRE_")}
        command = [sys.executable, "-m", "boutre", "--bus", str(self.folder), *arguments]
        return subprocess.run(
            command, check=False, capture_output=True, text=True, env={**kept, **environment}, cwd=self.folder, timeout=200
        )

    def rejected(self, feed: str) -> list[dict[str, Any]]:
        """Give what this machine keeps of what a feed refused."""
        done = self.boutre("connector", "rejected", feed, "--output", "json", BOUTRE_STATE=str(self.folder / "state"))
        assert done.returncode == 0, done.stderr
        found: list[dict[str, Any]] = json.loads(done.stdout)
        return found

    def publish(self, bus: Bus, *feeds: str) -> tuple[dict[str, Any], str]:
        """Publish feeds to their end; gives what each came to, and all that was said."""
        settings = {
            "BOUTRE_KEYS": str(bus.standing.settings.keys),
            "BOUTRE_STATE": str(self.folder / "state"),
            "BOUTRE_KAFKA__BOOTSTRAP_SERVERS": bus.bootstrap,
        }
        done = self.boutre("connector", "run", *feeds, "--once", "--output", "json", **settings)
        assert done.returncode == 0, done.stderr
        return {row["feed"]: row for row in json.loads(done.stdout)}, done.stdout + done.stderr
