"""
Whose views a command reads, and which kinds of them there are.
"""

from __future__ import annotations

from collections.abc import Sequence

from boutre.connectors.delivery import KINDS
from boutre.errors import DeclarationError, Fault
from boutre.language import say
from boutre.ops.settings import Settings
from boutre.topics import bus


def kinds_of(settings: Settings, recipient: str, asked: Sequence[str]) -> tuple[str, ...]:
    """
    Give the kinds to read for *recipient*: those that were *asked* for, else all that it can be given.

    Who has the declarations of the bus at hand is told at once of a recipient or kind that it does not know; who has not, such as a
    recipient with nothing but the program, is told by the broker. Raises DeclarationError.
    """
    if settings.bus is None:
        return tuple(asked) or KINDS
    declared = bus.load(settings.folder()).recipients
    if recipient not in declared:
        known = ", ".join(declared)
        message = say("watch.unknown-recipient", settings.language, recipient=recipient, known=known)
        raise DeclarationError([Fault("topics/recipients.toml", recipient, message)])
    there = [kind for kind in KINDS if kind in declared[recipient].kinds]
    if strange := [kind for kind in asked if kind not in there]:
        message = f"{recipient} is given no {', '.join(strange)}; it is given {', '.join(there)}"
        raise DeclarationError([Fault("topics/recipients.toml", recipient, message)])
    return tuple(asked) or tuple(there)
