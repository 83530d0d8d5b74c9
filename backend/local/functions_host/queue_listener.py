"""A queue trigger: fetch, run, keep the lease, and settle each message as Azure documents it."""

import logging
import random
import threading
from collections.abc import Callable

from azure.core.exceptions import AzureError, ResourceNotFoundError
from azure.storage.queue import QueueClient, QueueMessage

from backend.local.functions_host.host_file import QueuesOptions
from backend.local.functions_host.log_lines import log_event
from backend.local.functions_host.message_runner import MessageRunner
from backend.local.functions_host.polling_delays import PollingDelays


class QueueListener:
    """Listens to one queue in a thread of its own, and runs each message in another.

    Azure's rule for how many at once: a batch is fetched whenever no more messages than the threshold
    are running, so that at most the threshold and a batch run at a time.

    Args:
        on_death: called when listening ends although nobody asked it to.
    """

    def __init__(
        self,
        queue: QueueClient,
        options: QueuesOptions,
        runner: MessageRunner,
        on_death: Callable[[], None],
    ) -> None:
        self._queue = queue
        self._options = options
        self._runner = runner
        self._on_death = on_death
        self._delays = PollingDelays(options.max_polling_interval, random.Random())  # noqa: S311 - no secret
        self._stopping = threading.Event()
        self._changed = threading.Condition()
        self._running = 0
        self._thread = threading.Thread(target=self._live, name=f"listen-{queue.queue_name}", daemon=True)

    def start(self) -> None:
        """Begin to fetch messages."""
        self._thread.start()

    def stop_fetching(self) -> None:
        """Fetch no more; what runs goes on."""
        self._stopping.set()
        with self._changed:
            self._changed.notify_all()

    def wait_idle(self, timeout: float) -> bool:
        """Whether every message was settled within `timeout` seconds after `stop_fetching`."""
        with self._changed:
            return self._changed.wait_for(lambda: self._running == 0, timeout)

    def _live(self) -> None:
        try:
            self._listen()
        finally:
            # A queue that nobody listens to must not look like an idle one.
            if not self._stopping.is_set():
                self._on_death()

    def _listen(self) -> None:
        while not self._stopping.is_set():
            messages = self._fetch()
            if not messages:
                self._stopping.wait(self._delays.next().total_seconds())
                continue
            self._delays.found_messages()
            for message in messages:
                self._begin(message)
            self._wait_for_room()

    def _fetch(self) -> list[QueueMessage]:
        try:
            pages = self._queue.receive_messages(
                messages_per_page=self._options.batch_size,
                visibility_timeout=self._runner.lease_seconds,
            ).by_page()
            return list(next(pages, ()))
        except ResourceNotFoundError:
            # Azure too listens to a queue that nobody has created yet.
            return []
        except AzureError as error:
            log_event("queue unreachable", logging.WARNING, queue=self._queue.queue_name, error=str(error))
            return []

    def _begin(self, message: QueueMessage) -> None:
        with self._changed:
            self._running += 1
        threading.Thread(target=self._run, args=(message,), name=f"message-{message.id}", daemon=True).start()

    def _run(self, message: QueueMessage) -> None:
        try:
            self._runner.run(message)
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()

    def _wait_for_room(self) -> None:
        with self._changed:
            self._changed.wait_for(
                lambda: self._running <= self._options.threshold or self._stopping.is_set()
            )
