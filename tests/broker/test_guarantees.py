"""
What `docs/guarantees.md` promises of the workers, on a real Kafka: each failure happens at a named moment, none by chance.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from contextlib import ExitStack

import pytest
from confluent_kafka import Consumer, ConsumerGroupState, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from boutre.connectors.kafka_views import Reader
from boutre.connectors.memory import partition_of
from boutre.ops.broker import Broker
from echo import PARTITIONS, Echo, Worker

SOME = [f"key-{number}" for number in range(60)]


def send_until_it_happens(echo: Echo, worker: Worker) -> list[str]:
    """
    Have *worker* handle some keys, then send others until what was to happen to it has happened; gives all of them.
    """
    echo.send(SOME)
    assert [] == echo.amiss(SOME)
    keys = list(SOME)
    while not worker.fault_happened:
        assert worker.process.poll() is None
        more = [f"more-{len(keys) + number}" for number in range(20)]
        echo.send(more)
        keys += more
    return keys


@pytest.mark.parametrize("moment", ["begin", "send", "sent", "offsets", "committed"])
def test_a_transaction_that_fails_anywhere_is_made_anew(echo: Echo, moment: str) -> None:
    """
    Kafka's time-out comes at one moment of a transaction, once: the worker makes its producer anew, every key comes out once.

    At ``committed`` Kafka had committed and its answer was lost: what is committed is not written again.
    """
    worker = echo.worker(fault=("raise", moment, PARTITIONS + 1))
    keys = send_until_it_happens(echo, worker)

    assert [] == echo.amiss(keys)
    assert worker.process.poll() is None


def test_a_transaction_that_hangs_is_given_up(echo: Echo) -> None:
    """
    No answer to a commit comes, neither yes nor no: the worker waits no longer than it must, and makes its producer anew.

    Every key comes out once.
    """
    worker = echo.worker(fault=("hang", "committed", PARTITIONS + 1))
    keys = send_until_it_happens(echo, worker)

    assert [] == echo.amiss(keys)
    assert worker.process.poll() is None


@pytest.mark.parametrize("moment", ["sent", "committed"])
def test_a_frozen_worker_is_fenced_when_it_wakes(echo: Echo, moment: str) -> None:
    """
    A worker is frozen (SIGSTOP) in the middle of a transaction until another has its partitions and has done its work.

    Woken, it commits nothing of what it held, and does its share again once it is alone.
    """
    frozen = echo.worker(fault=("freeze", moment, PARTITIONS + 1))
    keys = send_until_it_happens(echo, frozen)
    other = echo.worker()
    assert [] == echo.amiss(keys)

    frozen.wake()
    keys += [f"woken-{number}" for number in range(40)]
    echo.send(keys)
    assert [] == echo.amiss(keys)
    other.process.kill()
    keys += [f"alone-{number}" for number in range(40)]
    echo.send(keys)

    assert [] == echo.amiss(keys)
    assert frozen.process.poll() is None
    if moment == "sent":
        raw = echo.read(echo.writes[0], len(keys), "read_uncommitted")
        assert raw.total() > len(raw)  # what it held when it was frozen was written, and taken back


@pytest.mark.parametrize("moment", ["sent", "committed"])
def test_a_partition_that_moves_in_the_middle_of_a_transaction_is_exact(echo: Echo, moment: str) -> None:
    """
    Another worker joins while a transaction is under way; the partition moves when that has ended, and every key comes out once.
    """
    worker = echo.worker(fault=("wait", moment, PARTITIONS + 1))
    keys = send_until_it_happens(echo, worker)
    echo.worker()
    admin = AdminClient({"bootstrap.servers": echo.bootstrap})
    while admin.describe_consumer_groups([echo.tag])[echo.tag].result(30).state != ConsumerGroupState.PREPARING_REBALANCING:
        assert worker.process.poll() is None
    worker.go()
    keys += [f"moved-{number}" for number in range(40)]
    echo.send(keys)

    assert [] == echo.amiss(keys)


def test_a_worker_that_was_fenced_and_still_has_its_partitions_goes_on(echo: Echo) -> None:
    """
    Somebody takes its transactional ids in the middle of a transaction and goes away: the transaction is lost, no key is.
    """
    worker = echo.worker(fault=("wait", "sent", PARTITIONS + 1))
    keys = send_until_it_happens(echo, worker)
    for partition in range(PARTITIONS):
        config = {"bootstrap.servers": echo.bootstrap, "transactional.id": f"{echo.tag}-{partition}"}
        Producer(config).init_transactions(30)
    worker.go()

    assert [] == echo.amiss(keys)
    assert worker.process.poll() is None


def test_what_another_owner_committed_meanwhile_is_not_done_again(echo: Echo) -> None:
    """
    A worker is in a transaction while somebody else takes its partition, does all that waits there on both topics, and goes away.

    So it is when two are cut off from the group, and not from one another: the worker does nothing of that again.
    """
    keys = [key for key in (f"key-{number}" for number in range(400)) if partition_of(key.encode(), PARTITIONS) == 0]
    worker = echo.worker(fault=("wait", "sent", 2))
    echo.send(keys[:20])
    assert [] == echo.amiss(keys[:20])
    echo.send(keys[20:40])
    worker.await_fault()
    echo.send(keys[40:80])
    echo.send(keys[80:120], topic=1)

    owner = Producer({"bootstrap.servers": echo.bootstrap, "transactional.id": f"{echo.tag}-0", "partitioner": "murmur2_random"})
    owner.init_transactions(30)
    done = echo.out(20)
    owner.begin_transaction()
    for topic, there in zip(echo.writes, done, strict=True):
        for key in keys[:120]:
            if key not in there:
                owner.produce(topic, b"done by the other", key)
    group = Consumer({"bootstrap.servers": echo.bootstrap, "group.id": echo.tag})
    ends = [TopicPartition(topic, 0, group.get_watermark_offsets(TopicPartition(topic, 0), 30)[1]) for topic in echo.reads]
    owner.send_offsets_to_transaction(ends, group.consumer_group_metadata(), 30)
    owner.commit_transaction(30)
    group.close()
    worker.go()
    echo.send(keys[120:160])
    echo.send(keys[160:], topic=1)

    assert [] == echo.amiss(keys)


def test_what_has_one_key_stays_in_order_through_a_kill(echo: Echo) -> None:
    """
    A worker is killed in the middle of its work and another goes on: what came in one after the other comes out so.
    """
    worker = echo.worker(fault=("die", "sent", PARTITIONS + 1))
    keys = send_until_it_happens(echo, worker)
    assert worker.ended() == -signal.SIGKILL
    echo.worker()
    assert [] == echo.amiss(keys)

    for topic in echo.writes:
        found = [value.decode().removeprefix("value of ") for value in echo.values(topic)]
        for partition in range(PARTITIONS):
            mine = [key for key in keys if partition_of(key.encode(), PARTITIONS) == partition]
            assert mine == [key for key in found if key in set(mine)]


@pytest.fixture
def views(broker: Broker, new_topic: Callable[..., str]) -> str:
    """
    A topic with two partitions, which the broker names to whoever asks: it does so a moment after it has made it.
    """
    name = new_topic("views", partitions=2)
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    until = time.monotonic() + 60
    while admin.list_topics(name, timeout=30).topics[name].error is not None:
        assert time.monotonic() < until
        time.sleep(0.1)
    return name


def test_a_reader_to_the_end_waits_for_what_moved_away(broker: Broker, views: str, unique: Callable[[str], str]) -> None:
    """
    A reader holds all that there is and has given none of it out when another one joins its group, which takes some of it away.

    It is not at the end before the other has done its part, and between them they miss nothing.
    """
    producer = Producer({"bootstrap.servers": broker.bootstrap})
    for number in range(6):
        producer.produce(views, str(number).encode(), partition=number % 2)
    assert producer.flush(30) == 0
    config, group = {"bootstrap.servers": broker.bootstrap}, unique("desk")
    seen: list[bytes | None] = []
    with Reader(config, [views], group=group, until_end=True) as first, ExitStack() as stack:
        first.rest(8)  # what is given to it while it rests it keeps
        assert 6 == len(first._held)
        second = stack.enter_context(Reader(config, [views], group=group))
        while (found := second.poll(0.2)) is None:
            first.rest(0.2)
        assert not first.finished
        seen.append(found.data)
        while len(seen) < 3 and (found := second.poll(5)) is not None:
            seen.append(found.data)
            first.rest(0.1)
        while (found := first.poll(1)) is not None:
            seen.append(found.data)
            first.done(found.topic, found.partition, found.offset)
        assert not first.finished
        stack.close()
        while not first.finished:
            found = first.poll(1)
            seen += [] if found is None else [found.data]

    assert {str(number).encode() for number in range(6)} == set(seen)


def test_a_reader_that_rests_while_partitions_move_reads_on(broker: Broker, views: str, unique: Callable[[str], str]) -> None:
    """
    A reader waits for whatever takes its views, and in that time its partition is taken from it; it comes back later, and is read.
    """
    config, group = {"bootstrap.servers": broker.bootstrap}, unique("desk")
    with Reader(config, [views], group=group) as first, ExitStack() as later:
        leaving = Reader(config, [views], group=group)
        with leaving:
            while not (first._client.assignment() and leaving._client.assignment()):
                first.poll(0.2)
                leaving.poll(0.2)
            other = later.enter_context(Reader(config, [views], group=group))
            other.poll(0.2)
            until = time.monotonic() + 60
            while first._client.assignment():  # the one that leaves does not answer meanwhile, so that nothing is given anew
                assert time.monotonic() < until
                first.rest(0.5)
        until = time.monotonic() + 60
        while not (first._client.assignment() and other._client.assignment()):
            assert time.monotonic() < until
            first.poll(0.2)
            other.poll(0.2)
        producer = Producer({"bootstrap.servers": broker.bootstrap})
        for partition in range(2):
            producer.produce(views, b"view", partition=partition)
        assert producer.flush(30) == 0

        assert first.poll(30) is not None
