"""
(f) Bytes on the wire: what a record comes to on its way, by itself and as Kafka compresses it in batches.

Records of three kinds go through the bus in memory, signed as their feed signs them; what it wrote is then written to topics of a
real broker without compression, with lz4 and with zstd, and the files of those topics are measured. A batch holds up to
``BATCH`` records, as on a busy day; a report that travels alone is compressed by itself, and gains less.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from confluent_kafka import Producer

from benchmarks.kafka import drop_topics, make_topics
from benchmarks.work import ROOT
from boutre.connectors.sdk import Raw
from boutre.ops.assembly import assemble
from boutre.ops.connector_command import Desk
from boutre.ops.settings import Settings
from boutre.processors.decision import Outbound
from boutre.processors.handle import Handler
from boutre.processors.local import LocalBus
from boutre.schemas.keys import KeyFolder

BATCH: Final = 100
CODECS: Final = ("none", "lz4", "zstd")
MOST: Final = 2_000
ACCEPTED: Final = 1_790_000_000_000
FEEDS: Final = {
    "ais-demonstration": "position by AIS",
    "incidents-imb": "incident",
    "forms-comoros": "interception on a form",
}


@dataclass(frozen=True, slots=True)
class Weight:
    """
    Bytes for each record of one kind at one stage: of its value, with key and headers, and on the broker's disk by compression.
    """

    record: str
    stage: str
    count: int
    value: float
    message: float
    none: float
    lz4: float
    zstd: float


def weights(bootstrap: str, data: Path, folder: Path, done: Callable[[str], None]) -> Iterator[Weight]:
    """
    Weigh every kind at every stage; *data* is where the broker keeps its topics.
    """
    settings = Settings(bus=ROOT, keys=folder / "keys", state=folder / "state")
    assembly = assemble(ROOT)
    keys = KeyFolder(settings.keys)
    keys.development(assembly.declarations.members, assembly.declarations.recipients)
    for feed, record in FEEDS.items():
        records = national(settings, feed)
        handlers = assembly.handlers(keys)
        bus = LocalBus(handlers)
        bus.publish(records)
        stages: dict[str, list[Outbound]] = {"national": records, "bus": [], "view": [], "receipt": []}
        for topic, written in bus.topics.items():
            stage = "receipt" if topic == "bus.receipt" else {"bus": "bus", "for": "view"}.get(topic.partition(".")[0])
            if stage == "view":
                stages[stage] += _finished(handlers, written)
            elif stage is not None:
                stages[stage] += written
        for stage, written in stages.items():
            if written:
                yield _weigh(bootstrap, data, record, stage, written)
        done(record)


def _finished(handlers: Sequence[Handler], views: Sequence[Outbound]) -> list[Outbound]:
    """Seal and sign the views of one topic as in transactions of so many records."""
    finish = next(one.processor.finish for one in handlers if one.processor.finish is not None)  # one signature, whoever writes
    return [out for at in range(0, len(views), BATCH) for out in finish(views[at : at + BATCH])]


def national(settings: Settings, name: str) -> list[Outbound]:
    """
    Make a feed's records as its connector does.
    """
    desk = Desk.of(settings)
    (feed,) = desk.feeds((name,))
    runner = desk.runner(feed, _Nowhere(), anew=True)
    items = [item for item in feed.source(feed.options) if isinstance(item, Raw)][:MOST]
    drafts = [runner.maker.draft(feed, item, runner.clock()) for item in items]
    accepted = [draft for draft in drafts if draft.reason is None]
    made = []
    for begin in range(0, len(accepted), feed.sign_batch):
        for one in runner.maker.signed(accepted[begin : begin + feed.sign_batch]):
            message = one.message
            made.append(Outbound(message.topic, message.key, message.value, ACCEPTED, message.headers))
    return made


def _weigh(bootstrap: str, data: Path, record: str, stage: str, written: Sequence[Outbound]) -> Weight:
    sizes = {}
    for codec in CODECS:
        topic = f"weight.{stage}.{codec}"
        make_topics(bootstrap, {topic: 1})
        producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                "compression.type": codec,
                "batch.num.messages": BATCH,
                "linger.ms": 1_000,
                "queue.buffering.max.messages": 1_000_000,
            }
        )
        for out in written:
            producer.produce(topic, out.value, out.key, headers=list(out.headers), timestamp=out.timestamp)
        producer.flush(60)
        sizes[codec] = sum(path.stat().st_size for path in (data / f"{topic}-0").glob("*.log")) / len(written)
        drop_topics(bootstrap, (topic,))
    value = sum(len(out.value) for out in written) / len(written)
    beside = sum(len(out.key) + sum(len(name) + len(content) for name, content in out.headers) for out in written) / len(written)
    return Weight(record, stage, len(written), value, value + beside, sizes["none"], sizes["lz4"], sizes["zstd"])


class _Nowhere:
    """A transport for a runner of which only the maker is used."""

    def send(self, *_: object) -> None:
        raise NotImplementedError

    def poll(self, _seconds: float) -> None:
        raise NotImplementedError

    def flush(self, _seconds: float) -> int:
        raise NotImplementedError
