"""
The evaluator over made-up looks: groups that idle, work, stand still, go, come back, and lose what they had to read.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from boutre.ops.lag.board import Board
from boutre.ops.lag.declared import LagFile
from boutre.ops.lag.document import document, duration, row
from boutre.ops.lag.evaluator import Evaluator, catch_up
from boutre.ops.lag.families import ABOUT, FAMILIES
from boutre.ops.lag.groups import Group
from boutre.ops.lag.look import Bounds, Look, Next, Partition, Place, SeenGroup, SeenTopic
from boutre.ops.lag.report import GroupLag, Report
from boutre.ops.lag.rules import Status
from boutre.ops.lag.series import Series

PLACE: Place = ("t", 0)
START = 1_790_000_000_000
EVERY = 10_000
FILE = LagFile(window=5, gone_s=20)
GROUP = Group("boutre-work", "processor", "bus", ("t",))


@dataclass
class Scene:
    """
    One partition of one topic whose records come one a second, and one group; each step is a look ten seconds later.

    A record's timestamp is START plus a second for each offset before it.
    """

    evaluator: Evaluator = field(default_factory=lambda: Evaluator([GROUP], FILE))
    at: int = START
    identity: str = "one"
    report: Report | None = None

    def step(
        self,
        committed: int | None,
        end: int,
        *,
        members: int = 1,
        begin: int = 0,
        stable: int | None = None,
        first: int | None = -1,
        retention_s: int | None = 1000,
        seconds: int = EVERY // 1000,
    ) -> GroupLag:
        """
        Look once more, and give what is said of the group; *first* is the first unread record, -1 the one at its offset, None none.
        """
        self.at += 1000 * seconds
        bounds = Bounds(begin, end if stable is None else stable, end)
        offset = max(begin, begin if committed is None else committed)
        record = (
            None if first is None else Next(offset if first == -1 else first, START + 1000 * (offset if first == -1 else first))
        )
        self.report = self.evaluator.take(
            Look(
                self.at,
                1,
                {"t": SeenTopic(self.identity, (Partition(1, (1,), (1,)),), None if retention_s is None else 1000 * retention_s)},
                {PLACE: bounds},
                {GROUP.name: SeenGroup({} if committed is None else {PLACE: committed}, members)},
                {(PLACE, offset): record} if offset < bounds.stable else {},
            )
        )
        return self.report.groups[0]

    def steps(self, committed: Sequence[int], ends: Sequence[int], members: int = 1) -> GroupLag:
        """Several looks; gives what is said at the last."""
        return [self.step(*one, members=members) for one in zip(committed, ends, strict=True)][-1]


def status(group: GroupLag) -> Status:
    """The status of the one partition."""
    return group.partitions[0].status


def test_who_has_nothing_to_read_is_well() -> None:
    """An idle group is OK and nought seconds behind for ever, with its consumer or without."""
    scene = Scene()
    for members in (1, 1, 0, 0, 0, 0, 0, 0, 0):
        group = scene.step(7, 7, members=members)
        assert (Status.OK, 0, 0.0, 0.0) == (group.status, group.lag, group.seconds, group.catch_up_s)
        assert group.headroom_s is None


def test_marks_of_transactions_are_no_lag() -> None:
    """Where a reader gets nothing before the end, nothing is unread, whatever the offsets say; and no time passes for it."""
    scene = Scene()
    for _ in range(9):
        group = scene.step(7, 8, members=0, first=None)
        assert (Status.OK, 0, 0.0) == (group.status, group.lag, group.seconds)


def test_lag_counts_from_the_first_record() -> None:
    """What was aborted before the first unread record is nothing to do."""
    group = Scene().step(3, 20, first=12)

    assert (8, (START + EVERY - (START + 12_000)) / 1000) == (group.lag, -2)
    assert group.seconds == 0.0  # its clock is ahead of ours: the record is not older than now


def test_an_open_transaction_is_nobodys_lag() -> None:
    """Nobody may read past an open transaction, so nobody is behind for it; how much it holds is told."""
    group = Scene().step(7, 30, stable=7)

    assert (0, 23) == (group.lag, group.partitions[0].held)


def test_lag_goes_on_when_everybody_has_gone() -> None:
    """Without a member the lag still grows, in records and in seconds, and after twenty seconds the group is stopped."""
    scene = Scene()
    scene.steps((5, 15, 25, 35, 45), (5, 15, 25, 35, 45))
    found = [scene.step(45, end, members=0) for end in (55, 65, 75)]

    assert [10, 20, 30] == [group.lag for group in found]
    assert [10.0, 20.0, 30.0] == [group.seconds for group in found]  # By its timestamp 5 more, when it was not there yet.
    assert [Status.OK, Status.OK, Status.STOP] == [status(group) for group in found]
    assert Status.ERR == found[-1].status


def test_who_is_there_and_does_not_get_on_is_stalled() -> None:
    """A member that holds its partition and commits nothing is STALL once the whole window is so; one that moves is not."""
    scene = Scene()
    found = [status(scene.step(5, 20 + place)) for place in range(6)]

    assert [Status.OK, Status.OK, *[Status.STALL] * 4] == found  # nothing is said of less than half a window
    assert Status.WARN == status(scene.step(6, 40))
    assert Status.OK == status(scene.step(30, 41))


def test_a_member_elsewhere_does_not_count() -> None:
    """A group whose members have other partitions has nobody here."""
    scene = Scene()
    look = scene.step(5, 20)
    assert scene.report is not None
    for _ in range(3):
        scene.at += EVERY
        scene.report = scene.evaluator.take(
            Look(
                scene.at, 1, scene.report.topics, scene.report.bounds,
                {GROUP.name: SeenGroup({PLACE: 5}, 2, frozenset({("other", 0)}))}, {(PLACE, 5): Next(5, START)},
            )
        )  # fmt: skip

    assert Status.OK == status(look)
    assert Status.STOP == status(scene.report.groups[0])


def test_who_goes_back_is_told() -> None:
    """REWIND while it has not come back to where it was; then it is judged by what came since."""
    scene = Scene()
    scene.steps((50, 60, 70), (70, 80, 90))

    assert Status.REWIND == status(scene.step(40, 95))
    assert Status.REWIND == status(scene.step(60, 96))
    assert Status.OK == status(scene.step(80, 97))


def test_a_group_that_never_came_counts_from_the_beginning() -> None:
    """A declared group that has committed nothing has everything before it, and is stopped while nobody is there."""
    scene = Scene()
    found = [scene.step(None, 40, members=0, begin=10) for _ in range(3)]

    assert [(30, Status.STOP)] == [(found[-1].lag, status(found[-1]))]
    assert Status.OK == status(found[0])
    assert found[-1].partitions[0].committed is None


def test_a_topic_made_again_begins_anew() -> None:
    """What was seen of a topic says nothing of another one of its name: no rewind, no old commits."""
    scene = Scene()
    scene.steps((50, 60, 70, 80, 90), (90, 90, 90, 95, 99))
    scene.identity = "two"
    group = scene.step(3, 9)

    assert (Status.OK, 1 / 5) == (status(group), group.partitions[0].complete)
    assert group.produced is None


def test_a_topic_that_is_gone_is_an_error() -> None:
    """The group says which one is not there, and so does the report."""
    scene = Scene()
    scene.step(5, 6)
    report = scene.evaluator.take(Look(scene.at + EVERY, 1, {}, {}, {GROUP.name: SeenGroup({PLACE: 5}, 1)}))

    assert (Status.ERR, ("t",), ()) == (report.groups[0].status, report.groups[0].missing, report.groups[0].partitions)
    assert ("t",) == report.missing


def test_a_partition_that_does_not_answer_is_an_error() -> None:
    """What could not be asked for is said, and never taken for nought."""
    scene = Scene()
    scene.step(5, 6)
    assert scene.report is not None
    report = scene.evaluator.take(Look(scene.at + EVERY, 1, scene.report.topics, {}, {GROUP.name: SeenGroup({PLACE: 5}, 1)}))

    assert (Status.ERR, (PLACE,)) == (report.groups[0].status, report.groups[0].silent)


def test_who_stands_past_the_end_is_told() -> None:
    """The log went back under it: no lag, and no peace."""
    group = Scene().step(50, 20)

    assert (0, Status.REWIND, True) == (group.lag, status(group), group.partitions[0].ahead)


def test_retention_takes_what_is_not_read() -> None:
    """How long until the first unread record may go; negative when it may go now; and how many went before they were read."""
    scene = Scene()
    group = scene.step(5, 20, retention_s=60)
    assert group.headroom_s == 5 + 60 - 10
    group = scene.step(5, 20, retention_s=60, seconds=100)
    assert group.headroom_s == 5 + 60 - 110
    group = scene.step(5, 20, begin=12)
    assert (7, 8) == (group.lost, group.lag)
    assert scene.step(5, 20, retention_s=None).headroom_s is None


def test_what_could_not_be_read_is_unknown() -> None:
    """Lag in records is known without reading; its age then is not, and is not called nought."""
    scene = Scene()
    scene.step(5, 6)
    assert scene.report is not None
    look = Look(scene.at + EVERY, 1, scene.report.topics, {PLACE: Bounds(0, 9, 9)}, {GROUP.name: SeenGroup({PLACE: 5}, 1)})
    group = scene.evaluator.take(look).groups[0]

    assert (4, None, None) == (group.lag, group.seconds, group.headroom_s)


def test_how_soon_it_is_done() -> None:
    """At the pace of the last looks, and never where it does not get nearer."""
    scene = Scene()
    group = scene.steps((0, 30, 60), (100, 110, 120))

    assert (1.0, 3.0, 30.0) == (group.produced, group.consumed, group.catch_up_s)
    assert scene.steps((60, 60, 60, 60, 60), (130, 140, 150, 160, 170)).catch_up_s is None


@given(st.integers(0, 99), st.one_of(st.none(), st.floats(0, 9)), st.one_of(st.none(), st.floats(0, 9)))
def test_catching_up_takes_no_negative_time(lag: int, produced: float | None, consumed: float | None) -> None:
    """Nought where nothing is unread, never where it falls behind, else some time."""
    found = catch_up(lag, produced, consumed)

    assert (found == 0.0) == (lag == 0)
    assert found is None or found >= 0
    if lag and produced is not None and consumed is not None and consumed <= produced:
        assert found is None


def test_who_may_be_away_is_not_stopped_before() -> None:
    """A group that is run now and then has its hours; after them it is stopped like any other."""
    group = Group("rcoc.files", "recipient", "rcoc", ("t",), rests_s=60)
    scene, evaluator = Scene(), Evaluator([group], FILE)
    found = []
    for _ in range(9):
        scene.step(None, 40)
        assert scene.report is not None
        looked = Look(scene.at, 1, scene.report.topics, scene.report.bounds, {group.name: SeenGroup({PLACE: 5})}, {})
        found.append(status(evaluator.take(looked).groups[0]))

    assert [Status.OK] * 6 + [Status.STOP] * 3 == found


def test_undeclared_groups_are_named_and_have_no_series() -> None:
    """They are judged like others, and told apart; a metric knows only how many there are."""
    scene = Scene(Evaluator([GROUP], FILE, lambda _name: "rcoc"))
    scene.step(5, 6)
    assert scene.report is not None
    theirs = ("theirs", 0)
    look = Look(
        scene.at + EVERY,
        1,
        {**scene.report.topics, "theirs": scene.report.topics["t"]},
        {**scene.report.bounds, theirs: Bounds(0, 9, 9)},
        {"rcoc.mine": SeenGroup({PLACE: 2, theirs: 5})},
        foreign=frozenset({"theirs"}),
    )
    board = Board(lambda: 1.0)
    board.put(scene.evaluator.take(look), 0.1)
    page = scraped(board)

    assert [("rcoc.mine", 8)] == [(one["group"], one["lag"]) for one in document(board.standing)["undeclared"]]
    assert {"t"} == {labels["topic"] for series in page.values() for labels, _ in series if "topic" in labels}
    assert {"rcoc": 1.0, "nobody": 0.0} == {labels["owner"]: value for labels, value in page["boutre_consumergroups_undeclared"]}
    assert "rcoc.mine" not in {labels.get("consumergroup") for series in page.values() for labels, _ in series}


def scraped(board: Board) -> Mapping[str, list[tuple[Mapping[str, str], float]]]:
    """The page that Prometheus would see, by name."""
    registry = CollectorRegistry()
    registry.register(Series(board, ("rcoc", "nobody")))
    return {
        family.name: [(sample.labels, sample.value) for sample in family.samples]
        for family in text_string_to_metric_families(generate_latest(registry).decode())
    }


def test_every_family_is_on_the_page() -> None:
    """Each declared metric has its labels and no others, from the first look on."""
    scene = Scene()
    scene.steps((5, 5), (20, 20))
    board = Board(lambda: 5.0)
    assert scene.report is not None
    board.put(scene.report, 0.25)
    page = scraped(board)

    assert {family.name: set(family.labels) for family in FAMILIES} | {name: set(labels) for name, labels, _ in ABOUT} == {
        name: set(series[0][0]) for name, series in page.items()
    }
    assert [({"consumergroup": "boutre-work", "topic": "t", "partition": "0"}, 15.0)] == page["kafka_consumergroup_lag"]
    assert [({"consumergroup": "boutre-work"}, math.inf)] == page["boutre_consumergroup_catch_up_seconds"]


def test_what_was_known_stays_when_the_cluster_is_away() -> None:
    """All series stay as they were, and one says that they are old; before the first answer nothing is made up."""
    board, scene = Board(lambda: 5.0), Scene()
    assert [0.0] == [value for _, value in scraped(board)["boutre_lag_up"]]
    scene.steps((5, 5), (20, 20))  # two, since what is not a number equals nothing
    assert scene.report is not None
    board.put(scene.report, 0.25)
    before = scraped(board)
    board.failed()
    after = scraped(board)

    assert [({}, 1.0)] == before["boutre_lag_up"]
    assert [({}, 0.0)] == after["boutre_lag_up"]
    assert {**before, "boutre_lag_up": []} == {**after, "boutre_lag_up": []}
    assert (False, 15) == (document(board.standing)["up"], document(board.standing)["groups"][0]["lag"])


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1.0 min"),
        (3599, "60.0 min"),
        (3600, "1.0 h"),
        (90_000, "1.0 d"),
        (-7200, "-2.0 h"),
        (None, "?"),
    ],
)
def test_durations_have_one_unit(seconds: float | None, said: str) -> None:
    """Short enough for a column, negative where it is past."""
    assert said == duration(seconds)


def test_a_row_says_where_to_look() -> None:
    """A group that stands still names its worst partition; one that is well has nothing to say."""
    scene = Scene()
    group = scene.steps((5, 5, 5, 5, 5), (10, 11, 12, 13, 14))

    assert ("boutre-work", "ERR", "9", "45 s", "1", "0.1", "0.0", "never", "15.9 min", "t/0 STALL") == row(group)
    assert row(Scene().step(5, 20))[7] == "?"
    assert ("", "", "", "") == tuple(row(Scene().step(7, 7))[index] for index in (3, 7, 8, 9))
