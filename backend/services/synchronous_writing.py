"""Writing sample records to the operational database while the caller waits.

The work itself is an ordinary cleaning job, done where every job is done; here it is only waited for.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from backend.domain.errors import Busy, Conflict, StillWorking
from backend.domain.jobs import Job, JobStatus
from backend.ports import JobProgressStore, OperationalTables
from backend.services.submission import CleaningRequest, SubmissionService

_SHORTEST_PAUSE = 0.05
_LONGEST_PAUSE = 0.25
_PAUSE_GROWTH = 1.5


@dataclass(frozen=True, slots=True)
class WrittenRecords:
    """What a job has written.

    Attributes:
        user_ids: the users, sorted; none when every record was quarantined.
        generation_seconds: from the job's submission until its data was there and cleaning began.
        commit_seconds: from the end of cleaning until the rows were in the database.
    """

    job: Job
    user_ids: list[str]
    generation_seconds: float
    commit_seconds: float


class SynchronousWriter:
    """Submits a job, and waits until its rows are in the operational database.

    Args:
        wait: how long at the most.
        at_once: how many callers may wait; each holds a thread that others want to be answered by.
        seconds: a clock that is never set back.
    """

    def __init__(
        self,
        submission: SubmissionService,
        jobs: JobProgressStore,
        tables: OperationalTables,
        *,
        wait: timedelta,
        at_once: int,
        seconds: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        self._submission = submission
        self._jobs = jobs
        self._tables = tables
        self._wait = wait.total_seconds()
        self._places = threading.BoundedSemaphore(at_once)
        self._seconds = seconds
        self._sleep = sleep

    def write(self, user_id: str, data_count: int) -> WrittenRecords:
        """Make, clean and load so many sample records.

        Raises:
            Busy: as many callers as may wait already; no job was submitted.
            InvalidRequest: they are more than the service makes at once.
            Conflict: the job has failed, or its dataset was deleted meanwhile.
            StillWorking: it takes too long; the job goes on.
        """
        if not self._places.acquire(blocking=False):
            raise Busy(
                "too many writes are waited for already: try again in a while, "
                "or send the same body to /clean_data, which answers at once"
            )
        try:
            return self._written(user_id, data_count)
        finally:
            self._places.release()

    def _written(self, user_id: str, data_count: int) -> WrittenRecords:
        job = self._submission.submit(user_id, CleaningRequest(data_count, None, None)).job
        job = self._loaded(user_id, job.job_id)
        return WrittenRecords(
            job,
            self._tables.user_ids(user_id, job.parent_job_id),
            _seconds_between(job.submitted_at, job.started_at),
            _seconds_between(job.cleaned_at, job.operational_loaded_at),
        )

    def _loaded(self, user_id: str, job_id: str) -> Job:
        deadline = self._seconds() + self._wait
        pause = _SHORTEST_PAUSE
        while True:
            job = self._jobs.get(user_id, job_id)
            if job is None:
                raise Conflict(f"the job {job_id} was deleted before its rows were written", "job_deleted")
            if job.operational_loaded_at is not None:
                return job
            if job.status is JobStatus.FAILED:
                raise Conflict(f"the job {job_id} failed: {job.error}", "job_failed")
            left = deadline - self._seconds()
            if left <= 0:
                raise StillWorking(
                    f"the job {job_id} is still {job.status.value}: GET /jobs/{job_id} tells how far it is"
                )
            self._sleep(min(pause, left))
            pause = min(pause * _PAUSE_GROWTH, _LONGEST_PAUSE)


def _seconds_between(start: datetime | None, end: datetime | None) -> float:
    """Never below 0, though the two times are of different machines' clocks."""
    return max(0.0, (end - start).total_seconds()) if start and end else 0.0
