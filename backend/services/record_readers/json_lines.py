"""JSON Lines: one JSON value on each line (https://jsonlines.org)."""

import io
from collections.abc import Iterator

from backend.services.record_readers.json_values import InvalidJson, check_value
from backend.services.record_readers.limits import unreadable
from backend.services.record_readers.text_lines import text_lines


def read_json_lines(stream: io.BufferedReader) -> Iterator[bytes]:
    """The value of each line as its JSON text; blank lines are passed over.

    Raises:
        InvalidRequest: a line is not one JSON value in UTF-8; the message names it.
        TooLarge: a line is over the limit of one record.
    """
    for number, line in text_lines(stream):
        # Only what JSON calls white space: str.strip would take a form feed away too.
        record = line.strip(" \t\r\n")
        if not record:
            continue
        try:
            check_value(record)
        except InvalidJson as error:
            reason = f"{error.reason} at its character {error.position + 1}"
            raise unreadable(f"line {number}", reason) from error
        yield record.encode()
