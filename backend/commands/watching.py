"""Watching a job: a moving bar on a terminal, a line for each stage in a log."""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

from backend.client.api_client import ApiClient, Json
from backend.client.job_following import follow, is_ended
from backend.command_line import CommandFailed, ExitStatus
from backend.commands.printing import visible

if TYPE_CHECKING:
    from rich.console import Console


def add_watch_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare `--watch` and `--timeout`."""
    parser.add_argument("--watch", action="store_true", help="wait until the job has ended")
    parser.add_argument(
        "--timeout", metavar="SECONDS", type=_seconds, help="watch for so long at most (default: for ever)"
    )


def watched(api: ApiClient, job_id: str, arguments: argparse.Namespace) -> Json:
    """A job when it has ended, or when the time is over; how it gets there is shown on stderr.

    Raises:
        ServiceError: the service does not tell of it.
    """
    job: Json = {}
    with _progress(silent=arguments.json) as show:
        for job in follow(api, job_id, arguments.timeout):
            show(job)
    return job


def require_good_end(jobs: Sequence[Json]) -> None:
    """See that jobs are completed, or at least have not failed.

    Raises:
        CommandFailed: one has failed, or goes on.
    """
    for job in jobs:
        require_no_failure(job)
    for job in jobs:
        if not is_ended(job):
            raise CommandFailed(
                "timeout", f"the time is over, and job {job['jobId']} goes on", ExitStatus.TIMED_OUT
            )


def require_no_failure(job: Json) -> None:
    """See that a job has not failed.

    Raises:
        CommandFailed: it has.
    """
    if job["status"] == "failed":
        message = f"job {job['jobId']} has failed: {visible(job['error'] or 'it does not say why')}"
        raise CommandFailed("job_failed", message, ExitStatus.JOB_FAILED)


@contextmanager
def shown_reading(file: BinaryIO, size: int) -> Iterator[BinaryIO]:
    """A file of so many bytes, with a bar on a terminal of how much of it has been read."""
    if not sys.stderr.isatty():
        yield file
        return
    from rich.progress import wrap_file

    with wrap_file(file, size, description="uploading", console=_console(), transient=True) as shown:
        yield shown


@contextmanager
def _progress(*, silent: bool) -> Iterator[Callable[[Json], None]]:
    if sys.stderr.isatty():
        with _bar() as show:
            yield show
    else:
        yield _lines(silent=silent)


@contextmanager
def _bar() -> Iterator[Callable[[Json], None]]:
    # Only a terminal waits for it.
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description:<28}", markup=False), BarColumn())
    share = TextColumn("{task.percentage:>3.0f}%")
    # stdout is for the answer alone, and not the bar's to touch.
    with Progress(*columns, share, TimeElapsedColumn(), console=_console(), redirect_stdout=False) as bar:
        task = bar.add_task("", total=100)

        def show(job: Json) -> None:
            bar.update(task, description=_activity(job), completed=job["progress"]["percent"])

        yield show


def _console() -> "Console":
    from rich.console import Console

    return Console(stderr=True)


def _lines(*, silent: bool) -> Callable[[Json], None]:
    shown = ""

    def show(job: Json) -> None:
        nonlocal shown
        activity = _activity(job)
        if activity != shown and not silent:
            sys.stderr.write(f"{activity} {job['progress']['percent']}%\n")
        shown = activity

    return show


def _activity(job: Json) -> str:
    return visible(job["stage"] or job["status"])


def _seconds(text: str) -> float:
    seconds = float(text)
    # Also of what is no number.
    if not seconds >= 0:
        raise argparse.ArgumentTypeError(f"{text} is no number of seconds")
    return seconds
