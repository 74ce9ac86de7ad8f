"""
The windows of what is remembered as ``processors/pipeline.toml`` declares them, and whether they are long enough.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from pydantic import Field

from boutre.errors import Fault
from boutre.processors.accept import REMEMBERS as BY_ACCEPT
from boutre.processors.agreement import Agreement
from boutre.processors.correlate import REMEMBERS as BY_CORRELATE
from boutre.processors.detect import REMEMBERS as BY_DETECT
from boutre.processors.hear import REMEMBERS as BY_HEAR
from boutre.processors.meet import REMEMBERS as BY_MEET
from boutre.processors.memory import REMEMBERS as BY_RELEASE
from boutre.processors.windows import Window, Windows
from boutre.topics.members import BUS
from boutre.topics.strict import Declared
from boutre.topics.topic import Topic

AIS = "ais"


BY = {
    "accept": BY_ACCEPT,
    "release": BY_RELEASE,
    "correlate": BY_CORRELATE,
    "hear": BY_HEAR,
    "detect": BY_DETECT,
    "meet": BY_MEET,
}
"""The classes of keys that each kind of step remembers."""


class WindowFile(Declared):
    """
    One class of keys: remembered for *days* since acceptance, and at most *most* keys of it in each partition.
    """

    days: int = Field(ge=1, le=36_500)
    most: int = Field(ge=1_000, le=100_000_000)


WindowsFile = Mapping[str, WindowFile]


def windows_of(declared: WindowsFile) -> Windows:
    """
    Make windows of their declaration.
    """
    return Windows({name: Window(window.days, window.most) for name, window in declared.items()})


def window_faults(file: str, kind: str, name: str, windows: Windows, agreements: Iterable[Agreement]) -> Iterator[Fault]:
    """
    Compare the windows of processor *name* with what its step, an ``accept`` or ``release``, remembers.

    Who had a record is remembered for no less than any agreement lets a recipient keep it: else a recall would not find them all.
    """
    used, declared = BY[kind], windows.classes
    for each in sorted(used - declared.keys()):
        yield Fault(file, f"{name}.windows", f"lacks {each!r}, which {kind} remembers")
    for each in sorted(declared.keys() - used):
        yield Fault(file, f"{name}.windows.{each}", f"{kind} remembers nothing of this class; it has {', '.join(sorted(used))}")
    if kind != "release":
        return
    longest: dict[str, Agreement] = {}
    for agreement in agreements:
        for each in _classes(agreement):
            if each not in longest or longest[each].retention_days < agreement.retention_days:
                longest[each] = agreement
    for each, agreement in sorted(longest.items()):
        if each in declared and declared[each].days < agreement.retention_days:
            yield Fault(
                file,
                f"{name}.windows.{each}.days",
                f"{declared[each].days} days are less than the {agreement.retention_days} for which {agreement.id} lets "
                f"{agreement.recipient} keep a record: a recall would not find it",
            )


def time_faults(file: str, name: str, reads: Iterable[Topic], changelog: Topic | None) -> Iterator[Fault]:
    """
    Hold that the times by which is forgotten are the bus's: a sender that could choose them could have everything forgotten.
    """
    for topic in reads:
        if topic.config["message.timestamp.type"] != "LogAppendTime" and set(topic.writers) != {BUS}:
            yield Fault(file, name, f"{topic.name} has the times of its senders; it needs timestamp = 'append'")
    if changelog is not None and changelog.config["message.timestamp.type"] != "CreateTime":
        yield Fault(file, name, f"{changelog.name} does not keep the times that are written to it; it needs timestamp = 'create'")


def _classes(agreement: Agreement) -> Iterator[str]:
    """Give the classes in which is remembered who had the records of an agreement, and what was taken back of them."""
    when = agreement.when
    yield "gone"
    if when.types is None or set(when.types) != {AIS}:
        yield "had"
    if AIS not in when.not_types and (when.types is None or AIS in when.types):
        yield "track"
