"""
What feeds find that they cannot read: tables, lines and forms, each bad part with a secret in it and good ones around it.
"""

from __future__ import annotations

import json
import math
import uuid
from collections.abc import Callable
from typing import Any

from broker.bad_input.bus import sighting
from broker.bad_input.member import Machine

HEADING = b"reference,date,latitude,longitude,mmsi,remark"


def line(reference: str, **groups: Any) -> bytes:
    """A report as a line of JSON, of the day that the sample is of, at a place of its own."""
    whole = {
        "reference": reference,
        "times": {"observed": {"at": "2024-03-01T06:30Z", "precision": "minute"}},
        "event": {"type": "irregular-migration"},
        "position": sighting("nobody")["position"],
        **groups,
    }
    return json.dumps(whole).encode()


def table_row(reference: str, remark: str, **cells: str) -> bytes:
    """A row of the table, with what is wrong in it."""
    where = sighting("nobody")["position"]
    right = {"date": "2024-03-01", "latitude": f"{where['latitude']:.2f}", "longitude": f"{where['longitude']:.2f}", "mmsi": ""}
    return ",".join([reference, *{**right, **cells}.values(), remark]).encode()


Bad = tuple[str, str, int | None, str | None, str]
"""What a connector must reject: feed, file, line, field, code."""


def fresh() -> str:
    """A word that nobody else says."""
    return f"secret-{uuid.uuid4().hex}"


def tables(machine: Machine, secrets: dict[Bad, str]) -> list[str]:
    """Put tables, one with broken rows and some that are none; gives the references of the good rows."""
    good = [fresh() for _ in range(2)]
    rows: list[tuple[str, str | None, Callable[[str], bytes]]] = [
        ("malformed-line", None, lambda secret: table_row("1", secret) + b",one,more"),
        ("malformed-line", None, lambda secret: table_row("2", f'"{secret}')),
        ("wrong-encoding", None, lambda secret: table_row("3", secret) + b" \xe9toile"),
        ("out-of-range", "position.latitude", lambda secret: table_row("4", secret, latitude="95", longitude="200")),
        ("latitude-longitude-swapped", "position.latitude", lambda secret: table_row("5", secret, latitude="145", longitude="-12")),
        ("impossible-time", "date", lambda secret: table_row("6", secret, date="2024-02-30")),
        ("future-time", "times.observed", lambda secret: table_row("7", secret, date="2199-01-01")),
        ("wrong-type", "latitude", lambda secret: table_row("8", "", latitude=secret)),
        ("placeholder-identifier", "claims.mmsi", lambda secret: table_row("9", secret, mmsi="123456789")),
        ("missing-field", "reference", lambda secret: table_row("", secret)),
    ]
    lines = [HEADING, table_row(good[0], "fine")]
    for code, field, make in rows:
        secret = fresh()
        lines.append(make(secret))
        secrets["seychelles-table", "table.csv", len(lines), field, code] = secret
    machine.declare("seychelles-table")
    machine.put("table.csv", b"\n".join([*lines, table_row(good[1], "fine"), b""]))
    whole: dict[str, tuple[str, Callable[[str], bytes]]] = {
        "empty": ("empty-file", lambda _: b""),
        "utf16": ("wrong-encoding", lambda secret: f"reference,date\n1,{secret}\n".encode("utf-16")),
        "columns": ("malformed-line", lambda secret: f"reference,{secret}\n1,2\n".encode()),
    }
    for name, (code, make) in whole.items():
        secret = fresh()
        machine.declare(f"seychelles-{name}", like="seychelles-table", path=f"input/{name}.csv")
        machine.put(f"{name}.csv", make(secret))
        secrets[f"seychelles-{name}", f"{name}.csv", 1, None, code] = secret
    return good


def json_lines(machine: Machine, secrets: dict[Bad, str]) -> list[str]:
    """Put lines of which some are broken."""
    good = [fresh() for _ in range(2)]
    told = {"language": "en"}
    rows: list[tuple[str, str | None, Callable[[str], bytes]]] = [
        (
            "naive-time",
            "times.observed.at",
            lambda s: line(s, times={"observed": {"at": "2024-03-01T06:30", "precision": "minute"}}),
        ),
        (
            "impossible-time",
            "times.observed.at",
            lambda s: line(s, times={"observed": {"at": "2024-02-30T06:30Z", "precision": "minute"}}),
        ),
        ("foreign-member", "origin.member", lambda s: line(s, origin={"member": "seychelles"})),
        ("wrong-type", "position.latitude", lambda s: line("w1", position={"latitude": s, "longitude": 1})),
        ("wrong-type", "position.latitud", lambda s: line(s, position={"latitud": 1})),
        ("wrong-type", "times.accepted_at", lambda s: line(s, times={"accepted_at": "2024-03-01T06:30Z"})),
        ("wrong-kind", None, lambda s: line(s, kind="reject")),
        ("malformed-line", None, lambda s: line(s)[:-1]),
        ("malformed-line", None, lambda s: line(s, position={"latitude": math.nan, "longitude": 1.0})),
        ("malformed-line", None, lambda s: b'{"reference":' + b"[" * 5_000 + s.encode()),
        ("malformed-line", None, lambda s: f'{{"reference": "1", "reference": "{s}"}}'.encode()),
        ("wrong-encoding", None, lambda s: line(s) + b"\xff"),
        ("too-large", None, lambda s: line("t1", narrative=[{**told, "text": s + "x" * 950_000}])),
        ("too-large", None, lambda s: line("t2", narrative=[{**told, "text": s + "x" * 1_100_000}])),
        ("unknown-code", "handling.tlp", lambda s: line("u1", handling={"tlp": s})),
    ]
    lines = [line(good[0])]
    for code, field, make in rows:
        secret = fresh()
        lines.append(make(secret))
        secrets["mauritius-lines", "reports.jsonl", len(lines), field, code] = secret
    machine.declare("mauritius-lines")
    machine.put("reports.jsonl", b"\n".join([*lines, line(good[1]), b""]))
    return good


def forms(machine: Machine, secrets: dict[Bad, str]) -> list[str]:
    """Put forms of which one is whole."""
    reference = fresh()
    where = sighting("nobody")["position"]
    cells = {
        "Kind of report": "sighting",
        "Your reference of the report": reference,
        "Exercise?": "no",
        "Time zone of the times below": "UTC",
        "Date of the event": "2024-03-09",
        "Kind of event": "irregular-migration",
        "Latitude": f"{where['latitude']:.2f}",
        "Longitude": f"{where['longitude']:.2f}",
        "Kind of craft": "kwassa",
        "By what it was seen": "Sighting",
        "TLP marking": "GREEN",
    }
    machine.declare("comoros-forms")
    machine.put("forms/whole.csv", "field,value\n" + "".join(f"{name},{value}\n" for name, value in cells.items()))
    broken: dict[str, tuple[str, int | None, Callable[[str], bytes]]] = {
        "half.csv": (
            "incomplete-form",
            None,
            lambda s: f"field,value\nKind of report,sighting\nYour reference of the report,{s}\n".encode(),
        ),
        "nothing.csv": ("empty-file", None, lambda _: b""),
        "letters.csv": ("wrong-encoding", 2, lambda s: f"field,value\nKind of report,{s}".encode() + b"\x81\x8d\xff\n"),
        "book.xlsx": ("not-readable", None, lambda s: b"PK\x03\x04" + s.encode()),
        "picture.png": ("not-readable", None, lambda s: b"\x89PNG" + s.encode()),
    }
    for name, (code, number, make) in broken.items():
        secret = fresh()
        machine.put(f"forms/{name}", make(secret))
        secrets["comoros-forms", name, number, None, code] = secret
    return [reference]
