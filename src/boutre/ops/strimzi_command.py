"""
`boutre strimzi`: the whole bus as resources for a cluster that Strimzi runs; needs no cluster.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal, get_args

import click

from boutre import __version__
from boutre.ops import plan
from boutre.ops.access import principals, wanted
from boutre.ops.access_strimzi import Authentication, users, yaml
from boutre.ops.assembly import Assembly, assemble
from boutre.ops.command import with_settings
from boutre.ops.quotas import quotas
from boutre.ops.settings import Settings
from boutre.ops.strimzi.kafka import Outside, brokers, topics
from boutre.ops.strimzi.place import Place, Resource
from boutre.ops.strimzi.processes import processes, resources

Part = Literal["kafka", "topics", "users", "processes"]
PARTS: Final[tuple[Part, ...]] = get_args(Part)

COPIES: Final = 3
"""Where no setting says how many."""


@click.command(epilog="Example: boutre strimzi --cluster boutre --namespace bus | kubectl apply -f -")
@click.option("--cluster", required=True, help="Name of the Kafka resource.")
@click.option("--namespace", help="Namespace to write into the resources.")
@click.option(
    "--authentication", type=click.Choice(get_args(Authentication)), default="scram-sha-512", show_default=True,
    help="How users sign in.",
)  # fmt: skip
@click.option("--part", "parts", type=click.Choice(PARTS), multiple=True, help="Only this part; several times for several.")
@click.option("--image", default=f"boutre:{__version__}", show_default=True, help="Image of the bus's processes.")
@click.option("--storage", default="100Gi", show_default=True, help="Volume of each broker.")
@click.option("--outside", type=click.Choice(get_args(Outside)), help="Also a listener for parties elsewhere.  [default: none]")
@with_settings
def strimzi(
    settings: Settings,
    *,
    cluster: str,
    namespace: str | None,
    authentication: Authentication,
    parts: tuple[Part, ...],
    image: str,
    storage: str,
    outside: Outside | None,
) -> None:
    """
    Write Kafka, a KafkaTopic for each topic, a KafkaUser for each principal, and a Deployment for each process of the bus.
    """
    assembly = assemble(settings.folder())
    place = Place(cluster, namespace, authentication)
    # Not those of the embedded broker, which may be running here: it keeps one copy.
    replication = settings.kafka.replication_factor or COPIES
    min_isr = settings.kafka.min_insync_replicas or max(1, replication - 1)
    copies = {
        "BOUTRE_KAFKA__REPLICATION_FACTOR": str(replication),
        "BOUTRE_KAFKA__MIN_INSYNC_REPLICAS": str(min_isr),
        "BOUTRE_LANGUAGE": settings.language,
    }
    wanted_topics = plan.wanted(assembly.declarations.topics.values(), replication=replication, min_isr=min_isr)
    made: dict[Part, Callable[[], list[Resource]]] = {
        "kafka": lambda: brokers(place, replication=replication, min_isr=min_isr, storage=storage, outside=outside),
        "topics": lambda: topics(wanted_topics, place),
        "users": lambda: _users(assembly, place),
        "processes": lambda: resources(processes(assembly.pipeline.edges), place, image, copies),
    }
    for part in PARTS:
        if not parts or part in parts:
            click.echo(yaml(made[part]()), nl=False)


def _users(assembly: Assembly, place: Place) -> list[Resource]:
    bus, edges = assembly.declarations, assembly.pipeline.edges
    rules, names = wanted(bus, edges), principals(bus, edges)
    return users(rules, names, place.cluster, place.authentication, place.namespace, quotas=quotas(bus))
