"""
Whether nothing is wrong with a record: functions that are made from a schema, one straight line each, which say yes or perhaps not.

Nearly every record is sound. Only one that is perhaps not is looked at by ``validation`` and ``sense``, field by field, which alone
say what is wrong and have the last word. So a doubt here costs time and nothing else; a yes has to be right, which a test holds
against them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeAlias, cast

from boutre.schemas.bounds import BOUNDS, CONTROL, COUNTED
from boutre.schemas.generate import DEEPEST, Text
from boutre.schemas.marks import Sealed
from boutre.schemas.sense import EAST, NORTH, Area
from boutre.schemas.shape import Array, Record, Shape, Union, several, shape

HasCode: TypeAlias = Callable[[str, str], bool]
Sound: TypeAlias = Callable[[Any, Area | None], bool]
"""Says of a record, and of the area in which its position lies, that its fields are sound; anything raised is a doubt."""


@dataclass(frozen=True, slots=True)
class _Rules:
    """What a schema says of a field beside its type."""

    required: bool
    vocabulary: str | None
    unit: str


def make_sound(schema: Mapping[str, Any], has_code: HasCode) -> Sound:
    """
    Make the function for records of *schema*; *has_code* says whether a vocabulary has a code, and always says the same.
    """
    return cast("Sound", _Maker(schema, has_code).made())


def strange(code: str, vocabulary: str, known: set[str], has_code: HasCode) -> bool:
    """
    Say whether *code* is none of the vocabulary, and remember in *known* what is.
    """
    if not has_code(vocabulary, code) or not code.strip() or CONTROL.search(code):
        return True
    known.add(code)
    return False


class _Maker:
    """Writes the text: *v…* is a record, *x…* a field's value; what is perhaps not sound returns False at once."""

    def __init__(self, schema: Mapping[str, Any], has_code: HasCode) -> None:
        self.text = Text()
        self.root = shape(schema)
        self.apart = several(self.root)
        self.declared = {name: dict(fields) for name, fields in _declared(schema)}
        self.wanted: dict[tuple[str, str], tuple[Record, str]] = {}
        self.known: dict[str, str] = {}
        self.has_code = has_code

    def made(self) -> Any:
        text = self.text
        with text.block("def sound(v, area):"):
            self._fields(self.root, "v", "", 0, "")
            text.add("return True")
        done: set[tuple[str, str]] = set()
        while missing := [key for key in self.wanted if key not in done]:
            for key in missing:
                done.add(key)
                record, unit = self.wanted[key]
                with text.block(f"def {self._function(record, unit)}(v):"):
                    self._fields(record, "v", unit, 0, "-")
                    text.add("return True")
        known = {"Sealed": Sealed, "date": date, "datetime": datetime, "control": CONTROL.search, "strange": strange}
        return text.made(f"soundness of {self.root.name}", {**known, "has_code": self.has_code})["sound"]

    def _function(self, record: Record, unit: str) -> str:
        return f"sound_{record.name}_{list(self.wanted).index((record.name, unit))}"

    def _fields(self, record: Record, value: str, unit: str, depth: int, path: str) -> None:
        """Look at a record in *value*; *path* is empty for the root, the name of a top-level group, or anything else below."""
        text = self.text
        empty = text.constant("empty", {field.name: None for field in record.fields})
        text.add(f"if type({value}) is not dict: return False")
        with text.block(f"if len({value}) != {len(record.fields)}:"):
            text.add(f"{value} = {empty} | {value}", f"if len({value}) != {len(record.fields)}: return False")
        declared = self.declared[record.name]
        for field in record.fields:
            rules = declared[field.name]
            own = rules.unit if rules.unit != "inherited" else unit
            below = field.name if not path else "-"
            name = text.fresh("x")
            text.add(f"{name} = {value}[{field.name!r}]")
            if not path and field.name == "view":
                # A view is not a report.
                text.add(f"if {name} is not None: return False")
                continue
            with text.block(f"if {name} is not None:"):
                self._look(field.type, name, _Rules(rules.required, rules.vocabulary, own), depth, below)
            if rules.required:
                text.add("else: return False")
        self._across({field.name for field in record.fields}, value, path)

    def _across(self, names: set[str], value: str, path: str) -> None:
        """What ``sense`` asks of every group: a place on this earth, and the least not above the most."""
        text = self.text
        if names >= {"latitude", "longitude"}:
            text.add(f"y, x = {value}['latitude'], {value}['longitude']")
            with text.block("if y is not None and x is not None:"):
                text.add(f"if not (-{NORTH} <= y <= {NORTH} and -{EAST} <= x <= {EAST}): return False")
                if path == "position":
                    text.add("if area is not None and not area.holds(y, x): return False")
        if names >= {"min", "max"}:
            text.add(f"y, x = {value}['min'], {value}['max']")
            text.add("if y is not None and x is not None and y > x: return False")

    def _look(self, at: Shape, value: str, rules: _Rules, depth: int, path: str) -> None:
        text = self.text
        if isinstance(at, Union):
            sealed = any(mark.name == "Sealed" for _, mark in at.marks)
            # A sealed group is its member's right; one that is withheld is not, and is no dict.
            if sealed:
                with text.block(f"if type({value}) is not Sealed:"):
                    self._look(at.plain, value, rules, depth, path)
            else:
                self._look(at.plain, value, rules, depth, path)
        elif isinstance(at, Array):
            text.add(f"if type({value}) is not list: return False")
            item = text.fresh("x")
            with text.block(f"for {item} in {value}:"):
                self._look(at.items, item, rules, depth + 1, path)
        elif isinstance(at, Record):
            if (at.name in self.apart or depth >= DEEPEST) and path != "position":
                self.wanted.setdefault((at.name, rules.unit), (at, rules.unit))
                text.add(f"if not {self._function(at, rules.unit)}({value}): return False")
            else:
                self._fields(at, value, rules.unit, depth + 1, path)
        else:
            self._leaf(at.kind, value, rules)

    def _leaf(self, kind: str, value: str, rules: _Rules) -> None:
        text = self.text
        match kind:
            case "string" if rules.vocabulary:
                known = self.known.get(rules.vocabulary) or text.constant("known", set())
                self.known[rules.vocabulary] = known
                text.add(f"if type({value}) is not str: return False")
                text.add(f"if {value} not in {known} and strange({value}, {rules.vocabulary!r}, {known}, has_code): return False")
            case "string":
                text.add(f"if type({value}) is not str: return False")
                # All control characters are among what cannot be printed, and most texts can be.
                text.add(f"if not {value}.isprintable() and control({value}): return False")
                if rules.required:
                    text.add(f"if not {value}.strip(): return False")
            case "boolean":
                text.add(f"if {value} is not True and {value} is not False: return False")
            case "bytes":
                text.add(f"if type({value}) is not bytes: return False")
            case "timestamp-millis":
                text.add(f"if type({value}) is not datetime or {value}.tzinfo is None: return False")
            case "date":
                text.add(f"if type({value}) is not date: return False")
            case _:
                text.add(f"if type({value}) is not float and type({value}) is not int: return False")
                text.add(f"if {_out_of_bounds(value, rules.unit)}: return False")


def _out_of_bounds(value: str, unit: str) -> str:
    least, most = BOUNDS.get(unit, (None, None))
    if least is None:
        return f"{value} - {value}"
    within = f"not {least!r} <= {value} {'<' if unit == 'degree true' else '<='} {most!r}"
    return f"{within} or {value} % 1" if unit in COUNTED else within


def _declared(schema: Any) -> list[tuple[str, list[tuple[str, _Rules]]]]:
    """Give the rules of the fields of every record in *schema*, by its name without a namespace."""
    if isinstance(schema, list):
        return [each for branch in schema for each in _declared(branch)]
    if not isinstance(schema, Mapping):
        return []
    if schema["type"] == "array":
        return _declared(schema["items"])
    if schema["type"] != "record":
        return []
    own = [
        (each["name"], _Rules(each.get("presence") == "required", each.get("vocabulary"), each["unit"]))
        for each in schema["fields"]
    ]
    return [(schema["name"].rpartition(".")[2], own), *(each for field in schema["fields"] for each in _declared(field["type"]))]
