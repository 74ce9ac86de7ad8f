"""
The table of views: for three records and every recipient what it must get, field by field, and why not the rest.

Read from ``tests/views/*.toml``. Every field that the national record holds must be named there for every recipient, as kept, as
coarse (with the value that it gets) or as withheld (with the clause); the most exact path counts. ``closed`` are all groups that
stand as withheld in the view, whether or not the record has them.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from boutre.connectors.plain import plain

FOLDER = Path(__file__).with_name("views")
ALWAYS = ("id", "exercise", "view")
NOT_RECORDS = {"feed", "reference", "kind", "holds"}


def tables() -> dict[str, dict[str, Any]]:
    """
    Give every table by the name of its file.
    """
    return {path.stem: tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.toml"))}


def flat(value: Any, path: str = "") -> dict[str, Any]:
    """
    Give what a record holds by path; what is null or empty is left out, and a withheld group is one entry.
    """
    return dict(_flat(plain(value), path))


def _flat(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and set(value) != {"withheld"}:
        for name, inner in value.items():
            yield from _flat(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _flat(inner, f"{path}.{number}")
    elif value is not None:
        yield path, value


def differences(row: Mapping[str, Any], national: Mapping[str, Any], view: Mapping[str, Any]) -> list[str]:
    """
    Compare the view that a recipient got with its row of the table; an empty list means that they agree.
    """
    held, got = flat(national), flat(view)
    clauses = {state["field"]: state["clause"] for state in view["view"]["fields"]}
    closed = sorted(path for path, value in got.items() if isinstance(value, Mapping))
    found = [] if closed == sorted(row["closed"]) else [f"closed: {closed}, not {sorted(row['closed'])}"]
    coarse = dict(row.get("coarse", {}))
    for path, value in held.items():
        if path.partition(".")[0] in ALWAYS or path in coarse:
            continue
        kept, withheld = _longest(row.get("kept", ()), path), _longest(row.get("withheld", {}), path)
        if not kept and not withheld:
            found.append(f"{path}: the table does not say")
        elif len(kept) > len(withheld):
            found += [] if got.get(path) == value else [f"{path}: {got.get(path)!r} instead of {value!r}"]
        elif path in got:
            found.append(f"{path}: given, and should be withheld")
        else:
            found += _clause(path, row["withheld"][withheld], got, clauses)
    for path, value in coarse.items():
        if path == "times.accepted_at":
            value = _cut(str(held[path]), value)  # noqa: PLW2901 - the hour or day of a moment that only the run knows
        if got.pop(path, None) != value:
            found.append(f"{path}: not {value!r}")
    allowed = set(held) | {path for path in got if path.partition(".")[0] in ALWAYS} | set(closed)
    return [*found, *(f"{path}: given, and the record does not hold it" for path in got if path not in allowed)]


def _clause(path: str, wanted: str, got: Mapping[str, Any], clauses: Mapping[str, str]) -> list[str]:
    mark = got.get(path.partition(".")[0])
    if isinstance(mark, Mapping):
        told = mark["withheld"]["clause"]
    else:
        named = ".".join(part for part in path.split(".") if not part.isdigit())
        told = clauses.get(_longest(clauses, named), "")
    return [] if told == wanted else [f"{path}: withheld by {told!r}, not by {wanted!r}"]


def _longest(paths: Any, path: str) -> str:
    return max((one for one in paths if path == one or path.startswith(f"{one}.")), key=len, default="")


def _cut(moment: str, to: str) -> str:
    return moment[:11] + ("00" if to == "day" else moment[11:13]) + ":00:00.000Z"
