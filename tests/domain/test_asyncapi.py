"""
The AsyncAPI document of each party: valid by AsyncAPI's own parser, whole for what comes, and silent on what does not.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date
from io import BytesIO
from itertools import chain
from pathlib import Path
from typing import Any, Final

import fastavro
import pytest
from click.testing import CliRunner

from boutre.ops.assembly import assemble
from boutre.ops.asyncapi.document import for_member, for_recipient
from boutre.ops.asyncapi.projection import project
from boutre.ops.asyncapi.readable import ALWAYS, OWN, readable
from boutre.ops.command import main
from boutre.processors.cut import Cut, in_force
from boutre.processors.patterns import VIEWS
from boutre.schemas.codec import FRAME
from boutre.schemas.fields import STATES, walk
from boutre.schemas.marks import Sealed, Withheld
from canaries import Canaries
from correlated import sent, told, two
from records import leaves, national

ROOT: Final = Path(__file__).parents[2]
NODE: Final = ROOT / "tests" / "asyncapi"
BUS: Final = assemble(ROOT)
DECLARED: Final = BUS.declarations
ON: Final = date(2026, 1, 1)
READERS: Final = tuple(DECLARED.recipients)
WRITERS: Final = tuple(DECLARED.members)
READS: Final = {name: for_recipient(BUS, name, ON) for name in READERS}
WRITES: Final = {name: for_member(BUS, name) for name in WRITERS}


class _Names:
    """
    Names of a recipient's own for whatever it is asked.
    """

    def __call__(self, identifier: str, /) -> str | None:
        return f"named {identifier}"

    def alias(self, field: str, text: str, /) -> str | None:
        return f"alias of {field} {len(text)}"


def paths_of(schema: Any, known: dict[str, Any], at: str = "") -> Iterator[str]:
    """
    Every field of a schema by its path, each type found by its full name, as Avro has it.
    """
    if isinstance(schema, list):
        for arm in schema:
            yield from paths_of(arm, known, at)
    elif isinstance(schema, dict) and schema["type"] == "array":
        yield from paths_of(schema["items"], known, at)
    elif isinstance(schema, dict) and schema["type"] == "record":
        known[f"{schema['namespace']}.{schema['name']}"] = schema
        yield from _fields_of(schema, known, at)
    elif isinstance(schema, str) and schema in known:
        yield from _fields_of(known[schema], known, at)


def _fields_of(record: Mapping[str, Any], known: dict[str, Any], at: str) -> Iterator[str]:
    for field in () if record["name"] in STATES else record["fields"]:
        path = f"{at}.{field['name']}" if at else field["name"]
        yield path
        yield from paths_of(field["type"], known, path)


def payload(document: Mapping[str, Any], kind: str) -> Any:
    """
    The Avro schema of one kind of view.
    """
    return document["components"]["messages"][f"{kind}View"]["payload"]["schema"]


def views(document: Mapping[str, Any]) -> dict[str, Any]:
    """
    The Avro schemas of all kinds of views, by kind.
    """
    return {
        name.removesuffix("View"): payload(document, name.removesuffix("View"))
        for name in document["components"]["messages"]
        if name.endswith("View")
    }


def combinations(cuts: tuple[Cut, ...]) -> Iterator[Cut]:
    """
    What release may apply of some cuts: each by itself, any two, and all together.
    """
    for number, one in enumerate(cuts):
        yield in_force((one,))
        yield from (in_force((one, other)) for other in cuts[number + 1 :])
    if cuts:
        yield in_force(cuts)


# --- By AsyncAPI's own parser --------------------------------------------------------------------------------------------------


def parsed(*files: Path) -> dict[str, list[str]]:
    """
    What AsyncAPI's own parser says of files, by their names.
    """
    node = shutil.which("node")
    if node is None or not (NODE / "node_modules").is_dir():
        pytest.skip("AsyncAPI's parser is not here: npm ci --prefix tests/asyncapi --ignore-scripts")
    done = subprocess.run(
        [node, "validate.mjs", *map(str, files)], cwd=NODE, capture_output=True, text=True, check=False, timeout=280
    )
    assert 0 == done.returncode, done.stderr
    said = [json.loads(line) for line in done.stdout.splitlines()]
    return {Path(one["file"]).stem: one["errors"] for one in said}


@pytest.mark.timeout(300)
def test_asyncapis_own_parser_takes_every_document(tmp_path: Path) -> None:
    """
    What the command writes for every party has no error by AsyncAPI's own parser and its Avro parser.
    """
    written = CliRunner().invoke(main, ["--bus", str(ROOT), "asyncapi", "--all", str(tmp_path), "--on", ON.isoformat()])
    assert 0 == written.exit_code, written.output

    expected = {f"recipient-{name}" for name in READERS} | {f"member-{name}" for name in WRITERS}
    assert {name: [] for name in expected} == parsed(*sorted(tmp_path.iterdir()))


@pytest.mark.timeout(120)
def test_asyncapis_own_parser_can_say_no(tmp_path: Path) -> None:
    """
    A key that is none, a channel that is not there and an Avro type that is none are each found.
    """
    wrong: dict[str, Any] = {name: json.loads(json.dumps(READS["protection-partner"])) for name in ("key", "channel", "avro")}
    wrong["key"]["channels"]["for_protection-partner_link"]["adress"] = "for.nobody"
    wrong["channel"]["operations"]["read_for_protection-partner_link"]["channel"]["$ref"] = "#/channels/nowhere"
    payload(wrong["avro"], "link")["fields"][0]["type"] = "strng"
    for name, document in wrong.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(document), encoding="utf-8")
    found = parsed(*sorted(tmp_path.iterdir()))

    for name, word in {"key": "adress", "channel": "nowhere", "avro": "strng"}.items():
        assert any(word in error for error in found[name]), found


def test_the_parsers_are_pinned() -> None:
    """
    Each parser has one version, and the lock holds the digest of every package and no address of any machine.
    """
    wanted = json.loads((NODE / "package.json").read_text(encoding="utf-8"))["dependencies"]
    lock = json.loads((NODE / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    packages = {name: one for name, one in lock.items() if name}

    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in wanted.values())
    assert wanted == {name: lock[f"node_modules/{name}"]["version"] for name in wanted}
    assert all(one["integrity"].startswith("sha512-") and "resolved" not in one for one in packages.values())


# --- What a recipient's document says ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", READERS)
def test_what_comes_is_in_the_document_and_nothing_else(name: str) -> None:
    """
    Of a record full of values each one that release would give is read by the document's schema, from the bytes, as the same value.

    So it is whatever agreements speak of the record; and what no cut gives is no field of the schema.
    """
    codec = BUS.codec
    cuts = BUS.pipeline.policy.cuts[name]
    for kind, schema in views(READS[name]).items():
        said = set(paths_of(schema, {}))
        reader, writer = fastavro.parse_schema(schema), fastavro.parse_schema(codec.lock.latest(kind).schema)
        came = {path for path in said if any(path == own or path.startswith(f"{own}.") for own in OWN.get(kind, ALWAYS))}
        full = Canaries().record(kind, "observatory-imb") if kind in cuts else {}
        for cut in combinations(cuts.get(kind, ())):
            view = {**cut(full, _Names()), **{group: full[group] for group in ALWAYS}}
            frame = codec.encode(kind, view)
            read: Any = fastavro.schemaless_reader(BytesIO(frame[FRAME.size :]), writer, reader)
            marks = (Withheld, Sealed)
            cut_out = {path: item for path, item in leaves(codec.decode(frame).value) if not isinstance(item, marks)}
            came_out = dict(leaves(read))
            assert cut_out == {path: came_out.get(path) for path in cut_out}
            came |= cut_out.keys()
        # What even a full record leaves empty is judged by the test below, by the names.
        withheld = {path for path, _ in leaves(full)} - came
        assert said.isdisjoint(withheld), (kind, sorted(said & withheld))
        assert kind != "sighting" or withheld


@pytest.mark.parametrize("name", READERS)
def test_no_withheld_field_is_named_anywhere(name: str) -> None:
    """
    A field that every agreement of a recipient withholds in every kind is no key and no name anywhere in its document.
    """
    fields = {kind: {info.path for info in walk(BUS.codec.lock.latest(kind).schema)} for kind in BUS.codec.lock.kinds}
    may = readable(BUS.pipeline, BUS.codec.lock, name, ON)
    read = {path.rpartition(".")[2] for one in may.values() for path in one.ways}
    states = {field["name"] for schema in views(READS[name]).values() for field in _state_fields(schema)}
    whole = {path.rpartition(".")[2] for kind in ("answer",) for path in fields[kind]}
    hidden = {path.rpartition(".")[2] for kind in may for path in fields[kind]} - read - states - whole
    messages = [one for kind, one in READS[name]["components"]["messages"].items() if kind.endswith("View")]
    listed = {part for one in messages for path in one["x-boutre-fields"] for part in path.split(".")}
    named = listed | {word for one in messages for word in _named(one["payload"]["schema"])}

    assert hidden.isdisjoint(named), sorted(hidden & named)
    if name == "protection-partner":
        assert {"suspects", "latitude", "unit", "markings"} <= hidden


def _state_fields(schema: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(schema, list):
        yield from chain.from_iterable(map(_state_fields, schema))
    elif isinstance(schema, dict):
        if schema.get("name") in STATES:
            yield from schema["fields"]
        for key in ("fields", "type", "items"):
            yield from _state_fields(schema.get(key))


def _named(value: Any) -> Iterator[str]:
    """
    Every name that an Avro schema gives, of types and of fields.
    """
    if isinstance(value, Mapping):
        if isinstance(value.get("name"), str):
            yield value["name"]
        yield from chain.from_iterable(map(_named, value.values()))
    elif isinstance(value, list):
        yield from chain.from_iterable(map(_named, value))


@pytest.mark.parametrize(
    ("document", "own"), [(READS[name], name) for name in READERS] + [(WRITES[name], name) for name in WRITERS]
)
def test_no_topic_of_another_party_occurs(document: Mapping[str, Any], own: str) -> None:
    """
    In the text of a document stands no name of a topic that its party may neither read nor write, nor another's sign-in or groups.
    """
    text = json.dumps(document)
    role = "recipient" if "recipient" in document["id"] else "member"
    mine = {topic.name for topic in DECLARED.topics.values() if getattr(topic, role) == own}
    others = set(DECLARED.topics) - mine
    principals = {f"{kind}.{name}" for kind, names in (("member", WRITERS), ("recipient", READERS)) for name in names}

    assert mine >= {channel["address"] for channel in document["channels"].values()}
    assert [] == [name for name in others if re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w-])", text)]
    assert [] == [name for name in principals - {f"{role}.{own}"} if re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w-])", text)]


@pytest.mark.parametrize("name", READERS)
def test_the_topics_are_those_of_the_access_rules(name: str) -> None:
    """
    A recipient reads its views of the kinds that it is given, has its way back whole, and writes its answers alone.
    """
    operations = READS[name]["operations"]
    channels = READS[name]["channels"]
    to = {operation: channels[one["channel"]["$ref"].rpartition("/")[2]]["address"] for operation, one in operations.items()}
    sent = {address for operation, address in to.items() if operations[operation]["action"] == "send"}
    read = {address for operation, address in to.items() if operations[operation]["action"] == "receive"}
    may = readable(BUS.pipeline, BUS.codec.lock, name, ON)

    assert {f"from.{name}.answer"} == sent
    assert {f"replied.{name}", f"from.{name}.answer", *(f"for.{name}.{kind}" for kind in may)} == read
    reply = operations[f"write_from_{name}_answer"]["reply"]["channel"]["$ref"].rpartition("/")[2]
    assert f"replied.{name}" == channels[reply]["address"]


def test_a_kind_without_an_agreement_is_not_there() -> None:
    """
    An agreement that has ended gives no kind any more, though its retractions still come.

    One inside a scope that is over gives no field.
    """
    later = for_recipient(BUS, "protection-partner", date(2029, 6, 1))
    before, after = (readable(BUS.pipeline, BUS.codec.lock, "rcoc", day)["interception"].ways for day in (ON, date(2027, 6, 1)))

    assert {"retraction"} == views(later).keys()
    assert "for.protection-partner.sighting" not in json.dumps(later)
    assert "action.detected_by" in before
    assert "action.detected_by" not in after


def test_whatever_the_bus_writes_is_in_the_document() -> None:
    """
    One boat told by two States, through all steps: of every view, link and alert each recipient's document has every field.
    """
    bus = told(*(national("interception", value) for value in two()))
    seen: Counter[str] = Counter()
    for name in READERS:
        topics = {topic.name: str(topic.kind) for topic in DECLARED.topics.values() if topic.recipient == name}
        for kind in (kind for address, kind in topics.items() if address == f"for.{name}.{kind}" and bus.read(address)):
            may = set(paths_of(payload(READS[name], kind), {}))
            for value in sent(bus, name, kind):
                seen[kind] += 1
                assert may >= {path for path, item in leaves(value) if not isinstance(item, (Withheld, Sealed))}, (name, kind)

    assert {"interception", "link", "alert"} <= seen.keys()


def test_sealed_views_say_so() -> None:
    """
    Where every agreement seals, the document says that the value is sealed and names the header with the key; elsewhere neither.
    """
    sealed = READS["protection-partner"]["components"]["messages"]["interceptionView"]
    plain = READS["rcoc"]["components"]["messages"]["interceptionView"]

    assert ["application/vnd.boutre.sealed"] == sealed["headers"]["properties"]["content-type"]["enum"]
    assert "boutre-wrapped" in sealed["headers"]["properties"]
    assert ["application/avro"] == plain["headers"]["properties"]["content-type"]["enum"]
    assert "boutre-wrapped" not in plain["headers"]["properties"]


def test_a_document_speaks_its_recipients_language() -> None:
    """
    RMIFC reads French, RCOC English: titles, descriptions, names of fields, and how each is given.
    """
    french, english = READS["rmifc"], READS["rcoc"]
    fields = {name: one["components"]["messages"]["sightingView"]["x-boutre-fields"] for name, one in READS.items()}
    field = {name: one["times.observed.at"] for name, one in fields.items()}

    assert french["info"]["title"].startswith("Ce que peut lire")
    assert english["info"]["title"].startswith("What ")
    assert len({one["exercise"]["name"] for one in fields.values()}) == 2
    assert any("jour" in way for way in field["comoros"]["given"])
    assert any("hour" in way for way in field["mauritius"]["given"])


# --- What a member's document says ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", WRITERS)
def test_a_member_writes_its_own_by_the_locked_schema(name: str) -> None:
    """
    A member sends each kind that it publishes by the whole locked schema, and is told what is refused, asked and released.
    """
    document = WRITES[name]
    channels = document["channels"]
    sends = {
        channels[one["channel"]["$ref"].rpartition("/")[2]]["address"]
        for one in document["operations"].values()
        if one["action"] == "send"
    }
    kinds = DECLARED.members[name].kinds

    assert {f"replies.{name}", f"rejects.{name}", *(f"national.{name}.{kind}" for kind in kinds)} == sends
    for kind in kinds:
        schema = document["components"]["messages"][f"{kind}Record"]["payload"]["schema"]
        assert BUS.codec.lock.latest(kind).schema == schema
        assert BUS.codec.lock.latest(kind).id == document["components"]["messages"][f"{kind}Record"]["x-boutre-schema-id"]


# --- The reader's schema, and the command --------------------------------------------------------------------------------------


def test_one_type_cut_in_two_ways_stands_there_twice() -> None:
    """
    A type of which two places give different fields is two types by one name in two name spaces, and each place reads its own.
    """
    inner = {"type": "record", "name": "Moment", "namespace": "boutre", "fields": [
        {"name": "at", "type": "long"}, {"name": "place", "type": ["null", "string"], "default": None},
    ]}  # fmt: skip
    whole = {"type": "record", "name": "R", "namespace": "boutre", "fields": [
        {"name": "seen", "type": ["null", inner], "default": None},
        {"name": "told", "type": {"type": "array", "items": "boutre.Moment"}, "default": []},
        {"name": "secret", "type": ["null", "boutre.Moment"], "default": None},
    ]}  # fmt: skip
    cut = project(whole, {"seen", "seen.at", "told", "told.at", "told.place"})
    data = BytesIO()
    one = {"at": 1, "place": "x"}
    fastavro.schemaless_writer(data, fastavro.parse_schema(whole), {"seen": one, "told": [one], "secret": one})
    data.seek(0)

    read = fastavro.schemaless_reader(data, fastavro.parse_schema(whole), fastavro.parse_schema(cut))
    assert {"seen": {"at": 1}, "told": [one]} == read


@pytest.mark.parametrize(
    "words", [[], ["--recipient", "rcoc", "--member", "france"], ["--recipient", "nobody"], ["--member", "rcoc"]]
)
def test_the_command_wants_one_party_that_exists(words: list[str]) -> None:
    """
    Neither none nor two, nor one that is not declared; an unknown one is refused with those that there are.
    """
    done = CliRunner().invoke(main, ["--bus", str(ROOT), "asyncapi", *words])

    assert 2 == done.exit_code
    assert "" == done.stdout
    assert len(words) != 2 or "there are" in done.stderr


def test_no_view_of_another_pattern_is_promised() -> None:
    """
    Every topic of views of a recipient that is given something of its kind is in its document, under its own address.
    """
    for name, document in READS.items():
        addresses = {channel["address"] for channel in document["channels"].values()}
        topics = {topic.name for topic in DECLARED.topics.values() if topic.pattern == VIEWS and topic.recipient == name}
        assert {address for address in addresses if address.startswith("for.")} == {
            f"for.{name}.{kind}" for kind in views(document)
        }
        assert topics >= {address for address in addresses if address.startswith("for.")}
