"""The JobProgress table: PartitionKey userId, RowKey jobId (data.md, section 5).

Beside it stands OpenJobs, an index of the jobs that have not ended: JobProgress only grows, and nobody could
look through it every few seconds. An entry is put in before its job's row is there, and taken out after the
row says that the job has ended, so that a crash between leaves one too many. It is written anew when the
job's status changes, and otherwise only when somebody looks, so that it may tell of an earlier moment.

JobEndings holds the ends of jobs by the hour, to be added up, and Notifications what their owners are told of
them. An end is put into both while the entry in OpenJobs still stands, so that after a crash whoever looks at
that entry puts it in: once, since it is the same row.
"""

from collections.abc import Callable, Collection, Iterator
from datetime import UTC, datetime
from typing import Any

from azure.data.tables import TableEntity, TableServiceClient

from backend.adapters.notification_table import NotificationTable
from backend.adapters.table_rows import TableRows, properties_of, record_from
from backend.domain.job_endings import JobEnding
from backend.domain.jobs import Counts, Job, JobStatus
from backend.domain.notifications import Notification
from backend.ports import OpenJob

TABLE_NAME = "JobProgress"
OPEN_JOBS_TABLE_NAME = "OpenJobs"
JOB_ENDINGS_TABLE_NAME = "JobEndings"

_KEYS = ("user_id", "job_id")
_A_COUNT = "recordsIn"


class JobProgressTable:
    """Implements `JobProgressStore` and `JobStatistics`. Job ids sort newest first, and so do the rows."""

    def __init__(self, service: TableServiceClient) -> None:
        self._rows = TableRows(service, TABLE_NAME)
        self._open_jobs = TableRows(service, OPEN_JOBS_TABLE_NAME)
        self._endings = TableRows(service, JOB_ENDINGS_TABLE_NAME)
        self._notifications = NotificationTable(service)

    def add(self, job: Job) -> None:
        """Insert a new job. Raises Conflict when the id is taken."""
        self._note_open(job)
        self._rows.insert(job.user_id, job.job_id, _properties(job))

    def get(self, user_id: str, job_id: str) -> Job | None:
        """A job, or None."""
        entity = self._rows.get(user_id, job_id)
        return None if entity is None else _job(entity)

    def update(self, user_id: str, job_id: str, change: Callable[[Job], Job]) -> Job:
        """Read, change and write back under the row's ETag, again until nobody came between.

        A change that changes nothing writes nothing. Raises NotFound.
        """
        status = None

        def indexed(job: Job) -> Job:
            nonlocal status
            status, after = job.status, change(job)
            if not after.status.is_final and after.status is not status:
                self._note_open(after)
            return after

        job = self._rows.update(user_id, job_id, _job, _properties, indexed)
        if job.status is status:
            return job
        if job.status.is_final:
            self._note_ended(job)
            self._forget(user_id, job_id)
        elif status is not None and status.is_final:
            # Whoever was putting its end away may have taken the entry out before the row was written.
            self._note_open(job)
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

    def delete(self, user_id: str, job_id: str) -> None:
        """Forget a job; nothing happens when there is none."""
        # In this order: an entry without a job is taken out by whoever looks at it.
        self._rows.delete(user_id, job_id)
        self._open_jobs.delete(user_id, job_id)

    def open_jobs(self) -> Iterator[OpenJob]:
        """See the port."""
        for entity in self._open_jobs.every_row():
            yield record_from(entity, OpenJob, user_id=entity["PartitionKey"], job_id=entity["RowKey"])

    def count_open(self, user_id: str, most: int) -> int:
        """See the port. Entries of jobs that have ended count until somebody looks at them."""
        return self._open_jobs.count(user_id, most)

    def look_at(self, entry: OpenJob) -> Job | None:
        """See the port."""
        job = self.get(entry.user_id, entry.job_id)
        if job is None or job.status.is_final:
            if job is not None:
                self._note_ended(job)
            self._forget(entry.user_id, entry.job_id)
            return None
        if (job.status, job.quiet_since) != (entry.status, entry.quiet_since):
            self._note_open(job)
        return job

    def endings(self, hour: datetime) -> list[JobEnding]:
        """See the port."""
        rows = self._endings.query("PartitionKey eq @hour", {"hour": _hour(hour)})
        return [record_from(row, JobEnding, counts=_counts(row)) for row in rows]

    def _note_ended(self, job: Job) -> None:
        ending = JobEnding.of(job)
        key = f"{ending.ended_at.astimezone(UTC):%M:%S.%f} {job.job_id}"
        self._endings.put(_hour(ending.ended_at), key, _with_counts(ending))
        self._notifications.add(Notification.of_ending(job))

    def _forget(self, user_id: str, job_id: str) -> None:
        self._open_jobs.delete(user_id, job_id)
        # It may have been set going again in between, with an entry that was just taken out.
        job = self.get(user_id, job_id)
        if job is not None and not job.status.is_final:
            self._note_open(job)

    def _note_open(self, job: Job) -> None:
        entry = OpenJob(job.user_id, job.job_id, job.status, job.quiet_since, job.queue_name)
        self._open_jobs.put(job.user_id, job.job_id, properties_of(entry, leave_out=_KEYS))

    def ping(self) -> None:
        """Raise if the table does not answer."""
        self._rows.ping()


def _hour(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H")


def _with_counts(record: Job | JobEnding, leave_out: Collection[str] = ()) -> dict[str, Any]:
    counts = {} if record.counts is None else properties_of(record.counts)
    return properties_of(record, leave_out=(*leave_out, "counts")) | counts


def _counts(entity: TableEntity) -> Counts | None:
    return record_from(entity, Counts) if _A_COUNT in entity else None


def _properties(job: Job) -> dict[str, Any]:
    return _with_counts(job, leave_out=_KEYS)


def _job(entity: TableEntity) -> Job:
    return record_from(
        entity, Job, user_id=entity["PartitionKey"], job_id=entity["RowKey"], counts=_counts(entity)
    )
