"""The large path's engine: a whole dataset over Spark's executors.

Everything that is done to rows is the small path's own code, run on the executors (`spark_stages.py`): the
Silver kernel on each part, duplicates and Gold on buckets of keys. Spark brings together what belongs
together. No row passes through the driver: it is told figures, a line for each part and each file.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from types import TracebackType
from typing import Self, TypeVar

import pyarrow as pa
from pyspark.sql import Column, DataFrame, Row, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import from_arrow_schema
from pyspark.storagelevel import StorageLevel

from backend.domain.errors import MalformedPart, ResultOverflow
from backend.lake_paths import QUARANTINE, SILVER
from backend.transformations import gold_tables as gold
from backend.transformations import spark_stages as stages
from backend.transformations.arrow_blocks import (
    BLOCK_SCHEMA,
    BUCKET,
    CONTENT,
    PART,
    REPORT,
    SIZE,
    SLOT,
    TABLE_NAME,
)
from backend.transformations.contract import Contract
from backend.transformations.metrics import SilverFigures, total, total_figures
from backend.transformations.shuffle_slots import slots

ENGINE = "pyspark"

_BLOCKS = from_arrow_schema(BLOCK_SCHEMA)
_SESSION_SETTINGS = {
    # Each row is a block; this many are handed to Python at a time.
    "spark.sql.execution.arrow.maxRecordsPerBatch": "4",
    # Every stage is told how many tasks it has; to plan again after each takes longer than these plans' work.
    "spark.sql.adaptive.enabled": "false",
}

_FILE = "file"
_FILES_SCHEMA = pa.schema(
    [(SLOT, pa.int32()), (TABLE_NAME, pa.string()), (BUCKET, pa.int32()), (_FILE, pa.int32())]
)
_Report = TypeVar("_Report")
_BlockId = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Sizes:
    """By what a dataset is spread; in bytes of Bronze, of which 10,000 records are about 32 MiB.

    Attributes:
        task: what a task reads: one part of 10,000 records, or many small ones.
        greatest_file: the most that goes to one file of Silver.
        least_file: what goes to one at least, when it takes more files to keep all cores busy.
        bucket: of keys; what a task holds at once.
        table_file: the most that goes to one file of the other tables, in bytes of blocks, which are about as
            large as Parquet files.
        chunk_rows: Silver rows that are put together before Gold's share of them is taken and a row group is
            written: large enough for both, and a few dozen megabytes.
    """

    task: int = 32 << 20
    greatest_file: int = 192 << 20
    least_file: int = 160 << 20
    bucket: int = 256 << 20
    table_file: int = 64 << 20
    chunk_rows: int = 50_000


_FEWEST_BUCKETS, _MOST_BUCKETS = 2, 64


@dataclass(frozen=True, slots=True)
class SparkPart:
    """A Bronze part: its name with `.json`, its place for whoever reads it, and its size in bytes."""

    name: str
    path: str
    size: int


@dataclass(frozen=True, slots=True)
class Outputs:
    """Where tables go.

    Attributes:
        places: the path of each table: of its file, or of the folder of its files.
        write: puts a file in its place; runs on the executors.
    """

    places: Mapping[str, str]
    write: Callable[[str, bytes], None]

    def path(self, table: str, number: int, count: int) -> str:
        """The path of one of a table's files."""
        return self.places[table] if count == 1 else f"{self.places[table]}/part-{number:05d}.parquet"


@dataclass(frozen=True, slots=True)
class CleanedParts:
    """All parts after the kernel, duplicates still among them.

    Attributes:
        blocks: Silver, quarantine and keys, kept by Spark.
        quarantined: records with each reason.
        present_before: as `metrics.measurements` takes it.
    """

    blocks: DataFrame
    layout: stages.Layout
    records_in: int
    quarantined: Mapping[str, int]
    present_before: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class BuiltTables:
    """Silver and the facts, written; and all other tables, ready to be written.

    Attributes:
        blocks: the rows of the other tables, kept by Spark.
        sizes: the bytes of each of these blocks, by table and bucket.
        duplicates: how many rows were left out for them.
    """

    blocks: DataFrame
    sizes: Mapping[_BlockId, int]
    written: Sequence[stages.FileWritten]
    duplicates: int
    figures: SilverFigures


class PySparkTransformer:
    """Cleans one dataset of a contract as of one moment; a context, since Spark keeps blocks meanwhile."""

    def __init__(
        self, spark: SparkSession, contract: Contract, as_of: datetime, sizes: Sizes | None = None
    ) -> None:
        self._spark = spark
        self._sizes = sizes or Sizes()
        self._contract = contract
        self._as_of = as_of
        self._kept = ExitStack()
        for name, value in _SESSION_SETTINGS.items():
            spark.conf.set(name, value)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._kept.close()

    def transform_to_silver(self, parts: Sequence[SparkPart], read: Callable[[str], bytes]) -> CleanedParts:
        """Read every part once and run the kernel on it. Nothing is written.

        Args:
            parts: in the order of their names' UTF-8 bytes.
            read: gives a part's bytes by its path; runs on the executors.

        Raises:
            MalformedPart: the first by name, if several are.
        """
        layout = self._layout(parts)
        reader = _Reader([part.path for part in parts], read)
        stage = stages.CleanParts(self._contract, self._as_of, layout, reader)
        places = self._spark.range(0, len(parts), 1, self._reading_tasks(parts))
        blocks = self._keep(places.mapInArrow(stage.run, _BLOCKS))
        reports = _decoded(blocks.where(_is_report()).select(REPORT).collect())
        for report in sorted(_only(stages.PartMalformed, reports), key=lambda report: report.part)[:1]:
            raise MalformedPart(parts[report.part].name, report.byte, report.reason)
        cleaned = _only(stages.PartCleaned, reports)
        return CleanedParts(
            blocks=blocks,
            layout=layout,
            records_in=sum(report.records_in for report in cleaned),
            quarantined=total(report.quarantined for report in cleaned),
            present_before=total(report.present_before for report in cleaned),
        )

    def transform_to_gold(self, cleaned: CleanedParts, outputs: Outputs) -> BuiltTables:
        """Leave duplicates out over the whole dataset, write Silver and the facts, build all other tables.

        Raises:
            ResultOverflow: a sum does not fit its column.
        """
        layout = cleaned.layout
        paths = {
            (table, number): outputs.path(table, number, layout.file_count)
            for table in (SILVER, gold.FACT_ORDERS)
            for number in range(layout.file_count)
        }
        finish = stages.FinishParts(self._contract, layout, paths, outputs.write)
        keys = cleaned.blocks.where(F.col(TABLE_NAME) == stages.KEYS).repartition(layout.buckets, SLOT)
        duplicates = keys.mapInArrow(stages.FindDuplicates(self._contract, layout).run, _BLOCKS)
        of_parts = cleaned.blocks.where(F.col(TABLE_NAME).isin(SILVER, QUARANTINE)).unionAll(duplicates)
        finished = self._keep(of_parts.repartition(layout.file_count, SLOT).mapInArrow(finish.run, _BLOCKS))
        tables = finished.where(_is_block()).repartition(layout.tasks, SLOT)
        built = self._keep(tables.mapInArrow(stages.build_tables, _BLOCKS))
        told = built.unionAll(finished.where(_is_report())).select(REPORT, TABLE_NAME, BUCKET, SIZE).collect()
        reports = _decoded(row for row in told if row[0] is not None)
        for report in _only(stages.SumTooLarge, reports)[:1]:
            raise ResultOverflow(report.message)
        chunks = _only(stages.ChunkFinished, reports)
        return BuiltTables(
            blocks=built.where(_is_block()),
            sizes={(row[1], row[2]): row[3] for row in told if row[0] is None},
            written=_only(stages.FileWritten, reports),
            duplicates=sum(report.duplicates for report in chunks),
            figures=total_figures(report.figures for report in chunks),
        )

    def write_tables(self, tables: BuiltTables, outputs: Outputs) -> list[stages.FileWritten]:
        """Write all other tables, in as few files as their size asks for.

        Returns:
            The files of every table, Silver and the facts included, in the order of their paths.
        """
        files = _files(tables.sizes, self._sizes.table_file)
        counts = Counter(table for table, _ in files)
        numbers: Counter[str] = Counter()
        named = []
        for table, _ in files:
            named.append((table, outputs.path(table, numbers[table], counts[table])))
            numbers[table] += 1
        slot_of = slots(len(files))
        rows = [
            {SLOT: slot_of[number], TABLE_NAME: table, BUCKET: bucket, _FILE: number}
            for number, (_, blocks) in enumerate(files)
            for table, bucket in blocks
        ]
        # By Arrow: a list of rows would start Python workers of another kind, only to send it to Java.
        of_file = self._spark.createDataFrame(pa.Table.from_pylist(rows, _FILES_SCHEMA))
        blocks = tables.blocks.drop(SLOT).join(F.broadcast(of_file), [TABLE_NAME, BUCKET])
        ordered = blocks.repartition(len(files), SLOT).select(
            SLOT, TABLE_NAME, F.col(_FILE).alias(BUCKET), F.col(BUCKET).alias(PART), CONTENT
        )
        reports = ordered.mapInArrow(stages.WriteFiles(named, outputs.write).run, _BLOCKS)
        written = _only(stages.FileWritten, _decoded(reports.select(REPORT).collect()))
        return sorted([*tables.written, *written], key=lambda file: file.path)

    def _layout(self, parts: Sequence[SparkPart]) -> stages.Layout:
        cores = self._spark.sparkContext.defaultParallelism
        sizes, size = self._sizes, sum(part.size for part in parts)
        fewest, most = _quotient(size, sizes.greatest_file), _quotient(size, sizes.least_file)
        file_count = min(max(fewest, min(cores, most)), len(parts))
        buckets = min(max(_quotient(size, sizes.bucket), _FEWEST_BUCKETS), _MOST_BUCKETS)
        return stages.Layout(
            parts=tuple(part.name for part in parts),
            files=_numbered([part.size for part in parts], file_count),
            buckets=buckets,
            tasks=max(2 * cores, buckets),
            chunk_rows=sizes.chunk_rows,
        )

    def _reading_tasks(self, parts: Sequence[SparkPart]) -> int:
        by_size = _quotient(sum(part.size for part in parts), self._sizes.task)
        return min(len(parts), max(by_size, self._spark.sparkContext.defaultParallelism))

    def _keep(self, blocks: DataFrame) -> DataFrame:
        """Have Spark keep what it computes, so that it computes it once; on disk, whatever its size."""
        blocks.persist(StorageLevel.DISK_ONLY)
        self._kept.callback(blocks.unpersist)
        return blocks


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads parts by their places."""

    paths: Sequence[str]
    read: Callable[[str], bytes]

    def __call__(self, part: int) -> bytes:
        return self.read(self.paths[part])


def _is_report() -> Column:
    return F.col(REPORT).isNotNull()


def _is_block() -> Column:
    return F.col(REPORT).isNull()


def _quotient(size: int, of: int) -> int:
    """Rounded up, and 1 at least."""
    return max(-(-size // of), 1)


def _numbered(sizes: Sequence[int], count: int) -> tuple[int, ...]:
    """A number below `count` for each of the parts, in order and about equally many bytes of each."""
    whole = max(sum(sizes), 1)
    ends = accumulate(sizes)
    numbers = [min((end - 1) * count // whole, count - 1) for end in ends]
    # Without gaps, which a part that is larger than the others leaves.
    places = {number: place for place, number in enumerate(sorted(set(numbers)))}
    return tuple(places[number] for number in numbers)


def _decoded(rows: Iterable[Row]) -> list[stages.Report]:
    return [stages.decode_report(row[0]) for row in rows]


def _only(kind: type[_Report], reports: Iterable[stages.Report]) -> list[_Report]:
    return [report for report in reports if isinstance(report, kind)]


def _files(sizes: Mapping[_BlockId, int], file_size: int) -> list[tuple[str, list[_BlockId]]]:
    """The blocks of each file, with its table's name: in their order, until a file is full."""
    files: list[tuple[str, list[_BlockId]]] = []
    filled = 0
    for block in sorted(sizes):
        if not files or files[-1][0] != block[0] or filled + sizes[block] > file_size:
            files.append((block[0], []))
            filled = 0
        files[-1][1].append(block)
        filled += sizes[block]
    return files
