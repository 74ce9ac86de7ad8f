"""
The page of operations beside a real Kafka that is slow, hangs, goes and comes back: it stays up and says so within thirty seconds.

So it does of a topic that is deleted, a group that nobody declared, and a registry that is not there.
"""

from __future__ import annotations

import html
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient

from boutre.ops.apply import bring
from boutre.ops.broker import Broker, free_port
from boutre.ops.settings import load as settings
from boutre.topics.bus import load

ROOT: Final = Path(__file__).parents[2]
WITHIN_S: Final = 30.0
START_S: Final = 90.0
GROUP: Final = "console-of-somebody"
TOPIC: Final = "for.rcoc.alert"


class Page:
    """A page of operations in a process of its own, asked as a browser or a program would."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.took: dict[str, float] = {}

    def shows(self, language: str = "en") -> str:
        """The page as a reader sees its letters."""
        return html.unescape(self.get("/", language))

    def get(self, path: str, language: str = "en") -> str:
        """Get a path; it must answer, whatever else does not."""
        asked = urllib.request.Request(f"{self.url}{path}", headers={"Accept-Language": language})  # noqa: S310 - its own address
        with urllib.request.urlopen(asked, timeout=5) as answer:  # noqa: S310 - the same
            return str(answer.read().decode())

    def codes(self) -> set[str]:
        """The codes of what is found now."""
        return {one["code"] for one in self.state()["findings"]}

    def state(self) -> Any:
        """The document."""
        return json.loads(self.get("/state.json"))

    def hears(self, source: str) -> bool:
        """Whether a source answers, as the page has it."""
        return any(one["key"] == source and one["state"] == "ok" for one in self.state()["sources"])

    def says(self, what: str, told: Callable[[], bool], within: float = WITHIN_S) -> None:
        """Wait until it says so, and note after how many seconds."""
        begun = time.monotonic()
        while not told():
            assert time.monotonic() - begun < within, f"{what}: not said after {within} s; it says {sorted(self.codes())}"
            time.sleep(0.25)
        self.took[what] = round(time.monotonic() - begun, 1)


@pytest.fixture
def page(own_broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    """
    The page of a bus that has all its topics, and of a registry that is not there.
    """
    monkeypatch.chdir(tmp_path)
    told = {"BOUTRE_BUS": str(ROOT), "BOUTRE_KAFKA__BOOTSTRAP_SERVERS": own_broker.bootstrap, "BOUTRE_KAFKA__EMBEDDED": "true"}
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    bring(load(ROOT), settings())
    registry = f"http://127.0.0.1:{free_port()}"
    log = tmp_path / "page.log"
    with log.open("w", encoding="utf-8") as told_there:
        command = [sys.executable, "-m", "boutre", "operations", "--port", "0", "--registry", registry]
        process = subprocess.Popen(command, stderr=told_there)
    try:
        until = time.monotonic() + START_S
        while (there := re.search(r"^operations: (http\S+)/$", log.read_text(encoding="utf-8"), re.MULTILINE)) is None:
            assert process.poll() is None, log.read_text(encoding="utf-8")
            assert time.monotonic() < until
            time.sleep(0.1)
        yield Page(there[1])
        assert process.poll() is None, log.read_text(encoding="utf-8")
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            assert 0 == process.wait(20), log.read_text(encoding="utf-8")
        finally:
            process.kill()


@contextmanager
def slowed(pid: int, stands_s: float, goes_s: float) -> Iterator[None]:
    """Let a process stand still most of the time."""
    ended = threading.Event()

    def halting() -> None:
        while not ended.is_set():
            os.kill(pid, signal.SIGSTOP)
            ended.wait(stands_s)
            os.kill(pid, signal.SIGCONT)
            ended.wait(goes_s)

    thread = threading.Thread(target=halting)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def test_the_page_stays_up_and_says_what_is_wrong(page: Page, own_broker: Broker) -> None:
    """Each fault is said on the page, in /state.json and in the metrics, and taken back when it is mended."""
    pid = own_broker.pid
    assert pid is not None
    heard = page.hears
    page.says("everything heard", lambda: all(map(heard, ("broker", "lag", "clocks", "rejects", "processes"))), START_S)
    page.says("no workers", lambda: "workers-missing" in page.codes())
    page.says("registry gone", lambda: "registry-gone" in page.codes())
    assert "topic-missing" not in page.codes()

    consumer = Consumer({"bootstrap.servers": own_broker.bootstrap, "group.id": GROUP, "log_level": 0})
    consumer.commit(offsets=[TopicPartition("bus.receipt", 0, 0)], asynchronous=False)
    consumer.close()
    page.says("a group nobody declared", lambda: GROUP in page.shows())
    assert "group-undeclared" in page.codes()

    admin = AdminClient({"bootstrap.servers": own_broker.bootstrap})  # a name keeps it until the answer is there
    admin.delete_topics([TOPIC])[TOPIC].result(30)
    page.says("a topic deleted", lambda: f"{TOPIC} is not on the cluster" in page.shows())

    with slowed(pid, 3.2, 0.4):
        page.says("broker slow", lambda: {"broker-slow", "broker-gone"} & page.codes() != set())
    page.says("no longer slow", lambda: not {"broker-slow", "broker-gone"} & page.codes())

    os.kill(pid, signal.SIGSTOP)
    try:
        page.says("broker hangs", lambda: "broker-gone" in page.codes())
    finally:
        os.kill(pid, signal.SIGCONT)
    page.says("broker goes on", lambda: "broker-gone" not in page.codes() and heard("lag"))

    own_broker.kill()
    page.says("broker killed", lambda: "ne répond pas. Ce qui suit est le dernier état connu." in page.shows("fr"))
    metrics = page.get("/metrics")
    assert 'boutre_finding{code="broker-gone"} 1.0' in metrics
    assert 'boutre_operations_source_up{source="broker"} 0.0' in metrics
    assert f"{TOPIC} n'est pas sur le cluster" in page.shows("fr")  # what was known stays
    page.says("lag is old", lambda: not heard("lag"))
    assert "boutre_lag_up 0.0" in page.get("/metrics")
    assert json.loads(page.get("/readyz"))["ready"]
    assert json.loads(page.get("/healthz"))["healthy"]

    own_broker.restart()
    page.says("broker back", lambda: "broker-gone" not in page.codes() and heard("lag") and heard("rejects"), 2 * WITHIN_S)
    print(json.dumps(page.took))  # noqa: T201 - told, not judged
