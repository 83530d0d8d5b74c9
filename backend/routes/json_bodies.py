"""JSON in and out: read strictly, so that no body, however odd, gets past a clear 400, 413 or 415."""

from typing import Any, Literal, NoReturn

import orjson
from flask import Request, Response
from flask.json.provider import JSONProvider
from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel
from werkzeug.exceptions import UnsupportedMediaType

from backend.domain.errors import InvalidRequest

GREATEST_JSON_BODY = 1 << 20
"""Bytes; an upload has a limit of its own."""


class Body(BaseModel):
    """A request's path, query or body. Unknown fields are ignored, also our own names for the known ones."""

    model_config = ConfigDict(alias_generator=to_camel)


class Answer(BaseModel):
    """What a call answers when it went well."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    success: Literal[True] = True


def respond(answer: Answer, status: int = 200) -> Response:
    """An answer as JSON."""
    return Response(answer.model_dump_json(by_alias=True), status, mimetype="application/json")


class StrictJson(JSONProvider):
    """JSON as RFC 8259 has it.

    orjson refuses NaN, lone surrogates, what is not UTF-8 and nesting without end, where Python's own
    reader passes the first ones on and overflows its stack with the last.
    """

    def dumps(self, obj: Any, **_: Any) -> str:
        """A value as JSON."""
        return orjson.dumps(obj).decode()

    def loads(self, s: str | bytes, **_: Any) -> Any:
        """A JSON text's value. Raises ValueError."""
        return orjson.loads(s)


class ApiRequest(Request):
    """A request whose JSON body is an object, or the request is refused."""

    def get_json(self, force: bool = False, silent: bool = False, cache: bool = True) -> Any:  # noqa: ARG002 - never silent
        """The body.

        Raises:
            UnsupportedMediaType: it does not say that it is JSON.
            InvalidRequest: it is not JSON, or no object.
        """
        value = super().get_json(force=force, silent=False, cache=cache)
        if not isinstance(value, dict):
            raise InvalidRequest("the body has to be a JSON object", "invalid_json")
        return value

    def on_json_loading_failed(self, e: ValueError | None) -> NoReturn:
        """Say what is wrong with the body."""
        if e is None:
            raise UnsupportedMediaType("send the body as JSON, with Content-Type: application/json")
        raise InvalidRequest(f"the body is not valid JSON: {e}", "invalid_json")
