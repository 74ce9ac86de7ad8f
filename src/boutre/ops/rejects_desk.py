"""
What the commands of rejects have in common: whose rejects they are, how they are chosen, where they are read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypeVar

import click

from boutre.errors import DeclarationError, Fault
from boutre.ops.assembly import keys_of
from boutre.ops.connector_command import Desk
from boutre.ops.rejected_command import kept_of
from boutre.ops.rejects_check import Gate, gate_of
from boutre.ops.rejects_recovery import Recovery
from boutre.ops.rejects_standing import Choice, Standing, entry_of, standings
from boutre.ops.rejects_store import SentAgain, open_sent
from boutre.ops.rejects_topic import RejectTopics, reading_rejects
from boutre.ops.settings import Settings
from boutre.schemas.keys.folder import MEMBERS
from boutre.schemas.signature import Keyring, key_id
from boutre.topics.members import BUS

F = TypeVar("F", bound=Callable[..., object])

FOLDER: Final = "rejects"

MEMBER: Final = click.option("--member", help="Whose rejects.  [default: the one member whose private key is here]")
OF_BUS: Final = click.option("--bus", "of_bus", is_flag=True, help="The bus's own dead letters, for operations.")
LANGUAGE: Final = click.option("--language", type=click.Choice(["en", "fr"]), help="Language of the words.  [default: settings]")
OUTPUT: Final = click.option(
    "--output", type=click.Choice(["table", "json"]), default="table", show_default=True, help="Form of the answer."
)


def choosing(command: F) -> F:
    """
    Give a command the options by which rejects are chosen; ``choice_of`` makes them one value.
    """
    for option in reversed(
        (
            click.option("--code", "codes", multiple=True, help="Only with this reason; several times for several."),
            click.option("--field", "fields", multiple=True, help="Only where this field, or one below it, was the reason."),
            click.option("--feed", "feeds", multiple=True, help="Only of this feed."),
            click.option("--since", type=click.DateTime(), help="Only what was rejected since then (UTC)."),
        )
    ):
        command = option(command)
    return command


def choice_of(
    ids: tuple[str, ...] = (),
    codes: tuple[str, ...] = (),
    fields: tuple[str, ...] = (),
    feeds: tuple[str, ...] = (),
    since: datetime | None = None,
) -> Choice:
    """
    Make one value of the options.
    """
    at = None if since is None else since.replace(tzinfo=UTC)
    return Choice(frozenset(ids), frozenset(codes), frozenset(fields), frozenset(feeds), at)


@dataclass(frozen=True, slots=True)
class RejectDesk:
    """
    The rejects of one *member*, or of the bus itself, on one machine.
    """

    desk: Desk
    member: str

    @classmethod
    def of(cls, settings: Settings, member: str | None, *, of_bus: bool = False) -> RejectDesk:
        """Find out whose they are; DeclarationError where nobody said so, and it cannot be told."""
        desk = Desk.of(settings)
        if of_bus:
            if member is not None:
                raise click.UsageError("--member and --bus: say one of them")
            return cls(desk, BUS)
        if member is not None:
            if member not in desk.members:
                known = ", ".join(sorted(desk.members))
                raise DeclarationError([Fault("--member", "", f"{member!r} is no member; there are {known}")])
            return cls(desk, member)
        here = sorted(path.stem for path in (settings.keys / "members").glob("*.pem") if path.stem in desk.members)
        if len(here) != 1:
            found = ", ".join(here) or "none"
            raise DeclarationError([Fault("--member", "", f"say whose rejects; private keys of members that are here: {found}")])
        return cls(desk, here[0])

    @property
    def settings(self) -> Settings:
        """The settings."""
        return self.desk.settings

    @property
    def topic(self) -> str:
        """The topic of these rejects."""
        return f"rejects.{self.member}"

    @property
    def folder(self) -> Path:
        """Where it is kept what was sent again."""
        return self.settings.state / FOLDER

    def gate(self) -> Gate:
        """Give accept for this member."""
        return gate_of(self.desk.declarations, self.desk.codec, self.desk.validator, self.member)

    @contextmanager
    def reading(self) -> Iterator[RejectTopics]:
        """Give a reader. Raises Unavailable where Kafka does not answer."""
        with reading_rejects(self.settings, self.desk.codec) as topics:
            yield topics

    def recovery(self, gate: Gate, topics: RejectTopics) -> Recovery:
        """Give what finds again what was rejected."""
        return Recovery(self.desk, gate, kept_of(self.settings), topics, self._ring())

    def _ring(self) -> Keyring:
        """Give the keys of this member that this machine knows: its own, and those that are listed here and not revoked."""
        keys = keys_of(self.settings)
        there = (self.settings.keys / MEMBERS).is_file()
        listed = keys.keyring() if there else Keyring({})
        own = {name: row for name, row in listed.keys.items() if row[0] == self.member}
        if (self.settings.keys / "members" / f"{self.member}.pem").is_file():
            public = keys.private(self.member).public_key()
            own[key_id(public)] = (self.member, public)
        return Keyring(own, listed.revoked)

    def standings(self, topics: RejectTopics, store: SentAgain, choice: Choice) -> list[Standing]:
        """Read where the chosen rejects stand, the oldest first. Raises Unavailable where they are not ours to read."""
        codec = self.desk.codec
        # What names another member on this topic is no reject of ours, whoever put it there.
        entries = (entry for stood in topics.rejects(self.topic) if (entry := entry_of(stood, codec)).member == self.member)
        found = list(standings(entries, store.sent_at(), store.times))
        # Whoever names one that was superseded means its record, and so the newest reject of that.
        named = {one.entry.record for one in found if choice(one.entry)} if choice.ids else frozenset()
        return [one for one in found if choice(one.entry) or one.entry.record in named]

    def store(self, *, alone: bool = False) -> AbstractContextManager[SentAgain]:
        """Give what was sent again from this machine."""
        return open_sent(self.folder, alone=alone)
