"""What the worker is asked over HTTP."""

import json
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from backend.domain.errors import InvalidMessage
from backend.domain.messages import LargeBatchMessage
from backend.local.spark_worker.runs import Runs
from backend.local.spark_worker.session import SessionState, SessionStatus

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

MAX_BODY_BYTES = 1 << 20

_ROUTES = Map(
    [
        Rule("/runs", endpoint="start", methods=["POST"]),
        Rule("/runs", endpoint="active", methods=["GET"]),
        Rule("/runs/<run_id>", endpoint="state", methods=["GET"]),
        Rule("/status", endpoint="status", methods=["GET"]),
    ]
)


class WorkerEndpoint:
    """The WSGI application in front of the runs."""

    def __init__(self, runs: Runs, status: Callable[[], SessionStatus]) -> None:
        self._runs = runs
        self._status = status

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one call."""
        request = Request(environ)
        try:
            endpoint, values = _ROUTES.bind_to_environ(environ).match()
            code, body = self._answer(endpoint, request, **values)
        except HTTPException as error:
            code, body = error.code or 500, {"message": error.description}
        response = Response(json.dumps(body), code, content_type="application/json")
        return response(environ, start_response)

    def _answer(self, endpoint: str, request: Request, run_id: str = "") -> tuple[int, dict[str, Any]]:
        match endpoint:
            case "start":
                return self._start(request.get_data())
            case "active":
                return 200, {"active": self._runs.active()}
            case "state":
                state = self._runs.state(run_id)
                return (200, {"state": state}) if state else (404, {"message": f"there is no run {run_id}"})
            case _:
                status = self._status()
                return 200, {"state": status.state, "message": status.message}

    def _start(self, body: bytes) -> tuple[int, dict[str, Any]]:
        try:
            message = LargeBatchMessage.decode(body)
        except InvalidMessage as error:
            return 400, {"message": str(error)}
        status = self._status()
        if status.state != SessionState.READY:
            return 503, {"message": status.message}
        return 200, {"runId": self._runs.start(message)}
