"""
A bare loop: confluent-kafka in plain Python, with the same state, changelog and transactions, and nothing else.

It is what somebody would write who knows Kafka well: no step that could be swapped, no rejects, no metrics, no second try. Whatever
goes wrong ends it, and who starts it again goes on from what was committed. One transaction holds the outputs, the changes of
state and the offsets of up to 2,000 records; the store of each partition is written after the commit, with its position in the
changelog. Its transactions are fenced by the consumer's group, so that one producer serves all partitions.
"""

from __future__ import annotations

import signal
from collections import defaultdict
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, Producer, TopicPartition
from rocksdict import Options, Rdict, WriteBatch

from benchmarks.contenders.told import Told, told
from benchmarks.work import work_of

POSITION = b"\0position"
"""The key, which no id has, under which a store keeps how far of its changelog it holds."""


class Loop:
    """
    The loop, and the stores of the partitions that it has.
    """

    def __init__(self, call: Told) -> None:
        self.call = call
        self.work = work_of(call.means, signed=call.signed)
        self.running = True
        self.stores: dict[int, Rdict] = {}
        self.kafka = {"bootstrap.servers": call.bootstrap, "isolation.level": "read_committed", "enable.auto.commit": False}
        self.consumer = Consumer({**self.kafka, "group.id": call.group, "auto.offset.reset": "earliest"})
        identity = {"bootstrap.servers": call.bootstrap, "transactional.id": f"{call.group}-{Path(call.data).name}"}
        self.producer: Any = Producer({**identity, "partitioner": "murmur2_random", "compression.type": "lz4"})

    def run(self) -> None:
        """Run until told to stop."""
        self.producer.init_transactions()
        self.consumer.subscribe([self.call.reads], on_assign=self.assigned, on_revoke=self.revoked)
        while self.running:
            if messages := self.consumer.consume(self.call.options["batch"], 0.1):
                self.transaction(messages)
        self.consumer.close()

    def transaction(self, messages: list[Any]) -> None:
        """Do the work for *messages* in one transaction, then write what is to be remembered."""
        changes: dict[int, dict[bytes, bytes]] = defaultdict(dict)
        offsets: dict[int, int] = {}
        positions: dict[int, int] = {}
        self.producer.begin_transaction()
        for message in messages:
            if message.error():
                raise RuntimeError(message.error().name())
            partition = message.partition()
            offsets[partition] = message.offset() + 1
            decoded = self.work.read(message.topic(), message.value(), dict(message.headers() or ()))
            known, key = changes[partition], decoded.value["id"].encode()
            if key in known or key in self.stores[partition]:
                continue
            known[key] = b"1"
            self.producer.produce(self.call.writes, self.work.view(decoded), message.key(), timestamp=message.timestamp()[1])

        def delivered(_error: Any, message: Any) -> None:
            # An error fails the commit, and so the loop.
            positions[message.partition()] = message.offset() + 1

        for partition, known in changes.items():
            last = len(known) - 1
            for number, key in enumerate(known):
                asked = {"on_delivery": delivered} if number == last else {}
                self.producer.produce(self.call.changelog, b"1", key, partition, **asked)
        committed = [TopicPartition(self.call.reads, partition, offset) for partition, offset in offsets.items()]
        self.producer.send_offsets_to_transaction(committed, self.consumer.consumer_group_metadata())
        self.producer.commit_transaction()
        for partition, position in positions.items():
            batch = WriteBatch(raw_mode=True)
            for key, remembered in {**changes[partition], POSITION: b"%d" % position}.items():
                batch.put(key, remembered)
            self.stores[partition].write(batch)

    def assigned(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Open the stores, and read what each does not hold yet of its changelog."""
        # Asked first: it answers once the last owner's transactions are over, so that the changelog below is whole.
        consumer.committed(partitions, 30)
        for partition in partitions:
            self.stores[partition.partition] = self.restored(partition.partition)

    def revoked(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Close the stores: called between two transactions, never within one."""
        for partition in partitions:
            self.stores.pop(partition.partition).close()

    def restored(self, partition: int) -> Any:
        """Give the store of a partition, brought to the end of its changelog."""
        store = Rdict(f"{self.call.data}/{partition}", Options(raw_mode=True))
        reader: Any = Consumer({**self.kafka, "group.id": f"{self.call.group}-changelog"})
        begin, end = reader.get_watermark_offsets(TopicPartition(self.call.changelog, partition), 30)
        position = max(begin, int(store.get(POSITION) or 0))
        reader.assign([TopicPartition(self.call.changelog, partition, position)])
        while position < end:
            for message in reader.consume(5_000, 0.05):
                store[message.key()] = message.value()
            position = max(position, reader.position([TopicPartition(self.call.changelog, partition)])[0].offset)
        store[POSITION] = b"%d" % position
        reader.close()
        return store


if __name__ == "__main__":
    loop = Loop(told())
    signal.signal(signal.SIGTERM, lambda *_: setattr(loop, "running", False))
    loop.run()
