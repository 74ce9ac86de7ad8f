"""
A case of an alarm: what Prometheus would see around its boundary, and when it must be given.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Case:
    """
    Series of *series*, one sample every *every_s*, from which *alarm* must hold from sample *begins* until before sample *ends*.

    None for *begins*: it must never, from sample *after* on. *labels* are those by which this one is known among others.
    """

    alarm: str
    why: str
    series: Mapping[str, str]
    begins: int | None = None
    ends: int | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    every_s: int = 15
    lasts: int = 60
    after: int = 0


def seen(*runs: tuple[object, int]) -> str:
    """Samples: each value, and how many times it is seen."""
    return " ".join(str(value) for value, times in runs for _ in range(times))


def counted(*runs: tuple[int, int]) -> str:
    """Samples of a counter: by how much it grows at each, and how many times."""
    total, found = 0, []
    for step, times in runs:
        for _ in range(times):
            total += step
            found.append(str(total))
    return " ".join(found)


def passes(  # noqa: PLR0917 - read as a row of a table
    alarm: str, series: str, quiet: object, loud: object, least: int, labels: Mapping[str, str], **more: str
) -> tuple[Case, Case, Case]:
    """A value on either side of a threshold: beyond it long enough, beyond it too shortly, and just not beyond it."""
    others = {name.replace("__", "="): value for name, value in more.items()}
    return (
        Case(alarm, f"{loud} lasts", {series: seen((quiet, 4), (loud, least + 4), (quiet, 40))} | others, 4, least + 8, labels),
        Case(alarm, f"{loud} passes", {series: seen((quiet, 4), (loud, least), (quiet, 60))} | others, labels=labels),
        Case(alarm, f"{quiet} for ever", {series: seen((quiet, 80))} | others, labels=labels),
    )
