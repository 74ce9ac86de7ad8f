"""
The text catalogue: whole in both languages, and never in the way of what must go on.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boutre.errors import DeclarationError
from boutre.language import LANGUAGES, both, catalogue, french, keys, read, say
from boutre.schemas import fields
from boutre.schemas.vocabulary import load

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "boutre" / "catalogue.toml"


def calls() -> list[tuple[str, frozenset[str], bool, str]]:
    """
    Every text that the code asks for by its whole key: the key, the values it gives, whether it gives others too, and where.
    """
    found = []
    for path in sorted((ROOT / "src").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), filename=str(path))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"say", "both"} and node.args:
                key = node.args[0]
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    given = frozenset(word.arg for word in node.keywords if word.arg)
                    found.append((key.value, given, any(word.arg is None for word in node.keywords), f"{path.name}:{node.lineno}"))
    return found


# --- The catalogue that ships --------------------------------------------------------------------------------------------------


def test_the_catalogue_is_whole() -> None:
    """
    Reading it proves that every text has both languages, and the same names in and out of brackets in both.
    """
    assert len(catalogue()) > 100
    assert all(set(texts) == set(LANGUAGES) for texts in catalogue().values())


def test_sections_and_texts_stand_in_order() -> None:
    """
    Several people add to the file: a text is found, and two that are the same are seen, when it is in alphabetical order.
    """
    headings = re.findall(r"^\[([a-z0-9_.-]+)\]$", SOURCE.read_text(encoding="utf-8"), flags=re.MULTILINE)

    assert sorted(headings, key=lambda key: key.split(".")) == headings


def test_every_reason_of_a_reject_has_its_sentence() -> None:
    """
    Whoever gets a reject reads what is wrong and what to do; and no sentence is left for a reason that no longer exists.
    """
    codes = load(ROOT / "schemas" / "vocabularies").codes("reject-reason@1")

    assert {f"reject.{code}" for code in codes} == keys("reject")


@pytest.mark.parametrize("key", sorted(keys("reject")))
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_reject_reads_well_with_and_without_its_values(key: str, language: str) -> None:
    """
    The sentence is whole without its values, shows each that it has a place for, and says what is wrong as well as what to do.
    """
    values = {"field": "times.observed", "place": "form.xlsx, 14", "detail": "nine digits"}
    bare, full = say(key, language), say(key, language, **values)
    text = catalogue()[key][language]

    assert frozenset() == text.needed
    assert text.names <= values.keys()
    assert not re.search(r"[{}\[\]…]|  | [.,]|\(\)", bare + full)
    assert bare.endswith(".")
    assert len(re.findall(r"[.;](\s|$)", bare)) >= 2
    assert all(values[part] in full for part in text.names)


def test_every_group_has_a_heading() -> None:
    """
    Nobody at a centre has to read the name that a group has in a schema; and no heading is left for a group that no longer exists.
    """
    shown = ("sighting", "interception", "alert", "retraction", "link")
    groups = {info.top for kind in shown for info in fields.walk(fields.read(ROOT / "schemas")[kind])}

    assert {f"group.{group}" for group in groups} == keys("group")


def test_the_code_asks_only_for_texts_that_exist() -> None:
    """
    A text that is asked for by name is in the catalogue, and gets every value that it needs: at run time nothing would fail.
    """
    found = calls()
    missing = [(key, where) for key, _, _, where in found if key not in keys()]
    holes = [
        (key, where)
        for key, given, more, where in found
        if key in keys() and not more and not catalogue()[key]["en"].needed <= given
    ]

    assert [] == missing
    assert [] == holes


def test_french_punctuation_holds_together() -> None:
    """
    In French no line breaks before : ; ? ! or inside guillemets, and no such sign stands without its space.
    """
    for key, texts in catalogue().items():
        text = "".join(part for part, _ in texts["fr"].parts)
        assert not re.search(r" [:;?!»]|« ", text), key
        assert not re.search(r"[^\s\u00a0][;?!»]|«[^\u00a0]", text), key


# --- Saying --------------------------------------------------------------------------------------------------------------------


def test_a_part_without_its_value_is_left_out() -> None:
    """
    What a caller does not know leaves no hole; a dash is what tables show for nothing.
    """
    whole = "withheld under iorf@1, default-deny; ask CRFIM"

    assert whole == say("mark.withheld", "en", agreement="iorf@1", clause="default-deny", ask="CRFIM")
    assert say("mark.withheld", "en", agreement="iorf@1", clause="-", ask=None) == "withheld under iorf@1"
    assert say("mark.withheld", "en", ask="") == "withheld"


def test_a_value_may_come_in_both_languages() -> None:
    """
    A detail that is itself words is shown in the language of its sentence.
    """
    said = both("reject.wrong-type", detail=both("detail.bus-only"))

    assert "only the bus sets this" in said["en"]
    assert "réservé au bus" in said["fr"]


def test_to_say_something_never_fails() -> None:
    """
    A text that is not there, a value that is missing and a language that is not spoken are no reason to stop.
    """
    assert say("reject.no-such-reason", "fr") == "no-such-reason"
    assert say("watch.from", "en") == "from …"
    assert say("mark.unknown", "sw") == say("mark.unknown", "en")


@given(value=st.text(max_size=30))
def test_a_value_is_shown_and_never_obeyed(value: str) -> None:
    """
    Braces, brackets and whatever would steer a terminal, in the name of a file for example, do nothing.
    """
    said = say("watch.from", "en", member=value)

    assert said.isprintable()
    shown = "".join(character if character.isprintable() else "\ufffd" for character in value)
    assert said == f"from {'…' if shown in ('', '-') else shown}"


def test_a_name_in_a_value_is_not_filled_in() -> None:
    """
    What came in as a value is not looked at again.
    """
    assert say("watch.from", "en", member="{member}[x]") == "from {member}[x]"


def test_french_spaces_are_set() -> None:
    """
    The spaces of French punctuation become such that no line breaks at them; colons without a space, as in times, stay.
    """
    assert french("Attention : « 12:30 » ; vu ?") == "Attention\u00a0: «\u00a012:30\u00a0»\u00a0; vu\u00a0?"


# --- Reading -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ('[a.b]\nen = "x"', "a.b: holds en"),
        ('[a.b]\nen = "x"\nfr = "y"\nsw = "z"', "a.b: holds en, fr, sw"),
        ('[a.b]\nen = "x"\nfr = ""', "a.b.fr: is empty"),
        ('[a.b]\nen = "x {c}"\nfr = "y"', "a.b: the two languages do not have the same"),
        ('[a.b]\nen = "x {c}"\nfr = "y[ {c}]"', "a.b: the two languages do not have the same"),
        ('[a.b]\nen = "x [c"\nfr = "y"', "a.b.en: is empty, or its [ ] or { } do not pair"),
        ('[a.b]\nen = "x"\nfr = "y [[c]]"', "a.b.fr: is empty, or its [ ] or { } do not pair"),
        ('[a.b]\nen = "x {C}"\nfr = "y {C}"', "a.b.en: is empty, or its [ ] or { } do not pair"),
        ('[a.b]\nen = "x {c"\nfr = "y"', "a.b.en: is empty, or its [ ] or { } do not pair"),
        ('a = "x"', "a: is no text"),
        ("[a.b]", "a.b: is no text"),
        ("a = ", "is not TOML"),
    ],
)
def test_a_catalogue_that_is_not_whole_is_refused(content: str, fault: str) -> None:
    """
    What is wrong with a text is said with its key when the catalogue is read, and not when somebody needs the text.
    """
    with pytest.raises(DeclarationError) as caught:
        read(content)

    assert fault in str(caught.value)


def test_all_that_is_wrong_with_a_catalogue_is_said_at_once() -> None:
    """
    One reading names every text that has to be mended.
    """
    with pytest.raises(DeclarationError) as caught:
        read('[a]\nen = "x"\n[b.c]\nen = "x {d}"\nfr = "y"\n[e]\nen = "x"\nfr = 1')

    assert [fault.key for fault in caught.value.faults] == ["a", "b.c", "e.fr"]
