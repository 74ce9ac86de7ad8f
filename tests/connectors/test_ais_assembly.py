"""
Whole messages from lines: parts that are lost, late, doubled or among others, and the account of every line.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from boutre.connectors.sources.nmea import checksum
from boutre.connectors.sources.nmea_assembly import Aside, Assembled, Assembler, Broken, Line, Message

AT = datetime(2010, 6, 11, 11, 46, 12, tzinfo=UTC)


def part(number: int, total: int = 2, *, sequence: str = "1", payload: str = "1000", talker: str = "AI") -> bytes:
    """
    A sound sentence.
    """
    content = f"{talker}VDM,{total},{number},{sequence},A,{payload},0".encode()
    return b"!" + content + b"*%02X" % checksum(content)


def wrapper(second: int, station: str, given: int = 0) -> bytes:
    """
    A $PGHP line; *given* is the checksum of the sentence it speaks of.
    """
    content = f"PGHP,1,2010,6,11,11,46,{second},0,219,,{station},1,{given:02X}".encode()
    return b"$" + content + b"*%02X" % checksum(content)


def assembled(lines: Iterable[bytes | Line], *, flush: bool = True) -> list[Assembled]:
    """
    All that *lines* make.
    """
    assembler = Assembler()
    found: list[Assembled] = []
    for number, line in enumerate(lines, 1):
        found.extend(assembler.take(line if isinstance(line, Line) else Line(number, line)))
    return found + (list(assembler.flush()) if flush else [])


def payloads(found: Iterable[Assembled]) -> list[str]:
    """
    What each item is: the payload of a message, the code or reason of what is none.
    """
    return [
        each.payload if isinstance(each, Message) else each.flaw.code if isinstance(each, Broken) else each.reason for each in found
    ]


def test_parts_in_any_order_are_one_message() -> None:
    """A message whose second part came first is put together in the order of its parts."""
    assert ["1111" + "2222"] == payloads(assembled([part(2, payload="2222"), part(1, payload="1111")]))


def test_a_wrapper_speaks_of_all_parts() -> None:
    """Time and station of a $PGHP line before the first part are those of the whole message, which is one input of three lines."""
    (message,) = assembled([wrapper(12, "2190064"), part(1), part(2)])

    assert isinstance(message, Message)
    assert (AT, "002190064", 3, 2) == (message.at, message.station, len(message.lines), message.sentences)


def test_a_wrapper_of_another_sentence_gives_no_time() -> None:
    """Where the checksum in the wrapper is not that of the sentence, its time is somebody else's, and the message is refused."""
    assert ["bad-checksum"] == payloads(assembled([wrapper(12, "2190064", given=1), part(1, total=1)]))


def test_a_wrapper_is_used_once() -> None:
    """The sentence after the one that was wrapped has no time of its own."""
    first, second = assembled([wrapper(12, "1"), part(1, total=1), part(1, total=1)])

    assert isinstance(first, Message)
    assert isinstance(second, Message)
    assert (AT, None) == (first.at, second.at)


def test_a_wrapper_before_a_garbled_sentence_speaks_of_no_other() -> None:
    """A wrapper whose sentence came garbled is refused with it, and gives the next sentence no time."""
    broken, message = assembled([wrapper(12, "1"), b"!AIVDM,1,1,,A,1000,0*00", part(1, total=1)])

    assert isinstance(broken, Broken)
    assert isinstance(message, Message)
    assert (2, None) == (len(broken.lines), message.at)


def test_two_wrappers_in_a_row_leave_the_first_alone() -> None:
    """A wrapper without a sentence is counted for itself."""
    assert ["wrapper-alone", "1000"] == payloads(assembled([wrapper(12, "1"), wrapper(13, "2"), part(1, total=1)]))


def test_stations_do_not_mix() -> None:
    """Parts of two messages with the same sequence number, heard by two stations at once, do not become one message."""
    lines = [
        wrapper(12, "1"),
        part(1, payload="1111"),
        wrapper(12, "2"),
        part(1, payload="3333"),
        wrapper(12, "2"),
        part(2, payload="4444"),
        wrapper(12, "1"),
        part(2, payload="2222"),
    ]

    assert ["33334444", "11112222"] == payloads(assembled(lines))


def test_senders_do_not_mix() -> None:
    """Parts that came from two senders are not put together."""
    lines = [Line(1, part(1), "10.0.0.1"), Line(2, part(2), "10.0.0.2")]

    assert ["incomplete-message", "incomplete-message"] == payloads(assembled(lines))


def test_a_group_gives_its_time_to_all_parts() -> None:
    """Only the first tag block of a group tells time and station; they are those of its other sentences too."""
    first, second = b"g:1-2-77,s:station,c:1276256772", b"g:2-2-77"
    lines = [b"\\" + tag + b"*%02X" % checksum(tag) + b"\\" for tag in (first, second)]

    (message,) = assembled([lines[0] + part(1), lines[1] + part(2)])

    assert isinstance(message, Message)
    assert (AT, "station") == (message.at, message.station)


def test_a_sequence_number_that_comes_again_begins_a_message() -> None:
    """A first part with the number of one that still waits gives the old one up."""
    lines = [part(1, payload="1111"), part(1, payload="3333"), part(2, payload="4444")]

    assert ["incomplete-message", "33334444"] == payloads(assembled(lines))


def test_parts_do_not_wait_for_ever() -> None:
    """A part that comes more than half a minute later belongs to another message with the same number."""
    late = AT + timedelta(seconds=31)
    lines = [Line(1, part(1), "", AT), Line(2, part(2), "", late)]

    assert ["incomplete-message", "incomplete-message"] == payloads(assembled(lines))


def test_parts_just_in_time_are_put_together() -> None:
    """After exactly half a minute a part still finds its message."""
    lines = [Line(1, part(1), "", AT), Line(2, part(2), "", AT + timedelta(seconds=30))]

    assert ["10001000"] == payloads(assembled(lines))


def test_what_waits_is_bounded() -> None:
    """A stream of lost parts is given up message by message, and no more than the limit waits at any time."""
    assembler = Assembler(pending=4)
    found = [
        each
        for number in range(100)
        for each in assembler.take(Line(number, part(1, total=2, sequence=str(number % 10), talker=f"{number // 10:02d}")))
    ]

    assert 96 == len(found)
    assert 4 == len(list(assembler.flush()))


def test_a_blank_line_is_nothing() -> None:
    """Empty lines are no input."""
    assert [] == assembled([b"", b"\r\n"])


junk = st.one_of(
    st.binary(max_size=40),
    st.builds(
        part,
        st.integers(1, 3),
        st.integers(3, 3),
        sequence=st.sampled_from(["", "1", "2"]),
        payload=st.sampled_from(["1000", "2000"]),
        talker=st.sampled_from(["AI", "BS"]),
    ),
    st.builds(wrapper, st.integers(0, 61), st.sampled_from(["", "1", "2"]), st.sampled_from([0, 1])),
    st.just(b"# comment"),
)


@given(st.lists(junk, max_size=30))
def test_each_line_comes_out_exactly_once(lines: list[bytes]) -> None:
    """Whatever comes in, each line that is not blank is part of one item, none is lost and none is used twice."""
    expected = [number for number, line in enumerate(lines, 1) if line.strip(b" \t\r\n\0")]

    found = [line.number for each in assembled(lines) for line in each.lines]

    assert expected == sorted(found)


@given(st.lists(junk, max_size=30))
def test_whole_messages_have_all_their_parts(lines: list[bytes]) -> None:
    """A message has as many sentences as it says, however its parts were mixed."""
    for each in assembled(lines):
        if isinstance(each, Message):
            assert each.sentences == sum(b"VDM" in line.content for line in each.lines)
        assert isinstance(each, Message | Broken | Aside)
