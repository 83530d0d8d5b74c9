"""The large path: Data Factory calls it again and again while there is work on the large queue."""

import azure.functions as func
import msgspec

from backend.myfunc.process_services import process_services

blueprint = func.Blueprint()  # type: ignore[no-untyped-call] # the library left it untyped


# With a key, which only Data Factory is given: whoever may call it can spend money on clusters.
@blueprint.route(
    route="drain_large_batch_queue",
    trigger_arg_name="request",
    methods=["POST"],
    auth_level=func.AuthLevel.FUNCTION,
)
def drain_large_batch_queue(request: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001 - a binding's name
    """Take one short step: answers `{"status": "empty"}`, or `working` and what was found and done."""
    step = process_services().draining.step()
    return func.HttpResponse(msgspec.json.encode(step), mimetype="application/json")
