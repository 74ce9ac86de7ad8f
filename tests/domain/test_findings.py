"""
Findings: each at its limit and beyond it, since when, in what order, and said whole in both languages.
"""

from __future__ import annotations

import itertools
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boutre.language import LANGUAGES, catalogue, keys
from boutre.ops.clocks.look import ProbeSeen, WaitingSeen
from boutre.ops.clocks.report import ProbeClock, ProbeState, SenderClock, TermClock
from boutre.ops.findings.everything import Known, Memory, findings
from boutre.ops.findings.finding import CODES, SEVERITIES, Finding, first
from boutre.ops.findings.heard import GRACE_S, Heard
from boutre.ops.findings.of_lag import FEW, MANY, NEAR_S
from boutre.ops.findings.of_members import REPORT_BYTES, WAITING, shares
from boutre.ops.findings.of_processes import OF_BROKER
from boutre.ops.findings.of_sources import SLOW_S, Disk, RegistrySeen
from boutre.ops.findings.wording import age, both, command, number, runbook
from boutre.ops.lag.look import Bounds, Partition, SeenTopic
from boutre.ops.lag.report import Report
from boutre.ops.lag.rules import Status
from operations_scenes import CALM, CALM_CLOCKS, GONE, NOW, TROUBLE, answered, feed, group, heard, partition, report

ROOT = Path(__file__).parents[2]
EDGE = 0.001


def codes(known: Known, now: float = NOW) -> list[str]:
    """The codes of what is found, in order."""
    return [one.code for one in findings(known, now)]


def of_groups(*groups: Any, **more: Any) -> Known:
    """A calm bus with these groups."""
    return replace(CALM, lag=heard("lag", report(*groups, **more)))


def with_source(name: str, source: Heard[Any]) -> Known:
    """A calm bus with one of its sources."""
    changes: dict[str, Any] = {name: source}
    return replace(CALM, **changes)


def the(known: Known, code: str) -> Finding:
    """The one finding of a code."""
    (found,) = (one for one in findings(known, NOW) if one.code == code)
    return found


def test_a_calm_bus_has_no_findings() -> None:
    """Where nothing is late, stuck or missing nothing is told."""
    assert [] == codes(CALM)


# --- Those who tell --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["lag", "processes", "disks", "rejects", "clocks"])
def test_a_source_that_says_nothing_is_a_finding_once_its_rhythm_and_the_grace_have_passed(name: str) -> None:
    """At the limit it may still come; beyond it the finding says since when nothing was heard, and the values stay."""
    source: Heard[Any] = getattr(CALM, name)
    limit = source.every_s + GRACE_S
    at, beyond = (with_source(name, replace(source, answered=NOW - age)) for age in (limit, limit + EDGE))

    assert [] == codes(at)
    assert ["source-silent"] == codes(beyond)
    assert (name, NOW - limit - EDGE) == (the(beyond, "source-silent").subject, the(beyond, "source-silent").since)


def test_a_broker_that_is_gone_is_one_finding_and_explains_all_that_is_asked_of_it() -> None:
    """Lag, clocks and rejects are not told to be silent beside it; what was last known of them stays."""
    found = codes(GONE)

    assert "broker-gone" == found[0]
    assert "source-silent" not in found
    assert {"group-stopped", "alert-undelivered", "topic-missing"} <= set(found)
    assert NOW - 47 == the(GONE, "broker-gone").since


def test_a_broker_is_gone_when_it_fails_or_hangs() -> None:
    """A question that failed counts at once, one that never ends when the source should have spoken."""
    failed = replace(CALM, broker=replace(CALM.broker, failed=True))
    hangs = replace(CALM, broker=replace(CALM.broker, asking=True, asked=NOW - 21, answered=NOW - 21))

    assert ["broker-gone"] == codes(failed)
    assert ["broker-gone"] == codes(hangs)


@given(st.sampled_from([0.0, SLOW_S - EDGE, SLOW_S, SLOW_S + EDGE, 9.0]), st.booleans())
def test_a_broker_is_slow_beyond_its_limit(took: float, waiting: bool) -> None:  # noqa: FBT001 - drawn
    """Whether the answer took so long or has not come yet."""
    asked: dict[str, Any] = {"asking": True, "asked": NOW - took} if waiting else {"took_s": took}
    known = replace(CALM, broker=replace(CALM.broker, **asked))

    assert (["broker-slow"] if NOW - (NOW - took) > SLOW_S else []) == codes(known)


def test_a_source_that_was_never_heard_waits_at_first_and_then_is_silent() -> None:
    """A page that has just begun says that it knows nothing yet, and not that all is well."""
    never: Heard[Any] = Heard("clocks", 30.0, NOW - 3, asked=NOW - 3, asking=True)

    assert ["source-waiting"] == codes(replace(CALM, clocks=never))
    assert ["source-silent"] == codes(replace(CALM, clocks=replace(never, began=NOW - 46)))


def test_a_registry_that_is_gone_or_differs_is_told_and_only_where_one_is_named() -> None:
    """The bus goes on without it, so it is a warning; that it holds something else is an error."""
    gone = Heard("registry", 10.0, NOW - 90, RegistrySeen("https://r.example.org", 0), NOW - 40, failed=True)
    differs = Heard("registry", 10.0, NOW - 90, RegistrySeen("https://r.example.org", 2), NOW - 4)

    assert ["registry-gone"] == codes(replace(CALM, registry=gone))
    assert "warning" == the(replace(CALM, registry=gone), "registry-gone").severity
    assert ["registry-differs"] == codes(replace(CALM, registry=differs))


def test_a_full_disk_is_an_error_and_a_filling_one_a_warning() -> None:
    """With the runbook, and the command that shows it."""
    full = replace(CALM, disks=heard("disks", (Disk("state", "/data", 100 << 20, 64 << 30, full=True),)))
    low = replace(CALM, disks=heard("disks", (Disk("state", "/data", 1 << 30, 64 << 30, full=False),)))

    assert [("disk-full", "error"), ("disk-low", "warning")] == [
        (one.code, one.severity) for known in (full, low) for one in findings(known, NOW)
    ]
    assert "docs/runbooks/full-disk.fr.md" == runbook(the(full, "disk-full"), "fr")
    assert "df -h /data" == command(the(full, "disk-full"))


# --- Who is behind ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "processor", "recipient"),
    [
        (Status.OK, None, None),
        (Status.WARN, ("group-behind", "warning"), ("group-behind", "warning")),
        (Status.STOP, ("group-stopped", "error"), ("reader-stopped", "warning")),
        (Status.STALL, ("group-stalled", "error"), ("group-stalled", "warning")),
        (Status.REWIND, ("group-rewound", "warning"), ("group-rewound", "warning")),
    ],
)
def test_each_status_has_its_finding_and_ours_are_worse(status: Status, processor: Any, recipient: Any) -> None:
    """A step of the bus that stands still is an error, a recipient's reader a warning: its alerts have a clock of their own."""
    for kind, owner, expected in (("processor", "bus", processor), ("recipient", "rcoc", recipient)):
        known = of_groups(group("rcoc.sink", kind, partition("t", status, lag=7, seconds=90.0), owner=owner))
        found = [(one.code, one.severity, one.since) for one in findings(known, NOW)]

        assert ([] if expected is None else [(*expected, NOW - 5 - 90)]) == found


@given(st.sampled_from([-1.0, 0.0, EDGE, NEAR_S - EDGE, NEAR_S, NEAR_S + EDGE]))
def test_what_retention_takes_is_told_before_it_does(left: float) -> None:
    """A warning within three hours, an error where it may go now."""
    found = findings(of_groups(group("boutre-work", "processor", partition("t", lag=7, seconds=90.0, headroom=left))), NOW)
    expected = [] if left >= NEAR_S else [("group-expiring", "error" if left <= 0 else "warning")]

    assert expected == [(one.code, one.severity) for one in found]


def test_lost_offsets_are_an_error() -> None:
    """What retention took before it was read is told as lost, with how many."""
    found = the(of_groups(group("boutre-work", "processor", partition("t", lost=4))), "group-lost")

    assert ("error", 4) == (found.severity, found.figures["lost"])


@pytest.mark.parametrize("count", [1, FEW, FEW + 1, FEW + 4])
def test_processors_without_workers_are_told_one_by_one_while_they_are_few(count: int) -> None:
    """Where a whole bus was stopped, that is one finding and not seven."""
    known = of_groups(*(group(f"boutre-p{place}", "processor", partition("t"), members=0) for place in range(count)))

    assert (["worker-missing"] * count if count <= FEW else ["workers-missing"]) == codes(known)


def test_a_follower_whose_store_is_elsewhere_is_not_known_and_never_calm() -> None:
    """All of them are told in one note."""
    known = of_groups(*(group(f"boutre.{name}", "follower", seen=False) for name in ("audit", "cases")))

    assert [("groups-unseen", "note", "audit, cases")] == [
        (one.code, one.severity, one.figures["names"]) for one in findings(known, NOW)
    ]


def test_a_group_nobody_declared_is_told_by_whose_name_it_has() -> None:
    """One with a party's name is worth a note, one with nobody's or the bus's own a warning; the doctor's passes."""
    calm = group("boutre-work", "processor", partition("t"))
    others = [
        group(name, "other", partition("t"), owner=owner)
        for name, owner in (("rcoc.try", "rcoc"), ("console", "nobody"), ("boutre-old", "bus"), ("boutre.doctor", "bus"))
    ]
    found = {one.subject: one.severity for one in findings(of_groups(calm, undeclared=others), NOW)}

    assert {"rcoc.try": "note", "console": "warning", "boutre-old": "warning"} == found


@pytest.mark.parametrize(("count", "expected"), [(MANY, ["group-undeclared"] * MANY), (MANY + 1, ["groups-undeclared"])])
def test_very_many_groups_are_counted(count: int, expected: list[str]) -> None:
    """Whoever may name groups cannot fill the page with them."""
    others = [group(f"console-{place}", "other", partition("t"), owner="nobody") for place in range(count)]

    assert expected == codes(of_groups(group("boutre-work", "processor", partition("t")), undeclared=others))


@pytest.mark.parametrize(
    ("count", "expected"), [(1, ["topic-missing"]), (MANY, ["topic-missing"] * MANY), (MANY + 1, ["topics-missing"])]
)
def test_topics_that_are_gone_are_errors(count: int, expected: list[str]) -> None:
    """Each by its name with who reads it, or counted where they are many."""
    known = of_groups(group("boutre-work", "processor", partition("t")), missing=[f"gone.{place}" for place in range(count)])

    assert expected == codes(known)
    assert {"error"} == {one.severity for one in findings(known, NOW)}


def test_a_topic_that_nobody_is_expected_to_read_is_missed_too() -> None:
    """What is declared should be there, whoever reads it."""
    known = of_groups(group("boutre-work", "processor", partition("t")))

    assert [] == codes(replace(known, topics=("t",)))
    assert "gone" == the(replace(known, topics=("t", "gone")), "topic-missing").subject


@pytest.mark.parametrize(
    ("leader", "in_sync", "min_isr", "expected"),
    [
        (1, 3, 2, []),
        (1, 2, 2, ["partition-thin"]),
        (1, 1, 2, ["partition-unwritable"]),
        (1, 1, 1, ["partition-thin"]),
        (-1, 0, 2, ["partition-leaderless"]),
    ],
)
def test_partitions_are_told_by_what_can_still_be_done_with_them(
    leader: int, in_sync: int, min_isr: int, expected: list[str]
) -> None:
    """Nobody reads one without a leader, nobody writes one with too few copies, and one with fewer than it should have goes on."""
    topics = {"t": SeenTopic("id", (Partition(leader, (1, 2, 3), tuple(range(1, in_sync + 1))),))}
    known = replace(CALM, lag=heard("lag", Report(round(NOW * 1000), 3, topics, {}, (), (), ())), min_isr=min_isr)

    assert expected == codes(known)


def test_a_transaction_is_told_when_it_is_open_for_long() -> None:
    """Most are open for a part of a second: the memory tells of it after a minute only."""
    held = Report(round(NOW * 1000), 1, {}, {("t", 0): Bounds(0, 5, 9), ("t", 1): Bounds(0, 5, 6)}, (), (), ())
    found = findings(replace(CALM, lag=heard("lag", held)), NOW)
    memory, lasting = Memory(), {"transaction-open": 60.0}

    assert [("transaction-open", 5)] == [(one.code, one.figures["offsets"]) for one in found]
    assert () == memory.take(found, NOW, lasting)
    assert () == memory.take(found, NOW + 59.9, lasting)
    assert [NOW] == [one.since for one in memory.take(found, NOW + 60, lasting)]


# --- Processes and clocks --------------------------------------------------------------------------------------------------------


def test_processes_are_told_by_what_they_say() -> None:
    """Silent and unhealthy are errors, not ready is a warning; one that only misses a broker that is gone is not told beside it."""
    away = f"{OF_BROKER} for 40 s; the limit is 30 s"
    told = (
        answered("worker", "a"), answered("worker", "b", gone=True), answered("worker", "c", "disk", healthy=False),
        answered("worker", "d", "no partitions", ready=False), answered("worker", "e", away, ready=False),
    )  # fmt: skip
    there = {one.subject: (one.code, one.severity) for one in findings(replace(CALM, processes=heard("processes", told)), NOW)}
    gone = replace(CALM, processes=heard("processes", told), broker=replace(CALM.broker, failed=True))

    assert {
        "worker b": ("process-silent", "error"),
        "worker c": ("process-unhealthy", "error"),
        "worker d": ("process-unready", "warning"),
        "worker e": ("process-unready", "warning"),
    } == there
    assert "worker e" not in {one.subject for one in findings(gone, NOW)}


def test_what_the_clocks_find_is_told() -> None:
    """Alerts, feeds, what ends, and the probe, each by its state."""
    states: tuple[tuple[str, ProbeState], ...] = (("p", "lost"), ("q", "late"), ("r", "unheard"), ("s", "arrives"), ("t", "begun"))
    clocks = replace(
        CALM_CLOCKS,
        waiting=(WaitingSeen("rcoc", "urgent", 3, 1, 0, 900.0, NOW),),
        feeds=(feed("a", "comoros", "silent", silent=90_000.0), feed("b", "comoros", "never", silent=None), feed("c", "comoros")),
        terms=(
            TermClock("agreement", "x", "rcoc", "ended", NOW - 5, -5.0),
            TermClock("key", "rcoc", "rcoc", "ends-soon", NOW + 5, 5.0),
            TermClock("certificate", "client", "bus", "ended", None, None),
        ),
        probes=tuple(ProbeClock(ProbeSeen(name, "rcoc", 1, 1, 1, 0, NOW - 900, 40.0, NOW), state, 900.0) for name, state in states),
        senders=(
            SenderClock("comoros", 3_600.0, wrong=True),
            SenderClock("mauritius", -3_600.0, wrong=True),
            SenderClock("france", 1.0, wrong=False),
        ),
    )
    found = {(one.code, one.subject): one.since for one in findings(replace(CALM, clocks=heard("clocks", clocks)), NOW)}

    assert {
        ("alerts-overdue", "rcoc urgent"): None,
        ("feed-silent", "a"): NOW - 90_000,
        ("feed-never", "b"): None,
        ("agreement-ended", "x"): NOW - 5,
        ("key-ends", "rcoc"): None,
        ("certificate-ended", "client"): None,
        ("probe-lost", "p"): NOW - 900,
        ("probe-late", "q"): NOW - 900,
        ("probe-unheard", "r"): NOW - 900,
        ("clock-ahead", "comoros"): None,
        ("clock-behind", "mauritius"): None,
    } == found


@pytest.mark.parametrize(
    ("pace", "unread", "severity"),
    [(128.0, WAITING + 1, None), (128.001, 0, "note"), (1e6, WAITING, "note"), (128.001, WAITING + 1, "warning")],
)
def test_a_member_floods_beyond_its_share(pace: float, unread: int, severity: str | None) -> None:
    """All its topics together; a warning once much of it waits to be accepted. A member without a share is not judged."""
    topics = ("national.comoros.sighting", "national.comoros.alert")
    half = [replace(partition(topic, lag=unread // 2), lately=pace / 2) for topic in topics]
    half[0] = replace(half[0], lag=unread - unread // 2)
    other = replace(partition("national.france.sighting"), lately=1e9)
    known = of_groups(group("boutre-accept-reports", "processor", *half, other))
    known = replace(known, shares=shares({"comoros": 128 * REPORT_BYTES}))
    found = [one for one in findings(known, NOW) if one.code == "member-floods"]

    assert ([] if severity is None else [("comoros", severity, unread)]) == [
        (one.subject, one.severity, one.figures["unread"]) for one in found
    ]


# --- Order, memory, words --------------------------------------------------------------------------------------------------------


@given(
    st.lists(
        st.tuples(
            st.sampled_from(list(CODES)), st.sampled_from(SEVERITIES), st.one_of(st.none(), st.floats(0, 1e9)), st.text(max_size=3)
        ),
        max_size=12,
    )
)
def test_what_is_worse_stands_before_what_explains_and_what_is_older(drawn: list[tuple[Any, Any, Any, str]]) -> None:
    """Errors, warnings, notes; within them as the table of codes has it; then the oldest, and whatever has no time last."""
    found = sorted((Finding(code, "group", name, severity, since) for code, severity, since, name in drawn), key=first)
    ranks = [(SEVERITIES.index(one.severity), list(CODES).index(one.code)) for one in found]

    assert sorted(ranks) == ranks
    for before, after in itertools.pairwise(found):
        if (before.severity, before.code) == (after.severity, after.code) and after.since is not None:
            assert before.since is not None
            assert before.since <= after.since


def test_the_memory_keeps_since_when_and_forgets_what_has_passed() -> None:
    """What comes back is there since it came back."""
    memory, found = Memory(), [Finding("topic-missing", "topic", "t", "error")]

    assert [[10.0], [10.0], [], [40.0]] == [
        [one.since for one in memory.take(seen, now)] for seen, now in ((found, 10.0), (found, 20.0), ([], 30.0), (found, 40.0))
    ]
    assert [1.0, 1.0, 3.0] == [memory.since("g", word, now) for word, now in (("ok", 1.0), ("ok", 2.0), ("stopped", 3.0))]


def test_every_code_has_its_words_and_no_words_are_left_over() -> None:
    """What was found and what to do, in both languages."""
    assert {f"finding.{code}.{part}" for code in CODES for part in ("what", "do")} == keys("finding")
    assert all(set(texts) == set(LANGUAGES) for key, texts in catalogue().items() if key.startswith("finding."))


@pytest.mark.parametrize("code", CODES)
def test_a_runbook_that_is_named_is_there_with_its_part(code: str) -> None:
    """In both languages."""
    for language in LANGUAGES:
        name, _, part = runbook(Finding(code, "cluster", "kafka", "error"), language).partition("#")
        headings = re.findall(r"^## (\w+)$", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE) if name else []

        assert not part or part in {heading.lower() for heading in headings}


@pytest.mark.parametrize("language", LANGUAGES)
def test_findings_read_well(language: str) -> None:
    """No hole, no bracket, a sentence each; and the command has no hole in it."""
    for one in [*findings(TROUBLE, NOW), *findings(GONE, NOW)]:
        said = both(one)[language]
        text = f"{said['what']} {said['do']}"

        assert not re.search(r"[{}\[\]…\ufffd]|  | [.,]|\(\)", text), text
        assert said["what"][0].isupper() or said["what"].startswith(one.subject) or str(one.figures.get("name")) in said["what"]
        assert said["do"].endswith((".", "?")), text
        assert "{" not in command(one)
        json.dumps(said)


def test_a_name_that_a_shell_would_take_for_more_is_not_put_into_a_command() -> None:
    """Whoever copies the command runs what the page means, whatever somebody called their group."""
    bad = Finding("feed-silent", "feed", "x; rm -rf /", "warning", None, {"member": "m", "rhythm_s": 60.0})

    assert "boutre connector run SUBJECT" == command(bad)


@pytest.mark.parametrize(
    ("seconds", "english", "french"),
    [
        (0, "0 s", "0 s"), (59.4, "59 s", "59 s"), (60, "1 min", "1 min"), (3599, "60 min", "60 min"), (3600, "1 h", "1 h"),
        (9_000, "2.5 h", "2,5 h"), (86_399, "24 h", "24 h"), (86_400, "1 d", "1 j"), (864_000, "10 d", "10 j"),
    ],
)  # fmt: skip
def test_ages_are_said_in_one_unit(seconds: float, english: str, french: str) -> None:
    """With a part only of hours and days, and only where there is one."""
    assert (english, french) == (age(seconds, "en"), age(seconds, "fr"))


def test_numbers_are_said_as_the_language_has_them() -> None:
    """Thousands apart, and the decimal sign."""
    assert ("12,345.6", "12 345,6") == (number(12_345.6, "en", 1), number(12_345.6, "fr", 1))
