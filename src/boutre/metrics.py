"""
Every metric of the bus, declared once: name, meaning, labels.

Labels come from declared sets only (stages, outcomes, reasons, members, recipients, feeds); no value of a record is ever one.
Durations are seconds. ``serve`` starts the page ``/metrics`` of a process.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, start_http_server

from boutre import __version__

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
BUILD = Info("boutre_build", "Version of the bus.", registry=REGISTRY)
BUILD.info({"version": __version__})


def serve(port: int, address: str = "127.0.0.1") -> int:
    """
    Serve ``/metrics`` on *address*; port 0 takes a free one. Returns the port.
    """
    server, _ = start_http_server(port, address, registry=REGISTRY)
    return int(server.server_port)
