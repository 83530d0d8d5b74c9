"""Azure Storage queues, with Base64 on the wire as the Functions queue trigger expects."""

from collections.abc import Iterable

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import BinaryBase64EncodePolicy, QueueClient, QueueServiceClient

_NEVER_EXPIRES = -1


class StorageQueues:
    """Implements `MessageQueues` and `QueueDepths`.

    Args:
        queue_names: every queue that is sent to. Each has one client, which keeps its connections.
    """

    def __init__(self, service: QueueServiceClient, queue_names: Iterable[str]) -> None:
        self._service = service
        self._clients: dict[str, QueueClient] = {
            name: service.get_queue_client(name, message_encode_policy=BinaryBase64EncodePolicy())
            for name in queue_names
        }

    def send(self, queue_name: str, body: bytes) -> str:
        """Put a message on a queue; its message id."""
        # A job must not vanish because a queue stood still for a week, the default lifetime.
        return self._clients[queue_name].send_message(body, time_to_live=_NEVER_EXPIRES).id

    def depth(self, queue_name: str) -> int:
        """See the port. Azure's approximate count is never lower than the true one."""
        try:
            properties = self._service.get_queue_client(queue_name).get_queue_properties()
        except ResourceNotFoundError:
            return 0
        return properties.approximate_message_count or 0

    def ping(self) -> None:
        """Raise if a queue does not answer."""
        for client in self._clients.values():
            client.get_queue_properties()
