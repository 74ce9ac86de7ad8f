"""
Meetings at sea: two craft beside each other for hours, or one craft beside a contact that sends no AIS.

For each coarse cell there is a value that holds who is in it. A report is offered to all cells from which a meeting could reach
it; only the cell in which a meeting began tells it, so that two cells do not tell it twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from boutre.processors.matching.distances import KM_PER_NMI, kilometres
from boutre.processors.movement.detection import DARK, RENDEZVOUS, Detection, Phase, found
from boutre.processors.movement.dwelling import FAR_KM
from boutre.processors.movement.places import HOUR_S, Cell, ahead, cell, cells_near
from boutre.processors.movement.report import MMSI, Report
from boutre.processors.movement.thresholds import MINUTE_S, RendezvousRule, Thresholds
from boutre.processors.movement.waiting import Waiting, arrive, release

_NEAR_DEGREES: Final = 0.1
"""Of latitude, 11 km: more than any meeting is wide, and than a slow craft goes while a report of it counts."""


class Present(Struct, frozen=True):
    """
    Somebody in a cell: the last report, and since when it is slow; None where it is not.
    """

    last: Report
    slow_since: float | None


class Pair(Struct, frozen=True):
    """
    Two that are beside each other, the lesser subject *one*: where it began, until when both were heard, how near and how far.

    *first* is the later of the two reports by which it began, *beside* the id of the other.
    """

    one: str
    other: str
    first: Report
    last: float
    nearest_km: float
    farthest_km: float
    count: int = 1
    told: bool = False
    beside: str = ""


class Company(Struct, frozen=True):
    """
    Who is in one cell and around it, and who is beside whom. *waiting* are reports in their order.
    """

    waiting: Waiting = Waiting()
    present: tuple[Present, ...] = ()
    pairs: tuple[Pair, ...] = ()


class Met(NamedTuple):
    """
    The next state of a cell, and what was found.
    """

    company: Company
    detections: tuple[Detection, ...]


def offered(report: Report, rule: RendezvousRule) -> tuple[Cell, ...]:
    """
    Give the cells that must hear of a report: its own, and those from which a meeting may have drifted to it; none if unsound.
    """
    if not report.sound:
        return ()
    drift = rule.slow_kn * KM_PER_NMI * rule.hours + rule.within_km
    return cells_near(report.latitude, report.longitude, drift, rule.cell_degrees)


def meet(company: Company | None, here: Cell, report: Report, rules: Thresholds) -> Met:
    """
    Take one report into the cell *here*. Its order among those of others does not matter within ``track.late_s``.
    """
    company, rule = company or Company(), rules.track
    most = rules.rendezvous.most_craft * 4
    arrived = arrive(company.waiting, report.bare, rule, most)
    return _take(replace(company, waiting=arrived.waiting), arrived.due, here, rules)


def settle(company: Company, here: Cell, until: float, rules: Thresholds) -> Met:
    """
    Take note that all reports before *until* have come (seconds since 1970).
    """
    arrived = release(company.waiting, until, rules.track.every_s)
    company, told = _take(replace(company, waiting=arrived.waiting), arrived.due, here, rules)
    pairs, over = _parted(company.pairs, until, here, rules)
    return Met(replace(company, pairs=pairs), (*told, *over))


def beside_contacts(company: Company, passing: Iterable[Report]) -> Company:
    """
    Give a company of the same craft, for contacts that are to be looked at by themselves: who is there or passes, and no pair yet.
    """
    there = {one.last.subject for one in company.present}
    more = (Present(one, None) for one in passing if one.subject not in there)
    return replace(company, present=(*company.present, *more), pairs=())


def only_passes(company: Company, report: Report, rules: Thresholds) -> bool:
    """
    Say whether a craft is under way, and was so when it was last heard in this company, if it was.
    """
    return (
        not _slow(report, rules)
        and not any(one.last.subject == report.subject and one.slow_since is not None for one in company.present)
        and not any(one.subject == report.subject for one in company.waiting.reports)
    )


def _slow(report: Report, rules: Thresholds) -> bool:
    speed, away = report.speed_kn, rules.port_at(report.latitude, report.longitude) is None
    return away and speed is not None and speed <= rules.rendezvous.slow_kn


def has_contacts(company: Company) -> bool:
    """
    Say whether anybody in it, or beside somebody in it, is a contact without AIS.
    """
    present = (*company.waiting.reports, *(one.last for one in company.present))
    return any(not one.identified for one in present) or any(_one_dark(pair) for pair in company.pairs)


def _one_dark(pair: Pair) -> bool:
    return not all(name.startswith(f"{MMSI}:") for name in (pair.one, pair.other))


def _take(company: Company, due: tuple[Report, ...], here: Cell, rules: Thresholds) -> Met:
    told: list[Detection] = []
    for report in due:
        company, found_now = _use(company, report, here, rules)
        told.extend(found_now)
    return Met(company, tuple(told))


def _use(company: Company, report: Report, here: Cell, rules: Thresholds) -> Met:
    rule = rules.rendezvous
    fresh = [one for one in company.present if report.at - one.last.at <= rule.apart_min * MINUTE_S]
    mine = next((one for one in fresh if one.last.subject == report.subject), None)
    fresh = [one for one in fresh if one is not mine]
    away = rules.port_at(report.latitude, report.longitude) is None
    since = None if not _slow(report, rules) else report.at if mine is None or mine.slow_since is None else mine.slow_since
    me = Present(report, since)
    pairs, told = _parted(company.pairs, report.at, here, rules)
    pairs, more = _beside(pairs, me, fresh, here, rules) if away else (pairs, ())
    present = tuple(sorted((*fresh, me), key=lambda one: (one.last.at, one.last.subject))[-rule.most_craft :])
    return Met(Company(company.waiting, present, pairs), (*told, *more))


def _beside(
    pairs: tuple[Pair, ...], me: Present, others: list[Present], here: Cell, rules: Thresholds
) -> tuple[tuple[Pair, ...], tuple[Detection, ...]]:
    told: list[Detection] = []
    known = {(one.one, one.other): one for one in pairs}
    for other in others:
        one, two = (me, other) if me.last.subject < other.last.subject else (other, me)
        key = (one.last.subject, two.last.subject)
        before = known.get(key)
        if before is None and not _thinkable(me, other):
            continue
        km = _apart(other, me)
        if not _together(one, two, km, [*others, me], rules):
            # A pair whose one half is heard to leave is over now; one that falls silent, when its time is up.
            if before is not None:
                del known[key]
                told.extend(_over(before, here, rules))
            continue
        now = (
            Pair(*key, me.last, other.last.at, km, km, beside=other.last.id)
            if before is None
            else replace(
                before,
                last=other.last.at,
                nearest_km=min(km, before.nearest_km),
                farthest_km=max(km, before.farthest_km),
                count=before.count + 1,
            )
        )
        if not now.told and _long_enough(now, one, two, rules):
            now = replace(now, told=True)
            told.extend(_tell(now, "open", here, rules))
        known[key] = now
    most = rules.rendezvous.most_craft
    return tuple(sorted(known.values(), key=lambda pair: (pair.last, pair.one, pair.other)))[-most:], tuple(told)


def _thinkable(me: Present, other: Present) -> bool:
    # Most craft in a cell are under way, or elsewhere in it: seen without trigonometry.
    if abs(me.last.latitude - other.last.latitude) > _NEAR_DEGREES:
        return False
    return all(one.slow_since is not None or not one.last.identified for one in (me, other))


def _apart(other: Present, me: Present) -> float:
    latitude, longitude = ahead(other.last, me.last.at - other.last.at)
    return kilometres(latitude, longitude, me.last.latitude, me.last.longitude)


def _dark(one: Present, two: Present) -> bool:
    return one.last.identified != two.last.identified


def _together(one: Present, two: Present, km: float, all_: list[Present], rules: Thresholds) -> bool:
    if one.last.identified and two.last.identified:
        return one.slow_since is not None and two.slow_since is not None and km <= rules.rendezvous.within_km
    if not _dark(one, two) or km > rules.dark.within_km:
        return False  # two contacts are nobody that could be asked
    craft, contact = (one, two) if one.last.identified else (two, one)
    if craft.slow_since is None or max(one.last.at, two.last.at) - craft.slow_since < rules.dark.slow_min * MINUTE_S:
        return False
    return not _own(contact, all_, rules)


def _own(contact: Present, all_: list[Present], rules: Thresholds) -> bool:
    """Whether a contact is the echo of a craft that says who it is: the nearest echo to it, and very near."""
    for craft in all_:
        # Where the craft was when the contact was seen: of a contact nobody knows how it went on.
        if not craft.last.identified or _apart(craft, contact) > rules.dark.own_km:
            continue
        echoes = [each for each in all_ if not each.last.identified and each.last.source == contact.last.source]
        if not any(_apart(craft, each) < _apart(craft, contact) for each in echoes if each.last.subject != contact.last.subject):
            return True
    return False


def _long_enough(pair: Pair, one: Present, two: Present, rules: Thresholds) -> bool:
    seconds = pair.last - pair.first.at
    if not _dark(one, two):
        return seconds >= rules.rendezvous.hours * HOUR_S
    contact = two if one.last.identified else one
    return contact.last.subject.startswith("visual:") or seconds >= rules.dark.radar_min * MINUTE_S


def _parted(pairs: tuple[Pair, ...], at: float, here: Cell, rules: Thresholds) -> tuple[tuple[Pair, ...], tuple[Detection, ...]]:
    over = [pair for pair in pairs if at - pair.last > rules.rendezvous.apart_min * MINUTE_S]
    told = [each for pair in over for each in _over(pair, here, rules)]
    return tuple(pair for pair in pairs if pair not in over), tuple(told)


def _over(pair: Pair, here: Cell, rules: Thresholds) -> tuple[Detection, ...]:
    return _tell(pair, "closed", here, rules) if pair.told else ()


def _tell(pair: Pair, phase: Phase, here: Cell, rules: Thresholds) -> tuple[Detection, ...]:
    if cell(pair.first.latitude, pair.first.longitude, rules.rendezvous.cell_degrees) != here:
        return ()
    identified = [name for name in (pair.one, pair.other) if name.startswith(f"{MMSI}:")]
    dark = len(identified) == 1
    subject = identified[0]
    other = pair.other if subject == pair.one else pair.one
    rule, beside = rules.rendezvous, rules.dark
    # Who was seen once was beside it at that instant, although the other was heard last before it.
    end = max(pair.first.at, pair.last)
    to_port = rules.to_port_km(pair.first.latitude, pair.first.longitude)
    return (
        found(
            DARK if dark else RENDEZVOUS,
            rules.version,
            pair.first,
            begin=pair.first.at,
            end=end,
            certainty=beside.certainty if dark else rule.certainty,
            subject=subject,
            phase=phase,
            others=(other,),
            evidence=(
                ("duration", (end - pair.first.at) / HOUR_S, "h"),
                ("nearest", pair.nearest_km, "km"),
                ("farthest", pair.farthest_km, "km"),
                ("reports", pair.count, "count"),
                *((("to_port", to_port, "km"),) if to_port is not None and to_port <= FAR_KM else ()),
            ),
            thresholds=(
                (
                    ("within", beside.within_km, "km"),
                    ("own", beside.own_km, "km"),
                    ("slow", rule.slow_kn, "kn"),
                    ("slow_time", beside.slow_min, "min"),
                    ("radar_time", beside.radar_min, "min"),
                )
                if dark
                else (("within", rule.within_km, "km"), ("slow", rule.slow_kn, "kn"), ("hours", rule.hours, "h"))
            ),
            records=(pair.beside,),
        ),
    )
