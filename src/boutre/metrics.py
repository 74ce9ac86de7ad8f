"""
Every metric of the bus, declared once: name, meaning, labels.

Labels come from declared sets only (stages, outcomes, reasons, members, recipients, feeds); no value of a record is ever one.
Durations are seconds. ``serve`` starts the page ``/metrics`` of a process.
"""

from __future__ import annotations

import math
import shutil
import time
from pathlib import Path
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, start_http_server

from boutre import __version__
from boutre.health import beside
from boutre.lateness import BOUNDS, LatenessHistogram, Tally

REGISTRY = CollectorRegistry(auto_describe=True)

RECORDS = Counter(
    "boutre_records",
    "Records by the stage that handled them and what came of them.",
    ("stage", "outcome"),
    registry=REGISTRY,
)
REASONS = Counter(
    "boutre_reasons",
    "Records that were dropped, withheld or rejected, by stage and declared reason.",
    ("stage", "outcome", "reason"),
    registry=REGISTRY,
)
RELEASES = Counter(
    "boutre_releases",
    "Decisions of release by recipient, kind and outcome.",
    ("recipient", "kind", "outcome"),
    registry=REGISTRY,
)
STEP_SECONDS = Counter(
    "boutre_step_seconds",
    "Time spent in steps, without Kafka; by the rate of boutre_records_total it is the time for one record.",
    ("stage",),
    registry=REGISTRY,
)
BATCH_SECONDS = Histogram(
    "boutre_batch_seconds",
    "Time from the first step of a batch until its transaction was committed.",
    ("stage",),
    buckets=(0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0),
    registry=REGISTRY,
)
TRANSACTIONS = Counter(
    "boutre_transactions",
    "Transactions by stage and end: committed or aborted.",
    ("stage", "end"),
    registry=REGISTRY,
)
WORKER_PARTITIONS = Gauge(
    "boutre_worker_partitions",
    "Partitions of its processor that this worker has, with their state restored.",
    ("stage",),
    registry=REGISTRY,
)
STATE_KEYS = Gauge(
    "boutre_state_keys",
    "Keys that are remembered, by stage, partition and class of keys.",
    ("stage", "partition", "class"),
    registry=REGISTRY,
)
STATE_FORGOTTEN = Counter(
    "boutre_state_forgotten",
    "Keys that were forgotten: because their window has passed, or because there were more than the most of their class.",
    ("stage", "why"),
    registry=REGISTRY,
)
STATE_RESTORED = Counter(
    "boutre_state_restored",
    "Records of the changelog that were read to restore what is remembered.",
    ("stage",),
    registry=REGISTRY,
)
STATE_RESTORE_SECONDS = Histogram(
    "boutre_state_restore_seconds",
    "Time from opening the changelog of a partition until its state was restored.",
    ("stage",),
    buckets=(0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0),
    registry=REGISTRY,
)
CONNECTOR_LAST_SUCCESS = Gauge(
    "boutre_connector_last_success_timestamp_seconds",
    "When the broker last acknowledged a record of this feed, in seconds since 1970.",
    ("feed",),
    registry=REGISTRY,
)
SPOOL_DROPPED = Counter(
    "boutre_spool_dropped",
    "Messages that a full spool had to drop, by feed.",
    ("feed",),
    registry=REGISTRY,
)
CASE_KEYS_WAITING = Gauge(
    "boutre_case_keys_waiting",
    "Case keys that were issued to a member and not seen in use: what its pools have left, and what crashes left over.",
    ("member",),
    registry=REGISTRY,
)
CASE_KEYS_DESTROYED = Counter(
    "boutre_case_keys_destroyed",
    "Case keys that this process destroyed, by the member whose records were erased.",
    ("member",),
    registry=REGISTRY,
)
LATENESS = LatenessHistogram(
    "boutre_lateness_seconds",
    "How late records came to a hop. sent: since the event; published: since the connector sent it; any other: since it was sent.",
    ("hop", "member", "recipient", "kind"),
    buckets=BOUNDS,
    registry=REGISTRY,
)
LATENESS_AHEAD = Counter(
    "boutre_lateness_ahead",
    "Records that came to a hop before the time from which they are late: a clock is wrong. They are not in the histogram.",
    ("hop", "member", "recipient", "kind"),
    registry=REGISTRY,
)
LATENESS_UNKNOWN = Counter(
    "boutre_lateness_unknown",
    "Records of which nobody can say how late they came to a hop: they do not say when, or it was withheld.",
    ("hop", "member", "recipient", "kind"),
    registry=REGISTRY,
)
SENDER_CLOCK = Gauge(
    "boutre_sender_clock_ahead_seconds",
    "How far ahead of the broker's clock that of the machine was which last sent for a member; below 0: behind, or it waited.",
    ("member", "kind"),
    registry=REGISTRY,
)
DEADLINES = Counter(
    "boutre_deadlines",
    "Accepted records by class of deadline and outcome: met, missed, or unknown where they do not say when.",
    ("member", "kind", "class", "outcome"),
    registry=REGISTRY,
)
ALERTS_WAITING = Gauge(
    "boutre_alerts_waiting",
    "Alerts of the bus that wait for a person, by class of deadline; exercises are not among them.",
    ("recipient", "class"),
    registry=REGISTRY,
)
ALERTS_OVERDUE = Gauge(
    "boutre_alerts_overdue",
    "Those whose deadline has passed.",
    ("recipient", "class"),
    registry=REGISTRY,
)
ALERTS_EXPIRED = Gauge(
    "boutre_alerts_expired",
    "Alerts of the bus that ended before anybody had dealt with them, as long as they are remembered.",
    ("recipient", "class"),
    registry=REGISTRY,
)
ALERTS_OLDEST = Gauge(
    "boutre_alerts_oldest_waiting_seconds",
    "How long the oldest of them has waited; 0 where none waits.",
    ("recipient", "class"),
    registry=REGISTRY,
)
PROBE_SECONDS = Histogram(
    "boutre_probe_seconds",
    "Time from publishing an exercise record of the probe until its recipient had the view of it.",
    ("feed", "recipient"),
    buckets=(0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0),
    registry=REGISTRY,
)
PROBE_ROUNDS = Counter(
    "boutre_probe_rounds",
    "Rounds of the probe by outcome: arrived, late (after it was given up), lost (not there in time), withheld, unsent.",
    ("feed", "recipient", "outcome"),
    registry=REGISTRY,
)
PROBE_LAST_SECONDS = Gauge(
    "boutre_probe_last_seconds",
    "How long the round of the probe took that arrived last.",
    ("feed", "recipient"),
    registry=REGISTRY,
)
PROBE_LAST_SUCCESS = Gauge(
    "boutre_probe_last_success_timestamp_seconds",
    "When a round of the probe last arrived in time, in seconds since 1970; 0: never.",
    ("feed", "recipient"),
    registry=REGISTRY,
)
PROCESS_START = Gauge(
    "boutre_process_start_timestamp_seconds",
    "When this process began, in seconds since 1970: worker, connector, sink or follower, and what it runs.",
    ("kind", "name"),
    registry=REGISTRY,
)
DISK_FREE = Gauge(
    "boutre_disk_free_bytes",
    "Bytes that are free on the disk on which this process keeps its state; NaN where it cannot be asked.",
    registry=REGISTRY,
)
DISK_SIZE = Gauge(
    "boutre_disk_size_bytes",
    "Bytes of that disk.",
    registry=REGISTRY,
)
DISK_FREE.set(math.nan)
DISK_SIZE.set(math.nan)
BUILD = Info("boutre_build", "Version of the bus.", registry=REGISTRY)
BUILD.info({"version": __version__})


def late(hop: str, tally: Tally, *, member: str = "", recipient: str = "", kind: str) -> None:
    """
    Count how late records came to a hop; *member* or *recipient* is whose they are there, and all are names that are declared.
    """
    labels = (hop, member, recipient, kind)
    if any(tally.counts):
        LATENESS.labels(*labels).take(tally.counts, tally.total)
    if tally.ahead:
        LATENESS_AHEAD.labels(*labels).inc(tally.ahead)
    if tally.unknown:
        LATENESS_UNKNOWN.labels(*labels).inc(tally.unknown)


def runs(kind: str, name: str, state: Path) -> None:
    """
    Tell what this process is and when it began, and how much room the disk of its folder *state* has, at each scrape anew.
    """
    PROCESS_START.labels(kind, name).set(time.time())
    DISK_FREE.set_function(lambda: _disk(state, "free"))
    DISK_SIZE.set_function(lambda: _disk(state, "total"))


def _disk(state: Path, what: Literal["free", "total"]) -> float:
    # The folder may not be there yet: then that in which it would be made.
    for folder in (state.absolute(), *state.absolute().parents):
        try:
            return float(getattr(shutil.disk_usage(folder), what))
        except FileNotFoundError:
            continue
        except OSError:
            break
    return math.nan


def serve(port: int, address: str = "127.0.0.1") -> int:
    """
    Serve ``/metrics`` on *address*, and ``/readyz`` and ``/healthz`` beside it; port 0 takes a free one. Returns the port.
    """
    server, _ = start_http_server(port, address, registry=REGISTRY)
    page = server.get_app()
    assert page is not None  # set by the line above
    server.set_app(beside(page))
    return int(server.server_port)
