"""The host: an app's triggers, listened to, with workers that run its functions."""

import importlib.util
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from backend.adapters.fault_points import FaultPoints
from backend.local.functions_host.connections import connect
from backend.local.functions_host.errors import InvalidFunctionApp
from backend.local.functions_host.host_file import HostFile
from backend.local.functions_host.http_endpoint import HttpEndpoint
from backend.local.functions_host.invocations import Completed, HttpInvocation, TimerInvocation
from backend.local.functions_host.log_lines import log_event
from backend.local.functions_host.message_runner import MessageRunner
from backend.local.functions_host.queue_listener import QueueListener
from backend.local.functions_host.timer_listener import TimerListener
from backend.local.functions_host.triggers import (
    HttpTrigger,
    QueueTrigger,
    TimerTrigger,
    Trigger,
    read_triggers,
)
from backend.local.functions_host.worker_pool import WorkerPool

_WATCH_INTERVAL_SECONDS = 1.0
_GIVE_BACK_SECONDS = 1.5


@dataclass(frozen=True, slots=True)
class HostOptions:
    """What a host is started with.

    Attributes:
        app: the module of the function app; host.json lies beside it.
        environment: the app settings that bindings refer to.
        http_port: on the loopback interface; 0 for any that is free.
        worker_processes: how many processes run functions.
        worker_threads: how many functions one of them runs at a time.
        lease: for how long a fetched message is invisible to others, renewed while its function runs.
        grace: how long running functions may take once the host is told to stop.
    """

    app: str
    environment: Mapping[str, str]
    http_port: int
    worker_processes: int
    worker_threads: int
    lease: timedelta = timedelta(minutes=10)
    grace: timedelta = timedelta(seconds=5)


class FunctionsHost:
    """Runs one function app.

    Attributes:
        ended: set when the host can't do its work any more: the app no longer loads, or a queue is not
            listened to.
    """

    def __init__(self, options: HostOptions) -> None:
        self._options = options
        self._host_file = HostFile.read(_folder_of(options.app) / "host.json")
        self.ended = threading.Event()
        self._stopping = threading.Event()
        self._pool = WorkerPool(options.app, options.worker_processes, options.worker_threads, self.ended.set)
        self._queues: list[QueueListener] = []
        self._timers: list[TimerListener] = []
        self._http: HttpEndpoint | None = None
        self._watch = threading.Thread(target=self._watch_for_overdue, name="watch", daemon=True)

    @property
    def http_port(self) -> int:
        """The port of the HTTP functions."""
        if self._http is None:
            raise RuntimeError("the host has not been started")
        return self._http.port

    @property
    def is_warm(self) -> bool:
        """Whether every worker has done what the app wants done before its first call."""
        return self._pool.is_warm

    def start(self) -> None:
        """Load the app, and begin to listen.

        Raises:
            InvalidFunctionApp: the app can't be loaded, or asks for what this host lacks.
            WorkerExited: a worker died while it loaded the app.
            OSError: the port is taken.
        """
        try:
            triggers = read_triggers(self._pool.start(), self._options.environment)
            self._prepare(triggers)
        except BaseException:
            self._pool.give_back()
            self._pool.close()
            raise
        for part in (*self._queues, *self._timers, self._http, self._watch):
            if part is not None:
                part.start()
        for trigger in triggers:
            log_event("listening", function=trigger.function_name, trigger=str(trigger))
        log_event("host started", app=self._options.app, http_port=self.http_port)

    def stop(self) -> None:
        """Fetch no more, let running functions end within the grace time, and end the workers.

        Messages of functions that were not begun, or did not end, become visible again at once.
        """
        if self._stopping.is_set():
            return
        log_event("host stopping")
        self._stopping.set()
        for queue in self._queues:
            queue.stop_fetching()
        for timer in self._timers:
            timer.stop()
        self._pool.give_back()
        deadline = time.monotonic() + self._options.grace.total_seconds()
        self._wait_idle(deadline)
        self._pool.close()
        if self._http is not None:
            self._http.stop()
        self._wait_idle(time.monotonic() + _GIVE_BACK_SECONDS)
        log_event("host stopped")

    def _wait_idle(self, deadline: float) -> None:
        for queue in self._queues:
            queue.wait_idle(max(0.0, deadline - time.monotonic()))
        for timer in self._timers:
            timer.wait_idle(max(0.0, deadline - time.monotonic()))

    def _prepare(self, triggers: list[Trigger]) -> None:
        http: list[HttpTrigger] = []
        for trigger in triggers:
            match trigger:
                case QueueTrigger():
                    self._queues.append(self._listener(trigger))
                case TimerTrigger():
                    self._timers.append(TimerListener(trigger, self._submit_urgent))
                case HttpTrigger():
                    http.append(trigger)
        prefix = self._host_file.extensions.http.route_prefix
        self._http = HttpEndpoint(
            self._options.http_port, http, prefix, self._submit_urgent, lambda: self._pool.is_warm
        )

    def _listener(self, trigger: QueueTrigger) -> QueueListener:
        service = connect(trigger.connection, self._options.environment)
        queue = service.get_queue_client(trigger.queue_name)
        poison_queue = service.get_queue_client(f"{trigger.queue_name}-poison")
        if folder := self._options.environment.get("FAULT_POINTS"):
            queue = FaultPoints(Path(folder)).around(queue, delete_message=lambda _: trigger.queue_name)
        options = self._host_file.extensions.queues
        runner = MessageRunner(
            trigger.function_name, queue, poison_queue, options, self._options.lease, self._pool.submit
        )
        return QueueListener(queue, options, runner, self.ended.set)

    def _submit_urgent(self, invocation: TimerInvocation | HttpInvocation) -> Future[Completed]:
        # Somebody waits for these, while messages wait in line anyway.
        return self._pool.submit(invocation, urgent=True)

    def _watch_for_overdue(self) -> None:
        timeout = self._host_file.function_timeout
        while timeout is not None and not self._stopping.wait(_WATCH_INTERVAL_SECONDS):
            self._pool.end_overdue(timeout)


def _folder_of(app: str) -> Path:
    try:
        found = importlib.util.find_spec(app)
    except ModuleNotFoundError:
        found = None
    if found is None or found.origin is None:
        raise InvalidFunctionApp(f"there is no module {app}")
    return Path(found.origin).parent
