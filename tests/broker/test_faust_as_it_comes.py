"""
What Faust loses, repeats and shows as it comes. Each test says what should hold, and is expected to fail.

These are the reasons for the transport and the shards of this project. A version of Faust that mends one makes its test pass, and
a test that passes unexpectedly fails the run: then the work-around can be looked at again. Only the defect named counts as the
expected failure; a worker that does not start, or a record that does not come, fails as everywhere.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from confluent_kafka import OFFSET_INVALID, Consumer, Producer, TopicPartition

from boutre.ops.broker import Broker

WORKER = Path(__file__).with_name("stock_worker.py")
PATIENCE_S = 40.0
POISON = b"poison"

Row = tuple[str, bytes]


class LostError(Exception):
    """
    A record has no outcome, and its group stands behind it: nobody will read it again.
    """


class ShownError(Exception):
    """
    A reader of what is committed sees what is not.
    """


class Stock:
    """
    A topic with one partition, another for what comes out, and one worker of stock Faust between them.
    """

    def __init__(self, broker: Broker, group: str, reads: str, writes: str, folder: Path) -> None:
        """Start nothing yet."""
        self.bootstrap, self.group, self.reads, self.writes, self.folder = broker.bootstrap, group, reads, writes, folder
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, case: str) -> subprocess.Popen[bytes]:
        """Start the worker of one case."""
        told = {
            "bootstrap": self.bootstrap, "case": case, "group": self.group, "reads": self.reads, "writes": self.writes,
            "data": str(self.folder),
        }  # fmt: skip
        with (self.folder / "worker.log").open("wb") as log:
            self.process = subprocess.Popen([sys.executable, str(WORKER), json.dumps(told)], stdout=log, stderr=log)
        return self.process

    def stop(self) -> None:
        """Kill it."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def log(self) -> str:
        """Give the end of what the worker wrote."""
        return (self.folder / "worker.log").read_text(encoding="utf-8", errors="replace")[-2000:]

    def send(self, rows: Sequence[Row], *, transaction: str | None = None) -> None:
        """Write rows in order; where a transaction's end is named (``commit``, ``abort``), as one."""
        config = {"bootstrap.servers": self.bootstrap, "enable.idempotence": True}
        producer = Producer({**config, "transactional.id": f"{self.group}-writer"} if transaction else config)
        if transaction:
            producer.init_transactions(30)
            producer.begin_transaction()
        for key, value in rows:
            producer.produce(self.reads, value, key.encode())
        assert producer.flush(30) == 0
        if transaction == "commit":
            producer.commit_transaction(30)
        elif transaction == "abort":
            producer.abort_transaction(30)

    def out(self, wanted: str | None = None) -> list[str]:
        """Give the keys that came out, as a reader of what is committed sees them; wait for *wanted* where it is given."""
        reader = self._reader()
        reader.assign([TopicPartition(self.writes, 0, 0)])
        keys: list[str] = []
        until = time.monotonic() + PATIENCE_S
        end = reader.get_watermark_offsets(TopicPartition(self.writes, 0), timeout=30)[1]
        while time.monotonic() < until:
            keys += [(message.key() or b"").decode() for message in reader.consume(100, 0.2) if not message.error()]
            (position,) = reader.position([TopicPartition(self.writes, 0)])
            if wanted in keys or (wanted is None and (position.offset >= end or end == 0)):
                break
        reader.close()
        return keys

    def committed(self, wanted: int) -> int:
        """Give how far the group stands: wait until that is *wanted* or more."""
        reader = self._reader()
        until = time.monotonic() + PATIENCE_S
        while True:
            (found,) = reader.committed([TopicPartition(self.reads, 0)], timeout=30)
            stands = int(found.offset)
            if stands >= wanted or time.monotonic() >= until:
                break
            time.sleep(0.1)
        reader.close()
        return stands

    def _reader(self) -> Consumer:
        return Consumer(
            {
                "bootstrap.servers": self.bootstrap,
                "group.id": self.group,
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
            }
        )


@pytest.fixture
def stock(
    broker: Broker, unique: Callable[[str], str], new_topic: Callable[..., str], tmp_path: Path
) -> Iterator[Callable[..., Stock]]:
    """
    Makes a place for a worker of stock Faust; *out* is the configuration of the topic that it writes.
    """
    made: list[Stock] = []

    def make(**out: str) -> Stock:
        one = Stock(broker, unique("stock"), new_topic("stock-in"), new_topic("stock-out", config=out), tmp_path)
        made.append(one)
        return one

    yield make
    for one in made:
        one.stop()


def nothing_lost(stock: Stock, rows: Sequence[Row], sure: str) -> None:
    """
    Every record has come out, or the group stands before it; *sure* is a key that comes out whatever Faust does, and is waited for.

    Raises LostError where a record is in neither case.
    """
    assert sure in stock.out(sure), stock.log()
    stands = stock.committed(len(rows))
    found = stock.out()
    lost = [key for offset, (key, _) in enumerate(rows) if key not in found and offset < stands]
    if lost:
        raise LostError(f"{lost} did not come out, and the group stands at {stands} of {len(rows)}")


@pytest.mark.xfail(strict=True, raises=LostError, reason="faust acks a record whose agent raised, and never tries it again")
def test_a_record_at_which_an_agent_raises_is_not_lost(stock: Callable[..., Stock]) -> None:
    """
    A record at which an agent raised has no outcome: the group's position stays before it.
    """
    made = stock()
    rows = [("a", b"1"), ("b", POISON), ("c", b"3")]
    made.send(rows)
    made.start("raises")

    nothing_lost(made, rows, "a")


@pytest.mark.xfail(strict=True, raises=LostError, reason="faust acks what it cannot decode before anybody hears of it")
def test_a_value_that_cannot_be_decoded_is_not_lost(stock: Callable[..., Stock]) -> None:
    """
    A value that cannot be decoded has no outcome: the group's position stays before it, or its owner is told.
    """
    made = stock()
    rows = [("a", b"1"), ("b", b"\xff{"), ("c", b"3")]
    made.send(rows)
    made.start("undecodable")

    nothing_lost(made, rows, "a")


@pytest.mark.xfail(strict=True, raises=LostError, reason="faust counts from the first ack, not from the first record (faust#606)")
def test_what_one_of_two_tasks_still_holds_is_not_lost_by_a_kill(stock: Callable[..., Stock]) -> None:
    """
    With ``concurrency=2`` one task is at a record when the worker is killed: the group's position stays before that record.
    """
    made = stock()
    rows = [("a", POISON), *((f"b{number}", b"1") for number in range(6))]
    made.send(rows)
    process = made.start("two-at-once")
    assert "b5" in made.out("b5"), made.log()
    made.committed(len(rows))
    process.send_signal(signal.SIGKILL)
    process.wait()

    nothing_lost(made, rows, "b5")


@pytest.mark.xfail(
    strict=True, raises=ShownError, reason="faust's exactly_once writes outputs outside its transactions (faust#177)"
)
def test_what_exactly_once_did_not_commit_is_not_seen(stock: Callable[..., Stock]) -> None:
    """
    A worker in the mode ``exactly_once`` is killed before it commits: a reader of what is committed sees nothing of it.

    Nothing of its input is committed either, so that whoever goes on writes all of it again: that is where duplicates come from.
    """
    made = stock()
    made.send([("a", b"1"), ("b", b"2")])
    process = made.start("exactly-once")
    assert process.wait(PATIENCE_S) == -signal.SIGKILL, made.log()
    assert made.committed(OFFSET_INVALID) == OFFSET_INVALID

    seen = made.out()
    if seen:
        raise ShownError(f"{seen} are seen, and nothing is committed")


@pytest.mark.xfail(strict=True, raises=ShownError, reason="faust reads read_uncommitted outside its own exactly_once")
def test_what_was_aborted_is_not_read(stock: Callable[..., Stock]) -> None:
    """
    A record that its writer took back, by aborting the transaction, is not delivered to an agent.
    """
    made = stock()
    made.send([("aborted", b"1")], transaction="abort")
    made.send([("committed", b"2")], transaction="commit")
    made.start("aborted")

    seen = made.out("committed")
    assert "committed" in seen, made.log()
    if "aborted" in seen:
        raise ShownError("an aborted record is read")


@pytest.mark.xfail(strict=True, raises=LostError, reason="faust only logs what the broker refused, and commits the record's offset")
def test_what_the_broker_refuses_is_not_lost(stock: Callable[..., Stock]) -> None:
    """
    The broker refuses an output: the record that it came from has no outcome, and the group's position stays before it.
    """
    made = stock(**{"max.message.bytes": "1000"})
    rows = [("a", b"1"), ("b", b"x" * 2000)]
    made.send(rows[:1])
    made.start("too-large")
    assert "a" in made.out("a"), made.log()  # else both might be one batch, and be refused together
    made.send(rows[1:])

    nothing_lost(made, rows, "a")
