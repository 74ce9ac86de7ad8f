"""
A view in words, in both languages, and side by side.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from boutre.connectors.delivery import KINDS, Delivery
from boutre.connectors.phrases import Words, length, moment, number, position, safe, scalar, span, text_in
from boutre.connectors.side_by_side import Cell, compare, side_by_side
from boutre.connectors.sinks.trial import SEALED, STATES, WITHHELD, delivery
from boutre.connectors.wording import BODY, lines, method
from boutre.language import keys

WORDS = Words.core()
LANGUAGES = ("en", "fr")


def told(view: Delivery, language: str) -> str:
    """All lines as one text, with ordinary spaces where French sets others."""
    return "\n".join(line.text for line in lines(view, language, WORDS)).replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_view_says_where_it_comes_from_how_sure_how_old_and_what_was_withheld(kind: str, language: str) -> None:
    """Origin, doubt, age and what was kept back are in the words of every view, whatever its kind."""
    text = told(delivery(kind), language)
    expected = {
        "en": ("Reported by: comoros, Gendarmerie nationale", "3 hours after the event", "Not given to rcoc: Reported by (unit)"),
        "fr": ("Origine : comoros, Gendarmerie nationale", "3 heures après les faits", "Non communiqué à rcoc : Origine (unité)"),
    }
    by_the_bus = {
        "en": (
            "Reported by: the bus, by the rule kwassa@1",
            "told on 2026-03-09 04:30 UTC",
            "what was withheld from it is not in it",
        ),
        "fr": ("Origine : le bus, selon la règle kwassa@1", "communiqué le 2026-03-09 04:30 UTC", "communiqué n'y entre pas"),
    }
    doubt = {"en": "Usually reliable", "fr": "Habituellement fiable"}[language]
    sure = {"en": "probability: 87 %", "fr": "probabilité : 87 %"}[language]

    assert [part for part in (by_the_bus if kind == "link" else expected)[language] if part not in text] == []
    assert (doubt in text) == (kind not in {"retraction", "link"})
    assert (sure in text) == (kind == "link")


# --- links -----------------------------------------------------------------------------------------------------------------


def link(life: str = "initial", revision: int = 0, **groups: Any) -> Delivery:
    """A view of a link, with *groups* in place of parts of it."""
    told = {**delivery("link").value["link"], **groups}
    return delivery("link", lifecycle={"status": life, "revision": revision}, link=told)


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        (
            "en",
            (
                "The same craft",
                "For it: the distance between them (strongly); 3.4 bits",
                "Against it: the engines (slightly); -0.7",
            ),
        ),
        (
            "fr",
            (
                "Même embarcation",
                "Pour : la distance qui les sépare (fortement) ; 3,4 bits",
                "Contre : la motorisation (légèrement)",
            ),
        ),
    ],
)
def test_a_link_says_what_it_links_how_and_why(language: str, expected: tuple[str, ...]) -> None:
    """Its type, its two views as they were delivered, its sentence and that of each comparison, in the reader's language alone."""
    told_as = delivery("link").value["link"]
    text = told(link(), language)
    other = "fr" if language == "en" else "en"

    assert [part for part in (*expected, *told_as["views"], *told_as["records"], link().of) if part not in text] == []
    assert told_as["explanation"][language] in text
    assert told_as["explanation"][other] not in text


@pytest.mark.parametrize(
    ("reason", "english", "french"),
    [
        ("not-same", "WITHDRAWN: A person says that they are not the same", "RETIRÉ : Une personne dit qu'il ne s'agit pas"),
        ("judgement-changed", "WITHDRAWN: The person's judgement", "RETIRÉ : Le jugement de la personne"),
        ("recalled", "WITHDRAWN: One of the records was taken back", "RETIRÉ : L'un des enregistrements a été retiré"),
        ("no-longer-found", "WITHDRAWN: What is known now", "RETIRÉ : Les éléments désormais connus"),
        (None, "WITHDRAWN", "RETIRÉ"),
    ],
)
def test_a_link_that_was_withdrawn_says_so_and_why(reason: str | None, english: str, french: str) -> None:
    """It is marked, before all that it says; one that stands is not."""
    view = link("cancel", 2, status="withdrawn", reason=reason)

    assert english in told(view, "en")
    assert french in told(view, "fr")
    assert [line.mark for line in lines(view, "en", WORDS)].index("urgent") < 3
    assert "WITHDRAWN" not in told(link(), "en")


def test_a_cancelled_link_never_passes_for_one_that_stands() -> None:
    """Whatever its own status says, or if that is not told."""
    for status in ("made", "unsure", None):
        assert "WITHDRAWN" in told(link("cancel", 2, status=status), "en")
    assert "CANCELLED" in told(replace(link("cancel"), value={**link("cancel").value, "link": WITHHELD}), "en")


def test_a_link_that_is_unsure_or_was_told_anew_says_so() -> None:
    """Both are marked."""
    text = told(link("update", 3, status="unsure", by="analyst"), "en")

    assert "amended, revision 3" in text
    assert "A person is not sure: it counts for nothing until somebody decides" in text
    assert "the rule kwassa@1, from what rcoc was given; judged by a person: analyst" in text


def test_a_persons_link_names_the_person_and_no_percentage() -> None:
    """A word is a word: no number makes it more."""
    view = link(rule=None, by="duty analyst", probability=1.0, judgement="answer", evidence=[])

    assert "Reported by: the bus, on the word of a person: duty analyst" in told(view, "en")
    assert "certain pour la personne qui l'affirme" in told(view, "fr")
    assert "100 %" not in told(view, "en")


def test_what_a_link_does_not_tell_is_said() -> None:
    """A link without its parts has words for what is not known, and nothing that somebody wrote steers the terminal."""
    bare = link(type=None, views=[], records=["\x1b[2Jone"], probability=None, explanation=None, rule=None, evidence=[])
    text = told(bare, "en")

    assert "probability: not known" in text
    assert "views: \N{REPLACEMENT CHARACTER}[2Jone" in text
    assert "Reported by: the bus, from what rcoc was given" in text
    assert "view not known (record one)" in told(link(views=[], records=["one", "two"]), "en")


def test_a_withheld_link_is_not_an_unknown_one() -> None:
    """As of every group, each reads otherwise."""
    texts = [told(replace(link(), value={**link().value, "link": group}), "en") for group in (WITHHELD, SEALED, None)]

    assert [("Link: withheld under" in text, "Link: sealed" in text, "Link: not known" in text) for text in texts] == [
        (True, False, False),
        (False, True, False),
        (False, False, True),
    ]


def test_an_alert_of_the_bus_names_its_rule() -> None:
    """No member reports it; one that a member sent names the member, and one whose origin was withheld says so."""
    own = {**delivery("alert").value["view"], "agreements": [], "fields": []}
    made = delivery("alert", origin=None, view=own, provenance={"sources": [], "derived_from": ["a"], "method": "distress@1"})
    cut = delivery("alert", origin=None)

    assert "Reported by: the bus, by the rule distress@1, from what rcoc was given" in told(made, "en")
    assert "the bus, by" not in told(cut, "en") + told(delivery("alert"), "en")
    assert "Reported by: not known" in told(cut, "en")


# --- what is withheld ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "withheld", "sealed", "unknown"),
    [
        (
            "en",
            "Position: withheld under comoros-rcoc@1, categories.identity; ask Comoros Coast Guard",
            "Position: sealed",
            "Position: not known",
        ),
        (
            "fr",
            "Position : non communiqué en vertu de comoros-rcoc@1, categories.identity ; s'adresser à Comoros",
            "Position : scellé",
            "Position : inconnu",
        ),
    ],
)
def test_withheld_sealed_and_unknown_never_read_alike(language: str, withheld: str, sealed: str, unknown: str) -> None:
    """Each has words of its own, and only the withheld one names whom to ask."""
    given_back = delivery(position=None)
    texts = [
        told(replace(given_back, value={**given_back.value, "position": group}), language) for group in (WITHHELD, SEALED, None)
    ]

    assert [part in text for part, text in zip((withheld, sealed, unknown), texts, strict=True)] == [True, True, True]
    assert [withheld in text for text in texts] == [True, False, False]
    assert [unknown in text for text in texts] == [False, False, True]


def test_a_group_of_which_parts_are_withheld_is_not_simply_unknown() -> None:
    """Nothing is known of it from what is given: its other parts may be known to others."""
    states = [{"field": "persons.dead", "state": "withheld", "clause": "default-deny", "method": None}]
    view = delivery(persons=None, view={**delivery().value["view"], "fields": states})

    assert "People: not known from what is given" in told(view, "en")
    assert "Personnes : inconnu d'après ce qui est communiqué" in told(view, "fr")
    assert "Not given to rcoc: People (dead)" in told(view, "en")


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", "Position: 12°15.0\N{PRIME}S 044°45.0\N{PRIME}E ± 39.36 km [made less precise (grid of 0.5°)]"),
        ("fr", "Position : 12°15,0\N{PRIME}S 044°45,0\N{PRIME}E ± 39,36 km [précision réduite (maille de 0,5°)]"),
    ],
)
def test_a_coarse_position_says_so(language: str, expected: str) -> None:
    """Its radius and how it was made coarse go with it, in the decimal sign of the language."""
    assert expected in told(delivery(), language).split("\n")


def test_codes_are_said_in_words() -> None:
    """No code of the trial views stays a code where its vocabulary has words."""
    text = told(delivery("interception"), "fr")

    assert [word for word in ("Kwassa-kwassa", "Sauvetage", "Soins médicaux", "Interpellation") if word not in text] == []
    assert "medical-care" not in text


def test_an_exercise_is_told_first() -> None:
    """An exercise is never mistaken for the real thing, and the real thing is never called one."""
    real = delivery(exercise=False)

    assert lines(delivery(), "fr", WORDS)[0].mark == "exercise"
    assert lines(delivery(), "fr", WORDS)[0].text == "EXERCICE - événement fictif"
    assert "EXERC" not in told(real, "fr") + told(real, "en")


@pytest.mark.parametrize(
    ("groups", "english", "french"),
    [
        ({"lifecycle": {"status": "cancel", "revision": 2}}, "CANCELLED", "ANNULÉ"),
        ({"lifecycle": {"status": "update", "revision": 2}}, "amended, revision 2", "rectifié, révision 2"),
        ({"times": {"observed": {"at": datetime(2023, 5, 4, tzinfo=UTC), "precision": "day"}, "late": True}}, "LATE", "TARDIF"),
    ],
)
def test_what_changes_how_a_view_is_read_is_told(groups: dict[str, Any], english: str, french: str) -> None:
    """Updates, cancellations and lateness are marked."""
    assert english in told(delivery(**groups), "en")
    assert french in told(delivery(**groups), "fr")


def test_a_day_is_not_midnight() -> None:
    """An event known to a day is shown as a day, and its age in days."""
    view = delivery(times={"observed": {"at": datetime(2026, 3, 7, tzinfo=UTC), "precision": "day"}})

    assert "seen: 2026-03-07; 2 days after the event" in told(view, "en")
    assert "constaté : 2026-03-07 ; 2 jours après les faits" in told(view, "fr")


def test_lives_at_risk_and_what_to_do_are_told_in_the_language() -> None:
    """An alert's headline and instruction are those written in the language of the reader."""
    assert "LIVES AT RISK" in told(delivery("alert"), "en")
    assert "Listen on channel 16." in told(delivery("alert"), "en")
    assert "Veillez sur le canal 16." not in told(delivery("alert"), "en")


def test_words_in_another_language_are_given_with_its_tag() -> None:
    """Where nobody wrote in the reader's language all that was written is shown, with its language."""
    assert (
        text_in([{"language": "mg", "text": "Sambo"}, {"language": "fr-KM", "text": "Bateau"}], "en") == "[mg] Sambo [fr-KM] Bateau"
    )
    assert text_in([{"language": "mg", "text": "Sambo"}, {"language": "fr-KM", "text": "Bateau"}], "fr") == "Bateau"


@given(st.text())
def test_nothing_that_somebody_wrote_steers_a_terminal(text: str) -> None:
    """Control, invisible and direction-changing characters are replaced; the rest, accents and all, stays."""
    shown = safe(text)

    assert [character for character in shown if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"}] == []
    assert "\n" not in shown
    assert safe("Éléonore \U0001f6a4 中") == "Éléonore \U0001f6a4 中"


def test_a_hostile_view_stays_on_its_lines() -> None:
    """Escape sequences and overrides in any text of a view reach the terminal as replaced characters."""
    hostile = "\x1b]0;owned\x07\u202eevil\r\nPosition: here"
    view = delivery(
        narrative=[{"language": "en", "text": hostile, "translation_of": None}],
        claims=[{"attribute": "name", "value": hostile}],
        origin={"member": hostile, "authority": hostile},
        unmapped=[{"name": hostile, "value": hostile}],
    )
    for language in LANGUAGES:
        assert [line for line in lines(view, language, WORDS) if not line.text.isprintable() and "\xa0" not in line.text] == []
        assert len([line for line in told(view, language).splitlines() if line.startswith("Position")]) == 1


# --- values ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("least", "most", "estimated", "expected"),
    [
        (28, 28, False, "28"),
        (28, 30, True, "28-30 (estimated)"),
        (28, None, False, "≥ 28"),
        (None, 30, None, "≤ 30"),
        (0, 0, False, "0"),
        (None, None, True, ""),
        (1234.5, 1234.5, False, "1,234.5"),
    ],
)
def test_a_range_is_told_as_it_was(least: float | None, most: float | None, estimated: bool | None, expected: str) -> None:  # noqa: FBT001 - a case of the table above
    """Counted, between, at least, at most; none is not unknown."""
    assert span({"min": least, "max": most, "estimated": estimated}, "en") == expected


def test_numbers_have_the_signs_of_their_language() -> None:
    """French sets a comma, and a space between thousands; nothing in them breaks a line or hides."""
    assert (number(1234.5, "fr"), number(1234.5, "en")) == ("1 234,5", "1,234.5")
    assert (number(float("nan"), "fr"), scalar(0.805, "fr", "%")) == ("?", "80,5 %")


@given(latitude=st.floats(-90, 90), longitude=st.floats(-180, 180))
def test_degrees_and_minutes_are_the_position(latitude: float, longitude: float) -> None:
    """What is read back from the words lies within a tenth of a minute, and never shows 60 minutes."""
    south, east = position({"latitude": latitude, "longitude": longitude}, "en").split()

    assert abs(_degrees(south, "NS") - latitude) <= 0.05 / 60 + 1e-9
    assert abs(_degrees(east, "EW") - longitude) <= 0.05 / 60 + 1e-9
    assert "60.0" not in south + east


def _degrees(text: str, sides: str) -> float:
    degrees, _, minutes = text[:-2].partition("°")
    return (int(degrees) + float(minutes) / 60) * (-1 if text[-1] == sides[1] else 1)


@pytest.mark.parametrize(
    ("precision", "expected"),
    [
        ("year", "2023"),
        ("month", "2023-05"),
        ("day", "2023-05-04"),
        ("minute", "2023-05-04 21:10 UTC"),
        ("odd", "2023-05-04 21:10:09 UTC"),
    ],
)
def test_a_moment_is_as_fine_as_it_is_known(precision: str, expected: str) -> None:
    """No digit is shown that nobody knew."""
    assert moment({"at": datetime(2023, 5, 4, 21, 10, 9, tzinfo=UTC), "precision": precision}, "fr") == expected


def test_an_age_is_no_finer_than_its_event() -> None:
    """An event known to a day is days old, however the bus counts."""
    assert (length(7300, "en", "day"), length(7300, "en", "minute"), length(90, "fr", None)) == ("1 day", "2 hours", "90 secondes")


@pytest.mark.parametrize(
    ("code", "french"),
    [
        ("grid 0.25 degree", "maille de 0,25°"),
        ("time day", "à un jour près"),
        ("band 2", "tranche 2"),
        ("hash", "hash"),
        (None, None),
    ],
)
def test_how_a_field_was_coarsened_is_told(code: str | None, french: str | None) -> None:
    """Known methods in words, others as they are."""
    assert method(code, "fr") == french


def test_every_field_has_a_name_in_both_languages() -> None:
    """Each field that a view can show is in the catalogue, each group as a heading."""
    shown = {
        path.rpartition(".")[2] for kind in KINDS for path, info in WORDS.fields[kind].items() if "." in path and info.top != "view"
    }
    groups = {path for kind in KINDS for path in WORDS.fields[kind] if "." not in path}

    assert {f"watch.field.{name.replace('_', '-')}" for name in shown} - keys("watch.field") == set()
    assert {f"group.{name}" for name in groups} - keys("group") == set()
    assert {*BODY, "id", "exercise", "lifecycle", "origin", "times", "warning", "link", "view"} == groups


# --- side by side ----------------------------------------------------------------------------------------------------------


def values() -> dict[str, dict[str, Any] | None]:
    """One record as three recipients got it."""
    exact = {**delivery().value, "position": {**delivery().value["position"], "latitude": -12.2501}, "view": _without_states()}
    kept_back = {**delivery().value, "position": WITHHELD, "persons": None, "assessment": WITHHELD, "claims": SEALED}
    return {"france": exact, "rcoc": delivery().value, "seychelles": kept_back, "mauritius": None}


def _without_states() -> dict[str, Any]:
    return {**delivery().value["view"], "fields": []}


def test_each_recipient_has_its_own_cell() -> None:
    """Kept as it is, coarsened marked, withheld marked, sealed marked, unknown marked, and nothing where nothing was given."""
    found = {row.path: row.cells for row in compare("sighting", values(), "en", WORDS)}

    assert found["position.latitude"] == (Cell("kept", "-12.2501°"), Cell("coarse", "-12.25°"), Cell("withheld"), Cell("nothing"))
    assert [cell.state for cell in found["persons.total"]] == ["kept", "kept", "unknown", "nothing"]
    assert [cell.state for cell in found["claims"]] == ["withheld", "withheld", "sealed", "nothing"]
    assert "movement.course_deg" not in found
    assert "craft.length_m.min" not in found


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_table_shows_all_recipients_and_explains_its_signs(language: str) -> None:
    """It is drawn with a column for each recipient and the meaning of its signs, and no markup of a value is obeyed."""
    out = StringIO()
    shown = values() | {"[red]x[/red]": delivery(narrative=[{"language": language, "text": "[bold]b[/bold]"}]).value}
    Console(file=out, width=200).print(side_by_side("sighting", shown, language, WORDS))
    text = out.getvalue()

    assert [
        word for word in ("france", "rcoc", "seychelles", "mauritius", "[red]x[/red]", "[bold]b[/bold]") if word not in text
    ] == []
    assert ("~ made less precise" if language == "en" else "~ précision réduite") in text


@given(st.data())
def test_words_never_fail(data: st.DataObject) -> None:
    """Any groups unknown, withheld or sealed, any states: there are lines in both languages, and cells for all."""
    draw: Callable[[Any], Any] = data.draw
    kind = draw(st.sampled_from(KINDS))
    view = delivery(kind)
    own = [name for name in view.value if name not in {"id", "exercise", "view"}]
    changed = draw(st.dictionaries(st.sampled_from(own), st.sampled_from([None, WITHHELD, SEALED])))
    paths = st.sampled_from(sorted(WORDS.fields[kind]))
    states = draw(st.lists(st.builds(lambda path, state: {**state, "field": path}, paths, st.sampled_from(STATES)), max_size=6))
    value = {**view.value, **changed, "view": {**view.value["view"], "fields": states}}
    for language in LANGUAGES:
        assert lines(replace(view, value=value), language, WORDS)
        compare(kind, {"rcoc": value, "none": None}, language, WORDS)
