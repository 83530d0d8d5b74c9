"""Letting a job say, again and again, that somebody still works on it."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass
from datetime import timedelta

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """How often a worker is heard of, and when it counts as gone.

    Attributes:
        interval: from one beat to the next.
        stale_after: without a beat for so long, the worker is gone; several intervals, since a beat may come
            late or fail.
    """

    interval: timedelta
    stale_after: timedelta

    @contextmanager
    def during(self, beat: Callable[[], object]) -> Iterator[None]:
        """Call `beat` every interval, from a thread of its own, until the block is left."""
        ended = threading.Event()
        # In a copy of this thread's context, so that what it logs names the job.
        run = copy_context().run
        thread = threading.Thread(target=run, args=(self._until, ended, beat), name="heartbeat", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            # A beat after the end would take back what the worker says last.
            thread.join()

    def _until(self, ended: threading.Event, beat: Callable[[], object]) -> None:
        while not ended.wait(self.interval.total_seconds()):
            try:
                beat()
            except Exception as error:  # noqa: BLE001 - storage may be out for a while; the next beat tells
                _log.warning("a heartbeat could not be written: %s", error)
