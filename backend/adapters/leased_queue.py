"""One Azure Storage queue whose messages are worked on in steps, each under a lease."""

import base64
import binascii
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.storage.queue import QueueServiceClient

from backend.domain.errors import LeaseLost
from backend.domain.messages import POISON_SUFFIX
from backend.ports import LeasedMessage

# What the service says of a message that somebody else has leased, or deleted, in the meantime.
_LOST = frozenset({"MessageNotFound", "PopReceiptMismatch"})


class StorageLeasedQueue:
    """Implements `LeasedQueue` on a queue, which exists.

    Contents are encoded and decoded here, since the SDK gives up a whole page for one that is not Base64.
    """

    def __init__(self, service: QueueServiceClient, name: str) -> None:
        self._queue = service.get_queue_client(name)
        self._poison_queue = service.get_queue_client(f"{name}{POISON_SUFFIX}")

    def is_empty(self) -> bool:
        """Whether it holds no message, leased ones included."""
        return not self._queue.get_queue_properties().approximate_message_count

    def lease(self, limit: int, duration: timedelta) -> list[LeasedMessage]:
        """At most `limit` messages that nobody has leased."""
        messages = self._queue.receive_messages(
            max_messages=limit, visibility_timeout=_seconds(duration), messages_per_page=limit
        )
        return [
            LeasedMessage(message.id, message.content, _decoded(message.content), message.pop_receipt or "")
            for message in messages
        ]

    def renew(self, message: LeasedMessage, body: bytes, duration: timedelta) -> LeasedMessage:
        """Write `body` into the message, and lease it for `duration` from now. Raises LeaseLost."""
        content = base64.b64encode(body).decode()
        with _lease_of(message):
            renewed = self._queue.update_message(
                message.message_id, message.receipt, content=content, visibility_timeout=_seconds(duration)
            )
        return LeasedMessage(message.message_id, content, body, renewed.pop_receipt or "")

    def delete(self, message: LeasedMessage) -> None:
        """The work is done. Raises LeaseLost."""
        with _lease_of(message):
            self._queue.delete_message(message.message_id, message.receipt)

    def poison(self, message: LeasedMessage) -> None:
        """Put the message on the poison queue and delete it here. Raises LeaseLost.

        In this order: a message that is on both queues is seen again, one that is on neither never.
        """
        try:
            self._poison_queue.send_message(message.content)
        except ResourceNotFoundError:
            self._poison_queue.create_queue()
            self._poison_queue.send_message(message.content)
        self.delete(message)


def _decoded(content: str) -> bytes | None:
    try:
        return base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError):
        return None


def _seconds(duration: timedelta) -> int:
    return round(duration.total_seconds())


@contextmanager
def _lease_of(message: LeasedMessage) -> Iterator[None]:
    try:
        yield
    except HttpResponseError as error:
        if getattr(error, "error_code", None) in _LOST:
            raise LeaseLost(f"the lease of message {message.message_id} has run out") from error
        raise
