"""
Who publishes and who receives, as `topics/members.toml` and `topics/recipients.toml` declare them.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from boutre.topics.strict import Declared

# Kinds of record that members publish and recipients get; receipt and reject are made by the bus, answers go back.
Published = Literal["sighting", "interception", "alert", "retraction"]
Received = Literal["sighting", "interception", "alert", "retraction", "link"]
Kind = Literal["sighting", "interception", "alert", "retraction", "link", "receipt", "reject", "answer"]

# Parties that are neither member nor recipient: the engine itself, and those who run it.
BUS: Final = "bus"
OPERATIONS: Final = "operations"

RATE: Final = 262_144
"""Bytes a second that a member's connectors may send to each broker where it declares nothing: some hundred reports."""

# An id is part of topic names: without dots, so that a topic's name says whose it is in one way only.
Id = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=63)]
State = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
Kinds = Annotated[tuple[Published, ...], Field(min_length=1)]
ReceivedKinds = Annotated[tuple[Received, ...], Field(min_length=1)]


class Names(Declared):
    """
    A name in the two languages of the bus.
    """

    en: str = Field(min_length=1)
    fr: str = Field(min_length=1)


class Area(Declared):
    """
    A box in degrees WGS 84, its edges included; it does not cross the antimeridian.
    """

    west: float = Field(ge=-180, le=180)
    south: float = Field(ge=-90, le=90)
    east: float = Field(ge=-180, le=180)
    north: float = Field(ge=-90, le=90)

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if self.west >= self.east or self.south >= self.north:
            msg = "is empty: west must be less than east, and south less than north"
            raise ValueError(msg)
        return self

    def holds(self, latitude: float, longitude: float) -> bool:
        """
        Whether a position (degrees WGS 84) lies inside or on the edge; not-a-number lies nowhere.
        """
        return self.south <= latitude <= self.north and self.west <= longitude <= self.east


class Member(Declared):
    """
    Who publishes: a State, or an observatory of the demonstration.
    """

    id: Id
    names: Names
    languages: Annotated[tuple[Language, ...], Field(min_length=1)]
    kinds: Kinds
    partitions: int = Field(ge=1, le=256)
    state: State | None = None
    demonstration: bool = False
    area: Area | None = None
    rate: int = Field(default=RATE, ge=1_024)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.state is None and not self.demonstration:
            msg = "has no state; only a member of the demonstration may do without"
            raise ValueError(msg)
        if len(set(self.kinds)) != len(self.kinds):
            msg = "names a kind twice"
            raise ValueError(msg)
        return self


class Recipient(Declared):
    """
    Who receives: a regional centre, a member State, or a partner who protects victims.
    """

    id: Id
    names: Names
    body: Literal["centre", "member", "protection"]
    language: Literal["en", "fr"]
    kinds: ReceivedKinds
    member: Id | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.body == "member") != (self.member is not None):
            msg = 'body = "member" and the key member go together'
            raise ValueError(msg)
        if len(set(self.kinds)) != len(self.kinds):
            msg = "names a kind twice"
            raise ValueError(msg)
        return self


class MembersFile(Declared):
    """
    The file `topics/members.toml`.
    """

    member: Annotated[tuple[Member, ...], Field(min_length=1)]


class RecipientsFile(Declared):
    """
    The file `topics/recipients.toml`.
    """

    recipient: Annotated[tuple[Recipient, ...], Field(min_length=1)]
