"""`/metrics`, for Prometheus."""

from hmac import compare_digest
from typing import Any

from flask import Response, abort, request
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag

from backend.routes.errors import ERRORS, ErrorAnswer, error_response
from backend.routes.request_services import services

METRICS_SECURITY_SCHEMES: dict[str, Any] = {"metricsToken": {"type": "http", "scheme": "bearer"}}

_MEDIA_TYPE = "text/plain"
_TEXT: dict[str, Any] = {"content": {_MEDIA_TYPE: {"schema": {"type": "string"}}}}

metrics = APIBlueprint(
    "metrics",
    __name__,
    abp_tags=[Tag(name="Health")],
    abp_security=[{"metricsToken": []}, {}],
    abp_responses={**ERRORS, 401: ErrorAnswer, 404: ErrorAnswer},
)


@metrics.before_request
def require_metrics_token() -> Response | None:
    """Let nobody read of all users but who has the token; on one machine, without one, everybody may.

    Elsewhere there is no such address as long as no token is set.
    """
    settings = services().settings
    if settings.metrics_token is None:
        return None if settings.local else abort(404)
    sent = request.authorization
    token = (sent.token or "") if sent is not None and sent.type == "bearer" else ""
    if compare_digest(token.encode(), settings.metrics_token.encode()):
        return None
    response = error_response(401, "token_invalid", "send METRICS_TOKEN as Authorization: Bearer <token>")
    response.headers["WWW-Authenticate"] = "Bearer"
    return response


@metrics.get("/metrics", responses={200: _TEXT})
def read_metrics() -> Response:
    """How the service is doing, in Prometheus' text format: the same from every process."""
    # Here and not above: the API must not wait for it to start.
    from backend.routes.prometheus_text import content_type, exposition

    return Response(exposition(services().figures.read()), content_type=content_type())
