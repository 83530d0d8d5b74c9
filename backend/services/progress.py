"""How many steps a job takes: what `progress` counts (api.md, Jobs and results)."""

from backend.domain.jobs import LOADING_STEPS, Job, JobKind, JobStatus
from backend.lake_paths import QUARANTINE, SILVER
from backend.transformations.gold_tables import TABLES

OUTPUT_TABLES = (SILVER, QUARANTINE, *TABLES)

_MANIFEST = 1


def cleaning_steps(parts: int) -> int:
    """Each part cleaned, each table written, the manifest, and the load."""
    return parts + len(OUTPUT_TABLES) + _MANIFEST + LOADING_STEPS


def generating_and_cleaning_steps(parts: int) -> int:
    """Each part generated, and then all that cleaning takes."""
    return parts + cleaning_steps(parts)


def records_done(job: Job) -> int:
    """About how many of a job's records are done: all steps of a kind count alike, whatever they hold."""
    if job.status.is_past_cleaning and job.status is not JobStatus.FAILED:
        return job.record_count
    fixed = 0 if job.kind is JobKind.GENERATE else cleaning_steps(0)
    parts = job.progress_total - fixed
    return job.record_count * min(job.progress_done, parts) // parts if parts > 0 else 0
