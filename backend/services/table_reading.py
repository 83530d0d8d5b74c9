"""Tables of a job as JSON rows, CSV or Parquet. Imports Arrow, so only who reads tables imports this."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import IO, Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from backend.ports import FileSystem
from backend.transformations.manifest import Output, OutputFile, utc_text

_BATCH_ROWS = 8_192
_PIECE_BYTES = 1 << 20
_IN_MEMORY_BYTES = 8 << 20

# A spreadsheet takes a cell that begins so for a formula (OWASP's CSV Injection, and ASVS 1.2.10 for NUL).
_FORMULA = r"^[=+\-@\t\r\n\x00\x{ff1d}\x{ff0b}\x{ff0d}\x{ff20}]"
_ISO_TIME = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, slots=True)
class TablePreview:
    """A table's first rows; decimals, dates and times as text, so that nothing is lost in JSON."""

    columns: list[tuple[str, str]]
    rows: list[dict[str, Any]]
    row_count: int


class TableReader:
    """Reads the files that a manifest names; never more than a batch of rows is held."""

    def __init__(self, lake: FileSystem) -> None:
        self._lake = lake

    def preview(self, output: Output, limit: int) -> TablePreview:
        """At most `limit` rows."""
        columns: list[tuple[str, str]] = []
        rows: list[dict[str, Any]] = []
        for batch in self.batches(output.files):
            columns = columns or [(field.name, str(field.type)) for field in batch.schema]
            rows.extend(_json_row(row) for row in batch.slice(0, limit - len(rows)).to_pylist())
            if len(rows) >= limit:
                break
        return TablePreview(columns, rows, output.rows)

    def csv(self, output: Output) -> Iterator[bytes]:
        """The whole table as CSV in UTF-8, with formulas defused.

        Text that a spreadsheet would run as a formula begins with an apostrophe; a list is JSON text.
        """
        header = True
        for batch in self.batches(output.files):
            yield _csv(batch, header)
            header = False

    def parquet(self, output: Output) -> Iterator[bytes]:
        """The whole table as one Parquet file."""
        if len(output.files) == 1:
            return self._lake.read_chunks(output.files[0].path)
        return self._joined(output.files)

    def batches(
        self, files: Sequence[OutputFile], columns: Sequence[str] | None = None
    ) -> Iterator[pa.RecordBatch]:
        """Every row, of all columns or of some, which then come in the order of the file.

        A file without rows gives one batch of none, so that its columns are known.
        """
        for file in files:
            with self._opened(file) as content:
                parquet = pq.ParquetFile(content)
                if parquet.metadata.num_rows == 0:
                    yield _no_rows(parquet, columns)
                yield from parquet.iter_batches(_BATCH_ROWS, columns=columns)

    def _joined(self, files: Sequence[OutputFile]) -> Iterator[bytes]:
        with tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES) as joined:
            writer: pq.ParquetWriter | None = None
            for batch in self.batches(files):
                writer = writer or pq.ParquetWriter(joined, batch.schema)
                writer.write_batch(batch)
            if writer is not None:
                writer.close()
            joined.seek(0)
            while piece := joined.read(_PIECE_BYTES):
                yield piece

    @contextmanager
    def _opened(self, file: OutputFile) -> Iterator[IO[bytes]]:
        with tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES) as content:
            for piece in self._lake.read_chunks(file.path):
                content.write(piece)
            content.seek(0)
            yield content


def _no_rows(parquet: pq.ParquetFile, columns: Sequence[str] | None) -> pa.RecordBatch:
    schema = parquet.schema_arrow
    kept = schema if columns is None else pa.schema([schema.field(name) for name in columns])
    return pa.RecordBatch.from_pylist([], schema=kept)


def _json_row(row: dict[str, Any]) -> dict[str, Any]:
    return {name: _json_value(value) for name, value in row.items()}


def _json_value(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, datetime):
        return utc_text(value)
    return value.isoformat() if isinstance(value, date) else value


def _csv(batch: pa.RecordBatch, header: bool) -> bytes:
    columns = [_csv_column(column) for column in batch.columns]
    table = pa.RecordBatch.from_arrays(columns, names=batch.schema.names)
    sink = pa.BufferOutputStream()
    pyarrow.csv.write_csv(table, sink, pyarrow.csv.WriteOptions(include_header=header))
    return bytes(sink.getvalue())


def _csv_column(column: pa.Array) -> pa.Array:
    if pa.types.is_list(column.type):
        column = pa.array(
            [None if item is None else msgspec.json.encode(item).decode() for item in column.to_pylist()],
            pa.string(),
        )
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        dangerous = pc.match_substring_regex(column, _FORMULA)
        return pc.if_else(dangerous, pc.binary_join_element_wise("'", column, ""), column)
    if pa.types.is_timestamp(column.type):
        return pc.strftime(column, _ISO_TIME)
    return column.cast(pa.string()) if pa.types.is_decimal(column.type) else column
