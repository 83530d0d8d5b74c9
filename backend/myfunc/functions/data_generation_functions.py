"""Sample data: write one part of a generated dataset into Bronze."""

import azure.functions as func

from backend.domain.messages import GenerationMessage
from backend.myfunc.deliveries import STORAGE_CONNECTION, decode, delivery
from backend.myfunc.process_services import process_services
from backend.telemetry.job_work import working_on

blueprint = func.Blueprint()  # type: ignore[no-untyped-call] # the library left it untyped


@blueprint.queue_trigger(
    arg_name="message", queue_name="%DATA_GENERATION_QUEUE%", connection=STORAGE_CONNECTION
)
def generate_sample_data_part(message: func.QueueMessage) -> None:
    """Generate the part that the message names; an error makes the queue deliver it again."""
    work = decode(message, GenerationMessage)
    services = process_services()
    with working_on(work, "generate_sample_data_part", delivery=delivery(message), part=work.part_id):
        services.generation.run(work, delivery(message))
