"""
What is found on tracks, at each threshold and just below it: gaps, loitering, meetings, identities, zones.
"""

from __future__ import annotations

import math
from typing import Any

import pytest
from msgspec.structs import replace

from boutre.processors.movement.claims import alike, compared
from boutre.processors.movement.detection import (
    DARK,
    GAP,
    IDENTITY,
    LOITERING,
    RENDEZVOUS,
    SHARED,
    SUCCESSOR,
    ZONE,
    Detection,
    sentence,
)
from boutre.processors.movement.report import Report
from movement_scenes import KM, NEAR, OFFING, ONE, OTHER, THIRD, at, fleet, merged, of, others, rules, still, way

MUTSAMUDU = (-12.162, 44.397)

# --- Gaps ------------------------------------------------------------------------------------------------------------------------


def closed(told: list[Detection]) -> list[Detection]:
    """Give the gaps of one craft that are over."""
    return [one for one in of(told, GAP, ONE) if one.phase == "closed"]


def silent(begin: float = 60, end: float = 240, until: float = 300, source: str = "north") -> list[Report]:
    """A craft that sails on and is not heard between two minutes."""
    return [one for one in way(0, until, OFFING, source=source) if not begin < (one.at - at(0, 0, 0).at) / 60 < end]


def test_a_gap_where_others_were_heard_is_a_silence() -> None:
    """
    The receiver that had heard it went on hearing others along its way: it is told with how many, and it is likely.
    """
    (gap,) = closed(fleet(merged(silent(), others(0, 300, (OFFING[0], OFFING[1] + 0.2)))))

    assert ("closed", "heard") == (gap.phase, gap.fact("reception"))
    assert rules().gap.certainty.heard == gap.certainty
    assert 3 == gap.measure("duration")
    assert 5 == gap.measure("others_during") == gap.measure("others_before")
    assert 8 == pytest.approx(gap.measure("implied_speed"), abs=0.1)
    assert "its receiver went on hearing others there" in sentence(gap)["en"]


def test_a_gap_where_nobody_was_ever_heard_says_nothing_of_the_craft() -> None:
    """
    Without reception there is no evidence: it is told as that, with little certainty, and nobody went dark.
    """
    (gap,) = of(fleet(silent()), GAP, ONE)

    assert "unknown" == gap.fact("reception")
    assert rules().gap.certainty.unknown == gap.certainty
    assert "says nothing about the craft" in sentence(gap)["en"]
    assert "ne dit donc rien de l'embarcation" in sentence(gap)["fr"]


def test_a_gap_in_which_everybody_fell_silent_is_the_receivers() -> None:
    """
    Others were heard before, and nobody meanwhile.
    """
    around = [one for one in others(0, 300, OFFING) if not 60 < (one.at - at(0, 0, 0).at) / 60 < 240]
    (gap,) = closed(fleet(merged(silent(), around)))

    assert ("silent", rules().gap.certainty.silent) == (gap.fact("reception"), gap.certainty)


def test_others_heard_by_another_receiver_only_are_little_evidence() -> None:
    """
    Its own receiver may be down: that another hears others there does not say that it would have heard this one.
    """
    (gap,) = closed(fleet(merged(silent(), others(0, 300, (OFFING[0], OFFING[1] + 0.2), source="south"))))

    assert ("elsewhere", rules().gap.certainty.elsewhere) == (gap.fact("reception"), gap.certainty)


def test_where_everybody_is_heard_now_and_then_a_silence_may_be_chance() -> None:
    """
    Forty craft make it sure that somebody is always heard, and not that this one would have been.
    """
    seldom = [
        at(minute, OFFING[0] + number / 200, OFFING[1] + 0.2, f"mmsi:2350001{number:02d}", 0.5)
        for minute in range(0, 300, 5)
        for number in range(40)
        if (minute // 5 * 7 + number * 5) % 43 == 0
    ]
    (gap,) = closed(fleet(merged(silent(), seldom)))

    assert ("partly", rules().gap.certainty.partly) == (gap.fact("reception"), gap.certainty)
    assert gap.measure("own_share") > 0.7
    assert gap.measure("others_as_long") > 0.1


@pytest.mark.parametrize(("reports", "certainty"), [(2, 0.2), (3, 0.8)])
def test_who_was_heard_twice_was_at_the_edge_of_what_is_received(reports: int, certainty: float) -> None:
    """
    However many others are heard: its silence says little.
    """
    begins, around = 65 - 5 * reports, others(0, 300, (OFFING[0], OFFING[1] + 0.2))
    (gap,) = closed(fleet(merged(still(begins, 60, OFFING), still(240, 300, OFFING), around)))

    assert ("heard", reports, certainty) == (gap.fact("reception"), gap.measure("reports_before"), gap.certainty)


@pytest.mark.parametrize(("craft", "reception"), [(2, "partly"), (3, "heard")])
def test_few_others_are_little_evidence(craft: int, reception: str) -> None:
    """
    One or two that are heard all the time may be nearer to the receiver.
    """
    around = [one for one in others(0, 300, (OFFING[0], OFFING[1] + 0.2)) if int(one.subject[-1]) < craft]
    (gap,) = closed(fleet(merged(silent(), around)))

    assert reception == gap.fact("reception")


@pytest.mark.parametrize(("minutes", "found"), [(59, 0), (60, 1), (61, 1)])
def test_a_gap_begins_at_its_threshold(minutes: float, found: int) -> None:
    """
    To the minute; a shorter silence is none.
    """
    reports = [*still(0, 60, OFFING), *still(60 + minutes, 120 + minutes, OFFING)]

    assert found == len(of(fleet(reports), GAP))


def test_who_is_heard_once_an_hour_is_not_silent_each_hour() -> None:
    """
    A silence is long beside a craft's own rhythm too.
    """
    assert [] == of(fleet(still(0, 3000, OFFING, every=60)), GAP)


def test_an_open_gap_is_closed_under_its_own_id() -> None:
    """
    It is told when it is long enough, and again, with the same id, when the craft comes back.
    """
    told = of(fleet(merged(silent(60, 600, 900), others(0, 900, (OFFING[0], OFFING[1] + 0.4)))), GAP, ONE)

    assert ["open", "closed"] == [one.phase for one in told]
    assert 1 == len({one.id for one in told})
    assert told[0].begin == told[1].begin


def test_silence_in_port_is_no_gap() -> None:
    """
    Who lies in port may switch off.
    """
    reports = [*still(0, 60, MUTSAMUDU), *still(400, 500, MUTSAMUDU)]

    assert [] == of(fleet(reports), GAP)


def test_a_late_report_withdraws_the_gap_that_it_was_missed_in() -> None:
    """
    It comes too late to be used, and yet it shows that there was no silence.
    """
    reports = [*still(0, 60, OFFING), *still(180, 240, OFFING), at(120, *OFFING)]
    told = of(fleet(reports), GAP)

    assert ["closed", "withdrawn"] == [one.phase for one in told]
    assert 1 == len({one.id for one in told})
    assert "only came late" in sentence(told[1])["en"]


# --- Loitering -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("minutes", "speed", "found"), [(235, 0.3, 0), (240, 0.3, 1), (240, 2.0, 1), (240, 2.1, 0), (600, 0.3, 1)])
def test_loitering_begins_at_its_thresholds(minutes: float, speed: float, found: int) -> None:
    """
    Four hours at two knots or less, told once when it begins.
    """
    reports = [replace(one, speed_kn=speed) for one in still(0, minutes, OFFING)]
    told = of(fleet(reports), LOITERING)

    assert found == len(told)
    assert all(("open", 4.0) == (one.phase, one.measure("duration")) for one in told)


@pytest.mark.parametrize(("km", "found"), [(9.9, 1), (10.1, 0)])
def test_loitering_stays_around_one_place(km: float, found: int) -> None:
    """
    Who has drifted further than that begins anew.
    """
    reports = [*still(0, 230, OFFING), *still(235, 260, (OFFING[0] + km * KM, OFFING[1]))]
    slow = [replace(one, speed_kn=1.0) for one in reports]

    assert found == len(of(fleet(slow), LOITERING))


@pytest.mark.parametrize(("silence", "found"), [(55, 1), (60, 0)])
def test_nobody_knows_who_loitered_through_a_silence(silence: float, found: int) -> None:
    """
    As long as a gap it ends a dwelling, and another begins behind it.
    """
    reports = [*still(0, 120, OFFING), *still(120 + silence, 300, OFFING)]

    assert found == len(of(fleet(reports), LOITERING))


def test_loitering_ends_with_its_whole_time() -> None:
    """
    When the craft sails on it is told again under the same id, with how long it was.
    """
    told = of(fleet([*still(0, 360, OFFING), *way(365, 425, OFFING, speed=12)]), LOITERING)

    assert [("open", 4.0), ("closed", 6.0)] == [(one.phase, one.measure("duration")) for one in told]
    assert 1 == len({one.id for one in told})


def test_in_port_nobody_loiters_and_at_anchor_less() -> None:
    """
    In a port it is no news; at anchor elsewhere it is less of one.
    """
    anchored = of(fleet(still(0, 300, OFFING, status="1")), LOITERING)

    assert [] == of(fleet(still(0, 300, MUTSAMUDU)), LOITERING)
    assert [rules().loitering.at_anchor] == [one.certainty for one in anchored]


# --- Meetings --------------------------------------------------------------------------------------------------------------------


def beside(km: float) -> tuple[float, float]:
    """So far north of the offing."""
    return OFFING[0] + km * KM, OFFING[1]


@pytest.mark.parametrize(
    ("minutes", "km", "speed", "found"),
    [(115, 0.3, 0.3, 0), (120, 0.3, 0.3, 1), (120, 0.499, 0.3, 1), (120, 0.501, 0.3, 0), (120, 0.3, 2.0, 1), (120, 0.3, 2.1, 0)],
)
def test_a_rendezvous_begins_at_its_thresholds(minutes: float, km: float, speed: float, found: int) -> None:
    """
    Half a kilometre, two knots, two hours: all three, and told once.
    """
    reports = [replace(one, speed_kn=speed) for one in merged(still(0, minutes, OFFING), still(0, minutes, beside(km), OTHER))]
    told = of(fleet(reports), RENDEZVOUS)

    assert found == len(told)
    assert all((ONE, (OTHER,)) == (one.subject, one.others) for one in told)
    assert all(km == pytest.approx(one.measure("farthest"), abs=0.001) for one in told)


@pytest.mark.parametrize(("until", "found"), [(120, 0), (125, 1)])
def test_a_rendezvous_counts_while_both_are_heard(until: float, found: int) -> None:
    """
    From the later of the two first reports to the earlier of the two last ones.
    """
    told = of(fleet(merged(still(0, until, OFFING), still(2, 122, beside(0.3), OTHER))), RENDEZVOUS)

    assert found == len(told)


def test_a_rendezvous_at_the_edge_of_a_cell_is_told_once() -> None:
    """
    Both cells see it, and one tells it.
    """
    edge = (-11.0, 46.0)
    reports = merged(still(0, 150, (edge[0] + 0.1 * KM, 46.0001)), still(0, 150, (edge[0] - 0.1 * KM, 45.9999), OTHER))

    assert 1 == len(of(fleet(reports), RENDEZVOUS))


def test_who_sails_on_or_lies_in_port_meets_nobody() -> None:
    """
    Two that pass each other, and two in one harbour.
    """
    passing = merged(way(0, 120, OFFING, course=90), way(0, 120, beside(0.2), subject=OTHER, course=270))
    harbour = merged(still(0, 300, MUTSAMUDU), still(0, 300, MUTSAMUDU, OTHER))

    assert [] == of(fleet(passing), RENDEZVOUS)
    assert [] == of(fleet(harbour), RENDEZVOUS)


def test_a_meeting_ends_when_one_leaves() -> None:
    """
    It is told again under the same id, with how long they lay together.
    """
    told = of(
        fleet(merged(still(0, 240, OFFING), still(0, 180, beside(0.3), OTHER), way(185, 240, beside(0.3), subject=OTHER))),
        RENDEZVOUS,
    )

    assert ["open", "closed"] == [one.phase for one in told]
    assert 1 == len({one.id for one in told})
    assert 3 == told[1].measure("duration")


@pytest.mark.parametrize(
    ("km", "begin", "end", "found"), [(1.0, 70, 90, 1), (1.0, 70, 85, 0), (1.6, 70, 90, 0), (0.2, 70, 90, 0), (1.0, 30, 50, 0)]
)
def test_a_dark_rendezvous_is_a_radar_contact_beside_one_that_dawdles(km: float, begin: float, end: float, found: int) -> None:
    """
    Beside it for twenty minutes after it has dawdled for an hour; nearer than a radar can tell apart it is the craft's own echo.
    """
    told = of(fleet(merged(still(0, 180, OFFING), still(begin, end, beside(km), "radar:R1-17"))), DARK)

    assert found == len([one for one in told if one.phase == "open"])
    assert all((ONE, ("radar:R1-17",)) == (one.subject, one.others) for one in told)


def test_two_echoes_at_one_craft_are_itself_and_another() -> None:
    """
    The nearest is its own; a second one as near is somebody else.
    """
    echoes = merged(still(70, 100, beside(0.05), "radar:R1-17"), still(70, 100, beside(0.25), "radar:R1-18"))
    told = of(fleet(merged(still(0, 180, OFFING), echoes)), DARK)

    assert {("radar:R1-18",)} == {one.others for one in told}


def test_the_echo_of_a_neighbour_with_ais_is_not_dark() -> None:
    """
    A contact that another craft with AIS explains is that craft.
    """
    reports = merged(
        still(0, 180, OFFING), still(0, 180, beside(1.0), OTHER), still(70, 100, beside(1.02), "radar:R1-17", source="radar")
    )

    assert [] == of(fleet(reports), DARK)


def test_a_lookout_needs_no_twenty_minutes() -> None:
    """
    What somebody saw beside it counts at once.
    """
    told = of(fleet(merged(still(0, 180, OFFING), [at(90, *beside(0.6), "visual:7", None)])), DARK)

    assert [("visual:7",)] == [one.others for one in told if one.phase == "open"]


# --- Identities ------------------------------------------------------------------------------------------------------------------


def named(begin: float, end: float, subject: str = ONE, place: tuple[float, float] = OFFING, **claims: Any) -> list[Report]:
    """Lie still and say who one is."""
    said = tuple((name.replace("_", "-"), value) for name, value in claims.items())
    return still(begin, end, place, subject, claims=said)


def test_a_number_with_another_name_is_told_once() -> None:
    """
    However often the two come in turn.
    """
    (told,) = of(fleet([*named(0, 60, name="AMANI"), *named(65, 90, name="UMOJA"), *named(95, 200, name="AMANI")]), IDENTITY)

    assert ("name", "AMANI", "UMOJA") == (told.fact("attribute"), told.fact("from"), told.fact("to"))
    assert "UMOJA in place of AMANI" in sentence(told)["en"]


@pytest.mark.parametrize("other", ["AMANI ", "amani", "A.MANI", "AMANII", "AMANO", "NONE", "@@@@", "", "0", "XXXX", "UNKNOWN"])
def test_what_is_no_other_name_is_no_change(other: str) -> None:
    """
    Spelling, one letter, and what stands for nothing.
    """
    assert [] == of(fleet([*named(0, 60, name="AMANI"), *named(65, 200, name=other)]), IDENTITY)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [("SEASTAR1", "SEASTAR2", False), ("SEASTAR", "SEASTAR1", False), ("AMANI", "AMAN", False), ("ANNE", "ANNA", False),
     ("MARIEGALANTE", "MARIEGALLANTE", True), ("ABCDEFGHIJKLMNOPQR", "ABCDEFGHIJKLMNOPQRST", True)],
)  # fmt: skip
def test_fleets_count_their_craft(one: str, other: str, same: bool) -> None:  # noqa: FBT001 - a table
    """
    A digit makes another name; a letter in a long one does not, nor the cut that AIS makes.
    """
    assert same == alike("name", one, other) == alike("name", other, one)
    assert not alike("call-sign", one, other)


@pytest.mark.parametrize(
    ("value", "told"), [("9074729", "9074729"), ("IMO 9074729", "9074729"), ("9074728", None), ("0000000", None), ("1111111", None)]
)
def test_an_imo_number_is_one_by_its_check_digit(value: str, told: str | None) -> None:
    """
    What is no number of a hull never joins two.
    """
    assert told == compared("imo", value)


def test_a_hull_goes_on_under_another_number() -> None:
    """
    The same IMO number, the old MMSI silent since, and near enough to have sailed there: told once the old one stays silent.
    """
    told = fleet([*named(0, 60, imo="9074729"), *named(70, 200, OTHER, NEAR, imo="9074729")])
    (successor,) = of(told, SUCCESSOR)

    assert (OTHER, (ONE,)) == (successor.subject, successor.others)
    assert [] == of(told, SHARED)
    assert [] == of(fleet([*named(0, 60, imo="9074729"), *named(70, 100, OTHER, NEAR, imo="9074729")]), SUCCESSOR)


def test_a_number_that_is_still_heard_has_no_successor() -> None:
    """
    Two numbers heard at once are two hulls when they are far apart, and one craft with two transponders when they are not.
    """
    far = (OFFING[0] + 4, OFFING[1])
    apart = fleet(merged(named(0, 300, imo="9074729"), named(100, 300, OTHER, far, imo="9074729")))
    together = fleet(merged(named(0, 300, imo="9074729"), named(100, 300, OTHER, beside(0.1), imo="9074729")))

    assert 1 == len(of(apart, SHARED))
    assert [] == of(apart, SUCCESSOR) == of(together, SUCCESSOR) == of(together, SHARED)


@pytest.mark.parametrize(
    "claims", [{"name": "AMANI"}, {"call_sign": "D6AB1"}, {"imo": "0000000"}, {"name": "NONE", "call_sign": "NONE"}, {}]
)
def test_what_many_share_joins_nobody(claims: dict[str, Any]) -> None:
    """
    A name alone, a call sign alone, placeholders, and nothing at all but being in the same place.
    """
    told = fleet([*named(0, 60, **claims), *named(70, 300, OTHER, **claims), *named(310, 600, THIRD, **claims)])

    assert [] == of(told, SUCCESSOR) == of(told, SHARED)


# --- Zones -----------------------------------------------------------------------------------------------------------------------


def crossing(*longitudes: float, latitude: float = -13.0) -> list[Report]:
    """Be at these longitudes, each half an hour after the one before."""
    return [at(30 * number, latitude, longitude) for number, longitude in enumerate(longitudes)]


def test_a_contested_zone_is_entered_with_every_claimant() -> None:
    """
    Each State, and how it claims it, in both languages; and no winner.
    """
    (entry,) = of(fleet(crossing(44.9, 45.1)), ZONE)

    assert ("isle", "FRA administration, COM sovereignty") == (entry.fact("zone"), entry.fact("claimants"))
    assert 2 == entry.measure("claimants")
    assert "FRA (administers it), COM (claims sovereignty)" in sentence(entry)["en"]
    assert "FRA (l'administre), COM (en revendique la souveraineté)" in sentence(entry)["fr"]


@pytest.mark.parametrize(
    ("longitude", "entered", "certainty"), [(44.9999, 0, None), (45.0, 1, 0.5), (45.0001, 1, 0.5), (45.5, 1, 0.9)]
)
def test_a_line_belongs_to_every_zone_that_touches_it(longitude: float, entered: int, certainty: float | None) -> None:
    """
    Exactly on it is inside of both, and says so; near it nobody is sure; short of it nobody has entered.
    """
    told = of(fleet(crossing(44.9, longitude)), ZONE)

    assert [certainty] * entered == [one.certainty for one in told]
    assert [float(longitude == 45.0)] * entered == [one.measure("on_line") for one in told]
    assert all(("exactly on its line" in sentence(one)["en"]) == (longitude == 45.0) for one in told)


def test_on_the_line_has_a_certainty_of_its_own() -> None:
    """
    A bus may hold that who stands exactly on a line is in for certain, or hardly.
    """
    hardly = rules().model_copy(update={"zone_entry": rules().zone_entry.model_copy(update={"on_line": 0.25})})
    told = of(fleet(crossing(44.9, 45.0), thresholds=hardly), ZONE)

    assert [0.25] == [one.certainty for one in told]


def test_who_comes_from_the_other_side_to_the_line_enters_too() -> None:
    """
    The line is of both zones, from whichever side it is reached.
    """
    (entry,) = of(fleet(crossing(45.1, 45.0)), ZONE)

    assert "west" == entry.fact("zone")


def test_along_a_line_a_zone_is_entered_once() -> None:
    """
    To and fro across it by less than the leaving distance is one entry; further out and back is another.
    """
    near, far = 45 - 1.9 * KM, 45 - 2.1 / 111.195 / math.cos(math.radians(13.0)) * 1.05

    assert 1 == len([one for one in of(fleet(crossing(44.5, 45.01, near, 45.01, near, 45.01)), ZONE) if one.fact("zone") == "isle"])
    assert 2 == len([one for one in of(fleet(crossing(44.5, 45.01, far, 45.01)), ZONE) if one.fact("zone") == "isle"])


def test_where_a_craft_is_heard_first_it_has_entered_nothing() -> None:
    """
    Nobody knows since when it is there.
    """
    assert [] == of(fleet(crossing(45.5, 45.6)), ZONE)
