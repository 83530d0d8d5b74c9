"""One line of the log for each request, its id, and the trace that it begins."""

import logging
from contextlib import ExitStack
from time import perf_counter

from flask import Flask, Response, g, request

from backend.telemetry import traces
from backend.telemetry.log_lines import about, log_event

_log = logging.getLogger(__name__)

_READS = ("GET", "HEAD", "OPTIONS")
# Asked every few seconds by those who watch the service, and of no interest one by one.
_UNTOLD = frozenset({"/healthz", "/readyz", "/metrics"})
_REQUEST_ID = "X-Request-Id"


def install_request_log(app: Flask) -> None:
    """Tell of every request of `app`; to be called before anything else is told to run before requests.

    A request that may set work going begins a trace. Others only have an id: each job has many of them.
    """
    app.before_request(_begin)
    app.after_request(_answered)
    app.teardown_request(_end)


def _begin() -> None:
    g.request_log, g.request_began = ExitStack(), perf_counter()
    g.request_log.enter_context(about())
    g.request_log.enter_context(
        traces.request(f"{request.method} {_route()}", traced=request.method not in _READS)
    )


def _answered(response: Response) -> Response:
    response.headers[_REQUEST_ID] = traces.request_id() or ""
    if _route() not in _UNTOLD:
        log_event(
            _log,
            logging.INFO,
            "request answered",
            method=request.method,
            route=_route(),
            status=response.status_code,
            milliseconds=round((perf_counter() - g.request_began) * 1000, 1),
        )
    return response


def _end(_error: BaseException | None) -> None:
    if (request_log := g.pop("request_log", None)) is not None:
        request_log.close()


def _route() -> str:
    """The address's pattern: what stands in its places, and behind a question mark, is the caller's."""
    return "unknown" if request.url_rule is None else request.url_rule.rule
