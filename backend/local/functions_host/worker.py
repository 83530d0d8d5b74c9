"""A worker process: imports the function app and runs its functions for the host.

Run as `python -m backend.local.functions_host.worker APP FD THREADS` by the host, which holds the other
end of the socket pair FD. When the host is gone, however it went, so is the worker.
"""

import asyncio
import contextlib
import importlib
import inspect
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, TypeVar

import azure.functions as func
from azure.functions.decorators.function_app import Function
from azure.functions.queue import QueueMessage
from azure.functions.timer import TimerRequest
from azure.functions.warmup import WarmUpContext

from backend.local.functions_host.errors import InvalidFunctionApp
from backend.local.functions_host.http_messages import to_answer, to_http_request
from backend.local.functions_host.invocations import (
    AppLoaded,
    AppNotLoaded,
    Completed,
    FromWorker,
    HttpAnswer,
    HttpInvocation,
    Invocation,
    LoadedFunction,
    QueueInvocation,
    TimerInvocation,
    WarmedUp,
    decode_invocation,
    encode,
)
from backend.telemetry.log_lines import log_json_lines

_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class AppFunction:
    """A function of the app: what to call, with the trigger's value as which parameter."""

    call: Callable[..., Any]
    trigger_type: str
    parameter: str
    bindings: list[str]


def load_functions(app: str) -> dict[str, AppFunction]:
    """The functions of the one function app in the module `app`, by name.

    Raises:
        InvalidFunctionApp: the module holds no function app, or more than one.
    """
    module = importlib.import_module(app)
    apps = [value for value in vars(module).values() if isinstance(value, func.FunctionRegister)]
    if len(apps) != 1:
        raise InvalidFunctionApp(f"{app} has to hold one function app, not {len(apps)}")
    return {str(function.get_function_name()): _read(function) for function in apps[0].get_functions()}


def _read(function: Function) -> AppFunction:
    trigger = function.get_trigger()
    if trigger is None:
        raise InvalidFunctionApp(f"{function.get_function_name()} has no trigger")
    return AppFunction(
        function.get_user_function(), str(trigger.type), trigger.name, function.get_raw_bindings()
    )


class Worker:
    """Runs the functions of one app in threads, and sends what came of them through `connection`."""

    def __init__(self, functions: dict[str, AppFunction], connection: Connection, threads: int) -> None:
        self._functions = functions
        self._connection = connection
        self._sending = threading.Lock()
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="function")

    def serve(self) -> None:
        """Run what the host asks for, until it hangs up."""
        described = [LoadedFunction(name, function.bindings) for name, function in self._functions.items()]
        self._send(AppLoaded(described))
        threading.Thread(target=self._warm_up, name="warm-up", daemon=True).start()
        while True:
            invocation = decode_invocation(self._connection.recv_bytes())
            self._threads.submit(self._invoke, invocation)

    def _warm_up(self) -> None:
        error = trace = None
        for function in self._functions.values():
            if function.trigger_type == "warmupTrigger":
                _, error, trace = _call(function, WarmUpContext())
        self._send(WarmedUp(error, trace))

    def _invoke(self, invocation: Invocation) -> None:
        function = self._functions[invocation.function_name]
        answer: HttpAnswer | None = None
        returned, error, trace = _call(function, _argument(invocation))
        if error is None and isinstance(invocation, HttpInvocation):
            answer, error, trace = _guarded(lambda: to_answer(returned))
        self._send(Completed(invocation_id=invocation.invocation_id, error=error, trace=trace, answer=answer))

    def _send(self, message: FromWorker) -> None:
        # A host that has just gone takes no more answers; `serve` sees that too, and ends the process.
        with self._sending, contextlib.suppress(BrokenPipeError):
            self._connection.send_bytes(encode(message))


def _argument(invocation: Invocation) -> QueueMessage | TimerRequest | func.HttpRequest:
    match invocation:
        case QueueInvocation():
            return QueueMessage(  # type: ignore[no-untyped-call] # the library left this one untyped
                id=invocation.message_id,
                body=invocation.body,
                dequeue_count=invocation.dequeue_count,
                insertion_time=invocation.insertion_time,
                expiration_time=invocation.expiration_time,
                time_next_visible=invocation.next_visible_time,
                pop_receipt=invocation.pop_receipt,
            )
        case TimerInvocation():
            return TimerRequest(past_due=invocation.past_due)
        case HttpInvocation():
            return to_http_request(invocation)


def _call(function: AppFunction, argument: Any) -> tuple[Any, str | None, str | None]:
    """What the function returned, or the error that it raised and where."""

    def call() -> Any:
        returned = function.call(**{function.parameter: argument})
        return asyncio.run(returned) if inspect.iscoroutine(returned) else returned

    return _guarded(call)


def _guarded(step: Callable[[], _Result]) -> tuple[_Result | None, str | None, str | None]:
    """What a step on behalf of a function gives, or its error and where it was raised.

    This is the edge: whatever is raised is the function's failure. That holds for `sys.exit` too, which in
    a thread would end nothing but the answer that the host waits for.
    """
    try:
        return step(), None, None
    except BaseException as error:  # noqa: BLE001
        return None, _sendable(f"{type(error).__name__}: {error}"), _sendable(traceback.format_exc())


def _sendable(text: str) -> str:
    """A text that UTF-8 can carry: an error may quote lone surrogates from somebody's data."""
    return text.encode(errors="backslashreplace").decode()


def main(app: str, descriptor: int, threads: int) -> None:
    """Serve the host at the other end of the socket `descriptor`."""
    # Ctrl-C reaches the whole group; it is the host that decides how long running work may take.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    log_json_lines("functions")
    connection = Connection(descriptor)
    try:
        functions = load_functions(app)
    # Also the edge: an app may fail to import in any way.
    except Exception as error:  # noqa: BLE001
        connection.send_bytes(
            encode(AppNotLoaded(f"{type(error).__name__}: {error}\n{traceback.format_exc()}"))
        )
        return
    with contextlib.suppress(EOFError, ConnectionResetError):
        Worker(functions, connection, threads).serve()
    # Functions that still run are of no use to anybody; their messages will be delivered again.
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
