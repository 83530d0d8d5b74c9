"""A dataset: everything under one `{userId}/{parentJobId}/` prefix of Bronze (data.md, section 1)."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum


class DatasetStatus(StrEnum):
    """Whether a dataset can be cleaned."""

    UPLOADING = "uploading"
    GENERATING = "generating"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class SampleRecipe:
    """What makes the same sample data again, in the same parts.

    Attributes:
        chunk_size: records in each part; the last one may have fewer.
    """

    seed: int
    error_rate: float
    chunk_size: int


@dataclass(frozen=True, slots=True)
class Dataset:
    """What is known of a dataset without reading it.

    Attributes:
        record_count: records in all parts; while generating, the number asked for; while uploading, 0.
        total_chunks: the number of parts.
        completed_by: the part of sample data that came last, if it is known; whoever makes it sets the
            waiting jobs going.
        seed, error_rate, chunk_size: the recipe of sample data; None when the data is somebody's own.
        deleted_at: when its deletion was begun. From then on it is there for nobody but who deletes it.
    """

    user_id: str
    parent_job_id: str
    record_count: int
    total_chunks: int
    status: DatasetStatus
    created_at: datetime
    seed: int | None = None
    error_rate: float | None = None
    chunk_size: int | None = None
    completed_by: str | None = None
    deleted_at: datetime | None = None

    @property
    def recipe(self) -> SampleRecipe | None:
        """What makes it again; None when nobody can, since it is somebody's own or is being deleted."""
        if self.seed is None or self.error_rate is None or self.chunk_size is None or self.deleted_at:
            return None
        return SampleRecipe(self.seed, self.error_rate, self.chunk_size)

    def generating_again(self) -> "Dataset":
        """Its parts are asked for once more, after one of them was given up."""
        if self.status is not DatasetStatus.FAILED:
            return self
        return replace(self, status=DatasetStatus.GENERATING, completed_by=None)

    def ready(self, completed_by: str | None) -> "Dataset":
        """Every part is in place; of several that see it at once, the first one is remembered."""
        if self.status is DatasetStatus.READY:
            return self
        return replace(self, status=DatasetStatus.READY, completed_by=completed_by)

    def uploaded(self, record_count: int, parts: int) -> "Dataset":
        """Everything that its owner sent is in place."""
        return replace(self, status=DatasetStatus.READY, record_count=record_count, total_chunks=parts)

    def deleted(self, now: datetime) -> "Dataset":
        """Its deletion has begun; of several that begin it, the first one is remembered."""
        return self if self.deleted_at is not None else replace(self, deleted_at=now)

    def kept(self) -> "Dataset":
        """Its deletion, of which nothing was done yet, is called off."""
        return replace(self, deleted_at=None)

    def failed(self) -> "Dataset":
        """A part could not be generated; where all are there, it was one that had come before."""
        return replace(self, status=DatasetStatus.FAILED) if self.status is DatasetStatus.GENERATING else self
