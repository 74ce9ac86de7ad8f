"""
A bus folder of its own, this repository's but for its connectors, and feeds whose records are known before they are written.

Outcomes must not depend on the order of two topics, which no bus promises: so another report of one event is of the same kind and
member, and no report is taken back here.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, Final

from boutre.schemas.identity import record_id
from chaos.verdict import Written

ROOT: Final = Path(__file__).parents[2]
BORROWED: Final = ("topics", "schemas", "processors")

SHARES: Final = {"chaos-mauritius": 0.3, "chaos-comoros": 0.25, "chaos-ais": 0.35, "chaos-list": 0.1}
"""The feeds, and what part of all lines each has."""

GRID: Final = (80, 100)
"""Rows and columns of places, three cells of the rule of repeats apart: events at two of them are two events."""

FIRST_DAY: Final = datetime(2024, 3, 1, 6, 30, tzinfo=UTC)
LIST_HEAD: Final = b"id,date,time,latitude,longitude,attack_type,vessel_name,vessel_type,vessel_status,nearest_country\n"

ROOM: Final = """
member = "{member}"
kinds = ["sighting", "interception", "alert"]
source = "lines"
exercise = true
poll_s = 1.0
[options]
path = "{feed}.data"
[handling]
tlp = "AMBER"
purposes = ["SAR", "BorderMonitoring", "ProtectionAssistance"]
personal_data = false
"""

AIS: Final = """
member = "observatory-ais"
kinds = ["sighting"]
source = "lines"
exercise = true
poll_s = 1.0
[options]
path = "{feed}.data"
[handling]
tlp = "CLEAR"
purposes = ["Safety", "Security", "Statistics"]
personal_data = false
"""


@dataclass(slots=True)
class Feed:
    """
    One feed: its lines, of which the first *shown* stand in its file, and what must become of them.
    """

    id: str
    member: str
    path: Path
    head: bytes = b""
    lines: list[bytes] = field(default_factory=list)
    shown: int = 0
    accepted: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    contradicted: set[str] = field(default_factory=set)

    def show(self, count: int) -> None:
        """Let *count* more lines stand in the file, which is replaced whole: no reader sees half a line."""
        self.shown = min(len(self.lines), self.shown + count)
        fresh = self.path.with_suffix(".new")
        with fresh.open("wb") as file:
            file.write(self.head)
            file.writelines(self.lines[: self.shown])
        fresh.replace(self.path)

    @property
    def rest(self) -> int:
        """How many lines are still to be shown."""
        return len(self.lines) - self.shown

    def known_as(self, kind: str, reference: str, revision: int = 0) -> str:
        """Give the id of a report of this feed."""
        return record_id(self.member, kind, self.id, reference, revision)


def folder(root: Path, records: int, seed: int) -> tuple[Feed, ...]:
    """
    Make a bus folder at *root* with feeds of *records* lines together; nothing stands in their files yet.
    """
    root.mkdir(parents=True)
    for room in BORROWED:
        (root / room).symlink_to(ROOT / room, target_is_directory=True)
    for room in ("connectors", "ops"):
        (root / room).mkdir()
    feeds = [Feed(name, _member(name), root / f"{name}.data") for name in SHARES]
    for feed in feeds:
        (root / "connectors" / f"{feed.id}.toml").write_text(_declaration(feed), encoding="utf-8")
        rng = Random(f"{seed} {feed.id}")  # noqa: S311 - the same lines for the same seed are what is wanted
        count = max(10, round(records * SHARES[feed.id]))
        {"chaos-ais": _positions, "chaos-list": _attacks}.get(feed.id, _reports)(feed, count, rng)
        feed.show(0)
    return tuple(feeds)


def written(feeds: tuple[Feed, ...], strays: frozenset[bytes]) -> Written:
    """
    Give all that was written, and what must become of it.
    """
    return Written(
        frozenset[str]().union(*(feed.accepted for feed in feeds)),
        frozenset[str]().union(*(feed.refused for feed in feeds)),
        frozenset[str]().union(*(feed.contradicted for feed in feeds)),
        strays,
    )


def _member(feed: str) -> str:
    name = feed.removeprefix("chaos-")
    return {"ais": "observatory-ais", "list": "observatory-imb"}.get(name, name)


def _declaration(feed: Feed) -> str:
    if feed.id != "chaos-list":
        return (AIS if feed.id == "chaos-ais" else ROOM).format(member=feed.member, feed=feed.id)
    text = (ROOT / "connectors" / "incidents-imb.toml").read_text(encoding="utf-8")
    text = text.replace("samples/incidents/feed_imb.csv", f"{feed.id}.data")
    return text.replace('source = "delimited"\n', 'source = "delimited"\npoll_s = 1.0\n')


# --- lines -----------------------------------------------------------------------------------------------------------------


def _reports(feed: Feed, count: int, rng: Random) -> None:
    """An operations room: sightings, interceptions and alerts; some come again, change, contradict themselves or are no report."""
    made: list[dict[str, Any]] = []
    places = _places(rng)
    while len(feed.lines) < count:
        draw = rng.random()
        reference = f"R-{len(feed.lines)}"
        if draw < 0.02:
            _add_garbage(feed, reference, rng)
        elif draw < 0.05 and made:
            feed.lines.append(_line(rng.choice(made[-200:])))
        elif draw < 0.06 and made:
            report = rng.choice(made[-200:])
            if (same := feed.known_as(report["kind"], report["reference"], report.get("revision", 0))) not in feed.contradicted:
                feed.contradicted.add(same)
                feed.lines.append(_line({**report, "event": {**report["event"], "nature": "Declared"}}))
        elif draw < 0.09 and made:
            report = rng.choice(made[-200:])
            if (changed := feed.known_as(report["kind"], report["reference"], 1)) not in feed.accepted:
                feed.accepted.add(changed)
                event = {**report["event"], "outcome": "ongoing"}
                feed.lines.append(_line({**report, "revision": 1, "event": event}))
        else:
            # Every tenth is another report of an event that was reported before; some of them tell nothing new.
            again = rng.random() < 0.1 and made
            report = {**rng.choice(made[-200:]), "reference": reference} if again else _report(reference, next(places), rng)
            made.append(report)
            feed.accepted.add(feed.known_as(report["kind"], reference))
            feed.lines.append(_line(report))


def _report(reference: str, place: tuple[float, float, datetime], rng: Random) -> dict[str, Any]:
    kind = rng.choices(("sighting", "interception", "alert"), (60, 30, 10))[0]
    latitude, longitude, at = place
    types = ("irregular-migration", "distress", "contraband", "attack") if kind != "interception" else ("irregular-migration",)
    report: dict[str, Any] = {
        "reference": reference,
        "kind": kind,
        "times": {"observed": {"at": at.isoformat(), "precision": "minute"}},
        "event": {"type": rng.choice(types), "nature": "Observed"},
        "handling": {"tlp": rng.choices(("AMBER", "GREEN", "RED"), (70, 25, 5))[0]},
    }
    people = float(rng.randrange(1, 60))
    if kind == "alert":
        report["warning"] = {
            "message": "Alert", "severity": "Severe", "urgency": "Immediate", "certainty": "Likely",
            "headline": [{"language": "en", "text": "Boat adrift (exercise)"}],
            "onset": at.isoformat(), "expires": (at + timedelta(hours=6)).isoformat(),
        }  # fmt: skip
        report["area"] = {"centre": {"latitude": latitude, "longitude": longitude}, "radius_m": 20_000.0}
    else:
        report["position"] = {"latitude": latitude, "longitude": longitude, "accuracy_m": 200.0, "fix": "gnss"}
        report["craft"] = {"kind": "small-boat", "colours": ["blue"], "hull": "fibreglass"}
        report["narrative"] = [{"language": "en", "text": f"Exercise, {rng.randrange(10**9)}."}]
    if kind == "interception":
        report["persons"] = {"total": {"min": people, "max": people, "estimated": False}}
        report["action"] = {"kind": "Interception", "status": "Completed", "boarded": True}
    return report


def _add_garbage(feed: Feed, reference: str, rng: Random) -> None:
    """A line that is no JSON, or a report whose time has no zone: the connector has to refuse both."""
    if rng.random() < 0.5:
        line = b'{"reference": "' + reference.encode() + b'", \n'
        known = f"{len(feed.lines) + 1}:{hashlib.sha256(line).hexdigest()[:16]}"
    else:
        times = {"observed": {"at": "2024-03-01T06:30", "precision": "minute"}}
        line, known = _line({"reference": reference, "times": times, "event": {"type": "distress"}}), reference
    feed.lines.append(line)
    feed.refused.add(feed.known_as("sighting", known))


def _positions(feed: Feed, count: int, rng: Random) -> None:
    """Ships heard by AIS: each in a partition of its own member's topic, by its MMSI."""
    ships = [f"2190{number:05}" for number in range(40)]
    for number in range(count):
        if number and rng.random() < 0.03:
            feed.lines.append(rng.choice(feed.lines[-200:]))
            continue
        mmsi, reference = rng.choice(ships), f"P-{number}"
        at = FIRST_DAY + timedelta(seconds=number)
        report = {
            "reference": reference,
            "kind": "sighting",
            "subject": mmsi,
            "times": {"observed": {"at": at.isoformat(), "precision": "second"}},
            "event": {"type": "ais", "nature": "Declared"},
            "position": {"latitude": rng.uniform(55.0, 56.5), "longitude": rng.uniform(11.0, 12.9), "fix": "gnss"},
            "movement": {"speed_kn": round(rng.uniform(0, 20), 1)},
            "claims": [{"attribute": "mmsi", "value": mmsi, "source": "ais"}],
            "sensor": {"kind": "AutomaticIdentificationSystem"},
        }
        feed.accepted.add(feed.known_as("sighting", reference))
        feed.lines.append(_line(report))


def _attacks(feed: Feed, count: int, rng: Random) -> None:
    """A list of attacks as delimited rows; some have a day that no calendar has."""
    feed.head = LIST_HEAD
    places = _places(rng)
    for number in range(count):
        latitude, longitude, at = next(places)
        reference, bad = f"C-{number:06}", rng.random() < 0.02
        day = "2024-02-30" if bad else at.date().isoformat()
        cells = [reference, day, "", f"{latitude:.4f}", f"{longitude:.4f}", "Boarded", f"Exercise {number}", "", "Steaming", "DJI"]
        (feed.refused if bad else feed.accepted).add(feed.known_as("sighting", reference))
        feed.lines.append(_row(cells))


def _places(rng: Random) -> Iterator[tuple[float, float, datetime]]:
    rows, columns = GRID
    cells = [(row, column) for row in range(rows) for column in range(columns)]
    day = FIRST_DAY
    while True:
        rng.shuffle(cells)
        for row, column in cells:
            yield -27.0 + 0.3 * row + 0.05, 40.0 + 0.3 * column + 0.05, day
        day -= timedelta(days=1)


def _line(report: dict[str, Any]) -> bytes:
    return json.dumps(report).encode() + b"\n"


def _row(cells: list[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue().encode()


def lines_behind(feed: Feed, cursor: Path) -> int:
    """
    Give how many of the lines that stand in a feed's file its saved cursor has not passed: a crash now sends them again.
    """
    try:
        passed = int(json.loads(cursor.read_bytes())["cursor"].partition(":")[0])
    except (OSError, ValueError, KeyError):
        passed = 0
    return max(0, feed.shown + bool(feed.head) - passed)


def environment(root: Path, state: Path, keys: Path, kafka: dict[str, str]) -> dict[str, str]:
    """
    Give the environment of the bus's processes: nothing of what is set for another bus is left in it.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BOUTRE_")}
    told = {"BOUTRE_BUS": root, "BOUTRE_STATE": state, "BOUTRE_KEYS": keys}
    return {**kept, **{name: str(value) for name, value in told.items()}, **kafka}
