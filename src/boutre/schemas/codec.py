"""
Records as bytes: the Confluent frame (a zero byte, a 4-byte big-endian schema id, an Avro body), read as hostile.

What fastavro lets pass is refused here: bytes beyond the record, indexes and lengths that are not canonical, ids that are not
locked. The proof is that a value written again gives the same bytes. No exception of the decoder is passed on, since its text
can hold values.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import asdict, dataclass
from datetime import datetime
from io import BytesIO
from typing import Any

import fastavro

from boutre.errors import Refuse
from boutre.schemas.lock import Lock, Locked

MAX_BYTES = 1_000_000
"""The most bytes that a frame may have; a record of a person's pen is some kilobytes."""

_PLAIN = frozenset({type(None), str, bool, int, bytes})
"""Types in whose values fastavro writes nothing but what is there."""

LONGEST_ID = 63
"""The longest id in bytes: up to it, Avro writes the length of a string in one byte."""

MAGIC = 0
FRAME = struct.Struct(">bI")


@dataclass(frozen=True, slots=True)
class Withheld:
    """
    In the place of a group that was not given: by which agreement and clause, and whom to ask. Never unknown, never empty.
    """

    agreement: str
    clause: str
    ask: str | None = None


@dataclass(frozen=True, slots=True)
class Sealed:
    """
    In the place of a personal group that only the holders of a key can open.
    """

    algorithm: str
    content_key_id: str
    nonce: bytes
    ciphertext: bytes
    keys: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Decoded:
    """
    What a frame held.
    """

    kind: str
    version: int
    value: dict[str, Any]


MARKS: dict[str, Callable[[dict[str, Any]], Withheld | Sealed]] = {
    "boutre.Withheld": lambda fields: Withheld(**fields),
    "boutre.Sealed": lambda fields: Sealed(**{**fields, "keys": tuple(fields["keys"])}),
}


class _Form:
    """
    One locked schema, ready: which of its fields are unions of several records, so that they need a name on the wire.
    """

    def __init__(self, locked: Locked) -> None:
        self.locked = locked
        self.schema: Any = fastavro.parse_schema(locked.schema)
        self.head = FRAME.pack(MAGIC, locked.id)
        self.groups: dict[str, str | None] = {}
        for field in locked.schema["fields"]:
            branches = field["type"] if isinstance(field["type"], list) else []
            names = [name for name in map(_record_name, branches) if name]
            if "boutre.Withheld" in names:
                plain = [name for name in names if name not in MARKS]
                self.groups[field["name"]] = plain[0] if plain else None

    def pack(self, value: Mapping[str, Any]) -> dict[str, Any]:
        packed = dict(value)
        for name, plain in self.groups.items():
            group = packed.get(name)
            if type(group) is dict and plain is not None:
                packed[name] = (plain, group)
            elif isinstance(group, Withheld):
                packed[name] = (
                    "boutre.Withheld",
                    {"agreement": group.agreement, "clause": group.clause, "ask": group.ask},
                )
            elif isinstance(group, Sealed):
                packed[name] = ("boutre.Sealed", {**asdict(group), "keys": list(group.keys)})
        return packed

    def unpack(self, value: dict[str, Any]) -> dict[str, Any]:
        for name in self.groups:
            group = value[name]
            if type(group) is tuple:
                mark = MARKS.get(group[0])
                value[name] = group[1] if mark is None else mark(group[1])
            elif type(group) is dict and "agreement" in group:
                # A union of null, an array and Withheld holds one record only, which fastavro gives without its name.
                value[name] = Withheld(**group)
        return value

    def write(self, value: Mapping[str, Any]) -> bytes:
        body = BytesIO()
        body.write(self.head)
        fastavro.schemaless_writer(body, self.schema, self.pack(value), strict_allow_default=True)
        return body.getvalue()


class Codec:
    """
    Writes records by the newest locked schema of their kind, and reads any locked version.
    """

    def __init__(self, lock: Lock) -> None:
        self.lock = lock
        self._by_id = {entry.id: _Form(entry) for entry in lock.entries}
        self._latest = {kind: self._by_id[lock.latest(kind).id] for kind in lock.kinds}

    def encode(self, kind: str, value: Mapping[str, Any]) -> bytes:
        """
        Give the frame of *value*.

        Fields that are missing take their default; times are cut to the millisecond. Raises ``Refuse("wrong-type")`` where the
        value does not fit its schema, or holds a field which the schema does not have: nothing is dropped without a word;
        ``naive-time`` for a time without a zone and ``out-of-range`` for a number that is not finite.
        """
        form = self._latest.get(kind)
        if form is None:
            raise Refuse("wrong-kind")
        unfit = _unfit(value)
        if unfit is not None:
            raise Refuse(unfit[0], field=".".join(unfit[1]))
        try:
            frame = form.write(value)
        except Exception:  # noqa: BLE001 - fastavro raises many kinds, and their texts hold values
            raise Refuse("wrong-type", field=self._misfit(form, value)) from None
        if len(frame) > MAX_BYTES:
            raise Refuse("too-large")
        return frame

    def identify(self, kind: str, value: Mapping[str, Any], make: Callable[[bytes], str]) -> tuple[str, bytes]:
        """
        Give the id that *make* makes from the frame of *value* without an id, and the frame with it, written once.

        The id of every kind is its first field, a string, so that it stands right behind the head of the frame.
        """
        blank = self.encode(kind, {**value, "id": ""})
        identifier = make(blank)
        text = identifier.encode("ascii")
        if len(text) > LONGEST_ID:
            raise Refuse("too-large", field="id")
        return identifier, b"".join((blank[: FRAME.size], bytes((len(text) * 2,)), text, blank[FRAME.size + 1 :]))

    def decode(self, data: bytes | None, kinds: frozenset[str] | None = None) -> Decoded:
        """
        Read a frame; *kinds* are those that may stand there.

        Raises ``Refuse`` with ``undecodable``, ``unknown-schema``, ``too-large``, ``wrong-kind`` or ``not-canonical``.
        """
        if data is None or len(data) < FRAME.size:
            raise Refuse("undecodable")
        if len(data) > MAX_BYTES:
            raise Refuse("too-large")
        magic, schema_id = FRAME.unpack_from(data)
        if magic != MAGIC:
            raise Refuse("undecodable")
        form = self._by_id.get(schema_id)
        if form is None:
            raise Refuse("unknown-schema")
        if kinds is not None and form.locked.kind not in kinds:
            raise Refuse("wrong-kind")
        return Decoded(form.locked.kind, form.locked.version, self._read(form, data))

    def _read(self, form: _Form, data: bytes) -> dict[str, Any]:
        body = BytesIO(data)
        body.seek(FRAME.size)
        newest = self._latest[form.locked.kind]
        try:
            value = _reader(body, form)
            canonical = body.tell() == len(data) and form.write(form.unpack(dict(value))) == data
        except Exception:  # noqa: BLE001 - hostile bytes raise OverflowError, ValueError, IndexError, EOFError and more
            raise Refuse("undecodable") from None
        if not canonical:
            raise Refuse("not-canonical")
        if newest is not form:
            body.seek(FRAME.size)
            # A copy, since fastavro gives the defaults of the newer schema as they are, and lists are shared.
            value = deepcopy(_reader(body, form, newest.schema))
        unpacked: dict[str, Any] = newest.unpack(value)
        return unpacked

    def _misfit(self, form: _Form, value: Mapping[str, Any]) -> str | None:
        """Name the top-level field that does not fit; its value stays where it is."""
        declared = {field["name"]: field for field in form.locked.schema["fields"]}
        packed = form.pack(value)
        for name in packed:
            if name not in declared:
                return name
        for field in form.schema["fields"]:
            if field["name"] not in packed:
                if "default" not in field:
                    return str(field["name"])
                continue
            try:
                probe = {"type": "record", "name": "Probe", "fields": [field]}
                named = form.schema.get("__named_schemas", {})
                parsed = fastavro.parse_schema(probe, named_schemas=dict(named))
                alone = {field["name"]: packed[field["name"]]}
                fastavro.schemaless_writer(BytesIO(), parsed, alone, strict_allow_default=True)
            except Exception:  # noqa: BLE001 - any failure names the field
                return str(field["name"])
        return None


def _unfit(value: Any) -> tuple[str, tuple[str, ...]] | None:
    """
    Give what fastavro would write without a word: a naive time as one of this machine's zone, and NaN and infinity.

    Runs for every record that is written; the path is put together only where something is found.
    """
    if isinstance(value, dict | list):
        named = value.items() if isinstance(value, dict) else ((None, item) for item in value)
        for name, inner in named:
            if type(inner) in _PLAIN:
                continue
            found = _unfit(inner)
            if found is not None:
                return found[0], (found[1] if name is None else (str(name), *found[1]))
    elif isinstance(value, float):
        return None if math.isfinite(value) else ("out-of-range", ())
    elif isinstance(value, datetime):
        return None if value.tzinfo is not None else ("naive-time", ())
    elif isinstance(value, Mapping):
        return _unfit(dict(value))
    return None


def _reader(body: BytesIO, form: _Form, reader: Any = None) -> dict[str, Any]:
    value = fastavro.schemaless_reader(body, form.schema, reader, return_record_name=True, return_record_name_override=True)
    if not isinstance(value, dict):
        raise TypeError
    return value


def _record_name(branch: Any) -> str | None:
    if isinstance(branch, dict):
        if branch.get("type") != "record":
            return None
        name = str(branch["name"])
        return name if "." in name else f"{branch.get('namespace', 'boutre')}.{name}"
    if isinstance(branch, str) and branch[:1].isupper():
        return f"boutre.{branch}"
    return branch if isinstance(branch, str) and branch.startswith("boutre.") else None
