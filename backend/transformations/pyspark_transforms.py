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
from types import TracebackType
from typing import Self, TypeVar

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import from_arrow_schema
from pyspark.storagelevel import StorageLevel

from backend.domain.errors import MalformedPart, ResultOverflow
from backend.lake_paths import QUARANTINE, SILVER
from backend.transformations import gold_tables as gold
from backend.transformations import spark_stages as stages
from backend.transformations.arrow_blocks import BLOCK_SCHEMA, BUCKET, CONTENT, PART, REPORT, SIZE, TABLE_NAME
from backend.transformations.contract import Contract
from backend.transformations.metrics import SilverFigures, total, total_figures

ENGINE = "pyspark"

_FILE = "file"
_BLOCKS = from_arrow_schema(BLOCK_SCHEMA)
# A task reads one part of the usual 10,000 records, or many small ones.
_TASK_BYTES = 32 << 20
# Of Bronze to a bucket of keys: some 100,000 records, which a task holds at once.
_BUCKET_BYTES = 256 << 20
_FEWEST_BUCKETS, _MOST_BUCKETS = 2, 64
# Of blocks, which are compressed about as well as Parquet.
_FILE_BYTES = 64 << 20
# Whichever session a dataset is cleaned with: of this machine, or of a Databricks cluster.
_SESSION_SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    # Each row is a block; this many are handed to Python at a time.
    "spark.sql.execution.arrow.maxRecordsPerBatch": "4",
}

_Report = TypeVar("_Report")


@dataclass(frozen=True, slots=True)
class SparkPart:
    """A Bronze part: its name with `.json`, its place for whoever reads it, and its size in bytes."""

    name: str
    path: str
    size: int


@dataclass(frozen=True, slots=True)
class CleanedParts:
    """All parts after the kernel, duplicates still among them.

    Attributes:
        blocks: Silver, quarantine and keys, kept by Spark.
        placed: Silver rows.
        quarantined: records with each reason.
        present_before: as `metrics.measurements` takes it.
    """

    blocks: DataFrame
    parts: int
    buckets: int
    records_in: int
    placed: int
    quarantined_rows: int
    quarantined: Mapping[str, int]
    present_before: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class BuiltTables:
    """Every table, ready to be written.

    Attributes:
        blocks: the tables' rows, kept by Spark.
        sizes: the bytes of each block, by table, bucket and part.
        duplicates: how many rows were left out for them.
    """

    blocks: DataFrame
    sizes: Mapping[tuple[str, int, int], int]
    duplicates: int
    figures: SilverFigures


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """One Parquet file of a table."""

    table: str
    path: str
    rows: int
    bytes: int
    sha256: str


class PySparkTransformer:
    """Cleans one dataset of a contract as of one moment; a context, since Spark keeps blocks meanwhile."""

    def __init__(self, spark: SparkSession, contract: Contract, as_of: datetime) -> None:
        self._spark = spark
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
        """Read every part once and run the kernel on it.

        Args:
            parts: in the order of their names' UTF-8 bytes.
            read: gives a part's bytes by its path; runs on the executors.

        Raises:
            MalformedPart: the first by name, if several are.
        """
        buckets = _buckets(parts)
        stage = stages.CleanParts(
            self._contract,
            self._as_of,
            [part.name for part in parts],
            _Reader([part.path for part in parts], read),
            buckets,
        )
        places = self._spark.range(0, len(parts), 1, self._tasks(parts))
        blocks = self._keep(places.mapInArrow(stage.run, _BLOCKS))
        reports = _collected_reports(blocks)
        for report in sorted(_only(stages.PartMalformed, reports), key=lambda report: report.part)[:1]:
            raise MalformedPart(parts[report.part].name, report.byte, report.reason)
        cleaned = _only(stages.PartCleaned, reports)
        return CleanedParts(
            blocks=blocks,
            parts=len(parts),
            buckets=buckets,
            records_in=sum(report.records_in for report in cleaned),
            placed=sum(report.placed for report in cleaned),
            quarantined_rows=sum(report.quarantined_rows for report in cleaned),
            quarantined=total(report.quarantined for report in cleaned),
            present_before=total(report.present_before for report in cleaned),
        )

    def transform_to_gold(self, cleaned: CleanedParts) -> BuiltTables:
        """Leave duplicates out over the whole dataset, and make every Gold table (data.md, section 4).

        Raises:
            ResultOverflow: a sum does not fit its column.
        """
        keys = cleaned.blocks.where(F.col(TABLE_NAME) == stages.KEYS).repartition(cleaned.buckets, BUCKET)
        duplicates = keys.mapInArrow(stages.FindDuplicates(self._contract).run, _BLOCKS)
        silver = cleaned.blocks.where(F.col(TABLE_NAME) == SILVER)
        finish = stages.FinishParts(self._contract, cleaned.buckets)
        finished = self._keep(
            silver.unionAll(duplicates).repartition(cleaned.parts, PART).mapInArrow(finish.run, _BLOCKS)
        )
        final = F.col(TABLE_NAME).isin(SILVER, gold.FACT_ORDERS)
        contributions = finished.where(~final).repartition(
            cleaned.buckets * len(gold.BY_NAME), TABLE_NAME, BUCKET
        )
        built = self._keep(contributions.mapInArrow(stages.build_gold_blocks, _BLOCKS))
        quarantine = cleaned.blocks.where(F.col(TABLE_NAME) == QUARANTINE)
        told = finished.where(final | F.col(REPORT).isNotNull()).unionAll(built).unionAll(quarantine)
        rows = told.select(TABLE_NAME, BUCKET, PART, SIZE, REPORT).collect()
        reports = [stages.decode_report(row[4]) for row in rows if row[4] is not None]
        for report in _only(stages.SumTooLarge, reports)[:1]:
            raise ResultOverflow(report.message)
        finished_parts = _only(stages.PartFinished, reports)
        return BuiltTables(
            blocks=told.where(F.col(REPORT).isNull()),
            sizes={(row[0], row[1], row[2]): row[3] for row in rows if row[4] is None},
            duplicates=sum(report.duplicates for report in finished_parts),
            figures=total_figures(report.figures for report in finished_parts),
        )

    def write_tables(
        self, tables: BuiltTables, places: Mapping[str, str], write: Callable[[str, bytes], None]
    ) -> list[WrittenFile]:
        """Write every table as Snappy Parquet, in as few files as its size asks for.

        Args:
            tables: what `transform_to_gold` has built.
            places: the path of each table: of its file, or of the folder of its files.
            write: puts a file in its place; runs on the executors.
        """
        files = _files(tables.sizes)
        paths = _paths([name for name, _ in files], places)
        numbers = [(*block, number) for number, (_, blocks) in enumerate(files) for block in blocks]
        of_file = self._spark.createDataFrame(
            numbers, f"{TABLE_NAME} string, {BUCKET} int, {PART} int, {_FILE} int"
        )
        in_order = (
            tables.blocks.join(F.broadcast(of_file), [TABLE_NAME, BUCKET, PART])
            .repartition(2 * len(files), _FILE)
            .sortWithinPartitions(_FILE, PART, BUCKET)
            .select(TABLE_NAME, BUCKET, F.col(_FILE).alias(PART), CONTENT)
        )
        written = in_order.mapInArrow(stages.WriteFiles(paths, write).run, _BLOCKS)
        reports = sorted(
            _only(stages.FileWritten, _collected_reports(written)), key=lambda report: report.file
        )
        return [
            WrittenFile(files[report.file][0], paths[report.file], report.rows, report.bytes, report.sha256)
            for report in reports
        ]

    def _tasks(self, parts: Sequence[SparkPart]) -> int:
        by_size = -(-sum(part.size for part in parts) // _TASK_BYTES)
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


def _buckets(parts: Sequence[SparkPart]) -> int:
    wanted = sum(part.size for part in parts) // _BUCKET_BYTES
    return int(min(max(wanted, _FEWEST_BUCKETS), _MOST_BUCKETS))


def _collected_reports(blocks: DataFrame) -> list[stages.Report]:
    rows = blocks.where(F.col(REPORT).isNotNull()).select(REPORT).collect()
    return [stages.decode_report(row[0]) for row in rows]


def _only(kind: type[_Report], reports: Iterable[stages.Report]) -> list[_Report]:
    return [report for report in reports if isinstance(report, kind)]


def _files(sizes: Mapping[tuple[str, int, int], int]) -> list[tuple[str, list[tuple[str, int, int]]]]:
    """The blocks of each file, with its table's name: by table, part and bucket, until a file is full."""
    files: list[tuple[str, list[tuple[str, int, int]]]] = []
    filled = 0
    for block in sorted(sizes, key=lambda block: (block[0], block[2], block[1])):
        if not files or files[-1][0] != block[0] or filled + sizes[block] > _FILE_BYTES:
            files.append((block[0], []))
            filled = 0
        files[-1][1].append(block)
        filled += sizes[block]
    return files


def _paths(tables: Sequence[str], places: Mapping[str, str]) -> list[str]:
    """A table's only file has its place; several are numbered, in a folder of that name."""
    numbers: Counter[str] = Counter()
    paths = []
    for table in tables:
        if tables.count(table) == 1:
            paths.append(places[table])
        else:
            paths.append(f"{places[table]}/part-{numbers[table]:05d}.parquet")
            numbers[table] += 1
    return paths
