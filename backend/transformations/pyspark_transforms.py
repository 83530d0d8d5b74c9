"""The large path's engine: a whole dataset over Spark's executors.

The Silver kernel of the small path runs on each part by `mapInArrow`; Spark adds what needs the whole
dataset, duplicates and Gold. No row passes through the driver: what it collects is one line per part.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import from_arrow_schema

from backend.domain.errors import MalformedPart
from backend.transformations.bronze import BronzePart
from backend.transformations.contract import QUARANTINE_SCHEMA, SOURCE_PART, SOURCE_ROW, Contract
from backend.transformations.silver import CleanedPart, clean_part
from backend.transformations.spark_gold import build_gold

ENGINE = "pyspark"

_REPORT = pa.field("report", pa.string())
_RAW = "raw"
_KEY_HASH = "key_hash"
_PLACE = (SOURCE_PART.name, SOURCE_ROW.name)
_GLOB_CHARACTERS = re.compile(r"([\\\[\]{}*?,])")


@dataclass(frozen=True, slots=True)
class SparkPart:
    """A Bronze part that Spark reads: its name with `.json`, and where it lies, such as `abfss://…`."""

    name: str
    uri: str


class PartReport(msgspec.Struct, frozen=True):
    """What the driver is told of a part: its counts, or at which byte it is malformed."""

    part: str
    records_in: int = 0
    placed: int = 0
    present_before: dict[str, int] = {}
    byte: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SparkSilver:
    """A dataset after cleaning.

    Attributes:
        silver: the plan of the Silver rows, duplicates left out.
        quarantine: the plan of the quarantine.
        records_in: over all parts.
        placed: Silver rows before duplicates were left out.
        duplicates: how many rows were left out for them.
        present_before: as `pandas_transforms.SilverResult.present_before`.
    """

    silver: DataFrame
    quarantine: DataFrame
    records_in: int
    placed: int
    duplicates: int
    present_before: Counter[str]


class PySparkTransformer:
    """Cleans datasets of one contract as of one moment.

    Args:
        spark: a session in ANSI mode whose time zone is UTC.
        staging: a folder that Spark can write, for the parts after the kernel; nobody else's.
    """

    def __init__(self, spark: SparkSession, contract: Contract, as_of: datetime, staging: str) -> None:
        self._spark = spark
        self._contract = contract
        self._as_of = as_of
        self._staging = staging

    def transform_to_silver(self, parts: Sequence[SparkPart]) -> SparkSilver:
        """Read and clean every part once, and find the duplicates over the whole dataset.

        Raises:
            MalformedPart: the first by name, if several are.
        """
        schema = from_arrow_schema(_staged_schema(self._contract))
        read = self._spark.read.format("binaryFile").load([_literal(part.uri) for part in parts])
        names = {_path(part.uri): part.name for part in parts}
        cleaned = read.select("path", "content").mapInArrow(
            _cleaner(self._contract, self._as_of, names), schema
        )
        cleaned.write.mode("overwrite").option("compression", "snappy").parquet(self._staging)
        staged = self._spark.read.schema(schema).parquet(self._staging)
        reports = _reports(staged, {part.name for part in parts})
        rows = staged.where(f"{_REPORT.name} is null and {_RAW} is null")
        # Kept, so that counting them and leaving them out look for them once.
        duplicates = self._duplicates(rows).persist()
        kept = rows.join(duplicates, [*_PLACE], "left_anti")
        return SparkSilver(
            silver=kept.select(*self._contract.silver_schema.names),
            quarantine=staged.where(f"{_RAW} is not null").select(*QUARANTINE_SCHEMA.names),
            records_in=sum(report.records_in for report in reports),
            placed=sum(report.placed for report in reports),
            duplicates=duplicates.count(),
            present_before=_total(reports),
        )

    def transform_to_gold(self, silver: DataFrame) -> dict[str, DataFrame]:
        """The plan of every Gold table, by name (data.md, section 4)."""
        return build_gold(silver)

    def _duplicates(self, rows: DataFrame) -> DataFrame:
        """The places of rows whose key has a later row, or an equal one in a smaller place.

        Only the rows whose key's hash occurs twice, few in most datasets, are compared.
        """
        key = self._contract.duplicate_key
        hashed = rows.withColumn(_KEY_HASH, F.xxhash64(*key))
        repeated = hashed.groupBy(_KEY_HASH).count().where("count > 1").select(_KEY_HASH)
        candidates = hashed.select(_KEY_HASH, *key, self._contract.latest, *_PLACE).join(
            repeated, _KEY_HASH, "left_semi"
        )
        latest_first = Window.partitionBy(*key).orderBy(
            F.col(self._contract.latest).desc_nulls_last(), *_PLACE
        )
        ranked = candidates.withColumn("rank", F.row_number().over(latest_first))
        return ranked.where("rank > 1").select(*_PLACE)


def _staged_schema(contract: Contract) -> pa.Schema:
    """A Silver row, or the reasons and raw text of a quarantined record, or the report of a part."""
    quarantine_only = [field for field in QUARANTINE_SCHEMA if field.name not in contract.silver_schema.names]
    return pa.schema([*contract.silver_schema, *quarantine_only, _REPORT])


def _cleaner(
    contract: Contract, as_of: datetime, names: dict[str, str]
) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """The kernel as `mapInArrow` wants it. A malformed part is reported, since a raise would be retried."""

    def clean(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for path, content in zip(batch.column("path").to_pylist(), batch.column("content"), strict=True):
                part = BronzePart(names[_path(path)], content.as_py())
                try:
                    cleaned = clean_part(part, contract, as_of)
                except MalformedPart as error:
                    report = PartReport(part.name, byte=error.byte, reason=error.reason)
                    yield from _staged([_report_row(report)], contract)
                else:
                    report = _report(part.name, cleaned)
                    yield from _staged([cleaned.silver, cleaned.quarantine, _report_row(report)], contract)

    return clean


def _report(part: str, cleaned: CleanedPart) -> PartReport:
    return PartReport(
        part,
        cleaned.records_in,
        cleaned.silver.num_rows,
        dict(cleaned.present_before),
    )


def _report_row(report: PartReport) -> pa.Table:
    return pa.table([[msgspec.json.encode(report).decode()]], schema=pa.schema([_REPORT]))


def _staged(tables: list[pa.Table], contract: Contract) -> Iterator[pa.RecordBatch]:
    schema = _staged_schema(contract)
    for table in tables:
        columns = [
            table[field.name] if field.name in table.column_names else pa.nulls(table.num_rows, field.type)
            for field in schema
        ]
        yield from pa.table(columns, schema=schema).combine_chunks().to_batches()


def _reports(staged: DataFrame, expected: set[str]) -> list[PartReport]:
    rows = staged.where(f"{_REPORT.name} is not null").select(_REPORT.name).collect()
    reports = sorted(
        (msgspec.json.decode(row[0], type=PartReport) for row in rows),
        key=lambda report: report.part.encode(),
    )
    unread = expected - {report.part for report in reports}
    if unread:
        raise FileNotFoundError(f"Spark did not read {min(unread)}")
    for report in reports:
        if report.byte is not None:
            raise MalformedPart(report.part, report.byte, report.reason)
    return reports


def _total(reports: Iterable[PartReport]) -> Counter[str]:
    total: Counter[str] = Counter()
    for report in reports:
        total.update(report.present_before)
    return total


def _literal(uri: str) -> str:
    """A path that Spark takes as it is, and not as a pattern."""
    return _GLOB_CHARACTERS.sub(r"\\\1", uri)


def _path(uri: str) -> str:
    """A location without its scheme and slashes, which Spark spells its own way."""
    return uri.partition(":")[2].lstrip("/")
