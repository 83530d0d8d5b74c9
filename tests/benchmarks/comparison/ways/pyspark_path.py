"""This project's large path on a warm local Spark: the whole contract, every Silver and Gold file."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from backend.adapters.local_folder import LocalFiles
from backend.adapters.local_spark import local_session
from backend.lake_paths import FOLDER_OUTPUTS
from backend.services.spark_dataset_cleaning import SparkRun, clean_dataset_with_spark
from backend.transformations.pyspark_transforms import SparkPart
from tests.benchmarks.comparison.ways.pandas_path import AS_OF


@contextmanager
def session(folder: Path) -> Iterator[Callable[[Sequence[Path], Path], None]]:
    """A warm session that cleans."""
    spark = local_session(folder, "*")

    def clean(parts: Sequence[Path], out: Path) -> None:
        in_order = [SparkPart(part.name, str(part), part.stat().st_size) for part in parts]
        run = SparkRun(spark, LocalFiles(out), FOLDER_OUTPUTS)
        clean_dataset_with_spark(run, "benchmark", AS_OF, in_order, lambda _stage, _done: None)

    yield clean
    spark.stop()
