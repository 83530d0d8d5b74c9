"""`python -m backend.local.demo --url API`: one cleaning job, over HTTP alone, as a user would run it."""

import argparse
import secrets
import signal
import sys
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

import requests

from backend.local.demo_report import DemoReport

_RECORDS = 5_000
_DEADLINE_SECONDS = 300
_POLL_SECONDS = 0.2
_ANSWER_SECONDS = 30
_SHOWN_TABLES = ("agg_product_metrics", "agg_user_metrics")
_SHOWN_ROWS = 5

_Json = dict[str, Any]


class DemoFailed(Exception):
    """The demo can't go on; the message is one line."""


class ApiClient:
    """The HTTP API, as one user sees it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._session = requests.Session()

    def call(self, method: str, path: str, **arguments: Any) -> _Json:
        """One call's answer.

        Raises:
            DemoFailed: the API does not answer, or answers with an error.
        """
        try:
            response = self._session.request(method, self.url + path, timeout=_ANSWER_SECONDS, **arguments)
            answer: _Json = response.json()
        except requests.RequestException as error:
            raise DemoFailed(f"{method} {path}: {error}") from error
        if not response.ok:
            raise DemoFailed(f"{method} {path}: {response.status_code} {answer.get('message', answer)}")
        return answer

    def sign_up(self) -> str:
        """Register a fresh user and log in; the access token."""
        # The password is of use to nobody: the next demo makes another user.
        account = {"username": f"demo-{secrets.token_hex(4)}", "password": secrets.token_urlsafe(24)}
        self.call("POST", "/register", json=account)
        token: str = self.call("POST", "/login", json=account)["access_token"]
        self._session.headers["Authorization"] = f"Bearer {token}"
        return token


def run_demo(api: ApiClient, report: DemoReport) -> None:
    """Submit a job, follow it to its end, and show what it made.

    Raises:
        DemoFailed: a call or the job failed.
    """
    token = api.sign_up()
    submission = {"dataCount": _RECORDS, "jobName": "Demo"}
    began = time.monotonic()
    submitted = api.call("POST", "/clean_data", json=submission)
    report.submitted(submission, submitted)
    with report.progress() as show:
        job = _follow(api, submitted["jobId"], show)
    if job["status"] == "failed":
        raise DemoFailed(f"the job failed: {str(job['error']).splitlines()[0]}")
    report.finished(job, time.monotonic() - began)
    for table in _SHOWN_TABLES:
        path = f"/jobs/{job['jobId']}/tables/{table}"
        report.table(table, api.call("GET", path, params={"limit": _SHOWN_ROWS})["rows"])
    report.next_steps(api.url, token, job)


def _follow(api: ApiClient, job_id: str, show: Callable[[_Json], None]) -> _Json:
    deadline = time.monotonic() + _DEADLINE_SECONDS
    while time.monotonic() < deadline:
        job = api.call("GET", f"/jobs/{job_id}")
        show(job)
        if job["status"] in ("completed", "failed"):
            return job
        time.sleep(_POLL_SECONDS)
    raise DemoFailed(f"job {job_id} has not ended after {_DEADLINE_SECONDS} s")


def _stop(_number: int, _frame: FrameType | None) -> None:
    sys.exit(1)


def main() -> int:
    """Run the demo; 0 when every step went well."""
    # An exit like any other, so that the progress bar gives the terminal back as it was.
    signal.signal(signal.SIGTERM, _stop)
    parser = argparse.ArgumentParser(description="Run one cleaning job and show it.")
    parser.add_argument("--url", required=True, help="where the API is")
    try:
        run_demo(ApiClient(parser.parse_args().url), DemoReport())
    except DemoFailed as error:
        sys.stderr.write(f"demo: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
