"""`python -m backend jobs`: your jobs, newest first."""

import argparse
import sys
from shutil import get_terminal_size

from backend.client.api_client import ApiClient, Json
from backend.command_line import ExitStatus
from backend.commands.printing import print_json, print_rows
from backend.commands.service_access import add_service_arguments, connect
from backend.domain.jobs import JobStatus

EXAMPLES = ("jobs", "jobs --status failed --limit 5", "jobs --all --json")

_GREATEST_PAGE = 100
_COLUMNS = ("job", "status", "done", "path", "records", "submitted", "name")
_LEFT_OUT_WHERE_NARROW = frozenset({"path", "records"})
_WIDE = 110


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--status", choices=[status.value for status in JobStatus], help="only those")
    amount = parser.add_mutually_exclusive_group()
    amount.add_argument("--limit", type=_limit, default=20, help="how many (default: %(default)s)")
    amount.add_argument("--all", action="store_true", help="all of them")
    add_service_arguments(parser)


def run(arguments: argparse.Namespace, _parser: argparse.ArgumentParser) -> int:
    """Print a table on a terminal, and a line of tab-separated fields for each job elsewhere; 0."""
    answer = _listed(connect(arguments), arguments.status, None if arguments.all else arguments.limit)
    if arguments.json:
        print_json(answer)
    else:
        columns = _columns()
        rows = [_fields(job) for job in answer["jobs"]]
        print_rows(columns, [[row[name] for name in columns] for row in rows], right=("done", "records"))
    return ExitStatus.DONE


def _listed(api: ApiClient, status: str | None, limit: int | None) -> Json:
    """As the API answers a page, however many pages it takes."""
    jobs: list[Json] = []
    cursor: str | None = None
    while True:
        size = _GREATEST_PAGE if limit is None else min(limit - len(jobs), _GREATEST_PAGE)
        page = api.get("/jobs", status=status, limit=size, cursor=cursor)
        jobs += page["jobs"]
        cursor = page["nextCursor"]
        if cursor is None or (limit is not None and len(jobs) >= limit):
            return page | {"jobs": jobs}


def _columns() -> list[str]:
    narrow = sys.stdout.isatty() and get_terminal_size().columns < _WIDE
    return [name for name in _COLUMNS if not (narrow and name in _LEFT_OUT_WHERE_NARROW)]


def _fields(job: Json) -> dict[str, str]:
    submitted = job["submittedAt"]
    return {
        "job": job["jobId"],
        "status": job["status"],
        "done": f"{job['progress']['percent']}%",
        "path": job["processingPath"] or job["kind"],
        "records": str(job["recordCount"]),
        # A person needs no microseconds.
        "submitted": f"{submitted[:16].replace('T', ' ')}Z" if sys.stdout.isatty() else submitted,
        "name": job["jobName"],
    }


def _limit(text: str) -> int:
    limit = int(text)
    if limit < 1:
        raise argparse.ArgumentTypeError("at least one job has to be asked for")
    return limit
