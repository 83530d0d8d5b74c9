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

    @property
    def is_past_cleaning(self) -> bool:
        """Whether no worker is needed any more: the job has ended, or waits only to be loaded."""
        return self.is_final or self is JobStatus.LOADING


class JobKind(StrEnum):
    """What a job does."""

    CLEAN = "clean"
    GENERATE = "generate"


class Destination(StrEnum):
    """Where Gold is loaded."""

    OPERATIONAL = "operational"
    WAREHOUSE = "warehouse"


class ProcessingPath(StrEnum):
    """Which engine a cleaning job goes to."""

    SMALL_BATCH = "small_batch"
    LARGE_BATCH = "large_batch"


_LOADING = "loading gold"

LOADING_STEPS = 1
"""What loading counts for in a job's progress."""


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
        submission: at least how many of them the job had seen when it was last set going, and more than ever
            before; a message that says less is of the time before.
        queued_at: when the job was last set going; None for a new one.
        sent_at: when its message was last known to be on the queue; None as long as that is `queued_at`.
        heartbeat_at: when somebody who works on it was last heard of; None while nobody does.
        cleaned_at: when the job's Gold was complete.
        load_attempts: how many loads have been begun since then.
        next_load_at: before this time nobody begins a load: one is under way, or the last one failed.
        operational_loaded_at, warehouse_loaded_at: when Gold was in each destination.
        error: why the job failed, or why the last attempt did.
        trace_parent: the W3C traceparent of the request that asked for the job.
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
    queued_at: datetime | None = None
    sent_at: datetime | None = None
    heartbeat_at: datetime | None = None
    cleaned_at: datetime | None = None
    load_attempts: int = 0
    next_load_at: datetime | None = None
    operational_loaded_at: datetime | None = None
    warehouse_loaded_at: datetime | None = None
    error: str | None = None
    trace_parent: str | None = None

    def started(self, now: datetime, stage: str, total: int) -> "Job":
        """A worker begins, for the first time or again, on a job of at least `total` steps."""
        if self.status.is_past_cleaning:
            return self
        return replace(
            self,
            status=JobStatus.PROCESSING,
            stage=stage,
            started_at=self.started_at or now,
            progress_total=max(self.progress_total, total),
            attempts=self.attempts + 1,
            heartbeat_at=now,
        )

    def beating(self, now: datetime) -> "Job":
        """Somebody still works on the job."""
        return replace(self, heartbeat_at=now) if self.status is JobStatus.PROCESSING else self

    @property
    def quiet_since(self) -> datetime:
        """Since when nobody was heard of who has the job in hand.

        A message that waits behind others is not lost: each time it is sent anew, the job is left alone for
        as long again as it has waited in all. A job that waits to be loaded is quiet from the moment at which
        it may be.
        """
        queued_at = self.queued_at or self.submitted_at
        sent_at = self.sent_at or queued_at
        if self.status is JobStatus.LOADING:
            return self.next_load_at or sent_at
        if self.status is JobStatus.PROCESSING:
            return max(sent_at, self.heartbeat_at or sent_at)
        return max(sent_at + (sent_at - queued_at), self.heartbeat_at or sent_at)

    @property
    def starts_since_submission(self) -> int:
        """How many workers have begun on the job since it was last set going by its owner."""
        return self.attempts - self.submission

    def worker_lost(self, now: datetime) -> "Job":
        """Whoever worked on the job is gone; its message is put back on the queue."""
        return replace(
            self,
            status=JobStatus.QUEUED,
            stage="its worker was lost; waiting for another",
            queued_at=now,
            sent_at=now,
            heartbeat_at=None,
        )

    def sent_again(self, now: datetime) -> "Job":
        """The messages that the job waits for may be lost, and are put on their queue once more."""
        return replace(self, queued_at=self.queued_at or self.submitted_at, sent_at=now)

    def progressed(self, stage: str, done: int) -> "Job":
        """The work has come as far as `done` steps; a smaller figure than before is not shown."""
        if self.status.is_past_cleaning:
            return self
        return replace(
            self,
            stage=stage,
            progress_done=max(self.progress_done, done),
        )

    def cleaned(self, now: datetime, counts: Counts, quality_score: float | None) -> "Job":
        """Gold is complete: its manifest is written, also if somebody has given the job up."""
        if self.status in (JobStatus.LOADING, JobStatus.COMPLETED):
            return self
        return replace(
            self,
            status=JobStatus.LOADING,
            stage="waiting to be loaded",
            finished_at=None,
            progress_done=max(self.progress_done, self.progress_total - LOADING_STEPS),
            counts=counts,
            quality_score=quality_score,
            cleaned_at=now,
            heartbeat_at=None,
            load_attempts=0,
            next_load_at=now,
            operational_loaded_at=None,
            warehouse_loaded_at=None,
            error=None,
        )

    @property
    def has_gold(self) -> bool:
        """Whether its outputs are complete, be they loaded or not."""
        refused = self.status is JobStatus.FAILED and self.cleaned_at is not None
        return refused or self.status in (JobStatus.LOADING, JobStatus.COMPLETED)

    def can_be_loaded(self, now: datetime) -> bool:
        """Whether the job waits to be loaded, and nobody is at it."""
        return self.status is JobStatus.LOADING and (self.next_load_at is None or self.next_load_at <= now)

    def load_begun(self, until: datetime) -> "Job":
        """Somebody loads the job, and has it to themselves `until` then."""
        return replace(self, stage=_LOADING, load_attempts=self.load_attempts + 1, next_load_at=until)

    @property
    def load_broken_off(self) -> bool:
        """Whether whoever has begun the last load never said how it ended; asked when their time is over."""
        return self.status is JobStatus.LOADING and self.stage == _LOADING

    def load_goes_on(self, until: datetime) -> "Job":
        """Whoever loads the job is still at it, and keeps it to themselves `until` then."""
        return replace(self, next_load_at=until) if self.status is JobStatus.LOADING else self

    def loaded_at(self, destination: Destination) -> datetime | None:
        """When Gold was in a destination."""
        return (
            self.operational_loaded_at if destination is Destination.OPERATIONAL else self.warehouse_loaded_at
        )

    def loaded(self, destination: Destination, now: datetime) -> "Job":
        """Gold is in one destination."""
        if self.status is not JobStatus.LOADING:
            return self
        if destination is Destination.OPERATIONAL:
            return replace(self, operational_loaded_at=self.operational_loaded_at or now)
        return replace(self, warehouse_loaded_at=self.warehouse_loaded_at or now)

    def load_put_off(self, until: datetime, error: str) -> "Job":
        """A destination could not take Gold; it is tried again `until` then at the soonest."""
        if self.status is not JobStatus.LOADING:
            return self
        return replace(self, stage="waiting for another load", next_load_at=until, error=error)

    def load_refused(self, now: datetime, error: str) -> "Job":
        """A destination can't take Gold, now or later: the job has failed, and Gold stays as it is."""
        if self.status is not JobStatus.LOADING:
            return self
        return replace(self, status=JobStatus.FAILED, stage="failed", finished_at=now, error=error)

    def completed(self, now: datetime) -> "Job":
        """The job has ended well: all that it was to do is done."""
        if self.status.is_final:
            return self
        return replace(
            self,
            status=JobStatus.COMPLETED,
            stage="completed",
            finished_at=now,
            progress_done=self.progress_total,
            next_load_at=None,
            error=None,
        )

    def failed(self, now: datetime, error: str) -> "Job":
        """The job has ended without a result."""
        if self.status.is_past_cleaning:
            return self
        return replace(self, status=JobStatus.FAILED, stage="failed", finished_at=now, error=error)

    def attempt_failed(self, now: datetime, error: str) -> "Job":
        """One attempt went wrong; the queue will deliver the message again."""
        if self.status.is_past_cleaning:
            return self
        return replace(self, stage="waiting for another attempt", sent_at=now, heartbeat_at=None, error=error)

    def still_queued(self, stage: str) -> "Job":
        """The job waits for something that its stage names; a job that no longer waits is left as it is."""
        return replace(self, stage=stage) if self.status is JobStatus.QUEUED else self

    def queued(self, now: datetime, processing_path: ProcessingPath, queue_name: str, stage: str) -> "Job":
        """The job's message is on a queue: for the first time, on another path, or after a failure."""
        return replace(
            self,
            status=JobStatus.QUEUED,
            stage=stage,
            processing_path=processing_path,
            queue_name=queue_name,
            finished_at=None,
            submission=self._next_submission,
            queued_at=now,
            sent_at=None,
            heartbeat_at=None,
            cleaned_at=None,
            error=None,
        )

    def waiting_for_data(self, now: datetime, stage: str) -> "Job":
        """The job's dataset is being generated: for the first time, or again after a failure."""
        return replace(
            self,
            status=JobStatus.GENERATING,
            stage=stage,
            finished_at=None,
            submission=self._next_submission,
            queued_at=now,
            sent_at=None,
            heartbeat_at=None,
            cleaned_at=None,
            error=None,
        )

    @property
    def _next_submission(self) -> int:
        """Another one for each retry, also of a job on which no worker has begun: runs are known by it."""
        if self.status is not JobStatus.FAILED:
            return self.submission
        return max(self.attempts, self.submission + 1)
