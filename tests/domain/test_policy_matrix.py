"""
The page of agreements: whole in both languages, safe whatever an agreement says, and with nothing from anywhere else.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from functools import cache
from html import unescape
from html.parser import HTMLParser

import pytest

from agreements import agreement
from boutre.language import LANGUAGES
from boutre.ops.assembly import Assembly, assemble
from boutre.ops.policy_page import page, shown
from boutre.ops.policy_tables import columns
from boutre.ops.policy_words import KINDS, SIGNS, Tongue
from boutre.ops.proposal import agreement_files
from boutre.processors.agreement import Agreement, Both
from boutre.processors.policy import make
from boutre.processors.ways import Way, folded, ways
from boutre.schemas.fields import FieldInfo
from records import FIELDS, ROOT, words

HOSTILE = '<script>alert("1")</script><img src=x onerror=alert(1)>'


@cache
def real() -> Assembly:
    """This repository's bus."""
    return assemble(ROOT)


@cache
def written() -> str:
    """Its page."""
    return page(real(), FIELDS, KINDS, agreement_files(ROOT))


def section(text: str, language: str) -> str:
    """The part of a page in one language."""
    return text.partition(f'<section id="{language}" lang="{language}">')[2].partition("</section>")[0]


class Tags(HTMLParser):
    """Every tag of a page with its attributes, and whether they close as they opened."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.tags.append((tag, dict(attrs)))
        if tag not in {"meta", "br", "wbr"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Note its end."""
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


@cache
def parsed(text: str) -> Tags:
    """A page as a browser would begin to read it."""
    tags = Tags()
    tags.feed(text)
    tags.close()
    return tags


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_agreement_stands_in_it_with_all_that_it_says(language: str) -> None:
    """Title, parties, legal basis, reason, term, retention, file: each from the agreement itself, in the language of the part."""
    text = unescape(section(written(), language))

    for each in real().pipeline.policy.agreements:
        told = (each.title, each.legal_basis, each.reason)
        for said in (*(getattr(one, language) for one in told), each.name, f"processors/agreements/{each.id}.toml"):
            assert said in text, each.id
        for said in (each.start.isoformat(), each.end.isoformat(), str(each.retention_days), ", ".join(each.parties)):
            assert said in text, each.id
        for purpose in each.purposes:
            assert words().label("purpose@1", purpose, language) in text
        assert words().label("contact@1", each.ask, language) in text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_field_stands_in_it(language: str, kind: str) -> None:
    """Each field that has a value, or the value of which it is a part, is named by its path in the table of its kind."""
    part = section(written(), language).partition(f'id="{language}-kind-{kind}"')[2].partition("<h2")[0]
    named = set(re.findall(r"<code>([a-z_.]+)</code>", part.partition("<tbody>")[2]))
    lost = [info.path for info in leaves(FIELDS[kind]) if not {*above(info.path)} & named]

    assert [] == lost


def leaves(infos: tuple[FieldInfo, ...]) -> list[FieldInfo]:
    """Fields without fields of their own."""
    holders = {info.path.rpartition(".")[0] for info in infos}
    return [info for info in infos if info.path not in holders]


def above(path: str) -> list[str]:
    """A path and those in which it stands."""
    parts = path.split(".")
    return [".".join(parts[:length]) for length in range(1, len(parts) + 1)]


def test_each_answer_is_that_of_the_cut() -> None:
    """Every cell has the sign and the clause that the agreement has for the fields of its row: read back from the page."""
    part = section(written(), "en").partition('id="en-kind-interception"')[2].partition("<h2")[0]
    rows = re.findall(r"<tr><th scope=\"row\">.*?</tr>", part, flags=re.DOTALL)
    given = [each for _, each in columns(real().pipeline.policy, FIELDS, "interception")]
    lines = folded({path: tuple((each[path].outcome, each[path].clause) for each in given) for path in given[0]})

    assert len(lines) == len(rows)
    for line, row in zip(lines, rows, strict=True):
        answers = re.findall(r'<td class="(\w+)"><span class="sign">(.)</span> [^<]+(?:<code>(.*?)</code>)?</td>', row)
        expected = [each[line.fields[0]] for each in given]
        assert [(way.state, SIGNS[way.state], way.clause) for way in expected] == [
            (state, sign, clause.replace("<wbr>", "")) for state, sign, clause in answers
        ]


def test_a_hostile_text_is_only_text() -> None:
    """Whatever an agreement says of itself, no tag comes of it, and it can still be read."""
    both = Both(en=HOSTILE, fr=HOSTILE)
    hostile = agreement(title=both, reason=both, legal_basis=both, parties=(HOSTILE,), ask=HOSTILE, categories={"event": "keep"})
    bus = replace(real(), pipeline=replace(real().pipeline, policy=make([hostile], FIELDS)))
    text = page(bus, FIELDS, KINDS, {hostile.id: f"{HOSTILE}.toml"})

    tags = parsed(text)
    assert not {"script", "img"} & {tag for tag, _ in tags.tags}
    assert HOSTILE in unescape(text)
    assert [] == tags.wrong
    assert not any(name.startswith("on") for _, attributes in tags.tags for name in attributes)


def test_nothing_comes_from_anywhere_else() -> None:
    """No script, image, font or style of another place; links lead into the page; the page's own policy forbids the rest."""
    tags = parsed(written())
    policies = [each["content"] for tag, each in tags.tags if each.get("http-equiv") == "Content-Security-Policy"]
    style = written().partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()

    assert [] == tags.wrong
    assert [] == [tag for tag, _ in tags.tags if tag in {"script", "img", "link", "iframe", "object", "form", "base"}]
    assert {"#"} == {str(each["href"])[0] for tag, each in tags.tags if tag == "a"}
    assert [f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"] == policies
    assert not re.search(r"url\(|@import|https?:", style)
    assert not any("style" in each for _, each in tags.tags)


def test_every_link_leads_somewhere() -> None:
    """Each place that is linked is there, and no place is there twice."""
    tags = parsed(written())
    ids = [str(each["id"]) for _, each in tags.tags if "id" in each]

    assert len(ids) == len(set(ids))
    assert {str(each["href"])[1:] for tag, each in tags.tags if tag == "a"} - {""} <= set(ids)


def test_it_is_read_without_colour() -> None:
    """Each state has a sign of its own, and the words beside it."""
    assert len(SIGNS) == len(set(SIGNS.values()))
    assert words().codes("field-state@1") <= SIGNS.keys()
    colours = re.findall(r"#([0-9a-f]{3})\b", written().partition("</style>")[0])
    assert colours
    assert all(len(set(colour)) == 1 for colour in colours)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_state_of_tomorrow_is_told_by_its_code(language: str) -> None:
    """What has no words yet is shown by its code, never left out and never taken for something else."""
    tongue = Tongue.of(real(), language)

    assert "sealed-tomorrow (in wax)" == tongue.way(Way("sealed-tomorrow", method="in wax"))
    assert "by-moonlight" == tongue.clause("by-moonlight")
    assert "a reason of tomorrow" == tongue.reason("a reason of tomorrow")


@pytest.mark.parametrize("language", LANGUAGES)
def test_terms_are_told_in_words(language: str) -> None:
    """Every key of an agreement that says something is told, once, in the order that a lawyer asks for."""
    for each in real().pipeline.policy.agreements:
        told = list(Tongue.of(real(), language).terms(each))
        keys = [key for key, _, _ in told]
        assert ["recipient", "parties", "legal_basis", "purposes", "kinds", "term"] == keys[:6]
        assert len(keys) == len(set(keys))
        assert keys_said(each) <= set(keys)
        assert all(value and not value.startswith(("(", "{", "[")) for _, _, value in told)


def keys_said(one: Agreement) -> set[str]:
    """The conditions that an agreement names."""
    return {f"when.{name}" for name, value in one.when.model_dump(exclude_defaults=True).items() if value not in (None, ())}


def test_parts_of_one_value_are_named_as_that_value() -> None:
    """The ends of a range are one thing where the same holds of them, and three where it does not."""
    infos = FIELDS["interception"]
    row = ["persons.total.min", "persons.total.max", "persons.total.estimated"]

    assert {"persons.total"} == {shown(path, row, infos) for path in row}
    assert "persons.total.min" == shown("persons.total.min", row[:2], infos)
    assert "craft.kind" == shown("craft.kind", ["craft.kind"], infos)


def test_a_retraction_goes_by_every_agreement() -> None:
    """Also by one that does not name the kind: it follows its record."""
    told = {each.name for each, _ in columns(real().pipeline.policy, FIELDS, "retraction")}

    assert {each.name for each in real().pipeline.policy.agreements} == told
    assert ways(next(iter(real().pipeline.policy.cuts["rmifc"]["retraction"])), FIELDS["retraction"])
