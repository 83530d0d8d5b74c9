"""CSV with a header (RFC 4180)."""

import csv
import io
from collections.abc import Iterator

import msgspec

from backend.services.record_readers.limits import GREATEST_RECORD_BYTES, record_too_large, unreadable
from backend.services.record_readers.nested_fields import AmbiguousFields, NestedFields
from backend.services.record_readers.text_lines import text_lines


def read_comma_separated(stream: io.BufferedReader) -> Iterator[bytes]:
    """Each row as the JSON text of a record; every value is text, and an empty cell is absent.

    Raises:
        InvalidRequest: the header is ambiguous, a row has more cells than the header, a quote is not
            closed, a cell has more than 131,072 characters (csv.field_size_limit), or the text is not UTF-8;
            the message names the line.
        TooLarge: a row is over the limit of one record.
    """
    lines = _Lines(stream)
    rows = csv.reader(lines, strict=True)
    fields: NestedFields | None = None
    while (row := _next_row(rows, lines)) is not None:
        if not row:
            continue
        if fields is None:
            fields = _header(row, lines.row_started)
            continue
        if len(row) > len(fields):
            reason = f"{len(row)} cells where the header has {len(fields)}"
            raise unreadable(f"line {lines.row_started}", reason)
        yield msgspec.json.encode(fields.record((place, cell) for place, cell in enumerate(row) if cell))


class _Lines:
    """The lines that csv asks for; it asks for more than one when a quoted cell holds a line break."""

    def __init__(self, stream: io.BufferedReader) -> None:
        self._lines = text_lines(stream)
        self.row_started = 0
        self._row_length = 0
        self._number = 0

    def begin_row(self) -> None:
        self.row_started = self._number + 1
        self._row_length = 0

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        self._number, line = next(self._lines)
        self._row_length += len(line)
        if self._row_length > GREATEST_RECORD_BYTES:
            raise record_too_large(f"line {self.row_started}")
        return line


def _next_row(rows: Iterator[list[str]], lines: _Lines) -> list[str] | None:
    lines.begin_row()
    try:
        return next(rows, None)
    except csv.Error as error:
        raise unreadable(f"line {lines.row_started}", str(error)) from error


def _header(row: list[str], line: int) -> NestedFields:
    try:
        return NestedFields([name.strip() for name in row])
    except AmbiguousFields as error:
        raise unreadable(f"line {line}", str(error)) from error
