"""The log: one JSON object a line, in UTC, with the ids of the work that it is about."""

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from backend.telemetry import traces

_NO_IDS: Mapping[str, str] = {}
_IDS: ContextVar[Mapping[str, str]] = ContextVar("ids", default=_NO_IDS)
_HASH_DIGITS = 16
# At INFO the Azure SDKs write several lines for every request, and Spark's gateway some.
_CHATTY = ("azure", "py4j")


class JsonLines(logging.Formatter):
    """Every record as one line of JSON, whoever logged it.

    Args:
        service: which part of the system this process is.
    """

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "service": self._service,
            "logger": record.name,
            "event": record.getMessage(),
            **_IDS.get(),
            **getattr(record, "details", {}),
        }
        if (request_id := traces.request_id()) is not None:
            line["request_id"] = request_id
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def log_json_lines(service: str) -> None:
    """Log as `service`: to standard error, or to where the process's host has the log go."""
    root = logging.getLogger()
    if not root.handlers:
        root.addHandler(logging.StreamHandler())
    for handler in root.handlers:
        if handler.formatter is None:
            handler.setFormatter(JsonLines(service))
    root.setLevel(logging.INFO)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)


def log_event(logger: logging.Logger, level: int, event: str, **details: object) -> None:
    """Log what happened; `details` are fields of the line."""
    logger.log(level, event, extra={"details": details})


@contextmanager
def about(**ids: str) -> Iterator[None]:
    """Every line of the block, in this thread, has these ids beside those it has already."""
    before = _IDS.get()
    _IDS.set({**before, **ids})
    try:
        yield
    finally:
        _IDS.set(before)


def add_ids(**ids: str) -> None:
    """More ids for the lines of the present block."""
    _IDS.set({**_IDS.get(), **ids})


def hashed(user_id: str) -> str:
    """How the log calls a user: the same for the same user, and nobody's name or id."""
    return sha256(user_id.encode()).hexdigest()[:_HASH_DIGITS]
