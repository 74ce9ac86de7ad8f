"""
Reads everything that a run left on Kafka and in the sinks, and has it judged.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

from boutre.ops.assembly import keys_of
from boutre.processors.decision import Inbound
from chaos import feeds, reading
from chaos.expectation import Expectation
from chaos.ground import Ground
from chaos.verdict import Found, Verdict, judge

UNDECIDED_S: Final = 40.0
"""Seconds until Kafka itself aborts what a killed worker left open, and more."""

OUTPUTS: Final = ("bus.{kind}", "for.{recipient}.{kind}", "rejects.{member}", "rejects.bus", reading.RECEIPTS)


def verdict(ground: Ground, strays: frozenset[bytes], say: Callable[[str], None]) -> tuple[Verdict, dict[str, Any]]:
    """
    Judge a bus whose workers have stopped; gives the verdict, and the aborted copies by what they are.
    """
    assembly, client, keys = ground.assembly, ground.client, keys_of(ground.settings)
    declarations, codec = assembly.declarations, assembly.codec
    outputs = reading.names(declarations, *OUTPUTS)
    _await_decided(ground, outputs)
    say("the same records once more, in memory")
    expectation = Expectation(assembly.handlers(keys), codec)
    national = reading.names(declarations, "national.{member}.{kind}")
    for number, message in enumerate(reading.messages(client, national, "read_committed"), 1):
        place = (str(message.topic()), int(message.partition() or 0), int(message.offset() or 0))
        expectation.take(Inbound(*place, message.key(), message.value(), reading.headers(message), int(message.timestamp()[1])))
        if number % 10_000 == 0:
            say(f"{number} records")
    say("what stands on Kafka")
    views = []
    for recipient, declared in declarations.recipients.items():
        topics = [f"for.{recipient}.{kind}" for kind in declared.kinds]
        views += reading.views(client, codec, recipient, topics, keys)
    reported, own = reading.receipts(client, codec)
    found = Found(
        reported,
        views,
        reading.refusals(client, codec, reading.names(declarations, "rejects.{member}", "rejects.bus")),
        {(effect.name, effect.recipient): effect.ids() for effect in ground.effects},
        own,
    )
    told = judge(tuple(declarations.recipients), feeds.written(ground.feeds, strays), expectation.result(), found)
    copies = reading.aborted(client, outputs, say)
    return told, {"aborted_copies": sum(copies.values())}


def _await_decided(ground: Ground, topics: list[str]) -> None:
    """Wait until no transaction is open: behind one, a read_committed reader sees nothing, and would call it lost."""
    places = [(topic, number) for topic in topics for number in range(ground.partitions(topic))]
    until = time.monotonic() + UNDECIDED_S
    ends = reading.Ends(ground.client)
    while places and time.monotonic() < until:
        places = [place for place in places if ends.undecided(place)]
        time.sleep(bool(places))
    ends.close()
