"""What Data Factory's pipelines call beside the large path: sweeping, loading Gold, the log of their runs."""

import azure.functions as func
import msgspec

from backend.domain.errors import InvalidRequest
from backend.myfunc.process_services import process_services

blueprint = func.Blueprint()  # type: ignore[no-untyped-call] # the library left it untyped


@blueprint.route(
    route="sweep_jobs", trigger_arg_name="request", methods=["POST"], auth_level=func.AuthLevel.FUNCTION
)
def sweep_jobs(request: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001 - a binding's name
    """Put the jobs whose worker or message is gone back on their queue; answers what was done."""
    return _json(process_services().sweeping.step())


@blueprint.route(
    route="load_gold", trigger_arg_name="request", methods=["POST"], auth_level=func.AuthLevel.FUNCTION
)
def load_gold(request: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001 - a binding's name
    """Load the jobs that wait for it: `working` when time ran out before the last, else `empty`."""
    return _json(process_services().loading.step())


@blueprint.route(
    route="record_pipeline_run",
    trigger_arg_name="request",
    methods=["POST"],
    auth_level=func.AuthLevel.FUNCTION,
)
def record_pipeline_run(request: func.HttpRequest) -> func.HttpResponse:
    """Write what a run found, did and skipped into the lake; answers the file's path, or 400."""
    from backend.services.pipeline_runs import PipelineRun

    try:
        run = PipelineRun.decode(request.get_body())
    except InvalidRequest as error:
        return _json({"error": error.code, "message": str(error)}, 400)
    return _json({"path": process_services().pipeline_runs.write(run)})


def _json(answer: object, status: int = 200) -> func.HttpResponse:
    return func.HttpResponse(msgspec.json.encode(answer), status_code=status, mimetype="application/json")
