"""Rows on their way through Spark: some rows of one table are a block, and a block is one value.

Spark moves and keeps blocks without looking into them, which is several times as fast as handing it the rows:
those it would turn from columns into rows and back at every step.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

_SCHEMA = (
    (SLOT := "slot", pa.int32()),
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
        slot: which task of the next stage the block goes to (`shuffle_slots.py`).
        bucket: what the next stage takes together: a bucket of keys, or the parts of a file.
        part: the place among the parts of the first part that the rows come from; it orders the blocks.
    """

    slot: int
    table_name: str
    bucket: int
    part: int
    content: bytes | pa.Buffer

    @classmethod
    def of(cls, slot: int, table_name: str, bucket: int, part: int, rows: pa.Table) -> "Block":
        """A block of these rows."""
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, rows.schema, options=_OPTIONS) as stream:
            stream.write_table(rows)
        return cls(slot, table_name, bucket, part, sink.getvalue().to_pybytes())

    @property
    def rows(self) -> pa.Table:
        """The rows."""
        return pa.ipc.open_stream(self.content).read_all()


def encode(blocks: Iterable[Block], reports: Iterable[bytes] = ()) -> pa.RecordBatch:
    """Blocks as rows of `BLOCK_SCHEMA`, and a row for each report to the driver."""
    rows: list[tuple[object, ...]] = [
        (block.slot, block.table_name, block.bucket, block.part, len(block.content), block.content, None)
        for block in blocks
    ]
    rows.extend((None, None, None, None, None, None, report.decode()) for report in reports)
    columns = zip(*rows, strict=True)
    return pa.record_batch(
        [pa.array(values, field.type) for values, field in zip(columns, BLOCK_SCHEMA, strict=True)],
        schema=BLOCK_SCHEMA,
    )


def decode(batches: Iterable[pa.RecordBatch]) -> Iterator[Block]:
    """The blocks of rows of `BLOCK_SCHEMA`; there is no report among them."""
    for batch in batches:
        slots, names, buckets, parts = (
            batch.column(name).to_pylist() for name in (SLOT, TABLE_NAME, BUCKET, PART)
        )
        contents = batch.column(CONTENT)
        for slot, name, bucket, part, content in zip(slots, names, buckets, parts, contents, strict=True):
            yield Block(slot, name, bucket, part, content.as_buffer())


def split(rows: pa.Table, key: str, buckets: int) -> Iterator[tuple[int, pa.Table]]:
    """The rows of each bucket of keys that occurs; of bucket 0 always, so that no table stays unknown."""
    places = _buckets(rows[key].combine_chunks(), buckets)
    ordered = rows.take(pa.array(np.argsort(places, kind="stable")))
    ends: Sequence[int] = np.cumsum(np.bincount(places, minlength=buckets)).tolist()
    for bucket, (start, end) in enumerate(zip([0, *ends], ends, strict=False)):
        if start < end or bucket == 0:
            yield bucket, ordered.slice(start, end - start)


def _buckets(keys: pa.StringArray, buckets: int) -> "np.typing.NDArray[np.int64]":
    """A bucket for each key: the same in every process, and on every machine."""
    hashes = pd.util.hash_array(keys.fill_null("").to_numpy(zero_copy_only=False), categorize=False)
    return (hashes % np.uint64(buckets)).astype(np.int64)
