"""Rows of Arrow as SQL literals, made by kernels instead of value by value.

A text stands between quotes only where its whole column is made of characters that mean nothing to SQL. Other
texts become hexadecimal literals: no character can end such a literal, whatever the server's settings, and a
column's bytes are turned into hex at once.
"""

import binascii
from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_NULL = "NULL"
_SEPARATOR = ","

# Not a list of what is dangerous, but of what is not.
_NOT_HARMLESS = "[^A-Za-z0-9 ._:@/+-]"


def value_lists(columns: Sequence[pa.Array], greatest_bytes: int) -> Iterator[str]:
    """The rows of some columns as `(…),(…),…`, in pieces of about `greatest_bytes`, whole rows each."""
    rows = pc.binary_join_element_wise(*(literals(column) for column in columns), _SEPARATOR)
    rows = pc.binary_join_element_wise("(", rows, ")", "")
    ends = np.cumsum(pc.add(pc.binary_length(rows), len(_SEPARATOR)).to_numpy(zero_copy_only=False))
    start = 0
    while start < len(rows):
        before = int(ends[start - 1]) if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, before + greatest_bytes, side="right")))
        yield _joined(rows.slice(start, stop - start))
        start = stop


def literals(column: pa.Array) -> pa.Array:
    """Each value as a SQL literal; null as NULL."""
    kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        texts = _text(column)
    elif pa.types.is_timestamp(kind):
        # In UTC, as all instants are. Without a zone the cast takes a tenth of strftime's time.
        texts = _quoted(column.cast(pa.timestamp("us")).cast(pa.string()))
    elif pa.types.is_date(kind):
        texts = _quoted(column.cast(pa.string()))
    elif pa.types.is_boolean(kind):
        texts = column.cast(pa.int8()).cast(pa.string())
    else:
        texts = column.cast(pa.string())
    return pc.fill_null(texts, _NULL)


def _text(column: pa.Array) -> pa.Array:
    if pc.any(pc.match_substring_regex(column, _NOT_HARMLESS)).as_py():
        return _hexadecimal(column.cast(pa.large_string()))
    return _quoted(column.cast(pa.string()))


def _quoted(column: pa.Array) -> pa.Array:
    return pc.binary_join_element_wise("'", column, "'", "")


def _hexadecimal(column: pa.LargeStringArray) -> pa.Array:
    """`_utf8mb4 X'…'` for each text."""
    _, offset_buffer, data = column.buffers()
    offsets = np.frombuffer(offset_buffer, dtype=np.int64)[column.offset : column.offset + len(column) + 1]
    first, last = int(offsets[0]), int(offsets[-1])
    text = memoryview(data)[first:last] if data is not None else b""
    digits = pa.LargeStringArray.from_buffers(
        len(column), pa.py_buffer((offsets - first) * 2), pa.py_buffer(binascii.hexlify(text))
    )
    literal = pc.binary_join_element_wise(
        pa.scalar("_utf8mb4 X'", pa.large_string()),
        digits,
        pa.scalar("'", pa.large_string()),
        pa.scalar("", pa.large_string()),
    )
    return pc.if_else(column.is_valid(), literal, None).cast(pa.string())


def _joined(rows: pa.Array) -> str:
    one = pa.ListArray.from_arrays(pa.array([0, len(rows)], pa.int32()), rows)
    text: str = pc.binary_join(one, _SEPARATOR)[0].as_py()
    return text
