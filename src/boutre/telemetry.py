"""
Traces by OpenTelemetry, sent by OTLP over HTTP; imported only where a bus asks for them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from boutre import __version__
from boutre.errors import DeclarationError, Fault
from boutre.tracing import HEADER, OWN, Headers, Hop

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span

SEND_S: Final = 2
"""Seconds that the last spans may take at the end: a process is to stop soon, and a trace is worth less than that."""


@contextmanager
def traced(endpoint: str, ratio: float, kind: str, name: str) -> Iterator[None]:
    """
    Trace what this process, of *kind* with *name*, does with records while this lasts; not at all where *endpoint* is empty.

    *endpoint* is where spans are sent (``http://collector:4318/v1/traces``), *ratio* the share of traces that begin here. What is
    not taken in time is dropped, and never waited for.

    Raises:
        DeclarationError: traces are asked for, and OpenTelemetry is not installed.
    """
    if not endpoint:
        yield
        return
    if find_spec("opentelemetry.sdk") is None or find_spec("opentelemetry.exporter") is None:
        raise DeclarationError([Fault("settings", "traces.endpoint", "needs OpenTelemetry; install `boutre[traces]`")])
    OWN.tracer = Telemetry(*_providers(endpoint, ratio, kind, name))
    try:
        yield
    finally:
        OWN.tracer.close()
        OWN.tracer = None


def _providers(endpoint: str, ratio: float, kind: str, name: str) -> tuple[TracerProvider, TracerProvider]:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 - an extra
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 - the same
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415 - the same
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415 - the same
    from opentelemetry.sdk.trace.sampling import ALWAYS_ON, ParentBased, TraceIdRatioBased  # noqa: PLC0415 - the same

    resource = Resource({"service.namespace": "boutre", "service.name": f"{kind} {name}", "service.version": __version__})
    # A trace of a view is told wherever its record's is: the share was taken where that began.
    begun, views = (
        TracerProvider(sampler, resource, shutdown_on_exit=False) for sampler in (ParentBased(TraceIdRatioBased(ratio)), ALWAYS_ON)
    )
    sending = BatchSpanProcessor(OTLPSpanExporter(endpoint, timeout=SEND_S), export_timeout_millis=SEND_S * 1000)
    for provider in (begun, views):
        provider.add_span_processor(sending)
    return begun, views


class Telemetry:
    """
    Begins spans with *begun*, and with *views* those of what leaves, by the names that OpenTelemetry has for messaging.
    """

    def __init__(self, begun: TracerProvider, views: TracerProvider) -> None:
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415 - an extra

        self._begun = begun
        self._tracer = begun.get_tracer("boutre", __version__)
        self._views = views.get_tracer("boutre", __version__)
        self._context = TraceContextTextMapPropagator()

    def sent(self, topic: str) -> Hop | None:
        """Begin a trace, with a record that is sent to *topic*; None where it is none of the share."""
        from opentelemetry.context import Context  # noqa: PLC0415 - an extra
        from opentelemetry.trace import SpanKind  # noqa: PLC0415 - the same

        span = self._tracer.start_span(f"send {topic}", Context(), SpanKind.PRODUCER, _where("send", topic))
        return Traced(self, span) if span.is_recording() else None

    def read(self, stage: str, place: tuple[str, int, int], headers: Mapping[str, bytes]) -> Hop | None:
        """Go on with a trace; None where its header is none of W3C's, or says that nobody is told of it."""
        from opentelemetry.context import Context  # noqa: PLC0415 - an extra
        from opentelemetry.trace import SpanKind, get_current_span  # noqa: PLC0415 - the same

        told = {HEADER: headers[HEADER].decode("ascii", "replace")}
        parent = self._context.extract(told, Context())
        if not get_current_span(parent).get_span_context().is_valid:
            return None
        topic, partition, offset = place
        where = _where("process", topic) | {
            "messaging.destination.partition.id": str(partition),
            "messaging.kafka.offset": offset,
            "boutre.stage": stage,
        }
        span = self._tracer.start_span(f"process {topic}", parent, SpanKind.CONSUMER, where)
        return Traced(self, span) if span.is_recording() else None

    def apart(self, span: Span) -> Span:
        """Begin a trace of its own for what leaves, to which *span* is linked from there and nothing leads from outside."""
        from opentelemetry.context import Context  # noqa: PLC0415 - an extra
        from opentelemetry.trace import Link, SpanKind  # noqa: PLC0415 - the same

        # By the second provider, which knows no share: whether it is told was decided where the record's trace began.
        return self._views.start_span("send view", Context(), SpanKind.PRODUCER, links=[Link(span.get_span_context())])

    def header(self, span: Span) -> Headers:
        """Give the header that says *span*."""
        from opentelemetry.trace import set_span_in_context  # noqa: PLC0415 - an extra

        told: dict[str, str] = {}
        self._context.inject(told, set_span_in_context(span))
        return ((HEADER, told[HEADER].encode()),) if HEADER in told else ()

    def close(self) -> None:
        """Send what was not sent yet, and stop."""
        self._begun.shutdown()  # And with it what sends, for both.


@dataclass(slots=True)
class Traced:
    """
    One record at one hop, and the traces that begin where it leaves.
    """

    telemetry: Telemetry
    span: Span
    left: list[Span] = field(default_factory=list)

    def headers(self, *, apart: bool = False) -> Headers:
        """Give the header to write with what follows from it."""
        if not apart:
            return self.telemetry.header(self.span)
        self.left.append(self.telemetry.apart(self.span))
        return self.telemetry.header(self.left[-1])

    def end(self, outcome: str, reason: str | None = None) -> None:
        """Tell it."""
        self.span.set_attribute("boutre.outcome", outcome)
        if reason is not None:
            self.span.set_attribute("boutre.reason", reason)
        for span in (*self.left, self.span):
            span.end()


def _where(operation: str, topic: str) -> dict[str, str | int]:
    return {"messaging.system": "kafka", "messaging.operation.type": operation, "messaging.destination.name": topic}
