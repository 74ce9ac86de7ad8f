"""
``processors/pipeline.toml`` as it is declared: the steps of a bus, their windows and clocks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from boutre.processors.declared_windows import WindowsFile
from boutre.processors.safety_of_life import SafetyOfLife
from boutre.topics.strict import Declared


class AcceptFile(Declared):
    """
    One accept: whose topics it reads.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    members: tuple[str, ...] = Field(min_length=1)
    windows: WindowsFile


class ReleaseFile(Declared):
    """
    The release.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    windows: WindowsFile


class CorrelateFile(Declared):
    """
    What links: *cell_deg* is the side of a cell in degrees, in which what a recipient was given is known together.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    cell_deg: float = Field(ge=1, le=60)
    windows: WindowsFile


class ContactsFile(Declared):
    """
    Members *of* whose contacts without AIS are looked at, each for itself, and the *member* whose records are what is found.
    """

    of: tuple[str, ...] = Field(min_length=1)
    member: str


class DetectFile(Declared):
    """
    What follows movements: *of* whose positions, and the *member* whose records detections are, with the terms on which they go.

    *contacts* are those that only their own member is told something of.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    of: tuple[str, ...] = Field(min_length=1)
    member: str
    contacts: ContactsFile | None = None
    purposes: tuple[str, ...] = Field(min_length=1)
    legal_basis: str = Field(min_length=1)
    retention_days: int = Field(ge=1, le=3650)
    windows: WindowsFile


class MeetFile(Declared):
    """
    What looks for meetings.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    windows: WindowsFile


class HearFile(Declared):
    """
    What hears what recipients say of their links and alerts.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9-]*$")


class RepeatsFile(Declared):
    """
    One rule by which another report of an event is known.
    """

    name: str
    kinds: tuple[Literal["sighting", "interception"], ...] = Field(min_length=1)
    types: tuple[str, ...] = Field(min_length=1)
    cell_deg: float = Field(gt=0, le=10)


class AnswersFile(Declared):
    """
    The clocks of the way back: hours within which an owner replies to a request, and a recipient to a recall.
    """

    reply_hours: int = Field(ge=1)
    recall_hours: int = Field(ge=1)


class PipelineFile(Declared):
    """
    ``processors/pipeline.toml``.
    """

    accept: tuple[AcceptFile, ...] = Field(min_length=1)
    release: ReleaseFile
    deadlines: Mapping[str, int]
    answers: AnswersFile
    safety_of_life: SafetyOfLife | None = None
    correlate: CorrelateFile | None = None
    hear: HearFile | None = None
    detect: DetectFile | None = None
    meet: MeetFile | None = None
    repeats: tuple[RepeatsFile, ...] = ()
