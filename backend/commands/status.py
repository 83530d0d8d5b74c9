"""`python -m backend status`: how far a job is."""

import argparse

from backend.client.api_client import Json
from backend.client.job_following import is_ended
from backend.command_line import ExitStatus
from backend.commands.printing import print_json, visible
from backend.commands.service_access import add_job_argument, add_service_arguments, connect
from backend.commands.watching import add_watch_arguments, require_good_end, require_no_failure, watched

EXAMPLES = ("status JOB", "status JOB --watch --timeout 600", "status JOB --json")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add_job_argument(parser, "the id of a job")
    add_watch_arguments(parser)
    add_service_arguments(parser)


def run(arguments: argparse.Namespace, _parser: argparse.ArgumentParser) -> int:
    """Print what is known of the job; 0 unless it has failed, or goes on when it was to be watched."""
    api = connect(arguments)
    path = f"/jobs/{arguments.job}"
    job = watched(api, arguments.job, arguments) if arguments.watch else api.get(path)
    if arguments.json:
        print_json(job)
    else:
        print_job(job)
    if arguments.watch:
        require_good_end([job])
    require_no_failure(job)
    return ExitStatus.DONE


def print_job(job: Json) -> None:
    """A line for each thing that is known of a job."""
    for name, value in _facts(job).items():
        if value:
            print(f"{name:<10} {visible(value)}")


def rows_of(job: Json) -> str:
    """What has become of the records, as far as it is known."""
    counts = job["counts"]
    if counts is None:
        return f"{job['recordCount']:,}"
    return (
        f"{counts['recordsIn']:,} = {counts['silverRows']:,} in Silver"
        f" + {counts['duplicatesRemoved']:,} duplicates + {counts['quarantined']:,} quarantined"
    )


def _facts(job: Json) -> dict[str, str | None]:
    score = job["qualityScore"]
    return {
        "job": job["jobId"],
        "name": job["jobName"],
        "dataset": job["parentJobId"],
        "status": f"{job['status']} ({job['progress']['percent']}%)",
        "stage": None if is_ended(job) else job["stage"],
        "path": job["processingPath"],
        "records": rows_of(job),
        "quality": None if score is None else f"{score:.1f} of 100",
        "submitted": job["submittedAt"],
        "started": job["startedAt"],
        "finished": job["finishedAt"],
        "error": job["error"],
    }
