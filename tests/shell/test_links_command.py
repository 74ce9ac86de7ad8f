"""
``boutre links explain`` as people call it: clusters follow from what stands on file, and come apart when a link is withdrawn.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from msgspec.structs import replace

from boutre.connectors.plain import line
from boutre.ops.command import main
from boutre.processors.correlation.standing import Told
from boutre.processors.links.link import Link, made, withdrawn
from boutre.processors.matching.found import FOLLOWS, SAME_CRAFT, Evidence, found
from boutre.processors.own_records import link_value
from boutre.schemas import answers
from linked import link
from records import CODEC, ROOT, known_as, kwassa, local_bus, national, recall

NOW = datetime(2026, 9, 21, 12, tzinfo=UTC)


def view(one: Link, *, recipient: str = "reunion", exercise: bool = False, number: int = 0) -> str:
    """A view of a link as a sink writes it: through the real schema, and a line of JSON."""
    value = {
        **link_value(Told(one, "initial", number), [f"view-{each}" for each in one.records], exercise=exercise, independent=None),
        "id": f"{one.id}-{number}",
        "handling": {"tlp": "AMBER"},
        "view": {"recipient": recipient, "of": one.id, "agreements": [], "policy": "", "fields": []},
    }
    return line(CODEC.decode(CODEC.encode("link", value)).value)


def word(verdict: str, one: str, other: str, minutes: int = 0, **more: Any) -> str:
    """A person's word as ``boutre answers read --own --output json`` writes it."""
    value = answers.answer(
        more.pop("recipient", "reunion"),
        verdict,
        NOW + timedelta(minutes=minutes),
        view=f"view-{one}",
        other=f"view-{other}",
        by="analyst",
        **more,
    )
    return line(CODEC.decode(CODEC.encode(answers.KIND, value)).value)


def explain(folder: Path, rows: Iterable[str], *more: str, said: Iterable[str] | None = None) -> Result:
    """Write what is on file, and type the command."""
    file = folder / "link.jsonl"
    file.write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")
    options = []
    if said is not None:
        (folder / "said.jsonl").write_text("".join(f"{row}\n" for row in said), encoding="utf-8")
        options = ["--said", str(folder / "said.jsonl")]
    return CliRunner().invoke(main, ["links", "explain", str(file), *options, *more])


def told(folder: Path, rows: Iterable[str], *more: str, said: Iterable[str] | None = None) -> dict[str, Any]:
    """The only picture, as JSON."""
    (picture,) = json.loads(explain(folder, rows, "--output", "json", *more, said=said).stdout)["pictures"]
    return dict(picture)


def groups(picture: dict[str, Any]) -> list[list[str]]:
    """Which records are of one."""
    return [one["records"] for one in picture["clusters"]]


CHAIN = (link("a", "b", 0.9), link("b", "c", 0.6), link("c", "d", 0.8))


def test_a_cluster_comes_apart_when_a_link_is_withdrawn(tmp_path: Path) -> None:
    """
    Four are one by a chain; its middle is withdrawn, and they are two and two, as if it had never been; it is made again.
    """
    rows = [view(one) for one in CHAIN]
    gone = view(withdrawn(CHAIN[1], "no-longer-found"), number=1)

    assert [["a", "b", "c", "d"]] == groups(told(tmp_path, rows))
    after = told(tmp_path, [*rows, gone])
    assert [["a", "b"], ["c", "d"]] == groups(after)
    assert groups(told(tmp_path, [rows[0], rows[2]])) == groups(after)
    assert [(CHAIN[1].id, "withdrawn", "no-longer-found")] == [
        (one["link"], one["why"], one["reason"]) for one in after["not_counted"]
    ]
    assert [["a", "b", "c", "d"]] == groups(told(tmp_path, [*rows, gone, view(CHAIN[1], number=2)]))


def test_what_a_person_holds_apart_is_refused_and_said_why(tmp_path: Path) -> None:
    """The weakest link of the chain gives way, and the two for whom it does are named, in both languages."""
    rows, said = [view(one) for one in CHAIN], [word("not-same", "a", "d")]
    picture = told(tmp_path, rows, said=said)

    assert [["a", "b"], ["c", "d"]] == groups(picture)
    (refused,) = picture["refused"]
    assert (CHAIN[1].id, "not-same", ["a", "d"]) == (refused["link"], refused["why"], refused["held_apart"])
    assert "b and c (0.60): a and d would be in one cluster, and a person holds them apart." == refused["sentence"]["en"]
    shown = explain(tmp_path, rows, "--lang", "fr", said=said)
    assert 0 == shown.exit_code
    assert "Rapprochements en vigueur, mais refusés :".replace(" :", "\N{NO-BREAK SPACE}:") in shown.stdout.replace(
        "\u202f", "\xa0"
    )
    assert "a et d se trouveraient dans un même groupe" in shown.stdout


def test_the_table_says_each_link_with_its_reasons(tmp_path: Path) -> None:
    """Whose, what is of one, how surely, why; and what does not count."""
    done = explain(tmp_path, [view(one) for one in (*CHAIN, link("e", "f", 0.4))])

    assert 0 == done.exit_code
    assert "Links of reunion: 4" in done.stdout
    assert "Same craft" in done.stdout
    assert "1. a, b, c, d (weakest link: 0.60)" in done.stdout
    assert "a and b: Same craft: very likely (0.90). For it: the distance" in done.stdout
    assert "below the probability that counts (0.50)" in done.stdout


def test_the_latest_word_holds_and_may_be_taken_back(tmp_path: Path) -> None:
    """
    A link that a person's word had withdrawn stands again when a later word says *same*, and not when an earlier one does.
    """
    apart = withdrawn_by_person(CHAIN[0])
    rows = [view(apart)]

    assert [] == groups(told(tmp_path, rows))
    assert [["a", "b"]] == groups(told(tmp_path, rows, said=[word("same", "a", "b")]))
    own = word("not-same", "a", "b", minutes=1)
    named = view(withdrawn_by_person(CHAIN[0], json.loads(own)["id"]))
    assert [] == groups(told(tmp_path, [named], said=[own, word("same", "a", "b")]))
    assert [["a", "b"]] == groups(told(tmp_path, [named], said=[own, word("same", "a", "b", minutes=2)]))


def withdrawn_by_person(one: Link, answer: str = "of-yore") -> Link:
    """A rule's link of which a person said *not same*, as the bus tells it."""
    return replace(one, status="withdrawn", reason="not-same", by="watch", judgement=answer)


def test_a_word_on_unlinked_records_finds_them_by_their_reports(tmp_path: Path) -> None:
    """Two that no rule linked are of one because a person says so; without the files of the reports that is told, with 1."""
    reports = [
        line({"id": f"view-{one}", "exercise": False, "view": {"recipient": "reunion", "of": one}, "times": None}) for one in "xy"
    ]
    said = [word("same", "x", "y")]
    without = explain(tmp_path, [view(CHAIN[0])], "--output", "json", said=said)

    assert [["a", "b"], ["x", "y"]] == groups(told(tmp_path, [view(CHAIN[0]), *reports], said=said))
    assert 1 == without.exit_code
    assert ["view-not-here"] == [one["why"] for one in json.loads(without.stdout)["pictures"][0]["unplaced"]]


def test_an_exercise_and_the_world_are_two_pictures(tmp_path: Path) -> None:
    """A word of an exercise holds nothing apart in the world."""
    rows = [view(CHAIN[0]), view(link("k", "l"), exercise=True)]
    done = explain(tmp_path, rows, "--output", "json", said=[word("not-same", "a", "b", exercise=True)])
    world, exercise = json.loads(done.stdout)["pictures"]

    assert ([["a", "b"]], False) == (groups(world), world["exercise"])
    assert ([["k", "l"]], True) == (groups(exercise), exercise["exercise"])
    assert [] == world["judgements"]
    assert "EXERCISE. Links of reunion" in explain(tmp_path, rows).stdout


def test_what_has_a_direction_is_told_and_makes_no_cluster(tmp_path: Path) -> None:
    """From the earlier to the later one."""
    follows = made("reunion", found("p", "q", FOLLOWS, "after@1", 0.8, (Evidence("distance", "near", 2.0),)), first="q")
    done = explain(tmp_path, [view(follows)])

    assert "from q to p: One follows the other" in done.stdout
    assert [] == groups(told(tmp_path, [view(follows)]))


def _changed(row: str, **changes: Any) -> str:
    value = json.loads(row)
    value["link"] = {**value["link"], **changes}
    return json.dumps(value)


WHOLE = view(CHAIN[0])


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ('{"id": "cut off', "no-json"),
        ("[1]", "not-a-view"),
        ("{}", "not-a-view"),
        (_changed(WHOLE, records=["a", "a"]), "not-two-records"),
        (_changed(WHOLE, records=["a"]), "not-two-records"),
        (_changed(WHOLE, probability=1.5), "no-probability"),
        (_changed(WHOLE, probability=float("nan")), "no-probability"),
        (_changed(WHOLE, probability="0.9"), "not-a-link"),
        (_changed(WHOLE, status="stands"), "unknown-status"),
        (_changed(WHOLE, status="withdrawn"), "unknown-status"),
        (_changed(WHOLE, reason="recalled"), "unknown-status"),
        (_changed(WHOLE, type="same-boat"), "unknown-type"),
        (_changed(WHOLE, rule=None), "no-maker"),
        (json.dumps({**json.loads(WHOLE), "link": {"withheld": {"agreement": "a", "clause": "c", "ask": "x"}}}), "withheld"),
        (json.dumps({**json.loads(WHOLE), "link": {"sealed": {}}}), "sealed"),
        (json.dumps({**json.loads(WHOLE), "link": None}), "not-a-link"),
    ],
)
def test_a_line_that_cannot_be_used_is_told_and_the_others_count(tmp_path: Path, row: str, why: str) -> None:
    """Its place and why, in both languages, nothing of what stands in it; the status says that it is not the whole picture."""
    done = explain(tmp_path, [view(CHAIN[2]), row], "--output", "json")
    table = explain(tmp_path, [view(CHAIN[2]), row], "--language", "fr")

    assert 1 == done.exit_code
    assert [["c", "d"]] == groups(json.loads(done.stdout)["pictures"][0])
    assert [why] == [one["why"] for one in json.loads(done.stdout)["unusable"]]
    assert done.stdout.count("line 2") == 1
    assert "line 2" in table.stderr
    assert "…" not in table.stderr
    assert why not in table.stderr


def test_a_word_that_is_malformed_is_told(tmp_path: Path) -> None:
    """Without its other view it counts for nothing; another recipient's finds no place; a word on an alert is none of this."""
    said = [
        json.dumps({**json.loads(word("not-same", "a", "b")), "other": None}),
        word("not-same", "a", "b", recipient="rcoc"),
        line(answers.answer("reunion", "closed", NOW, view="view-a")),
    ]
    done = explain(tmp_path, [view(CHAIN[0])], "--output", "json", said=said)
    answer = json.loads(done.stdout)

    assert 1 == done.exit_code
    assert [["a", "b"]] == groups(answer["pictures"][0])
    assert ["no-other"] == [one["why"] for one in answer["unusable"]]
    assert ["other-recipient"] == [one["why"] for one in answer["pictures"][0]["unplaced"]]


def test_links_of_two_recipients_are_not_mixed(tmp_path: Path) -> None:
    """Each has its own; whoever gives both is told, and nothing is shown."""
    done = explain(tmp_path, [view(CHAIN[0]), view(CHAIN[1], recipient="rcoc")])

    assert 2 == done.exit_code
    assert "line 2: is a view of another recipient" in done.stderr
    assert not done.stdout


def test_nothing_on_file_is_no_clusters(tmp_path: Path) -> None:
    """An empty file is no error: nobody was told of a link yet."""
    done = explain(tmp_path, [])

    assert 0 == done.exit_code
    assert "Links: 0" in done.stdout


def test_the_least_probability_is_asked_for(tmp_path: Path) -> None:
    """From 0.7 on, the middle of the chain does not count."""
    assert [["a", "b"], ["c", "d"]] == groups(told(tmp_path, [view(one) for one in CHAIN], "--at-least", "0.7"))


def test_what_the_bus_tells_is_read_as_it_is(tmp_path: Path) -> None:
    """
    The real bus links two reports of one boat; what its recipient has on file makes a cluster, and none once one is retracted.
    """
    mine, theirs = kwassa("KM-1", "comoros"), kwassa("YT-1", "france")
    bus = local_bus()
    bus.publish([national("interception", mine), national("interception", theirs)])
    before = [line({"kind": "link", "value": CODEC.decode(out.value).value}) for out in bus.read("for.rmifc.link")]
    bus.publish([national("retraction", recall(theirs, "interception"))])
    after = [line(CODEC.decode(out.value).value) for out in bus.read("for.rmifc.link")]
    recalled = [line(CODEC.decode(out.value).value) for out in bus.read("for.rmifc.retraction")]

    records = sorted(known_as("rmifc", one) for one in (mine, theirs))
    assert [records] == groups(told(tmp_path, before, "--at-least", "0.4"))
    assert [] == groups(told(tmp_path, after, "--at-least", "0.4"))
    assert [] == groups(told(tmp_path, [*before, *recalled], "--at-least", "0.4"))
    assert SAME_CRAFT == told(tmp_path, after)["links"][0]["type"]


def test_what_reports_say_against_each_other_is_held_apart_as_on_the_bus(tmp_path: Path) -> None:
    """
    Two reports a thousand kilometres apart at one time: a chain of links joins them, and gives way where they are compared.
    """
    near = [kwassa(name, member) for name, member in (("KM-1", "comoros"), ("YT-1", "france"))]
    far = kwassa("MU-1", "mauritius", position={"latitude": -20.2, "longitude": 57.5, "accuracy_m": 200.0, "fix": "gnss"})
    bus = local_bus()
    bus.publish([national("interception", one) for one in (*near, far)])
    reports = [line(CODEC.decode(out.value).value) for out in bus.read("for.rmifc.interception")]
    one, two, away = (known_as("rmifc", each) for each in (*near, far))
    joined = (((one, two), 0.9), ((two, away), 0.6))
    made_up = [made("rmifc", found(*both, SAME_CRAFT, "kwassa@1", chance)) for both, chance in joined]
    rows = [*(view(each, recipient="rmifc") for each in made_up), *reports]
    file = tmp_path / "all.jsonl"
    file.write_text("\n".join(rows), encoding="utf-8")

    def typed(*more: str) -> dict[str, Any]:
        done = CliRunner().invoke(main, ["--bus", str(ROOT), "links", "explain", str(file), "--output", "json", *more])
        assert 0 == done.exit_code, done.stderr
        (picture,) = json.loads(done.stdout)["pictures"]
        return dict(picture)

    assert [sorted([one, two, away])] == groups(typed())
    with_reports = typed("--compare")
    assert [sorted([one, two])] == groups(with_reports)
    assert [("against", made_up[1].id)] == [(each["why"], each["link"]) for each in with_reports["refused"]]
