"""`python -m backend.local.demo --url API`: one cleaning job, over HTTP alone, as a user would run it."""

import argparse
import secrets
import signal
import sys
import time
from types import FrameType

from backend.client.access_tokens import Tokens
from backend.client.api_client import ApiClient, Json
from backend.client.errors import ServiceError
from backend.client.job_following import follow, is_ended
from backend.local.demo_report import DemoReport

_RECORDS = 5_000
_DEADLINE_SECONDS = 300
_SHOWN_TABLES = ("agg_product_metrics", "agg_user_metrics")
_SHOWN_ROWS = 5


class DemoFailed(Exception):
    """The demo can't go on; the message is one line."""


def run_demo(url: str, report: DemoReport) -> None:
    """Submit a job, follow it to its end, and show what it made.

    Raises:
        DemoFailed: the job failed, or takes too long.
        ServiceError: a call failed.
    """
    account = {"username": f"demo-{secrets.token_hex(4)}", "password": secrets.token_urlsafe(9)}
    token = _sign_up(url, account)
    api = ApiClient(url, Tokens(access=token))
    submission: Json = {"dataCount": _RECORDS, "jobName": "Demo"}
    began = time.monotonic()
    submitted = api.post("/clean_data", submission, idempotency_key=secrets.token_hex(16))
    report.submitted(submission, submitted)
    job: Json = {}
    with report.progress() as show:
        for job in follow(api, submitted["jobId"], _DEADLINE_SECONDS):
            show(job)
    _require_good_end(job)
    report.finished(job, time.monotonic() - began)
    for table in _SHOWN_TABLES:
        path = f"/jobs/{job['jobId']}/tables/{table}"
        report.table(table, api.get(path, limit=_SHOWN_ROWS)["rows"])
    report.next_steps(url, account, token, job)


def _sign_up(url: str, account: Json) -> str:
    """Register a fresh user and log in; the access token."""
    api = ApiClient(url)
    api.post("/register", account)
    return str(api.post("/login", account)["access_token"])


def _require_good_end(job: Json) -> None:
    if not is_ended(job):
        raise DemoFailed(f"job {job['jobId']} has not ended after {_DEADLINE_SECONDS} s")
    if job["status"] == "failed":
        raise DemoFailed(f"the job failed: {str(job['error']).splitlines()[0]}")


def _stop(_number: int, _frame: FrameType | None) -> None:
    sys.exit(1)


def main() -> int:
    """Run the demo; 0 when every step went well."""
    # An exit like any other, so that the progress bar gives the terminal back as it was.
    signal.signal(signal.SIGTERM, _stop)
    parser = argparse.ArgumentParser(description="Run one cleaning job and show it.")
    parser.add_argument("--url", required=True, help="where the API is")
    try:
        run_demo(parser.parse_args().url, DemoReport())
    except (DemoFailed, ServiceError) as error:
        sys.stderr.write(f"demo: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
