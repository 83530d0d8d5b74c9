"""What is told of jobs, their quality and their tables."""

from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from backend.domain.jobs import Counts, Job, JobKind, JobStatus, ProcessingPath
from backend.routes.json_bodies import Answer
from backend.services.reporting import JobReport
from backend.transformations.manifest import Output


class _Part(BaseModel):
    """A piece of an answer."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class ProgressAnswer(_Part):
    """How far a job is, in steps; it never goes back."""

    done: int
    total: int
    percent: int = Field(ge=0, le=100)


class CountsAnswer(_Part):
    """recordsIn = silverRows + duplicatesRemoved + quarantined."""

    records_in: int
    silver_rows: int
    duplicates_removed: int
    quarantined: int


class OutputAnswer(_Part):
    """A table that a job wrote; `path`, in the container datalake, is a folder when it has several files."""

    table: str
    path: str
    rows: int
    bytes: int

    @classmethod
    def of(cls, output: Output) -> "OutputAnswer":
        """What a caller sees of an output."""
        size = sum(file.bytes for file in output.files)
        return cls(table=output.table, path=output.path, rows=output.rows, bytes=size)


class JobFields(_Part):
    """A job, without its outputs."""

    job_id: str
    parent_job_id: str
    job_name: str
    kind: JobKind = Field(description="clean, or generate for sample data alone.")
    status: JobStatus
    stage: str = Field(description="What is being done, in words.")
    processing_path: ProcessingPath | None
    record_count: int
    progress: ProgressAnswer
    counts: CountsAnswer | None
    quality_score: float | None = Field(description="The mean over all Silver rows, 0 to 100.")
    submitted_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    attempts: int
    error: str | None


class JobAnswer(Answer, JobFields):
    """A job with the tables that it wrote; none before it is completed."""

    outputs: list[OutputAnswer]

    @classmethod
    def of(cls, report: JobReport) -> "JobAnswer":
        """What a caller sees of a job."""
        return cls(**job_fields(report.job), outputs=[OutputAnswer.of(output) for output in report.outputs])


class JobsAnswer(Answer):
    """A page of jobs, newest first; `nextCursor` is null on the last one."""

    jobs: list[JobFields]
    next_cursor: str | None


class CompletenessAnswer(_Part):
    """The share of records that hold a value for a column, 0 to 1: as they came, and cleaned."""

    before: float
    after: float


class QualityAnswer(Answer):
    """How good a dataset was, and what cleaning made of it."""

    job_id: str
    engine: str
    records_in: int
    silver_rows: int
    duplicates_removed: int
    quarantined: int
    quarantined_by_reason: dict[str, int]
    issues_by_code: dict[str, int]
    mean_quality_score: float | None
    score_distribution: dict[str, int] = Field(description="Rows by quality score.")
    completeness: dict[str, CompletenessAnswer]
    seconds_by_stage: dict[str, float]


class ColumnAnswer(_Part):
    """A column and its Arrow type."""

    name: str
    type: str


class TableAnswer(Answer):
    """The first rows of a table.

    Decimals (money) are text such as "12.50", so that no cent is lost; times are ISO 8601 with Z, dates
    YYYY-MM-DD; what is missing is null.
    """

    job_id: str
    table: str
    row_count: int = Field(description="Rows in the whole table.")
    columns: list[ColumnAnswer]
    rows: list[dict[str, Any]]


def job_fields(job: Job) -> dict[str, Any]:
    """A job's fields as an answer has them."""
    return {
        "job_id": job.job_id,
        "parent_job_id": job.parent_job_id,
        "job_name": job.job_name,
        "kind": job.kind,
        "status": job.status,
        "stage": job.stage,
        "processing_path": job.processing_path,
        "record_count": job.record_count,
        "progress": _progress(job),
        "counts": _counts(job.counts),
        "quality_score": job.quality_score,
        "submitted_at": _utc(job.submitted_at),
        "started_at": _utc(job.started_at),
        "finished_at": _utc(job.finished_at),
        "attempts": job.attempts,
        "error": job.error,
    }


def _progress(job: Job) -> ProgressAnswer:
    done, total = job.progress_done, job.progress_total
    share = 100 * done // total if total else 0
    percent = 100 if job.status is JobStatus.COMPLETED else min(share, 100)
    return ProgressAnswer(done=done, total=total, percent=percent)


def _counts(counts: Counts | None) -> CountsAnswer | None:
    if counts is None:
        return None
    return CountsAnswer(
        records_in=counts.records_in,
        silver_rows=counts.silver_rows,
        duplicates_removed=counts.duplicates_removed,
        quarantined=counts.quarantined,
    )


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.astimezone(UTC)
