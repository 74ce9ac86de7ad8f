"""
What was received where and when: without it, nobody can say that a craft fell silent.

For each coarse cell and slot of time a few of the craft that were heard there are kept, the least by name, so that the order of
reports does not matter and the value stays small. A cell is one value under one key.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import TypeAlias

from msgspec import Struct

from boutre.processors.movement.places import Cell, beside
from boutre.processors.movement.report import Report
from boutre.processors.movement.thresholds import ReceptionRule


class Slot(Struct, frozen=True, array_like=True):
    """
    Of slot *number*, counted from 1970: the craft that were heard in it and by which sources, or the least of them by name.
    """

    number: int
    craft: tuple[str, ...]
    sources: tuple[str, ...]


class Received(Struct, frozen=True):
    """
    What was heard in one cell: the newest slots, in order.
    """

    slots: tuple[Slot, ...] = ()


Reception: TypeAlias = Callable[[Cell], Received | None]
"""Gives what was heard in a cell, or None."""


class Around(Struct, frozen=True):
    """
    What was heard of others around a silence: *during* and *before* it, so many craft (at least), and in what *share* of it.

    *own* is the share in which the source that had heard the craft was still heard to receive somebody there. *seldom* is the share
    of the others that were silent for as long themselves, meanwhile or in the hours before, and came again, of so many that
    are *compared*; 1 where none is. *slots* are how many slots the silence holds, whole ones.
    """

    during: int
    before: int
    share: float
    own: float
    seldom: float
    compared: int
    slots: int


def hear(received: Received | None, report: Report, rule: ReceptionRule) -> Received:
    """
    Add a report to its cell; the same value comes back where it adds nothing.
    """
    received = received or Received()
    number = math.floor(report.at / rule.slot_s)
    slots = {slot.number: slot for slot in received.slots}
    known = slots.get(number, Slot(number, (), ()))
    craft = tuple(sorted({*known.craft, report.subject})[: rule.most_craft])
    sources = tuple(sorted({*known.sources, report.source})[: rule.most_sources])
    slot = Slot(number, craft, sources)
    if slot == known:
        return received
    slots[number] = slot
    kept = tuple(slots[each] for each in sorted(slots)[-rule.most_slots :])
    return received if kept == received.slots else Received(kept)


def around(reception: Reception, cells: tuple[Cell, ...], last: Report, end: float, rule: ReceptionRule) -> Around:
    """
    Look for other craft in *cells*, or beside them, in the whole slots between the report *last* and *end*, and as long before.
    """
    begun = math.floor(last.at / rule.slot_s)  # nor that in which it begins: what was heard in it may have been before
    after = math.floor(end / rule.slot_s)  # the slot in which it ends, and is not looked at
    count = min(max(0, after - begun - 1), rule.most_slots)
    during, before = range(after - count, after), range(begun - max(1, count), begun + 1)
    compared = range(begun - max(rule.compared_slots, count), after)
    others: set[str] = set()
    earlier: set[str] = set()
    seen: dict[str, set[int]] = {}
    full: dict[int, str] = {}
    lit = own = 0
    for near in {each: None for middle in cells for each in beside(middle, rule.cell_degrees)}:
        for slot in (reception(near) or Received()).slots:
            if slot.number not in compared:
                continue
            for one in slot.craft:
                seen.setdefault(one, set()).add(slot.number)
            if len(slot.craft) == rule.most_craft:
                full[slot.number] = min(slot.craft[-1], full.get(slot.number, slot.craft[-1]))
    seen.pop(last.subject, None)
    for craft, heard in seen.items():
        if not heard.isdisjoint(during):
            others.add(craft)
        if not heard.isdisjoint(before):
            earlier.add(craft)
    for middle in cells:
        near_by = [reception(each) or Received() for each in beside(middle, rule.cell_degrees)]
        slots = [slot for each in near_by for slot in each.slots if slot.number in during and set(slot.craft) - {last.subject}]
        lit += len({slot.number for slot in slots})
        own += len({slot.number for slot in slots if last.source in slot.sources})
    looked = max(1, len(cells) * count)
    return Around(len(others), len(earlier), lit / looked, own / looked, *_seldom(seen, full, count), count)


def _seldom(seen: Mapping[str, set[int]], full: Mapping[int, str], count: int) -> tuple[float, int]:
    compared = silent = 0
    for craft, heard in seen.items():
        # In a slot that is full of lesser names nobody knows whether it was heard: that is no silence.
        known = sorted({*heard, *(number for number, last in full.items() if craft > last)})
        if known[-1] - known[0] > count:
            compared += 1
            silent += any(later - earlier > count for earlier, later in pairwise(known))
    return (silent / compared if compared else 1.0), compared
