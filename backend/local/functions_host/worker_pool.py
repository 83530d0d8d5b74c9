"""The worker processes of the host, and what waits for a free one."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from datetime import timedelta

from backend.local.functions_host.errors import WorkerExited, WorkersStopped
from backend.local.functions_host.invocations import Completed, Invocation, LoadedFunction
from backend.local.functions_host.log_lines import log_event
from backend.local.functions_host.worker_process import Running, WorkerProcess

_LATE_SECONDS = 5.0


class WorkerPool:
    """Hands every invocation to the worker that has least to do; a worker that dies is replaced.

    What no worker has room for waits here and not in a worker, so that it can be given back on a stop.

    Args:
        app: the module of the function app.
        processes: the number of worker processes (Azure's FUNCTIONS_WORKER_PROCESS_COUNT).
        threads: the functions that one process runs at a time (Azure's PYTHON_THREADPOOL_THREAD_COUNT).
        on_broken: called when a replacement can't load the app, and so nothing will run any more.
    """

    def __init__(self, app: str, processes: int, threads: int, on_broken: Callable[[], None]) -> None:
        self._app = app
        self._threads = threads
        self._on_broken = on_broken
        self._lock = threading.RLock()
        self._waiting: deque[tuple[Invocation, Future[Completed]]] = deque()
        self._stopping = False
        self._workers: list[WorkerProcess] = []
        self._count = processes

    def start(self) -> list[LoadedFunction]:
        """Start the workers; the app's functions, once all of them have loaded it.

        Raises:
            InvalidFunctionApp: the app can't be loaded.
            WorkerExited: a worker died before it had loaded the app.
        """
        with self._lock:
            self._workers = [self._new_worker() for _ in range(self._count)]
            workers = list(self._workers)
        functions = [worker.loaded.result() for worker in workers]
        return functions[0]

    @property
    def is_warm(self) -> bool:
        """Whether the app's warm-up function has come to its end in every worker."""
        with self._lock:
            return all(worker.warm.done() for worker in self._workers)

    def submit(self, invocation: Invocation, *, urgent: bool = False) -> Future[Completed]:
        """Run a function as soon as a worker has room; before all others that wait, when `urgent`.

        The result may also be WorkerExited, or, after a stop, WorkersStopped.
        """
        future: Future[Completed] = Future()
        with self._lock:
            if self._stopping:
                future.set_exception(WorkersStopped())
                return future
            (self._waiting.appendleft if urgent else self._waiting.append)((invocation, future))
            self._hand_out()
        return future

    def give_back(self) -> None:
        """Take no more, and give back what no worker has begun."""
        with self._lock:
            self._stopping = True
            waiting, self._waiting = self._waiting, deque()
        for _, future in waiting:
            future.set_exception(WorkersStopped())

    def close(self) -> None:
        """End every worker, with whatever it runs; `give_back` comes first."""
        with self._lock:
            workers = list(self._workers)
        for worker in workers:
            worker.kill(WorkersStopped())
        for worker in workers:
            worker.join()

    def end_overdue(self, timeout: timedelta) -> None:
        """End each worker in which a function has run longer than `timeout`, as Azure does."""
        oldest = time.monotonic() - timeout.total_seconds()
        with self._lock:
            workers = list(self._workers)
        for worker in workers:
            if worker.runs_since_before(oldest):
                log_event("function timeout", logging.ERROR, worker=worker.pid, timeout=timeout)
                worker.kill(WorkerExited(f"a function of this worker ran longer than {timeout}"))

    def _new_worker(self) -> WorkerProcess:
        return WorkerProcess(self._app, self._threads, self._hand_out, self._replace)

    def _replace(self, gone: WorkerProcess) -> None:
        with self._lock:
            if gone in self._workers:
                self._workers.remove(gone)
            if self._stopping:
                return
            if gone.loaded.exception() is None:
                log_event("worker replaced", logging.ERROR, worker=gone.pid)
                self._workers.append(self._new_worker())
                return
        self._on_broken()

    def _hand_out(self) -> None:
        with self._lock:
            while self._waiting and (worker := self._least_busy()):
                invocation, future = self._waiting.popleft()
                worker.running[invocation.invocation_id] = Running(future)
                try:
                    worker.send(invocation)
                except OSError:
                    # It has just died: its reader will see that too, and fail what it was given.
                    self._workers.remove(worker)

    def _least_busy(self) -> WorkerProcess | None:
        """Whoever has long been at something may stand still, and gets more only if nobody else has room."""
        late = time.monotonic() - _LATE_SECONDS
        room = [
            worker for worker in self._workers if worker.loaded.done() and len(worker.running) < self._threads
        ]
        return min(
            room, key=lambda worker: (worker.runs_since_before(late), len(worker.running)), default=None
        )
