"""
Reads the TOML files of a bus strictly: what is unknown, missing or of the wrong type is an error, and all come at once.

Every room of the bus reads its declarations here:

    faults: list[Fault] = []
    members = read(root / "topics" / "members.toml", Members, faults)
    raise_all(faults)

A model is a `Declared`: frozen, and without room for keys that it does not name. Nothing is converted: "4" is no
number, 1 is no truth value. An array may fill a tuple or a frozenset, a TOML date or moment a date or a datetime.
"""

from __future__ import annotations

import difflib
import json
import math
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, Final, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from boutre.errors import DeclarationError, Fault

# A folder is a bus when it holds these.
ROOMS: Final = ("topics", "schemas", "processors")

# What names a table of an array, so that a fault can say which one it is in.
_NAMES: Final = ("id", "name", "member", "recipient")


class Declared(BaseModel):
    """
    What is read from a declaration: frozen, and closed to keys that it does not name.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


Model = TypeVar("Model", bound=BaseModel)


def read(path: Path, model: type[Model], faults: list[Fault], *, root: Path | None = None) -> Model | None:
    """
    Read one file into *model*, or add what is wrong with it to *faults* and answer None.

    Args:
        path: the file.
        model: what it must hold, usually a `Declared`.
        faults: gets one entry for each thing that is wrong.
        root: the folder that faults name the file from; without it, the bus that the file stands in.
    """
    file = file_name(path, root)
    table = table_of(path, faults, root=root)
    if table is None:
        return None
    if odd := list(_not_finite(table)):
        faults.extend(Fault(file, _dotted(key, table), "is not a finite number") for key in odd)
        return None
    try:
        # By way of JSON, where pydantic's strict mode lets an array fill a tuple; in Python mode only a tuple would do.
        return model.model_validate_json(json.dumps(table, default=_iso), strict=True)
    except ValidationError as error:
        faults.extend(_fault(file, model, table, detail) for detail in error.errors(include_url=False) if not _follows(detail))
        return None


def table_of(path: Path, faults: list[Fault], *, root: Path | None = None) -> dict[str, Any] | None:
    """
    The bare table of a TOML file, or None when the file is missing, is not UTF-8 or is no TOML (said in *faults*).
    """
    file = file_name(path, root)
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8"))
    except FileNotFoundError:
        faults.append(Fault(file, "", "is missing; every bus needs it"))
    except OSError as error:
        faults.append(Fault(file, "", f"cannot be read ({error.strerror})"))
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        faults.append(Fault(file, f"line {line}", "is not UTF-8; save the file as UTF-8"))
    except tomllib.TOMLDecodeError as error:
        faults.append(Fault(file, "", f"is not TOML: {error}"))
    return None


def raise_all(faults: Sequence[Fault]) -> None:
    """
    Raise one `DeclarationError` that lists all faults, each once, by file; do nothing when there are none.
    """
    if faults:
        raise DeclarationError(sorted(dict.fromkeys(faults), key=lambda fault: fault.file))


def file_name(path: Path, root: Path | None = None) -> str:
    """
    A file's path from the folder of its bus, or its whole path when it stands in none.
    """
    path = path.absolute()
    bus = root.absolute() if root is not None else bus_folder(path.parent)
    return path.relative_to(bus).as_posix() if bus is not None and path.is_relative_to(bus) else str(path)


def bus_folder(start: Path) -> Path | None:
    """
    The nearest folder, from *start* upward, that declares a bus; None when there is none.
    """
    start = start.absolute()
    return next((folder for folder in (start, *start.parents) if all((folder / room).is_dir() for room in ROOMS)), None)


def _iso(value: object) -> str:
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    msg = f"TOML holds no {type(value).__name__}"
    raise TypeError(msg)


def _not_finite(value: object, at: tuple[str | int, ...] = ()) -> Iterable[tuple[str | int, ...]]:
    # TOML knows nan and inf, JSON does not, and no declaration has a use for them.
    if isinstance(value, float) and not math.isfinite(value):
        yield at
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _not_finite(inner, (*at, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _not_finite(inner, (*at, index))


def _follows(detail: ErrorDetails) -> bool:
    # pydantic also calls an array too short of which no item is valid: that follows from what is wrong with its items.
    given = detail["input"]
    return detail["type"] == "too_short" and isinstance(given, list) and len(given) >= detail["ctx"]["min_length"]


def _fault(file: str, model: type[BaseModel], table: Mapping[str, Any], detail: ErrorDetails) -> Fault:
    return Fault(file, _dotted(detail["loc"], table), _sentence(model, detail))


def _dotted(loc: Sequence[str | int], table: object) -> str:
    # A table of an array is named by what names it, else by its place counted from 1: member[comoros].state
    key = ""
    for part in loc:
        if isinstance(part, int):
            table = table[part] if isinstance(table, list) and part < len(table) else None
            named = table if isinstance(table, Mapping) else {}
            name = next((named[name] for name in _NAMES if isinstance(named.get(name), str)), None)
            key += f"[{name or part + 1}]"
        else:
            table = table.get(part) if isinstance(table, Mapping) else None
            bare = part if part.replace("-", "").replace("_", "").isalnum() else f'"{part}"'
            key += f".{bare}" if key else bare
    return key


def _sentence(model: type[BaseModel], detail: ErrorDetails) -> str:
    kind = detail["type"]
    if kind == "missing":
        return "is missing"
    if kind == "extra_forbidden":
        known = _keys_at(model, detail["loc"][:-1])
        near = difflib.get_close_matches(str(detail["loc"][-1]), known, n=1)
        hint = f"; did you mean {near[0]}?" if near else f"; known here: {', '.join(sorted(known))}" if known else ""
        return f"is not known here{hint}"
    if kind in {"value_error", "assertion_error"}:
        return str(detail["ctx"]["error"])
    message = detail["msg"][0].lower() + detail["msg"][1:]
    return f"{message}, not {_shown(detail['input'])}"


def _shown(value: object) -> str:
    if isinstance(value, Mapping):
        return "a table"
    if isinstance(value, list):
        return "an array"
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONG else text[:_LONG] + "…"


_LONG: Final = 60


def _keys_at(model: type[BaseModel], loc: Sequence[str | int]) -> list[str]:
    # The keys that a table may have, found by walking the models; nothing when the way leads through something else.
    at = model
    for part in loc:
        if isinstance(part, int):
            continue
        field = next((f for name, f in at.model_fields.items() if part in (name, f.alias)), None)
        if field is None:
            continue
        inner = next(_models(field.annotation), None)
        if inner is None:
            return []
        at = inner
    return [field.alias or name for name, field in at.model_fields.items()]


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)
