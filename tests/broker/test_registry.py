"""
The locked schemas in a real schema registry: Apicurio Registry, by the API that Confluent's clients speak.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

from boutre.errors import DeclarationError, Refuse, Unavailable
from boutre.ops.broker import free_port
from boutre.ops.command import main
from boutre.ops.registry import EmbeddedRegistry
from boutre.schemas.codec import FRAME, Codec
from boutre.schemas.compatibility import full_transitive
from boutre.schemas.lock import Lock, Locked, core, load
from boutre.schemas.registry import LEVEL, Registry, faults, mapping, push, subject

pytestmark = pytest.mark.registry

CASES = json.loads((Path(__file__).parents[1] / "domain" / "compatibility_cases.json").read_text(encoding="utf-8"))["cases"]
LOCK = load(core())
SIGHTING = LOCK.latest("sighting")


@pytest.fixture(scope="module")
def apicurio() -> Iterator[EmbeddedRegistry]:
    """One registry for all tests here; left out where it cannot be had, a failure under BOUTRE_TEST_ALL."""
    try:
        with EmbeddedRegistry() as embedded:
            yield embedded
    except Unavailable as error:
        if os.environ.get("BOUTRE_TEST_ALL"):
            pytest.fail(str(error))
        pytest.skip(str(error))


@pytest.fixture
def registry(apicurio: EmbeddedRegistry) -> Registry:
    """A client of it."""
    return Registry(apicurio.url)


def renamed(entry: Locked, namespace: str, **changes: Any) -> Locked:
    """A locked schema under a namespace that no other test has, so that tests share a registry and no subject."""
    schema = json.loads(json.dumps(entry.schema).replace('"boutre', f'"{namespace}'))
    return replace(entry, **({"schema": schema} | changes))


@pytest.fixture
def lock() -> Lock:
    """Our locked schemas under names of this test's own."""
    namespace = f"t{uuid.uuid4().hex}"
    return Lock(tuple(renamed(entry, namespace) for entry in LOCK.entries))


def grown(entry: Locked, *, name: str = "anchored", kind: Any = None, doc: str | None = None) -> Locked:
    """The next version of a schema, with one more field, or with another doc only."""
    schema = json.loads(json.dumps(entry.schema))
    if doc is not None:
        schema["doc"] = doc
    else:
        new = {"name": name, "type": kind or ["null", "boolean"], "doc": "New.", "unit": "yes or no", "category": "craft"}
        schema["fields"].append(new if kind else new | {"default": None})
    return replace(entry, id=entry.id + 100, version=entry.version + 1, schema=schema)


# --- Filling it ----------------------------------------------------------------------------------------------------------


def test_pushing_registers_guards_and_does_nothing_the_second_time(registry: Registry, lock: Lock) -> None:
    """Every locked schema gets under its record's name, guarded by FULL_TRANSITIVE, with nothing left to complain of."""
    assert len(lock.entries) == len([each for each in faults(registry, lock) if "is not registered" in each.message])

    added = push(registry, lock)

    assert {entry.kind for entry in lock.entries} == {entry.kind for entry, _ in added}
    assert faults(registry, lock) == []
    assert {LEVEL} == {registry.level(subject(entry)) for entry in lock.entries}
    assert push(registry, lock) == []


def test_a_new_version_is_added_and_the_old_one_keeps_its_id(registry: Registry, lock: Lock) -> None:
    """A lock that has grown brings one schema more, and what was mapped stays mapped."""
    push(registry, lock)
    before = mapping(registry, lock)
    more = Lock((*lock.entries, grown(lock.latest("alert"))))

    added = push(registry, more)

    assert [("alert", 2)] == [(entry.kind, entry.version) for entry, _ in added]
    assert before.inward.items() <= mapping(registry, more).inward.items()


def test_versions_that_differ_in_docs_only_may_be_one_schema_there(registry: Registry, lock: Lock) -> None:
    """Apicurio takes two schemas that differ in docs for one: both locked ids go out by its one id, which comes in as the older."""
    first = lock.latest("alert")
    second = grown(first, doc="Other words.")
    more = Lock((*lock.entries, second))
    push(registry, more)

    ids = mapping(registry, more)

    assert ids.outward[first.id] == ids.outward[second.id]
    assert first.id == ids.inward[ids.outward[second.id]]
    assert faults(registry, more) == []
    assert push(registry, more) == []


# --- Strangers ------------------------------------------------------------------------------------------------------------


def test_a_stranger_under_our_name_is_refused(registry: Registry, lock: Lock) -> None:
    """A schema which we never locked stops the start and the push, and the message says how it differs."""
    push(registry, lock)
    stranger = grown(lock.latest("alert"))
    registry.register(subject(stranger), stranger.schema)

    with pytest.raises(DeclarationError, match="version 2: is none of the locked schemas"):
        mapping(registry, lock)
    with pytest.raises(DeclarationError):
        push(registry, lock)


def test_a_changed_category_is_a_stranger(registry: Registry, lock: Lock) -> None:
    """A schema that Avro takes for ours and that lies about who may see a field is none of ours."""
    ours = lock.latest("retraction")
    lie = json.loads(json.dumps(ours.schema).replace('"category": "administrative"', '"category": "event"', 1))
    registry.register(subject(ours), lie)

    with pytest.raises(DeclarationError, match="the category is event"):
        mapping(registry, lock)


def test_an_id_that_would_mean_two_things_is_refused(registry: Registry, lock: Lock) -> None:
    """Were our ids those that a registry counts by, a frame could be read by the wrong schema: nothing starts then."""
    push(registry, lock)
    there = mapping(registry, lock).outward
    ids = sorted(there.values())
    low = Lock(tuple(replace(entry, id=ids[(ids.index(there[entry.id]) + 1) % len(ids)]) for entry in lock.entries))

    with pytest.raises(DeclarationError, match="is locked for another schema"):
        mapping(registry, low)


def test_an_incompatible_schema_is_refused_by_both(registry: Registry, lock: Lock) -> None:
    """What our check refuses to lock, the guarded registry refuses to register."""
    push(registry, lock)
    bad = grown(lock.latest("alert"), kind="string")

    assert full_transitive(bad.schema, {1: lock.latest("alert").schema})
    assert not registry.compatible(subject(bad), bad.schema)
    with pytest.raises(DeclarationError, match="refused as incompatible"):
        registry.register(subject(bad), bad.schema)


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_the_registry_agrees_with_our_check_or_we_know_why(registry: Registry, case: dict[str, Any]) -> None:
    """On the same table: where the registry lets pass what we refuse, the table says why; it never refuses what we let pass."""
    name = f"Case{uuid.uuid4().hex}"
    identity = {"name": "id", "type": "string"}
    old, new = ({"type": "record", "name": name, "namespace": "test", "fields": [identity, *case[side]]} for side in ("old", "new"))
    registry.register(f"test.{name}", old)
    assert registry.guard(f"test.{name}")

    assert case["apicurio"] == registry.compatible(f"test.{name}", new)
    assert case["apicurio"] or not case["ours"]
    assert bool(case.get("why")) == (case["ours"] != case["apicurio"])


# --- Ids and clients -------------------------------------------------------------------------------------------------------


def test_a_client_of_the_registry_reads_what_we_wrote(apicurio: EmbeddedRegistry, registry: Registry) -> None:
    """Confluent's own deserializer, which knows only the registry, reads our frame once its id is the registry's."""
    push(registry, LOCK)
    ids = mapping(registry, LOCK)
    value = {"id": "x", "position": {"latitude": -12.5, "longitude": 45.0}, "event": {"type": "attack"}}
    frame = Codec(LOCK).encode("sighting", value)
    client = SchemaRegistryClient({"url": apicurio.url})

    told: Any = AvroDeserializer(client)(ids.to_registry(frame), SerializationContext("bus.sighting", MessageField.VALUE))

    assert {"latitude": -12.5, "longitude": 45.0}.items() <= told["position"].items()
    assert frame == ids.to_locked(ids.to_registry(frame))
    assert frame == ids.to_locked(frame)
    client.close()


@pytest.mark.parametrize(
    ("frame", "code"), [(b"", "undecodable"), (b"\1\0\0\0\1x", "undecodable"), (FRAME.pack(0, 2**32 - 1), "unknown-schema")]
)
def test_frames_of_neither_are_refused(registry: Registry, frame: bytes, code: str) -> None:
    """An id that neither the registry nor the lock knows is refused, never passed on."""
    push(registry, LOCK)
    ids = mapping(registry, LOCK)

    for change in (ids.to_locked, ids.to_registry):
        with pytest.raises(Refuse, match=code):
            change(frame)


def test_the_command_pushes_and_checks(apicurio: EmbeddedRegistry) -> None:
    """An operator brings a registry there by two commands; nothing answers at another address, and that is said."""

    def run(*words: str) -> tuple[int, str]:
        result = CliRunner().invoke(main, ["--bus", str(core().parent), "schemas", "registry", *words])
        return result.exit_code, result.output

    assert run("push", "--url", apicurio.url)[0] == 0
    assert run("check", "--url", apicurio.url)[0] == 0
    code, said = run("check", "--url", f"http://127.0.0.1:{free_port()}")
    assert (3, True) == (code, "does not answer" in said)


def test_a_registry_that_does_not_answer_as_one_is_unavailable(apicurio: EmbeddedRegistry) -> None:
    """Another program's answer is no answer, and an address that is none is a declaration to correct."""
    with pytest.raises(Unavailable):
        Registry(apicurio.url.removesuffix("/apis/ccompat/v7")).schemas("x")
    with pytest.raises(DeclarationError, match="begins with http"):
        Registry("file:///etc")
