"""The small path: clean one dataset with pandas as soon as its message arrives."""

import azure.functions as func

from backend.domain.messages import CleaningMessage
from backend.myfunc.deliveries import STORAGE_CONNECTION, decode, delivery
from backend.myfunc.process_services import process_services

blueprint = func.Blueprint()  # type: ignore[no-untyped-call] # the library left it untyped


@blueprint.queue_trigger(arg_name="message", queue_name="%SMALL_BATCH_QUEUE%", connection=STORAGE_CONNECTION)
def transform_small_batch_queue(message: func.QueueMessage) -> None:
    """Run the cleaning job that the message names; an error makes the queue deliver it again."""
    work = decode(message, CleaningMessage)
    process_services().cleaning.run(work, delivery(message))
