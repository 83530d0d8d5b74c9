"""The large path's engine with its storage: a dataset over Spark's executors."""

from collections.abc import Sequence

from pyspark.sql import SparkSession

from backend import lake_paths
from backend.domain.messages import CleaningMessage
from backend.ports import LakeFile, SparkStorage
from backend.services.cleaned_dataset import CleanedDataset, OnProgress
from backend.services.spark_dataset_cleaning import SparkRun, clean_dataset_with_spark
from backend.transformations.pyspark_transforms import SparkPart


class LargeBatchCleaner:
    """Implements `DatasetCleaner` with PySpark."""

    def __init__(self, spark: SparkSession, storage: SparkStorage) -> None:
        self._spark = spark
        self._storage = storage

    def clean(
        self,
        message: CleaningMessage,
        parts: Sequence[LakeFile],
        attempt: int,  # noqa: ARG002 - outputs of an earlier attempt are removed in any case
        on_progress: OnProgress,
    ) -> CleanedDataset:
        """Clean a dataset of any size."""
        paths = lake_paths.job_outputs(message.user_id, message.parent_job_id, message.job_id)
        spark_parts = [SparkPart(lake_paths.file_name(part.path), part.path, part.size) for part in parts]
        run = SparkRun(self._spark, self._storage, paths)
        return clean_dataset_with_spark(run, message.job_id, message.as_of, spark_parts, on_progress)
