"""The ends of jobs: what is kept of each, to be added up."""

from dataclasses import dataclass
from datetime import datetime

from backend.domain.jobs import Counts, Job, JobKind, JobStatus, ProcessingPath


@dataclass(frozen=True, slots=True)
class JobEnding:
    """One end of a job; a job that was retried has more than one.

    Attributes:
        status: `completed` or `failed`.
        counts: of a job that is completed.
        waiting_seconds: from its submission until a worker began on it, its data being generated included.
        cleaning_seconds: from then until Gold was complete.
        loading_seconds: from then until it was loaded.
    """

    job_id: str
    kind: JobKind
    status: JobStatus
    ended_at: datetime
    processing_path: ProcessingPath | None = None
    counts: Counts | None = None
    waiting_seconds: float | None = None
    cleaning_seconds: float | None = None
    loading_seconds: float | None = None

    @classmethod
    def of(cls, job: Job) -> "JobEnding":
        """The end that a job has come to."""
        completed = job.status is JobStatus.COMPLETED
        return cls(
            job_id=job.job_id,
            kind=job.kind,
            status=job.status,
            ended_at=job.finished_at or job.submitted_at,
            processing_path=job.processing_path,
            counts=job.counts if completed else None,
            waiting_seconds=_seconds(job.submitted_at, job.started_at),
            cleaning_seconds=_seconds(job.started_at, job.cleaned_at),
            loading_seconds=_seconds(job.cleaned_at, job.finished_at) if completed else None,
        )


def _seconds(start: datetime | None, end: datetime | None) -> float | None:
    """Never below 0, though the two times are of different machines' clocks."""
    return max(0.0, (end - start).total_seconds()) if start and end else None
