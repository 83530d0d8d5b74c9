"""What a user is told of their jobs: pages of them, one in full, and the quality of its data."""

from dataclasses import dataclass
from datetime import UTC
from typing import Any

import msgspec

from backend import lake_paths
from backend.domain.errors import Conflict, InvalidRequest, NotFound, Unavailable
from backend.domain.identifiers import is_job_id
from backend.domain.jobs import Job, JobKind, JobStatus
from backend.ports import FileSystem, JobProgressStore
from backend.transformations.manifest import Manifest, Output


@dataclass(frozen=True, slots=True)
class JobPage:
    """Some of a user's jobs, newest first; `next_cursor` leads to the next page, if there is one."""

    jobs: list[Job]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class JobReport:
    """A job with the tables that it wrote; none before all are complete."""

    job: Job
    outputs: tuple[Output, ...]


class ReportingService:
    """Reads what jobs have left behind. Each call is about one user's own."""

    def __init__(self, jobs: JobProgressStore, lake: FileSystem) -> None:
        self._jobs = jobs
        self._lake = lake

    def page(self, user_id: str, status: JobStatus | None, limit: int, cursor: str | None) -> JobPage:
        """At most `limit` jobs.

        Raises:
            InvalidRequest: the cursor is not one that a page gave.
        """
        if cursor is not None and not is_job_id(cursor):
            raise InvalidRequest("cursor has to be the nextCursor of the page before")
        jobs = self._jobs.page(user_id, status, limit + 1, cursor)
        page = jobs[:limit]
        return JobPage(page, page[-1].job_id if len(jobs) > limit else None)

    def job(self, user_id: str, job_id: str) -> Job:
        """A job. Raises NotFound."""
        job = self._jobs.get(user_id, job_id) if is_job_id(job_id) else None
        if job is None:
            raise NotFound("there is no such job")
        return job

    def report(self, user_id: str, job_id: str) -> JobReport:
        """A job in full. Raises NotFound."""
        return self.report_of(self.job(user_id, job_id))

    def report_of(self, job: Job) -> JobReport:
        """A job in full, as it was read."""
        if job.kind is not JobKind.CLEAN or not job.has_gold:
            return JobReport(job, ())
        return JobReport(job, self._manifest(job).outputs)

    def output(self, user_id: str, job_id: str, table: str) -> Output:
        """What a job wrote of one table.

        Raises:
            NotFound: there is no such job, or no such table.
            Conflict: the job has not got as far.
        """
        job = self._cleaned(user_id, job_id)
        for output in self._manifest(job).outputs:
            if output.table == table:
                return output
        raise NotFound("there is no such table")

    def quality(self, user_id: str, job_id: str) -> dict[str, Any]:
        """What the job's metrics log says (data.md, section 5).

        Raises:
            NotFound: there is no such job.
            Conflict: the job has not got as far.
        """
        job = self._cleaned(user_id, job_id)
        path = lake_paths.transformation_metrics(job.as_of.astimezone(UTC).date(), job.job_id)
        metrics: dict[str, Any] = msgspec.json.decode(self._lake.read(path))
        return metrics

    def _cleaned(self, user_id: str, job_id: str) -> Job:
        job = self.job(user_id, job_id)
        if job.kind is not JobKind.CLEAN:
            raise Conflict(
                f"the job is for sample data alone: clean the dataset {job.parent_job_id} for results",
                "job_has_no_results",
            )
        if not job.has_gold:
            advice = "retry it" if job.status is JobStatus.FAILED else "wait until it is completed"
            raise Conflict(f"the job is {job.status.value}: {advice}", "job_not_completed")
        return job

    def _manifest(self, job: Job) -> Manifest:
        paths = lake_paths.job_outputs(job.user_id, job.parent_job_id, job.job_id)
        try:
            return Manifest.decode(self._lake.read(paths.manifest))
        except NotFound as error:
            raise Unavailable("the job's outputs are being written again: try again in a while") from error
