"""host.json: the numbers that hold for the whole function app."""

from pathlib import Path
from typing import Any

import msgspec

from backend.local.functions_host.errors import InvalidFunctionApp
from backend.local.functions_host.time_spans import TimeSpan

MAX_BATCH_SIZE = 32


class QueuesOptions(msgspec.Struct, frozen=True, rename="camel"):
    """`extensions.queues`, with Azure's defaults.

    Attributes:
        batch_size: messages fetched at once, at most 32.
        new_batch_threshold: the number of running messages at which the next batch is fetched; None
            for half of `batch_size`.
        max_dequeue_count: deliveries before a message goes to the poison queue.
        visibility_timeout: the delay after a failure before the next delivery.
        max_polling_interval: the longest pause between two looks at an empty queue.
        message_encoding: "base64" or "none".
    """

    batch_size: int = 16
    new_batch_threshold: int | None = None
    max_dequeue_count: int = 5
    visibility_timeout: TimeSpan = TimeSpan(0)
    max_polling_interval: TimeSpan = TimeSpan(minutes=1)
    message_encoding: str = "base64"

    def __post_init__(self) -> None:
        if not 1 <= self.batch_size <= MAX_BATCH_SIZE:
            raise ValueError(f"batchSize has to be 1 to {MAX_BATCH_SIZE}, not {self.batch_size}")
        if self.max_dequeue_count < 1:
            raise ValueError("maxDequeueCount has to be 1 or more")
        if self.message_encoding not in ("base64", "none"):
            raise ValueError(f"messageEncoding has to be base64 or none, not {self.message_encoding!r}")

    @property
    def threshold(self) -> int:
        """The number of running messages at which the next batch is fetched."""
        return self.batch_size // 2 if self.new_batch_threshold is None else self.new_batch_threshold


class HttpOptions(msgspec.Struct, frozen=True, rename="camel"):
    """`extensions.http`."""

    route_prefix: str = "api"


class _Extensions(msgspec.Struct, frozen=True):
    queues: QueuesOptions = msgspec.field(default_factory=QueuesOptions)
    http: HttpOptions = msgspec.field(default_factory=HttpOptions)


class HostFile(msgspec.Struct, frozen=True, rename="camel"):
    """host.json; what this host has no use for is left out.

    Attributes:
        function_timeout: how long one call of a function may take; None for as long as it likes.
    """

    version: str
    function_timeout: TimeSpan | None = None
    extensions: _Extensions = msgspec.field(default_factory=_Extensions)

    @classmethod
    def read(cls, path: Path) -> "HostFile":
        """Read host.json.

        Raises:
            InvalidFunctionApp: there is none, or it says something impossible.
        """
        try:
            return msgspec.json.decode(path.read_bytes(), type=cls, dec_hook=_read_time_span)
        except (OSError, ValueError) as error:
            raise InvalidFunctionApp(f"{path.name}: {error}") from error


def _read_time_span(_type: type, value: Any) -> TimeSpan:
    return TimeSpan.parse(str(value))
