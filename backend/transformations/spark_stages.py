"""What runs on Spark's executors: each stage takes blocks and gives blocks, and knows no storage.

A stage reports what the driver has to know, also what fails a job for good: an error that is raised would be
tried again by Spark, and then by the queue.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from itertools import groupby
from operator import attrgetter

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from backend.domain.errors import MalformedPart, ResultOverflow
from backend.lake_paths import QUARANTINE, SILVER
from backend.transformations import gold_tables as gold
from backend.transformations.arrow_blocks import Block, decode, encode, split
from backend.transformations.arrow_gold import build_table, gold_contributions
from backend.transformations.bronze import BronzePart
from backend.transformations.contract import SOURCE_PART, SOURCE_ROW, Contract
from backend.transformations.duplicates import duplicate_places
from backend.transformations.metrics import SilverFigures, quarantined_by_reason, silver_figures
from backend.transformations.parquet import COMPRESSION
from backend.transformations.silver import clean_part

KEYS = "keys"
DUPLICATES = "duplicates"

# The rows of one row group: large enough for Parquet's encodings, and a few dozen megabytes of Silver.
_ROW_GROUP_ROWS = 100_000

Batches = Iterable[pa.RecordBatch]


class PartCleaned(msgspec.Struct, frozen=True, tag=True):
    """What became of a part's records."""

    part: int
    records_in: int
    placed: int
    quarantined: dict[str, int]
    quarantined_rows: int
    present_before: dict[str, int]


class PartMalformed(msgspec.Struct, frozen=True, tag=True):
    """At which byte a part is malformed, and how."""

    part: int
    byte: int
    reason: str


class PartFinished(msgspec.Struct, frozen=True, tag=True):
    """What is in Silver of a part."""

    part: int
    duplicates: int
    figures: SilverFigures


class SumTooLarge(msgspec.Struct, frozen=True, tag=True):
    """A sum of a Gold table does not fit its column."""

    message: str


class FileWritten(msgspec.Struct, frozen=True, tag=True):
    """One file of a table."""

    file: int
    rows: int
    bytes: int
    sha256: str


Report = PartCleaned | PartMalformed | PartFinished | SumTooLarge | FileWritten
_REPORTS = msgspec.json.Decoder(Report)


def decode_report(text: str) -> Report:
    """What a stage has told the driver."""
    report: Report = _REPORTS.decode(text)
    return report


@dataclass(frozen=True, slots=True)
class CleanParts:
    """Reads parts, each once, and runs the kernel on each: Silver, quarantine, and the keys of its rows.

    Args:
        parts: names with `.json`, in their order; the batches tell which of them to clean.
        read: gives a part's bytes, by its place.
    """

    contract: Contract
    as_of: datetime
    parts: Sequence[str]
    read: Callable[[int], bytes]
    buckets: int

    def run(self, batches: Batches) -> Iterator[pa.RecordBatch]:
        """The stage, as `mapInArrow` calls it; the first column holds places of parts."""
        for batch in batches:
            for part in batch.column(0).to_pylist():
                yield self._cleaned(part)

    def _cleaned(self, part: int) -> pa.RecordBatch:
        try:
            cleaned = clean_part(BronzePart(self.parts[part], self.read(part)), self.contract, self.as_of)
        except MalformedPart as error:
            return encode([], msgspec.json.encode(PartMalformed(part, error.byte, error.reason)))
        report = PartCleaned(
            part,
            cleaned.records_in,
            cleaned.silver.num_rows,
            quarantined_by_reason(cleaned.quarantine),
            cleaned.quarantine.num_rows,
            dict(cleaned.present_before),
        )
        blocks = (
            Block.of(SILVER, 0, part, cleaned.silver),
            *self._quarantine(cleaned.quarantine, part),
            *split(
                KEYS, part, self._keys(cleaned.silver, part), self.contract.duplicate_key[0], self.buckets
            ),
        )
        return encode(blocks, msgspec.json.encode(report))

    def _quarantine(self, quarantine: pa.Table, part: int) -> Iterator[Block]:
        # One part's always, so that the table is written also when there is nothing to say.
        if quarantine.num_rows or part == 0:
            yield Block.of(QUARANTINE, 0, part, quarantine)

    def _keys(self, silver: pa.Table, part: int) -> pa.Table:
        keys = silver.select([*self.contract.duplicate_key, self.contract.latest, SOURCE_ROW.name])
        # Places of parts are in the order of their names, and shorter.
        return keys.append_column(SOURCE_PART.name, pa.repeat(pa.scalar(part, pa.int32()), silver.num_rows))


@dataclass(frozen=True, slots=True)
class FindDuplicates:
    """Takes the keys of all parts, a bucket at a time; gives the rows to leave out, for each part."""

    contract: Contract

    def run(self, batches: Batches) -> Iterator[pa.RecordBatch]:
        """The stage, as `mapInArrow` calls it."""
        for blocks in _grouped(batches).values():
            rows = _rows(blocks)
            places = duplicate_places(rows, self.contract)
            found = rows.select([SOURCE_PART.name, SOURCE_ROW.name]).take(pa.array(places))
            bucket = blocks[0].bucket
            for part in found[SOURCE_PART.name].unique().to_pylist():
                of_part = found.filter(pc.equal(found[SOURCE_PART.name], part))
                yield encode([Block.of(DUPLICATES, bucket, part, of_part.select([SOURCE_ROW.name]))])


@dataclass(frozen=True, slots=True)
class FinishParts:
    """Leaves a part's duplicates out, and gives what it contributes to each Gold table.

    Takes a part's Silver and all that `FindDuplicates` says of it.
    """

    contract: Contract
    buckets: int

    def run(self, batches: Batches) -> Iterator[pa.RecordBatch]:
        """The stage, as `mapInArrow` calls it."""
        blocks: defaultdict[int, list[Block]] = defaultdict(list)
        for block in decode(batches):
            blocks[block.part].append(block)
        for part in sorted(blocks):
            yield self._finished(part, blocks.pop(part))

    def _finished(self, part: int, blocks: Sequence[Block]) -> pa.RecordBatch:
        (silver,) = (block.rows for block in blocks if block.table_name == SILVER)
        left_out = [
            block.rows[SOURCE_ROW.name].to_numpy() for block in blocks if block.table_name == DUPLICATES
        ]
        if left_out:
            kept = ~np.isin(silver[SOURCE_ROW.name].to_numpy(), np.concatenate(left_out))
            silver = silver.filter(pa.array(kept))
        duplicates = sum(map(len, left_out))
        report = PartFinished(part, duplicates, silver_figures(silver, self.contract))
        finished = [Block.of(SILVER, 0, part, silver)]
        for name, rows in gold_contributions(silver).items():
            finished.extend(self._contributed(name, part, rows))
        return encode(finished, msgspec.json.encode(report))

    def _contributed(self, name: str, part: int, rows: pa.Table) -> Iterable[Block]:
        keyed = gold.BY_NAME.get(name)
        if keyed is None:
            return (Block.of(name, 0, part, rows),)
        return split(name, part, rows, keyed.key, self.buckets)


def build_gold_blocks(batches: Batches) -> Iterator[pa.RecordBatch]:
    """A stage: from all contributions to a table's bucket of keys to its rows."""
    for (name, bucket), blocks in _grouped(batches).items():
        try:
            rows = build_table(name, _rows(blocks))
        except ResultOverflow as error:
            yield encode([], msgspec.json.encode(SumTooLarge(str(error))))
        else:
            yield encode([Block.of(name, bucket, 0, rows)])


@dataclass(frozen=True, slots=True)
class WriteFiles:
    """Writes the blocks of each file, which come one after another, as one Parquet file.

    A block's `part` is here the number of its file.

    Args:
        paths: where each file goes, by its number.
        write: puts a file in its place.
    """

    paths: Sequence[str]
    write: Callable[[str, bytes], None]

    def run(self, batches: Batches) -> Iterator[pa.RecordBatch]:
        """The stage, as `mapInArrow` calls it."""
        for file, blocks in groupby(decode(batches), key=attrgetter("part")):
            rows, content = _parquet(block.rows for block in blocks)
            self.write(self.paths[file], content)
            written = FileWritten(file, rows, len(content), sha256(content).hexdigest())
            yield encode([], msgspec.json.encode(written))


def _parquet(tables: Iterator[pa.Table]) -> tuple[int, bytes]:
    """One Parquet file of all rows, and how many those are; a row group is all that is held as rows."""
    sink = pa.BufferOutputStream()
    first = next(tables)
    with pq.ParquetWriter(sink, first.schema, compression=COMPRESSION) as writer:
        gathered, rows = [first], first.num_rows
        for table in tables:
            gathered.append(table)
            rows += table.num_rows
            if sum(each.num_rows for each in gathered) >= _ROW_GROUP_ROWS:
                writer.write_table(pa.concat_tables(gathered))
                gathered.clear()
        if gathered:
            writer.write_table(pa.concat_tables(gathered))
    return rows, sink.getvalue().to_pybytes()


def _grouped(batches: Batches) -> dict[tuple[str, int], list[Block]]:
    """Blocks by table and bucket, in the order of their parts, so that every run gives the same rows."""
    groups: defaultdict[tuple[str, int], list[Block]] = defaultdict(list)
    for block in decode(batches):
        groups[block.table_name, block.bucket].append(block)
    return {key: sorted(groups[key], key=lambda block: block.part) for key in sorted(groups)}


def _rows(blocks: Iterable[Block]) -> pa.Table:
    return pa.concat_tables([block.rows for block in blocks]).combine_chunks()
