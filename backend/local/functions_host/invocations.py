"""What the host and its worker processes say to each other: MessagePack over a socket pair."""

from datetime import datetime

import msgspec


class QueueInvocation(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Run a function on a queue message, with what a trigger's metadata says of it."""

    invocation_id: str
    function_name: str
    message_id: str
    body: bytes
    dequeue_count: int
    insertion_time: datetime | None
    expiration_time: datetime | None
    next_visible_time: datetime | None
    pop_receipt: str | None


class TimerInvocation(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Run a function because it is time."""

    invocation_id: str
    function_name: str
    past_due: bool


class HttpInvocation(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Run a function on an HTTP request."""

    invocation_id: str
    function_name: str
    method: str
    url: str
    headers: dict[str, str]
    params: dict[str, str]
    route_params: dict[str, str]
    body: bytes


Invocation = QueueInvocation | TimerInvocation | HttpInvocation


class LoadedFunction(msgspec.Struct, frozen=True):
    """A function of the app, and its bindings as the JSON of function.json."""

    name: str
    bindings: list[str]


class AppLoaded(msgspec.Struct, frozen=True, tag=True):
    """The worker has imported the app and takes invocations."""

    functions: list[LoadedFunction]


class AppNotLoaded(msgspec.Struct, frozen=True, tag=True):
    """The worker could not import the app, and ends."""

    error: str


class WarmedUp(msgspec.Struct, frozen=True, tag=True):
    """The app's warm-up function has come to its end, well or with `error`; also sent without one."""

    error: str | None = None
    trace: str | None = None


class HttpAnswer(msgspec.Struct, frozen=True):
    """What a function answered to an HTTP request."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


class Completed(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """A function has come to its end.

    Attributes:
        error: the error that it raised, in one line; None for success.
        trace: where that was.
        answer: for an HTTP function.
    """

    invocation_id: str
    error: str | None = None
    trace: str | None = None
    answer: HttpAnswer | None = None


FromWorker = AppLoaded | AppNotLoaded | WarmedUp | Completed

encode = msgspec.msgpack.encode
decode_invocation = msgspec.msgpack.Decoder(Invocation).decode
decode_from_worker = msgspec.msgpack.Decoder(FromWorker).decode
