"""
What a principal gets when it asks: Kafka's own requests on one connection, with names that no client would let it ask for.

A client looks at the metadata first and gives up where a topic is not shown to it, so that the broker's answer to a fetch or a
write would never be seen. Here each request is sent as it is, for all names at once, and each name's own error code is read.
"""

from __future__ import annotations

import asyncio
import gc
import ssl
import warnings
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from aiokafka.conn import create_conn
from aiokafka.protocol.admin import (
    AlterConfigsRequest,
    CreateAclsRequest,
    CreatePartitionsRequest,
    CreateTopicsRequest,
    DeleteGroupsRequest,
    DeleteTopicsRequest,
    DescribeAclsRequest,
    DescribeConfigsRequest,
    DescribeGroupsRequest,
)
from aiokafka.protocol.coordination import FindCoordinatorRequest
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.protocol.group import HeartbeatRequest
from aiokafka.protocol.metadata import MetadataRequest
from aiokafka.protocol.offset import OffsetRequest
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.protocol.transaction import InitProducerIdRequest
from aiokafka.record.default_records import DefaultRecordBatchBuilder

DENIED: Final = {"topic": 29, "group": 30, "cluster": 31, "transactional-id": 53}
"""The error codes of Kafka by which it says no, by the type of what was asked for."""

BUSY: Final = frozenset({14, 15, 16, 51})
"""Coordinators that are being loaded or found, and a transaction that is just ending: asked again."""

PATIENCE_S: Final = 20.0

KEY: Final = b"probe"
"""The key of what is written: without a value, so that a worker that reads it back as its memory forgets nothing by it."""

T = TypeVar("T")
Asked = tuple[str, str, str]
"""Type of the resource, its name, and the operation, with the request that stood for it where there are several."""


def ran(questions: Coroutine[Any, Any, T]) -> T:
    """
    Run *questions* to their end, and clear up after aiokafka.

    The socket of a connection that was refused it leaves to the garbage collector, whose warning would come up in a later test.
    """
    answer = asyncio.run(questions)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
    return answer


@dataclass(frozen=True, slots=True)
class Login:
    """
    How somebody comes in: by which port, and with what.
    """

    port: int
    protocol: str = "PLAINTEXT"
    context: ssl.SSLContext | None = None
    username: str | None = None
    password: str | None = None
    patience_s: float = 15.0

    @asynccontextmanager
    async def connection(self) -> Any:
        """
        Open one connection, signed in.
        """
        connection = await create_conn(
            "127.0.0.1",
            self.port,
            request_timeout_ms=int(self.patience_s * 1000),
            security_protocol=self.protocol,
            ssl_context=self.context,
            sasl_mechanism="SCRAM-SHA-512" if self.protocol.startswith("SASL") else None,
            sasl_plain_username=self.username,
            sasl_plain_password=self.password,
        )
        try:
            yield connection
        finally:
            await connection.close()


@dataclass(slots=True)
class Probe:
    """
    One principal's questions on *connection*; *codes* are the answers.
    """

    connection: Any
    codes: dict[Asked, int] = field(default_factory=dict)
    seen: frozenset[str] = frozenset()
    fetched: dict[str, bytes] = field(default_factory=dict)

    async def everything(
        self, topics: Mapping[str, int], groups: Sequence[str], ids: Sequence[str], me: str, *, grants: bool
    ) -> None:
        """
        Ask for everything; *topics* come with their number of partitions, *grants* says whether to ask for a right of one's own.
        """
        await self.look(topics)
        await self.records(topics)
        await self.alter(topics)
        for group in groups:
            await self.group(group)
        await self.all_groups(groups)
        for name in ids:
            await self.transaction(name)
        await self.cluster(me, grants=grants)

    async def look(self, topics: Iterable[str]) -> None:
        """
        Describe: all that is shown to somebody who names nothing, then each by its name, then where each ends.
        """
        told = await self.connection.send(MetadataRequest(None, allow_auto_topic_creation=False))
        self.seen = frozenset(topic[1] for topic in told.topics)
        told = await self.connection.send(MetadataRequest(list(topics), allow_auto_topic_creation=False))
        for code, name, *_ in told.topics:
            self.codes["topic", name, "describe"] = code
        told = await self.connection.send(OffsetRequest(-1, 0, [(name, [(0, -1)]) for name in topics]))
        for name, partitions in told.topics:
            self.codes["topic", name, "describe by its end"] = partitions[0][1]
        told = await self.connection.send(DescribeConfigsRequest([(2, name, None) for name in topics]))
        for code, _, _, name, _ in told.resources:
            self.codes["topic", name, "describe-configs"] = code

    async def records(self, topics: Iterable[str]) -> None:
        """
        Read the first record of each topic, then write one.
        """
        told = await self.connection.send(FetchRequest(100, 1, 1 << 22, 0, [(name, [(0, 0, 4096)]) for name in topics]))
        for name, partitions in told.topics:
            self.codes["topic", name, "read"] = partitions[0][1]
            self.fetched[name] = bytes(partitions[0][-1] or b"")
        told = await self.connection.send(ProduceRequest(None, -1, 15_000, [(name, [(0, batch())]) for name in topics]))
        for name, partitions in told.topics:
            self.codes["topic", name, "write"] = partitions[0][1]

    async def fill(self, topics: Iterable[str]) -> None:
        """
        Write a record to each topic, again where its partition has no leader yet.
        """
        left = set(topics)
        until = asyncio.get_running_loop().time() + PATIENCE_S
        while left and asyncio.get_running_loop().time() < until:
            await self.records(left)
            left = {name for name in left if self.codes["topic", name, "write"]}
        assert not left

    async def alter(self, topics: Mapping[str, int]) -> None:
        """
        Create, grow, configure: only to be validated, which asks for the same right. Delete: for real, since nobody may.
        """
        told = await self.connection.send(CreateTopicsRequest([(name, 1, 1, [], []) for name in topics], 15_000, True))  # noqa: FBT003 - its third is validate_only
        for name, code, *_ in told.topic_errors:
            self.codes["topic", name, "create"] = code
        more = [(name, (count + 1, None)) for name, count in topics.items()]
        told = await self.connection.send(CreatePartitionsRequest(more, 15_000, True))  # noqa: FBT003 - the same
        for name, code, *_ in told.topic_errors:
            self.codes["topic", name, "alter"] = code
        changes = [(2, name, [("retention.ms", "3600000")]) for name in topics]
        told = await self.connection.send(AlterConfigsRequest(changes, True))  # noqa: FBT003 - its second is
        for code, _, _, name in told.resources:
            self.codes["topic", name, "alter-configs"] = code
        told = await self.connection.send(DeleteTopicsRequest(list(topics), 15_000))
        for name, code, *_ in told.topic_error_codes:
            self.codes["topic", name, "delete"] = code

    async def group(self, name: str) -> None:
        """
        Find a group's coordinator (to describe), and act as one of its members would (to read).
        """
        self.codes["group", name, "describe by its place"] = await self._patiently(FindCoordinatorRequest(name, 0))
        self.codes["group", name, "read"] = await self._patiently(HeartbeatRequest(name, 1, "nobody"))

    async def all_groups(self, groups: Sequence[str]) -> None:
        """
        Describe groups, then delete them for real.
        """
        for group in groups:
            # One by one: aiokafka 0.14 cannot read an answer about several.
            told = await self.connection.send(DescribeGroupsRequest([group]))
            self.codes["group", group, "describe"] = told.groups[0][0]
        told = await self.connection.send(DeleteGroupsRequest(list(groups)))
        for name, code in told.results:
            self.codes["group", name, "delete"] = code

    async def transaction(self, name: str) -> None:
        """
        Find the coordinator of a transactional id (to describe), and take the id over (to write).
        """
        self.codes["transactional-id", name, "describe"] = await self._patiently(FindCoordinatorRequest(name, 1))
        self.codes["transactional-id", name, "write"] = await self._patiently(InitProducerIdRequest(name, 15_000))

    async def cluster(self, me: str, *, grants: bool) -> None:
        """
        See the rules; give oneself the right to read everything, or (who may) one that is there already; see a broker's settings.
        """
        told = await self.connection.send(DescribeAclsRequest(1, None, 1, None, None, 1, 1))
        self.codes["cluster", "kafka-cluster", "describe"] = told.error_code
        asked = (2, "*", 3, f"User:{me}", "*", 3, 3) if grants else (4, "kafka-cluster", 3, f"User:{me}", "*", 8, 3)
        told = await self.connection.send(CreateAclsRequest(*asked))
        self.codes["cluster", "kafka-cluster", "alter"] = told.creation_responses[0][0]
        told = await self.connection.send(DescribeConfigsRequest([(4, "1", None)]))
        self.codes["cluster", "kafka-cluster", "describe-configs"] = told.resources[0][0]

    async def ends(self, topics: Iterable[str]) -> dict[str, int]:
        """
        Where the first partition of each topic ends.
        """
        told = await self.connection.send(OffsetRequest(-1, 0, [(name, [(0, -1)]) for name in topics]))
        return {name: partitions[0][3] for name, partitions in told.topics}

    async def _patiently(self, request: Any) -> int:
        until = asyncio.get_running_loop().time() + PATIENCE_S
        while True:
            code = int((await self.connection.send(request)).error_code)
            if code not in BUSY or asyncio.get_running_loop().time() > until:
                return code
            await asyncio.sleep(0.05)


def batch() -> bytes:
    """
    One record: a key, and no value.
    """
    builder = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, 4096)
    builder.append(0, None, KEY, None, [])
    return bytes(builder.build())
