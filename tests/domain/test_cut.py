"""
A cut gives what the agreement says, field by field, and no more: held against a reading that shares no code with it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agreements import agreement, any_agreement, verdict
from boutre.processors.agreement import Agreement
from boutre.processors.coarsen import Coarsen
from boutre.processors.cut import OWN, Cut, compile_cut, together
from boutre.schemas.marks import Withheld
from boutre.schemas.meanings import CATEGORIES
from records import FIELDS, KINDS, Value, any_record, attack, below, kwassa, leaves

ANY = st.sampled_from(KINDS).flatmap(lambda kind: st.tuples(st.just(kind), any_record(kind)))
ALL_KEPT = dict.fromkeys(CATEGORIES, "keep")


def cut(ours: Agreement, kind: str) -> Cut:
    """The cut of one agreement."""
    return compile_cut(ours, kind, FIELDS[kind])


@dataclass(frozen=True, slots=True)
class AsIs:
    """A recipient who knows every record by one *name* or by its id, and every text by itself."""

    name: str | None = None

    def __call__(self, identifier: str, /) -> str:
        """Give the name, or the id."""
        return self.name or identifier

    def alias(self, field: str, text: str, /) -> str:
        """Give the text, whatever its field."""
        del field
        return text


as_is = AsIs()


def told(view: Value) -> Counter[tuple[str, Any]]:
    """Every value that a view tells, with its path; what is withheld tells nothing."""
    given_ = {name: group for name, group in view.items() if not isinstance(group, Withheld)}
    return Counter((path, held) for path, held in leaves(given_))


# --- What it gives ---------------------------------------------------------------------------------------------------------


@given(any_agreement(), ANY)
@settings(max_examples=40, deadline=None)
def test_only_what_a_rule_keeps_comes_through_as_it_was(ours: Agreement, drawn: tuple[str, Value]) -> None:
    """
    Every value of the view is one of the record at the same path, and its field is kept; only what is coarsened is new.
    """
    kind, value = drawn
    infos = {info.path: info for info in FIELDS[kind]}
    given_ = told(value)

    for (path, held), number in told(cut(ours, kind)(value, as_is)).items():
        said = verdict([ours], kind, infos[path])
        assert said != "withhold"
        assert isinstance(said, Coarsen) or number <= given_[path, held]


@pytest.mark.parametrize("kind", KINDS)
@given(st.data())
@settings(max_examples=10, deadline=None)
def test_what_is_kept_is_given_whole(kind: str, data: st.DataObject) -> None:
    """
    Where every category is kept nothing is lost, not even an item of a list of which nothing is known.
    """
    value = data.draw(any_record(kind))
    view = cut(agreement(categories=ALL_KEPT), kind)(value, as_is)
    expected = {name: group for name, group in value.items() if name not in OWN}
    if kind == "retraction":
        expected["recall"] = {**expected["recall"], "subject": None}

    assert expected == view


@given(any_agreement(), st.sampled_from(KINDS))
@settings(max_examples=40, deadline=None)
def test_kept_means_exactly_as_given(ours: Agreement, kind: str) -> None:
    """
    A path counts as kept only if every field at and below it is: a time is not, where its instant or its precision is not.
    """
    for path in cut(ours, kind).kept:
        ends = [info for info in FIELDS[kind] if info.path == path or info.path.startswith(f"{path}.")]
        assert {"keep"} == {verdict([ours], kind, info) for info in ends if not below(kind, info.path)}


@given(any_agreement(), ANY)
@settings(max_examples=40, deadline=None)
def test_cutting_twice_is_cutting_once(ours: Agreement, drawn: tuple[str, Value]) -> None:
    """
    A view that is cut by the same agreement again is the same view.
    """
    kind, value = drawn
    once = cut(ours, kind)(value, as_is)

    assert once == cut(ours, kind)(once, as_is)


@given(any_agreement(), ANY, st.data())
@settings(max_examples=60, deadline=None)
def test_one_rule_more_that_withholds_tells_nothing_more(ours: Agreement, drawn: tuple[str, Value], data: st.DataObject) -> None:
    """
    An agreement with a further ``withhold``, of a field or of a category, gives a part of what it gave without it.
    """
    kind, value = drawn
    if data.draw(st.booleans()):
        path = data.draw(st.sampled_from([info.path for info in FIELDS[kind] if info.top not in OWN]))
        stricter = ours.model_copy(update={"fields": {**ours.fields, path: "withhold"}})
    else:
        category = data.draw(st.sampled_from(sorted(CATEGORIES)))
        stricter = ours.model_copy(update={"categories": {**ours.categories, category: "withhold"}})

    less, more = (told(cut(each, kind)(value, as_is)) for each in (stricter, ours))
    # Whether a rule that coarsens takes the place of one that keeps is the agreement's own affair; a withhold never undoes one.
    assert less <= more


def test_a_category_that_is_withheld_beats_a_field_that_is_kept() -> None:
    """
    The stricter rule holds, wherever it stands: a name kept by its field stays away with all identities.
    """
    ours = agreement(categories={"identity": "withhold", "craft": "keep"}, fields={"claims": "keep", "craft": "keep"})
    view = cut(ours, "interception")(kwassa(claims=[{"attribute": "name", "value": "X", "source": None}]), as_is)

    assert Withheld("rmifc-test@1", "categories.identity", "somebody") == view["claims"]
    assert [] == view["craft"]["markings"]
    assert "kwassa" == view["craft"]["kind"]


def test_a_field_that_is_withheld_beats_the_group_that_is_kept() -> None:
    """
    A rule for one field is heard inside a group that is kept, and one for a group over a field in it that is kept.
    """
    narrow = agreement(categories={"craft": "keep"}, fields={"craft": "keep", "craft.kind": "withhold"})
    wide = agreement(fields={"craft": "withhold", "craft.kind": "keep"})

    assert cut(narrow, "interception")(kwassa(), as_is)["craft"]["kind"] is None
    assert isinstance(cut(wide, "interception")(kwassa(), as_is)["craft"], Withheld)


def test_what_cannot_stand_without_what_is_withheld_is_withheld() -> None:
    """
    An identity without its value is none: where the value is withheld the whole list is, and says by which clause.
    """
    ours = agreement(categories={"identity": "keep"}, fields={"claims.value": "withhold"})

    assert "fields.claims.value" == cut(ours, "sighting")(attack(), as_is)["claims"].clause


@pytest.mark.parametrize("victims", [None, [], [{}], [{"name": "A"}, {"name": "B"}]])
def test_people_of_whom_nothing_is_visible_leave_no_trace(victims: Any) -> None:
    """
    Whoever may have the needs of victims cannot tell one without known needs from none at all.
    """
    ours = agreement(fields={"victims.needs": "keep"})
    blank: Value = {info.name: [] if info.many else None for info in below("interception", "victims")}
    value = kwassa(victims=victims and [{**blank, **one} for one in victims])

    assert cut(ours, "interception")(value, as_is)["victims"] is None


def test_a_group_whose_visible_part_is_empty_is_empty() -> None:
    """
    A null group and one that holds only what is hidden are the same to a recipient.
    """
    ours = agreement(fields={"vulnerability.medical_urgent": "keep"})
    hidden = kwassa(vulnerability={"needs": ["medical-care"], "medical_urgent": None})

    assert [None, None] == [cut(ours, "interception")(one, as_is)["vulnerability"] for one in (hidden, kwassa(vulnerability=None))]


def test_a_withheld_group_is_withheld_where_it_was_never_filled_in() -> None:
    """
    That a group is withheld tells nothing of whether there was anything in it.
    """
    ours = agreement(categories={"event": "keep"})

    views = [cut(ours, "interception")(value, as_is) for value in (kwassa(), kwassa(suspects=None, victims=None))]

    assert views[0] == views[1]


# --- Several agreements ----------------------------------------------------------------------------------------------------


@given(any_agreement(name="one"), any_agreement(name="two"), ANY)
@settings(max_examples=40, deadline=None)
def test_together_two_agreements_tell_no_more_than_each(one: Agreement, two: Agreement, drawn: tuple[str, Value]) -> None:
    """
    What both give together is kept by both; in no order does it hold a value which one of them withholds.
    """
    kind, value = drawn
    infos = {info.path: info for info in FIELDS[kind]}
    for pair in ([one, two], [two, one]):
        view = together(tuple(cut(each, kind) for each in pair))(value, as_is)
        assert "withhold" not in {verdict(pair, kind, infos[path]) for path, _ in told(view)}


def test_the_coarser_of_two_grids_holds() -> None:
    """
    A cell of half a degree made of cells of a tenth is the cell of half a degree of the place itself.
    """
    grids = [
        agreement(id=f"grid-{number}", fields={"position": {"coarsen": "grid", "degrees": degrees}})
        for number, degrees in enumerate((0.1, 0.5))
    ]
    fine, coarse = (cut(each, "interception") for each in grids)

    assert coarse(kwassa(), as_is)["position"] == together((fine, coarse))(kwassa(), as_is)["position"]
    assert coarse(kwassa(), as_is)["position"] == together((coarse, fine))(kwassa(), as_is)["position"]


@given(any_agreement(name="one"), any_agreement(name="two"), ANY)
@settings(max_examples=40, deadline=None)
def test_the_order_of_two_agreements_does_not_matter(one: Agreement, two: Agreement, drawn: tuple[str, Value]) -> None:
    """
    What is told is the same in either order; only who is named for what is withheld may be the other one.
    """
    kind, value = drawn
    cuts = cut(one, kind), cut(two, kind)

    assert told(together(cuts)(value, as_is)) == told(together(cuts[::-1])(value, as_is))
    assert together(cuts).kept == together(cuts[::-1]).kept


@pytest.mark.parametrize(("part", "given_"), [("longitude", False), ("place", True)])
def test_who_withholds_a_part_of_what_is_coarsened_withholds_it(part: str, given_: bool) -> None:  # noqa: FBT001 - a table
    """
    A cell without its longitude is none; without the name of the place, which no cell has, it is one. Alone and with another.
    """
    rules = {"position": {"coarsen": "grid", "degrees": 0.5}, f"position.{part}": "withhold"}
    grid = agreement(id="grid", fields={"position": rules["position"]})
    other = agreement(fields={"position": "keep", f"position.{part}": "withhold"})
    alone = cut(agreement(fields=rules), "interception")
    both = together((cut(grid, "interception"), cut(other, "interception")))

    assert [given_, given_] == [not isinstance(each(kwassa(), as_is)["position"], Withheld) for each in (alone, both)]


def test_a_reference_is_named_once() -> None:
    """
    Two agreements do not name a record twice: the second would look for the recipient's own name among the bus's ids.
    """
    ours = [cut(agreement(id=name, categories={"administrative": "keep"}), "sighting") for name in ("one", "two")]
    value = attack(lifecycle={"status": "update", "revision": 1, "revises": "known"})

    view = together(tuple(ours))(value, AsIs("its name"))

    assert "its name" == view["lifecycle"]["revises"]


def test_nothing_is_cut_by_no_agreement() -> None:
    """
    Without an agreement there is an error, never the record as it is.
    """
    with pytest.raises(ValueError, match="unpack"):
        together(())
