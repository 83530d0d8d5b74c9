"""Spans by OpenTelemetry's SDK, sent to whatever an exporter sends them to."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from azure.monitor.opentelemetry.exporter import AzureMonitorTraceExporter
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import SpanContext
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from backend.domain.errors import InvalidSettings
from backend.telemetry.traces import Attributes, SpanKind

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

_FORMAT = TraceContextTextMapPropagator()
_HEADER = "traceparent"
_KINDS = {
    SpanKind.SERVER: trace.SpanKind.SERVER,
    SpanKind.CONSUMER: trace.SpanKind.CONSUMER,
    SpanKind.INTERNAL: trace.SpanKind.INTERNAL,
}
_FLUSH_MILLISECONDS = 5_000


class OpenTelemetryTracer:
    """Implements `Tracer`.

    Every trace is sampled, unless the standard OTEL_TRACES_SAMPLER and OTEL_TRACES_SAMPLER_ARG say otherwise;
    what was decided for a request holds for all that comes of it.

    Args:
        service: which part of the system this process is.
        exporter: makes what sends the spans somewhere.
    """

    def __init__(self, service: str, exporter: Callable[[TracerProvider], SpanExporter]) -> None:
        self._provider = TracerProvider(resource=Resource.create({"service.name": service}))
        self._provider.add_span_processor(BatchSpanProcessor(exporter(self._provider)))
        self._tracer = self._provider.get_tracer("backend")

    @contextmanager
    def span(self, name: str, kind: SpanKind, parent: str | None, attributes: Attributes) -> Iterator[str]:
        """See the protocol. An error that leaves the block is noted in the span."""
        with self._tracer.start_as_current_span(
            name, _context(parent), kind=_KINDS[kind], attributes=attributes
        ) as span:
            yield _trace_parent(span.get_span_context())

    def past_span(self, name: str, parent: str, seconds: float) -> None:
        """See the protocol."""
        now = time.time_ns()
        began = now - int(seconds * 1e9)
        self._tracer.start_span(name, _context(parent), start_time=began).end(now)

    def flush(self) -> None:
        """See the protocol. What can't be sent within seconds is lost."""
        self._provider.force_flush(_FLUSH_MILLISECONDS)

    def close(self) -> None:
        """Send what has not been sent, and end the threads; a process that ends does so by itself."""
        self._provider.shutdown()


def azure_monitor_exporter(
    connection_string: str, credential: "TokenCredential | None", provider: TracerProvider
) -> SpanExporter:
    """Sends spans to Application Insights, as `credential` or as whoever knows the string.

    Raises:
        InvalidSettings: the connection string is none.
    """
    try:
        return AzureMonitorTraceExporter(
            connection_string=connection_string,
            credential=credential,
            tracer_provider=provider,
            # What can't be sent now is lost, and not left on the disk.
            disable_offline_storage=True,
        )
    except ValueError as error:
        raise InvalidSettings(f"APPLICATIONINSIGHTS_CONNECTION_STRING: {error}") from error


def _context(parent: str | None) -> Context:
    return _FORMAT.extract({} if parent is None else {_HEADER: parent}, Context())


def _trace_parent(context: SpanContext) -> str:
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{int(context.trace_flags) & 1:02x}"
