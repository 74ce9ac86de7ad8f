"""
What a Kafka cluster says of itself, and what is asked of it: the only place that speaks to its admin API.

Every error of the client becomes `Unavailable` with what to look at. Nothing here decides anything: `plan` does.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import AlterConfigOpType, ConfigEntry, ConfigResource, ConfigSource
from confluent_kafka.admin._resource import ResourceType
from confluent_kafka.cimpl import NewPartitions, NewTopic

from boutre.errors import Unavailable
from boutre.ops.plan import Configure, Found, Grow, Plan, Wanted

# librdkafka would write every refused connection to stderr; what matters comes as an error.
_QUIET: Final[Mapping[str, str | int]] = {"log_level": 0}

# Seconds that the cluster may take to answer one request.
_PATIENCE: Final = 30.0

# Seconds until all nodes have heard of a topic that was just made, or deleted, and between two looks.
_HEARD: Final = 10.0
_PAUSE: Final = 0.1

# A topic that every cluster has or will have, so that an answer about it is short.
_SMALL: Final = "__consumer_offsets"

_Answer = TypeVar("_Answer")


class Cluster:
    """
    One cluster, reached by librdkafka's settings (`settings.kafka.client()`).
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.address = str(config["bootstrap.servers"])
        self._refusal: list[str] = []
        # No method of this object: a client that holds who holds it is never closed, and knocks on for ever.
        heard: Any = _first_into(self._refusal)  # the stubs allow no functions among the settings
        self._admin = AdminClient({**_QUIET, **config, "error_cb": heard})

    def identity(self, timeout: float = _PATIENCE) -> str:
        """
        The cluster's id.

        Raises:
            Unavailable: it does not answer within *timeout* seconds, or refuses this client.
        """
        with self._asking():
            # Not describe_cluster: where no node is in the cluster, as when the only one was slow and comes back, librdkafka 2.16
            # ends the process by an assertion (rd_kafka_admin_response_parse), and so did every worker at once.
            found = self._admin.list_topics(topic=_SMALL, timeout=timeout).cluster_id
        if not found:
            raise Unavailable(f"Kafka at {self.address} does not say which cluster it is; try again")
        return str(found)

    def names(self) -> frozenset[str]:
        """
        The names of all topics that this client may see.
        """
        with self._asking():
            return frozenset(self._admin.list_topics(timeout=_PATIENCE).topics)

    def topics(self, names: Callable[[str], bool] = lambda _name: True) -> dict[str, Found]:
        """
        The topics for which *names* says yes, without Kafka's internal ones, with all that is set on them.
        """
        with self._asking():
            return _heard_by_all(lambda: self._topics(names))

    def _topics(self, names: Callable[[str], bool]) -> dict[str, Found]:
        listed = self._admin.list_topics(timeout=_PATIENCE).topics
        there = {name: topic for name, topic in listed.items() if not name.startswith("__") and names(name)}
        resources = [ConfigResource(ResourceType.TOPIC, name) for name in there]
        told = self._admin.describe_configs(resources, request_timeout=_PATIENCE) if resources else {}
        entries = {resource.name: future.result(_PATIENCE) for resource, future in told.items()}
        return {
            name: Found(
                name=name,
                partitions=len(topic.partitions),
                replication=min((len(one.replicas) for one in topic.partitions.values()), default=0),
                config={key: str(entry.value) for key, entry in entries[name].items()},
                overrides=frozenset(key for key, entry in entries[name].items() if _set_on_topic(entry)),
            )
            for name, topic in there.items()
        }

    def incarnation(self, topic: str) -> tuple[str, float]:
        """
        A name that this topic alone has ever had, on any cluster, and for how many seconds its tombstones stay.

        Deleted and made again it has another one.
        """
        with self._asking():
            return _heard_by_all(lambda: self._incarnation(topic))

    def _incarnation(self, topic: str) -> tuple[str, float]:
        resource = ConfigResource(ResourceType.TOPIC, topic)
        described = self._admin.describe_topics(TopicCollection([topic]), request_timeout=_PATIENCE)[topic].result(_PATIENCE)
        told = self._admin.describe_configs([resource], request_timeout=_PATIENCE)[resource].result(_PATIENCE)
        return f"{self.identity()}/{described.topic_id}", int(str(told["delete.retention.ms"].value)) / 1000

    def perform(self, plan: Plan, done: Callable[[str], None] = lambda _line: None) -> None:
        """
        Do what a plan says, in the order create, grow, configure; *done* is told each step.

        Raises:
            Unavailable: a step failed. What was done stays; planning again shows the rest.
        """
        with self._asking():
            self._create(plan.create, done)
            self._grow(plan.grow, done)
            self._configure(plan.configure, done)

    def _create(self, topics: tuple[Wanted, ...], done: Callable[[str], None]) -> None:
        if not topics:
            return
        new = [NewTopic(t.name, t.partitions, t.replication, config=dict(t.config)) for t in topics]
        self._each(self._admin.create_topics(new, operation_timeout=_PATIENCE), "created", done)

    def _grow(self, grown: tuple[Grow, ...], done: Callable[[str], None]) -> None:
        if grown:
            new = [NewPartitions(one.name, one.after) for one in grown]
            self._each(self._admin.create_partitions(new, operation_timeout=_PATIENCE), "grew", done)

    def _configure(self, changed: tuple[Configure, ...], done: Callable[[str], None]) -> None:
        if not changed:
            return
        # Incremental: what is not named stays as it is.
        resources = [
            ConfigResource(
                ResourceType.TOPIC,
                one.name,
                incremental_configs=[
                    ConfigEntry(key, new, incremental_operation=AlterConfigOpType.SET) for key, (_, new) in one.changes.items()
                ],
            )
            for one in changed
        ]
        told = self._admin.incremental_alter_configs(resources, request_timeout=_PATIENCE)
        self._each({resource.name: future for resource, future in told.items()}, "configured", done)

    def _each(self, futures: Mapping[str, Future[Any]], word: str, done: Callable[[str], None]) -> None:
        failed = []
        for name, future in futures.items():
            try:
                future.result(2 * _PATIENCE)
            except KafkaException as error:
                failed.append(f"{name}: {_said(error)}")
            else:
                done(f"{word} {name}")
        if failed:
            raise Unavailable(f"the cluster at {self.address} refused: {'; '.join(failed)}")

    @contextmanager
    def _asking(self) -> Iterator[None]:
        try:
            yield
        except (KafkaException, TimeoutError) as error:
            self._admin.poll(0)  # lets the client tell what it heard
            why = self._refusal[0] if self._refusal else _said(error)
            raise Unavailable(
                f"the Kafka cluster at {self.address} does not answer as it should: {why}; "
                "see whether it runs, and `boutre settings` for how it is reached"
            ) from error


def cluster_id_at(bootstrap: str, timeout: float = 2.0) -> str | None:
    """
    The cluster id that answers at an address without security, or None when nothing answers within *timeout* seconds.
    """
    try:
        return Cluster({"bootstrap.servers": bootstrap}).identity(timeout)
    except Unavailable:
        return None


def _heard_by_all(ask: Callable[[], _Answer]) -> _Answer:
    # Of several nodes one lists a topic that was made a moment ago, and the next one asked has not heard of it.
    until = time.monotonic() + _HEARD
    while True:
        try:
            return ask()
        except KafkaException as error:
            first = error.args[0]
            unheard = isinstance(first, KafkaError) and first.code() == KafkaError.UNKNOWN_TOPIC_OR_PART
            if not unheard or time.monotonic() > until:
                raise
        time.sleep(_PAUSE)


def _first_into(heard: list[str]) -> Callable[[KafkaError], None]:
    # The client retries for ever what will never work; the first reason that it gives is the one to tell.
    def hear(error: KafkaError) -> None:
        if not heard:
            heard.append(error.str())

    return hear


def _set_on_topic(entry: ConfigEntry) -> bool:
    return entry.source in (ConfigSource.DYNAMIC_TOPIC_CONFIG, ConfigSource.DYNAMIC_TOPIC_CONFIG.value)


def _said(error: KafkaException | TimeoutError) -> str:
    first = error.args[0] if error.args else error
    return first.str() if isinstance(first, KafkaError) else str(first) or type(error).__name__
