"""Which parts a sample dataset has: the messages that ask for them, and what its row says."""

from dataclasses import dataclass
from datetime import datetime

from backend.domain.datasets import Dataset, DatasetStatus, SampleRecipe
from backend.domain.jobs import Job, JobStatus
from backend.domain.messages import GenerationMessage

GREATEST_CHUNK_COUNT = 1_000
"""A dataset of more batches than this gets larger ones, so that asking for it stays quick."""


@dataclass(frozen=True, slots=True)
class GenerationPlan:
    """A sample dataset that is being made; `part_ids` are the names of its parts in Bronze."""

    parent_job_id: str
    job_id: str
    part_ids: tuple[str, ...]
    status: JobStatus
    total_count: int
    batch_size: int

    @property
    def total_chunks(self) -> int:
        """How many parts the dataset has."""
        return len(self.part_ids)


def new_recipe(job: Job, error_rate: float, seed: int | None, batch_size: int) -> SampleRecipe:
    """How the data of a job is made. Without a seed the job's id makes one, the same each time."""
    chunk_size = max(batch_size, -(-job.record_count // GREATEST_CHUNK_COUNT))
    return SampleRecipe(int(job.job_id[-8:], 16) if seed is None else seed, error_rate, chunk_size)


def part_messages(job: Job, recipe: SampleRecipe) -> list[GenerationMessage]:
    """One message for each part."""
    starts = range(0, job.record_count, recipe.chunk_size)
    return [
        GenerationMessage(
            user_id=job.user_id,
            job_id=job.job_id,
            parent_job_id=job.parent_job_id,
            trace_parent=job.trace_parent,
            part_id=f"{index:05d}",
            chunk_index=index,
            total_chunks=len(starts),
            first_record=start,
            record_count=min(recipe.chunk_size, job.record_count - start),
            seed=recipe.seed,
            error_rate=recipe.error_rate,
        )
        for index, start in enumerate(starts)
    ]


def dataset_to_generate(job: Job, recipe: SampleRecipe, total_chunks: int, now: datetime) -> Dataset:
    """The row of a dataset whose parts are being asked for."""
    return Dataset(
        user_id=job.user_id,
        parent_job_id=job.parent_job_id,
        record_count=job.record_count,
        total_chunks=total_chunks,
        status=DatasetStatus.GENERATING,
        created_at=now,
        seed=recipe.seed,
        error_rate=recipe.error_rate,
        chunk_size=recipe.chunk_size,
    )
