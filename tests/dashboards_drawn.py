"""
Draws every dashboard of a bus that lives, and writes docs/operations/dashboard-*.png: takes eight minutes.

A real Kafka with workers, feeds, a worker that is stopped in the middle, and a real Prometheus beside it that judges the alarms.

    PYTHONPATH=tests .venv/bin/python -m dashboards_drawn
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

from boutre.ops.dashboards_command import drawn
from boutre.ops.panels.showing import css
from boutre.ops.panels_asking import panels
from browser import chromium

ROOT: Final = Path(__file__).parents[1]
OUT: Final = ROOT / "docs" / "operations"
BOUTRE: Final = (sys.executable, "-m", "boutre", "--bus", str(ROOT))
TOLD: Final = re.compile(r"/metrics on port (\d+)|http://127\.0\.0\.1:(\d+)/")
FEEDS: Final = ("incidents-imb", "incidents-asam", "forms-comoros", "mauritius-ops-room", "ais-demonstration")
LIVE_S: Final = 90
"""How long each part of the story lasts."""


@contextmanager
def running(folder: Path, *words: str) -> Iterator[int]:
    """A process of the bus, and the port of its page."""
    log = folder / f"{'-'.join(words[:3])}.log"
    with log.open("wb") as told:
        process = subprocess.Popen([*BOUTRE, *words], cwd=folder, stdout=told, stderr=told)
    try:
        for _ in range(600):
            if found := TOLD.search(log.read_text(encoding="utf-8")):
                break
            assert process.poll() is None, log.read_text(encoding="utf-8")
            time.sleep(0.1)
        assert found is not None, log
        yield int(found[1] or found[2])
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(20)
        process.kill()


@contextmanager
def prometheus(folder: Path) -> Iterator[str]:
    """A Prometheus that asks whom targets.json names, with the alarms of this bus."""
    config = f"""
global: {{scrape_interval: 5s, evaluation_interval: 5s}}
rule_files: [{ROOT}/ops/prometheus/alarms.yml]
scrape_configs:
  - job_name: boutre
    file_sd_configs: [{{files: [{folder}/targets.json], refresh_interval: 2s}}]
"""
    (folder / "prometheus.yml").write_text(config, encoding="utf-8")
    (folder / "targets.json").write_text("[]", encoding="utf-8")
    words = [
        "prometheus",
        f"--config.file={folder}/prometheus.yml",
        f"--storage.tsdb.path={folder}/tsdb",
        "--web.listen-address=127.0.0.1:19090",
    ]
    with (folder / "prometheus.log").open("wb") as told:
        process = subprocess.Popen(words, stdout=told, stderr=told)
    try:
        yield "http://127.0.0.1:19090"
    finally:
        process.terminate()
        process.wait(20)


def targets(folder: Path, ports: dict[str, int]) -> None:
    """Say whom Prometheus asks, all at once."""
    path = folder / "targets.new"
    path.write_text(json.dumps([{"targets": [f"127.0.0.1:{port}"], "labels": {"service": name}} for name, port in ports.items()]))
    path.replace(folder / "targets.json")


def brought_up(folder: Path) -> dict[str, int]:
    """Bring a whole bus up, empty; gives the port of each of its processes."""
    told = subprocess.run([*BOUTRE, "up", "--no-samples"], cwd=folder, capture_output=True, text=True, check=False)
    assert 0 == told.returncode, told.stdout + told.stderr
    return {one["name"]: one["port"] for one in json.loads((folder / ".boutre" / "up.json").read_text())}


async def pictures(folder: Path, address: str) -> None:
    """Each dashboard by day in English, the first two by night in French."""
    make = panels(ROOT, address)
    pages = folder / "pages"
    pages.mkdir(exist_ok=True)
    (pages / "panels.css").write_text(css(), encoding="utf-8")
    async with chromium(folder) as browser:
        for one in drawn(ROOT).dashboard:
            for language, dark in (("en", False), *((("fr", True),) if one.name in {"overview", "lag"} else ())):
                page = pages / f"{one.name}-{language}.html"
                made = make({"dashboard": one.name, "span": "15m"}, language)
                page.write_text(made.replace('href="/panels.css"', 'href="panels.css"'), encoding="utf-8")
                tab = await browser.open(f"file://{page}", language=language, size=(1440, 900), dark=dark)
                await tab.picture(OUT / f"dashboard-{one.name}{'-fr' if language == 'fr' else ''}.png")


def main() -> None:
    """Live, look, draw."""
    folder = Path(tempfile.mkdtemp(prefix="drawn-"))
    with ExitStack() as stack:
        stack.callback(lambda: subprocess.run([*BOUTRE, "down"], cwd=folder, check=False))
        ports = brought_up(folder)
        address = stack.enter_context(prometheus(folder))
        ports["operations"] = stack.enter_context(running(folder, "operations", "--port", "0"))
        for name in ("answers", "audit"):  # that of case keys runs with boutre up
            ports[name] = stack.enter_context(running(folder, name, "follow"))
        targets(folder, ports)
        time.sleep(LIVE_S)
        for feed in FEEDS[:-1]:
            ports[feed] = stack.enter_context(running(folder, "connector", "run", feed))
        targets(folder, ports)
        time.sleep(LIVE_S)
        release = next(one["pid"] for one in json.loads((folder / ".boutre" / "up.json").read_text()) if one["name"] == "release")
        os.kill(release, signal.SIGTERM)
        ports[FEEDS[-1]] = stack.enter_context(running(folder, "connector", "run", FEEDS[-1]))
        targets(folder, ports)
        time.sleep(2 * LIVE_S)
        with urllib.request.urlopen(f"{address}/api/v1/alerts", timeout=10) as answer:  # noqa: S310 - our own
            given = json.load(answer)["data"]["alerts"]
        (folder / "alerts.json").write_text(json.dumps(given, indent=1, ensure_ascii=False), encoding="utf-8")
        assert not any("<error" in text for one in given for text in one["annotations"].values()), given
        asyncio.run(pictures(folder, address))
        print(folder, *sorted({(one["labels"]["alertname"], one["state"]) for one in given}), sep="\n")  # noqa: T201 - a script tells what it saw


if __name__ == "__main__":
    main()
