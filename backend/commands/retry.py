"""`python -m backend retry`: put a failed job back on its queue."""

import argparse

from backend.command_line import ExitStatus
from backend.commands.printing import print_json
from backend.commands.service_access import add_job_argument, add_service_arguments, connect
from backend.commands.status import print_job
from backend.commands.watching import add_watch_arguments, require_good_end, watched

EXAMPLES = ("retry JOB", "retry JOB --watch")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add_job_argument(parser, "the id of a job that has failed")
    add_watch_arguments(parser)
    add_service_arguments(parser)


def run(arguments: argparse.Namespace, _parser: argparse.ArgumentParser) -> int:
    """Put the job back, and print what is known of it; 0 unless it was watched and did not end well."""
    api = connect(arguments)
    job = api.post(f"/jobs/{arguments.job}/retry")
    if arguments.watch:
        job = watched(api, arguments.job, arguments)
    if arguments.json:
        print_json(job)
    else:
        print_job(job)
    if arguments.watch:
        require_good_end([job])
    return ExitStatus.DONE
