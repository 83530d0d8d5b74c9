"""Tables as Parquet files (data.md, section 3: Snappy)."""

import pyarrow as pa
import pyarrow.parquet as pq

COMPRESSION = "snappy"


def encode(table: pa.Table) -> memoryview:
    """A table as one Snappy Parquet file."""
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression=COMPRESSION)
    return memoryview(sink.getvalue())
