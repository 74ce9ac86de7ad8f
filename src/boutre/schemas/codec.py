"""
Records as bytes: the Confluent frame (a zero byte, a 4-byte big-endian schema id, an Avro body), read as hostile.

Only canonical bytes are read: what is read would be written as the same bytes. Reader and writer are made from the locked schemas
(``reading``, ``writing``). fastavro is the second implementation: it says why a frame was refused, and gives what an older version
wrote in the form of the newest. No exception of a decoder is passed on, since its text can hold values.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import fastavro

from boutre.errors import Refuse
from boutre.schemas.lock import Lock, Locked
from boutre.schemas.marks import Sealed, Withheld
from boutre.schemas.reading import Read, make_reader, sealed
from boutre.schemas.writing import Encode, Prepared, make_preparer, make_writer

MAX_BYTES = 1_000_000
"""The most bytes that a frame may have; a record of a person's pen is some kilobytes."""

MAX_REPORT_BYTES = MAX_BYTES - 100_000
"""The most bytes of a member's record: what the bus and its agreements add must still fit into a frame."""

LONGEST_ID = 63
"""The longest id in bytes: up to it, Avro writes the length of a string in one byte."""

MAGIC = 0
FRAME = struct.Struct(">bI")


@dataclass(slots=True, eq=False)
class Decoded:
    """
    What a frame held, in the form of the newest version of its kind; *version* is that of the frame.

    Not frozen, which would cost more than a tenth of reading it.
    """

    kind: str
    version: int
    value: dict[str, Any]
    frame: bytes = field(repr=False)
    form: _Form = field(repr=False)
    begins: tuple[int, ...] | None = field(repr=False)
    """Where each field stands in *frame*, and its end; None where an older version wrote it."""

    def part(self, name: str) -> Prepared:
        """
        Give the top-level field *name* as bytes: as it stood in the frame, or written anew where an older version wrote that.

        KeyError where the kind has no such field. What was changed in *value* since is not in it.
        """
        if self.begins is None:
            return self.form.preparer(name)(self.value[name])
        at = self.form.order[name]
        return Prepared(self.frame[self.begins[at] : self.begins[at + 1]])

    def frame_with(self, changes: Mapping[str, Any]) -> bytes:
        """
        Give the frame again with *changes* of top-level fields, each a value or ``Prepared``; nothing else is written anew.

        Raises ``Refuse`` as ``Codec.encode`` does, and as it does for a field that the kind does not have.
        """
        form = self.form
        if self.begins is None or not form.order.keys() >= changes.keys():
            return form.write({**self.value, **changes})
        pieces: list[bytes] = []
        done = 0
        for at, name in sorted((form.order[name], name) for name in changes):
            pieces += (self.frame[done : self.begins[at]], form.preparer(name)(changes[name]).data)
            done = self.begins[at + 1]
        pieces.append(self.frame[done:])
        return _capped(b"".join(pieces))


MARKS: dict[str, Callable[[dict[str, Any]], Withheld | Sealed]] = {
    "boutre.Withheld": lambda fields: Withheld(**fields),
    "boutre.Sealed": sealed,
}


class _Form:
    """
    One locked schema, ready to be read and written; what is made from it is made when it is first used.
    """

    def __init__(self, locked: Locked) -> None:
        self.locked = locked
        self.schema: Any = fastavro.parse_schema(locked.schema)
        self.order = {each["name"]: at for at, each in enumerate(locked.schema["fields"])}
        self.read: Read = self._first_read
        self.body: Encode = self._first_body
        self.groups = tuple(
            each["name"]
            for each in locked.schema["fields"]
            if isinstance(each["type"], list) and "boutre.Withheld" in map(_record_name, each["type"])
        )
        self._preparers: dict[str, Callable[[Any], Prepared]] = {}

    def _first_read(self, data: bytes, place: int) -> tuple[dict[str, Any], tuple[int, ...]]:
        self.read = make_reader(self.locked.schema)
        return self.read(data, place)

    def _first_body(self, value: Mapping[str, Any]) -> bytes:
        self.body = make_writer(self.locked.schema, FRAME.pack(MAGIC, self.locked.id))
        return self.body(value)

    def write(self, value: Mapping[str, Any]) -> bytes:
        return _capped(self.body(value))

    def preparer(self, name: str) -> Callable[[Any], Prepared]:
        made = self._preparers.get(name)
        if made is None:
            made = self._preparers[name] = make_preparer(self.locked.schema, name)
        return made

    def unpack(self, value: dict[str, Any]) -> dict[str, Any]:
        """Put the marks of the bus where fastavro gives records with their names."""
        for name in self.groups:
            group = value[name]
            if type(group) is tuple:
                mark = MARKS.get(group[0])
                value[name] = group[1] if mark is None else mark(group[1])
            elif type(group) is dict and "agreement" in group:
                # A union of null, an array and Withheld holds one record only, which fastavro gives without its name.
                value[name] = Withheld(**group)
        return value

    def why(self, data: bytes) -> Refuse:
        """Give why *data* was refused: what fastavro reads of it, and what becomes of that when it is written, tells."""
        body = BytesIO(data)
        body.seek(FRAME.size)
        try:
            value = _reader(body, self)
            if body.tell() == len(data):
                # A number that is not finite has bytes of its own, and no sense.
                self.body(self.unpack(value))
        except Refuse as refused:
            return refused
        except Exception:  # noqa: BLE001 - hostile bytes raise OverflowError, ValueError, IndexError, EOFError and more
            return Refuse("undecodable")
        return Refuse("not-canonical")


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
        return form.write(value)

    def prepare(self, kind: str, name: str, value: Any) -> Prepared:
        """
        Write the top-level field *name* of *kind* once; the result may stand in its place in any number of values.
        """
        return self._latest[kind].preparer(name)(value)

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
        try:
            value, begins = form.read(data, FRAME.size)
        except Exception:  # noqa: BLE001 - hostile bytes raise IndexError, UnicodeDecodeError, OverflowError and more
            value, begins = None, None
        if value is None:
            # Outside of the handler, so that the exception, whose text can hold values, is no context of the refusal.
            raise form.why(data)
        newest = self._latest[form.locked.kind]
        if newest is form:
            return Decoded(form.locked.kind, form.locked.version, value, data, form, begins)
        body = BytesIO(data)
        body.seek(FRAME.size)
        # A copy, since fastavro gives the defaults of the newer schema as they are, and lists are shared.
        value = newest.unpack(deepcopy(_reader(body, form, newest.schema)))
        return Decoded(form.locked.kind, form.locked.version, value, data, newest, None)


def _capped(frame: bytes) -> bytes:
    if len(frame) > MAX_BYTES:
        raise Refuse("too-large")
    return frame


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
