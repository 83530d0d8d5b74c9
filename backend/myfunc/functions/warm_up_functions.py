"""What a new worker does before its first message, so that no job waits for an import."""

import azure.functions as func
from azure.functions.warmup import WarmUpContext

from backend.myfunc.process_services import process_services

blueprint = func.Blueprint()  # type: ignore[no-untyped-call] # the library left it untyped


# Azure calls a function with a warm-up trigger only under the name "warmup".
@blueprint.warm_up_trigger(arg_name="context")
def warmup(context: WarmUpContext) -> None:  # noqa: ARG001 - a binding's name and type are fixed
    """Build the services, with everything that they import."""
    import backend.sample_data.generator

    services = process_services()
    _ = services.cleaning, services.generation, services.poisoning, backend.sample_data.generator
