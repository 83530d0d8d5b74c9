"""A timer trigger: runs its function when it is due, never twice at the same time."""

import logging
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import Future
from datetime import UTC, datetime

from backend.local.functions_host.errors import WorkerExited, WorkersStopped
from backend.local.functions_host.invocations import Completed, TimerInvocation
from backend.local.functions_host.log_lines import log_event
from backend.local.functions_host.schedules import parse_schedule
from backend.local.functions_host.triggers import TimerTrigger


class TimerListener:
    """Waits for the due times of one timer in a thread of its own.

    A run that lasts beyond the next due time moves it: the first due time after its end counts, and
    no missed one is caught up. Schedules are not remembered from one start of the host to the next.
    """

    def __init__(self, trigger: TimerTrigger, submit: Callable[[TimerInvocation], Future[Completed]]) -> None:
        self._trigger = trigger
        self._schedule = parse_schedule(trigger.schedule)
        self._submit = submit
        self._stopping = threading.Event()
        name = f"timer-{trigger.function_name}"
        self._thread = threading.Thread(target=self._listen, name=name, daemon=True)

    def start(self) -> None:
        """Begin to wait."""
        self._thread.start()

    def stop(self) -> None:
        """Start no more runs; one that is under way goes on."""
        self._stopping.set()

    def wait_idle(self, timeout: float) -> bool:
        """Whether a run that was under way ended within `timeout` seconds after `stop`."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _listen(self) -> None:
        if self._trigger.run_on_startup:
            self._run()
        due = self._schedule(datetime.now(UTC))
        while not self._stopping.wait(max(0.0, (due - datetime.now(UTC)).total_seconds())):
            self._run()
            due = self._schedule(max(due, datetime.now(UTC)))

    def _run(self) -> None:
        name = self._trigger.function_name
        log_event("function started", function=name)
        invocation = TimerInvocation(invocation_id=str(uuid.uuid4()), function_name=name, past_due=False)
        try:
            completed = self._submit(invocation).result()
        except WorkersStopped:
            return
        except WorkerExited as error:
            completed = Completed(invocation_id=invocation.invocation_id, error=str(error))
        if completed.error is None:
            log_event("function succeeded", function=name)
        else:
            log_event(
                "function failed", logging.ERROR, function=name, error=completed.error, trace=completed.trace
            )
