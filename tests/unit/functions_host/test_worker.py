import sys
import threading
from collections.abc import Callable, Iterator
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any

import pytest

from backend.local.functions_host.invocations import Completed, HttpInvocation, decode_from_worker, encode
from backend.local.functions_host.worker import AppFunction, Worker

RunFunction = Callable[[Callable[..., Any]], Completed]


@pytest.fixture
def run_function() -> Iterator[RunFunction]:
    """Runs a function in a worker, as the host has it run; what the worker answers."""
    ours, theirs = Pipe()

    def run(function: Callable[..., Any]) -> Completed:
        worker = Worker({"f": AppFunction(function, "httpTrigger", "req", [])}, theirs, 1)
        threading.Thread(target=_serve, args=(worker,), daemon=True).start()
        ours.send_bytes(encode(_invocation()))
        return _completed(ours)

    with theirs:
        yield run
        ours.close()


def _serve(worker: Worker) -> None:
    with pytest.raises((EOFError, OSError)):
        worker.serve()


def _invocation() -> HttpInvocation:
    return HttpInvocation(
        invocation_id="i",
        function_name="f",
        method="GET",
        url="http://127.0.0.1/f",
        headers={},
        params={},
        route_params={},
        body=b"",
    )


def _completed(connection: Connection) -> Completed:
    while connection.poll(5):
        message = decode_from_worker(connection.recv_bytes())
        if isinstance(message, Completed):
            return message
    raise AssertionError("the host waits forever")


def _raise_lone_surrogate(req: object) -> None:
    raise ValueError("\udc80")


def _exit(req: object) -> None:
    sys.exit("enough")


def _return_lone_surrogate(req: object) -> str:
    return "\udc80"


@pytest.mark.parametrize(
    ("function", "error"),
    [
        (_raise_lone_surrogate, "ValueError: \\udc80"),
        (_exit, "SystemExit: enough"),
        (_return_lone_surrogate, "UnicodeEncodeError: 'utf-8' codec can't encode character '\\udc80'"),
    ],
)
def test_the_host_is_told_of_every_failure(
    run_function: RunFunction, function: Callable[..., Any], error: str
) -> None:
    completed = run_function(function)

    assert (completed.error or "").startswith(error)
    assert completed.trace
    assert completed.answer is None
