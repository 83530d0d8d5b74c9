"""`/healthz` and `/readyz`."""

from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag

from backend.routes.errors import ERRORS, ErrorAnswer, error_response
from backend.routes.json_bodies import Answer, respond
from backend.routes.request_services import services

health = APIBlueprint("health", __name__, abp_tags=[Tag(name="Health")], abp_responses=dict(ERRORS))


class AliveAnswer(Answer):
    """The process answers."""

    status: str


class ReadyAnswer(Answer):
    """Whether each outside system answers."""

    checks: dict[str, bool]


@health.get("/healthz", responses={200: AliveAnswer})
def healthz() -> Response:
    """Whether the process is alive."""
    return respond(AliveAnswer(status="alive"))


@health.get("/readyz", responses={200: ReadyAnswer, 503: ErrorAnswer})
def readyz() -> Response:
    """Whether storage, queues, tables and the database answer."""
    checks = services().health.check()
    silent = [name for name, answers in checks.items() if not answers]
    if silent:
        return error_response(503, "not_ready", f"no answer from: {', '.join(silent)}")
    return respond(ReadyAnswer(checks=checks))
