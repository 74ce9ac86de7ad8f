"""
Listens on four ways at once: what the page, `boutre top`, the metrics and Prometheus' alarms say now.
"""

from __future__ import annotations

import html
import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from faults.ground import Ground

WAYS: Final = ("page", "top", "metrics")
LOOK_S: Final = 0.5


def got(url: str, patience: float = 5.0) -> str:
    """
    Get a page of this machine.
    """
    with urllib.request.urlopen(url, timeout=patience) as answer:  # noqa: S310 - an address of this machine
        return str(answer.read().decode())


@dataclass
class Hearing:
    """
    What is said now; ``top`` tells by itself, and a thread remembers the last that it told.
    """

    ground: Ground
    shown: str = ""
    silent_s: float = 0.0
    _heard: float = field(default_factory=time.monotonic)

    def begin(self) -> None:
        """Begin to listen to ``top``."""
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self.ground.top.stdout is not None
        for line in self.ground.top.stdout:
            told = json.loads(line)
            self.shown = "\n".join([told["head"], *told["rows"]])

    def findings(self) -> list[dict[str, Any]]:
        """What is found, by the document of the page; the page itself must answer all the time."""
        begun = time.monotonic()
        found: list[dict[str, Any]] = json.loads(got(f"{self.ground.page}/state.json"))["findings"]
        self.silent_s = max(self.silent_s, time.monotonic() - begun)
        return found

    def said(self, codes: Sequence[str], subject: str = "") -> dict[str, bool]:
        """Whether each way says one of *codes* of *subject* (of anything, where it is not named)."""
        found = [one for one in self.findings() if one["code"] in codes and subject in f"{one['subject']} {one['en']['what']}"]
        letters, metrics = html.unescape(got(f"{self.ground.page}/")), got(f"{self.ground.page}/metrics")
        counted = any(f'boutre_finding{{code="{code}"}} {number}.0' in metrics for code in codes for number in range(1, 10))
        # A line of the terminal ends where its column does, and lengths of time go on: so by the beginning of the sentence.
        return {
            "page": any(one["en"]["what"][:24] in letters for one in found),
            "top": any(one["en"]["what"][:24] in self.shown for one in found),
            "metrics": bool(found) and counted,
        }

    def alarm(self, name: str, labels: str = "") -> str:
        """How an alarm stands: "", pending or firing."""
        told = json.loads(got(f"{self.ground.prometheus}/api/v1/alerts"))["data"]["alerts"]
        states = {
            one["state"] for one in told if one["labels"]["alertname"] == f"Boutre{name}" and labels in json.dumps(one["labels"])
        }
        return "firing" if "firing" in states else "pending" if states else ""


def watched(patience: float, *awaited: tuple[str, Callable[[], bool]]) -> dict[str, float | None]:
    """
    Look again and again until each of *awaited* has held once; gives after how many seconds, None where it did not in time.
    """
    begun = time.monotonic()
    found: dict[str, float | None] = {name: None for name, _ in awaited}
    while None in found.values() and time.monotonic() - begun < patience:
        for name, holds in awaited:
            if found[name] is None:
                try:
                    if holds():
                        found[name] = round(time.monotonic() - begun, 1)
                except (OSError, urllib.error.URLError) as failure:
                    print(f"  {name}: {failure}", flush=True)  # noqa: T201 - told, not judged
        time.sleep(LOOK_S)
    return found
