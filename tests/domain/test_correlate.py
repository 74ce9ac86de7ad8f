"""
Links and alerts on the bus: for each recipient of what it was given, and withdrawn with what they were made of.
"""

from __future__ import annotations

from itertools import permutations

import pytest
from msgspec.structs import replace

from boutre.connectors.simulation.one_kwassa import one_kwassa_four_ways
from boutre.processors.decision import Reject
from boutre.processors.local import LocalBus
from boutre.schemas.cases.groups import personal
from correlated import MINUTE_MS, Value, alerts, boat, links, reported, say, sent, taken_back, tick, told, two, view_of
from records import AT, CODEC, handler, inbound, known_as, national, report

HOUR_MS = 60 * MINUTE_MS


@pytest.fixture(scope="module")
def both() -> tuple[Value, Value]:
    """One boat, told by two States."""
    return two()


def after(both: tuple[Value, Value]) -> LocalBus:
    """The bus on which both were reported."""
    return told(*map(reported, both))


def judged(bus: LocalBus, both: tuple[Value, Value], word: str, *, at: int = AT, recipient: str = "rmifc") -> None:
    """A person at a recipient judges the two reports."""
    one, other = (view_of(bus, recipient, value) for value in both)
    bus.publish([say(recipient, word, one, other=other, at=at)])


def crossings(bus: LocalBus) -> list[Value]:
    """What the centre was told of a crossing, in order."""
    return [one for one in alerts(bus, "rmifc") if one["provenance"]["method"].startswith("crossing-towards-mayotte@")]


# --- Links -----------------------------------------------------------------------------------------------------------------


def test_who_has_both_is_told_that_they_are_one(both: tuple[Value, Value]) -> None:
    """The centre that has both reports has a link of them, by the names that it calls them, with its evidence in both languages."""
    bus = after(both)
    (link,) = links(bus, "rmifc")

    assert sorted(known_as("rmifc", one) for one in both) == sorted(link["records"])
    assert {view_of(bus, "rmifc", one) for one in both} == set(link["views"])
    assert "same-craft" == link["type"]
    assert "made" == link["status"]
    assert 0.4 <= link["probability"] <= 0.99
    assert link["independent"] is True
    assert link["evidence"]
    assert link["explanation"]["en"] != link["explanation"]["fr"]


def test_who_has_one_of_them_learns_nothing_of_the_other(both: tuple[Value, Value]) -> None:
    """A State does not get its own report back, and so has no link of it with another's, and no alert that rests on both."""
    bus = after(both)

    for recipient in ("comoros", "france"):
        assert [] == links(bus, recipient)
        assert all(1 >= len(one["provenance"]["derived_from"]) for one in alerts(bus, recipient))


def test_a_link_goes_with_what_it_was_made_of(both: tuple[Value, Value]) -> None:
    """What is retracted takes its links along, wherever they were told, and says why; a link that a person made goes too."""
    bus = after(both)
    judged(bus, both, "same")
    bus.publish([taken_back(both[1])])

    assert {("withdrawn", "recalled")} == {(one["status"], one["reason"]) for one in links(bus, "rmifc")}
    assert 2 == len(links(bus, "rmifc"))
    assert [("withdrawn", "recalled")] == [(one["status"], one["reason"]) for one in links(bus, "rcoc")]


def test_what_is_taken_back_before_it_comes_is_not_taken(both: tuple[Value, Value]) -> None:
    """A revision and what it takes the place of may come in either order; what was revised is never linked again."""
    first, other = both
    revised = boat("KM-1", "comoros", lifecycle={"status": "update", "revision": 1, "revises": first["id"]}, revision=1)
    ends = []
    for order in permutations([reported(first), reported(revised), reported(other)]):
        if order.index(reported(first)) < order.index(reported(revised)):
            bus = told(*order)
            ends.append([link for link in links(bus, "rmifc") if link["status"] == "made"])

    assert all(1 == len(made) for made in ends)
    assert {tuple(sorted(known_as("rmifc", one) for one in (revised, other)))} == {tuple(made[0]["records"]) for made in ends}


def test_the_order_makes_no_difference(both: tuple[Value, Value]) -> None:
    """Whichever came first, the same link."""
    one, other = told(*map(reported, both)), told(*map(reported, reversed(both)))

    for recipient in ("rmifc", "rcoc"):
        assert links(one, recipient) == links(other, recipient)


def test_an_offer_holds_nobody(both: tuple[Value, Value]) -> None:
    """What is offered for links holds no group that may name people, and nothing that its recipient was not given."""
    bus = told(reported(both[0]))
    offers = bus.read("bus.offer.interception")

    assert offers
    for out in offers:
        value = CODEC.decode(out.value).value
        assert not [name for name in personal(CODEC.lock.latest("interception").schema) if value.get(name) is not None]
        (view,) = sent(bus, value["view"]["recipient"], "interception")
        assert all(value[name] == view[name] for name in value if name != "id" and value[name] is not None)


def test_an_exercise_is_linked_with_nothing_real(both: tuple[Value, Value]) -> None:
    """A report of an exercise and one of the world are never one."""
    assert [] == links(told(reported(both[0]), reported(boat("YT-1", "france", exercise=True))), "rmifc")


def test_a_link_has_its_receipt(both: tuple[Value, Value]) -> None:
    """Who was told of a link stands in the audit log, with a commitment to what was told."""
    bus = after(both)
    views = {one["id"] for one in sent(bus, "rmifc", "link")}
    receipts = [CODEC.decode(out.value).value for out in bus.read("bus.receipt")]

    assert views == {one["view"] for one in receipts if one["kind"] == "link" and one["recipient"] == "rmifc"}
    assert all(one["commitment"] for one in receipts if one["kind"] == "link")


def test_a_link_is_as_narrow_as_what_it_was_made_of(both: tuple[Value, Value]) -> None:
    """Of a report for everybody and one that is AMBER comes a link that is AMBER."""
    assert {"AMBER"} == {one["handling"]["tlp"] for one in sent(after(both), "rmifc", "link")}


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_what_is_told_on_is_no_second_source(order: tuple[int, ...]) -> None:
    """
    A centre broadcasts what another State reported, and says so: the two are one source, in whatever order they came.

    Release remembers by member what it gave, so the view does not name the other State's report; the link knows it all the same.
    """
    four = one_kwassa_four_ways().reports
    bus = told(*(national(four[place].kind, dict(four[place].value)) for place in order))
    observers = {known_as("rmifc", dict(one.value)): one.observer for one in four}
    by_pair = {frozenset(observers[name] for name in one["records"]): one["independent"] for one in links(bus, "rmifc")}

    assert 6 == len(by_pair)
    assert by_pair[frozenset({"lookout", "centre"})] is False
    assert by_pair[frozenset({"lookout", "fisherman"})] is True
    assert by_pair[frozenset({"fisherman", "centre"})] is None  # It stands on a third, which may yet come.
    assert all(one["provenance"]["derived_from"] == [] for one in sent(bus, "rmifc", "sighting"))


# --- What people say -------------------------------------------------------------------------------------------------------


def test_not_same_outranks_the_machine_and_is_remembered(both: tuple[Value, Value]) -> None:
    """The link is withdrawn by the person's word; a correction of a report does not bring it back, and nobody else is told."""
    bus = after(both)
    judged(bus, both, "not-same")
    (link,) = links(bus, "rmifc")
    revised = boat("YT-1", "france", lifecycle={"status": "update", "revision": 1, "revises": both[1]["id"]}, revision=1)
    bus.publish([reported(revised)])

    assert ("withdrawn", "not-same", "duty-officer") == (link["status"], link["reason"], link["by"])
    assert {"withdrawn"} == {one["status"] for one in links(bus, "rmifc")}
    assert "made" in {one["status"] for one in links(bus, "rcoc")}


def test_same_makes_a_link_of_a_persons_own() -> None:
    """Two reports that no rule links are one where a person says so, and no longer where they change their mind."""
    pair = (
        boat("KM-1", "comoros"),
        boat("YT-1", "france", craft={"kind": "kwassa", "colours": ["red"], "length_m": {"min": 12, "max": 12}}),
    )
    bus = told(*map(reported, pair))
    by_rules = len(links(bus, "rmifc"))
    judged(bus, pair, "same")
    own = [one for one in links(bus, "rmifc") if one["rule"] is None]
    judged(bus, pair, "unsure", at=AT + MINUTE_MS)
    later = [one for one in links(bus, "rmifc") if one["rule"] is None]

    assert [("made", "duty-officer", 1.0)] == [(one["status"], one["by"], one["probability"]) for one in own]
    assert by_rules + 1 == len(links(bus, "rmifc"))
    assert [("withdrawn", "judgement-changed")] == [(one["status"], one["reason"]) for one in later]


def test_unsure_leaves_a_link_to_be_seen(both: tuple[Value, Value]) -> None:
    """It stands as unsure, and no longer binds; said twice it is told once."""
    bus = after(both)
    judged(bus, both, "unsure")
    judged(bus, both, "unsure")

    assert ["made", "unsure"] == [one["link"]["status"] for one in sent(bus, "rmifc", "link")]


def test_what_another_says_changes_nothing(both: tuple[Value, Value]) -> None:
    """A recipient speaks of its own views; in another's name, or of views that it does not know, it says nothing."""
    bus = after(both)
    one, other = (view_of(bus, "rmifc", value) for value in both)
    bus.publish([say("rcoc", "not-same", one, other=other)])
    in_its_name = replace(say("rmifc", "not-same", one, other=other), topic="from.rcoc.answer")

    assert {"made"} == {link["status"] for recipient in ("rmifc", "rcoc") for link in links(bus, recipient)}
    assert Reject("foreign-member", "recipient") == handler("hear").processor.step(inbound(in_its_name), {})


# --- Alerts ----------------------------------------------------------------------------------------------------------------


def test_two_sources_raise_one_alert(both: tuple[Value, Value]) -> None:
    """Two States that do not repeat each other call for an alert, in both languages, resting on both reports alone."""
    bus = after(both)
    raised = crossings(bus)

    assert ["Alert"] == [one["warning"]["message"] for one in raised]
    assert {known_as("rmifc", one) for one in both} == set(raised[0]["provenance"]["derived_from"])
    assert {"en", "fr"} == {text["language"] for text in raised[0]["warning"]["headline"]}
    assert 1 == len({one["view"]["of"] for one in raised})


def test_a_correction_goes_on_in_the_same_thread(both: tuple[Value, Value]) -> None:
    """A report that is revised is no new event: nobody is alerted again, unless what matters has changed."""
    bus = after(both)
    before = len(alerts(bus, "rmifc"))
    same = {"lifecycle": {"status": "update", "revision": 1, "revises": both[1]["id"]}, "revision": 1}
    bus.publish([reported(boat("YT-1", "france", **same, narrative=[{"language": "fr", "text": "Rien de neuf."}]), AT + MINUTE_MS)])

    assert before == len(alerts(bus, "rmifc"))


def test_what_is_taken_back_cancels_its_alert(both: tuple[Value, Value]) -> None:
    """Without one of its two sources the rule no longer holds: whoever was alerted is told."""
    bus = after(both)
    bus.publish([taken_back(both[0])])
    told_of = [one["warning"]["message"] for one in crossings(bus)]

    assert ["Alert", "Cancel"] == told_of


def test_what_a_person_holds_apart_is_not_alerted_together(both: tuple[Value, Value]) -> None:
    """Where the two are not one, they are not two sources of one event either."""
    bus = after(both)
    judged(bus, both, "not-same")

    assert "Cancel" == crossings(bus)[-1]["warning"]["message"]


def test_nobody_answers_and_it_goes_further(both: tuple[Value, Value]) -> None:
    """Time alone makes an alert go to the next one who is named, once for each step; an answer stops it."""
    bus, answered = after(both), after(both)
    (first,) = crossings(answered)
    answered.publish([say("rmifc", "acknowledged", str(first["id"]), at=AT + MINUTE_MS)])
    for one in (bus, answered):
        one.publish([tick(AT + 61 * MINUTE_MS), tick(AT + 62 * MINUTE_MS)])

    assert ["Alert", "Update"] == [one["warning"]["message"] for one in crossings(bus)]
    assert ["Alert"] == [one["warning"]["message"] for one in crossings(answered)]


def test_an_alert_expires_in_silence_and_is_not_raised_again(both: tuple[Value, Value]) -> None:
    """After its time it is over; the same reports delivered once more, as after a restore, alert nobody."""
    bus = after(both)
    bus.publish([tick(AT + 80 * HOUR_MS)])
    before = len(alerts(bus, "rmifc"))
    for out in bus.read("bus.offer.interception"):
        bus._write(out)

    assert before == len(alerts(bus, "rmifc"))


def test_a_report_without_a_position_can_still_call_for_an_alert() -> None:
    """Where a recipient was not told where, nothing is linked, and lives at risk are told all the same."""
    wreck = report(
        "sighting",
        "comoros",
        "SOS-1",
        event={"type": "distress"},
        times={"observed": boat("KM-1", "comoros")["times"]["observed"]},
    )
    bus = told(national("sighting", wreck))

    assert [one for one in alerts(bus, "rmifc") if one["provenance"]["method"].startswith("people-in-distress@")]


def test_a_tick_changes_nothing_where_nothing_waits() -> None:
    """A clock that ticks into an empty partition tells nobody anything."""
    bus = told(tick(AT), tick(AT + MINUTE_MS))

    assert not [topic for topic in bus.topics if topic.startswith("for.")]
