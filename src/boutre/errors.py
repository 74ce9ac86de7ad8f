"""
Every error of the bus, grouped by what the caller does next.

Inside a step nothing is raised: a step answers with a decision. These are for the edges.
"""

from __future__ import annotations

from dataclasses import dataclass


class BusError(Exception):
    """
    The root of all errors that the bus raises on purpose.
    """


# --- Stop, tell the person everything at once (exit status 2) --------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Fault:
    """
    One thing that is wrong in a declaration: where it stands, and what to do.
    """

    file: str
    key: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}: {self.key}: {self.message}" if self.key else f"{self.file}: {self.message}"


class DeclarationError(BusError):
    """
    What was declared cannot be used; *faults* lists all of it, never only the first.
    """

    def __init__(self, faults: tuple[Fault, ...] | list[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


# --- Try again later ---------------------------------------------------------------------------------------------------


class Retry(BusError):  # noqa: N818 - named for what the caller does next
    """
    A source or sink asks to be called again after *after* seconds.
    """

    def __init__(self, message: str, *, after: float = 1.0) -> None:
        self.after = after
        super().__init__(message)


class Unavailable(BusError):  # noqa: N818 - the same
    """
    Something outside does not answer; the message says what, and what to look at.
    """


# --- Put aside for its owner, go on with the rest ------------------------------------------------------------------------


class Refuse(BusError):  # noqa: N818 - the same
    """
    This input cannot be used: *code* is one of the vocabulary reject-reason, *field* where it was found.

    The message never holds a value of the record, since it is shown and logged.
    """

    def __init__(self, code: str, message: str = "", *, field: str | None = None) -> None:
        self.code = code
        self.field = field
        super().__init__(message or code)
