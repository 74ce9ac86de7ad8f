"""
The vocabularies of this bus, and how strictly a vocabulary is read.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from boutre.errors import DeclarationError
from boutre.schemas import fields
from boutre.schemas.vocabulary import Vocabularies, load

ROOT = Path(__file__).parents[2]
CORE = ROOT / "schemas" / "vocabularies"

STANDARDS = ("CISE", "HTCDS", "OASIS CAP", "FIRST TLP", "ITU-R", "Admiralty", "MISP", "Europol")
"""
Sources whose own spelling is kept; what the bus itself lists is in lower case with hyphens.
"""

GOOD = """
scheme = "weather"
version = 1
source = "A test"
title = { en = "Weather", fr = "Météo" }

[[code]]
code = "fair"
en = "Fair"
fr = "Beau temps"
value = 1

[[code]]
code = "foul"
en = "Foul"
fr = "Mauvais temps"
"""


@pytest.fixture(scope="module")
def core() -> Vocabularies:
    """
    The vocabularies that ship.
    """
    return load(CORE)


def folder(path: Path, **contents: str) -> Path:
    """
    A folder of vocabulary files.
    """
    path.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (path / f"{name}.toml").write_text(content, encoding="utf-8")
    return path


def test_every_vocabulary_that_a_field_names_exists(core: Vocabularies) -> None:
    """
    A field whose vocabulary is missing would take no code at all.
    """
    named = {info.vocabulary for schema in fields.read(ROOT / "schemas").values() for info in fields.walk(schema, states=True)}

    assert named - {None} - set(core.every) == set()


def test_no_vocabulary_is_kept_for_nobody(core: Vocabularies) -> None:
    """
    A vocabulary is named by a field, or is a classification of CISE that ``event.classes`` and ``infractions`` refer to by scheme.
    """
    named = {info.vocabulary for schema in fields.read(ROOT / "schemas").values() for info in fields.walk(schema, states=True)}

    assert {name for name in core.every if not name.startswith("cise-")} - named == set()


@pytest.mark.parametrize(
    ("scheme", "count"),
    [
        ("sensor@1", 17),
        ("purpose@1", 23),  # 21 of CISE and two of the bus
        ("cise-irregular-migration@1.5.3", 12),
        ("cise-anomaly@1.5.3", 12),
        ("cise-maritime-safety@1.5.3", 26),
        ("cise-law-infringement@1.5.3", 43),  # 45 with an Other of their own for two groups
        ("certainty@1", 5),
        ("response@1", 9),
        ("means-of-control@1", 18),
        ("exploitation@1", 11),
        ("navigational-status@1", 16),
        ("tlp@2", 5),
    ],
)
def test_a_standard_is_carried_over_whole(core: Vocabularies, scheme: str, count: int) -> None:
    """
    A list that its standard closes has as many codes here as there.
    """
    assert count == len(core.codes(scheme))


def test_the_bus_spells_its_own_codes_in_one_way(core: Vocabularies) -> None:
    """
    A code that is not a standard's is in lower case with hyphens, so that nobody need look up how it is spelt.
    """
    own = {name: vocabulary for name, vocabulary in core.every.items() if not vocabulary.source.startswith(STANDARDS)}
    odd = {
        (name, term.code)
        for name, vocabulary in own.items()
        for term in vocabulary.code
        if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", term.code)
    }

    assert odd == set()


def test_labels_tell_codes_apart(core: Vocabularies) -> None:
    """
    Two codes of one vocabulary with the same label could not be told apart by who reads or fills in a form.
    """
    labels = Counter(
        (name, language, getattr(term, language))
        for name, vocabulary in core.every.items()
        for term in vocabulary.code
        for language in ("en", "fr")
    )

    assert [] == [label for label, times in labels.items() if times > 1]


def test_what_cannot_be_judged_has_no_number(core: Vocabularies) -> None:
    """
    Admiralty F and 6 mean unknown: half a trust, as some taxonomies give it, would be a claim that nobody made.
    """
    assert [100, 75, 50, 25, 0, None] == [core.value("admiralty-reliability@1", code) for code in "ABCDEF"]
    assert [100, 75, 50, 25, 0, None] == [core.value("admiralty-credibility@1", code) for code in "123456"]


def test_ais_numbers_are_their_own_codes(core: Vocabularies) -> None:
    """
    A navigational status is coded by the number that AIS sends.
    """
    assert set(range(16)) == {core.value("navigational-status@1", str(number)) for number in range(16)}


def test_a_push_back_cannot_hide_as_a_prevented_departure(core: Vocabularies) -> None:
    """
    What became of people has codes of its own for who was stopped ashore, who was taken back, and who is said to be pushed back.
    """
    codes = core.codes("people-outcome@1")

    assert {"prevented-departure", "returned-to-departure", "pushed-back-reported", "unknown"} <= codes
    assert "other" not in codes


def test_every_kind_of_record_has_its_code(core: Vocabularies) -> None:
    """
    A receipt can name the kind of each record that there is a schema for.
    """
    assert set(fields.read(ROOT / "schemas")) <= core.codes("kind@1")


def test_what_the_incident_feeds_hold_has_a_code(core: Vocabularies) -> None:
    """
    The kinds of craft that both incident feeds name can be said without falling back to ``other``.
    """
    wanted = {"merchant-vessel", "bulk-carrier", "tanker", "container-ship", "cargo-ship", "fishing-vessel", "yacht", "dhow"}
    wanted |= {"chemical-tanker", "product-tanker", "gas-carrier", "general-cargo", "tug", "vehicle-carrier", "trawler"}
    wanted |= {"sailing-vessel", "ro-ro", "kwassa", "skiff", "speedboat"}

    assert wanted - core.codes("craft@1") == set()


def refusals() -> Iterator[tuple[str, str]]:
    """
    Every reason that the code gives by name, with its file.
    """
    for path in sorted((ROOT / "src").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or not node.args:
                continue
            first = node.args[0]
            # Problem is also the name of what is wrong with a schema, which has a path first.
            named = node.func.id in {"Refuse", "Reject", "Bad"} or (
                node.func.id == "Problem" and path.stem in {"sense", "validation"}
            )
            if named and isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield first.value, f"{path.name}:{node.lineno}"


def test_every_reason_that_the_code_gives_is_in_the_vocabulary(core: Vocabularies) -> None:
    """
    A reject with a reason of its own making would have no sentence, and its owner would not know what to do.
    """
    given = list(refusals())

    assert [] == [(code, where) for code, where in given if not core.has("reject-reason@1", code)]
    assert len(given) > 10


def test_a_label_is_never_missing(core: Vocabularies) -> None:
    """
    Whoever shows a code always has something to show: its words, or the code itself where another bus has codes not known here.
    """
    assert core.label("tlp@2", "RED", "en").startswith("TLP:RED")
    assert core.label("colour@1", "white", "fr") == "Blanc"
    assert core.label("colour@1", "white", "sw") == "White"
    assert core.label("colour@1", "teal", "fr") == "teal"
    assert core.label("colour@9", "teal", "fr") == "teal"


def test_a_vocabulary_that_does_not_exist_lets_nothing_through(core: Vocabularies) -> None:
    """
    Deny is what happens when a list is missing, and spelling is not forgiven.
    """
    assert frozenset() == core.codes("tlp@1")
    assert not core.has("tlp@1", "RED")
    assert not core.has("tlp@2", "red")
    assert core.value("tlp@1", "RED") is None
    assert "tlp@1" not in core


def test_another_bus_adds_its_own(tmp_path: Path) -> None:
    """
    A further folder adds vocabularies and versions to those of the core.
    """
    tide = GOOD.replace("weather", "tide")
    both = load(
        folder(tmp_path / "core", weather=GOOD),
        folder(tmp_path / "extra", tide=tide, **{"weather@2": GOOD.replace("= 1", "= 2", 1)}),
    )

    assert {"weather@1", "weather@2", "tide@1"} == set(both.every)


def test_the_core_cannot_be_changed_from_outside(tmp_path: Path) -> None:
    """
    Another bus that declares a core vocabulary again is told so: codes mean the same on every bus.
    """
    core = folder(tmp_path / "core", weather=GOOD)
    extra = folder(tmp_path / "extra", weather=GOOD)

    with pytest.raises(DeclarationError, match=r"extra/weather.toml: scheme: weather@1 is declared twice"):
        load(core, extra)


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    """
    Every file is read before anything is raised, and each fault names its file and key.
    """
    core = folder(
        tmp_path,
        weather=GOOD.replace('fr = "Beau temps"\n', ""),
        tide=GOOD,
        colour=GOOD.replace("weather", "colour").replace('"foul"', '"fair"'),
        wind=GOOD.replace("weather", "wind") + "sort = 1\n",
        cloud="scheme = ",
    )

    with pytest.raises(DeclarationError) as caught:
        load(core)

    said = {(Path(fault.file).name, fault.key) for fault in caught.value.faults}
    assert said == {
        ("weather.toml", "code[1].fr"),
        ("tide.toml", "scheme"),
        ("colour.toml", "code[fair]"),
        ("wind.toml", "code[2].sort"),
        ("cloud.toml", ""),
    }


def test_an_empty_folder_is_no_answer(tmp_path: Path) -> None:
    """
    A folder without vocabularies is a wrong path, not a bus without codes.
    """
    with pytest.raises(DeclarationError, match="no vocabulary stands here"):
        load(tmp_path)
