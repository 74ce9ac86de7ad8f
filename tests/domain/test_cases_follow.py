"""
What the follower of case keys makes of messages: uses and erasures, each its own member's, in whatever order topics are read.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from boutre.errors import Refuse, Unavailable
from boutre.locks import held
from boutre.ops.cases_follow import begins, following_cases
from boutre.ops.cases_take import LONGEST, Found, reads
from boutre.ops.following import Behind
from boutre.schemas.cases.groups import ALGORITHM, Opener, case_keys
from boutre.schemas.cases.pool import VaultPool
from boutre.schemas.cases.vault import Vault
from boutre.schemas.codec import FRAME, Codec
from boutre.topics import bus
from records import CODEC, ROOT, Value, attack, kwassa, national, recall, track

BUS: Final = bus.load(ROOT)
MEMBERS: Final = ("comoros", "france")

Message = tuple[str, bytes | None]


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    """A vault that has just been made."""
    with Vault.of(tmp_path / "vault", begin=True) as made:
        yield made


def story(reference: str) -> Value:
    """A report that names somebody."""
    return kwassa(reference, narrative=[{"language": "fr", "text": "Personne de réel"}])


def told(value: Value, vault: Vault, kind: str = "interception") -> Message:
    """A report that names people, as its connector sends it."""
    out = national(kind, value, cases=VaultPool(vault, value["origin"]["member"]))
    return out.topic, out.value


def taken_back(of: Value, scope: str = "erase", member: str | None = None, **groups: str) -> Message:
    """A recall of a report as the bus accepted it."""
    value = recall(of, "interception", member)
    return "bus.retraction", CODEC.encode("retraction", {**value, "recall": {**value["recall"], "scope": scope, **groups}})


def found(*messages: Message) -> Found:
    """What they come to."""
    made = Found(CODEC)
    for topic, frame in messages:
        made.take(BUS.topic(topic), frame)
    return made


def take(vault: Vault, *messages: Message) -> int:
    """Take them as one look at Kafka brings them; gives how many keys were destroyed."""
    made = found(*messages)
    return sum(one.keys for one in vault.take(made.uses, made.recalls, {}))


def opens(vault: Vault, message: Message) -> bool:
    """Whether the bus can still read what a report says of people."""
    try:
        Opener(CODEC, vault.opening)(CODEC.decode(message[1]))
    except Refuse as refused:
        if refused.code != "case-erased":
            raise
        return False
    return True


def test_reports_of_every_member_and_recalls_are_followed_and_nothing_else() -> None:
    """
    Every kind that a member publishes but retractions, which count once they were accepted.
    """
    names = {f"national.{member.id}.{kind}" for member in BUS.members.values() for kind in member.kinds if kind != "retraction"}

    assert {*names, "bus.retraction"} == set(reads(BUS))
    assert all("bus" in BUS.topic(name).readers for name in reads(BUS))


def test_a_report_binds_its_key_under_its_topics_member(vault: Vault) -> None:
    """
    Its own id, its own key, and whose it is the topic says, whatever the record says.
    """
    value = story("K-1")
    _, frame = told(value, vault)
    (key,) = case_keys(CODEC.decode(frame).value)

    assert [("comoros", value["id"], key)] == found(("national.comoros.interception", frame)).uses
    assert [("france", value["id"], key)] == found(("national.france.interception", frame)).uses


def test_what_names_nobody_is_not_even_decoded(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Positions by AIS, reports without personal groups, empty values: none is a use, and of none anything is asked but some bytes.
    """
    ais = national("sighting", track("T-1"))
    plain = national("sighting", attack())
    sealed = told(story("K-1"), vault)
    made = Found(CODEC)
    monkeypatch.delattr(Codec, "decode")
    for topic, frame in ((ais.topic, ais.value), (plain.topic, plain.value), (ais.topic, b""), (ais.topic, None)):
        made.take(BUS.topic(topic), frame)

    assert ([], []) == (made.uses, made.recalls)
    with pytest.raises(AttributeError, match="decode"):
        made.take(BUS.topic(sealed[0]), sealed[1])


def test_what_accept_refuses_as_unreadable_is_passed_over(vault: Vault) -> None:
    """
    Bytes that hold the mark, another kind, a schema that nobody knows, an id as long as a record: nothing stops, nothing is noted.
    """
    mark = ALGORITHM.encode()
    _, frame = told(story("K-1"), vault)
    assert frame is not None
    long = {**CODEC.decode(frame).value, "id": "x" * (LONGEST + 1)}
    topic = "national.comoros.interception"

    wrong = (mark, FRAME.pack(0, 4) + mark, frame[:-1], frame + b"\0", CODEC.encode("interception", long))
    assert [] == found(*((topic, each) for each in wrong), ("national.comoros.sighting", frame)).uses


def test_an_erasure_destroys_before_and_after_and_a_retraction_does_not(vault: Vault) -> None:
    """
    The recall may be read before its record; one of scope retract leaves the record readable for the bus.
    """
    before, after, kept = (story(f"K-{nth}") for nth in range(3))
    first, second, third = (told(value, vault) for value in (before, after, kept))

    assert 0 == take(vault, taken_back(before), taken_back(kept, "retract"))
    assert [False, True, True] == [opens(vault, each) for each in (first, second, third)]
    assert 1 == take(vault, first, second, third)
    assert 1 == take(vault, taken_back(after))
    assert [False, False, True] == [opens(vault, each) for each in (first, second, third)]


def test_a_report_that_was_sent_twice_goes_with_both_its_keys(vault: Vault) -> None:
    """
    A connector that begins again sends the same report under another key: an erasure takes both, and one that comes still later.
    """
    value = story("K-1")
    one, two, three = (told(value, vault) for _ in range(3))

    assert 2 == take(vault, one, taken_back(value), two)
    assert 1 == take(vault, three)
    assert [False] * 3 == [opens(vault, each) for each in (one, two, three)]


def test_nobody_erases_what_is_anothers(vault: Vault) -> None:
    """
    A recall of somebody else's record was accepted as well as any; and another's frame sent on under one's own name binds nothing.
    """
    value = story("K-1")
    own = told(value, vault)

    assert 0 == take(vault, taken_back(value, member="france"), ("national.france.interception", own[1]), own)
    assert opens(vault, own)


def test_a_recall_of_an_exercise_destroys_nothing() -> None:
    """What an exercise takes back is not erased: no key is asked for."""
    topic, frame = taken_back(kwassa())
    value = CODEC.decode(frame).value
    drill = CODEC.encode("retraction", {**value, "exercise": True})

    assert 1 == len(found((topic, frame)).recalls)
    assert [] == found((topic, drill)).recalls


def test_a_recall_that_cannot_be_read_is_never_passed_by_unsaid() -> None:
    """
    What another version wrote ends the follower; what is nothing at all is logged, since accept cannot have written it.
    """
    with pytest.raises(Unavailable, match="another version"):
        found(("bus.retraction", FRAME.pack(0, 0x7FFFFFF0) + b"body"))
    garbage = (b"garbage", None, CODEC.encode("sighting", attack()), CODEC.encode("retraction", {"id": "x"}))
    with capture_logs() as logs:
        assert [] == found(*(("bus.retraction", frame) for frame in garbage)).recalls
    assert ["cases.unreadable"] * 4 == [line["event"] for line in logs]


@given(order=st.permutations(range(8)), cut=st.integers(0, 8))
def test_whatever_is_read_first_the_end_is_the_same(tmp_path_factory: pytest.TempPathFactory, order: list[int], cut: int) -> None:
    """
    Four reports of two members and four recalls, of which two are their own and of scope erase: these two are gone at the end.
    """
    with Vault.of(tmp_path_factory.mktemp("vault"), begin=True) as vault:
        values = [{**story(f"K-{nth}"), "origin": {**kwassa("K")["origin"], "member": MEMBERS[nth % 2]}} for nth in range(4)]
        reports = [told(value, vault) for value in values]
        recalls = [
            taken_back(values[0]),
            taken_back(values[1]),
            taken_back(values[2], "retract"),
            taken_back(values[3], member="comoros"),
        ]
        messages = [(reports + recalls)[nth] for nth in order]
        destroyed = take(vault, *messages[:cut]) + take(vault, *messages[cut:])

        assert [False, False, True, True] == [opens(vault, each) for each in reports]
    assert 2 == destroyed


# --- Where to begin ---------------------------------------------------------------------------------------------------------

PLACE: Final = ("national.comoros.sighting", 0)


@given(low=st.integers(0, 50), size=st.integers(0, 50), known=st.none() | st.integers(0, 120))
def test_a_gap_is_told_and_gone_past_only_when_that_is_said(low: int, size: int, known: int | None) -> None:
    """
    It goes on where it was if Kafka holds that, up to the very end; else it is told, with what to do, and said to it begins anew.
    """
    held_there = {PLACE: (low, low + size), ("bus.retraction", 0): (0, 0)}
    positions = {} if known is None else {PLACE: known}
    if known is None or low <= known <= low + size:
        assert (low if known is None else known) == begins(held_there, positions, past_gap=False)[PLACE]
        return
    with pytest.raises(Behind, match="boutre cases follow --past-gap") as behind:
        begins(held_there, positions, past_gap=False)

    assert f"{PLACE[0]}, partition 0: the vault goes on at offset {known}" in str(behind.value)
    assert "bus.retraction" not in str(behind.value)
    assert {PLACE: low, ("bus.retraction", 0): 0} == begins(held_there, positions, past_gap=True)


def test_a_second_follower_is_refused(vault: Vault) -> None:
    """
    Before it asks for anything: two would write positions over one another.
    """
    with (
        held(vault.path.with_name("follow.lock"), "taken"),
        pytest.raises(Unavailable, match="another boutre cases follow"),
        following_cases(vault, CODEC, BUS, {}),
    ):
        pass
