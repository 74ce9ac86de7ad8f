"""
Records under two sets of agreements: what is counted is what release gives, and nothing is counted that stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from agreements import agreement, any_agreement, release_of
from boutre.processors.agreement import Agreement
from boutre.processors.decision import Emit
from boutre.processors.policy import make
from boutre.processors.release import Release
from boutre.processors.replay import Replay, Side, in_force_always, touched
from boutre.processors.windows import Window, Windows
from records import AT, CODEC, FIELDS, KINDS, Value, any_record, attack, kwassa, on_bus, real_pipeline, recall

WINDOWS = Windows({name: Window(3650, 10_000) for name in ("had", "track", "repeat", "gone")})
EVERYTHING = dict.fromkeys(
    ("administrative", "event", "time", "location", "craft", "origin", "assessment", "persons", "operation"), "keep"
)


def run(before: Release, after: Release, records: Iterable[tuple[str, Value]]) -> Replay:
    """Replay records one second apart."""
    replay = Replay(Side.of(before, WINDOWS), Side.of(after, WINDOWS), FIELDS)
    for number, (kind, value) in enumerate(records):
        replay.take(kind, CODEC.encode(kind, value), AT + number * 1000)
    return replay


def shifts(replay: Replay) -> dict[tuple[str, str, str], tuple[str, str, int]]:
    """What comes out otherwise: state before and after, and of how many records."""
    return {(each.recipient, each.kind, each.field): (each.was[0], each.becomes[0], each.records) for each in replay.shifts}


DRAWN = st.lists(st.sampled_from(KINDS).flatmap(lambda kind: st.tuples(st.just(kind), any_record(kind))), max_size=4)


@given(any_agreement(name="one"), DRAWN)
@settings(max_examples=15, deadline=None)
def test_nothing_changes_under_the_same_agreements(one: Agreement, records: list[tuple[str, Value]]) -> None:
    """Whatever the records are, nobody gains, loses or gets anything otherwise."""
    replay = run(release_of(one), release_of(one), records)

    assert () == replay.shifts
    assert not any(replay.accounts)
    assert len(records) == sum(replay.taken.values())


@given(any_agreement(name="one"), any_agreement(name="two"), DRAWN)
@settings(max_examples=15, deadline=None)
def test_what_is_counted_is_what_release_delivers(one: Agreement, two: Agreement, records: list[tuple[str, Value]]) -> None:
    """Before and after are the views that each release would have written, from the same memory on; swapped, a gain is a loss."""
    replay = run(release_of(one), release_of(two), records)
    back = run(release_of(two), release_of(one), records)

    for account, mirrored in zip(replay.accounts, back.accounts, strict=True):
        assert account.after - account.before == account.gained - account.lost
        assert (account.gained, account.lost, account.changed) == (mirrored.lost, mirrored.gained, mirrored.changed)
        assert account.before <= account.records
    assert views(release_of(one), records) == sum(account.before for account in replay.accounts)
    assert views(release_of(two), records) == sum(account.after for account in replay.accounts)


def views(step: Release, records: list[tuple[str, Value]]) -> int:
    """How many views release writes of some records."""
    side = Side.of(step, WINDOWS)
    found = 0
    for number, (kind, value) in enumerate(records):
        record = on_bus(kind, value, at=AT + number * 1000)
        side.memory.see(record.timestamp)
        decision = side.step(record, side.memory)
        assert isinstance(decision, Emit)
        side.memory.add(decision.changes)
        found += sum(released.outcome == "delivered" for released in decision.releases)
    return found


def test_one_more_field_withheld_is_exactly_that() -> None:
    """It is counted for the records that hold the field, and not for those that do not."""
    before = agreement(categories=EVERYTHING)
    after = before.model_copy(update={"fields": {"craft.hull": "withhold"}})
    records = [
        ("interception", kwassa("K-1", craft={"kind": "kwassa", "hull": "plastic"})),
        ("interception", kwassa("K-2", craft={"kind": "kwassa"})),
        ("sighting", attack()),
    ]
    replay = run(release_of(before), release_of(after), records)

    assert {("rmifc", "interception", "craft.hull"): ("kept", "withheld", 1)} == shifts(replay)
    (changed,) = [account for account in replay.accounts if account]
    assert ("interception", 2, 2, 2, 0, 0, 1) == (
        changed.kind, changed.records, changed.before, changed.after, changed.gained, changed.lost, changed.changed,
    )  # fmt: skip


def test_a_narrower_condition_loses_whole_records() -> None:
    """Who may no longer have a record loses it, with every field that it gave; what was withheld before is no loss."""
    before = agreement(categories={"administrative": "keep", "event": "keep"})
    after = before.model_copy(update={"when": before.when.model_copy(update={"types": ("distress",)})})
    replay = run(release_of(before), release_of(after), [("sighting", attack())])

    (account,) = replay.accounts
    assert (1, 0, 0, 1) == (account.before, account.after, account.gained, account.lost)
    assert {"withheld"} == {becomes for _, becomes, _ in shifts(replay).values()}
    assert {"kept"} == {was for was, _, _ in shifts(replay).values()}
    assert not any(field.startswith("position") for _, _, field in shifts(replay))


def test_a_new_recipient_gains() -> None:
    """Somebody who was not there before has all that he gets."""
    there, new = agreement(categories=EVERYTHING), agreement("comoros", categories=EVERYTHING)
    replay = run(release_of(there), release_of(there, new), [("sighting", attack())])

    assert {("comoros", 0, 1, 1)} == {(each.recipient, each.before, each.after, each.gained) for each in replay.accounts if each}


def test_a_recall_goes_to_whoever_had_the_record() -> None:
    """Its memory is each side's own: the recall is lost with the record that it takes back."""
    keep = {**EVERYTHING}
    before = agreement(categories=keep, fields={"recall": "keep"})
    after = before.model_copy(update={"when": before.when.model_copy(update={"types": ("distress",)})})
    records = [("sighting", attack()), ("retraction", recall(attack(), "sighting"))]
    replay = run(release_of(before), release_of(after), records)

    assert {("retraction", 1, 0, 1), ("sighting", 1, 0, 1)} == {
        (each.kind, each.before, each.after, each.lost) for each in replay.accounts
    }


def test_what_cannot_be_read_is_counted_and_the_rest_goes_on() -> None:
    """A frame of another kind, or of none, is told by its reason."""
    one = agreement(categories=EVERYTHING)
    replay = Replay(Side.of(release_of(one), WINDOWS), Side.of(release_of(one), WINDOWS), FIELDS)
    for frame in (b"", b"\0\0\0\0\0", CODEC.encode("interception", kwassa())):
        replay.take("sighting", frame, AT)
    replay.take("sighting", CODEC.encode("sighting", attack()), AT)

    assert (3, 1) == (sum(replay.refused.values()), sum(replay.taken.values()))


def test_agreements_of_tomorrow_are_tried_on_today() -> None:
    """What is not in force yet gives nothing of these records; taken as in force, it gives what it would."""
    tomorrow = agreement(categories=EVERYTHING, start="2029-01-01")
    always = in_force_always(make([tomorrow], FIELDS))
    step = release_of(tomorrow)
    desks = [type(desk)(desk.recipient, desk.key, always.cuts[desk.recipient], desk.policies) for desk in step.desks]
    opened = Release(CODEC, step.kinds, desks, step.zones_at)

    (account,) = run(step, opened, [("sighting", attack())]).accounts
    assert (0, 1, 1) == (account.before, account.after, account.gained)


def test_only_those_whom_it_concerns_are_replayed() -> None:
    """Who has the same agreements gets the same; whoever has others, more or none does not."""
    one, two = agreement("rmifc"), agreement("comoros")
    changed: Any = two.model_copy(update={"retention_days": 7})

    assert frozenset() == touched(real_pipeline().policy, real_pipeline().policy)
    assert frozenset({"comoros"}) == touched(make([one, two], FIELDS), make([one, changed], FIELDS))
    assert frozenset({"comoros"}) == touched(make([one, two], FIELDS), make([one], FIELDS))
