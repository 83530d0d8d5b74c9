"""Every error as the API tells it: one shape, a code, and a sentence that says what to do."""

import logging
import re
from typing import Any, Literal

from azure.core.exceptions import AzureError, HttpResponseError
from flask import Flask, Response
from flask_openapi3.types import ResponseDict
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel
from werkzeug.exceptions import HTTPException

from backend.domain.errors import (
    Busy,
    Conflict,
    InvalidRequest,
    MalformedPart,
    NotAuthenticated,
    NotFound,
    StillWorking,
    TooLarge,
    TooManyEventStreams,
    TooManyOpenJobs,
    Unavailable,
)
from backend.telemetry import traces

_log = logging.getLogger(__name__)

_MOST_COMPLAINTS = 3
_SERVER_ERROR = 500
_STORAGE_REFUSED = frozenset({401, 403, 408, 429})

_MESSAGES = {
    404: "there is nothing at this address: see /docs for what there is",
    405: "this address does not take this method: see the Allow header for those that it takes",
    413: "the body is too large: send less at once",
    429: "too many attempts: wait as long as the Retry-After header says",
}


class ErrorAnswer(BaseModel):
    """What every error says."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    success: Literal[False] = False
    error: str = Field(description="A code in snake_case.")
    message: str = Field(description="One sentence that says what to do.")
    request_id: str | None = Field(
        default=None, description="With 500 and 503: what the log calls this request."
    )


ERRORS: ResponseDict = dict.fromkeys((400, 405, 413, 415, 429, 500, 503), ErrorAnswer)
"""What any call may answer; each blueprint adds those of its own."""


def error_response(status: int, code: str, message: str, request_id: str | None = None) -> Response:
    """An error in the API's shape."""
    answer = ErrorAnswer(error=code, message=_sentence(message), request_id=request_id)
    return Response(
        answer.model_dump_json(by_alias=True, exclude_none=True), status, mimetype="application/json"
    )


def validation_error_response(error: ValidationError) -> Response:
    """What is wrong with a body, a query or a header, field by field."""
    complaints = [_complaint(detail) for detail in error.errors(include_url=False, include_input=False)]
    return error_response(400, "invalid_request", "; ".join(complaints[:_MOST_COMPLAINTS]))


def register_error_handlers(app: Flask) -> None:
    """Give every error that leaves a view its answer."""
    app.register_error_handler(InvalidRequest, lambda error: error_response(400, error.code, str(error)))
    app.register_error_handler(
        MalformedPart, lambda error: error_response(400, "unreadable_input", str(error))
    )
    app.register_error_handler(NotAuthenticated, lambda error: error_response(401, error.code, str(error)))
    app.register_error_handler(NotFound, lambda error: error_response(404, "not_found", str(error)))
    app.register_error_handler(Conflict, lambda error: error_response(409, error.code, str(error)))
    app.register_error_handler(TooLarge, lambda error: error_response(413, "too_large", str(error)))
    app.register_error_handler(Busy, lambda error: _try_later("busy", str(error)))
    app.register_error_handler(StillWorking, lambda error: _try_later("still_working", str(error)))
    app.register_error_handler(TooManyOpenJobs, lambda error: _too_many("too_many_open_jobs", str(error)))
    app.register_error_handler(
        TooManyEventStreams, lambda error: _too_many("too_many_event_streams", str(error))
    )
    app.register_error_handler(Unavailable, _unavailable)
    app.register_error_handler(AzureError, _storage_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _unexpected)


def _http_error(error: HTTPException) -> Response | HTTPException:
    status = error.code or _SERVER_ERROR
    if error.response is not None:
        # An answer that is complete already, such as that of a validation error.
        return error
    code = {413: "too_large", 429: "rate_limited"}.get(status, _snake_case(error.name))
    response = error_response(status, code, _MESSAGES.get(status, error.description or error.name))
    for name, value in error.get_headers():
        if name.lower() not in ("content-type", "content-length"):
            response.headers[name] = value
    return response


def _storage_error(error: AzureError) -> Response:
    """An outage is told as one; what storage refuses for another reason is a fault of ours."""
    status = error.status_code if isinstance(error, HttpResponseError) else None
    if status is None or status >= _SERVER_ERROR or status in _STORAGE_REFUSED:
        return _unavailable(error)
    return _unexpected(error)


def _too_many(code: str, message: str) -> Response:
    response = error_response(429, code, message)
    response.headers["Retry-After"] = "5"
    return response


def _unavailable(error: Exception) -> Response:
    message = "storage does not answer: try again in a while"
    return _try_later("storage_unavailable", message, _logged(error))


def _try_later(code: str, message: str, request_id: str | None = None) -> Response:
    response = error_response(503, code, message, request_id)
    response.headers["Retry-After"] = "10"
    return response


def _unexpected(error: Exception) -> Response:
    message = "something went wrong on our side: tell us the requestId"
    return error_response(_SERVER_ERROR, "internal_error", message, _logged(error))


def _logged(error: Exception) -> str | None:
    request_id = traces.request_id()
    _log.error("request %s failed", request_id, exc_info=error)
    return request_id


def _complaint(detail: Any) -> str:
    field = ".".join(str(part) for part in detail["loc"])
    text = str(detail["msg"])
    return f"{field}: {text[:1].lower()}{text[1:]}" if field else text


def _snake_case(name: str) -> str:
    return re.sub(r"[^a-z]+", "_", name.lower()).strip("_")


def _sentence(text: str) -> str:
    # A field's name keeps its spelling; only plain words get a capital.
    first = text.split(" ", 1)[0]
    capital = text[:1].upper() + text[1:] if first.isalpha() and first.islower() else text
    return capital if capital.endswith(".") else f"{capital}."
