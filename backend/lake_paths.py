"""The one place that spells a Bronze, Silver, Gold or log path.

Bronze paths are relative to the container `shanlee-raw-data`, all others to the container `datalake`.
Ids are checked against their form (`backend.domain.identifiers`) before they come here.
"""

from datetime import date

BRONZE_CONTAINER = "shanlee-raw-data"
LAKE_CONTAINER = "datalake"

_CLEANED = "silver/cleaned"
_QUARANTINE = "silver/quarantine"
_GOLD = "gold/analytics"


def bronze_dataset(user_id: str, parent_job_id: str) -> str:
    """The folder of one dataset's parts."""
    return f"{user_id}/{parent_job_id}"


def bronze_part(user_id: str, parent_job_id: str, part_id: str) -> str:
    """One part: a JSON array of records."""
    return f"{bronze_dataset(user_id, parent_job_id)}/{part_id}.json"


def silver(user_id: str, parent_job_id: str, job_id: str) -> str:
    """The cleaned rows of one job."""
    return f"{_CLEANED}/{user_id}/{parent_job_id}/{job_id}.parquet"


def quarantine(user_id: str, parent_job_id: str, job_id: str) -> str:
    """The records of one job that could not be placed."""
    return f"{_QUARANTINE}/{user_id}/{parent_job_id}/{job_id}.parquet"


def gold_folder(user_id: str, parent_job_id: str, job_id: str) -> str:
    """The folder of one job's Gold tables and manifest."""
    return f"{_GOLD}/{user_id}/{parent_job_id}/{job_id}"


def gold_table(user_id: str, parent_job_id: str, job_id: str, table: str) -> str:
    """One Gold table of one job."""
    return f"{gold_folder(user_id, parent_job_id, job_id)}/{table}.parquet"


def manifest(user_id: str, parent_job_id: str, job_id: str) -> str:
    """The file that is written last and makes a job's outputs count."""
    return f"{gold_folder(user_id, parent_job_id, job_id)}/_manifest.json"


def dataset_output_folders(user_id: str, parent_job_id: str) -> tuple[str, ...]:
    """Every folder of the lake that holds outputs of one dataset's jobs."""
    return tuple(f"{layer}/{user_id}/{parent_job_id}" for layer in (_CLEANED, _QUARANTINE, _GOLD))


def transformation_metrics(day: date, job_id: str) -> str:
    """The measurements of one job."""
    return f"logs/transformation_metrics/{day.isoformat()}/{job_id}.json"


def pipeline_run(day: date, run_id: str) -> str:
    """What one orchestration run found, did and skipped."""
    return f"logs/pipeline_runs/{day.isoformat()}/{run_id}.json"
