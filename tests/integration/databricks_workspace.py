"""A Databricks workspace for tests: the Jobs API's calls as documented, over HTTP on loopback."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "token-of-the-service"  # noqa: S105 - made up
JOB_ID = 1_076_512_345_678_901
PAGE_RUNS = 2
"""Runs on one page of a listing, so that tests see more than one."""

_FIRST_RUN_ID = 455_644_833
_ACTIVE = ("QUEUED", "PENDING", "RUNNING", "TERMINATING")

Answer = tuple[int, dict[str, Any]]


@dataclass
class Workspace:
    """What the workspace holds, and what it was asked.

    Attributes:
        runs: by their ids, oldest first.
        parameters: the job parameters of each run.
        refusals: answers that are given instead of the next ones, with their headers.
        calls: method and path of each call of the Jobs API.
    """

    runs: dict[int, dict[str, Any]] = field(default_factory=dict)
    parameters: dict[int, dict[str, str]] = field(default_factory=dict)
    refusals: list[tuple[int, dict[str, Any], dict[str, str]]] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    host: str = ""
    _run_of_token: dict[str, int] = field(default_factory=dict)

    def ended(self, run_id: str, code: str, kind: str) -> None:
        """Have a run end."""
        self.runs[int(run_id)]["status"] = {
            "state": "TERMINATED",
            "termination_details": {"code": code, "type": kind, "message": ""},
        }

    def moved(self, run_id: str, state: str) -> None:
        """Have a run be in a state."""
        self.runs[int(run_id)]["status"] = {"state": state}

    def deleted(self, run_id: str) -> None:
        """Forget a run, as Databricks does after 60 days."""
        del self.runs[int(run_id)]

    def run_now(self, body: dict[str, Any]) -> Answer:
        if body["job_id"] != JOB_ID:
            return _error(400, "INVALID_PARAMETER_VALUE", f"Job {body['job_id']} does not exist.")
        run_id = self._run_of_token.get(body["idempotency_token"])
        if run_id is None:
            run_id = _FIRST_RUN_ID + len(self.runs)
            self._run_of_token[body["idempotency_token"]] = run_id
            self.runs[run_id] = {"job_id": JOB_ID, "run_id": run_id, "status": {"state": "QUEUED"}}
            self.parameters[run_id] = body["job_parameters"]
        return HTTPStatus.OK, {"run_id": run_id, "number_in_job": run_id}

    def get_run(self, query: dict[str, str]) -> Answer:
        run = self.runs.get(int(query["run_id"]))
        if run is None:
            return _error(400, "INVALID_PARAMETER_VALUE", f"Run {query['run_id']} does not exist.")
        return HTTPStatus.OK, run

    def list_runs(self, query: dict[str, str]) -> Answer:
        assert query["active_only"] == "true"
        active = [
            run
            for run in reversed(self.runs.values())
            if run["job_id"] == int(query["job_id"]) and run["status"]["state"] in _ACTIVE
        ]
        begin = int(query.get("page_token", 0))
        end = begin + PAGE_RUNS
        answer: dict[str, Any] = {"has_more": end < len(active)}
        if active[begin:end]:
            answer["runs"] = active[begin:end]
        if end < len(active):
            answer["next_page_token"] = str(end)
        return HTTPStatus.OK, answer


@contextmanager
def running_workspace() -> Iterator[Workspace]:
    """Serve a workspace; its `host` says where."""
    workspace = Workspace()

    class Handler(_Handler):
        of = workspace

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    workspace.host = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield workspace
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    of: Workspace
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        if path == "/.well-known/databricks-config":
            # Asked without a token, before the first call.
            self._send(HTTPStatus.OK, {"workspace_id": "7405605259549111", "cloud": "azure"})
        elif path == "/api/2.2/jobs/runs/get":
            self._answer(lambda: self.of.get_run(query))
        elif path == "/api/2.2/jobs/runs/list":
            self._answer(lambda: self.of.list_runs(query))
        else:
            self._send(*_error(404, "ENDPOINT_NOT_FOUND", f"No API found for 'GET {path}'"))

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/api/2.2/jobs/run-now":
            self._answer(lambda: self.of.run_now(body))
        else:
            self._send(*_error(404, "ENDPOINT_NOT_FOUND", f"No API found for 'POST {self.path}'"))

    def log_message(self, *_: object) -> None:
        """Nothing on stderr."""

    def _answer(self, call: Callable[[], Answer]) -> None:
        self.of.calls.append(f"{self.command} {urlsplit(self.path).path}")
        if self.of.refusals:
            self._send(*self.of.refusals.pop(0))
        elif self.headers["Authorization"] != f"Bearer {TOKEN}":
            self._send(
                *_error(401, "UNAUTHENTICATED", "Credential was not sent or was of an unsupported type")
            )
        else:
            self._send(*call())

    def _send(self, status: int, answer: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        content = json.dumps(answer).encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def _error(status: int, code: str, message: str) -> Answer:
    return status, {"error_code": code, "message": message}
