"""
What every field of every schema must say of itself, and how the schema files fit together.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from boutre.errors import DeclarationError
from boutre.schemas import fields
from boutre.schemas.meanings import CATEGORIES, UNITS
from boutre.schemas.vocabulary import Vocabularies, load

SCHEMAS = Path(__file__).parents[2] / "schemas"
Schema = dict[str, Any]

VERTEX: Schema = {
    "type": "record",
    "name": "Vertex",
    "namespace": "boutre",
    "doc": "A corner.",
    "fields": [
        {"name": "latitude", "type": "double", "doc": "Latitude.", "unit": "degree WGS 84", "category": "location"},
        {"name": "radius", "type": "Range", "doc": "Radius.", "unit": "metre", "category": "inherited"},
    ],
}
RANGE: Schema = {
    "type": "record",
    "name": "Range",
    "namespace": "boutre",
    "doc": "At least, at most.",
    "fields": [{"name": "min", "type": "double", "doc": "The least.", "unit": "inherited", "category": "inherited"}],
}
BUOY: Schema = {
    "type": "record",
    "name": "Buoy",
    "namespace": "boutre",
    "doc": "A buoy.",
    "fields": [
        {
            "name": "colour",
            "type": ["null", "string"],
            "default": None,
            "doc": "Its colour.",
            "unit": "code",
            "category": "craft",
            "vocabulary": "colour@1",
            "presence": "required",
        },
        {"name": "at", "type": ["null", "Vertex"], "default": None, "doc": "Where.", "unit": "group", "category": "location"},
        {
            "name": "was",
            "type": {"type": "array", "items": "Vertex"},
            "default": [],
            "doc": "Where it was.",
            "unit": "group",
            "category": "event",
        },
    ],
}


@pytest.fixture(scope="module")
def vocabularies() -> Vocabularies:
    """
    The vocabularies that ship.
    """
    return load(SCHEMAS / "vocabularies")


def written(folder: Path, *kinds: Schema, types: tuple[Schema, ...] = (VERTEX, RANGE)) -> Path:
    """
    A folder that holds these schemas as the bus lays them out.
    """
    (folder / "types").mkdir(parents=True)
    for kind in kinds:
        (folder / f"{kind['name'].lower()}.avsc").write_text(json.dumps(kind), encoding="utf-8")
    for named in types:
        (folder / "types" / f"{named['name'].lower()}.avsc").write_text(json.dumps(named), encoding="utf-8")
    return folder


def changed(schema: Schema, change: Callable[[Schema], object]) -> Schema:
    """
    A copy of *schema* to which *change* was done.
    """
    copied = copy.deepcopy(schema)
    change(copied)
    return copied


# --- The schemas of this bus -------------------------------------------------------------------------------------------------


def test_every_field_says_what_it_means(vocabularies: Vocabularies) -> None:
    """
    Each field that ships has a doc, a unit and a sharing category, and every vocabulary that it names exists.
    """
    assert [] == fields.faults(fields.read(SCHEMAS), vocabularies)


def test_the_schemas_are_avro() -> None:
    """
    A resolved schema stands alone: Avro takes it without any other file.
    """
    for schema in fields.read(SCHEMAS).values():
        fastavro.parse_schema(copy.deepcopy(schema))


def test_every_type_is_used() -> None:
    """
    A type that no kind uses is a file that nobody checks.
    """
    used = {name.lower() for schema in fields.read(SCHEMAS).values() for name in fields.definitions(schema)}

    assert {path.stem for path in (SCHEMAS / "types").glob("*.avsc")} - used == set()


def test_personal_groups_can_be_sealed_and_withheld() -> None:
    """
    Where persons are named, counted as victims or told of in words, the group may be sealed; all but three groups may be withheld.
    """
    for kind in ("sighting", "interception"):
        tops = {info.path: info for info in fields.walk(fields.read(SCHEMAS)[kind]) if info.path == info.top}
        assert {path for path, info in tops.items() if info.sealable} == {
            "trafficking",
            "vulnerability",
            "victims",
            "suspects",
            "narrative",
        }
        assert {path for path, info in tops.items() if not info.withholdable} == {"id", "exercise", "view"}


def test_no_category_or_unit_is_declared_for_nobody() -> None:
    """
    The closed sets hold what is used, and a sentence for each.
    """
    infos = [info for schema in fields.read(SCHEMAS).values() for info in fields.walk(schema, states=True)]

    assert {info.category for info in infos} == set(CATEGORIES)
    assert {info.unit for info in infos} == set(UNITS)
    assert all(sentence.endswith(".") for sentence in (*CATEGORIES.values(), *UNITS.values()))


# --- Reading and walking -------------------------------------------------------------------------------------------------------


def test_a_type_is_written_out_once(tmp_path: Path) -> None:
    """
    Avro wants a type where it comes first, and its name after that.
    """
    buoy = fields.read(written(tmp_path, BUOY))["buoy"]

    assert buoy["fields"][1]["type"][1]["name"] == "Vertex"
    assert buoy["fields"][2]["type"]["items"] == "boutre.Vertex"


def test_what_is_inherited_comes_from_the_field_that_holds_it(tmp_path: Path) -> None:
    """
    The same type under two fields has the category of each, and a quantity has the unit of the field that holds it.
    """
    found = {info.path: info for info in fields.walk(fields.read(written(tmp_path, BUOY))["buoy"])}

    assert list(found) == [
        "colour",
        *("at", "at.latitude", "at.radius", "at.radius.min"),
        *("was", "was.latitude", "was.radius", "was.radius.min"),
    ]
    assert ("location", "metre") == (found["at.radius.min"].category, found["at.radius.min"].unit)
    assert ("event", "metre") == (found["was.radius.min"].category, found["was.radius.min"].unit)
    assert found["was.latitude"].category == "location"


def test_a_field_tells_what_a_reader_needs(tmp_path: Path) -> None:
    """
    Type, presence, vocabulary and whether it is one or many are read off the declaration.
    """
    found = {info.path: info for info in fields.walk(fields.read(written(tmp_path, BUOY))["buoy"])}

    assert ("string", "colour@1", True, True, False) == (
        found["colour"].type_name,
        found["colour"].vocabulary,
        found["colour"].required,
        found["colour"].nullable,
        found["colour"].many,
    )
    assert ("Vertex", True, False) == (found["was"].type_name, found["was"].many, found["was"].nullable)
    assert found["at.radius.min"].top == "at"


def test_what_stands_in_a_groups_place_is_not_the_group() -> None:
    """
    The fields of Withheld and Sealed are no fields of a position; they are walked only where somebody asks for them.
    """
    sighting = fields.read(SCHEMAS)["sighting"]
    paths = {info.path for info in fields.walk(sighting)}

    assert "position.clause" not in paths
    assert "narrative.ciphertext" not in paths
    assert {"position.clause", "narrative.ciphertext"} <= {info.path for info in fields.walk(sighting, states=True)}


def test_all_files_that_cannot_be_read_are_named_at_once(tmp_path: Path) -> None:
    """
    Broken JSON, a wrong name, a key that stands twice and a type that is nowhere are all said, each with its file.
    """
    schemas = written(
        tmp_path / "schemas",
        BUOY,
        changed(BUOY, lambda schema: [schema.update(name="Raft"), schema["fields"][1].update(type="Anchor")]),
        types=(VERTEX, RANGE, changed(VERTEX, lambda schema: schema.update(name="Light"))),
    )
    (schemas / "types" / "light.avsc").rename(schemas / "types" / "lamp.avsc")
    (schemas / "broken.avsc").write_text("{", encoding="utf-8")
    (schemas / "twice.avsc").write_text('{"type": "record", "type": "record"}', encoding="utf-8")
    (schemas / "list.avsc").write_text("[]", encoding="utf-8")
    (schemas / "nameless.avsc").write_text('{"type": "record", "name": "Nameless", "fields": [{}]}', encoding="utf-8")

    with pytest.raises(DeclarationError) as caught:
        fields.read(schemas)

    assert {(fault.file, fault.key) for fault in caught.value.faults} == {
        ("schemas/raft.avsc", "Anchor"),
        ("schemas/types/lamp.avsc", "name"),
        ("schemas/broken.avsc", ""),
        ("schemas/twice.avsc", ""),
        ("schemas/list.avsc", "type"),
        ("schemas/nameless.avsc", "fields"),
    }


def test_an_empty_folder_is_no_answer(tmp_path: Path) -> None:
    """
    A folder without schemas is a wrong path, not a bus without records.
    """
    with pytest.raises(DeclarationError, match=r"no \*\.avsc stands here"):
        fields.read(tmp_path)


# --- The check, and that it can fail -------------------------------------------------------------------------------------------


def faults_after(tmp_path: Path, vocabularies: Vocabularies, change: Callable[[Schema], object]) -> list[str]:
    """
    What is found after *change* was done to the buoy, each as key and message.
    """
    schemas = fields.read(written(tmp_path, changed(BUOY, change)))
    return [f"{fault.key}: {fault.message}" for fault in fields.faults(schemas, vocabularies)]


def test_the_example_itself_is_without_fault(tmp_path: Path, vocabularies: Vocabularies) -> None:
    """
    What the following tests break was whole before.
    """
    assert [] == faults_after(tmp_path, vocabularies, lambda _: None)


def _set(index: int, **properties: object) -> Callable[[Schema], object]:
    return lambda schema: schema["fields"][index].update(properties)


def _drop(index: int, name: str) -> Callable[[Schema], object]:
    return lambda schema: schema["fields"][index].pop(name)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_drop(0, "doc"), "colour: has no doc"),
        (_set(0, doc="  "), "colour: has no doc"),
        (_drop(0, "unit"), "colour: has no unit"),
        (_drop(0, "category"), "colour: has no category"),
        (_set(0, unit="furlong"), "colour: has an unknown unit, furlong"),
        (_set(0, category="secret"), "colour: has an unknown category, secret"),
        (_set(0, category="inherited"), "colour: inherits, but no field holds it"),
        (_set(0, vocabulary="colour@9"), "colour: names the vocabulary colour@9, which does not exist"),
        (_set(0, unit="text"), "colour: has a vocabulary, but is no string with the unit code"),
        (_set(0, presence="often"), "colour: has a presence other than required"),
        (_set(0, reference="person"), "colour: has a reference other than record"),
        (_set(0, colour="red"), "colour: has properties that nobody reads: colour"),
        (_drop(0, "default"), "colour: may be null, so null comes first and is its default"),
        (_set(0, type=["string", "null"]), "colour: may be null, so null comes first and is its default"),
        (_set(0, type=["null", "string", "long"]), "colour: may be of several types"),
        (_set(2, default=[{}]), "was: is an array, so its default is the empty one"),
        (_set(1, unit="metre"), "at: holds fields, so its unit is group, not metre"),
        (_set(0, unit="group", vocabulary=None), "colour: is a string; the unit group is for what holds fields"),
        (_set(0, type={"type": "enum", "name": "Colour", "symbols": ["RED"]}), "colour: is a enum"),
        (_set(0, type={"type": "map", "values": "string"}), "colour: is a map"),
        (_set(2, type={"type": "array", "items": "null"}), "was: its items take no bytes"),
        (
            _set(2, type={"type": "array", "items": {"type": "record", "name": "Nothing", "doc": "Nothing.", "fields": []}}),
            "was: its items take no bytes",
        ),
        (_set(1, type=["null", "boutre.Buoy"]), "Buoy holds itself"),
        (lambda schema: schema.pop("doc"), "doc: is missing"),
    ],
)
def test_the_check_finds(tmp_path: Path, vocabularies: Vocabularies, change: Callable[[Schema], object], said: str) -> None:
    """
    Each thing that a field may lack or get wrong is found, and named with the field.
    """
    found = faults_after(tmp_path, vocabularies, change)

    assert any(said in fault for fault in found), found


def test_a_fault_of_a_type_is_said_once_with_its_own_file(tmp_path: Path, vocabularies: Vocabularies) -> None:
    """
    A type that two kinds use is mended in one place, so its fault names that place and comes once.
    """
    vertex = changed(VERTEX, _drop(0, "unit"))
    schemas = fields.read(written(tmp_path, BUOY, changed(BUOY, lambda schema: schema.update(name="Raft")), types=(vertex, RANGE)))

    found = fields.faults(schemas, vocabularies)

    assert [("schemas/types/vertex.avsc", "latitude")] == [(fault.file, fault.key) for fault in found]


@given(data=st.data(), prop=st.sampled_from(["doc", "unit", "category"]))
def test_no_field_of_this_bus_can_lose_its_meaning_unseen(vocabularies: Vocabularies, data: st.DataObject, prop: str) -> None:
    """
    Whichever field of whichever record loses its doc, unit or category: the check names it.
    """
    schemas = copy.deepcopy(fields.read(SCHEMAS))
    kind = data.draw(st.sampled_from(sorted(schemas)))
    record = data.draw(st.sampled_from(sorted(fields.definitions(schemas[kind]).items())))[1]
    field = data.draw(st.sampled_from(record["fields"]))
    del field[prop]

    found = fields.faults(schemas, vocabularies)

    assert any(fault.key == field["name"] and f"has no {prop}" in fault.message for fault in found)
