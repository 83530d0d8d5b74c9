"""The one place that spells a Bronze, Silver, Gold or log path.

Bronze paths are relative to the container `shanlee-raw-data`, all others to the container `datalake`.
Ids are checked against their form (`backend.domain.identifiers`) before they come here.
"""

from dataclasses import dataclass
from datetime import date

BRONZE_CONTAINER = "shanlee-raw-data"
LAKE_CONTAINER = "datalake"

SILVER = "silver"
QUARANTINE = "quarantine"

_CLEANED = "silver/cleaned"
_QUARANTINE = "silver/quarantine"
_GOLD = "gold/analytics"


def bronze_dataset(user_id: str, parent_job_id: str) -> str:
    """The folder of one dataset's parts."""
    return f"{user_id}/{parent_job_id}"


def bronze_part(user_id: str, parent_job_id: str, part_id: str) -> str:
    """One part: a JSON array of records."""
    return f"{bronze_dataset(user_id, parent_job_id)}/{part_id}.json"


def file_name(path: str) -> str:
    """A path's last piece; of a part, its source_part."""
    return path.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class OutputPaths:
    """Where one job's outputs lie: Silver, quarantine, Gold tables by name, and the manifest."""

    silver: str
    quarantine: str
    gold_folder: str
    manifest: str

    def table(self, name: str) -> str:
        """The path of a table: Silver, quarantine or one of Gold."""
        named = {SILVER: self.silver, QUARANTINE: self.quarantine}
        return named.get(name, f"{self.gold_folder}/{name}.parquet")


def job_outputs(user_id: str, parent_job_id: str, job_id: str) -> OutputPaths:
    """A job's outputs in the lake."""
    gold_folder = f"{_GOLD}/{user_id}/{parent_job_id}/{job_id}"
    return OutputPaths(
        silver=f"{_CLEANED}/{user_id}/{parent_job_id}/{job_id}.parquet",
        quarantine=f"{_QUARANTINE}/{user_id}/{parent_job_id}/{job_id}.parquet",
        gold_folder=gold_folder,
        manifest=f"{gold_folder}/_manifest.json",
    )


FOLDER_OUTPUTS = OutputPaths(
    silver="silver.parquet", quarantine="quarantine.parquet", gold_folder="gold", manifest="_manifest.json"
)
"""The outputs of a run without the service, in a folder of its own (data.md, section 6)."""


def dataset_output_folders(user_id: str, parent_job_id: str) -> tuple[str, ...]:
    """Every folder of the lake that holds outputs of one dataset's jobs."""
    return tuple(f"{layer}/{user_id}/{parent_job_id}" for layer in (_CLEANED, _QUARANTINE, _GOLD))


def transformation_metrics(day: date, job_id: str) -> str:
    """The measurements of one job."""
    return f"logs/transformation_metrics/{day.isoformat()}/{job_id}.json"


def pipeline_run(day: date, run_id: str) -> str:
    """What one orchestration run found, did and skipped."""
    return f"logs/pipeline_runs/{day.isoformat()}/{run_id}.json"
