"""What the worker does with its session: the large path's cleaning, as Databricks' driver does it."""

from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from backend.domain.messages import LargeBatchMessage
from backend.telemetry.job_work import working_on

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from backend.bootstrap import Services

_WARM_UP_RECORDS = 1_000


def clean(services: "Services", spark: "SparkSession", message: LargeBatchMessage) -> None:
    """Clean the dataset of a message.

    Raises:
        Exception: another attempt may mend it; what may not is told in the job's progress.
    """
    with working_on(message, "clean dataset", attempt=message.attempt):
        services.large_batch_cleaning(spark).run(message, delivery=message.attempt)


def warm_up(services: "Services", spark: "SparkSession") -> None:
    """Do once what every run does, so that no run waits for code to be loaded and compiled."""
    from backend.adapters.local_folder import LocalFiles
    from backend.lake_paths import FOLDER_OUTPUTS
    from backend.sample_data.generator import generate_chunk
    from backend.services.spark_dataset_cleaning import SparkRun, clean_dataset_with_spark
    from backend.transformations.pyspark_transforms import SparkPart

    services.large_batch_cleaning(spark)
    with TemporaryDirectory(prefix="warm-up.") as folder:
        part = Path(folder, "part.json")
        part.write_bytes(generate_chunk(0, 0, _WARM_UP_RECORDS, 0.1))
        parts = [SparkPart(part.name, str(part), part.stat().st_size)]
        run = SparkRun(spark, LocalFiles(Path(folder)), FOLDER_OUTPUTS)
        clean_dataset_with_spark(run, "warm-up", datetime.now(UTC), parts, lambda _stage, _done: None)
