"""What a user is told without having asked: above all that a job of theirs has ended."""

from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

from backend.domain.identifiers import notification_id
from backend.domain.jobs import Job, JobStatus

LONGEST_MESSAGE = 1_000
"""Characters."""


@dataclass(frozen=True, slots=True)
class Notification:
    """A message that its user has not deleted yet.

    Attributes:
        status: what kind of message it is, in a word; of a job's end, the job's status.
        occasion: what gives rise to it. One occasion leaves one notification, however often it is told.
        comes_again: whether, once the user has deleted it, the occasion may leave another.
    """

    user_id: str
    notification_id: str
    message: str
    status: str
    created_at: datetime
    occasion: str
    comes_again: bool

    @classmethod
    def saved(cls, user_id: str, message: str, status: str, now: datetime) -> "Notification":
        """What a client wants its user to be told; the same message is the same occasion."""
        occasion = f"saved {sha256(message.encode()).hexdigest()}"
        return cls(user_id, notification_id(now, occasion), message, status, now, occasion, comes_again=True)

    @classmethod
    def of_ending(cls, job: Job) -> "Notification":
        """That a job has ended; each end of a job that was retried is an occasion of its own."""
        ended_at = (job.finished_at or job.submitted_at).astimezone(UTC)
        occasion = f"ended {job.job_id} {ended_at.isoformat()}"
        return cls(
            user_id=job.user_id,
            notification_id=notification_id(ended_at, occasion),
            message=f"{job.job_name}: {_outcome(job)}"[:LONGEST_MESSAGE],
            status=job.status.value,
            created_at=ended_at,
            occasion=occasion,
            comes_again=False,
        )


def _outcome(job: Job) -> str:
    if job.status is JobStatus.FAILED:
        return f"failed: {job.error}" if job.error else "failed"
    if job.counts is None:
        return f"completed, {job.record_count:,} records"
    counts = job.counts
    return (
        f"completed, {counts.records_in:,} records in = {counts.silver_rows:,} in Silver"
        f" + {counts.duplicates_removed:,} duplicates + {counts.quarantined:,} quarantined"
    )
