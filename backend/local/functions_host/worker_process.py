"""The host's side of one worker process."""

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from multiprocessing import Pipe
from pathlib import Path

from backend.local.functions_host.errors import InvalidFunctionApp, WorkerExited
from backend.local.functions_host.invocations import (
    AppLoaded,
    AppNotLoaded,
    Completed,
    Invocation,
    LoadedFunction,
    WarmedUp,
    decode_from_worker,
    encode,
)
from backend.local.functions_host.log_lines import log_event

_PROJECT_ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True, slots=True)
class Running:
    """A function that a worker runs, since `since` by the monotonic clock."""

    future: Future[Completed]
    since: float = field(default_factory=time.monotonic)


class WorkerProcess:
    """One process, started at once; what it answers is read by a thread of its own.

    Attributes:
        loaded: the functions of the app, as soon as the worker has imported it.
        warm: done when the app's warm-up function is.
        running: by invocation id, what the worker has been given and not answered.
    """

    def __init__(
        self, app: str, threads: int, on_free: Callable[[], None], on_exit: Callable[["WorkerProcess"], None]
    ) -> None:
        self.loaded: Future[list[LoadedFunction]] = Future()
        self.warm: Future[None] = Future()
        self.running: dict[str, Running] = {}
        self._reason: Exception | None = None
        self._on_free = on_free
        self._on_exit = on_exit
        self._connection, theirs = Pipe()
        path = os.pathsep.join(filter(None, (str(_PROJECT_ROOT), os.environ.get("PYTHONPATH"))))
        module = "backend.local.functions_host.worker"
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, app, str(theirs.fileno()), str(threads)],
            pass_fds=(theirs.fileno(),),
            env={**os.environ, "PYTHONPATH": path},
            stdin=subprocess.DEVNULL,
        )
        theirs.close()
        self._reader = threading.Thread(target=self._read, name=f"worker-{self.pid}", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def runs_since_before(self, moment: float) -> bool:
        """Whether something has run since before a moment of the monotonic clock."""
        return any(running.since < moment for running in list(self.running.values()))

    def send(self, invocation: Invocation) -> None:
        """Let the worker run a function.

        Raises:
            OSError: the worker is gone.
        """
        self._connection.send_bytes(encode(invocation))

    def kill(self, reason: Exception) -> None:
        """End the process now; `reason` is what becomes of the functions that it runs."""
        self._reason = reason
        self._process.kill()

    def join(self) -> None:
        """Wait until the process has ended and its last word is read."""
        self._process.wait()
        self._reader.join()

    def _read(self) -> None:
        try:
            while True:
                self._take(decode_from_worker(self._connection.recv_bytes()))
        except (EOFError, OSError):
            code = self._process.wait()
        self._connection.close()
        gone = self._reason or WorkerExited(f"the worker process ended with status {code}")
        for future in (self.loaded, self.warm):
            if not future.done():
                future.set_exception(gone)
        self._on_exit(self)
        for running in self.running.values():
            running.future.set_exception(gone)

    def _take(self, message: AppLoaded | AppNotLoaded | WarmedUp | Completed) -> None:
        match message:
            case AppLoaded(functions):
                log_event("worker ready", worker=self.pid)
                self.loaded.set_result(functions)
                self._on_free()
            case AppNotLoaded(error):
                log_event("app not loaded", logging.ERROR, error=error)
                self.loaded.set_exception(InvalidFunctionApp(error.partition("\n")[0]))
            case WarmedUp(None):
                log_event("worker warm", worker=self.pid)
                self.warm.set_result(None)
            case WarmedUp(error, trace):
                # Not fatal: the first function that needs the same will fail in its own right.
                log_event("warm-up failed", logging.ERROR, worker=self.pid, error=error, trace=trace)
                self.warm.set_result(None)
            case Completed():
                running = self.running.pop(message.invocation_id)
                self._on_free()
                running.future.set_result(message)
