"""
The rounds of a probe: each ends once, in time, late, lost, withheld or unsent.
"""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boutre.errors import DeclarationError, Fault
from boutre.ops.clocks.declared import FILE, ClocksFile, load
from boutre.ops.clocks.rounds import GIVEN_UP, Rounds
from boutre.ops.clocks_probe import feed_of
from boutre.ops.probe_command import sender_of
from boutre.topics import bus
from boutre.topics.bus import Declarations
from records import ROOT

LOST_S = 120.0

Act = tuple[str, int, float]
ACTS = st.lists(
    st.tuples(st.sampled_from(["sent", "given", "withheld", "unsent", "expire"]), st.integers(0, 4), st.floats(0, 100)), max_size=40
)


@given(acts=ACTS)
def test_a_round_ends_once(acts: list[Act]) -> None:
    """Whatever comes in whatever order: of each that was sent one end is told, and after a loss at most that it came after all."""
    rounds, at, sent, ends = Rounds(LOST_S), 0.0, set[str](), dict[str, list[str]]()
    for number, (act, which, later) in enumerate(acts):
        at += later
        name = f"{which}"
        told = []
        if act == "sent":
            name = f"{which}/{number}"
            sent.add(name)
            rounds.sent(name, at)
        elif act == "expire":
            told = list(rounds.expire(at))
        else:
            name = max((one for one in sent if one.startswith(f"{which}/")), default=name)
            ended = rounds.unsent(name) if act == "unsent" else rounds.told(name, at, given=act == "given")
            told = [] if ended is None else [ended]
        for one in told:
            ends.setdefault(one.round, []).append(one.outcome)

    assert set(ends) <= sent
    assert all(one in (["arrived"], ["lost"], ["lost", "late"], ["withheld"], ["unsent"]) for one in ends.values())
    assert len(sent) - len(ends) == len(rounds)


@pytest.mark.parametrize(("after", "lost"), [(LOST_S, False), (math.nextafter(LOST_S, math.inf), True)])
def test_a_round_is_lost_behind_its_time(after: float, *, lost: bool) -> None:
    """At the very end it may still come."""
    rounds = Rounds(LOST_S)
    rounds.sent("a", 0.0)

    assert lost == bool(rounds.expire(after))


def test_what_comes_after_it_was_given_up_is_told_as_late() -> None:
    """With how long it took in all: so one sees that the bus was slow and lost nothing."""
    rounds = Rounds(LOST_S)
    rounds.sent("a", 10.0)
    rounds.expire(200.0)
    ended = rounds.told("a", 310.0, given=True)

    assert ended is not None
    assert ("late", 300.0) == (ended.outcome, ended.seconds)
    assert rounds.told("a", 311.0, given=True) is None


def test_what_was_given_up_is_not_remembered_without_end() -> None:
    """A bus that is away for weeks fills no memory."""
    rounds = Rounds(LOST_S)
    for number in range(GIVEN_UP + 1):
        rounds.sent(str(number), number)
        rounds.expire(number + LOST_S + 1)

    assert not rounds.knows("0")
    assert rounds.knows("1")


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('[kafka]\nsecurity_protocol = "SASL_SSL"\nsasl_username = "member.comoros"\n', "kafka"),
        ('[kafka]\nsasl_pasword = "hunter2"\n', "kafka.sasl_pasword"),
    ],
)
def test_a_sender_that_cannot_be_used_is_told_without_its_values(tmp_path: Path, text: str, key: str) -> None:
    """With its file and key; what stands there may be a password."""
    path = tmp_path / "member.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DeclarationError) as told:
        sender_of(path)

    assert [(str(path), key)] == [(fault.file, fault.key) for fault in told.value.faults]
    assert "hunter2" not in str(told.value)


def test_a_sender_has_an_address_of_its_own(tmp_path: Path) -> None:
    """What the file says is how rounds are sent."""
    path = tmp_path / "member.toml"
    path.write_text('[kafka]\nbootstrap_servers = "kafka.example.org:9093"\nsecurity_protocol = "SSL"\n', encoding="utf-8")
    client = sender_of(path).producer()

    assert ("kafka.example.org:9093", "SSL", "all") == (client["bootstrap.servers"], client["security.protocol"], client["acks"])


@pytest.fixture(scope="module")
def declared() -> Declarations:
    """What this repository declares."""
    return bus.load(ROOT)


def test_the_probe_of_this_bus_sends_exercises_to_one_recipient(declared: Declarations) -> None:
    """Its feed can make nothing but exercises, and names the one that may have them."""
    faults: list[Fault] = []
    file = load(ROOT, declared, (), faults)
    assert [] == faults
    assert file.probe is not None
    feed = feed_of(file.probe)

    assert feed.exercise
    assert [file.probe.recipient] == feed.handling["release_to"]


def test_a_bus_without_the_file_has_the_defaults_and_no_probe(declared: Declarations, tmp_path: Path) -> None:
    """Nothing is sent that nobody declared."""
    faults: list[Fault] = []

    assert ClocksFile() == load(tmp_path, declared, (), faults)
    assert ClocksFile().probe is None
    assert [] == faults


def test_all_that_is_wrong_with_a_probe_is_told_at_once(declared: Declarations, tmp_path: Path) -> None:
    """With file and key."""
    (tmp_path / "processors").mkdir()
    text = (
        '[probe]\nfeed = "incidents-imb"\nmember = "atlantis"\nrecipient = "atlantis"\ntlp = "CLEAR"\nlate_s = 200\nlost_s = 100\n'
    )
    (tmp_path / FILE).write_text(text, encoding="utf-8")
    faults: list[Fault] = []
    load(tmp_path, declared, ("incidents-imb",), faults)

    assert {"probe.feed", "probe.member", "probe.recipient", "probe.lost_s"} == {fault.key for fault in faults}
    assert {FILE} == {fault.file for fault in faults}


@pytest.mark.parametrize(("member", "kind"), [("observatory-imb", "interception"), ("comoros", "retraction")])
def test_a_probe_is_of_a_kind_that_its_member_publishes(declared: Declarations, tmp_path: Path, member: str, kind: str) -> None:
    """And it takes nothing back."""
    (tmp_path / "processors").mkdir()
    text = f'[probe]\nfeed = "probe"\nmember = "{member}"\nkind = "{kind}"\nrecipient = "rcoc"\ntlp = "CLEAR"\n'
    (tmp_path / FILE).write_text(text, encoding="utf-8")
    faults: list[Fault] = []
    load(tmp_path, declared, (), faults)

    assert ["probe.kind"] == [fault.key for fault in faults]
