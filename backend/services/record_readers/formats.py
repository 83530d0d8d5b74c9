"""Which format an upload is in: its first bytes say, and its name where those don't."""

import io
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import PurePosixPath

from backend.services.record_readers.comma_separated import read_comma_separated
from backend.services.record_readers.gzip_bytes import GZIP_MAGIC, GzipBytes
from backend.services.record_readers.json_array import read_json_array
from backend.services.record_readers.json_lines import read_json_lines
from backend.services.record_readers.limits import BoundedBytes, ByteStream, buffered, unreadable
from backend.services.record_readers.parquet_process import read_parquet_apart

GREATEST_EXPANSION = 20
"""How many times larger than the greatest upload its decompressed content may be."""

PARQUET_MAGIC = b"PAR1"
"""What a Parquet file begins and ends with."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_PEEK_BYTES = 64 << 10


class RecordFormat(Enum):
    """A format, and what reads it."""

    JSON_ARRAY = "json array"
    JSON_LINES = "json lines"
    CSV = "csv"
    PARQUET = "parquet"


_READERS: dict[RecordFormat, Callable[[io.BufferedReader], Iterator[bytes]]] = {
    RecordFormat.JSON_ARRAY: read_json_array,
    RecordFormat.JSON_LINES: read_json_lines,
    RecordFormat.CSV: read_comma_separated,
    RecordFormat.PARQUET: read_parquet_apart,
}

_MEDIA_TYPES = {
    "application/json": RecordFormat.JSON_ARRAY,
    "application/jsonl": RecordFormat.JSON_LINES,
    "application/jsonlines": RecordFormat.JSON_LINES,
    "application/x-ndjson": RecordFormat.JSON_LINES,
    "application/x-jsonlines": RecordFormat.JSON_LINES,
}
_SUFFIXES = {
    ".json": RecordFormat.JSON_ARRAY,
    ".jsonl": RecordFormat.JSON_LINES,
    ".ndjson": RecordFormat.JSON_LINES,
}


def read_records(
    source: ByteStream, max_bytes: int, content_type: str | None = None, filename: str | None = None
) -> Iterator[bytes]:
    """The records of an upload, each as its JSON text, as they come in.

    Args:
        source: a JSON array, JSON Lines, CSV or Parquet, plain or gzip.
        max_bytes: the greatest size of the source.
        content_type: its media type, if it has one that says something.
        filename: its name, likewise.

    Raises:
        InvalidRequest: the upload can't be read; the message names the line or byte.
        TooLarge: it is over a limit.
    """
    body = BoundedBytes(source, max_bytes, "an upload")
    stream = buffered(body)
    if stream.peek(len(GZIP_MAGIC)).startswith(GZIP_MAGIC):
        limit = max_bytes * GREATEST_EXPANSION
        stream = buffered(BoundedBytes(GzipBytes(stream, body), limit, "a decompressed upload"))
    head = stream.peek(_PEEK_BYTES)
    return _READERS[detect_format(head, hinted_format(content_type, filename))](stream)


def detect_format(head: bytes, hint: RecordFormat | None) -> RecordFormat:
    """The format of what begins with `head`.

    Raises:
        InvalidRequest: there is nothing but white space.
    """
    if head.startswith(PARQUET_MAGIC):
        return RecordFormat.PARQUET
    first = head.removeprefix(_BYTE_ORDER_MARK).lstrip()[:1]
    if not first:
        raise unreadable(f"byte {len(head)}", "there is nothing but white space so far")
    if first == b"{":
        return RecordFormat.JSON_LINES
    if first == b"[":
        return hint or RecordFormat.JSON_ARRAY
    return hint or RecordFormat.CSV


def hinted_format(content_type: str | None, filename: str | None) -> RecordFormat | None:
    """The JSON format that a media type or a file name speaks of; None when they leave it open."""
    media_type = (content_type or "").partition(";")[0].strip().lower()
    name = (filename or "").lower().removesuffix(".gz")
    return _SUFFIXES.get(PurePosixPath(name).suffix) or _MEDIA_TYPES.get(media_type)
