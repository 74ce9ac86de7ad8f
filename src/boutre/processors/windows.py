"""
For how long a processor remembers, and how much: the rule by itself, without clock, disk or Kafka.

Keys come in classes: the word before the first colon (``id:7f3a`` is of the class ``id``). Each class has its window in
``processors/pipeline.toml``. Time is the newest acceptance that the partition has seen, never a clock: what was written at *t* is
remembered while ``t + window`` is later than that, and after that it is as if it were not there, whether it was swept up
meanwhile or not. Were it the time of the record in hand, a record of a topic that lags would see what was there before the sweep,
and miss it after.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

DAY_MS: Final = 86_400_000

FORGOTTEN_WHY: Final = ("window", "most")
"""Why a key is forgotten: its window has passed, or there are more keys of its class than are remembered."""

Entry: TypeAlias = tuple[int, Any]
"""When it was written, in milliseconds since 1970 UTC, and what was written."""


@dataclass(frozen=True, slots=True)
class Window:
    """
    How one class of keys is remembered: for *days* since its last change, and at most *most* keys of it in one partition.
    """

    days: int
    most: int

    @property
    def ms(self) -> int:
        """The days in milliseconds."""
        return self.days * DAY_MS


@dataclass(frozen=True, slots=True)
class Windows:
    """
    The windows of one processor by class; a class that is not among them is remembered for no time at all.
    """

    classes: Mapping[str, Window] = field(default_factory=dict)
    _ms: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_ms", {name: window.ms for name, window in self.classes.items()})

    def allows(self, key: str) -> bool:
        """Say whether a key of this class may be remembered."""
        return class_of(key) in self._ms

    def remembers(self, key: str, written: int, now: int) -> bool:
        """Say whether what was written at *written* under *key* is still remembered at *now*, both in milliseconds."""
        return written + self._ms.get(class_of(key), 0) > now

    def horizon(self, name: str, now: int) -> int:
        """Give the time at and before which everything of a class was written that is forgotten at *now*."""
        return now - self._ms.get(name, 0)


class Remembered(Mapping[str, Any], ABC):
    """
    What a step sees: entries by key, as far as they are remembered at the time of the record in hand.

    A step asks for keys that it can name. *now* only grows: it is the newest acceptance of all records so far.
    """

    def __init__(self, windows: Windows, now: int = 0) -> None:
        self.windows = windows
        self.now = now

    def see(self, accepted: int) -> None:
        """Take note of when the record in hand was accepted, in milliseconds since 1970 UTC."""
        self.now = max(self.now, accepted)

    @abstractmethod
    def entry(self, key: str) -> Entry | None:
        """Give what was written last under *key*, remembered or not; a value of None stands for a key that was forgotten."""

    def get(self, key: str, default: Any = None) -> Any:
        """Give what is remembered under *key*, else *default*."""
        found = self.entry(key)
        # A class without a window is remembered for no time, which this says too.
        if found is None or found[1] is None or not self.windows.remembers(key, found[0], self.now):
            return default
        return found[1]

    def __getitem__(self, key: str) -> Any:
        value = self.get(key)
        if value is None:
            raise KeyError(key)
        return value

    def __contains__(self, key: object) -> bool:
        return self.get(str(key)) is not None

    def __len__(self) -> int:
        return sum(1 for _ in self)


class InMemory(Remembered):
    """
    What is remembered where nothing has to last: every entry in one dictionary, and none swept up.

    The most keys of a class are not held here: that is a bound for disks.
    """

    def __init__(self, windows: Windows) -> None:
        super().__init__(windows)
        self.entries: dict[str, Entry] = {}

    def entry(self, key: str) -> Entry | None:
        """Give what was written last."""
        return self.entries.get(key)

    def add(self, changes: Mapping[str, Any]) -> None:
        """Remember *changes*, written now; None forgets a key."""
        for key, value in changes.items():
            self.entries[key] = (self.now, value)

    def __iter__(self) -> Iterator[str]:
        return (key for key in self.entries if self.get(key) is not None)


def class_of(key: str) -> str:
    """
    Give the class of a key: the word before its first colon, which is no word where there is no colon.
    """
    head, colon, _ = key.partition(":")
    return head if colon else ""
