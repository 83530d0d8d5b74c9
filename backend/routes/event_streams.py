"""Server-sent events: streams that stay open, without keeping other calls from being answered.

Each stream has a thread of the server's to itself, and waits in it. So the server has as many threads more as
there may be streams, and no stream begins without a permit.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, closing
from contextvars import copy_context
from dataclasses import dataclass
from hashlib import sha256
from itertools import chain
from typing import TypeVar, cast

from flask import Flask, Response, current_app, request
from flask_jwt_extended import get_jwt

from backend.domain.errors import Busy, TooManyEventStreams, Unavailable
from backend.settings import Settings
from backend.telemetry.log_lines import log_event

KEEP_ALIVE_SECONDS = 15.0
"""A comment is sent when nothing else was for so long, for whoever closes silent connections on the way."""

PATIENCE_SECONDS = 1.0
"""How often a stream looks whether it is to end."""

_log = logging.getLogger(__name__)

_EXTENSION = "event_streams"
_RETRY_MILLISECONDS = 2_000
_ID_LENGTH = 16
_SHARE_OF_USER = 2

_News = TypeVar("_News")


class EventStreams:
    """Permits for streams: of one process, of which one user may have half.

    Args:
        greatest: how many there may be at once.
        seconds: how long a stream lasts before its client has to come again.

    Attributes:
        is_closed: whether all are to end.
    """

    def __init__(self, greatest: int, seconds: float) -> None:
        self.seconds = seconds
        self.is_closed = False
        self._greatest = greatest
        self._greatest_of_user = max(1, greatest // _SHARE_OF_USER)
        self._open: Counter[str] = Counter()
        self._lock = threading.Lock()

    def take(self, user_id: str) -> None:
        """Take a permit.

        Raises:
            TooManyEventStreams: the user has as many as one may have.
            Busy: there are as many as there may be.
        """
        with self._lock:
            if self._open[user_id] >= self._greatest_of_user:
                raise TooManyEventStreams(
                    "you have too many event streams open: close one, or ask for the job"
                )
            if self._open.total() >= self._greatest:
                raise Busy("too many event streams are open: ask for the job itself meanwhile")
            self._open[user_id] += 1

    def give_back(self, user_id: str) -> None:
        """Give a permit back."""
        with self._lock:
            self._open[user_id] -= 1
            if not self._open[user_id]:
                del self._open[user_id]


@dataclass(frozen=True, slots=True)
class Event:
    """What a client is told.

    Attributes:
        data: may have several lines; two events that say the same are the same.
        is_last: whether there is nothing to be told after it.
    """

    data: str
    name: str = "message"
    is_last: bool = False

    @property
    def id(self) -> str:
        """Made of what it says, so that another process, or this one tomorrow, gives it the same."""
        return sha256(f"{self.name}\n{self.data}".encode()).hexdigest()[:_ID_LENGTH]

    def encode(self) -> bytes:
        """As the wire has it. Browsers take events without a name for messages."""
        name = "" if self.name == "message" else f"event: {self.name}\n"
        data = "".join(f"data: {line}\n" for line in self.data.splitlines() or [""])
        return f"id: {self.id}\n{name}{data}\n".encode()


def install_event_streams(app: Flask, settings: Settings) -> None:
    """Let the routes of `app` answer with streams, as many as the settings say."""
    streams = EventStreams(settings.event_streams, settings.event_stream_time.total_seconds())
    app.extensions[_EXTENSION] = streams


def end_event_streams(app: Flask) -> None:
    """Have all streams of `app` end within PATIENCE_SECONDS; a signal's handler may ask for it."""
    _streams(app).is_closed = True


def event_stream(
    user_id: str, news: Generator[_News | None, None, None], told: Callable[[_News], Event]
) -> Response:
    """An answer that goes on for as long as there is news, and no longer than its token is good.

    204, which tells a browser to come no more, when the client has seen the last event already.

    Args:
        user_id: whose stream it is.
        news: None where there is none, about every PATIENCE_SECONDS, so that the end is seen in time. What it
            raises before the first is answered as by any other call.
        told: the event that tells of something. One that the client has seen last is not told again.

    Raises:
        TooManyEventStreams: the user has as many as one may have.
        Busy: there are as many as there may be.
    """
    streams = _streams(current_app)
    with ExitStack() as held:
        events = held.enter_context(closing(_events(news, told)))
        first, seen = next(events), request.headers.get("Last-Event-ID")
        if first is not None and first.is_last and first.id == seen:
            return Response(status=204)
        streams.take(user_id)
        held.callback(streams.give_back, user_id)
        seconds = min(streams.seconds, get_jwt()["exp"] - time.time() - PATIENCE_SECONDS)
        is_gone = request.environ.get("waitress.client_disconnected", lambda: False)
        end = time.monotonic() + seconds

        def is_over() -> bool:
            return streams.is_closed or time.monotonic() >= end or is_gone()

        response = Response(_body(first, events, seen, is_over), mimetype="text/event-stream")
        response.headers["X-Accel-Buffering"] = "no"
        held.callback(_logged_end())
        response.call_on_close(held.pop_all().close)
        return response


def _streams(app: Flask) -> EventStreams:
    return cast("EventStreams", app.extensions[_EXTENSION])


def _events(
    news: Generator[_News | None, None, None], told: Callable[[_News], Event]
) -> Generator[Event | None, None, None]:
    with closing(news):
        for each in news:
            yield None if each is None else told(each)


def _body(
    first: Event | None, events: Iterator[Event | None], seen: str | None, is_over: Callable[[], bool]
) -> Iterator[bytes]:
    yield f"retry: {_RETRY_MILLISECONDS}\n\n".encode()
    said = time.monotonic()
    try:
        for event in chain([first], events):
            if event is not first and is_over():
                return
            if event is not None and event.id != seen:
                seen, said = event.id, time.monotonic()
                yield event.encode()
            elif time.monotonic() - said >= KEEP_ALIVE_SECONDS:
                said = time.monotonic()
                yield b": still here\n\n"
    except Unavailable as error:
        # Whoever comes again is told so.
        _log.warning("an event stream was ended: %s", error, exc_info=error)


def _logged_end() -> Callable[[], None]:
    """Logs the end of a stream that begins now, with the ids of its request."""
    context, began = copy_context(), time.monotonic()

    def log() -> None:
        seconds = round(time.monotonic() - began, 1)
        context.run(log_event, _log, logging.INFO, "event stream ended", seconds=seconds)

    return log
