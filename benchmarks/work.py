"""
The work that every contender does for a record: the bus's own pure functions, called in the same order.

    work = Work.load(signed=told.signed)
    decoded = work.read(topic, frame, headers)   # proved where signatures are on, then decoded
    ...                                          # the contender's own: is decoded.value["id"] new?
    frame = work.view(decoded)                   # cut for one recipient, and encoded

Imported by contenders in two virtual environments: only what the pure functions need may be imported here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Final, Protocol

import fastavro
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from boutre.errors import Fault
from boutre.processors.agreement import Agreement
from boutre.processors.cut import Cut, compile_cut
from boutre.processors.given import Node
from boutre.processors.layout import whole
from boutre.processors.parts import Groups, nobody
from boutre.processors.sheet import Sheet, make_sheet, rows
from boutre.schemas import lock
from boutre.schemas.codec import FRAME, MAGIC, Codec, Decoded
from boutre.schemas.fields import walk
from boutre.schemas.marks import Withheld
from boutre.schemas.signature import Keyring, key_id
from boutre.topics.strict import raise_all, read

ROOT: Final = Path(__file__).parents[1]
MEMBER: Final = "observatory-ais"
"""Whose records are read: positions by AIS are the only firehose of the bus."""

RECIPIENT: Final = "rmifc"
AGREEMENT: Final = ROOT / "processors" / "agreements" / "rmifc-ais.toml"
KIND: Final = "sighting"
KINDS: Final = frozenset({KIND})


@dataclass(frozen=True, slots=True)
class Work:
    """
    What is done to one record, ready to be done; *keyring* is None where signatures are off.
    """

    codec: Codec
    sheet: Sheet
    keyring: Keyring | None

    @classmethod
    def load(cls, *, signed: bool) -> Work:
        """Read the schemas and the agreement of one recipient, as a worker does when it starts."""
        codec = Codec(lock.load())
        sheet = make_sheet(codec, Groups(), (_cut(codec),), (), recipient=RECIPIENT, key=b"a key of benchmarks", policy="benchmark")
        return cls(codec, sheet, keyring() if signed else None)

    def read(self, topic: str, frame: bytes | None, headers: Mapping[str, bytes]) -> Decoded:
        """Give what a frame held, which its member must have signed where signatures are on; Refuse where it is not so."""
        if self.keyring is not None:
            self.keyring.verify(MEMBER, topic, frame or b"", headers)
        return self.codec.decode(frame, KINDS)

    def view(self, decoded: Decoded, /) -> bytes:
        """Give the frame of what the recipient may have of a record, under the record's own id, by which a run is checked."""
        value, sheet = decoded.value, self.sheet
        name = value["id"].encode()
        pieces = sheet.pieces.copy()
        pieces[sheet.exercise] = decoded.part("exercise").data
        place, before, behind = sheet.view
        pieces[place] = b"".join((before, name, behind))
        for group, (at, how) in sheet.groups.items():
            given = value[group]
            if given is not None:
                kept = decoded.part(group) if how.copied else self.codec.prepare(KIND, group, how.node.give(given, nobody))
                pieces[at] = kept.data
        place, before = sheet.id
        pieces[place] = before + name
        return whole(pieces)


@dataclass(frozen=True, slots=True)
class Read:
    """
    What fastavro read: named as ``Decoded`` names it.
    """

    value: dict[str, Any]


@dataclass(frozen=True, slots=True)
class FastavroWork:
    """
    The same work as somebody would write it who has no codec but fastavro: the same frames come out, byte for byte.

    Without the proof that what was read has one form only, which is the bus's own matter.
    """

    schema: Any
    head: bytes
    kept: tuple[str, ...]
    given: tuple[tuple[str, Node], ...]
    fixed: Mapping[str, Any]
    view_of: Mapping[str, Any]
    keyring: Keyring | None

    @classmethod
    def load(cls, *, signed: bool) -> FastavroWork:
        """Read the schemas and the agreement of one recipient, as a worker does when it starts."""
        codec = Codec(lock.load())
        cut, locked = _cut(codec), codec.lock.latest(KIND)
        states = [one for one in cut.states if "." in one.field or one.state != "withheld"]
        view = {"recipient": RECIPIENT, "agreements": [cut.agreement.name], "policy": "benchmark", "fields": rows(states)}
        nodes = {name: node for name, node in cut.nodes if node.apply is not None}
        kept = tuple(name for name, node in nodes.items() if node.whole and not node.names)
        fixed = {name: _named(node.give(None, nobody)) for name, node in cut.nodes if node.apply is None}
        given = tuple((name, node) for name, node in nodes.items() if name not in kept)
        head = FRAME.pack(MAGIC, locked.id)
        return cls(fastavro.parse_schema(locked.schema), head, kept, given, fixed, view, keyring() if signed else None)

    def read(self, topic: str, frame: bytes | None, headers: Mapping[str, bytes]) -> Read:
        """Give what a frame held."""
        if self.keyring is not None:
            self.keyring.verify(MEMBER, topic, frame or b"", headers)
        body = BytesIO((frame or b"")[len(self.head) :])
        # Records come with their names, so that the writer need not try every branch of a union.
        value = fastavro.schemaless_reader(body, self.schema, None, return_record_name=True, return_record_name_override=True)
        assert isinstance(value, dict)  # the schema is that of a record
        return Read(value)

    def view(self, read: Read, /) -> bytes:
        """Give the frame of what the recipient may have of a record."""
        value = read.value
        view = {**self.fixed, "id": value["id"], "exercise": value["exercise"], "view": {**self.view_of, "of": value["id"]}}
        for name in self.kept:
            view[name] = value[name]
        for name, node in self.given:
            given = value[name]
            view[name] = None if given is None else node.give(given[1] if isinstance(given, tuple) else given, nobody)
        out = BytesIO()
        out.write(self.head)
        fastavro.schemaless_writer(out, self.schema, view)
        return out.getvalue()


class AnyWork(Protocol):
    """
    The work, by whatever means: what ``read`` gives has a ``value``, and is what ``view`` takes.
    """

    def read(self, topic: str, frame: bytes | None, headers: Mapping[str, bytes]) -> Any:
        """Give what a frame held."""
        ...

    def view(self, decoded: Any, /) -> bytes:
        """Give the frame of what the recipient may have of it."""
        ...


def work_of(means: str, *, signed: bool) -> AnyWork:
    """
    Give the work by the *means* of a contender: ``bus`` for the bus's own codec and cut, ``fastavro`` for a codec that all have.
    """
    return Work.load(signed=signed) if means == "bus" else FastavroWork.load(signed=signed)


def _cut(codec: Codec) -> Cut:
    faults: list[Fault] = []
    agreement = read(AGREEMENT, Agreement, faults)
    raise_all(faults)
    assert agreement is not None  # what cannot be read is a fault
    return compile_cut(agreement, KIND, tuple(walk(codec.lock.latest(KIND).schema)))


def _named(given: Any) -> Any:
    """Give a mark as fastavro wants it."""
    return ("boutre.Withheld", asdict(given)) if isinstance(given, Withheld) else given


def private() -> Ed25519PrivateKey:
    """
    Give the member's key of these benchmarks, always the same.
    """
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(MEMBER.encode()).digest())


def keyring() -> Keyring:
    """
    Give the public keys that are known.
    """
    public = private().public_key()
    return Keyring({key_id(public): (MEMBER, public)})
