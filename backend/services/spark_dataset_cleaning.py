"""One dataset from Bronze files to every output with Spark; the counterpart of `dataset_cleaning.py`."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from hashlib import file_digest
from pathlib import Path
from typing import Protocol

import pyarrow.parquet as pq
from pyspark.sql import DataFrame, SparkSession

from backend.domain.errors import ConservationViolated, ResultOverflow
from backend.domain.jobs import Counts
from backend.lake_paths import QUARANTINE, SILVER, OutputPaths
from backend.transformations.manifest import Output, OutputFile, manifest
from backend.transformations.order_lines import ORDER_LINES
from backend.transformations.pyspark_transforms import ENGINE, PySparkTransformer, SparkPart, SparkSilver

_WRITERS = 4
_OUT_OF_RANGE = "NUMERIC_VALUE_OUT_OF_RANGE"


class PublishedFiles(Protocol):
    """Where outputs are put once Spark has written them beside."""

    def delete_file(self, path: str) -> None:
        """Delete a file; nothing happens when it does not exist."""

    def publish(self, path: str, files: Sequence[Path]) -> list[str]:
        """Put a table's part files in the table's place; their paths there, in order."""

    def write(self, path: str, content: bytes) -> None:
        """Put a small file in its place."""


@dataclass(frozen=True, slots=True)
class SparkRun:
    """What a run works with: the session, a folder of its own on this machine, and where outputs go."""

    spark: SparkSession
    scratch: Path
    paths: OutputPaths
    files: PublishedFiles


def clean_dataset_with_spark(
    run: SparkRun, job_id: str, as_of: datetime, parts: Sequence[SparkPart]
) -> Counts:
    """Clean, write every table, and write the manifest last.

    Raises:
        MalformedPart, ConservationViolated, ResultOverflow: nothing counts; trying again can't help.
    """
    transformer = PySparkTransformer(run.spark, ORDER_LINES, as_of, str(run.scratch / "staging"))
    cleaned = transformer.transform_to_silver(parts)
    written = _write_all(run, {SILVER: cleaned.silver, QUARANTINE: cleaned.quarantine})
    silver = run.spark.read.schema(cleaned.silver.schema).parquet(str(_folder(run, SILVER)))
    written |= _write_all(run, transformer.transform_to_gold(silver))
    counts = _counts(cleaned, written)
    run.files.delete_file(run.paths.manifest)
    outputs = [_publish(run, name, files) for name, files in written.items()]
    run.files.write(run.paths.manifest, manifest(job_id, as_of, ENGINE, counts, outputs).encode())
    return counts


def _write_all(run: SparkRun, tables: Mapping[str, DataFrame]) -> dict[str, list[Path]]:
    """Write tables side by side, so that small ones do not leave cores idle; their part files."""
    with ThreadPoolExecutor(_WRITERS, thread_name_prefix="table") as pool:
        files = pool.map(lambda item: _write(run, *item), tables.items())
        return dict(zip(tables, files, strict=True))


def _write(run: SparkRun, name: str, table: DataFrame) -> list[Path]:
    folder = _folder(run, name)
    try:
        table.write.mode("overwrite").option("compression", "snappy").parquet(str(folder))
    except Exception as error:
        if _OUT_OF_RANGE in str(error):
            raise ResultOverflow(f"{name}: a sum does not fit its column") from error
        raise
    return sorted(folder.glob("part-*.parquet"))


def _folder(run: SparkRun, name: str) -> Path:
    return run.scratch / "tables" / name


def _counts(cleaned: SparkSilver, written: Mapping[str, Sequence[Path]]) -> Counts:
    silver_rows, quarantined = _rows(written[SILVER]), _rows(written[QUARANTINE])
    counts = Counts(cleaned.records_in, silver_rows, cleaned.duplicates, quarantined)
    if not counts.conserved:
        raise ConservationViolated(f"records are unaccounted for: {counts}")
    return counts


def _rows(files: Sequence[Path]) -> int:
    """By the files' footers; no row is read."""
    return sum(pq.read_metadata(file).num_rows for file in files)


def _publish(run: SparkRun, name: str, files: Sequence[Path]) -> Output:
    rows = _rows(files)
    measured = [(file.stat().st_size, _sha256(file)) for file in files]
    path = run.paths.table(name)
    placed = run.files.publish(path, files)
    return Output(
        name,
        path,
        rows,
        tuple(
            OutputFile(place, size, digest) for place, (size, digest) in zip(placed, measured, strict=True)
        ),
    )


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return file_digest(content, "sha256").hexdigest()
