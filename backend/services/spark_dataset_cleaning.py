"""One dataset from Bronze files to every output with Spark; the counterpart of `dataset_cleaning.py`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from pyspark.sql import SparkSession

from backend.domain.errors import ConservationViolated
from backend.domain.jobs import Counts
from backend.lake_paths import QUARANTINE, SILVER, OutputPaths
from backend.ports import SparkStorage
from backend.services.cleaned_dataset import CleanedDataset, OnProgress, Stopwatch
from backend.services.progress import OUTPUT_TABLES
from backend.services.spark_progress import watched
from backend.transformations.manifest import Output, OutputFile, manifest
from backend.transformations.metrics import measurements
from backend.transformations.order_lines import ORDER_LINES
from backend.transformations.pyspark_transforms import (
    ENGINE,
    BuiltTables,
    CleanedParts,
    Outputs,
    PySparkTransformer,
    Sizes,
    SparkPart,
)
from backend.transformations.spark_stages import FileWritten


@dataclass(frozen=True, slots=True)
class SparkRun:
    """What a run works with: a session, the storage that its executors reach, and where outputs go.

    Attributes:
        sizes: by what the dataset is spread, if not by the usual.
    """

    spark: SparkSession
    storage: SparkStorage
    paths: OutputPaths
    sizes: Sizes | None = None


def clean_dataset_with_spark(
    run: SparkRun, job_id: str, as_of: datetime, parts: Sequence[SparkPart], on_progress: OnProgress
) -> CleanedDataset:
    """Clean, write every table, and write the manifest last.

    The parts come in the order of their names' UTF-8 bytes.

    Raises:
        MalformedPart, ConservationViolated, ResultOverflow: nothing counts; trying again can't help.
    """
    watch = Stopwatch()
    with PySparkTransformer(run.spark, ORDER_LINES, as_of, run.sizes) as transformer:
        on_progress("cleaning", 0)
        cleaned = watched(
            run.spark,
            partial(transformer.transform_to_silver, parts, run.storage.read),
            lambda done, tasks: on_progress("cleaning", len(parts) * done // max(tasks, 1)),
        )
        watch.lap("cleaning")
        outputs = _cleared(run)
        on_progress("building gold", len(parts))
        built = transformer.transform_to_gold(cleaned, outputs)
        watch.lap("building gold")
        on_progress("writing tables", len(parts) + len({file.table for file in built.written}))
        files = transformer.write_tables(built, outputs)
        watch.lap("writing tables")
    counts = _counts(cleaned, built, files)
    on_progress("writing the manifest", len(parts) + len(OUTPUT_TABLES))
    listed = [_output(run.paths, name, files) for name in OUTPUT_TABLES]
    run.storage.write(run.paths.manifest, manifest(job_id, as_of, ENGINE, counts, listed).encode())
    watch.lap("writing manifest")
    measured = measurements(
        ENGINE, counts, built.figures, cleaned.present_before, cleaned.quarantined, watch.seconds
    )
    return CleanedDataset(counts, built.figures.mean_quality_score, measured)


def _cleared(run: SparkRun) -> Outputs:
    """The outputs' places, without what an earlier run left there, which may be of other files."""
    run.storage.remove(run.paths.manifest)
    places = {name: run.paths.table(name) for name in OUTPUT_TABLES}
    for place in places.values():
        run.storage.remove(place)
    return Outputs(places, run.storage.write)


def _counts(cleaned: CleanedParts, built: BuiltTables, files: Sequence[FileWritten]) -> Counts:
    """The conservation equation, of what is in the files and not of what was to be in them."""
    counts = Counts(cleaned.records_in, _rows(SILVER, files), built.duplicates, _rows(QUARANTINE, files))
    if not counts.conserved:
        raise ConservationViolated(f"records are unaccounted for: {counts}")
    return counts


def _rows(table: str, files: Sequence[FileWritten]) -> int:
    return sum(file.rows for file in files if file.table == table)


def _output(paths: OutputPaths, table: str, files: Sequence[FileWritten]) -> Output:
    listed = tuple(OutputFile(file.path, file.bytes, file.sha256) for file in files if file.table == table)
    return Output(table, paths.table(table), _rows(table, files), listed)
