"""
The way back: each answer reaches the owner of its record by the owner's name, each reply its recipient by the recipient's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from boutre.errors import DeclarationError, Unavailable
from boutre.ops.answers_store import AnswersStore, open_answers
from boutre.ops.answers_take import Taker, reads, writes
from boutre.ops.command import main
from boutre.processors.decision import Outbound
from boutre.schemas import answers
from boutre.topics import bus
from records import AT, CODEC, ROOT, Value, attack, local_bus, national, recall, words

CLOCK = timedelta(hours=72)
NOW = datetime(2026, 9, 21, 12, tzinfo=UTC)
LATER = 60_000
"""Milliseconds after which an answer to nothing is told so, in these tests."""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[AnswersStore]:
    """A store that has just been begun."""
    with open_answers(tmp_path / "answers", begin=True) as made:
        yield made


def taker(store: AnswersStore) -> Taker:
    """What takes messages of this bus into it."""
    return Taker(store, CODEC, bus.load(ROOT), CLOCK)


def take(store: AnswersStore, *messages: tuple[str, bytes], at: int = AT, before: int | None = None) -> None:
    """Take messages as one look at Kafka brings them."""
    own = taker(store)
    with store.transaction():
        for topic, frame in messages:
            own.take(topic, frame, at)
        own.settle(before=before)


def released() -> tuple[Value, list[Outbound]]:
    """A report, and all that the real bus made of it."""
    value = attack()
    made = local_bus()
    made.publish([national("sighting", value)])
    return value, [out for outs in made.topics.values() for out in outs]


def receipts(outs: list[Outbound]) -> list[tuple[str, bytes]]:
    """The receipts among them."""
    return [("bus.receipt", out.value) for out in outs if out.topic == "bus.receipt"]


def view_of(outs: list[Outbound], recipient: str) -> str:
    """The id of the view that a recipient got."""
    return next(str(CODEC.decode(out.value).value["id"]) for out in outs if out.topic == f"for.{recipient}.sighting")


def said(recipient: str, view: str | None, code: str = "acknowledged", topic: str | None = None, **more: Any) -> tuple[str, bytes]:
    """What a recipient says of a view, and where it stands."""
    value = answers.answer(recipient, code, NOW, view=view, **more)
    return topic or f"from.{recipient}.answer", CODEC.encode("answer", value)


def replied(member: str, request: str, code: str = "refused") -> tuple[str, bytes]:
    """What a member replies."""
    return f"replies.{member}", CODEC.encode("answer", answers.answer(member, code, NOW, answers=request))


def sent(store: AnswersStore) -> list[tuple[str, bytes, Value]]:
    """What waits to be sent: topic, key and value."""
    return [(topic, key, CODEC.decode(value).value) for _, topic, key, value in store.outbox(100)]


def test_an_answer_reaches_its_records_owner_by_the_owners_name(store: AnswersStore) -> None:
    """
    The owner reads which record it is and who says what; never the name by which that recipient knows the view.
    """
    value, outs = released()
    view = view_of(outs, "rcoc")
    text = [{"language": "fr", "text": "vu", "translation_of": None}]
    take(store, *receipts(outs), said("rcoc", view, "useful", text=text, by="duty officer"))

    ((topic, key, told),) = sent(store)

    assert ("asked.observatory-imb", value["id"].encode()) == (topic, key)
    assert (value["id"], None, "rcoc", "useful", text) == tuple(
        told[name] for name in ("record", "view", "recipient", "said", "text")
    )
    assert told["due_at"] is None
    assert view not in json.dumps(told, default=str)


def test_an_answer_that_comes_before_its_receipt_waits_for_it(store: AnswersStore) -> None:
    """
    Topics are read side by side: nothing is told of it, in either direction, until the receipt is there.
    """
    _, outs = released()
    take(store, said("rcoc", view_of(outs, "rcoc")), at=AT, before=AT)
    assert [] == sent(store)
    take(store, *receipts(outs))

    assert ["asked.observatory-imb"] == [topic for topic, _, _ in sent(store)]


@pytest.mark.parametrize("view", [None, "no such view", "of another"])
def test_an_answer_to_nothing_is_told_so_and_to_nobody_else(store: AnswersStore, view: str | None) -> None:
    """
    A view that it never got, another recipient's among them: the writer is told, and no owner learns of it.
    """
    _, outs = released()
    named = view_of(outs, "rmifc") if view == "of another" else view
    take(store, *receipts(outs), said("rcoc", named))
    assert [] == sent(store)
    take(store, before=AT + LATER)

    ((topic, _, told),) = sent(store)

    assert ("replied.rcoc", "not-understood") == (topic, told["said"])
    assert told["record"] is None


def test_nobody_answers_for_another_and_nobody_says_what_is_not_its_own_to_say(store: AnswersStore) -> None:
    """
    What stands on another's topic, an owner's word from a recipient, a recipient's from an owner, and bytes: nothing comes of them.
    """
    _, outs = released()
    rcoc, rmifc = view_of(outs, "rcoc"), view_of(outs, "rmifc")
    take(store, *receipts(outs), said("rmifc", rmifc, "release-requested"))
    (request,) = [told["id"] for _, _, told in sent(store)]
    take(
        store,
        said("rmifc", rmifc, topic="from.rcoc.answer"),
        said("rcoc", rcoc, "granted"),
        said("rcoc", rcoc, "not-understood"),
        ("from.rcoc.answer", b"\0garbage"),
        ("from.rcoc.answer", outs[0].value),
        replied("comoros", request),
        replied("observatory-imb", request, "erased"),
        replied("observatory-imb", "no such request"),
        before=AT + LATER,
    )

    assert ["asked.observatory-imb"] == [topic for topic, _, _ in sent(store)]


def test_a_request_has_a_clock_and_its_reply_comes_back(store: AnswersStore) -> None:
    """
    The owner reads what is asked for and until when to reply; the recipient reads the first reply, by its own name for the view.
    """
    value, outs = released()
    view = view_of(outs, "rcoc")
    take(store, *receipts(outs), said("rcoc", view, "release-requested", fields=["sensor"]))
    ((_, _, asked),) = sent(store)
    waiting = store.requests()
    take(store, replied("observatory-imb", asked["id"], "granted"), replied("observatory-imb", asked["id"], "refused"), at=AT + 1)

    assert ["sensor"] == asked["fields"]
    assert datetime.fromtimestamp(AT / 1000, UTC) + CLOCK == asked["due_at"]
    assert [(None, value["id"])] == [(one.said, one.record) for one in waiting]
    replies = [(topic, key, told) for topic, key, told in sent(store) if topic.startswith("replied.")]
    assert [("replied.rcoc", view.encode(), "granted", view, None)] == [
        (topic, key, told["said"], told["view"], told["record"]) for topic, key, told in replies
    ]
    assert [("granted", AT + 1)] == [(one.said, one.answered) for one in store.requests()]


def test_every_message_counts_once_however_often_it_is_read(store: AnswersStore) -> None:
    """
    After a crash Kafka gives some of it again: nothing is told twice and nothing counts twice.
    """
    _, outs = released()
    view = view_of(outs, "rcoc")
    messages = [*receipts(outs), said("rcoc", view, "release-requested")]
    take(store, *messages)
    request = sent(store)[0][2]["id"]
    messages.append(replied("observatory-imb", request))
    take(store, *messages)
    take(store, *messages)

    assert ["asked.observatory-imb", "replied.rcoc"] == [topic for topic, _, _ in sent(store)]


def test_what_a_look_brought_is_there_whole_or_not_at_all(store: AnswersStore) -> None:
    """
    A process that ends in the middle leaves neither answers without positions nor positions without answers.
    """
    _, outs = released()
    own = taker(store)

    def killed() -> None:
        with store.transaction():
            for topic, frame in [*receipts(outs), said("rcoc", view_of(outs, "rcoc"))]:
                own.take(topic, frame, AT)
            own.settle(before=None)
            store.move({("from.rcoc.answer", 0): 1})
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        killed()
    assert ([], [], {}) == (sent(store), store.unknown(), store.positions())


def test_only_one_follower_writes(store: AnswersStore, tmp_path: Path) -> None:
    """
    A second one is told that one is enough; whoever only looks may.
    """
    with pytest.raises(Unavailable, match="one is enough"), open_answers(tmp_path / "answers", begin=True):
        pass
    with open_answers(tmp_path / "answers") as other:
        assert [] == other.requests()
    with pytest.raises(DeclarationError, match="boutre answers follow begins it"), open_answers(tmp_path / "elsewhere"):
        pass
    assert [] == store.requests()


# --- Recalls ---------------------------------------------------------------------------------------------------------------


def recalled(store: AnswersStore) -> tuple[Value, dict[str, str]]:
    """A report that its member took back, in the store: and by recipient the view of its recall."""
    value = attack()
    made = local_bus()
    made.publish([national("sighting", value), national("retraction", recall(value, "sighting"))])
    messages = [("bus.receipt", out.value) for out in made.topics["bus.receipt"]]
    messages += [("bus.retraction", out.value) for out in made.topics["bus.retraction"]]
    take(store, *messages)
    views = {
        topic.split(".")[1]: str(CODEC.decode(outs[0].value).value["id"])
        for topic, outs in made.topics.items()
        if topic.startswith("for.") and topic.endswith(".retraction")
    }
    return value, views


@given(st.data())
@settings(max_examples=15, deadline=None)
def test_a_recall_is_answered_by_everyone_who_had_the_record(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """
    Whoever answers counts with what it said last, whoever does not waits; nobody else is in the list.
    """
    with open_answers(tmp_path_factory.mktemp("answers"), begin=True) as store:
        value, views = recalled(store)
        expected: dict[str, str | None] = dict.fromkeys(views)
        for number, recipient in enumerate(data.draw(st.lists(st.sampled_from(sorted(views)), max_size=6))):
            code = data.draw(st.sampled_from(sorted(answers.RECALL)))
            made = answers.answer(recipient, code, NOW + timedelta(seconds=number), view=views[recipient])
            take(store, (f"from.{recipient}.answer", CODEC.encode("answer", made)), at=AT + number)
            expected[recipient] = code

        assert expected == {one.recipient: one.said for one in store.recalls()}
        assert {value["id"]} == {one.record for one in store.recalls()}
        assert views


def test_who_is_overdue_is_said_and_the_command_says_no(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The test's recall is old: whoever has not answered is overdue, and the exit status is 1 until all have.
    """
    monkeypatch.setenv("BOUTRE_STATE", str(tmp_path))

    def status(*more: str) -> tuple[int, dict[str, str]]:
        done = CliRunner().invoke(main, ["--bus", str(ROOT), "recall", "status", *more, "--output", "json"])
        return done.exit_code, {row["recipient"]: row["state"] for row in json.loads(done.stdout)}

    with open_answers(tmp_path / "answers", begin=True) as store:
        value, views = recalled(store)
        first, *others = sorted(views)
        take(store, said(first, views[first], "erased"))
    before = status()
    with open_answers(tmp_path / "answers", begin=True) as store:
        for other in others:
            take(store, said(other, views[other], "held"))

    assert (1, {first: "erased", **dict.fromkeys(others, "overdue")}) == before
    assert (0, {first: "erased", **dict.fromkeys(others, "held")}) == status(value["id"])
    assert (0, {}) == status("no-such-record")


# --- What is declared ------------------------------------------------------------------------------------------------------


def test_every_word_is_in_the_vocabulary_and_belongs_to_one() -> None:
    """
    What recipients, owners and the bus may say: together all codes, and none of them two parties'.
    """
    parts = (answers.BY_RECIPIENT, answers.BY_OWNER, answers.JUDGEMENTS, answers.ON_ALERTS, frozenset({answers.NOT_UNDERSTOOD}))

    assert words().codes("answer@1") == frozenset().union(*parts)
    assert sum(map(len, parts)) == len(words().codes("answer@1"))


def test_the_way_back_reads_and_writes_what_is_declared() -> None:
    """
    Every topic of a party's answers is read or written by the follower; each recipient and member has its own.
    """
    declared = bus.load(ROOT)
    own = {name for name, topic in declared.topics.items() if topic.kind == "answer" and topic.owner != "bus"}

    assert own == {name for name in (*reads(declared), *writes(declared)) if not name.startswith("bus.")}
    assert {f"from.{one}.answer" for one in declared.recipients} | {f"replies.{one}" for one in declared.members} <= set(
        reads(declared)
    )
