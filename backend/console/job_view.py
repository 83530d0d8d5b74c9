"""A job as the page shows it: its stages, how many records are done, and how long it may still take."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from backend.domain.jobs import Job, JobKind, JobStatus
from backend.services.progress import records_done


class StageState(StrEnum):
    """Where a stage stands."""

    DONE = "done"
    CURRENT = "current"
    WAITING = "waiting"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of a job, for people."""

    name: str
    state: StageState


@dataclass(frozen=True, slots=True)
class JobView:
    """What the page says of a job.

    Attributes:
        records_done: about how many records the present stage has behind it.
        percent: of all steps.
        seconds: since the job was submitted, until its end.
        seconds_left: a guess from the steps so far; None when there is nothing to guess from.
    """

    job: Job
    stages: tuple[Stage, ...]
    records_done: int
    percent: int
    seconds: float
    seconds_left: float | None


_STAGES = {
    JobKind.CLEAN: ("Data", "Queue", "Cleaning", "Loading", "Done"),
    JobKind.GENERATE: ("Data", "Done"),
}
_REACHED = {
    JobStatus.GENERATING: "Data",
    JobStatus.QUEUED: "Queue",
    JobStatus.PROCESSING: "Cleaning",
    JobStatus.LOADING: "Loading",
    JobStatus.COMPLETED: "Done",
}


def job_view(job: Job, now: datetime) -> JobView:
    """The view of a job at a moment."""
    end = job.finished_at or now
    share = job.progress_done / job.progress_total if job.progress_total else 0.0
    percent = 100 if job.status is JobStatus.COMPLETED else min(int(100 * share), 100)
    return JobView(
        job=job,
        stages=_stages(job),
        records_done=records_done(job),
        percent=percent,
        seconds=max((end - job.submitted_at).total_seconds(), 0.0),
        seconds_left=_seconds_left(job, share, now),
    )


def _stages(job: Job) -> tuple[Stage, ...]:
    names = _STAGES[job.kind]
    current = names.index(_reached(job))
    states = {JobStatus.FAILED: StageState.FAILED, JobStatus.COMPLETED: StageState.DONE}
    return tuple(
        Stage(
            name,
            StageState.DONE
            if place < current
            else states.get(job.status, StageState.CURRENT)
            if place == current
            else StageState.WAITING,
        )
        for place, name in enumerate(names)
    )


def _reached(job: Job) -> str:
    """The stage that a job is at, or was at when it failed."""
    if job.status is not JobStatus.FAILED:
        return _REACHED[job.status]
    if job.cleaned_at is not None:
        return "Loading"
    return "Cleaning" if job.attempts and job.kind is JobKind.CLEAN else "Data"


def _seconds_left(job: Job, share: float, now: datetime) -> float | None:
    if job.status.is_final or job.started_at is None or not 0 < share < 1:
        return None
    return (now - job.started_at).total_seconds() * (1 - share) / share
