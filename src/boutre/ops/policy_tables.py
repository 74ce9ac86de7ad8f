"""
What agreements say, change and would have given, as tables for a terminal and as plain data for programs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from rich.table import Table
from rich.text import Text

from boutre.ops.policy_replay import Run
from boutre.ops.policy_words import ANY_SIGN, SIGNS, Tongue
from boutre.processors.agreement import Agreement
from boutre.processors.decision import EPOCH
from boutre.processors.difference import Difference, Field
from boutre.processors.policy import Policy
from boutre.processors.replay import Outcome, Replay
from boutre.processors.ways import Way, folded, ways
from boutre.schemas.fields import FieldInfo

Fields = Mapping[str, tuple[FieldInfo, ...]]
Part = Table | str
Columns = tuple[tuple[Agreement, Mapping[str, Way]], ...]


def columns(policy: Policy, fields: Fields, kind: str) -> Columns:
    """
    Give for each agreement that speaks of a kind how it gives its fields, by recipient and agreement.

    Of a retraction all do, since it follows its record.
    """
    cuts = [cut for _, kinds in sorted(policy.cuts.items()) for cut in kinds.get(kind, ())]
    return tuple((cut.agreement, ways(cut, fields[kind])) for cut in cuts)


# --- Matrix ----------------------------------------------------------------------------------------------------------------


def plain_matrix(policy: Policy, fields: Fields, kinds: Sequence[str]) -> dict[str, Any]:
    """
    Give the matrix by kind, recipient, agreement and field.
    """
    found: dict[str, Any] = {}
    for kind in kinds:
        mine = found.setdefault(kind, {})
        for agreement, given in columns(policy, fields, kind):
            of = mine.setdefault(agreement.recipient, {})
            of[agreement.name] = {
                path: {"state": way.state, "method": way.method, "clause": way.clause or None} for path, way in given.items()
            }
    return found


def matrix_tables(policy: Policy, fields: Fields, kinds: Sequence[str], tongue: Tongue) -> Iterator[Part]:
    """
    Draw a table for each kind: fields in rows, agreements by their numbers in columns; then what numbers and signs mean.
    """
    numbers = {agreement.name: number for number, agreement in enumerate(policy.agreements, 1)}
    signs: dict[tuple[str, str | None], str] = {}
    ways_by_sign: dict[str, Way] = {}
    for kind in kinds:
        mine = columns(policy, fields, kind)
        yield f"\n{tongue.label('kind@1', kind)}"
        if not mine:
            yield tongue.say("policy.no-agreement")
            continue
        table = Table()
        table.add_column(tongue.say("explain.column.field"), overflow="fold", min_width=24)
        for agreement, _ in mine:
            table.add_column(str(numbers[agreement.name]), no_wrap=True)
        for line in folded({path: tuple(given[path].outcome for _, given in mine) for path in mine[0][1]}):
            shown = [given[line.fields[0]] for _, given in mine]
            for way in shown:
                if way.outcome not in signs:
                    # One sign for each state, and a letter for each way in which it is done.
                    same = sum(state == way.state for state, _ in signs)
                    signs[way.outcome] = f"{SIGNS.get(way.state, ANY_SIGN)}{chr(ord('a') + same % 26) if way.method else ''}"
                    ways_by_sign[signs[way.outcome]] = way
            table.add_row(Text(tongue.headed(line.group, line.paths)), *(Text(signs[way.outcome]) for way in shown))
        yield table
    yield "\n".join(f"{sign:<3} {tongue.way(way)}" for sign, way in ways_by_sign.items())
    yield "\n".join(f"{numbers[each.name]:<3} {tongue.party(each.recipient)}: {each.name}" for each in policy.agreements)


# --- Difference ------------------------------------------------------------------------------------------------------------


def plain_difference(found: Difference) -> dict[str, Any]:
    """
    Give a difference as plain values.
    """
    return {
        "added": [agreement.name for agreement in found.added],
        "removed": [agreement.name for agreement in found.removed],
        "gains": list(found.gains),
        "loses": list(found.loses),
        "terms": [asdict(term) for term in found.terms],
        "fields": [asdict(field) for field in found.fields],
    }


def difference_tables(found: Difference, tongue: Tongue, fields: Fields) -> Iterator[Part]:
    """
    Draw a difference: whole agreements, terms, fields, and who may have more or less.
    """
    if not found:
        yield tongue.say("policy.change.none")
        return
    for word, agreements in (("added", found.added), ("removed", found.removed)):
        for agreement in agreements:
            yield tongue.say(f"policy.change.{word}", agreement=agreement.name, recipient=tongue.party(agreement.recipient))
    if found.terms:
        yield _terms(found, tongue)
    if found.fields:
        yield _changes(found.fields, tongue, fields)
    for word, names in (("gains", found.gains), ("loses", found.loses)):
        if names:
            yield tongue.say(f"policy.change.{word}", recipients=", ".join(tongue.party(name) for name in names))


def _terms(found: Difference, tongue: Tongue) -> Table:
    table = _table(tongue, "explain.column.agreement", "policy.change.key", "policy.change.was", "policy.change.becomes", "")
    for term in found.terms:
        was, becomes = (tongue.value(term.key, value) if value not in (None, [], {}) else "-" for value in (term.was, term.becomes))
        named = f"{tongue.key(term.key)} ({term.key})"
        table.add_row(*map(Text, (term.agreement, named, was, becomes, tongue.say(f"policy.change.{term.direction}"))))
    return table


def _changes(changed: Sequence[Field], tongue: Tongue, fields: Fields) -> Table:
    titles = (
        "explain.column.agreement",
        "policy.replay.kind",
        "policy.change.field",
        "policy.change.was",
        "policy.change.becomes",
        "",
    )
    table = _table(tongue, *titles)
    together: dict[tuple[str, str], dict[str, Field]] = {}
    for field in changed:
        together.setdefault((field.agreement, field.kind), {})[field.field] = field
    rows: dict[tuple[str, ...], list[str]] = {}
    for (agreement, kind), mine in together.items():
        cells = {info.path: _change(mine.get(info.path), tongue) for info in _leaves(fields[kind], mine)}
        for cell, names in _by_cell(cells, tongue).items():
            rows.setdefault((agreement, names, *cell), []).append(tongue.label("kind@1", kind))
    for (agreement, *told), kinds in rows.items():
        table.add_row(*map(Text, (agreement, ", ".join(kinds), *told)))
    return table


def _change(field: Field | None, tongue: Tongue) -> tuple[str, ...] | None:
    if field is None:
        return None
    was, becomes = tongue.way(field.was), tongue.way(field.becomes)
    if field.was.outcome == field.becomes.outcome:
        was, becomes = f"{was} [{field.was.clause}]", f"{becomes} [{field.becomes.clause}]"
    return was, becomes, tongue.say(f"policy.change.{field.direction}")


def _by_cell(cells: Mapping[str, tuple[str, ...] | None], tongue: Tongue) -> dict[tuple[str, ...], str]:
    """For each cell the fields that have it, a line for each group of them."""
    found: dict[tuple[str, ...], list[str]] = {}
    for line in folded(cells):
        if isinstance(line.cell, tuple):
            found.setdefault(line.cell, []).append(tongue.headed(line.group, line.paths))
    return {cell: "\n".join(names) for cell, names in found.items()}


def _leaves(infos: Sequence[FieldInfo], named: Mapping[str, object]) -> Iterator[FieldInfo]:
    holders = {info.path.rpartition(".")[0] for info in infos}
    return (info for info in infos if info.path not in holders or info.path in named)


# --- Replay ----------------------------------------------------------------------------------------------------------------


def plain_replay(run: Run) -> dict[str, Any]:
    """
    Give the outcome of a replay as plain values.
    """
    return {
        "records": dict(run.replay.taken),
        "refused": dict(run.replay.refused),
        "first": None if run.first is None else _moment(run.first),
        "last": None if run.last is None else _moment(run.last),
        "recipients": [asdict(account) for account in run.replay.accounts],
        "fields": [asdict(shift) for shift in run.replay.shifts],
    }


def replay_tables(run: Run, tongue: Tongue) -> Iterator[Part]:
    """
    Draw the outcome of a replay: the records, who gains and loses how many, and which fields.
    """
    count = sum(run.replay.taken.values())
    first, last = (None if at is None else _moment(at) for at in (run.first, run.last))
    yield tongue.say("policy.replay.records", count=count, first=first or "-", last=last or "-")
    if run.replay.refused:
        told = ", ".join(f"{code} {number}" for code, number in sorted(run.replay.refused.items()))
        yield tongue.say("policy.replay.refused", count=sum(run.replay.refused.values()), reasons=told)
    accounts = [account for account in run.replay.accounts if account]
    if not accounts:
        yield tongue.say("policy.replay.none")
        return
    words = ("before", "after", "gained", "lost", "changed")
    table = _table(
        tongue, "policy.key.recipient", "policy.replay.kind", "policy.replay.count", *(f"policy.replay.{word}" for word in words)
    )
    for account in accounts:
        numbers = (account.records, *(getattr(account, word) for word in words))
        named = (account.recipient, tongue.label("kind@1", account.kind))
        table.add_row(*map(Text, (*named, *(str(number) for number in numbers))))
    yield table
    yield _shifts(run.replay, tongue)


def _shifts(replay: Replay, tongue: Tongue) -> Table:
    titles = ("policy.key.recipient", "policy.replay.kind", "policy.change.field", "policy.change.was", "policy.change.becomes")
    table = _table(tongue, *titles, "policy.replay.count")
    together: dict[tuple[str, str], dict[str, tuple[str, ...]]] = {}
    for shift in replay.shifts:
        told = (_outcome(shift.was, tongue), _outcome(shift.becomes, tongue), str(shift.records))
        together.setdefault((shift.recipient, shift.kind), {})[shift.field] = told
    for (recipient, kind), told_of in together.items():
        # A field that no record held, and that would come out otherwise too, stands in nobody's way: the whole group is named.
        silent = replay.open[recipient, kind] - told_of.keys()
        leaves = (info.path for info in _leaves(replay.fields[kind], told_of))
        cells = {path: told_of.get(path) for path in leaves if path not in silent}
        for cell, names in _by_cell(cells, tongue).items():
            table.add_row(*map(Text, (recipient, tongue.label("kind@1", kind), names, *cell)))
    return table


def _outcome(outcome: Outcome, tongue: Tongue) -> str:
    state, method = outcome
    return tongue.way(Way(state, method=method))


def _moment(milliseconds: int) -> str:
    return (EPOCH + timedelta(milliseconds=milliseconds)).strftime("%Y-%m-%dT%H:%MZ")


def _table(tongue: Tongue, *titles: str) -> Table:
    table = Table()
    for title in titles:
        table.add_column(tongue.say(title) if title else "", overflow="fold")
    return table
