"""
Spans: a trace goes on by what W3C's header says and by nothing else, and what leaves for a recipient says nothing of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from boutre.processors.decision import Outbound
from boutre.processors.handle import Handled
from boutre.processors.runtime.work import Work
from boutre.telemetry import Telemetry, traced
from boutre.tracing import OWN, Hop

TOLD = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
"""W3C's own example of a header."""

PLACE = ("national.comoros.sighting", 0, 12)


def telemetry(spans: InMemorySpanExporter) -> Telemetry:
    """What tells all of its spans to *spans*."""
    providers = TracerProvider(shutdown_on_exit=False), TracerProvider(shutdown_on_exit=False)
    for each in providers:
        each.add_span_processor(SimpleSpanProcessor(spans))
    return Telemetry(*providers)


def read(tracer: Telemetry, header: bytes = TOLD) -> Hop | None:
    """Go on with a record that carries *header*."""
    return tracer.read("accept-reports", PLACE, {"traceparent": header, "tracestate": b"a=b", "baggage": b"name=x"})


def out(topic: str) -> Outbound:
    """Something to write."""
    return Outbound(topic, b"k", b"v", 0, (("ce_id", b"1"),))


def test_what_follows_goes_on_with_the_trace_and_what_leaves_does_not() -> None:
    """Outputs on the bus carry the trace of their input; each view carries one of its own, which no header leads back from."""
    spans = InMemorySpanExporter()
    hop = read(telemetry(spans))
    assert hop is not None
    work = Work()
    handled = Handled("emitted", None, tuple(map(out, ("bus.sighting", "for.rcoc.sighting", "for.rmifc.sighting", "bus.receipt"))))
    told = [dict(each.headers)["traceparent"].decode().split("-")[1] for each in work.trace(hop, handled).records]

    theirs = TOLD.decode().split("-")[1]
    assert [theirs, theirs] == [told[0], told[3]]
    assert 3 == len(set(told))
    assert () == spans.get_finished_spans()  # Not committed yet.
    work.told()
    by_trace = {format(span.context.trace_id, "032x"): span for span in spans.get_finished_spans()}
    assert set(told) == set(by_trace)
    for view in told[1:3]:
        assert [theirs] == [format(link.context.trace_id, "032x") for link in by_trace[view].links]
        assert by_trace[view].parent is None
    assert {"boutre.outcome": "emitted"}.items() <= dict(by_trace[theirs].attributes or {}).items()


def test_nothing_that_somebody_else_wrote_is_handed_on() -> None:
    """Neither tracestate nor baggage, and every header that was there stays once."""
    hop = read(telemetry(InMemorySpanExporter()))
    assert hop is not None
    (record,) = Work().trace(hop, Handled("emitted", None, (out("bus.sighting"),))).records

    assert ["ce_id", "traceparent"] == [name for name, _ in record.headers]


@given(st.binary(max_size=80))
@example(b"")
@example(TOLD[:-1])
@example(TOLD + b"0")
@example(TOLD.replace(b"0af7651916cd43dd8448eb211c80319c", b"0" * 32))
@example(TOLD.replace(b"b7ad6b7169203331", b"0" * 16))
@example(b"ff" + TOLD[2:])
@example(TOLD[:-2] + b"00")
def test_a_header_that_is_none_is_no_trace(header: bytes) -> None:
    """Whatever a member writes there: bytes that are none, no ids, an impossible version, or a trace nobody is told of."""
    assert read(telemetry(InMemorySpanExporter()), header) is None


def test_one_that_is_none_of_the_share_costs_no_header() -> None:
    """Where the share leaves a record out, nothing is written with it."""
    provider = TracerProvider(ALWAYS_OFF, shutdown_on_exit=False)

    assert Telemetry(provider, provider).sent(PLACE[0]) is None


@pytest.fixture
def own() -> Iterator[Any]:
    """This process's traces, as they were before."""
    assert OWN.tracer is None
    yield OWN
    OWN.tracer = None


def test_without_an_address_nothing_is_traced(own: Any) -> None:
    """Off is off: no tracer, and a record that carries a trace does not go on with it."""
    with traced("", 1.0, "worker", "release"):
        assert own.tracer is None
        assert own.sent("x") is None
        assert own.read("release", PLACE, {"traceparent": TOLD}) is None


def test_a_collector_that_is_away_holds_nobody_up(own: Any) -> None:
    """Spans go nowhere, the process begins and ends; records without a trace are not asked about."""
    with traced("http://127.0.0.1:9/v1/traces", 1.0, "worker", "release"):
        hop = own.read("release", PLACE, {"traceparent": TOLD})
        hop.end("emitted", "an-outcome")
        assert own.read("release", PLACE, {}) is None
    assert own.tracer is None


def test_what_is_counted_is_what_was_handled() -> None:
    """Tracing changes headers and nothing else."""
    hop = read(telemetry(InMemorySpanExporter()))
    assert hop is not None
    handled = Handled("emitted", None, (out("bus.sighting"),), {"id:x": 1})
    made = Work().trace(hop, handled)

    before = tuple(msgspec.structs.replace(each, headers=each.headers[:1]) for each in made.records)
    assert handled == msgspec.structs.replace(made, records=before)
