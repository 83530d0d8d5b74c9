"""Lines of UTF-8 text, counted, and none of them too long."""

import io
from collections.abc import Iterator

from backend.services.record_readers.limits import GREATEST_RECORD_BYTES, record_too_large, unreadable

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def text_lines(stream: io.BufferedReader) -> Iterator[tuple[int, str]]:
    """Each line with its number, from 1, and its line break; without a byte-order mark.

    Raises:
        InvalidRequest: a line is not UTF-8.
        TooLarge: a line is over the limit of one record.
    """
    number = 0
    while line := stream.readline(GREATEST_RECORD_BYTES + 1):
        number += 1
        if len(line) > GREATEST_RECORD_BYTES:
            raise record_too_large(f"line {number}")
        try:
            yield number, (line.removeprefix(_BYTE_ORDER_MARK) if number == 1 else line).decode()
        except UnicodeDecodeError as error:
            raise unreadable(f"line {number}", f"invalid UTF-8 at its byte {error.start}") from error
