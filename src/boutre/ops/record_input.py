"""
One record, or many, for whoever asks what would become of them: from a file, as JSON or as frames, before or after acceptance.

JSON is a record's value as connectors make it, alone or as ``value`` beside ``kind`` and ``accepted``; several stand one a line.
Moments are ISO 8601, bytes base64: what ``boutre.connectors.plain`` writes is read back. What is wrong is never told by its value.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

from boutre.errors import BusError, Refuse
from boutre.schemas.codec import Codec
from boutre.schemas.fields import FieldInfo
from boutre.schemas.identity import record_id
from boutre.schemas.marks import Sealed, Withheld

MAGIC: Final = 0
"""The first byte of a frame, which is none of any text."""


class NoRecord(BusError):  # noqa: N818 - named for what was found
    """
    What was given is no record; the message says where and why, and holds nothing of what stood there.
    """


@dataclass(frozen=True, slots=True)
class Given:
    """
    A record as it was given: its kind, its value, and when the bus accepted it, None where it has not yet.
    """

    kind: str
    value: Mapping[str, Any] = field(repr=False)
    accepted: datetime | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """
    What is needed to read records: the codec, the fields of each kind, and the *kind* where the file does not say it.
    """

    codec: Codec
    fields: Mapping[str, tuple[FieldInfo, ...]]
    kind: str | None = None

    def file(self, path: Path) -> Iterator[Given]:
        """Read all records of a file; of a folder, all of its files in the order of their names. Raises NoRecord."""
        if path.is_dir():
            for inner in sorted(each for each in path.iterdir() if each.is_file()):
                yield from self.file(inner)
            return
        data = path.read_bytes()
        if data[:1] == bytes([MAGIC]):
            yield self.frame(data, path.name)
            return
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            raise NoRecord(f"{path.name}: is neither a frame nor text in UTF-8") from None
        for place, document in _documents(text, path.name):
            yield self.document(document, place)

    def frame(self, data: bytes, place: str) -> Given:
        """Read one frame."""
        try:
            decoded = self.codec.decode(data, frozenset(self.fields))
        except Refuse as refused:
            raise NoRecord(f"{place}: is no frame of a record: {refused.code}") from None
        return Given(decoded.kind, decoded.value, _accepted(decoded.value))

    def document(self, document: Any, place: str) -> Given:
        """Read a record from plain data."""
        if not isinstance(document, Mapping):
            raise NoRecord(f"{place}: is no JSON object")
        wrapped = document if isinstance(document.get("value"), Mapping) else {}
        plain = wrapped.get("value", document)
        kind = str(wrapped.get("kind") or self.kind or _kind_by_id(plain, self.fields) or "")
        if kind not in self.fields:
            raise NoRecord(f"{place}: says no kind, and its id fits none; say --kind")
        value = _Typed({info.path: info for info in self.fields[kind]}, place).group(plain, "")
        value = {"exercise": False, **value}
        if not value.get("id"):
            value["id"] = _own_id(kind, value) or ""
        try:
            # Through the bytes: what the bus would see is what is explained.
            value = self.codec.decode(self.codec.encode(kind, value)).value
        except Refuse as refused:
            raise NoRecord(f"{place}: is no {kind}: {refused.code} {refused.field or ''}".rstrip()) from None
        told = wrapped.get("accepted") or wrapped.get("released")
        return Given(kind, value, _moment(told, f"{place}: accepted") if told is not None else _accepted(value))


def _documents(text: str, name: str) -> Iterator[tuple[str, Any]]:
    """One document, or one a line."""
    try:
        yield name, json.loads(text)
    except ValueError:
        for number, line in enumerate(text.splitlines(), 1):
            if line.strip():
                yield f"{name}, line {number}", _json(line, f"{name}, line {number}")


def _json(line: str, place: str) -> Any:
    try:
        return json.loads(line)
    except ValueError as error:
        # The message of the json module tells what it expected and where, and not what stood there.
        raise NoRecord(f"{place}: is no JSON: {getattr(error, 'msg', 'not readable')}") from None


def _accepted(value: Mapping[str, Any]) -> datetime | None:
    times = value.get("times")
    found = times.get("accepted_at") if isinstance(times, Mapping) else None
    return found if isinstance(found, datetime) else None


def _kind_by_id(value: Mapping[str, Any], kinds: Iterable[str]) -> str | None:
    """An id is made of the kind among other things, so that it tells which one it is of."""
    return next((kind for kind in kinds if value.get("id") is not None and _own_id(kind, value) == value["id"]), None)


def _own_id(kind: str, value: Mapping[str, Any]) -> str | None:
    origin, lifecycle = value.get("origin"), value.get("lifecycle")
    if not isinstance(origin, Mapping) or not isinstance(lifecycle, Mapping):
        return None
    revision = lifecycle.get("revision") or 0
    if not isinstance(revision, int):
        return None
    return record_id(str(origin.get("member")), kind, str(origin.get("feed")), str(origin.get("reference")), revision)


def _moment(text: Any, place: str) -> datetime:
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        raise NoRecord(f"{place}: is no moment of ISO 8601") from None
    if found.tzinfo is None:
        raise NoRecord(f"{place}: is a moment without a zone; write it with Z")
    return found.astimezone(UTC)


@dataclass(frozen=True, slots=True)
class _Typed:
    """Gives plain data the types of the schema; what the schema does not know is left for the codec to refuse."""

    fields: Mapping[str, FieldInfo]
    place: str

    def group(self, value: Mapping[str, Any], path: str) -> dict[str, Any]:
        """Give a group."""
        return {name: self.any(inner, f"{path}.{name}" if path else name) for name, inner in value.items()}

    def any(self, value: Any, path: str) -> Any:
        """Give any value."""
        info = self.fields.get(path)
        if isinstance(value, list):
            return [self.any(each, path) for each in value]
        if isinstance(value, Mapping):
            return (
                self._marked(value, path)
                if info is not None and value.keys() in ({"withheld"}, {"sealed"})
                else self.group(value, path)
            )
        if not isinstance(value, str) or info is None:
            # Whole numbers are numbers: JSON does not tell 7 from 7.0, and Avro does.
            return float(value) if type(value) is int and info is not None and info.type_name == "double" else value
        return self._scalar(value, info.type_name, path)

    def _scalar(self, text: str, type_name: str, path: str) -> Any:
        match type_name:
            case "timestamp-millis":
                return _moment(text, f"{self.place}: {path}")
            case "date":
                try:
                    return date.fromisoformat(text)
                except ValueError:
                    raise NoRecord(f"{self.place}: {path}: is no day of ISO 8601") from None
            case "bytes":
                return self._bytes(text, path)
            case _:
                return text

    def _bytes(self, text: str, path: str) -> bytes:
        try:
            return base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            raise NoRecord(f"{self.place}: {path}: is no base64") from None

    def _marked(self, value: Mapping[str, Any], path: str) -> Any:
        (name, told), *_ = value.items()
        try:
            if name == "withheld":
                return Withheld(**told)
            parts = {key: self._bytes(told[key], path) for key in ("nonce", "ciphertext")}
            wrapped = ("encapsulated", "wrapped")
            keys = [{**key, **{name: self._bytes(key[name], path) for name in wrapped}} for key in told.get("keys") or ()]
            return Sealed(told["algorithm"], told["content_key_id"], **parts, keys=tuple(keys))
        except (KeyError, TypeError):
            raise NoRecord(f"{self.place}: {path}: is not the mark that it is named for") from None
