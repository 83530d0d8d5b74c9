"""The small path: clean one dataset with pandas as soon as its message arrives, and load it."""

import azure.functions as func

from backend.domain.messages import CleaningMessage
from backend.myfunc.deliveries import STORAGE_CONNECTION, decode, delivery
from backend.myfunc.process_services import process_services
from backend.telemetry.job_work import working_on

blueprint = func.Blueprint()  # type: ignore[no-untyped-call] # the library left it untyped


@blueprint.queue_trigger(arg_name="message", queue_name="%SMALL_BATCH_QUEUE%", connection=STORAGE_CONNECTION)
def transform_small_batch_queue(message: func.QueueMessage) -> None:
    """Run the cleaning job that the message names, and load its Gold.

    An error makes the queue deliver the message again. A database that can't take Gold now is none: the
    pipelines come back to that.
    """
    work = decode(message, CleaningMessage)
    services = process_services()
    with working_on(work, "transform_small_batch_queue", delivery=delivery(message)):
        services.cleaning.run(work, delivery(message))
        services.loading.load(work.user_id, work.job_id)
