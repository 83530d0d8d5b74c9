"""The JobProgress table: PartitionKey userId, RowKey jobId (data.md, section 5)."""

from collections.abc import Callable
from typing import Any

from azure.data.tables import TableEntity, TableServiceClient

from backend.adapters.table_rows import TableRows, properties_of, record_from
from backend.domain.jobs import Counts, Job, JobStatus

TABLE_NAME = "JobProgress"

_KEYS = ("user_id", "job_id")
_A_COUNT = "recordsIn"


class JobProgressTable:
    """Implements `JobProgressStore`. Job ids sort newest first, and so do the rows."""

    def __init__(self, service: TableServiceClient) -> None:
        self._rows = TableRows(service, TABLE_NAME)

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
        return self._rows.update(user_id, job_id, _job, _properties, change)

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

    def ping(self) -> None:
        """Raise if the table does not answer."""
        self._rows.ping()


def _properties(job: Job) -> dict[str, Any]:
    counts = {} if job.counts is None else properties_of(job.counts)
    return properties_of(job, leave_out=(*_KEYS, "counts")) | counts


def _job(entity: TableEntity) -> Job:
    counts = record_from(entity, Counts) if _A_COUNT in entity else None
    return record_from(entity, Job, user_id=entity["PartitionKey"], job_id=entity["RowKey"], counts=counts)
