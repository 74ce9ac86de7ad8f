"""
Scopes: two people of two members open one, one member ends it, and what is not surely active gives nothing.
"""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from boutre.errors import Fault
from boutre.ops.command import main
from boutre.ops.scope_follow import ScopeFollow
from boutre.processors.pipeline import SCOPES
from boutre.processors.scopes import Said, Scope, Scopes, Term, read_scopes
from boutre.schemas.keys import KeyFolder
from boutre.schemas.signature import Keyring
from records import ROOT, STATES, keyring, private

START = datetime(2027, 3, 1, tzinfo=UTC)
END = datetime(2027, 3, 6, tzinfo=UTC)
BEFORE = START - timedelta(days=2)
SECOND = timedelta(seconds=1)


def scope(**parts: Any) -> Scope:
    """An operation about the records of two members."""
    both = {"en": "x", "fr": "x"}
    whole = {"id": "operation", "title": both, "reason": both, "members": ("comoros", "france"), "start": START, "end": END}
    return Scope.model_validate({**whole, **parts})


def said(one: Scope, member: str, *, word: str = "activate", at: datetime = BEFORE, key: str | None = None) -> Said:
    """What the duty officer of a member signs, by its own key or by another's."""
    return one.say(word, member, "duty officer", at, private(key or member))


def active(one: Scope, at: datetime = START, member: str = "comoros", ring: Keyring | None = None) -> bool:
    """Whether it holds for a record of a member."""
    scopes = Scopes()
    scopes.replace([one], ring or keyring())
    return scopes.active("operation", at, member)


@given(st.lists(st.sampled_from(STATES), max_size=4))
def test_two_members_are_needed_and_no_one_counts_twice(members: list[str]) -> None:
    """
    However often one member signs, by whichever of its people: only another member's signature makes it active.
    """
    one = scope()
    signed = one.model_copy(update={"activated": tuple(said(one, member) for member in members)})

    assert (len(set(members)) >= 2) == active(signed)


@pytest.mark.parametrize(
    ("at", "expected"),
    [(START - SECOND, False), (START, True), (END - SECOND, True), (END, False)],
)
def test_it_holds_from_its_start_to_its_end_for_its_members(at: datetime, expected: bool) -> None:  # noqa: FBT001 - a table
    """
    To the second, and never for a record of a member that it is not about.
    """
    one = scope()
    signed = one.model_copy(update={"activated": (said(one, "comoros"), said(one, "france"))})

    assert expected == active(signed, at)
    assert not active(signed, at, "seychelles")


def test_nothing_that_came_before_the_second_signature_is_inside() -> None:
    """
    Who activates late does not open what was accepted meanwhile.
    """
    one = scope()
    late = START + timedelta(hours=3)
    signed = one.model_copy(update={"activated": (said(one, "comoros"), said(one, "france", at=late))})

    assert [False, True] == [active(signed, late - SECOND), active(signed, late)]


@pytest.mark.parametrize(
    "change",
    [
        {"end": END + SECOND},
        {"start": START - SECOND},
        {"members": ("comoros", "france", "mauritius")},
        {"reason": {"en": "y", "fr": "x"}},
        {"id": "operation2"},
    ],
)
def test_whoever_changes_a_word_needs_both_signatures_anew(change: dict[str, Any]) -> None:
    """
    What was signed is what is declared, all of it: a longer term, another member or another reason was signed by nobody.
    """
    one = scope()
    signed = one.model_copy(update={"activated": (said(one, "comoros"), said(one, "france"))})
    changed = Scope.model_validate({**signed.model_dump(), **change})

    assert signed.since(keyring()) == START
    assert changed.since(keyring()) is None


def test_a_signature_counts_for_whoever_made_it() -> None:
    """
    One made by another member's key, for another word, by a revoked key or with a changed name activates nothing.
    """
    one = scope()
    first, second = said(one, "comoros"), said(one, "france")
    revoked = Keyring(keyring().keys, frozenset({second.key}))
    wrong = {
        "another's key": said(one, "france", key="comoros"),
        "another word": said(one, "france", word="end"),
        "another name": second.model_copy(update={"person": "somebody else"}),
        "another time": second.model_copy(update={"at": BEFORE - timedelta(days=1)}),
        "another member": second.model_copy(update={"member": "seychelles"}),
        "no signature": second.model_copy(update={"signature": "not base64"}),
        "unknown key": second.model_copy(update={"key": "0" * 16}),
    }

    assert active(one.model_copy(update={"activated": (first, second)}))
    assert not active(one.model_copy(update={"activated": (first, second)}), ring=revoked)
    assert [] == [name for name, other in wrong.items() if active(one.model_copy(update={"activated": (first, other)}))]


def test_one_member_ends_it_and_nobody_opens_it_again() -> None:
    """
    Ended is ended, also for what was accepted before; an end that nobody signed ends nothing.
    """
    one = scope()
    signed = one.model_copy(update={"activated": (said(one, "comoros"), said(one, "france"))})
    ended = signed.model_copy(update={"ended": (said(one, "seychelles", word="end"),)})
    forged = signed.model_copy(update={"ended": (said(one, "seychelles", word="end", key="comoros"),)})

    assert not active(ended)
    assert active(forged)


# --- Files and commands ----------------------------------------------------------------------------------------------------


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of this bus's declarations, with development keys."""
    for room in ("topics", "schemas", "processors", "connectors"):
        shutil.copytree(ROOT / room, tmp_path / "bus" / room)
    monkeypatch.setenv("BOUTRE_KEYS", str(tmp_path / "keys"))
    monkeypatch.chdir(tmp_path)
    assert run(tmp_path, "keys", "dev")[0] == 0
    return tmp_path


def run(root: Path, *words: str) -> tuple[int, str]:
    """Run a command on that bus."""
    result = CliRunner().invoke(main, ["--bus", str(root / "bus"), *words])
    return result.exit_code, result.output


def state(root: Path) -> dict[str, Any]:
    """What the command tells of the operation."""
    code, output = run(root, "scope", "list", "--output", "json")
    assert code == 0, output
    (row,) = json.loads(output)
    return dict(row)


def test_two_commands_activate_and_one_ends(root: Path) -> None:
    """
    The second member's signature is the one that counts; the same member's is refused, and so is anything after the end.
    """
    by = ("--person", "duty officer")
    states = [state(root)["still_needed"]]
    for member in ("comoros", "comoros", "france"):
        run(root, "scope", "activate", "exercise-2027", "--member", member, *by)
        states.append(state(root)["still_needed"])

    assert [2, 1, 1, 0] == states
    assert run(root, "check")[0] == 0
    assert run(root, "scope", "activate", "exercise-2027", "--member", "france", *by)[0] == 2
    assert run(root, "scope", "activate", "no-such", "--member", "france", *by)[0] == 2
    assert run(root, "scope", "end", "exercise-2027", "--member", "mauritius", *by)[0] == 0
    assert ("ended", ["mauritius"]) == (state(root)["state"], state(root)["ended_by"])
    assert run(root, "scope", "activate", "exercise-2027", "--member", "madagascar", *by)[0] == 2


def test_a_worker_sees_an_operation_open_and_end_without_a_restart(root: Path) -> None:
    """
    What it may release follows the files: active once both have signed, over once one has ended it, or where a file is broken.
    """
    scopes = Scopes()
    follow = ScopeFollow(root / "bus" / SCOPES, scopes, KeyFolder(root / "keys").keyring)
    path = root / "bus" / SCOPES / "exercise-2027.toml"
    seen = []
    for step in ("nothing", "comoros", "france", "broken", "mended", "end"):
        if step in STATES:
            run(root, "scope", "activate", "exercise-2027", "--member", step, "--person", "x")
        elif step == "broken":
            whole = path.read_text(encoding="utf-8")
            path.write_text(whole + "\nsurprise = 1", encoding="utf-8")
        elif step == "mended":
            path.write_text(whole, encoding="utf-8")
        elif step == "end":
            run(root, "scope", "end", "exercise-2027", "--member", "comoros", "--person", "x")
        follow.look()
        seen.append(scopes.active("exercise-2027", START, "comoros"))

    assert [False, False, True, False, True, False] == seen


def test_keys_that_cannot_be_read_end_every_operation_until_they_can(root: Path) -> None:
    """
    At the first look and later: who signed is not known. Once the list is back as it was, so are the operations.
    """
    for member in ("comoros", "france"):
        run(root, "scope", "activate", "exercise-2027", "--member", member, "--person", "x")
    members, kept = root / "keys" / "members.toml", root / "kept"
    term = Term(START, END, frozenset({"comoros"}))
    scopes = Scopes({"exercise-2027": term})
    follow = ScopeFollow(root / "bus" / SCOPES, scopes, KeyFolder(root / "keys").keyring)
    seen = []
    for away in (True, False, True, True, False):
        if away and members.exists():
            members.rename(kept)
        elif not away:
            kept.rename(members)
        follow.look()
        seen.append(scopes.active("exercise-2027", START, "comoros"))

    assert [False, True, False, False, True] == seen


@pytest.mark.parametrize(
    ("change", "key", "message"),
    [
        (("end = 2027-03-06", "end = 2026-03-06"), "", "end lies after start"),
        (("end = 2027-03-06T00:00:00Z", "end = 2027-03-06"), "end", "datetime"),
        (('"comoros", "france"', '"comoro", "france"'), "members", "'comoro' is no member"),
        (("reason = {", "note = 1\nreason = {"), "note", "is not known here"),
        (('id = "exercise-2027"', 'id = "another"'), "id", "is named for it"),
    ],
)
def test_what_is_wrong_with_a_scope_is_said(change: tuple[str, str], key: str, message: str, tmp_path: Path) -> None:
    """
    The file, the key and what to do; and nothing of it holds.
    """
    text = (ROOT / SCOPES / "exercise-2027.toml").read_text(encoding="utf-8")
    assert change[0] in text
    (tmp_path / "exercise-2027.toml").write_text(text.replace(*change), encoding="utf-8")
    faults: list[Fault] = []
    read_scopes(tmp_path, faults, frozenset(STATES))

    assert [True] == [fault.key.startswith(key) and message in fault.message for fault in faults], faults
