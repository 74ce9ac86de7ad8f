"""
A bus as it is declared: members, recipients, zones and topics, read and checked whole.

    bus = load(Path("."))
    bus.topic("national.comoros.sighting").partitions
    bus.member_of("national.comoros.sighting").state
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final, cast, get_args

from boutre.errors import Fault
from boutre.topics.members import BUS, OPERATIONS, Kind, Member, MembersFile, Recipient, RecipientsFile
from boutre.topics.regions import FILE as _REGIONS
from boutre.topics.regions import Regions, read_regions
from boutre.topics.strict import file_name, raise_all, read
from boutre.topics.topic import OF_THE_MEMBER, Pattern, Topic, TopicsFile
from boutre.topics.zones import Zones, read_zones

KINDS: Final[frozenset[str]] = frozenset(get_args(Kind))

_MEMBERS: Final = "members.toml"
_RECIPIENTS: Final = "recipients.toml"
_LEGAL: Final = re.compile(r"^[a-zA-Z0-9._-]{1,249}$")


@dataclass(frozen=True, slots=True, eq=False)
class Declarations:
    """
    What a bus consists of. Members, recipients and topics by id and name, in the order in which they are declared.
    """

    root: Path
    members: Mapping[str, Member]
    recipients: Mapping[str, Recipient]
    topics: Mapping[str, Topic]
    zones: Zones
    regions: Regions

    def topic(self, name: str) -> Topic:
        """
        One topic by its name.

        Raises:
            KeyError: no such topic is declared.
        """
        return self.topics[name]

    def member_of(self, topic: str) -> Member | None:
        """
        The member whose topic this is: of a national topic or of its rejects; None for every other topic.
        """
        found = self.topics.get(topic)
        return self.members[found.member] if found is not None and found.member is not None else None

    def of(self, pattern: str) -> tuple[Topic, ...]:
        """
        All topics of one pattern, such as `national.{member}.{kind}`.
        """
        return tuple(topic for topic in self.topics.values() if topic.pattern == pattern)


def load(root: Path) -> Declarations:
    """
    Read the folder `topics/` of the bus at *root*.

    Raises:
        DeclarationError: everything that is wrong in any of the files.
    """
    faults: list[Fault] = []
    folder = root / "topics"
    members_file = read(folder / _MEMBERS, MembersFile, faults, root=root)
    recipients_file = read(folder / _RECIPIENTS, RecipientsFile, faults, root=root)
    zones = read_zones(folder / "zones", faults, root=root)
    regions = read_regions(folder, faults, root=root)
    files = {
        file_name(path, root): read(path, TopicsFile, faults, root=root)
        for path in sorted(folder.glob("*.toml"))
        if path.name not in {_MEMBERS, _RECIPIENTS, _REGIONS}
    }
    if not files:
        faults.append(Fault("topics", "", "declares no topics; they stand in files such as topics/national.toml"))
    members = _members(members_file.member if members_file else (), faults)
    # What could not be read is said once: the names that it would have brought are no faults of those who use them.
    known = members if members_file is not None else None
    recipients = _recipients(recipients_file.recipient if recipients_file else (), known, faults)
    if members_file is not None and recipients_file is not None:
        declared = [(file, pattern) for file, read_ in files.items() if read_ for pattern in read_.topic]
        topics = _topics(declared, tuple(members.values()), tuple(recipients.values()), faults)
    else:
        topics = {}
    raise_all(faults)
    frozen = (MappingProxyType(members), MappingProxyType(recipients), MappingProxyType(topics))
    return Declarations(root, *frozen, zones, regions)


@dataclass(frozen=True, slots=True)
class Names:
    """
    What other rooms may name of a bus; None where its file cannot be read, so that nothing follows from that a second time.
    """

    members: frozenset[str] | None
    recipients: frozenset[str] | None
    zones: frozenset[str] | None


def names(root: Path) -> Names:
    """
    Give the names that the bus at *root* declares, whatever else is wrong in its `topics/`.
    """
    folder = root / "topics"
    members = read(folder / _MEMBERS, MembersFile, [], root=root)
    recipients = read(folder / _RECIPIENTS, RecipientsFile, [], root=root)
    faults: list[Fault] = []
    zones = read_zones(folder / "zones", faults, root=root)
    return Names(
        None if members is None else frozenset(member.id for member in members.member),
        None if recipients is None else frozenset(recipient.id for recipient in recipients.recipient),
        None if faults else frozenset(zones),
    )


def _members(declared: Sequence[Member], faults: list[Fault]) -> dict[str, Member]:
    found: dict[str, Member] = {}
    for member in declared:
        key = f"member[{member.id}].id"
        if member.id in found:
            faults.append(Fault(f"topics/{_MEMBERS}", key, "is there twice"))
        if member.id in {BUS, OPERATIONS}:
            faults.append(Fault(f"topics/{_MEMBERS}", key, "is the name of a party that is always there"))
        found[member.id] = member
    return found


def _recipients(declared: Sequence[Recipient], members: Mapping[str, Member] | None, faults: list[Fault]) -> dict[str, Recipient]:
    found: dict[str, Recipient] = {}
    for recipient in declared:
        file, key = f"topics/{_RECIPIENTS}", f"recipient[{recipient.id}]"
        if recipient.id in found:
            faults.append(Fault(file, f"{key}.id", "is there twice"))
        if recipient.id in {BUS, OPERATIONS}:
            faults.append(Fault(file, f"{key}.id", "is the name of a party that is always there"))
        if members is not None and recipient.member is not None and recipient.member not in members:
            faults.append(Fault(file, f"{key}.member", f"{recipient.member} is no member"))
        if members is not None and recipient.id in members and recipient.member != recipient.id:
            # One name is one party in the access rules: it may not mean two.
            faults.append(Fault(file, f"{key}.id", "is a member's id, so that member must be the same"))
        found[recipient.id] = recipient
    return found


def _topics(
    declared: Sequence[tuple[str, Pattern]],
    members: tuple[Member, ...],
    recipients: tuple[Recipient, ...],
    faults: list[Fault],
) -> dict[str, Topic]:
    parties = {BUS, OPERATIONS, *(one.id for one in members), *(one.id for one in recipients)}
    found: dict[str, Topic] = {}
    for file, pattern in declared:
        key = f"topic[{pattern.name}]"
        told: list[str] = []
        for binding in pattern.bindings(members, recipients):
            topic = _topic(pattern, binding, members)
            told.extend(_wrong(topic, parties, found))
            found.setdefault(topic.name, topic)
        faults.extend(Fault(file, key, message) for message in dict.fromkeys(told))
    faults.extend(_apart(declared, found))
    return found


def _topic(pattern: Pattern, binding: dict[str, str], members: tuple[Member, ...]) -> Topic:
    schema = pattern.schema_.format(**binding) if pattern.schema_ is not None else None
    return Topic(
        name=pattern.name.format(**binding),
        pattern=pattern.name,
        kind=cast("Kind | None", schema),
        member=binding.get("member"),
        recipient=binding.get("recipient"),
        owner=pattern.owner.format(**binding),
        description=pattern.description,
        key=pattern.key,
        partitions=_partitions(pattern, binding, members),
        config=MappingProxyType(pattern.config),
        writers=tuple(party.format(**binding) for party in pattern.writers),
        readers=tuple(party.format(**binding) for party in pattern.readers),
        together=pattern.together,
        growing=pattern.growing,
    )


def _partitions(pattern: Pattern, binding: dict[str, str], members: tuple[Member, ...]) -> int:
    if pattern.partitions == OF_THE_MEMBER:
        return next(member.partitions for member in members if member.id == binding["member"])
    return pattern.partitions


def _wrong(topic: Topic, parties: set[str], found: Mapping[str, Topic]) -> list[str]:
    told = []
    if topic.name in found:
        told.append(f"there are two topics of the name {topic.name}; the other is {found[topic.name].pattern}")
    if not _LEGAL.match(topic.name):
        told.append(f"{topic.name} is no name that Kafka takes (letters, digits, dots, hyphens, underscores)")
    if "_" in topic.name:
        # Kafka's metrics write dots as underscores, so that two such names could not be told apart there.
        told.append(f"{topic.name} has an underscore; use a hyphen")
    if topic.kind is not None and topic.kind not in KINDS:
        told.append(f"schema: {topic.kind} is no kind of record; there are {', '.join(sorted(KINDS))}")
    for role, named in (("owner", (topic.owner,)), ("writers", topic.writers), ("readers", topic.readers)):
        told.extend(f"{role}: {party} is no member, no recipient, bus or operations" for party in named if party not in parties)
    return told


def _apart(declared: Sequence[tuple[str, Pattern]], found: Mapping[str, Topic]) -> list[Fault]:
    # Topics that a worker reads together must have the same partitions, or it would look for a key in the wrong one.
    files = {pattern.name: file for file, pattern in declared}
    groups: dict[str, list[Topic]] = {}
    for topic in found.values():
        if topic.together is not None:
            groups.setdefault(topic.together, []).append(topic)
    return [
        Fault(
            files[topic.pattern],
            f"topic[{topic.pattern}].partitions",
            f"{topic.partitions}, but {group[0].pattern} has {group[0].partitions}, and both are together in {name}",
        )
        for name, group in groups.items()
        for topic in group
        if topic.partitions != group[0].partitions
    ]
