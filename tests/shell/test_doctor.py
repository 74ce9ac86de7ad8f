"""
What the doctor finds, from values alone: each rule near its boundary, and what a report makes of findings.
"""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boutre.errors import Fault
from boutre.ops import access_plan
from boutre.ops.access_plan import Entry, Left
from boutre.ops.broker_level import read
from boutre.ops.doctor import cluster, contradictions, declared, disk, expiry, machine
from boutre.ops.doctor.cluster import SKEWED_S, WRONG_S, Brokers, Skew
from boutre.ops.doctor.disk import ENOUGH, FULL, GIB, LITTLE, Room
from boutre.ops.doctor.expiry import SOON, Agreement, Certificate, Key
from boutre.ops.doctor.finding import Finding, Looked, Severity, report
from boutre.ops.doctor.late import Answered, Group, Standing
from boutre.ops.plan import Configure, Grow, Plan, Refused, Wanted

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def severities(found: object) -> list[str]:
    """The severities of findings, in their order."""
    return [one.severity for one in found]  # type: ignore[attr-defined] # any iterable of findings


@given(seconds=st.floats(-100, 100), error=st.floats(0.001, 5))
def test_the_error_of_a_clock_is_never_counted_as_skew(seconds: float, error: float) -> None:
    """Nothing is said as long as the skew could be small; what is said is said for ahead and behind alike."""
    found = list(cluster.of_clock(Skew(seconds, error)))
    least = max(0.0, abs(seconds) - error)

    assert ([] if least <= SKEWED_S else ["error" if least > WRONG_S else "warning"]) == severities(found)
    assert severities(found) == severities(cluster.of_clock(Skew(-seconds, error)))
    if found:
        assert ("ahead of" in found[0].what) == (seconds > 0)


@pytest.mark.parametrize(
    ("free", "total", "expected"),
    [
        (FULL - 1, 100 * GIB, ["error"]),
        (FULL, 100 * GIB, ["warning"]),
        (LITTLE - 1, 3 * GIB, ["warning"]),
        (LITTLE, 20 * GIB, []),
        (LITTLE, 20 * GIB + 10, ["warning"]),
        (ENOUGH - 1, 10_000 * GIB, ["warning"]),
        (ENOUGH, 10_000 * GIB, []),
    ],
)
def test_a_disk(free: int, total: int, expected: list[Severity]) -> None:
    """Full, little left, a small share of a disk of usual size; and never the share alone on a large one."""
    assert expected == severities(disk.of_disks([Room("state", "state", free, total)]))


@pytest.mark.parametrize(
    ("begins", "ends", "expected"),
    [
        (NOW + SECOND, NOW + 2 * SOON, "begins only"),
        (NOW, NOW + SOON + SECOND, None),
        (NOW - SOON, NOW + SOON, "ends at"),
        (NOW - SOON, NOW + SECOND, "ends at"),
        (NOW - SOON, NOW, "ended at"),
    ],
)
def test_a_certificate(begins: datetime, ends: datetime, expected: str | None) -> None:
    """Not yet, in force, about to end, ended: an end belongs to what is over."""
    found = list(expiry.of_certificates([Certificate("file.pem", "CN=x", begins, ends)], NOW))

    assert (expected is None) == (not found)
    assert all(expected is not None and expected in one.what for one in found)
    assert (["warning"] if expected == "ends at" else ["error"] if expected else []) == severities(found)


DAYS = st.integers(-90, 90).map(lambda days: NOW + timedelta(days=days))


@given(st.lists(st.tuples(DAYS, st.integers(1, 90), st.booleans()), max_size=6))
def test_keys_that_follow_one_another_count_as_one(rows: list[tuple[datetime, int, bool]]) -> None:
    """What is said of a recipient's keys is what holds on each of the next days: none now, none on some day of the next thirty."""
    keys = [Key("rcoc", str(n), begins, begins + timedelta(days=days), off) for n, (begins, days, off) in enumerate(rows)]
    good = [key for key in keys if not key.revoked]

    def covered(moment: datetime) -> bool:
        return any(key.begins <= moment < key.ends for key in good)

    found = severities(expiry.of_keys(keys, NOW))
    lasting = all(covered(NOW + timedelta(days=day)) for day in range(SOON.days + 1))
    expected = [] if not keys or lasting else ["warning"] if covered(NOW) else ["error"]
    assert expected == found


def test_an_agreement() -> None:
    """One that ended and one that will soon are told; one that has time, or has not begun, is not."""
    far, gone = NOW + 2 * SOON, NOW - SOON
    every = {"over": NOW, "soon": NOW + SOON, "later": NOW + SOON + SECOND}
    found = list(expiry.of_agreements([Agreement(name, "rcoc", gone, ends) for name, ends in every.items()], NOW))

    assert ["over", "soon"] == [one.what.split()[0] for one in found]
    assert [] == list(expiry.of_agreements([Agreement("next", "rcoc", NOW + SECOND, far)], NOW))


def test_topics() -> None:
    """Each kind of difference has its weight; a plan without any says nothing."""
    wanted = tuple(Wanted(f"bus.{number}", 4, 1, {}) for number in range(5))
    plan = Plan(
        create=wanted,
        grow=(Grow("for.a", 1, 2),),
        configure=(Configure("a", {"retention.ms": ("1", "2")}), Configure("b", {"segment.ms": (None, "2")})),
        refused=(Refused("c", "has 7 partitions"),),
        undeclared=("bus.else",),
        strays={"d": ("x",)},
    )
    found = list(declared.of_topics(plan))

    assert [] == list(declared.of_topics(Plan(unchanged=9)))
    assert ["error", "error", "warning", "error", "warning", "note", "note"] == severities(found)
    assert "5 declared topics are missing: bus.0, bus.1, bus.2 and 2 more" == found[0].what


def test_access_and_schemas() -> None:
    """Rules that lack and rules too many are errors, those of others a warning; a frame is judged by what is locked."""
    entry = Entry("User:member.comoros", "topic", "national.comoros.", "prefixed", "write")
    plan = access_plan.Plan(create=(entry,), surplus=(entry, entry), left=(Left(entry, "theirs"),))
    frames = [declared.Frame("bus.alert", 7), declared.Frame("bus.sighting", 8), declared.Frame("for.rcoc.alert", None)]

    assert ["error", "error", "warning"] == severities(declared.of_access(plan))
    assert [] == severities(declared.of_access(access_plan.Plan(unchanged=3)))
    assert ["note"] == severities([declared.no_authorizer(embedded=True)])
    assert ["warning"] == severities([declared.no_authorizer(embedded=False)])
    assert ["bus.sighting", "for.rcoc.alert"] == [one.what.split()[4] for one in declared.of_frames(frames, {7})]
    assert ["error"] == severities(declared.of_lock([Fault("schemas", "a", "differs")]))


def test_brokers() -> None:
    """Too few nodes, too old a release, an upgrade that was not finished; what is not known is not judged."""
    assert [] == list(cluster.of_brokers(Brokers("a:1", "id", 3, 3, 2, 27, 27)))
    assert [] == list(cluster.of_brokers(Brokers("a:1", "id", 3, 3, 2)))
    assert ["error", "warning"] == severities(cluster.of_brokers(Brokers("a:1", "id", 2, 3, 2, cluster.OLDEST - 1, 21)))
    assert ["note"] == severities(cluster.of_brokers(Brokers("a:1", "id", 1, 1, 1, 27, 25)))
    assert [] == severities(cluster.of_brokers(Brokers("a:1", "id", 1, 1, 1, 27, 26)))
    assert "newer than 4.2 (level 99)" == cluster.release(99)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (contradictions.Told(embedded=True), []),
        (contradictions.Told(("kafka.example.org:9092",), replication=3, min_isr=2), ["error"]),
        (contradictions.Told(("127.0.0.1:9092",), replication=3, min_isr=2), []),
        (contradictions.Told(("k.example.org:1",), "SASL_PLAINTEXT", replication=3, min_isr=2), ["error"]),
        (contradictions.Told(("k.example.org:1",), "SASL_SSL", replication=3, min_isr=2), ["note"]),
        (contradictions.Told(("k.example.org:1",), "SASL_SSL", ca=True, replication=3, min_isr=3), ["warning"]),
        (contradictions.Told(embedded=True, password_in_place=True), ["note"]),
        (contradictions.Told(embedded=True, password_in_place=True, password_in_file=True), ["warning"]),
        (contradictions.Told(embedded=True, broker_s=121), ["warning"]),
        (contradictions.Told(embedded=True, unknown=("BOUTRE_STAT",)), ["warning"]),
        (contradictions.Told(("127.0.0.1:1",), vault_in_keys=True), ["warning", "warning"]),
        (contradictions.Told(embedded=True, vault_in_keys=True, keys_in_bus=True), ["note"]),
    ],
)
def test_settings_that_contradict(told: contradictions.Told, expected: list[str]) -> None:
    """Each by itself."""
    assert expected == severities(contradictions.of_settings(told))


def test_this_machine() -> None:
    """Folders by owner, right and form; files of keys by who may read them; versions by what is wanted; the cluster by its id."""
    mine = machine.Folder("state", "state", 7, 7, writable=True)
    open_key = machine.Folder("a private key", "bus.pem", 7, 7, writable=True, mode=0o100640, private=True)
    closed = machine.Folder("a private key", "bus.pem", 7, 7, writable=True, mode=0o100600, private=True)
    form = machine.Folder("answers", "a.sqlite", 7, 7, writable=True, form=2, known=(1,))

    assert [] == list(machine.of_folders([mine, closed]))
    assert ["warning"] == severities(machine.of_folders([machine.Folder("state", "state", 7, 0, writable=True)]))
    assert ["error"] == severities(machine.of_folders([machine.Folder("state", "state", 7, 8, writable=False)]))
    assert ["is open to others: 640"] == [one.what.partition(") ")[2] for one in machine.of_folders([open_key])]
    assert ["state"] == [one.room for one in machine.of_folders([form])]
    assert ["error"] == severities(machine.of_versions([machine.Installed("aiokafka", None, "<1", fits=False)]))
    assert [] == list(machine.of_versions([machine.Installed("aiokafka", "0.14", "<1", fits=True)]))
    assert [] == list(machine.missing_keys([])) + list(machine.another_cluster("a", None)) + list(machine.another_cluster("a", "a"))
    assert ["warning", "error"] == severities([*machine.missing_keys(["bus.pem"]), *machine.another_cluster("a", "b")])


@given(st.lists(st.sampled_from(["note", "warning", "error"])))
def test_the_exit_status_is_that_of_the_worst(found: list[Severity]) -> None:
    """0 with notes or nothing, 1 with a warning, 2 with an error; the worst stands first."""
    made = report([Looked("disk", "b"), Looked("broker", "a")], [Finding("disk", one, "what", "means", "next") for one in found])

    assert max((["note", "warning", "error"].index(one) for one in found), default=0) == made.status
    assert sorted(found, key=["error", "warning", "note"].index) == [one.severity for one in made.findings]
    assert ["broker", "disk"] == [one["room"] for one in made.as_json()["looked"]]


@given(st.binary(max_size=80))
def test_what_is_no_answer_of_a_broker_is_refused(content: bytes) -> None:
    """Whatever somebody else answers on that port: a ValueError, or numbers."""
    for answer in (content, struct.pack(">ih", 1, 0) + content):
        try:
            found = read(answer)
        except ValueError:
            continue
        assert all(one is None or -32_768 <= one <= 32_767 for one in found)


def test_what_is_late() -> None:
    """A processor without workers, partitions that nobody has, processes that are not well; and nothing else."""
    well = Answered("worker", "release", "a:1", ready=True, healthy=True, body={"partitions": [0, 1]})
    stuck = Answered("sink", "jsonl of rcoc", "a:2", ready=True, healthy=False, body={}, why=("views: work waits",))
    groups = (
        Group("accept", "boutre-accept", 2),
        Group("release", "boutre-release", 2, 1, frozenset({0, 1})),
        Group("correlate", "boutre-correlate", 4, 1, frozenset({2})),
    )
    standing = Standing("id", None, groups, (well, stuck))

    assert [
        "accept: no worker runs; what it reads waits",
        "correlate: nobody has its partitions 0, 1, 3",
        "sink jsonl of rcoc at a:2: views: work waits",
    ] == standing.late
    assert [] == Standing("id", None, groups[1:2], (well,)).late
    assert [0, 1] == standing.as_json()["processors"][1]["workers"][0]["partitions"]
    assert Standing(None, "refused", None, ()).as_json()["processors"] is None
