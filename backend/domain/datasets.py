"""A dataset: everything under one `{userId}/{parentJobId}/` prefix of Bronze (data.md, section 1)."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum


class DatasetStatus(StrEnum):
    """Whether a dataset can be cleaned."""

    GENERATING = "generating"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Dataset:
    """What is known of a dataset without reading it.

    Attributes:
        record_count: records in all parts; while generating, the number asked for.
        total_chunks: the number of parts.
        seed, error_rate: what makes the same sample data again; None when the data is somebody's own.
    """

    user_id: str
    parent_job_id: str
    record_count: int
    total_chunks: int
    status: DatasetStatus
    created_at: datetime
    seed: int | None = None
    error_rate: float | None = None

    def generating(self, total_chunks: int) -> "Dataset":
        """Its parts are asked for again."""
        return replace(self, status=DatasetStatus.GENERATING, total_chunks=total_chunks)

    def ready(self) -> "Dataset":
        """Every part is in place."""
        return replace(self, status=DatasetStatus.READY)

    def failed(self) -> "Dataset":
        """A part could not be generated."""
        return replace(self, status=DatasetStatus.FAILED)
