"""The JobProgress table: PartitionKey userId, RowKey jobId (data.md, section 5).

Beside it stands OpenJobs, an index with the keys of jobs that are under way: JobProgress only grows, and
nobody could look through it every few minutes. A key is put in before its job's row says that work has
begun, and taken out after the row says that it has ended, so that a crash between leaves one too many.
"""

from collections.abc import Callable, Iterator
from typing import Any

from azure.data.tables import TableEntity, TableServiceClient

from backend.adapters.table_rows import TableRows, properties_of, record_from
from backend.domain.jobs import Counts, Job, JobStatus

TABLE_NAME = "JobProgress"
OPEN_JOBS_TABLE_NAME = "OpenJobs"

_KEYS = ("user_id", "job_id")
_A_COUNT = "recordsIn"


class JobProgressTable:
    """Implements `JobProgressStore`. Job ids sort newest first, and so do the rows."""

    def __init__(self, service: TableServiceClient) -> None:
        self._rows = TableRows(service, TABLE_NAME)
        self._open_jobs = TableRows(service, OPEN_JOBS_TABLE_NAME)

    def add(self, job: Job) -> None:
        """Insert a new job. Raises Conflict when the id is taken."""
        self._rows.insert(job.user_id, job.job_id, _properties(job))

    def get(self, user_id: str, job_id: str) -> Job | None:
        """A job, or None."""
        entity = self._rows.get(user_id, job_id)
        return None if entity is None else _job(entity)

    def update(self, user_id: str, job_id: str, change: Callable[[Job], Job]) -> Job:
        """Read, change and write back under the row's ETag, again until nobody came between.

        A change that changes nothing writes nothing. Raises NotFound.
        """
        was_open = False

        def indexed(job: Job) -> Job:
            nonlocal was_open
            was_open, after = _is_open(job), change(job)
            if _is_open(after) and not was_open:
                self._open_jobs.put(user_id, job_id, {})
            return after

        job = self._rows.update(user_id, job_id, _job, _properties, indexed)
        if was_open and job.status.is_final:
            self._open_jobs.delete(user_id, job_id)
        return job

    def page(self, user_id: str, status: JobStatus | None, limit: int, after: str | None) -> list[Job]:
        """At most `limit` jobs, newest first, that come after the job id `after`."""
        conditions = {"PartitionKey eq @user": ("user", user_id)}
        if after is not None:
            conditions["RowKey gt @after"] = ("after", after)
        if status is not None:
            conditions["status eq @status"] = ("status", status.value)
        rows = self._rows.query(" and ".join(conditions), dict(conditions.values()), limit)
        return [_job(row) for row in rows]

    def of_dataset(self, user_id: str, parent_job_id: str) -> list[Job]:
        """Every job on one dataset, newest first."""
        rows = self._rows.query(
            "PartitionKey eq @user and parentJobId eq @dataset", {"user": user_id, "dataset": parent_job_id}
        )
        return [_job(row) for row in rows]

    def open_jobs(self) -> Iterator[Job]:
        """Every user's jobs that a worker has begun, or that wait to be loaded, in no order."""
        for user_id, job_id in self._open_jobs.every_key():
            job = self.get(user_id, job_id)
            if job is None or job.status.is_final:
                self._open_jobs.delete(user_id, job_id)
            else:
                yield job

    def ping(self) -> None:
        """Raise if the table does not answer."""
        self._rows.ping()


def _is_open(job: Job) -> bool:
    return job.status in (JobStatus.PROCESSING, JobStatus.LOADING)


def _properties(job: Job) -> dict[str, Any]:
    counts = {} if job.counts is None else properties_of(job.counts)
    return properties_of(job, leave_out=(*_KEYS, "counts")) | counts


def _job(entity: TableEntity) -> Job:
    counts = record_from(entity, Counts) if _A_COUNT in entity else None
    return record_from(entity, Job, user_id=entity["PartitionKey"], job_id=entity["RowKey"], counts=counts)
