"""
The messages of one topic in AsyncAPI's terms: headers, key, and the Avro of the value as a multi-format schema.

The frame before the Avro is that of `docs/wire.md`: AsyncAPI's Kafka binding has no word for an id of our own, so the id stands
beside it as ``x-boutre-schema-id``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from boutre.connectors.phrases import field_name
from boutre.connectors.wording import method
from boutre.language import say
from boutre.ops.asyncapi.projection import project
from boutre.ops.asyncapi.readable import Readable
from boutre.processors.ways import KEPT, MADE, Way
from boutre.schemas.lock import Locked
from boutre.schemas.vocabulary import Vocabularies

AVRO: Final = "application/vnd.apache.avro;version=1.9.0"
"""How AsyncAPI calls Avro in JSON; 1.9.0 is the version that it names, and our schemas use nothing newer."""

BINDING: Final = "0.5.0"
"""Of AsyncAPI's Kafka bindings."""

PLAIN: Final = "application/avro"
SEALED: Final = "application/vnd.boutre.sealed"

Document = dict[str, Any]


def view(kind: str, given: Readable, language: str, vocabularies: Vocabularies) -> Document:
    """
    Give the message of one kind of view, its value as a reader's schema with the fields that may come, and no others.
    """
    title = say("asyncapi.message.view", language, kind=vocabularies.label("kind@1", kind, language))
    types = {"never": [PLAIN], "sometimes": [PLAIN, SEALED], "always": [SEALED]}[given.sealed]
    headers = {
        **_signed(language),
        **_events(f"boutre.view.{kind}", {"const": "/boutre"}),
        "content-type": {"type": "string", "enum": types},
    }
    if given.sealed != "never":
        headers["boutre-wrapped"] = _bytes("wrapped", language)
    described = say(f"asyncapi.sealed.{given.sealed}", language)
    schema = project(given.locked.schema, given.ways)
    made = _message(f"{kind}View", title, described, types[0], headers=headers, locked=given.locked, schema=schema)
    fields = {path: _field(path, some, language, vocabularies) for path, some in given.ways.items() if some}
    return {**made, "x-boutre-agreements": list(given.agreements), "x-boutre-fields": fields}


def record(locked: Locked, member: str, language: str, vocabularies: Vocabularies) -> Document:
    """
    Give the message of a member's own record: its headers and the whole schema, which is the writer's.
    """
    title = say("asyncapi.message.record", language, kind=vocabularies.label("kind@1", locked.kind, language))
    headers = {
        **_signed(language),
        "boutre-again": {"type": "string", "description": say("asyncapi.header.again", language)},
        **_events(f"boutre.{locked.kind}", {"pattern": f"^/{member}/"}),
        "content-type": {"type": "string", "const": PLAIN},
    }
    described = say("asyncapi.writer", language)
    return _message(f"{locked.kind}Record", title, described, PLAIN, headers=headers, locked=locked, schema=locked.schema)


def other(locked: Locked, language: str, vocabularies: Vocabularies) -> Document:
    """
    Give the message of a kind that goes between a party and the bus: rejects, answers, receipts. Whole, as whoever writes it must.
    """
    title = vocabularies.label("kind@1", locked.kind, language)
    described = say("asyncapi.writer", language)
    return _message(locked.kind, title, described, PLAIN, headers={}, locked=locked, schema=locked.schema)


def _message(
    name: str, title: str, described: str, content: str, *, headers: Mapping[str, Any], locked: Locked, schema: Mapping[str, Any]
) -> Document:
    return {
        "name": name,
        "title": title,
        "description": described,
        "contentType": content,
        **({"headers": {"type": "object", "required": _needed(headers), "properties": dict(headers)}} if headers else {}),
        "payload": {"schemaFormat": AVRO, "schema": dict(schema)},
        "bindings": {"kafka": {"key": {"type": "string"}, "schemaIdLocation": "payload", "bindingVersion": BINDING}},
        "x-boutre-schema-id": locked.id,
        "x-boutre-schema-version": locked.version,
    }


def _needed(headers: Mapping[str, Any]) -> list[str]:
    optional = {"boutre-proof", "boutre-wrapped", "boutre-again"}
    return [name for name in headers if name not in optional]


def _signed(language: str) -> Document:
    return {
        "boutre-key": {"type": "string", "pattern": "^[0-9a-f]{16}$", "description": say("asyncapi.header.key", language)},
        "boutre-signature": _bytes("signature", language),
        "boutre-proof": _bytes("proof", language),
    }


def _events(type_: str, source: Mapping[str, Any]) -> Document:
    return {
        "ce_specversion": {"type": "string", "const": "1.0"},
        "ce_type": {"type": "string", "const": type_},
        "ce_source": {"type": "string", **source},
        "ce_id": {"type": "string"},
    }


def _bytes(name: str, language: str) -> Document:
    return {"type": "string", "format": "binary", "description": say(f"asyncapi.header.{name}", language)}


def _field(path: str, some: Sequence[Way], language: str, vocabularies: Vocabularies) -> Document:
    named = say(f"group.{path}", language) if "." not in path else field_name(path, language)
    return {"name": named, "given": [_way(way, language, vocabularies) for way in some]}


def _way(way: Way, language: str, vocabularies: Vocabularies) -> str:
    state = (
        say(f"explain.state.{way.state}", language)
        if way.state in {KEPT, MADE}
        else vocabularies.label("field-state@1", way.state, language)
    )
    head, _, rest = (way.method or "").partition(" ")
    if head == "roles":
        how: str | None = ", ".join(vocabularies.label("person-role@1", role, language) for role in rest.split())
    else:
        how = method(way.method, language)
    return f"{state} ({how})" if how else state
