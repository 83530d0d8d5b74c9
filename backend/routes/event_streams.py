"""Server-sent events: streams that stay open, without keeping other calls from being answered.

Each stream has a thread of the server's to itself, and waits in it. So the server has as many threads more as
there may be streams, and no stream begins without a permit.
"""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import cast

from flask import Flask, Response, current_app, request
from flask_jwt_extended import get_jwt

from backend.domain.errors import TooManyEventStreams
from backend.settings import Settings

KEEP_ALIVE_SECONDS = 5.0
"""A comment is sent when nothing else was for so long; one that can't be sent ends the stream."""

PATIENCE_SECONDS = 1.0
"""How often a stream looks whether it is to end."""

_EXTENSION = "event_streams"
_RETRY_MILLISECONDS = 2_000
_ID_LENGTH = 16


class EventStreams:
    """Permits for streams: of one process, of which one user may have half.

    Args:
        greatest: how many there may be at once.
        seconds: how long a stream lasts before its client has to come again.
    """

    def __init__(self, greatest: int, seconds: float) -> None:
        self.seconds = seconds
        self._greatest = greatest
        self._greatest_of_user = max(1, greatest // 2)
        self._open: Counter[str] = Counter()
        self._lock = threading.Lock()

    @property
    def open(self) -> int:
        """How many streams there are."""
        with self._lock:
            return self._open.total()

    def take(self, user_id: str) -> None:
        """Take a permit. Raises TooManyEventStreams."""
        with self._lock:
            if self._open.total() >= self._greatest or self._open[user_id] >= self._greatest_of_user:
                raise TooManyEventStreams("too many event streams are open: ask for the job itself meanwhile")
            self._open[user_id] += 1

    def give_back(self, user_id: str) -> None:
        """Give a permit back."""
        with self._lock:
            self._open[user_id] -= 1
            self._open += Counter()


@dataclass(frozen=True, slots=True)
class Event:
    """What a client is told. `data` may have several lines; two that say the same are the same event."""

    data: str
    name: str = "message"

    @property
    def id(self) -> str:
        """Made of what it says, so that another process, or this one tomorrow, gives it the same."""
        return sha256(f"{self.name}\n{self.data}".encode()).hexdigest()[:_ID_LENGTH]

    def encode(self) -> bytes:
        """As the wire has it. Browsers take events without a name for messages."""
        name = "" if self.name == "message" else f"event: {self.name}\n"
        data = "".join(f"data: {line}\n" for line in self.data.splitlines() or [""])
        return f"id: {self.id}\n{name}{data}\n".encode()


def install_event_streams(app: Flask, settings: Settings) -> EventStreams:
    """Let the routes of `app` answer with streams, as many as the settings say."""
    streams = EventStreams(settings.event_streams, settings.event_stream_time.total_seconds())
    app.extensions[_EXTENSION] = streams
    return streams


def last_event_id() -> str | None:
    """The last event that a client has seen, when it comes again."""
    return request.headers.get("Last-Event-ID") or None


def event_stream(user_id: str, events: Iterator[Event | None]) -> Response:
    """An answer that goes on for as long as there are events, and no longer than its token is good.

    Args:
        user_id: whose stream it is.
        events: None where there is nothing to tell, about every second, so that the end is seen in time. An
            event that the client has seen last is not told again.

    Raises:
        TooManyEventStreams: there are as many as there may be.
    """
    streams = cast("EventStreams", current_app.extensions[_EXTENSION])
    seconds = min(streams.seconds, get_jwt()["exp"] - time.time())
    streams.take(user_id)
    response = Response(_body(events, last_event_id(), seconds), mimetype="text/event-stream")
    response.headers["X-Accel-Buffering"] = "no"
    response.call_on_close(lambda: streams.give_back(user_id))
    return response


def _body(events: Iterator[Event | None], seen: str | None, seconds: float) -> Iterator[bytes]:
    began = said = time.monotonic()
    yield f"retry: {_RETRY_MILLISECONDS}\n\n".encode()
    for event in events:
        now = time.monotonic()
        if event is not None and event.id != seen:
            seen, said = event.id, now
            yield event.encode()
        elif now - said >= KEEP_ALIVE_SECONDS:
            said = now
            yield b": still here\n\n"
        if now - began >= seconds:
            return
