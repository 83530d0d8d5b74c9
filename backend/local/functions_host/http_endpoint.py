"""The HTTP triggers of the app, and the host's own status, on a loopback port."""

import json
import logging
import re
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from backend.local.functions_host.errors import InvalidFunctionApp, WorkerExited, WorkersStopped
from backend.local.functions_host.invocations import Completed, HttpInvocation
from backend.local.functions_host.log_lines import log_event
from backend.local.functions_host.triggers import HttpTrigger
from backend.local.loopback_server import LoopbackServer

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_STATUS = "host status"
_PARAMETER = re.compile(r"\{(?P<rest>\*?)(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::(?P<constraint>[a-z]+))?\}")
_CONVERTERS = {None: "string", "alpha": "string", "int": "int", "long": "int", "guid": "uuid"}
_THREADS = 8
_MAX_BODY_BYTES = 100 * 1024 * 1024

Submit = Callable[[HttpInvocation], Future[Completed]]


def to_rule(trigger: HttpTrigger, prefix: str) -> Rule:
    """A route template (`jobs/{id:int}`, `files/{*rest}`) as a rule of werkzeug's.

    Raises:
        InvalidFunctionApp: the template uses a part of the syntax that this host lacks.
    """

    def parameter(match: re.Match[str]) -> str:
        if match["rest"]:
            return f"<path:{match['name']}>"
        try:
            return f"<{_CONVERTERS[match['constraint']]}:{match['name']}>"
        except KeyError:
            raise InvalidFunctionApp(
                f"{trigger.function_name}: no route constraint {match['constraint']} here"
            ) from None

    path = _PARAMETER.sub(parameter, trigger.route.strip("/"))
    if "{" in path:
        raise InvalidFunctionApp(f"{trigger.function_name}: this host can't read the route {trigger.route}")
    parts = [part for part in (prefix.strip("/"), path) if part]
    return Rule("/" + "/".join(parts), endpoint=trigger.function_name, methods=list(trigger.methods))


class HttpEndpoint:
    """A WSGI server for the app's HTTP functions.

    `GET /admin/host/status` answers as the Functions host does: `{"state": "Running"}`; and whether
    the workers are warm, which is of our own.

    Raises:
        OSError: the port is taken.
    """

    def __init__(
        self,
        port: int,
        triggers: Iterable[HttpTrigger],
        prefix: str,
        submit: Submit,
        is_warm: Callable[[], bool],
    ) -> None:
        rules = [to_rule(trigger, prefix) for trigger in triggers]
        self._routes = Map([Rule("/admin/host/status", endpoint=_STATUS, methods=["GET"]), *rules])
        self._submit = submit
        self._is_warm = is_warm
        self._server = LoopbackServer(port, self.application, _THREADS, _MAX_BODY_BYTES)

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._server.port

    def start(self) -> None:
        """Begin to answer."""
        self._server.start()

    def stop(self) -> None:
        """Answer no more, and close every connection."""
        self._server.stop()

    def application(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """The WSGI application."""
        request = Request(environ)
        try:
            endpoint, values = self._routes.bind_to_environ(environ).match()
            response = self._status() if endpoint == _STATUS else self._call(request, endpoint, values)
        except HTTPException as error:
            code = re.sub(r"\W+", "_", error.name).lower()
            response = _error(error.code or 500, code, error.description or error.name)
            if error.code == 405:
                response.headers["Allow"] = ", ".join(sorted(getattr(error, "valid_methods", None) or ()))
        return response(environ, start_response)

    def _status(self) -> Response:
        return _json(200, {"state": "Running", "warm": self._is_warm()})

    def _call(self, request: Request, function_name: str, route_params: Mapping[str, object]) -> Response:
        invocation = HttpInvocation(
            invocation_id=str(uuid.uuid4()),
            function_name=function_name,
            method=request.method,
            url=request.url,
            headers=dict(request.headers),
            params=request.args.to_dict(),
            route_params={name: str(value) for name, value in route_params.items()},
            body=request.get_data(),
        )
        started = time.monotonic()
        try:
            completed = self._submit(invocation).result()
        except WorkersStopped:
            return _error(503, "stopping", "The host is stopping; ask again when it is back.")
        except WorkerExited as error:
            completed = Completed(invocation_id=invocation.invocation_id, error=str(error))
        milliseconds = round((time.monotonic() - started) * 1000)
        return self._answer(invocation, completed, milliseconds)

    def _answer(self, invocation: HttpInvocation, completed: Completed, milliseconds: int) -> Response:
        details: dict[str, Any] = {
            "function": invocation.function_name,
            "invocation_id": invocation.invocation_id,
            "duration_ms": milliseconds,
        }
        answer = completed.answer
        if completed.error is not None or answer is None:
            log_event(
                "function failed", logging.ERROR, **details, error=completed.error, trace=completed.trace
            )
            message = "The function failed; the log has more under this requestId."
            return _error(500, "function_failed", message, requestId=invocation.invocation_id)
        # The caller has the answer, and may be the scheduler, which calls every other second.
        log_event("function succeeded", logging.DEBUG, **details, status=answer.status)
        return Response(answer.body, answer.status, answer.headers)


def _error(status: int, code: str, message: str, **more: str) -> Response:
    return _json(status, {"success": False, "error": code, "message": message, **more})


def _json(status: int, body: dict[str, object]) -> Response:
    return Response(json.dumps(body), status, content_type="application/json")
