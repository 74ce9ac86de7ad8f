"""
A named operation on a bus that runs: opened by two members, ended by one, while records are in flight.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from click.testing import CliRunner

from boutre.ops.broker import Broker
from boutre.ops.command import main
from boutre.schemas.identity import pseudonym
from broker.bad_input.bus import PATIENCE_S, Bus, now_ms, running, sighting
from broker.bad_input.sealing import as_sent
from broker.conftest import started
from records import CODEC, ROOT, Value

SCOPE: Final = "exercise-2027"
ROOMS: Final = ("topics", "schemas", "processors", "connectors", "samples")
SEEN_S: Final = 3.0
"""Seconds after which every worker has looked at the scopes' files again."""


@dataclass(slots=True)
class Ground:
    """
    A bus of its own folder that runs, in which the operation is now.
    """

    bus: Bus
    root: Path
    sent: int = 0

    def boutre(self, *words: str) -> None:
        """Run a command of this bus; it must succeed."""
        settings = self.bus.standing.settings
        environment = {"BOUTRE_BUS": str(self.root), "BOUTRE_KEYS": str(settings.keys), "BOUTRE_STATE": str(settings.state)}
        done = CliRunner().invoke(main, list(words), env=environment)
        assert done.exit_code == 0, done.output

    def send(self) -> Value:
        """Send a sighting that says by what it was seen."""
        self.sent += 1
        value = sighting(f"S-{self.sent}", "comoros", sensor={"kind": "MaritimeRadar"}, handling={"tlp": "GREEN"})
        self.bus.send(as_sent("sighting", value, at=now_ms()))
        return value

    def got(self, value: Value) -> dict[str, Any]:
        """Give RCOC's view of it, once all is through."""
        self.bus.follow(lambda: self.bus.out(value["id"]), "the sighting")
        view: dict[str, Any] = self.bus.collector.views["rcoc", "sighting", pseudonym(self.bus.keys.recipient("rcoc"), value["id"])]
        return view

    def shown(self, value: Value) -> bool:
        """Say whether RCOC was told by what it was seen."""
        return isinstance(self.got(value)["sensor"], dict)


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """The bus of this repository, but that the operation of March 2027 is this week."""
    home = tmp_path_factory.mktemp("scope")
    root = home / "bus"
    for room in ROOMS:
        shutil.copytree(ROOT / room, root / room)
    today = datetime.now(UTC)
    days = {
        "2027-03-01": today - timedelta(days=2),
        "2027-03-02": today - timedelta(days=1),
        "2027-03-06": today + timedelta(days=3),
    }
    for path in (root / "processors" / "scopes" / f"{SCOPE}.toml", root / "processors" / "agreements" / f"rcoc-{SCOPE}.toml"):
        text = path.read_text(encoding="utf-8")
        path.write_text(re.sub(r"2027-03-\d\d", lambda found: days[found[0]].date().isoformat(), text), encoding="utf-8")
    broker = started(Broker())
    try:
        with running(broker.bootstrap, home, {}, root) as bus:
            yield Ground(bus, root)
    finally:
        broker.close()


def test_an_operation_gives_more_while_two_members_say_so_and_until_one_ends_it(ground: Ground) -> None:
    """
    Before it is active, and with one hand only, RCOC is not told by what a craft was seen; with two it is, and the owner knows.

    One member ends it while a record is on its way, sent before and not released yet: nothing more of it goes out by the operation,
    the record itself does by what holds otherwise.
    """
    assert not ground.shown(ground.send())
    ground.boutre("scope", "activate", SCOPE, "--member", "comoros", "--person", "duty officer")
    time.sleep(SEEN_S)
    assert not ground.shown(ground.send())

    ground.boutre("scope", "activate", SCOPE, "--member", "seychelles", "--person", "duty officer")
    until = time.monotonic() + PATIENCE_S
    while not ground.shown(value := ground.send()):
        assert time.monotonic() < until, "the operation is active, and no worker has seen it"
    told = [CODEC.decode(one.value).value for one in ground.bus.messages if one.place[0] == "told.comoros"]
    assert any(one["record"] == value["id"] and any(SCOPE in name for name in one["agreements"]) for one in told)

    accept = ground.bus.worker("accept-reports")
    os.kill(accept.pid, signal.SIGSTOP)
    try:
        on_its_way = ground.send()
        ground.boutre("scope", "end", SCOPE, "--member", "france", "--person", "duty officer")
        time.sleep(SEEN_S)
    finally:
        os.kill(accept.pid, signal.SIGCONT)
    assert not ground.shown(on_its_way)
    assert not ground.shown(ground.send())
