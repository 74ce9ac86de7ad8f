"""
Feeds are read strictly, and everything that is wrong is said at once.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from boutre.connectors import examples, feeds
from boutre.connectors.known import Known
from boutre.connectors.sources import delimited
from boutre.connectors.sources_by_name import find
from boutre.errors import DeclarationError
from boutre.schemas import lock, vocabulary
from boutre.schemas.codec import Codec
from boutre.schemas.validation import Validator
from boutre.topics import bus

NOW = datetime(2030, 1, 1, tzinfo=UTC)
BUS = Path(__file__).parents[2]
WORDS = vocabulary.load(lock.core() / "vocabularies")
CODEC = Codec(lock.load())
KNOWN = Known.of(CODEC.lock, WORDS.has)
CHECK = Validator(CODEC.lock, WORDS.has).check

LEAST = """
member = "comoros"
kinds = ["sighting"]
source = "lines"
[options]
path = "reports.jsonl"
[handling]
tlp = "AMBER"
"""


def declared(folder: Path, text: str, name: str = "one") -> feeds.Feed:
    """The feed that a file with *text* declares."""
    (folder / "connectors").mkdir(exist_ok=True)
    (folder / "connectors" / f"{name}.toml").write_text(text)
    return feeds.one(folder, name, KNOWN, frozenset({"comoros"}))


def faults(folder: Path, text: str) -> list[str]:
    """What is wrong with it, each as a sentence."""
    with pytest.raises(DeclarationError) as refused:
        declared(folder, text)
    return [str(fault) for fault in refused.value.faults]


def test_the_feeds_of_this_bus_are_in_order() -> None:
    """Each is read whole, its member is declared, every field and code that it names exists."""
    found = feeds.load(BUS, KNOWN, frozenset(bus.load(BUS).members))

    assert {"incidents-asam", "incidents-imb", "mauritius-ops-room"} <= {feed.id for feed in found}


@pytest.mark.parametrize("feed", feeds.load(BUS), ids=lambda feed: feed.id)
def test_the_examples_of_this_bus_come_out_as_declared(feed: feeds.Feed) -> None:
    """The examples in the declarations are tests, and these are they."""
    assert [] == list(examples.check(feed, CODEC, CHECK, NOW))


def test_the_least_that_a_feed_can_say(tmp_path: Path) -> None:
    """A member, a kind, a source with its options and how its records may be handled; paths are those of the bus folder."""
    feed = declared(tmp_path, LEAST)

    assert ("one", "comoros", ("sighting",), False, None) == (feed.id, feed.member, feed.kinds, feed.exercise, feed.rhythm)
    assert tmp_path / "reports.jsonl" == feed.options.path
    assert timedelta(hours=2) == declared(tmp_path, "rhythm_hours = 2\n" + LEAST).rhythm
    assert (1, 4096) == (feed.sign_batch, declared(tmp_path, "sign_batch = 4096\n" + LEAST).sign_batch)


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    """A mistyped key, a missing one, a wrong type, options that the source does not have: one run tells them all."""
    text = LEAST.replace("member =", "membre =").replace("path =", "paht =").replace("tlp =", "TLP =") + "\nexercise = 'no'\n"

    said = faults(tmp_path, text.replace("[options]", "rhythm_hours = -1\n[options]"))

    for word in ("membre: is not known here; did you mean member?", "options.paht: is not known here; did you mean path?"):
        assert any(word in sentence for sentence in said), said
    for key in ("member: is missing", "options.path: is missing", "handling.tlp: is missing", "rhythm_hours"):
        assert any(key in sentence for sentence in said), said
    assert all(sentence.startswith("connectors/one.toml: ") for sentence in said)


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ('"comoros"', '"atlantis"', "member: atlantis is no member"),
        ('["sighting"]', '["sightings"]', "kinds: sightings is no kind"),
        ('["sighting"]', '["reject"]', "kinds: reject is no kind"),
        ('["sighting"]', "[]", "kinds"),
        ('"lines"', '"lynes"', "source: lynes is no source; known: ais, delimited, form, lines"),
        ('"lines"', '"no.such:read"', "source: the module no.such cannot be imported"),
        ('"lines"', '"json:loads"', "source: json:loads is no source"),
        ('"lines"', '"../x.py:read"', "source: ../x.py does not stand in connectors/"),
        ('"AMBER"', '"PINK"', "handling.tlp: PINK is no code of tlp@2"),
        ("[handling]", '[origin]\nlanguage = "xx"\n[handling]', "origin.language: xx is no code"),
        ("[handling]", "[handling]\nretention_days = 0", "handling.retention_days"),
        ("[options]", "sign_batch = 0\n[options]", "sign_batch"),
        ("[options]", "sign_batch = 4097\n[options]", "sign_batch"),
        ("[options]", "sign_batch = 1.5\n[options]", "sign_batch"),
        ("[handling]", '[[example]]\nname = "x"\nraw = "{}"\n[handling]', "example[1]: says either"),
        ("[handling]", '[[example]]\nname = "x"\nraw = "{}"\nrefuses = "x"\noption = "p"\n[handling]', "no option p"),
    ],
)
def test_what_does_not_exist_is_named(tmp_path: Path, old: str, new: str, word: str) -> None:
    """With its key, and with what is there."""
    assert any(word in sentence for sentence in faults(tmp_path, LEAST.replace(old, new)))


def test_the_rules_of_a_delimited_feed_are_checked_against_the_schema(tmp_path: Path) -> None:
    """Fields, codes, encodings and columns, each with the number of its rule."""
    said = faults(
        tmp_path,
        """
member = "comoros"
kinds = ["sighting"]
source = "delimited"
[options]
path = "x.csv"
reference = "id"
encoding = "utf-16"
delimiter = "tab"
rules = [
  { column = "a", read = "text", to = "craft.sort" },
  { column = "b", read = "code", to = "craft.hull", codes = { W = "wooden" } },
]
[options.constants]
"event.type" = "regatta"
"event.classes" = "x"
"nothing" = "x"
[handling]
tlp = "AMBER"
""",
    )

    for word in (
        "options.encoding", "options.delimiter", "rules[1] a: craft.sort is no field", "rules[2] b: wooden is no code",
        "constants.event.type: regatta", "constants.event.classes: holds Code", "constants.nothing",
    ):  # fmt: skip
        assert any(word in sentence for sentence in said), (word, said)


def test_a_feed_that_does_not_exist_is_said_with_those_that_do(tmp_path: Path) -> None:
    """A typing error is seen at once."""
    declared(tmp_path, LEAST)

    with pytest.raises(DeclarationError, match=r"connectors/two\.toml: no such feed; declared here: one"):
        feeds.one(tmp_path, "two")


def test_a_broken_feed_does_not_stand_in_the_way_of_another(tmp_path: Path) -> None:
    """A connector that runs is not stopped by somebody else's file; reading all of them tells of it."""
    declared(tmp_path, LEAST)
    (tmp_path / "connectors" / "two.toml").write_text("member = 4")

    assert "one" == feeds.one(tmp_path, "one").id
    with pytest.raises(DeclarationError, match=r"two\.toml"):
        feeds.load(tmp_path)


def test_a_feeds_own_reader_stands_beside_it(tmp_path: Path) -> None:
    """``own.py:read`` is a function of the bus's own connectors/ folder; one that fails is said, not raised."""
    (tmp_path / "connectors").mkdir()
    (tmp_path / "connectors" / "own.py").write_text(
        "from __future__ import annotations\nfrom dataclasses import dataclass\nfrom collections.abc import Iterator\n"
        "from boutre.connectors.sdk import Raw, source\n\n@dataclass(frozen=True)\nclass Options:\n    word: str = 'x'\n\n"
        "@source('own')\ndef read(options: Options, after: str | None) -> Iterator[Raw]:\n    '''Nothing.'''\n    yield from ()\n"
    )
    (tmp_path / "connectors" / "broken.py").write_text("1 / 0")

    feed = declared(tmp_path, LEAST.replace('"lines"', '"own.py:read"').replace('path = "reports.jsonl"', 'word = "y"'))

    assert ("own", "y") == (feed.source.name, feed.options.word)
    with pytest.raises(LookupError, match="ZeroDivisionError"):
        find("broken.py:read", tmp_path / "connectors")


def test_a_shipped_source_is_found_by_its_name(tmp_path: Path) -> None:
    """The name in the declaration is the name in the code."""
    assert delimited.read is find("delimited", tmp_path)


@pytest.mark.parametrize(
    ("gives", "word"),
    [
        ('gives = { "event.type" = "distress" }', None),
        ('gives = { "event.type" = "attack" }', "event.type is 'distress', and should be 'attack'"),
        ('gives = { "event.kind" = "distress" }', "event.kind is 'nothing'"),
        ('gives = { "exercise" = 0 }', "exercise is False, and should be 0"),
        ('refuses = "naive-time"', "gives a record, and should be refused"),
    ],
)
def test_an_example_that_does_not_come_out_is_said(tmp_path: Path, gives: str, word: str | None) -> None:
    """An example that cannot fail would be no test."""
    times = '"times": {"observed": {"at": "2024-03-01T06:30Z", "precision": "minute"}}'
    raw = f'{{"reference": "1", {times}, "event": {{"type": "distress"}}}}'
    feed = declared(tmp_path, f"{LEAST}\n[[example]]\nname = 'x'\nraw = '{raw}'\n{gives}\n")

    found = [str(fault) for fault in examples.check(feed, CODEC, CHECK, NOW)]

    assert (word is None) == (found == [])
    assert all(word in sentence for sentence in found if word)


@pytest.mark.parametrize(
    ("raw", "refuses", "word"),
    [("{", "malformed-line", None), ("{", "naive-time", "is refused for malformed-line, and should be for naive-time")],
)
def test_an_example_of_bad_input_names_its_reason(tmp_path: Path, raw: str, refuses: str, word: str | None) -> None:
    """Another reason is another outcome."""
    feed = declared(tmp_path, f"{LEAST}\n[[example]]\nname = 'x'\nraw = '{raw}'\nrefuses = '{refuses}'\n")

    found = [fault.message for fault in examples.check(feed, CODEC, CHECK, NOW)]

    assert ([] if word is None else [word]) == found
