"""
Brings the topics of a cluster to what is declared, on the right cluster only.

    bring(load(root), settings)          # what `boutre topics apply --yes` does, for the demo and for tests
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from pydantic import Field

from boutre.errors import DeclarationError, Fault, Unavailable
from boutre.ops.cluster import Cluster
from boutre.ops.plan import Plan, plan, wanted
from boutre.ops.settings import Settings
from boutre.ops.standing import standing
from boutre.topics.bus import Declarations
from boutre.topics.strict import Declared, raise_all, read

FILE: Final = "cluster.toml"

# Seconds.
_SETTLE: Final = 30.0


class _Known(Declared):
    # The file .boutre/cluster.toml: which cluster this folder was applied to.
    cluster_id: str = Field(min_length=1)


def compare(bus: Declarations, settings: Settings, cluster: Cluster, *, allow_loss: bool = False) -> Plan:
    """
    The differences between what is declared and what stands on *cluster*.
    """
    topics = wanted(bus.topics.values(), replication=settings.kafka.replication, min_isr=settings.kafka.min_isr)
    spaces = {topic.name.partition(".")[0] for topic in topics}
    found = cluster.topics(lambda name: name.partition(".")[0] in spaces)
    return plan(topics, found, allow_loss=allow_loss)


def bring(
    bus: Declarations, settings: Settings, *, allow_loss: bool = False, done: Callable[[str], None] = lambda _line: None
) -> Plan:
    """
    Compare and perform without asking, and answer what was done.

    Raises:
        DeclarationError: some differences are not mended; then nothing was done.
        Unavailable: the cluster does not answer, or did not do what it was asked.
    """
    cluster = Cluster(settings.kafka.client())
    todo = compare(bus, settings, cluster, allow_loss=allow_loss)
    perform(todo, bus, settings, cluster, done=done)
    return todo


def perform(
    todo: Plan,
    bus: Declarations,
    settings: Settings,
    cluster: Cluster,
    *,
    done: Callable[[str], None] = lambda _line: None,
) -> None:
    """
    Do what a plan says and see that it was done; a plan with refused differences is not begun.
    """
    if todo.refused:
        raise DeclarationError([Fault("topics", refused.name, refused.why) for refused in todo.refused])
    if not todo.steps:
        return
    cluster.perform(todo, done)
    # The controller has decided; a broker hears of it a moment later.
    deadline = time.monotonic() + _SETTLE
    while rest := _undone(todo, compare(bus, settings, cluster, allow_loss=True)):
        if time.monotonic() > deadline:
            raise Unavailable(f"{rest} changes have not come into effect yet; run the same command again")
        time.sleep(0.1)


def _undone(todo: Plan, now: Plan) -> int:
    return len(_names(todo) & _names(now))


def _names(todo: Plan) -> set[str]:
    return {one.name for one in todo.create} | {one.name for one in todo.grow} | {one.name for one in todo.configure}


def expected_cluster(settings: Settings, given: str | None) -> str | None:
    """
    The id of the cluster that is meant: as given, else that of the embedded broker, else the one applied to before.

    None when this folder was never applied to a cluster.
    """
    if given is not None:
        return given
    if settings.kafka.embedded and (broker := standing(settings.state)) is not None:
        return broker.cluster_id
    path = settings.state / FILE
    if not path.exists():
        return None
    faults: list[Fault] = []
    known = read(path, _Known, faults)
    raise_all(faults)
    return known.cluster_id if known is not None else None


def check_cluster(found: str, expected: str | None, state: Path) -> None:
    """
    Refuse a cluster other than the one that is meant.

    Raises:
        DeclarationError: it is another.
    """
    if expected is not None and expected != found:
        sentence = (
            f"the cluster that is meant is {expected}, but the cluster that answers is {found}; nothing was done. "
            f"Look at BOUTRE_KAFKA__BOOTSTRAP_SERVERS, or say --cluster-id {found} if this one is meant"
        )
        raise DeclarationError([Fault(str(state / FILE), "cluster_id", sentence)])


def remember_cluster(found: str, state: Path) -> None:
    """
    Write down which cluster this folder was applied to.
    """
    state.mkdir(parents=True, exist_ok=True)
    (state / FILE).write_text(
        f"# The cluster that `boutre topics apply` was used on; another one is refused.\ncluster_id = {json.dumps(found)}\n",
        encoding="utf-8",
    )
