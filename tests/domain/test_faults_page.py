"""
The table of faults in docs/operations.md is that of the last run of `make faults`, and says of each fault what was said in time.
"""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from boutre.ops.findings.finding import CODES
from faults.__main__ import RESULTS, WITHIN_S
from faults.hearing import WAYS
from faults.trials import TRIALS
from pages import Page

RUN: Final[dict[str, Any]] = json.loads(RESULTS.read_text(encoding="utf-8"))
HEAD: Final = (
    "fault",
    "finding",
    *(f"{way}, s" for way in ("page", "`boutre top`", "metrics")),
    "alarm",
    "pending, s",
    "given, s",
    "taken back, s",
)


def _cell(value: float | None, otherwise: str = "") -> str:
    return otherwise if value is None else f"{value:.1f}"


def table() -> str:
    """The table of the last run."""
    rows = [
        (
            row["fault"],
            " or ".join(f"`{code}`" for code in row["codes"]),
            *(_cell(row[way]) for way in WAYS),
            row["alarm"],
            _cell(row["pending"]),
            _cell(row["firing"]),
            _cell(row["cleared"]),
        )
        for row in RUN["faults"]
    ]
    lines = [HEAD, tuple("---" for _ in HEAD), *rows]
    return "\n".join([*("| " + " | ".join(line) + " |" for line in lines), "", *(ended(run) for run in RUN["runs"])])


def ended(run: dict[str, Any]) -> str:
    """What a run came to."""
    account = run["account"]
    views = sum(sum(kinds.values()) for kinds in account["views_by_recipient_and_kind"].values())
    ends = "adds up" if account["adds_up"] else "DOES NOT ADD UP"
    return (
        f"- {run['at']}, {len(run['faults'])} of these on two cores: {run['sent']} records were sent and {run['acknowledged']} "
        f"acknowledged, {account['inputs'] - run['sent']} more by connectors. Read from the beginning: {views} views, "
        f"{account['rejected']} rejected, {account['in_flight']} in flight; the account {ends}."
    )


PAGE: Final = Page("docs/operations.md", "tests/domain/test_faults_page.py", {"faults": table})


def test_the_table_is_that_of_the_last_run() -> None:
    """Nobody writes it by hand."""
    assert table() == PAGE.shown("faults")


def test_the_last_run_tried_every_fault() -> None:
    """Those that the trials inject today, each told by a code that there is."""
    assert [trial.name for trial in TRIALS] == [row["fault"] for row in RUN["faults"]]
    assert {code for row in RUN["faults"] for code in row["codes"]} <= set(CODES)


@pytest.mark.parametrize("row", RUN["faults"], ids=[row["fault"] for row in RUN["faults"]])
def test_each_fault_was_said_in_time_and_taken_back(row: dict[str, Any]) -> None:
    """On the page, in the terminal and in the metrics, within thirty seconds; an alarm was at least pending."""
    assert all(row[way] is not None and row[way] <= WITHIN_S for way in WAYS)
    assert None not in {row["pending"], row["cleared"]}


def test_nothing_was_lost() -> None:
    """Every record that was acknowledged came out for everybody who may have it, in every run of which something is told."""
    assert sorted(name for run in RUN["runs"] for name in run["faults"]) == sorted(trial.name for trial in TRIALS)
    for run in RUN["runs"]:
        assert (run["sent"], 0, 0) == (run["acknowledged"], run["refused"], run["unacknowledged"])
        assert run["account"]["adds_up"]


if __name__ == "__main__":
    PAGE.write()
