"""Traces: one job, followed through every process that works on it.

What travels is a W3C `traceparent`: in the messages, and in the job's row for whoever has no message. None is
taken from a request, since a stranger must not choose our ids. The trace id is the request id of the log.

Spans are made by the tracer that a process has installed. Without one there are none, and ids travel alone.
"""

import re
import secrets
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from enum import Enum
from typing import Protocol

_TRACE_PARENT = re.compile(r"00-(?P<trace_id>[0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")
_SAMPLED, _NOT_SAMPLED = "01", "00"

Attributes = dict[str, str | int | float]


class SpanKind(Enum):
    """What a span is of, in OpenTelemetry's terms."""

    SERVER = "server"
    CONSUMER = "consumer"
    INTERNAL = "internal"


class Tracer(Protocol):
    """Makes spans and sends them somewhere."""

    def span(
        self, name: str, kind: SpanKind, parent: str | None, attributes: Attributes
    ) -> AbstractContextManager[str]:
        """A span around a block, which is given its trace parent; without `parent` it begins a trace."""

    def past_span(self, name: str, parent: str, seconds: float) -> None:
        """A span that ends now, and began so many seconds ago."""

    def flush(self) -> None:
        """Send what has not been sent yet."""


_tracer: Tracer | None = None
_current: ContextVar[str | None] = ContextVar("trace_parent", default=None)


def install(tracer: Tracer | None) -> None:
    """Let this process make its spans with `tracer`; with None it makes none."""
    global _tracer  # noqa: PLW0603 - one for a process, as the log is
    _tracer = tracer


def flush() -> None:
    """Send the spans that have not been sent yet; for a process that is about to end."""
    if _tracer is not None:
        _tracer.flush()


def trace_parent() -> str | None:
    """What goes into a message, or a job's row, of the work that is being done."""
    return _current.get()


def request_id() -> str | None:
    """The id of the trace that this thread works on."""
    found = _TRACE_PARENT.fullmatch(_current.get() or "")
    return found["trace_id"] if found else None


@contextmanager
def request(name: str, *, traced: bool) -> Iterator[None]:
    """A request from outside, which begins a trace; with `traced` there are spans of it."""
    if _tracer is None or not traced:
        with _as_current(_new_trace_parent(_SAMPLED if traced else _NOT_SAMPLED)):
            yield
        return
    with _tracer.span(name, SpanKind.SERVER, None, {}) as own, _as_current(own):
        yield


@contextmanager
def continued(name: str, parent: str | None, **attributes: str | int | float) -> Iterator[None]:
    """Work that another process asked for.

    Args:
        name: what is done.
        parent: what came with it; the block goes on with that trace, or begins one.
        attributes: of the span.
    """
    parent = _innermost(parent)
    if _tracer is None:
        with _as_current(parent or _new_trace_parent(_SAMPLED)):
            yield
        return
    with _tracer.span(name, SpanKind.CONSUMER, parent, attributes) as own, _as_current(own):
        yield


@contextmanager
def carried(parent: str | None) -> Iterator[None]:
    """What the block logs is of that trace, which has no span of the block."""
    with _as_current(_innermost(parent)):
        yield


@contextmanager
def span(name: str, **attributes: str | int | float) -> Iterator[None]:
    """A part of the present work."""
    if _tracer is None or _current.get() is None:
        yield
        return
    with _tracer.span(name, SpanKind.INTERNAL, _current.get(), attributes) as own, _as_current(own):
        yield


def past_span(name: str, seconds: float) -> None:
    """A part of the present work that ends now."""
    if _tracer is not None and (parent := _current.get()) is not None:
        _tracer.past_span(name, parent, seconds)


def _innermost(parent: str | None) -> str | None:
    """Of the same trace what this thread is within, if it is within anything of it."""
    if parent is None or not _TRACE_PARENT.fullmatch(parent):
        return None
    current = _current.get()
    same = current is not None and current.split("-")[1] == parent.split("-")[1]
    return current if same else parent


def _new_trace_parent(flags: str) -> str:
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-{flags}"


@contextmanager
def _as_current(own: str | None) -> Iterator[None]:
    before = _current.get()
    _current.set(own)
    try:
        yield
    finally:
        _current.set(before)
