"""
For how long is remembered: to the millisecond, by the newest acceptance, and the same in memory as on a worker's disk.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boutre.processors.accept import REMEMBERS as BY_ACCEPT
from boutre.processors.correlate import REMEMBERS as BY_CORRELATE
from boutre.processors.detect import REMEMBERS as BY_DETECT
from boutre.processors.digests import differ, digest, named_digest
from boutre.processors.meet import REMEMBERS as BY_MEET
from boutre.processors.memory import REMEMBERS as BY_RELEASE
from boutre.processors.windows import DAY_MS, InMemory, Window, Windows, class_of
from records import AT, attack, handlers, local_bus, national, real_pipeline, views

WINDOWS = Windows({"id": Window(2, 10), "repeat": Window(1, 10)})
MS = st.integers(0, 5 * DAY_MS)


@pytest.mark.parametrize(
    ("key", "name"), [("id:7f3a", "id"), ("gone:comoros:7f3a", "gone"), ("id:", "id"), (":x", ""), ("bare", ""), ("", "")]
)
def test_the_class_is_the_word_before_the_first_colon(key: str, name: str) -> None:
    """
    Whatever comes after it, colons too; a key without a colon has the class without a name.
    """
    assert name == class_of(key)


@pytest.mark.parametrize(
    ("key", "age", "remembered"),
    [
        ("id:x", 0, True),
        ("id:x", 2 * DAY_MS - 1, True),
        ("id:x", 2 * DAY_MS, False),
        ("id:x", 2 * DAY_MS + 1, False),
        ("repeat:x", DAY_MS - 1, True),
        ("repeat:x", DAY_MS, False),
        ("other:x", 0, False),
        ("bare", 0, False),
    ],
)
def test_a_window_ends_to_the_millisecond(key: str, age: int, remembered: bool) -> None:  # noqa: FBT001 - a table
    """
    What was written a whole window ago is forgotten, a millisecond less is not; a class without a window is never remembered.
    """
    memory = InMemory(WINDOWS)
    memory.see(AT)
    memory.add({key: 1})
    memory.see(AT + age)

    assert remembered == WINDOWS.remembers(key, AT, AT + age) == (key in memory)
    assert ({key: 1} if remembered else {}) == dict(memory)
    assert (AT <= WINDOWS.horizon(class_of(key), AT + age)) == (not remembered)


@given(st.lists(MS, min_size=1))
def test_time_never_goes_back(times: list[int]) -> None:
    """
    A record of a topic that lags sees what the newest of all records sees: else it would see what is swept up already.
    """
    memory = InMemory(WINDOWS)
    for number, accepted in enumerate(times, 1):
        memory.see(accepted)
        assert max(times[:number]) == memory.now


@given(MS, MS)
def test_what_is_written_again_is_remembered_from_then_on(first: int, later: int) -> None:
    """
    The window counts from the last change.
    """
    memory = InMemory(WINDOWS)
    memory.see(first)
    memory.add({"id:x": 1})
    memory.see(first + later)
    memory.add({"id:x": 2})
    memory.see(first + later + 2 * DAY_MS - 1)
    assert 2 == memory["id:x"]
    memory.see(first + later + 2 * DAY_MS)
    assert memory.get("id:x") is None


def test_the_bus_in_memory_forgets_by_the_same_rule() -> None:
    """
    A report sent again within the window of its id is dropped, and passes for a new one after, for release too.
    """
    days = {name: window.days for name, window in real_pipeline().file.accept[0].windows.items()}
    bus = local_bus()
    for at in (AT, AT + days["id"] * DAY_MS - 1, AT + days["id"] * DAY_MS):
        bus.publish([national("sighting", attack(), at=at)])

    assert [None, "same-report", None] == [handled.reason for name, handled in bus.handled if name == "accept-reports"]
    assert 2 == len(views(bus.topics, "rmifc"))


def test_every_step_remembers_by_declared_classes_only() -> None:
    """
    The windows of each processor are those of the classes that its step says it remembers.
    """
    assert {
        "accept-reports": BY_ACCEPT,
        "accept-ais": BY_ACCEPT,
        "release": BY_RELEASE,
        "hear": frozenset(),
        "correlate": BY_CORRELATE,
        "detect": BY_DETECT,
        "meet": BY_MEET,
    } == {one.processor.name: frozenset(one.processor.windows.classes) for one in handlers()}


@given(st.binary(), st.binary())
def test_digests_by_two_keys_are_not_compared(one: bytes, other: bytes) -> None:
    """
    Two contents differ only where both were digested by one key: after a change of the key nothing is said to have changed.
    """
    assert (one != other) == differ(named_digest(b"key", one), named_digest(b"key", other))
    assert not differ(named_digest(b"key", one), named_digest(b"another", other))
    assert digest(b"key", one) != digest(b"another", one)
