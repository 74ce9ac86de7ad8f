"""
Traces through a whole bus, as a collector of OpenTelemetry gets them: every hop is there, and nothing of what a record holds.
"""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, KafkaError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from boutre.ops.broker import Broker
from whole_bus import made_ready, started

PROCESSES = (
    ("worker", "accept-reports"),
    ("worker", "release"),
    ("worker", "correlate"),
    ("connector", "run", "incidents-imb", "--once"),
    ("sink", "run", "jsonl", "rcoc", "--set", "folder=out", "--once"),
)
HOPS = {"connector incidents-imb", "worker accept-reports", "worker release"}


@dataclass
class Collector:
    """What was sent to a collector: for each span who told it, and what."""

    spans: list[tuple[str, Any]] = field(default_factory=list)

    def take(self, request: ExportTraceServiceRequest) -> None:
        """Take what one process sent."""
        for resource in request.resource_spans:
            names = {each.key: each.value.string_value for each in resource.resource.attributes}
            for scope in resource.scope_spans:
                self.spans += [(names["service.name"], span) for span in scope.spans]

    def by_trace(self) -> dict[bytes, list[tuple[str, Any]]]:
        """Give the spans of each trace."""
        traces: dict[bytes, list[tuple[str, Any]]] = {}
        for name, span in self.spans:
            traces.setdefault(span.trace_id, []).append((name, span))
        return traces


@contextmanager
def collecting() -> Iterator[tuple[Collector, str]]:
    """A collector that speaks OTLP over HTTP, and its address."""
    got = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            data = self.rfile.read(int(self.headers["content-length"]))
            request = ExportTraceServiceRequest()
            request.ParseFromString(gzip.decompress(data) if self.headers.get("content-encoding") == "gzip" else data)
            got.take(request)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield got, f"http://127.0.0.1:{server.server_port}/v1/traces"
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def folder(own_broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which a whole bus is ready to be started."""
    return made_ready(own_broker, tmp_path, monkeypatch)


def test_every_hop_is_told_and_two_recipients_share_no_trace(
    folder: Path, own_broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    One trace leads from a connector through acceptance and release; what a recipient gets has its own, in which its sink goes on.

    No view carries the record's trace, two recipients have none in common, and no span says anything that a record holds.
    """
    with collecting() as (got, address):
        monkeypatch.setenv("BOUTRE_TRACES__ENDPOINT", address)
        with started(folder, *PROCESSES[:3]) as workers:
            for worker in workers:
                worker.await_ready()
            with started(folder, PROCESSES[3]) as (connector,):
                assert 0 == connector.process.wait(120)
            headers = seen(own_broker, "for.rcoc.sighting", "for.rmifc.sighting", least=20)
            with started(folder, PROCESSES[4]) as (sink,):
                assert 0 == sink.process.wait(120)
            assert {0} == {worker.stop() for worker in workers}
    whole = [trace for trace, spans in got.by_trace().items() if {name for name, _ in spans} >= HOPS]
    assert whole
    trees = [(name, span) for name, span in got.spans if span.trace_id in whole]
    ids = {span.span_id for _, span in trees}
    assert all(span.parent_span_id in ids for name, span in trees if not name.startswith("connector"))
    views = {topic: {trace_of(each) for each in every} for topic, every in headers.items()}
    released = [span for name, span in got.spans if span.links]
    assert released
    assert {link.trace_id for span in released for link in span.links} <= {span.trace_id for _, span in got.spans if not span.links}
    of_views = {span.trace_id for span in released}
    for told in views.values():
        assert told <= {trace.hex() for trace in of_views}
    assert not views["for.rcoc.sighting"] & views["for.rmifc.sighting"]
    assert any(name == "sink jsonl of rcoc" and span.trace_id in of_views for name, span in got.spans)
    assert {
        "messaging.system", "messaging.operation.type", "messaging.destination.name", "messaging.destination.partition.id",
        "messaging.kafka.offset", "boutre.stage", "boutre.outcome", "boutre.reason",
    } >= {each.key for _, span in got.spans for each in span.attributes}  # fmt: skip


def trace_of(headers: Mapping[str, bytes]) -> str:
    """The id of the trace that a header tells, in hexadecimal; there is one header."""
    return headers["traceparent"].decode().split("-")[1]


def seen(broker: Broker, *topics: str, least: int) -> dict[str, list[dict[str, bytes]]]:
    """The headers of all that is on topics, once each has *least* records."""
    own = {
        "bootstrap.servers": broker.bootstrap,
        "group.id": "headers",
        "auto.offset.reset": "earliest",
        "enable.auto.commit": False,
    }
    found: dict[str, list[dict[str, bytes]]] = {topic: [] for topic in topics}
    client = Consumer(own)
    try:
        client.subscribe(list(topics))
        quiet = 0
        while quiet < 3 or min(map(len, found.values())) < least:
            message = client.poll(1.0)
            if message is None:
                quiet += 1
                assert quiet < 90, {topic: len(each) for topic, each in found.items()}
                continue
            error: KafkaError | None = message.error()
            assert error is None, error
            told: Any = message.headers() or []  # The stubs know several forms, of which a consumer gives one.
            assert len(told) == len(dict(told)), "a header is there twice"
            found[str(message.topic())].append(dict(told))
            quiet = 0
    finally:
        client.close()
    return found
