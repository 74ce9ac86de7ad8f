"""
Records as bytes: the Confluent frame (a zero byte, a 4-byte big-endian schema id, an Avro body), read as hostile.

What fastavro lets pass is refused here: bytes beyond the record, indexes and lengths that are not canonical, ids that are not
locked. The proof is that a value written again gives the same bytes. No exception of the decoder is passed on, since its text
can hold values. Read by fastavro, written by ``writing``: a second implementation, which the first must agree with.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import fastavro

from boutre.errors import Refuse
from boutre.schemas.lock import Lock, Locked
from boutre.schemas.marks import Sealed, Withheld
from boutre.schemas.writing import Prepared, make_writer, prepare

MAX_BYTES = 1_000_000
"""The most bytes that a frame may have; a record of a person's pen is some kilobytes."""

MAX_REPORT_BYTES = MAX_BYTES - 100_000
"""The most bytes of a member's record: what the bus and its agreements add must still fit into a frame."""

LONGEST_ID = 63
"""The longest id in bytes: up to it, Avro writes the length of a string in one byte."""

MAGIC = 0
FRAME = struct.Struct(">bI")


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
    One locked schema, ready: how it is written, and in which of its fields a mark may stand in the place of a group.
    """

    def __init__(self, locked: Locked) -> None:
        self.locked = locked
        self.schema: Any = fastavro.parse_schema(locked.schema)
        self.head = FRAME.pack(MAGIC, locked.id)
        self.body = make_writer(locked.schema)
        self.groups = tuple(
            field["name"]
            for field in locked.schema["fields"]
            if isinstance(field["type"], list) and "boutre.Withheld" in map(_record_name, field["type"])
        )

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
        return self.head + self.body(value)


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
        frame = form.write(value)
        if len(frame) > MAX_BYTES:
            raise Refuse("too-large")
        return frame

    def prepare(self, kind: str, field: str, value: Sequence[Any]) -> Prepared:
        """
        Write the array *field* of *kind* once; the result may stand in its place in any number of values.
        """
        return prepare(self._latest[kind].locked.schema, field, value)

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

        Raises ``Refuse`` with ``undecodable``, ``unknown-schema``, ``too-large``, ``wrong-kind``, ``not-canonical``, and
        ``out-of-range`` for a number that is not finite.
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
            canonical = body.tell() == len(data) and form.write(form.unpack(value)) == data
        except Refuse:
            # A number that is not finite has bytes of its own, and no sense.
            raise
        except Exception:  # noqa: BLE001 - hostile bytes raise OverflowError, ValueError, IndexError, EOFError and more
            raise Refuse("undecodable") from None
        if not canonical:
            raise Refuse("not-canonical")
        if newest is not form:
            body.seek(FRAME.size)
            # A copy, since fastavro gives the defaults of the newer schema as they are, and lists are shared.
            value = deepcopy(_reader(body, form, newest.schema))
            newest.unpack(value)
        return value


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
