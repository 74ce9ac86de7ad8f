"""
docs/guarantees.md and docs/data-protection.md: every promise names a test that there is, and every test made for one is named.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = (ROOT / "docs" / "guarantees.md").read_text(encoding="utf-8")

MADE_FOR_IT: Final = (
    "tests/broker/test_guarantees.py",
    "tests/broker/test_back_pressure.py",
    "tests/broker/test_faust_as_it_comes.py",
)
"""Files of which every test is a promise, or the reason for one."""

PRINCIPLES: Final = (ROOT / "docs" / "data-protection.md").read_text(encoding="utf-8")
TEST: Final = r"`(tests/[\w/]+\.py::[\w:]+)`"
NAMED: Final = frozenset(re.findall(TEST, PAGE))


def names_in(path: str) -> Iterator[str]:
    """The tests of a file, as pytest names them; those that a class has from another file are asked for there."""
    for node in ast.parse((ROOT / path).read_text(encoding="utf-8")).body:
        inside = node.body if isinstance(node, ast.ClassDef) else [node]
        prefix = f"{node.name}::" if isinstance(node, ast.ClassDef) else ""
        for one in inside:
            if isinstance(one, ast.FunctionDef) and one.name.startswith("test_"):
                yield f"{path}::{prefix}{one.name}"


def test_every_test_that_is_named_is_there() -> None:
    """
    A promise whose test has gone, or has another name, is held by nothing.
    """
    named = NAMED | set(re.findall(TEST, PRINCIPLES))
    there = {name for path in {name.partition("::")[0] for name in named} for name in names_in(path)}

    assert NAMED
    assert set() == named - there


def test_every_principle_of_data_protection_is_held_by_a_test() -> None:
    """
    The thirteen principles of the manual, in their order; none without what enforces it and a test of that.
    """
    rows = re.findall(r"^\| \*\*(\d+) [^|]+\*\* \| ([^|]+) \| ([^|]+) \|", PRINCIPLES, re.MULTILINE)

    assert list(range(1, 14)) == [int(number) for number, _, _ in rows]
    assert [] == [number for number, enforced, tests in rows if not enforced.strip() or not re.findall(TEST, tests)]


def test_every_promise_names_a_test() -> None:
    """
    In the tables of promises no row is without a test.
    """
    rows = re.findall(r"^\| (.+) \| (.*) \|$", PAGE.partition("## Under which failures")[0], re.MULTILINE)
    promises = [(promise, tests) for promise, tests in rows if promise.startswith("**")]

    assert promises
    assert [] == [promise for promise, tests in promises if not re.fullmatch(r"(`tests/[\w/]+\.py::[\w:]+` ?)+", tests)]


def test_every_test_made_for_a_promise_is_named() -> None:
    """
    What is tested as a promise is told as one.
    """
    assert set() == {name for path in MADE_FOR_IT for name in names_in(path)} - NAMED


def test_every_expected_failure_is_held_to_its_own() -> None:
    """
    A defect of Faust that is expected to fail does so by that defect alone, and its mending is noticed.
    """
    tree = ast.parse((ROOT / MADE_FOR_IT[2]).read_text(encoding="utf-8"))
    marks = [
        mark
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
        for mark in node.decorator_list
    ]

    assert marks
    for mark in marks:
        assert isinstance(mark, ast.Call)
        assert "pytest.mark.xfail" == ast.unparse(mark.func)
        assert {"strict", "raises", "reason"} == {given.arg for given in mark.keywords}
