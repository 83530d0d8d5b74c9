"""Work on one job, in whichever process: what is logged has the job's ids, and its spans the job's trace."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Protocol

from backend.telemetry import traces
from backend.telemetry.log_lines import about, hashed, log_event

_log = logging.getLogger(__name__)


class OfJob(Protocol):
    """A job, or a message that is about one."""

    @property
    def user_id(self) -> str:
        """Whose it is."""

    @property
    def job_id(self) -> str:
        """Which it is."""

    @property
    def trace_parent(self) -> str | None:
        """The trace of the request that asked for it."""


@contextmanager
def job_ids(job: OfJob) -> Iterator[None]:
    """Let the lines of the block name the job, its owner by a hash, and the request that asked for it."""
    with about(job_id=job.job_id, user=hashed(job.user_id)), traces.carried(job.trace_parent):
        yield


@contextmanager
def working_on(job: OfJob, work: str, **details: str | int) -> Iterator[None]:
    """A piece of work on a job, told in the log when it ends, and in the job's trace.

    Args:
        job: what is worked on.
        work: what is done, in a word or two.
        details: for the log and the span.
    """
    since = perf_counter()
    with job_ids(job), traces.continued(work, job.trace_parent, job_id=job.job_id, **details):
        try:
            yield
        except BaseException as error:
            # Where it was raised is told by whoever takes the error.
            reason = f"{type(error).__name__}: {error}"
            log_event(_log, logging.ERROR, f"{work} failed", **details, error=reason, seconds=_seconds(since))
            raise
        log_event(_log, logging.INFO, f"{work} ended", **details, seconds=_seconds(since))


def _seconds(since: float) -> float:
    return round(perf_counter() - since, 3)
