"""From a queue trigger's message to what a service takes."""

from typing import TypeVar

import azure.functions as func

from backend.domain.errors import InvalidMessage
from backend.domain.messages import MAX_DELIVERIES, QueueMessage
from backend.myfunc.process_services import process_services

# The app setting of the queues' account. By the rules for Functions connections it holds a connection
# string, or settings with this prefix (`__accountName`, `__queueServiceUri`) name it for an identity.
STORAGE_CONNECTION = "AZURE_STORAGE_CONNECTION_STRING"

_Message = TypeVar("_Message", bound=QueueMessage)


def delivery(message: func.QueueMessage) -> int:
    """Which delivery of the message this is, from 1."""
    return message.dequeue_count or 1


def decode(message: func.QueueMessage, message_type: type[_Message]) -> _Message:
    """Read a message.

    On the last delivery the reason also goes into the status of the job that the message names.

    Raises:
        InvalidMessage: the body is not a `message_type`.
    """
    try:
        return message_type.decode(message.get_body())
    except InvalidMessage as error:
        if delivery(message) >= MAX_DELIVERIES:
            process_services().poisoning.record_undecodable(message.get_body(), str(error))
        raise
