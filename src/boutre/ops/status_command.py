"""
``boutre status``: the bus as it is now: who has which partitions, when each last got something done, and what is late.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal

import click
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from boutre.errors import Unavailable
from boutre.ops.assembly import assemble
from boutre.ops.cluster import Cluster
from boutre.ops.command import with_settings
from boutre.ops.doctor.late import Answered, Group, Standing
from boutre.ops.running import Running, ask, running
from boutre.ops.settings import Settings
from boutre.processors.groups import group_of
from boutre.processors.pipeline import Pipeline
from boutre.topics.bus import Declarations

ANSWER_S: Final = 3.0


@click.command(epilog="Example: boutre status --output json")
@click.option(
    "--at", "others", multiple=True, metavar="HOST:PORT", help="A process elsewhere, by its page; several times for several."
)
@click.option("--output", type=click.Choice(["table", "json"]), default="table", show_default=True, help="Form of the answer.")
@with_settings
@click.pass_context
def status(ctx: click.Context, settings: Settings, others: tuple[str, ...], output: Literal["table", "json"]) -> None:
    """
    Show the processors with their partitions, and each process of this machine with what it did last.

    Partitions are what the cluster says, wherever workers run; ages are what the processes say of themselves. Exit status 1:
    something is late.
    """
    found = look(settings, others)
    if output == "json":
        click.echo(json.dumps(found.as_json(), indent=2))
    else:
        for line in lines(found):
            click.echo(line)
    if found.late:
        ctx.exit(1)


def look(settings: Settings, others: tuple[str, ...] = ()) -> Standing:
    """
    Ask the cluster and the processes; who does not answer is told as such.
    """
    asked = [*running(settings.state), *(Running("", "", address) for address in others)]
    processes = tuple(ask(one) for one in asked)
    assembly = assemble(settings.folder())
    try:
        client = settings.kafka.client()
        cluster = Cluster(client).identity(ANSWER_S)
        groups = tuple(_groups(client, assembly.pipeline, assembly.declarations))
    except (Unavailable, KafkaException, TimeoutError) as error:
        return Standing(None, str(error) if isinstance(error, Unavailable) else type(error).__name__, None, processes)
    return Standing(cluster, None, groups, processes)


def lines(found: Standing) -> Iterator[str]:
    """
    Give it as lines for people.
    """
    yield f"cluster     {found.cluster or 'does not answer'}"
    for group in found.groups or ():
        yield f"{group.processor:<18} {group.members} workers have {len(group.owned)} of {group.partitions} partitions"
    for one in found.processes:
        yield f"{one.kind + ' ' + one.name:<30} {one.address:<21} {_marks(one)}"
    yield ""
    for line in found.late:
        yield f"LATE  {line}"
    if not found.late:
        yield "nothing is late"


def _marks(one: Answered) -> str:
    told = one.as_json()
    ages = {"success": told["last_success_seconds"], "acknowledged": told["last_acknowledgement_seconds"]}
    said = [f"{word} {age:.0f} s ago" for word, age in ages.items() if age is not None]
    return ", ".join(["ready" if one.ready else "not ready", "healthy" if one.healthy else "not healthy", *said])


def _groups(client: Mapping[str, Any], made: Pipeline, declarations: Declarations) -> Iterator[Group]:
    names = {edge.name: group_of(edge.name) for edge in made.edges}
    admin = AdminClient({**client, "log_level": 0})
    told = admin.describe_consumer_groups(list(names.values()), request_timeout=ANSWER_S)
    for edge in made.edges:
        partitions = max((declarations.topics[topic].partitions for topic in edge.reads), default=0)
        group = names[edge.name]
        try:
            members = told[group].result(ANSWER_S + 1).members
        except KafkaException:
            # A group that nobody was ever in: newer brokers say that there is none.
            members = []
        owned = {place.partition for member in members if member.assignment for place in member.assignment.topic_partitions}
        yield Group(edge.name, group, partitions, len(members), frozenset(owned))
