"""
Processes of the bus as operations start them, each in a folder with a bus of its own, topics and keys.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from boutre.ops.apply import bring
from boutre.ops.broker import Broker, free_port
from boutre.ops.command import main
from boutre.ops.settings import load as settings
from boutre.topics.bus import load

ROOT = Path(__file__).parents[1]
PATIENCE_S = 90.0


@dataclass
class Started:
    """One process of the bus, and the port of its page."""

    words: tuple[str, ...]
    port: int
    process: subprocess.Popen[bytes]

    def page(self, path: str) -> tuple[bool, str]:
        """Give whether its answer is yes, and the answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return True, answer.read().decode()
        except urllib.error.HTTPError as refused:
            return False, refused.read().decode()
        except OSError:
            return False, ""

    def await_ready(self) -> None:
        """Wait until it says that it is ready."""
        until = time.monotonic() + PATIENCE_S
        while not self.page("/readyz")[0]:
            assert self.process.poll() is None, f"{self.words} ended with {self.process.returncode}"
            assert until > time.monotonic(), f"{self.words}: {self.page('/readyz')[1]}"
            time.sleep(0.1)

    def stop(self) -> int:
        """Tell it to stop, and give its exit status."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(60)
        print(f"{' '.join(self.words[:3])}: status {status}, {time.monotonic() - began:.1f} s after SIGTERM")  # noqa: T201 - told, not judged
        return status


@contextmanager
def started(folder: Path, *every: tuple[str, ...]) -> Iterator[list[Started]]:
    """Start processes, and kill what is left of them at the end."""
    running: list[Started] = []
    try:
        for words in every:
            port = free_port()
            with (folder / f"{words[0]}-{words[1]}.log").open("ab") as log:
                process = subprocess.Popen(
                    [sys.executable, "-m", "boutre", *words],
                    cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                    env={**os.environ, "BOUTRE_METRICS_PORT": str(port)},
                )  # fmt: skip
            running.append(Started(words, port, process))
        yield running
    finally:
        for one in running:
            if one.process.poll() is None:
                one.process.kill()
                one.process.wait()


def made_ready(broker: Broker, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make *folder* one in which a whole bus is ready to be started, with its topics and keys, and go there."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("BOUTRE_BUS", str(ROOT))
    monkeypatch.setenv("BOUTRE_KAFKA__BOOTSTRAP_SERVERS", broker.bootstrap)
    monkeypatch.setenv("BOUTRE_KAFKA__EMBEDDED", "true")
    bring(load(ROOT), settings())
    assert 0 == CliRunner().invoke(main, ["keys", "dev"]).exit_code
    return folder
