"""Parquet files, a few rows at a time."""

import io
from collections.abc import Iterator
from typing import IO, Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from backend.services.record_readers.limits import GREATEST_RECORD_BYTES, record_too_large, unreadable
from backend.services.record_readers.nested_fields import AmbiguousFields, NestedFields

# What compresses well may be long in each of its rows: so many are in memory at once.
_BATCH_ROWS = 32
_READ_BYTES = 1 << 20
_UNREADABLE = (pa.ArrowException, OSError, ValueError)

# A decimal is a JSON number with all its digits. What JSON can't say (NaN, an infinity) is null.
_encoder = msgspec.json.Encoder(decimal_format="number")


def read_parquet(file: IO[bytes]) -> Iterator[bytes]:
    """Each row as the JSON text of a record: structs are objects, times are ISO 8601 text.

    Args:
        file: can be sought, since Parquet is read from its end.

    Raises:
        InvalidRequest: the file is damaged, or a column holds what JSON has no form for.
        TooLarge: a row is over the size of a record.
        MemoryError: it takes more memory than there is.
    """
    size = file.seek(0, io.SEEK_END)
    done = 0
    try:
        # Pages come one after another this way, instead of whole column chunks at once.
        parquet = pq.ParquetFile(file, buffer_size=_READ_BYTES, pre_buffer=False)
        with parquet:
            shape = _Shape(parquet.schema_arrow)
            for batch in parquet.iter_batches(batch_size=_BATCH_ROWS):
                for record in shape.records(batch):
                    encoded = _encoder.encode(record)
                    if len(encoded) > GREATEST_RECORD_BYTES:
                        raise record_too_large(f"row {done + 1}")
                    yield encoded
                    done += 1
    except MemoryError:
        # Arrow's is also an error of its own kind.
        raise
    except _UNREADABLE as error:
        place = f"row {done + 1}" if done else f"Parquet file of {size} bytes"
        raise unreadable(place, str(error).splitlines()[0]) from error


class _Shape:
    """How the rows of one file become records."""

    def __init__(self, schema: pa.Schema) -> None:
        try:
            self._fields = NestedFields(schema.names)
        except AmbiguousFields as error:
            raise unreadable("Parquet schema", str(error)) from error
        self._steps = [
            pa.schema([field.with_type(plain(field.type, field.name)) for field in schema])
            for plain in (_in_utc, _as_json)
        ]

    def records(self, batch: pa.RecordBatch) -> Iterator[dict[str, Any]]:
        for schema in self._steps:
            batch = batch.cast(schema)
        columns = [column.to_pylist() for column in batch.columns]
        for cells in zip(*columns, strict=True):
            yield self._fields.record(enumerate(cells))


def _in_utc(kind: pa.DataType, column: str) -> pa.DataType:
    """The type with every time zone as UTC, which Arrow spells `Z`."""
    if pa.types.is_timestamp(kind) and kind.tz is not None:
        return pa.timestamp(kind.unit, "UTC")
    return _within(kind, column, _in_utc)


def _as_json(kind: pa.DataType, column: str) -> pa.DataType:
    """The type whose Python values JSON can say: times as text, spelled as Bronze spells them."""
    if pa.types.is_temporal(kind) and not (pa.types.is_duration(kind) or pa.types.is_interval(kind)):
        return pa.string()
    if _has_json_form(kind):
        return _within(kind, column, _as_json)
    raise unreadable("Parquet schema", f"the column {column!r} holds {kind}, which JSON has no form for")


def _within(kind: pa.DataType, column: str, change: Any) -> pa.DataType:
    if pa.types.is_dictionary(kind):
        return change(kind.value_type, column)
    if pa.types.is_struct(kind):
        names = [field.name for field in kind]
        if len(set(names)) < len(names):
            raise unreadable("Parquet schema", f"the column {column!r} has a field twice")
        return pa.struct([field.with_type(change(field.type, f"{column}.{field.name}")) for field in kind])
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return pa.list_(change(kind.value_type, column))
    return kind


def _has_json_form(kind: pa.DataType) -> bool:
    return any(
        holds(kind)
        for holds in (
            pa.types.is_null,
            pa.types.is_boolean,
            pa.types.is_integer,
            pa.types.is_floating,
            pa.types.is_decimal,
            pa.types.is_string,
            pa.types.is_large_string,
            pa.types.is_string_view,
            pa.types.is_dictionary,
            pa.types.is_struct,
            pa.types.is_list,
            pa.types.is_large_list,
            pa.types.is_fixed_size_list,
        )
    )
