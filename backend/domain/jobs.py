"""A job: what JobProgress says of it, and the only ways in which it may change."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum


class JobStatus(StrEnum):
    """Where a job stands (api.md, Jobs and results)."""

    QUEUED = "queued"
    GENERATING = "generating"
    PROCESSING = "processing"
    LOADING = "loading"
    COMPLETED = "completed"
    FAILED = "failed"

    @property
    def is_final(self) -> bool:
        """Whether the job has ended."""
        return self in (JobStatus.COMPLETED, JobStatus.FAILED)


class JobKind(StrEnum):
    """What a job does."""

    CLEAN = "clean"
    GENERATE = "generate"


class ProcessingPath(StrEnum):
    """Which engine a cleaning job goes to."""

    SMALL_BATCH = "small_batch"
    LARGE_BATCH = "large_batch"


@dataclass(frozen=True, slots=True)
class Counts:
    """The conservation equation of one cleaning job (data.md, Conservation)."""

    records_in: int
    silver_rows: int
    duplicates_removed: int
    quarantined: int

    @property
    def conserved(self) -> bool:
        """Whether every record is accounted for."""
        return self.records_in == self.silver_rows + self.duplicates_removed + self.quarantined


@dataclass(frozen=True, slots=True)
class Job:
    """One row of JobProgress. Times are UTC.

    A message may come twice, so that two workers have the same job. What one of them does to a job that
    the other has ended changes nothing; only `queued` and `waiting_for_data` set an ended job going again.

    Attributes:
        stage: what is being done right now, in a word or two, for people ("writing gold").
        progress_done: steps done of `progress_total`; never goes back, also not on a second attempt.
        as_of: the time at which the job was submitted; every rule that needs a "now" uses it.
        attempts: how many times a worker has started on the job.
        submission: how many of them the job had seen when it was last set going; a message that says less is
            of the time before.
        cleaned_at: when the job's Gold was complete.
        load_attempts: how many loads have been begun since then.
        next_load_at: before this time nobody begins a load: one is under way, or the last one failed.
        operational_loaded_at, warehouse_loaded_at: when Gold was in each destination.
        error: why the job failed, or why the last attempt did.
    """

    user_id: str
    job_id: str
    parent_job_id: str
    job_name: str
    kind: JobKind
    status: JobStatus
    stage: str
    record_count: int
    as_of: datetime
    submitted_at: datetime
    processing_path: ProcessingPath | None = None
    queue_name: str | None = None
    progress_done: int = 0
    progress_total: int = 0
    counts: Counts | None = None
    quality_score: float | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    attempts: int = 0
    submission: int = 0
    cleaned_at: datetime | None = None
    load_attempts: int = 0
    next_load_at: datetime | None = None
    operational_loaded_at: datetime | None = None
    warehouse_loaded_at: datetime | None = None
    error: str | None = None

    def started(self, now: datetime, stage: str, total: int) -> "Job":
        """A worker begins, for the first time or again, on a job of at least `total` steps."""
        if self.status.is_final:
            return self
        return replace(
            self,
            status=JobStatus.PROCESSING,
            stage=stage,
            started_at=self.started_at or now,
            progress_total=max(self.progress_total, total),
            attempts=self.attempts + 1,
        )

    def progressed(self, stage: str, done: int) -> "Job":
        """The work has come as far as `done` steps; a smaller figure than before is not shown."""
        if self.status.is_final:
            return self
        return replace(
            self,
            stage=stage,
            progress_done=max(self.progress_done, done),
        )

    def completed(self, now: datetime, counts: Counts | None, quality_score: float | None) -> "Job":
        """The job has ended well: its manifest is written, also if somebody has given the job up."""
        if self.status is JobStatus.COMPLETED:
            return self
        return replace(
            self,
            status=JobStatus.COMPLETED,
            stage="completed",
            finished_at=now,
            progress_done=self.progress_total,
            counts=counts,
            quality_score=quality_score,
            error=None,
        )

    def failed(self, now: datetime, error: str) -> "Job":
        """The job has ended without a result."""
        if self.status.is_final:
            return self
        return replace(self, status=JobStatus.FAILED, stage="failed", finished_at=now, error=error)

    def attempt_failed(self, error: str) -> "Job":
        """One attempt went wrong; the queue will deliver the message again."""
        if self.status.is_final:
            return self
        return replace(self, stage="waiting for another attempt", error=error)

    def still_queued(self, stage: str) -> "Job":
        """The job waits for something that its stage names; a job that no longer waits is left as it is."""
        return replace(self, stage=stage) if self.status is JobStatus.QUEUED else self

    def queued(self, processing_path: ProcessingPath, queue_name: str, stage: str) -> "Job":
        """The job's message is on a queue: for the first time, on another path, or after a failure."""
        return replace(
            self,
            status=JobStatus.QUEUED,
            stage=stage,
            processing_path=processing_path,
            queue_name=queue_name,
            finished_at=None,
            submission=self._next_submission,
            error=None,
        )

    def waiting_for_data(self, stage: str) -> "Job":
        """The job's dataset is being generated: for the first time, or again after a failure."""
        return replace(
            self,
            status=JobStatus.GENERATING,
            stage=stage,
            finished_at=None,
            submission=self._next_submission,
            error=None,
        )

    @property
    def _next_submission(self) -> int:
        return self.attempts if self.status is JobStatus.FAILED else self.submission
