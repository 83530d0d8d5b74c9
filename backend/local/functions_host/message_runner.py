"""What happens to one message of a queue, from its delivery until it is settled."""

import logging
import time
import uuid
from collections.abc import Callable
from concurrent.futures import Future
from datetime import timedelta

from azure.core.exceptions import AzureError, ResourceNotFoundError
from azure.storage.queue import QueueClient, QueueMessage

from backend.local.functions_host.errors import UndecodableMessage, WorkerExited, WorkersStopped
from backend.local.functions_host.host_file import QueuesOptions
from backend.local.functions_host.invocations import Completed, QueueInvocation
from backend.local.functions_host.log_lines import log_event
from backend.local.functions_host.message_encoding import decode_message

_SHORTEST_PAUSE_SECONDS = 0.5

Submit = Callable[[QueueInvocation], Future[Completed]]


class MessageRunner:
    """Runs a function on messages of its queue, and settles them.

    - a success deletes the message;
    - a failure makes it visible again after `visibilityTimeout`, or, after `maxDequeueCount`
      deliveries, moves it to the poison queue with its content unchanged;
    - what can't be decoded, or has been delivered too often already, moves there without a run;
    - the lease is renewed at half of its time, for as long as the function runs; a renewal that failed
      is tried again after half of the pause before, as the queues extension does.
    """

    def __init__(
        self,
        function_name: str,
        queue: QueueClient,
        poison_queue: QueueClient,
        options: QueuesOptions,
        lease: timedelta,
        submit: Submit,
    ) -> None:
        self._function_name = function_name
        self._queue = queue
        self._poison_queue = poison_queue
        self._options = options
        self._submit = submit
        self.lease_seconds = int(lease.total_seconds())

    def run(self, message: QueueMessage) -> None:
        """Run the function on a message that has just been fetched, and settle it."""
        try:
            self._run(message)
        except AzureError as error:
            # The lease runs out and the message is delivered again: at least once, as on Azure.
            self._log("message not settled", message, logging.ERROR, error=str(error))

    def _run(self, message: QueueMessage) -> None:
        allowed = self._options.max_dequeue_count
        if (message.dequeue_count or 0) > allowed:
            self._poison(message, f"delivered {message.dequeue_count} times, {allowed} are allowed")
            return
        try:
            body = decode_message(message.content, self._options.message_encoding)
        except UndecodableMessage as error:
            self._poison(message, str(error))
            return
        started = time.monotonic()
        self._log("function started", message)
        try:
            completed = self._await(message, self._submit(self._invocation(message, body)))
        except WorkersStopped:
            self._log("message given back", message)
            self._make_visible(message, 0)
            return
        except WorkerExited as error:
            completed = Completed(invocation_id="", error=str(error))
        self._settle(message, completed, time.monotonic() - started)

    def _settle(self, message: QueueMessage, completed: Completed, seconds: float) -> None:
        milliseconds = round(seconds * 1000)
        if completed.error is None:
            self._log("function succeeded", message, duration_ms=milliseconds)
            self._queue.delete_message(message)
            return
        self._log(
            "function failed",
            message,
            logging.ERROR,
            duration_ms=milliseconds,
            error=completed.error,
            trace=completed.trace,
        )
        if (message.dequeue_count or 0) >= self._options.max_dequeue_count:
            self._poison(message, completed.error)
        else:
            self._make_visible(message, int(self._options.visibility_timeout.total_seconds()))

    def _await(self, message: QueueMessage, future: Future[Completed]) -> Completed:
        pause = self.lease_seconds / 2
        while True:
            try:
                return future.result(timeout=pause)
            except TimeoutError:
                renewed = self._renew(message)
                # A whole pause more, and the lease would run out just when the next renewal comes.
                pause = self.lease_seconds / 2 if renewed else max(pause / 2, _SHORTEST_PAUSE_SECONDS)

    def _renew(self, message: QueueMessage) -> bool:
        try:
            self._make_visible(message, self.lease_seconds)
        except AzureError as error:
            self._log("lease not renewed", message, logging.WARNING, error=str(error))
            return False
        self._log("lease renewed", message, logging.DEBUG)
        return True

    def _make_visible(self, message: QueueMessage, seconds: int) -> None:
        updated = self._queue.update_message(message, visibility_timeout=seconds)
        message.pop_receipt = updated.pop_receipt

    def _poison(self, message: QueueMessage, reason: str) -> None:
        self._log("message poisoned", message, logging.ERROR, reason=reason)
        try:
            self._poison_queue.send_message(message.content)
        except ResourceNotFoundError:
            self._poison_queue.create_queue()
            self._poison_queue.send_message(message.content)
        self._queue.delete_message(message)

    def _invocation(self, message: QueueMessage, body: bytes) -> QueueInvocation:
        return QueueInvocation(
            invocation_id=str(uuid.uuid4()),
            function_name=self._function_name,
            message_id=message.id,
            body=body,
            dequeue_count=message.dequeue_count or 1,
            insertion_time=message.inserted_on,
            expiration_time=message.expires_on,
            next_visible_time=message.next_visible_on,
            pop_receipt=message.pop_receipt,
        )

    def _log(self, event: str, message: QueueMessage, level: int = logging.INFO, **details: object) -> None:
        log_event(
            event,
            level,
            function=self._function_name,
            message_id=message.id,
            dequeue_count=message.dequeue_count,
            **details,
        )
