"""The engines under test, each as one function: a dataset in, every table and the counts out."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import SparkSession

from backend.adapters.local_folder import LocalFiles
from backend.domain.jobs import Counts
from backend.lake_paths import FOLDER_OUTPUTS, QUARANTINE, SILVER
from backend.services.cleaned_dataset import CleanedDataset
from backend.services.progress import OUTPUT_TABLES
from backend.services.spark_dataset_cleaning import SparkRun, clean_dataset_with_spark
from backend.transformations.bronze import BronzePart
from backend.transformations.order_lines import ORDER_LINES
from backend.transformations.pandas_transforms import PandasTransformer
from backend.transformations.pyspark_transforms import Sizes, SparkPart


def clean_with_pandas(parts: Mapping[str, bytes], as_of: datetime) -> tuple[dict[str, pa.Table], Counts]:
    """The small path's engine."""
    transformer = PandasTransformer(ORDER_LINES, as_of)
    in_order = sorted(parts, key=lambda name: name.encode())
    result = transformer.transform_to_silver(BronzePart(name, parts[name]) for name in in_order)
    gold = transformer.transform_to_gold(result.silver)
    return {SILVER: result.silver, QUARANTINE: result.quarantine, **gold}, result.counts


def clean_with_pyspark(
    spark: SparkSession, folder: Path, parts: Mapping[str, bytes], as_of: datetime, sizes: Sizes | None = None
) -> tuple[dict[str, pa.Table], CleanedDataset]:
    """The large path's engine, on files in a folder of this machine."""
    bronze, out = folder / "bronze", folder / "out"
    for each in (bronze, out):
        each.mkdir()
    files = {name: bronze / f"{number}.json" for number, name in enumerate(parts)}
    for name, file in files.items():
        file.write_bytes(parts[name])
    in_order = sorted(parts, key=lambda name: name.encode())
    spark_parts = [SparkPart(name, str(files[name]), len(parts[name])) for name in in_order]
    run = SparkRun(spark, LocalFiles(out), FOLDER_OUTPUTS, sizes)
    cleaned = clean_dataset_with_spark(run, "local", as_of, spark_parts, _unwatched)
    tables = {name: pq.read_table(out / FOLDER_OUTPUTS.table(name)) for name in OUTPUT_TABLES}
    return tables, cleaned


def _unwatched(stage: str, done: int) -> None:
    """Nobody is told of the progress."""
