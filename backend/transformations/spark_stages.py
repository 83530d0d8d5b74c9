"""What runs on Spark's executors: each stage takes blocks and gives blocks, and knows no storage.

A stage reports what the driver has to know, also what fails a job for good: an error that is raised would be
tried again by Spark, and then by the queue.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
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
from backend.transformations.shuffle_slots import slots
from backend.transformations.silver import clean_part

KEYS = "keys"
DUPLICATES = "duplicates"
_OF_A_PART = (SILVER, QUARANTINE, DUPLICATES)

Batches = Iterable[pa.RecordBatch]


class PartCleaned(msgspec.Struct, frozen=True, tag=True):
    """What became of a part's records."""

    part: int
    records_in: int
    quarantined: dict[str, int]
    present_before: dict[str, int]


class PartMalformed(msgspec.Struct, frozen=True, tag=True):
    """At which byte a part is malformed, and how."""

    part: int
    byte: int
    reason: str


class ChunkFinished(msgspec.Struct, frozen=True, tag=True):
    """What is in Silver of some parts."""

    duplicates: int
    figures: SilverFigures


class SumTooLarge(msgspec.Struct, frozen=True, tag=True):
    """A sum of a Gold table does not fit its column."""

    message: str


class FileWritten(msgspec.Struct, frozen=True, tag=True):
    """One Parquet file of a table."""

    table: str
    path: str
    rows: int
    bytes: int
    sha256: str


Report = PartCleaned | PartMalformed | ChunkFinished | SumTooLarge | FileWritten
_REPORTS = msgspec.json.Decoder(Report)


def decode_report(text: str) -> Report:
    """What a stage has told the driver."""
    report: Report = _REPORTS.decode(text)
    return report


@dataclass(frozen=True, slots=True)
class Layout:
    """How a dataset is spread over tasks and files.

    Attributes:
        parts: names with `.json`, in the order of their UTF-8 bytes.
        files: for each part, the number of the Silver file that it goes to.
        buckets: into how many the keys are divided.
        tasks: of the stage that builds the tables with one row per key.
        chunk_rows: how many Silver rows are put together, at least.
    """

    parts: tuple[str, ...]
    files: tuple[int, ...]
    buckets: int
    tasks: int
    chunk_rows: int

    @property
    def file_count(self) -> int:
        """How many files Silver has."""
        return self.files[-1] + 1


@dataclass(frozen=True, slots=True)
class CleanParts:
    """Reads parts, each once, and runs the kernel on each: Silver, quarantine, and the keys of its rows.

    Args:
        read: gives a part's bytes, by its place.
    """

    contract: Contract
    as_of: datetime
    layout: Layout
    read: Callable[[int], bytes]

    def run(self, batches: Batches) -> Iterator[pa.RecordBatch]:
        """The stage, as `mapInArrow` calls it; the first column holds places of parts."""
        for batch in batches:
            for part in batch.column(0).to_pylist():
                yield self._cleaned(part)

    def _cleaned(self, part: int) -> pa.RecordBatch:
        bronze = BronzePart(self.layout.parts[part], self.read(part))
        try:
            cleaned = clean_part(bronze, self.contract, self.as_of)
        except MalformedPart as error:
            return encode([], [msgspec.json.encode(PartMalformed(part, error.byte, error.reason))])
        reasons = quarantined_by_reason(cleaned.quarantine)
        report = PartCleaned(part, cleaned.records_in, reasons, dict(cleaned.present_before))
        file = self.layout.files[part]
        slot = slots(self.layout.file_count)[file]
        blocks = [
            Block.of(slot, SILVER, file, part, cleaned.silver),
            Block.of(slot, QUARANTINE, file, part, cleaned.quarantine),
        ]
        return encode([*blocks, *self._keys(cleaned.silver, part)], [msgspec.json.encode(report)])

    def _keys(self, silver: pa.Table, part: int) -> Iterator[Block]:
        keys = silver.select([*self.contract.duplicate_key, self.contract.latest, SOURCE_ROW.name])
        # Places of parts are in the order of their names, and shorter.
        place = pa.repeat(pa.scalar(part, pa.int32()), silver.num_rows)
        keys = keys.append_column(SOURCE_PART.name, place)
        buckets = self.layout.buckets
        for bucket, rows in split(keys, self.contract.duplicate_key[0], buckets):
            yield Block.of(slots(buckets)[bucket], KEYS, bucket, part, rows)


@dataclass(frozen=True, slots=True)
class FindDuplicates:
    """Takes the keys of all parts, a bucket at a time; gives the rows to leave out, for each part."""

    contract: Contract
    layout: Layout

    def run(self, batches: Batches) -> Iterator[pa.RecordBatch]:
        """The stage, as `mapInArrow` calls it."""
        for blocks in _grouped(batches).values():
            rows = _rows(blocks)
            places = duplicate_places(rows, self.contract)
            found = rows.select([SOURCE_PART.name, SOURCE_ROW.name]).take(pa.array(places))
            for part in found[SOURCE_PART.name].unique().to_pylist():
                file = self.layout.files[part]
                of_part = found.filter(pc.equal(found[SOURCE_PART.name], part)).select([SOURCE_ROW.name])
                yield encode([Block.of(slots(self.layout.file_count)[file], DUPLICATES, file, part, of_part)])


@dataclass(frozen=True, slots=True)
class FinishParts:
    """Leaves duplicates out, writes Silver and the facts, and gives what there is for the other tables.

    Takes the parts of a file together, with all that `FindDuplicates` says of them.

    Args:
        paths: where each file of Silver and of the facts goes, by table and number.
        write: puts a file in its place.
    """

    contract: Contract
    layout: Layout
    paths: Mapping[tuple[str, int], str]
    write: Callable[[str, bytes], None]

    def run(self, batches: Batches) -> Iterator[pa.RecordBatch]:
        """The stage, as `mapInArrow` calls it."""
        files: defaultdict[int, defaultdict[int, list[Block]]] = defaultdict(lambda: defaultdict(list))
        for block in decode(batches):
            files[block.bucket][block.part].append(block)
        for file, parts in files.items():
            yield from self._finished(file, parts)

    def _finished(self, file: int, parts: dict[int, list[Block]]) -> Iterator[pa.RecordBatch]:
        silver = ParquetFile(SILVER, self.paths[SILVER, file])
        facts = ParquetFile(gold.FACT_ORDERS, self.paths[gold.FACT_ORDERS, file])
        for first, chunk in self._chunks(parts):
            contributions = gold_contributions(chunk.silver)
            silver.add(chunk.silver)
            facts.add(contributions.pop(gold.FACT_ORDERS))
            report = ChunkFinished(chunk.duplicates, silver_figures(chunk.silver, self.contract))
            blocks = self._blocks({QUARANTINE: chunk.quarantine, **contributions}, first)
            yield encode(blocks, [msgspec.json.encode(report)])
        yield encode([], [msgspec.json.encode(each.written(self.write)) for each in (silver, facts)])

    def _chunks(self, parts: dict[int, list[Block]]) -> Iterator[tuple[int, "_Chunk"]]:
        gathered: list[_Chunk] = []
        first = min(parts)
        for part in sorted(parts):
            if sum(chunk.silver.num_rows for chunk in gathered) >= self.layout.chunk_rows:
                yield first, _joined(gathered)
                gathered, first = [], part
            gathered.append(_without_duplicates(parts.pop(part)))
        yield first, _joined(gathered)

    def _blocks(self, tables: Mapping[str, pa.Table], part: int) -> Iterator[Block]:
        tasks = slots(self.layout.tasks)
        for place, (name, rows) in enumerate(tables.items()):
            keyed = gold.BY_NAME.get(name)
            for bucket, some in split(rows, keyed.key, self.layout.buckets) if keyed else [(0, rows)]:
                slot = tasks[(place * self.layout.buckets + bucket) % len(tasks)]
                yield Block.of(slot, name, bucket, part, some)


@dataclass(frozen=True, slots=True)
class _Chunk:
    """The rows of one part, or of a few."""

    silver: pa.Table
    quarantine: pa.Table
    duplicates: int


def _without_duplicates(blocks: Sequence[Block]) -> _Chunk:
    tables = {name: [block.rows for block in blocks if block.table_name == name] for name in _OF_A_PART}
    (silver,), (quarantine,), left_out = (tables[name] for name in _OF_A_PART)
    if left_out:
        rows = np.concatenate([each[SOURCE_ROW.name].to_numpy() for each in left_out])
        silver = silver.filter(pa.array(~np.isin(silver[SOURCE_ROW.name].to_numpy(), rows)))
    return _Chunk(silver, quarantine, sum(each.num_rows for each in left_out))


def _joined(chunks: Sequence[_Chunk]) -> _Chunk:
    return _Chunk(
        pa.concat_tables([chunk.silver for chunk in chunks]).combine_chunks(),
        pa.concat_tables([chunk.quarantine for chunk in chunks]),
        sum(chunk.duplicates for chunk in chunks),
    )


def build_tables(batches: Batches) -> Iterator[pa.RecordBatch]:
    """A stage: from all that there is for a table's bucket of keys to its rows."""
    for (name, bucket), blocks in _grouped(batches).items():
        try:
            rows = _rows(blocks) if name == QUARANTINE else build_table(name, _rows(blocks))
        except ResultOverflow as error:
            yield encode([], [msgspec.json.encode(SumTooLarge(str(error)))])
        else:
            yield encode([Block.of(0, name, bucket, 0, rows)])


@dataclass(frozen=True, slots=True)
class WriteFiles:
    """Writes the blocks of each file as one Parquet file. A block's `bucket` is here the number of its file.

    Args:
        files: the table and the path of each file, by its number.
        write: puts a file in its place.
    """

    files: Sequence[tuple[str, str]]
    write: Callable[[str, bytes], None]

    def run(self, batches: Batches) -> Iterator[pa.RecordBatch]:
        """The stage, as `mapInArrow` calls it."""
        for (_, number), blocks in _grouped(batches).items():
            file = ParquetFile(*self.files[number])
            file.add(_rows(blocks))
            yield encode([], [msgspec.json.encode(file.written(self.write))])


class ParquetFile:
    """A Snappy Parquet file that grows by one row group at a time."""

    def __init__(self, table: str, path: str) -> None:
        self._table = table
        self._path = path
        self._sink = pa.BufferOutputStream()
        self._writer: pq.ParquetWriter | None = None
        self._rows = 0

    def add(self, rows: pa.Table) -> None:
        """Append rows, as one row group unless they are more than a million."""
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._sink, rows.schema, compression=COMPRESSION)
        self._writer.write_table(rows)
        self._rows += rows.num_rows

    def written(self, write: Callable[[str, bytes], None]) -> FileWritten:
        """Put the file in its place; something has been added."""
        if self._writer is not None:
            self._writer.close()
        content = self._sink.getvalue().to_pybytes()
        write(self._path, content)
        return FileWritten(self._table, self._path, self._rows, len(content), sha256(content).hexdigest())


def _grouped(batches: Batches) -> dict[tuple[str, int], list[Block]]:
    """Blocks by table and bucket, in their order, so that every run gives the same rows in the same place."""
    groups: defaultdict[tuple[str, int], list[Block]] = defaultdict(list)
    for block in decode(batches):
        groups[block.table_name, block.bucket].append(block)
    return {key: sorted(groups[key], key=attrgetter("part")) for key in sorted(groups)}


def _rows(blocks: Iterable[Block]) -> pa.Table:
    return pa.concat_tables([block.rows for block in blocks]).combine_chunks()
