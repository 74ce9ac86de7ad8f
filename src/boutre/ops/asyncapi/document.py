"""
The AsyncAPI 3 document of one party: the topics that it may read or write, and what stands in them.

A document is for one party and is given to that party: it names no topic of another, and no field that this one is not given.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal

from boutre import __version__
from boutre.language import keys, say
from boutre.ops.access import member as member_principal
from boutre.ops.access import recipient as recipient_principal
from boutre.ops.assembly import Assembly
from boutre.ops.asyncapi.messages import BINDING, Document, other, record, view
from boutre.ops.asyncapi.readable import Readable, readable
from boutre.processors.patterns import ANSWERS, NATIONAL, VIEWS
from boutre.topics.members import Names
from boutre.topics.topic import Topic

SPECIFICATION: Final = "3.0.0"
SERVER: Final = "kafka"
SIGN_IN: Final = {"password": "scramSha512", "certificate": "X509"}
"""The ways to sign in that `boutre access` makes rules for, by AsyncAPI's names."""

Role = Literal["reads", "writes"]


@dataclass(frozen=True, slots=True)
class Party:
    """
    For whom a document is: its id, its names, the role it has, the language of its words, and the name that it signs in by.
    """

    id: str
    names: Names
    role: Role
    language: str
    principal: str
    groups: str


def for_recipient(assembly: Assembly, name: str, on: date, server: str | None = None) -> Document:
    """
    Give what the recipient *name* may read from the day *on* (UTC), and its way back, in its language.

    *server* is the ``host:port`` of Kafka. KeyError where there is no such recipient.
    """
    one = assembly.declarations.recipients[name]
    party = Party(name, one.names, "reads", one.language, recipient_principal(name), f"{name}.")
    views = readable(assembly.pipeline, assembly.codec.lock, name, on)
    topics = [
        topic
        for topic in assembly.declarations.topics.values()
        if topic.recipient == name and (topic.pattern != VIEWS or topic.kind in views)
    ]
    return _document(assembly, party, topics, views, server)


def for_member(assembly: Assembly, name: str, server: str | None = None) -> Document:
    """
    Give what the member *name* may write, and what the bus tells it, in the first of its languages that the bus speaks.

    KeyError where there is no such member.
    """
    one = assembly.declarations.members[name]
    language = next((each for each in one.languages if each in {"en", "fr"}), "en")
    party = Party(name, one.names, "writes", language, member_principal(name), f"{member_principal(name)}.")
    topics = [topic for topic in assembly.declarations.topics.values() if topic.member == name]
    return _document(assembly, party, topics, {}, server)


def _document(assembly: Assembly, party: Party, topics: list[Topic], views: Mapping[str, Readable], server: str | None) -> Document:
    language, named = party.language, getattr(party.names, party.language)
    messages = {topic.name: _message(assembly, party, topic, views) for topic in topics}
    by_name = {message["name"]: message for message in messages.values()}
    channels = {_word(topic.name): _channel(party, topic, messages[topic.name]["name"]) for topic in topics}
    return {
        "asyncapi": SPECIFICATION,
        "id": f"urn:boutre:{'recipient' if party.role == 'reads' else 'member'}:{party.id}",
        "info": {
            "title": say(f"asyncapi.title.{party.role}", language, name=named),
            "version": __version__,
            "description": say(f"asyncapi.about.{party.role}", language, name=named, principal=party.principal),
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/avro",
        "servers": {SERVER: _server(party, server)},
        "channels": channels,
        "operations": {name: operation for topic in topics for name, operation in _operations(party, topic)},
        "components": {
            "messages": by_name,
            "securitySchemes": {
                "password": {
                    "type": "scramSha512",
                    "description": say("asyncapi.sign-in.password", language, name=party.principal),
                },
                "certificate": {"type": "X509", "description": say("asyncapi.sign-in.certificate", language, name=party.principal)},
            },
        },
    }


def _server(party: Party, server: str | None) -> Document:
    place: Document = (
        {"host": server}
        if server
        else {
            "host": "{bootstrap}",
            "variables": {"bootstrap": {"description": say("asyncapi.server", party.language)}},
        }
    )
    either = [{"$ref": f"#/components/securitySchemes/{name}"} for name in SIGN_IN]
    return {**place, "protocol": "kafka-secure", "security": either}


def _message(assembly: Assembly, party: Party, topic: Topic, views: Mapping[str, Readable]) -> Document:
    lock, words = assembly.codec.lock, assembly.vocabularies
    kind = str(topic.kind)
    if topic.pattern == VIEWS:
        return view(kind, views[kind], party.language, words)
    if topic.pattern == NATIONAL:
        return record(lock.latest(kind), party.id, party.language, words)
    return other(lock.latest(kind), party.language, words)


def _channel(party: Party, topic: Topic, message: str) -> Document:
    head = topic.name.partition(".")[0]
    known = head in {key.rpartition(".")[2] for key in keys("asyncapi.topic")}
    # A topic of a pattern that came later has no words in both languages yet; what it is declared as is better than nothing.
    described = say(f"asyncapi.topic.{head}", party.language) if known else topic.description
    configured: Mapping[str, Any] = {
        "cleanup.policy": [topic.config["cleanup.policy"]],
        "max.message.bytes": int(topic.config["max.message.bytes"]),
        **({"retention.ms": int(topic.config["retention.ms"])} if "retention.ms" in topic.config else {}),
    }
    return {
        "address": topic.name,
        "description": described,
        "messages": {message: {"$ref": f"#/components/messages/{message}"}},
        "servers": [{"$ref": f"#/servers/{SERVER}"}],
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "partitions": topic.partitions,
                "topicConfiguration": configured,
                "bindingVersion": BINDING,
            }
        },
    }


def _operations(party: Party, topic: Topic) -> Iterator[tuple[str, Document]]:
    word = _word(topic.name)
    channel = {"$ref": f"#/channels/{word}"}
    if party.id in topic.writers:
        back = {"reply": {"channel": {"$ref": f"#/channels/replied_{_word(party.id)}"}}}
        yield f"write_{word}", {"action": "send", "channel": channel, **(back if topic.pattern == ANSWERS else {})}
    if party.id in topic.readers:
        group = {"type": "string", "pattern": f"^{party.groups.replace('.', '[.]')}"}
        yield (
            f"read_{word}",
            {
                "action": "receive",
                "channel": channel,
                "bindings": {"kafka": {"groupId": group, "bindingVersion": BINDING}},
            },
        )


def _word(name: str) -> str:
    """A name as AsyncAPI takes it for a key: without dots. No name of ours has an underscore, so it is one to one."""
    return name.replace(".", "_")
