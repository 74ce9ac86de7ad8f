"""
What a worker remembers on its disk: all of a transaction or nothing of it, bounded, forgotten by rule, thrown away when damaged.
"""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rocksdict import Rdict

from boutre import metrics
from boutre.errors import Unavailable
from boutre.processors.decision import Drop, Emit, Inbound, State
from boutre.processors.handle import Handler, Processor
from boutre.processors.runtime.disk import options
from boutre.processors.runtime.overlay import SWEEP, Overlay, change_bytes
from boutre.processors.runtime.restore import SAFE, Changelog, distrust
from boutre.processors.runtime.store import BLOCK, Checkpoint, Row, Store, StoreError
from boutre.processors.runtime.stores import Stores
from boutre.processors.windows import DAY_MS, InMemory, Window, Windows, class_of
from domain.store_writer import changes_of
from records import AT, CODEC

WRITER = Path(__file__).with_name("store_writer.py")
WINDOWS = Windows({"id": Window(2, 1_000), "repeat": Window(1, 1_000)})
CLASSES = ("id", "repeat")

Changes = dict[str, Any]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[..., Store]]:
    """
    Opens the store of this test, with other windows where they are given; the one that was open before is closed.
    """
    made: list[Store] = []

    def opening(windows: Windows = WINDOWS) -> Store:
        for store in made:
            store.close()
        made.append(Store(tmp_path / "0", windows))
        return made[-1]

    yield opening
    for store in made:
        store.close()


def transact(store: Store, accepted: int, changes: Changes, *, sweeping: bool = True, most: int = SWEEP) -> Overlay:
    """Do what a shard does: one record accepted then, of which these changes come, committed."""
    overlay = Overlay(store)
    overlay.see(accepted)
    overlay.add(changes)
    rows: dict[str, Row] = {key: (key.encode(), change_bytes(value), overlay.now, []) for key, value in changes.items()}
    if sweeping:
        rows |= overlay.sweep(most)
    overlay.commit(rows, store.position + len(rows))
    return overlay


def held(store: Store) -> dict[str, tuple[int, Any]]:
    """All that is in a store, whether it is remembered or not, found by its index of times."""
    found = {}
    for kind in store.classes():
        for block in store.blocks(kind):
            for name in block.keys:
                entry = store.get(name.decode())
                if entry is not None:
                    assert class_of(name.decode()) == kind
                    found[name.decode()] = (entry[0], json.loads(entry[1]))
    return found


def remembered(store: Store, accepted: int, keys: list[str]) -> Changes:
    """What a step sees of some keys."""
    overlay = Overlay(store)
    overlay.see(accepted)
    return {key: overlay[key] for key in keys if key in overlay}


# --- One write for each transaction ------------------------------------------------------------------------------------------


def test_what_was_committed_is_there_after_a_restart(opened: Callable[..., Store]) -> None:
    """
    Values, the time of each, the number of keys, and the checkpoint: as they were when it was closed.
    """
    store = opened()
    transact(store, AT, {"id:a": 1, "id:b": {"x": ["é", None]}, "repeat:c": [1]})
    transact(store, AT + 5, {"id:a": 2, "repeat:c": None})
    before = store.checkpoint

    store = opened()
    assert {"id:a": (AT + 5, 2), "id:b": (AT, {"x": ["é", None]})} == held(store)
    assert (5, AT + 5, {"id": 2, "repeat": 0}) == (store.position, store.checkpoint.clock, store.checkpoint.keys)
    assert before == store.checkpoint
    assert 2 == len(store)


def test_what_is_not_committed_leaves_nothing(opened: Callable[..., Store]) -> None:
    """
    A transaction sees its own changes over what is committed; dropped, it was never there.
    """
    store = opened()
    transact(store, AT, {"id:a": 1, "id:b": 1})
    overlay = Overlay(store)
    overlay.see(AT)
    overlay.add({"id:a": 2, "id:b": None, "id:c": 3})

    assert {"id:a": 2, "id:c": 3} == {key: overlay[key] for key in ("id:a", "id:b", "id:c") if key in overlay}
    with pytest.raises(KeyError):
        overlay["id:b"]
    assert {"id:a": 1, "id:b": 1} == remembered(store, AT, ["id:a", "id:b", "id:c"])


def test_a_kill_between_two_writes_leaves_whole_transactions(opened: Callable[..., Store], tmp_path: Path) -> None:
    """
    A process that writes is killed with SIGKILL, five times: each time the store holds exactly the transactions up to its position.
    """
    begun = 0
    for pause in (1, 2, 3, 5, 8):
        process = subprocess.Popen([sys.executable, str(WRITER), str(tmp_path / "0")], stdout=subprocess.PIPE)
        assert process.stdout is not None
        assert b"." * pause == process.stdout.read(pause)
        process.kill()
        assert -signal.SIGKILL == process.wait()
        process.stdout.close()

        store = opened()
        expected: Changes = {}
        for number in range(1, store.position + 1):
            for key, (_, value, at, _) in changes_of(number).items():
                expected |= {key: None if value is None else (at, json.loads(value))}
        expected = {key: entry for key, entry in expected.items() if entry is not None}
        assert expected == held(store)
        assert {"id": len(expected)} == store.checkpoint.keys
        assert begun + 50 * (pause - 1) < store.position == store.checkpoint.clock - 1_000
        begun = store.position
        store.close()


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, DAY_MS),
            st.dictionaries(
                st.sampled_from([f"{kind}:{number}" for kind in CLASSES for number in range(6)]), st.none() | st.integers(1, 9)
            ),
        ),
        max_size=30,
    )
)
def test_it_holds_what_a_dictionary_would(tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[int, Changes]]) -> None:
    """
    Whatever is written, overwritten and taken away: values, times and counts are right, and every key stands in the index of times.
    """
    store = Store(tmp_path_factory.mktemp("state") / "0", WINDOWS)
    expected: dict[str, tuple[int, Any]] = {}
    clock = AT
    for later, changes in steps:
        clock += later
        transact(store, clock, changes, sweeping=False)
        for key, value in changes.items():
            if value is None:
                expected.pop(key, None)
            else:
                expected[key] = (clock, value)
        assert expected == held(store)
        counts = Counter(class_of(key) for key in expected)
        assert dict(counts) == {kind: count for kind, count in store.checkpoint.keys.items() if count}
    store.close()


# --- Forgetting --------------------------------------------------------------------------------------------------------------


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from((0, 1, DAY_MS // 2, DAY_MS - 1, DAY_MS, 2 * DAY_MS)),
            st.sampled_from((0, 0, 1, DAY_MS)),
            st.dictionaries(
                st.sampled_from([f"{kind}:{number}" for kind in CLASSES for number in range(5)]), st.none() | st.integers(1, 9)
            ),
            st.sampled_from((0, 1, 3, SWEEP)),
        ),
        max_size=25,
    )
)
def test_sweeping_never_changes_what_a_step_sees(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[int, int, Changes, int]]
) -> None:
    """
    Swept much, little or never, on a disk or in memory, with records that lag behind: a step sees the same at every moment.
    """
    folder = tmp_path_factory.mktemp("state")
    swept, whole, memory = Store(folder / "0", WINDOWS), Store(folder / "1", WINDOWS), InMemory(WINDOWS)
    keys = [f"{kind}:{number}" for kind in CLASSES for number in range(5)]
    clock = AT
    for later, lag, changes, most in steps:
        clock += later
        memory.see(clock - lag)
        seen = remembered(swept, clock - lag, keys)
        assert seen == remembered(whole, clock - lag, keys) == {key: memory[key] for key in keys if key in memory}
        transact(swept, clock - lag, changes, most=most)
        transact(whole, clock - lag, changes, sweeping=False)
        memory.add(changes)
    assert len(swept) <= len(whole)
    swept.close()
    whole.close()


def test_what_is_past_its_window_goes_for_good(opened: Callable[..., Store]) -> None:
    """
    So much in one transaction and not more; in the end nothing is left of it, in the index neither, and each key has its tombstone.
    """
    store = opened(Windows({"id": Window(2, 10 * BLOCK)}))
    keys = [f"id:{number}" for number in range(5 * BLOCK)]
    transact(store, AT, dict.fromkeys(keys, 1))
    transact(store, AT + 1, {"id:0": 2})
    gone: list[str] = []
    later = AT + 2 * DAY_MS
    while True:
        overlay = Overlay(store)
        overlay.see(later)
        rows = overlay.sweep()
        overlay.commit(rows, store.position + len(rows))
        if not rows:
            break
        assert {(None, later)} == {(value, at) for _, value, at, _ in rows.values()}
        assert len(rows) <= SWEEP + BLOCK
        assert {"window": len(rows)} == dict(overlay.forgotten)
        gone += rows
    assert sorted(keys[1:]) == sorted(gone)
    assert {"id:0": (AT + 1, 2)} == held(store)
    assert 1 == len(store)

    transact(store, later + 1, {})
    assert ({}, []) == (held(store), store.classes())


def test_of_too_many_the_oldest_go(opened: Callable[..., Store]) -> None:
    """
    After each transaction no more than the most are left, and they are the newest; another class is left alone.
    """
    store = opened(Windows({"id": Window(2, 10), "repeat": Window(2, 10)}))
    transact(store, AT, {f"repeat:{number}": 1 for number in range(10)})
    written: list[str] = []
    for number in range(30):
        changes = {f"id:{number}-{part}": number for part in range(3)}
        overlay = transact(store, AT + number, changes)
        written += changes
        assert min(len(written), 10) == store.checkpoint.keys["id"] == len(remembered(store, AT + number, written))
        assert overlay.forgotten["window"] == 0
    assert len(remembered(store, AT + 30, written[-9:])) == 9
    assert 10 == store.checkpoint.keys["repeat"]


def test_more_at_once_than_the_most_goes_with_what_comes_after(opened: Callable[..., Store]) -> None:
    """
    A transaction never forgets what it writes itself; the ones after it do, in portions.
    """
    store = opened(Windows({"id": Window(2, 10)}))
    transact(store, AT, {f"id:{number}": 1 for number in range(3 * BLOCK)})
    assert 3 * BLOCK == len(store)
    sizes = [len(store)]
    while sizes[-1] > 10:
        transact(store, AT + 1, {})
        sizes.append(len(store))
        assert sizes[-2] - sizes[-1] <= SWEEP + BLOCK
    assert 10 == len(store)


def test_a_class_that_is_not_declared_any_more_is_forgotten(opened: Callable[..., Store]) -> None:
    """
    It is not seen at once, and swept up with the next transactions.
    """
    transact(opened(), AT, {"id:a": 1, "repeat:b": 1})
    store = opened(Windows({"id": Window(2, 10)}))

    assert {"id:a": 1} == remembered(store, AT, ["id:a", "repeat:b"])
    transact(store, AT, {})
    assert {"id:a": (AT, 1)} == held(store)


def test_what_is_forgotten_and_remembered_is_counted(opened: Callable[..., Store], tmp_path: Path) -> None:
    """
    By stage and reason, and by stage, partition and class; what a worker does not hold any more is not shown.
    """

    async def run() -> None:
        stores = Stores(tmp_path / "worker", "echo", Windows({"id": Window(2, 10)}))
        (store,) = (await stores.only([7])).values()
        transact(store, AT, {f"id:{number}": 1 for number in range(15)}).count("echo", 7)
        transact(store, AT + 1, {}).count("echo", 7)
        transact(store, AT + 2 * DAY_MS, {}).count("echo", 7)
        assert 0 == sample("boutre_state_keys", stage="echo", partition="7", **{"class": "id"})
        await stores.only([])
        stores.release()

    def sample(name: str, **labels: str) -> float | None:
        return metrics.REGISTRY.get_sample_value(name, labels)

    del opened
    asyncio.run(run())
    assert (5, 10) == tuple(sample("boutre_state_forgotten_total", stage="echo", why=why) for why in ("most", "window"))
    assert sample("boutre_state_keys", stage="echo", partition="7", **{"class": "id"}) is None


@pytest.mark.parametrize("answer", [Emit((), {"other:x": 1}), Drop("same-report", {"x": 1})])
def test_a_key_without_a_window_is_not_remembered(answer: Emit | Drop) -> None:
    """
    A step that would remember by a class that is not declared remembers nothing at all: the record is rejected.
    """

    def step(_: Inbound, __: State) -> Emit | Drop:
        return answer

    processor = Processor("x", step, ("in",), frozenset(), {"comoros": "rejects.comoros"}, "log", windows=WINDOWS)
    handled = Handler(processor, CODEC, lambda _: ("comoros", "sighting"))(Inbound("in", 0, 7, b"k", b"v", {}, AT), {})

    assert ("rejected", "internal-error", {}) == (handled.outcome, handled.reason, handled.changes)


# --- Damage ------------------------------------------------------------------------------------------------------------------


def spoil_all(folder: Path) -> None:
    """Overwrite what RocksDB needs first."""
    for path in [*folder.glob("MANIFEST*"), *folder.glob("*.sst"), *folder.glob("CURRENT")]:
        path.write_bytes(b"\xff" * 64)


def spoil_data(folder: Path) -> None:
    """Overwrite values alone, so that it opens and cannot be read."""
    for path in folder.glob("*.sst"):
        content = bytearray(path.read_bytes())
        content[: len(content) // 2] = b"\xff" * (len(content) // 2)
        path.write_bytes(content)


def lose_checkpoint(folder: Path) -> None:
    """Take away every file that RocksDB would tell apart, and leave something that is no database."""
    for path in folder.iterdir():
        path.unlink()
    (folder / "CURRENT").write_text("MANIFEST-000001\n", encoding="utf-8")


@pytest.mark.parametrize("damage", [spoil_all, spoil_data, lose_checkpoint])
def test_a_damaged_store_is_thrown_away(opened: Callable[..., Store], tmp_path: Path, damage: Callable[[Path], None]) -> None:
    """
    Opened again, it is empty and says so, and can be filled; nothing wrong is ever read from it.
    """
    store = opened()
    transact(store, AT, {f"id:{number}": str(number) * 50 for number in range(1_000)})
    store.close()
    damage(tmp_path / "0")

    store = opened()
    try:
        found = remembered(store, AT, [f"id:{number}" for number in range(1_000)])
    except StoreError:
        assert store.spoilt
        store = opened()
        found = {}
    assert {} == found
    assert Checkpoint() == store.checkpoint
    transact(store, AT, {"id:a": 1})
    assert {"id:a": 1} == remembered(opened(), AT, ["id:a"])


def test_a_store_that_cannot_be_made_is_tried_again(tmp_path: Path) -> None:
    """
    A full or forbidden disk ends nothing: the store is there, says that it cannot be used, and can be used once it was wiped.
    """
    (tmp_path / "0").write_text("no folder", encoding="utf-8")
    store = Store(tmp_path / "0", WINDOWS)
    assert store.spoilt
    with pytest.raises(StoreError):
        store.wipe()
    with pytest.raises(StoreError):
        Overlay(store).get("id:a")

    (tmp_path / "0").unlink()
    store.wipe()
    assert not store.spoilt
    transact(store, AT, {"id:a": 1})
    assert {"id:a": 1} == remembered(store, AT, ["id:a"])
    store.close()


def test_a_record_is_not_judged_by_a_store_that_cannot_be_read(opened: Callable[..., Store]) -> None:
    """
    The step's failure is the store's, not the record's: the transaction ends with it, and nothing is sent.
    """
    overlay = Overlay(store := opened())
    store.close()

    def step(_: Inbound, state: State) -> Drop:
        return Drop("same-report", {"id:x": state.get("id:x")})

    processor = Processor("x", step, ("in",), frozenset(), {"comoros": "rejects.comoros"}, "log", windows=WINDOWS)
    handled = Handler(processor, CODEC, lambda _: ("comoros", "sighting"))(Inbound("in", 0, 7, b"k", b"v", {}, AT), overlay)

    assert "rejected" == handled.outcome
    with pytest.raises(StoreError):
        overlay.check()


@pytest.mark.parametrize("checkpoint", [b'{"format":2,"position":1}', b'{"format":"1"}', b"?", None])
def test_a_store_of_another_form_is_thrown_away(opened: Callable[..., Store], tmp_path: Path, checkpoint: bytes | None) -> None:
    """
    What another version wrote in another way, or what has no checkpoint, is not guessed at.
    """
    store = opened()
    transact(store, AT, {"id:a": 1})
    store.close()
    database = Rdict(str(tmp_path / "0"), options())
    if checkpoint is None:
        database.delete(b"c")
    else:
        database[b"c"] = checkpoint
    database.close()
    del database

    store = opened()
    assert (Checkpoint(), {}) == (store.checkpoint, remembered(store, AT, ["id:a"]))


def test_two_never_have_one_folder(opened: Callable[..., Store], tmp_path: Path) -> None:
    """
    A store that is open elsewhere is no damaged one: it is left alone, and the second one is told.
    """
    store = opened()
    transact(store, AT, {"id:a": 1})
    with pytest.raises(Unavailable, match="used by another worker"):
        Store(tmp_path / "0", WINDOWS)
    assert {"id:a": 1} == remembered(store, AT, ["id:a"])

    stores = Stores(tmp_path / "worker", "echo", WINDOWS)
    with pytest.raises(Unavailable, match="--data"):
        Stores(tmp_path / "worker", "echo", WINDOWS)
    stores.release()
    Stores(tmp_path / "worker", "echo", WINDOWS).release()


def test_a_partition_that_is_kept_keeps_its_store_open(tmp_path: Path) -> None:
    """
    One that is lost is closed, and can be opened by another; come back, it holds what it held.
    """

    async def run() -> None:
        stores = Stores(tmp_path, "echo", WINDOWS)
        first = await stores.only([0, 1])
        transact(first[1], AT, {"id:a": 1})
        second = await stores.only([0])
        assert first[0] is second[0]
        other = Store(tmp_path / "state" / "1", WINDOWS)
        assert {"id:a": 1} == remembered(other, AT, ["id:a"])
        other.close()
        third = await stores.only([0, 1])
        assert first[0] is third[0]
        assert {"id:a": 1} == remembered(third[1], AT, ["id:a"])
        await stores.close()
        stores.release()

    asyncio.run(run())


# --- Whether it is believed --------------------------------------------------------------------------------------------------

KNOWN = Changelog("cluster/topic", 1_000.0)
OLDEST = SAFE * KNOWN.tombstones_s


@pytest.mark.parametrize(
    ("changes", "known", "why"),
    [
        ({}, KNOWN, None),
        ({"position": 10}, KNOWN, None),
        ({"position": 90}, KNOWN, None),
        ({"position": 9}, KNOWN, "outside of the changelog"),
        ({"position": 91}, KNOWN, "outside of the changelog"),
        ({"incarnation": "cluster/other"}, KNOWN, "another changelog"),
        ({}, None, "another changelog"),
        ({"complete_at": 5_000.0 - OLDEST + 0.001}, KNOWN, None),
        ({"complete_at": 5_000.0 - OLDEST}, KNOWN, "too old"),
        ({"complete_at": 5_000.0}, KNOWN, None),
        ({"complete_at": 5_000.001}, KNOWN, "too old"),
        ({"position": 0, "incarnation": "cluster/other", "complete_at": 0.0}, KNOWN, None),
    ],
)
def test_a_store_is_believed_only_where_nothing_can_be_missing(changes: Changes, known: Changelog | None, why: str | None) -> None:
    """
    The same changelog, a position within it, and younger than its tombstones, by a clock that has not gone back.
    """
    checkpoint = Checkpoint(**{"position": 50, "incarnation": "cluster/topic", "clock": AT, "complete_at": 4_999.0, **changes})

    assert why == distrust(checkpoint, known, 10, 90, 5_000.0)
