"""Rows on their way through Spark: some rows of one table are a block, and a block is one value.

Spark moves, keeps and sorts blocks without looking into them, which is several times as fast as handing it
the rows: those it would turn from columns into rows and back at every step.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

_SCHEMA = (
    (TABLE_NAME := "table_name", pa.string()),
    (BUCKET := "bucket", pa.int32()),
    (PART := "part", pa.int32()),
    (SIZE := "size", pa.int64()),
    (CONTENT := "content", pa.binary()),
    (REPORT := "report", pa.string()),
)
BLOCK_SCHEMA = pa.schema(_SCHEMA)

_OPTIONS = pa.ipc.IpcWriteOptions(compression="lz4", use_threads=False)


@dataclass(frozen=True, slots=True)
class Block:
    """Some rows of one table, as an Arrow stream.

    Attributes:
        bucket: which bucket of keys the rows belong to; 0 where rows are not told apart by a key.
        part: the place of their Bronze part among the parts; 0 for rows made of several parts'.
    """

    table_name: str
    bucket: int
    part: int
    content: bytes | pa.Buffer

    @classmethod
    def of(cls, table_name: str, bucket: int, part: int, rows: pa.Table) -> "Block":
        """A block of these rows."""
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, rows.schema, options=_OPTIONS) as stream:
            stream.write_table(rows)
        return cls(table_name, bucket, part, sink.getvalue().to_pybytes())

    @property
    def rows(self) -> pa.Table:
        """The rows."""
        return pa.ipc.open_stream(self.content).read_all()


def encode(blocks: Iterable[Block], report: bytes | None = None) -> pa.RecordBatch:
    """Blocks as rows of `BLOCK_SCHEMA`; with a report, one more row that tells it to the driver."""
    rows: list[tuple[object, ...]] = [
        (block.table_name, block.bucket, block.part, len(block.content), block.content, None)
        for block in blocks
    ]
    if report is not None:
        rows.append((None, None, None, None, None, report.decode()))
    columns = [
        pa.array(values, field.type)
        for values, field in zip(zip(*rows, strict=True), BLOCK_SCHEMA, strict=True)
    ]
    return pa.record_batch(columns, schema=BLOCK_SCHEMA)


def decode(batches: Iterable[pa.RecordBatch]) -> Iterator[Block]:
    """The blocks of rows of `BLOCK_SCHEMA`; there is no report among them."""
    for batch in batches:
        names, buckets, parts = (batch.column(name).to_pylist() for name in (TABLE_NAME, BUCKET, PART))
        for name, bucket, part, content in zip(names, buckets, parts, batch.column(CONTENT), strict=True):
            yield Block(name, bucket, part, content.as_buffer())


def split(table_name: str, part: int, rows: pa.Table, key: str, buckets: int) -> Iterator[Block]:
    """A block for each bucket of keys that occurs; for bucket 0 always, so that no table stays unknown."""
    places = _buckets(rows[key].combine_chunks(), buckets)
    ordered = rows.take(pa.array(np.argsort(places, kind="stable")))
    ends = np.cumsum(np.bincount(places, minlength=buckets)).tolist()
    for bucket, (start, end) in enumerate(zip([0, *ends], ends, strict=False)):
        if start < end or bucket == 0:
            yield Block.of(table_name, bucket, part, ordered.slice(start, end - start))


def _buckets(keys: pa.StringArray, buckets: int) -> "np.typing.NDArray[np.int64]":
    """A bucket for each key: the same in every process, and on every machine."""
    hashes = pd.util.hash_array(keys.fill_null("").to_numpy(zero_copy_only=False), categorize=False)
    return (hashes % np.uint64(buckets)).astype(np.int64)
