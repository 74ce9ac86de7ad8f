"""
A recipient's consumer on a real Kafka: what it shows, where it goes on, where it ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from confluent_kafka import Consumer as Client
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from boutre.connectors.consumer import Consumer, Undecodable
from boutre.connectors.delivery import BadDelivery, Delivery, topic
from boutre.connectors.sinks.trial import codec, view
from boutre.errors import DeclarationError, Unavailable
from boutre.ops.broker import Broker
from sealed import message, proving


@pytest.fixture
def recipient(admin: AdminClient, unique: Callable[[str], str]) -> str:
    """A recipient that only this test has, with its topics of two kinds, two partitions each."""
    name = unique("rcoc")
    made = admin.create_topics([NewTopic(topic(name, kind), num_partitions=2) for kind in ("alert", "sighting")])
    for future in made.values():
        future.result(30)
    return name


@contextmanager
def transaction(broker: Broker, name: str, *, commit: bool = True) -> Iterator[Producer]:
    """Send within one transaction, committed or aborted at the end."""
    producer = Producer({"bootstrap.servers": broker.bootstrap, "transactional.id": name})
    producer.init_transactions(30)
    producer.begin_transaction()
    yield producer
    if commit:
        producer.commit_transaction(30)
    else:
        producer.flush(30)
        producer.abort_transaction(30)


def send(producer: Producer, recipient: str, numbers: Sequence[int], *, kind: str = "sighting", partition: int = 0) -> None:
    """Send views."""
    for number in numbers:
        frame = codec().encode(kind, view(kind, number, recipient=recipient))
        producer.produce(**message(topic(recipient, kind), frame), partition=partition)


def numbers(recipient: str, count: int, kind: str = "sighting") -> dict[str, int]:
    """Which number a view's id has."""
    return {view(kind, number, recipient=recipient)["id"]: number for number in range(count)}


def consumer(broker: Broker, recipient: str, **more: Any) -> Consumer:
    """A consumer to the end of what is there."""
    options: dict[str, Any] = {"kinds": ("sighting",), "until_end": True} | more
    return Consumer({"bootstrap.servers": broker.bootstrap}, proving(), recipient=recipient, **options)


def position(broker: Broker, recipient: str, group: str) -> int:
    """Where the group stands in the first partition; negative where it never was."""
    with Client({"bootstrap.servers": broker.bootstrap, "group.id": group}) as client:
        return int(client.committed([TopicPartition(topic(recipient, "sighting"), 0)], 30)[0].offset)


def test_it_ends_at_the_end_of_committed_transactions(broker: Broker, recipient: str) -> None:
    """The last offset of a topic that transactions write holds no message; reading ends all the same, with all of it."""
    for name in ("a", "b"):
        with transaction(broker, f"{recipient}.{name}") as producer:
            send(producer, recipient, range(3) if name == "a" else range(3, 5))
            send(producer, recipient, [7], kind="alert", partition=1)
    with consumer(broker, recipient, kinds=("alert", "sighting")) as views:
        seen = [(each.kind, each.id, each.partition) for each in views]

    known = numbers(recipient, 8)
    assert [known[identifier] for kind, identifier, _ in seen if kind == "sighting"] == [0, 1, 2, 3, 4]
    assert [(kind, partition) for kind, _, partition in seen if kind == "alert"] == [("alert", 1)] * 2


def test_an_empty_topic_ends_at_once(broker: Broker, recipient: str) -> None:
    """Nothing there is an end too, with a group and without one."""
    for group in (None, f"{recipient}.desk"):
        with consumer(broker, recipient, group=group) as views:
            assert list(views) == []


def test_what_was_aborted_or_is_open_is_not_shown(broker: Broker, recipient: str) -> None:
    """Only committed views are seen, and a transaction that is still open does not keep a reader from its end."""
    with transaction(broker, f"{recipient}.a") as producer:
        send(producer, recipient, [0])
    with transaction(broker, f"{recipient}.b", commit=False) as producer:
        send(producer, recipient, [1])
    with transaction(broker, f"{recipient}.c") as producer:
        send(producer, recipient, [2])
        producer.flush(30)
        with consumer(broker, recipient) as views:
            before = [each.id for each in views]
    with consumer(broker, recipient) as views:
        after = [each.id for each in views]

    known = numbers(recipient, 3)
    assert [known[identifier] for identifier in before] == [0]
    assert [known[identifier] for identifier in after] == [0, 2]


def test_a_group_goes_on_where_its_blocks_ended(broker: Broker, recipient: str) -> None:
    """A view whose block did not end comes again, the ones before it do not, and no view is left out."""
    with transaction(broker, recipient) as producer:
        send(producer, recipient, range(5))
    known = numbers(recipient, 5)
    group = f"{recipient}.desk"
    seen: list[list[int]] = []
    for stop in (1, 3, 99):
        seen.append([])
        with (
            pytest.raises(ZeroDivisionError) if stop < 99 else consumer(broker, recipient) as _,
            consumer(broker, recipient, group=group) as views,
        ):
            for each in views:
                seen[-1].append(known[each.id])
                if known[each.id] == stop:
                    raise ZeroDivisionError
    with consumer(broker, recipient, group=group) as views:
        rest = list(views)

    assert seen == [[0, 1], [1, 2, 3], [3, 4]]
    assert rest == []


def test_a_group_at_the_end_has_no_lag(broker: Broker, recipient: str) -> None:
    """The position moves past the marks of transactions too, so that lag is nought when everything is done."""
    group = f"{recipient}.desk"
    with transaction(broker, recipient) as producer:
        send(producer, recipient, range(3))
    with consumer(broker, recipient, group=group) as views:
        assert len(list(views)) == 3

    assert position(broker, recipient, group) == 4  # three views and the mark of their transaction


def test_leaving_a_loop_keeps_the_view_for_next_time(broker: Broker, recipient: str) -> None:
    """Nobody can tell whether the block had its effect when it was left by break, so the view comes again."""
    with transaction(broker, recipient) as producer:
        send(producer, recipient, range(2))
    known = numbers(recipient, 2)
    seen = []
    for _ in range(2):
        with consumer(broker, recipient, group=f"{recipient}.desk") as views:
            for each in views:
                seen.append(known[each.id])
                break

    assert seen == [0, 0]


def test_without_a_group_nothing_is_remembered(broker: Broker, recipient: str) -> None:
    """Each reading begins at the beginning, and sees what the one before it saw."""
    with transaction(broker, recipient) as producer:
        send(producer, recipient, range(3))
    found = []
    for _ in range(2):
        with consumer(broker, recipient) as views:
            found.append([each.offset for each in views])

    assert found == [[0, 1, 2], [0, 1, 2]]


def test_what_comes_after_the_start_is_left_for_next_time(broker: Broker, recipient: str) -> None:
    """Reading to the end ends at what was there at the start, and a group takes the rest later."""
    group = f"{recipient}.desk"
    known = numbers(recipient, 4)
    with transaction(broker, f"{recipient}.a") as producer:
        send(producer, recipient, [0, 1])
    seen = []
    with consumer(broker, recipient, group=group) as views:
        for each in views:
            seen.append(known[each.id])
            if len(seen) == 1:
                with transaction(broker, f"{recipient}.b") as producer:
                    send(producer, recipient, [2, 3])
    with consumer(broker, recipient, group=group) as views:
        rest = [known[each.id] for each in views]

    assert (seen, rest) == ([0, 1], [2, 3])


def test_bytes_that_are_no_view_are_never_skipped(broker: Broker, recipient: str) -> None:
    """Without on_bad they raise, with their place and nothing of what they hold, again at each start; with it they go by."""
    group = f"{recipient}.desk"
    with transaction(broker, recipient) as producer:
        send(producer, recipient, [0])
        producer.produce(**message(topic(recipient, "sighting"), b"\x00secret of somebody"), partition=0)
        send(producer, recipient, [1])
    for _ in range(2):
        with pytest.raises(Undecodable) as raised, consumer(broker, recipient, group=group) as views:
            list(views)
    bad: list[BadDelivery] = []
    with consumer(broker, recipient, group=group, on_bad=bad.append) as views:
        seen = [each.offset for each in views]

    assert f"{topic(recipient, 'sighting')}, partition 0, offset 1" in str(raised.value)
    assert "secret" not in str(raised.value)
    assert raised.value.code == "unknown-schema"
    assert [(each.offset, each.content) for each in bad] == [(1, b"\x00secret of somebody")]
    assert seen == [2]
    assert position(broker, recipient, group) == 4


def test_a_view_of_another_recipient_is_not_passed_on(broker: Broker, recipient: str) -> None:
    """Should a view for somebody else ever stand on this topic, its content is put aside, not shown."""
    with transaction(broker, recipient) as producer:
        producer.produce(**message(topic(recipient, "sighting"), codec().encode("sighting", view("sighting", recipient="france"))))
    with pytest.raises(Undecodable, match="not-a-view"), consumer(broker, recipient) as views:
        list(views)


def test_what_the_bus_did_not_sign_is_no_view(broker: Broker, recipient: str) -> None:
    """A view that anybody else put on this topic, by the letter as the bus makes them, is put aside with the reason."""
    frame = codec().encode("sighting", view("sighting", recipient=recipient))
    with transaction(broker, recipient) as producer:
        producer.produce(topic(recipient, "sighting"), frame, partition=0)
        producer.produce(**{**message(topic(recipient, "sighting"), frame), "key": b"another"}, partition=0)
    bad: list[BadDelivery] = []
    with consumer(broker, recipient, on_bad=bad.append) as views:
        seen = list(views)

    assert [] == seen
    assert ["unsigned", "bad-signature"] == [each.code for each in bad]


def test_two_members_of_a_group_share_the_views(broker: Broker, recipient: str) -> None:
    """What one was given and did not end goes to the other when it leaves; nothing is lost between them."""
    with transaction(broker, recipient) as producer:
        send(producer, recipient, range(10), partition=0)
        send(producer, recipient, range(10, 20), partition=1)
    known = numbers(recipient, 20)
    group = f"{recipient}.desk"
    seen: set[int] = set()
    with consumer(broker, recipient, group=group, until_end=False) as first:
        for each in first:
            seen.add(known[each.id])
            if len(seen) == 5:
                break
        first.commit()
        with consumer(broker, recipient, group=group, until_end=False) as second:
            open_members = [first, second]
            while len(seen) < 20:
                for member in open_members:
                    found = member.poll(0.2)
                    if found is not None:
                        assert not isinstance(found, BadDelivery)
                        seen.add(known[found.id])
                        member.done(found)

    assert seen == set(range(20))


def test_reading_to_the_end_waits_for_the_others_of_its_group(broker: Broker, recipient: str) -> None:
    """What another member holds is not passed over: when it leaves without having done it, it is read."""
    with transaction(broker, recipient) as producer:
        send(producer, recipient, range(3), partition=0)
        send(producer, recipient, range(3, 6), partition=1)
    known = numbers(recipient, 6)
    group = f"{recipient}.desk"
    seen: set[int] = set()
    with ExitStack() as stack:
        # It holds both partitions until the other comes, so that neither can read them all before they share.
        idle = stack.enter_context(consumer(broker, recipient, group=group, until_end=False))
        while len(idle._reader._client.assignment()) != 2:
            idle._reader.rest(0.2)
        with consumer(broker, recipient, group=group) as busy:
            while len(seen) < 3:
                idle._reader.rest(0.2)
                found = busy.poll(0.2)
                if isinstance(found, Delivery):
                    seen.add(known[found.id])
                    busy.done(found)
                    busy.commit()
            finished_early = busy.finished
            stack.close()
            for each in busy:
                seen.add(known[each.id])

    assert not finished_early
    assert seen == set(range(6))


def test_a_broker_that_is_restarted_is_read_on(own_broker: Broker) -> None:
    """The consumer that was reading goes on by itself, its group loses no view, and its positions are remembered."""
    recipient = "rcoc"
    admin = AdminClient({"bootstrap.servers": own_broker.bootstrap})
    admin.create_topics([NewTopic(topic(recipient, "sighting"), 1)])[topic(recipient, "sighting")].result(30)
    known = numbers(recipient, 6)
    with transaction(own_broker, "a") as producer:
        send(producer, recipient, range(3))
    seen = []
    with consumer(own_broker, recipient, group="desk", until_end=False) as views:
        for each in views:
            seen.append(known[each.id])
            if len(seen) == 2:
                own_broker.restart()
                with transaction(own_broker, "b") as producer:
                    send(producer, recipient, range(3, 6))
            if known[each.id] == 5:
                views.done(each)
                break
    with consumer(own_broker, recipient, group="desk") as views:
        rest = list(views)

    assert sorted(set(seen)) == [0, 1, 2, 3, 4, 5]
    assert rest == []


def test_a_topic_that_is_not_there_is_told(broker: Broker, recipient: str) -> None:
    """A recipient or kind without a topic is told so at once, instead of being waited for."""
    with pytest.raises(Unavailable, match=f"for.{recipient}.interception is missing or not yours"):
        consumer(broker, recipient, kinds=("interception",)).__enter__()


def test_a_broker_that_is_not_there_is_told(unique: Callable[[str], str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says what to look at."""
    monkeypatch.setattr("boutre.connectors.kafka_views.ANSWER_SECONDS", 1.0)
    with pytest.raises(Unavailable, match="BOUTRE_KAFKA__"):
        Consumer({"bootstrap.servers": "127.0.0.1:1", "log_level": 0}, proving(), recipient=unique("rcoc")).__enter__()


def test_a_kind_that_is_no_view_is_told() -> None:
    """Receipts and rejects are no recipient's."""
    with pytest.raises(DeclarationError, match="reject"):
        Consumer({}, proving(), recipient="rcoc", kinds=("reject",))
