"""
What the whole suite shares: the account of the tests that were left out.

A test that lacks something of the machine is skipped with the reason. The end of every run names each tier and reason; where
BOUTRE_TEST_ALL is set, as `.ci/run` does, a run in which anything was left out has failed.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import settings

HERE = Path(__file__).parent
ALL = "BOUTRE_TEST_ALL"
TIERS = ("broker", "registry", "postgresql")
"""Marks of tests that need more than Python."""
LONG = ("broker", "chaos", "test_mutants.py")
"""Folders and files of minutes: begun first, so that of two processes neither works alone at the end."""


# How long an example takes says nothing on a machine that does other work too, and the first use of a schema compiles it.
settings.register_profile("suite", deadline=None)
if settings.get_current_profile_name() == "default":
    settings.load_profile("suite")


def tier(report: pytest.CollectReport | pytest.TestReport) -> str:
    """
    What a test belongs to: its mark, where it needs more than Python, else its folder.
    """
    keywords = getattr(report, "keywords", {})  # a file that was not imported has none
    marked = next((name for name in TIERS if name in keywords), None)
    return marked or Path(report.nodeid.partition("::")[0]).parent.name or HERE.name


def reason(report: pytest.CollectReport | pytest.TestReport) -> str:
    """
    Why it was left out, as the skip said.
    """
    said = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return said.removeprefix("Skipped: ")


class LeftOut:
    """
    Counts, by tier and reason, what was left out of one run.
    """

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """
        Note a test that was skipped; one that is expected to fail was run.
        """
        if report.skipped and not hasattr(report, "wasxfail"):
            self.counts[tier(report), reason(report)] += 1

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """
        Note a file that was skipped as a whole, whatever number of tests it holds.
        """
        if report.skipped:
            self.counts[tier(report), reason(report)] += 1

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """
        Let a run fail that was to leave nothing out, and did.
        """
        if self.counts and os.environ.get(ALL) and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """
        Name what was left out.
        """
        terminalreporter.section("left out")
        for (name, why), count in sorted(self.counts.items()):
            terminalreporter.write_line(f"{name}: {count} {'test' if count == 1 else 'tests'}: {why}")
        if not self.counts:
            terminalreporter.write_line("nothing")
        elif os.environ.get(ALL):
            terminalreporter.write_line(f"{ALL} is set, so that a run with anything left out has failed.", red=True)


@pytest.hookimpl(tryfirst=True)  # xdist reads the groups in the same hook; pytest-randomly has shuffled before
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """
    Where tests run in two processes, keep each file in one of them: what it starts for all of its tests is started once.
    """
    if not config.pluginmanager.hasplugin("xdist"):
        return
    items.sort(key=lambda item: not {item.path.parent.name, item.path.name} & set(LONG))
    for item in items:
        item.add_marker(pytest.mark.xdist_group(item.path.name))


def pytest_collection_finish(session: pytest.Session) -> None:
    """
    Refuse to run where groups are asked for and not kept: each process would start everything again for a part of each file.
    """
    if getattr(session.config.option, "loadgroup", False) and any("@" not in item.nodeid for item in session.items):
        raise pytest.UsageError("this pytest and this pytest-xdist do not group tests; take the versions of pyproject.toml")


def pytest_configure(config: pytest.Config) -> None:
    """
    Keep the account of this run.
    """
    config.pluginmanager.register(LeftOut(), "boutre-left-out")
