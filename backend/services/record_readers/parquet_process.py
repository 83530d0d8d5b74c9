"""Parquet read in a process of its own, whose memory is bounded.

A Parquet file of a kilobyte may hold gigabytes, in one cell or in one list, and only decoding it tells. Where
the process that decodes it is too small for that, it ends, and the API goes on.
"""

import io
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from backend.domain.errors import InvalidRequest, TooLarge
from backend.services.record_readers.limits import GREATEST_RECORD_BYTES, check_expansion

MEMORY_BYTES = 1 << 30
"""What the process may hold, on systems that bound the data of a process (Linux does, macOS doesn't)."""

GREATEST_RATIO = 1_000
"""A column of nothing takes no room in Parquet, and its name in each record as JSON."""

_ROOT = Path(__file__).resolve().parents[3]
_COMMAND = (sys.executable, "-m", __name__)
# It is told no secrets; the rest of the environment is what Python itself may need to start.
_KEPT_VARIABLES = ("PATH", "LD_LIBRARY_PATH")
_ENDED = b"[]\n"


def read_parquet_apart(stream: io.BufferedReader) -> Iterator[bytes]:
    """Each row as the JSON text of a record, as `parquet_rows.read_parquet` has it.

    The file is put on disk first, since Parquet is read from its end.

    Raises:
        InvalidRequest: the file is damaged, or a column holds what JSON has no form for.
        TooLarge: a row is over the size of a record, the file takes more memory than `MEMORY_BYTES`, or its
            rows are out of all proportion to its size.
    """
    with tempfile.TemporaryFile() as file:
        shutil.copyfileobj(stream, file)
        sent_bytes, record_bytes = file.tell(), 0
        file.seek(0)
        with _reader(file) as lines:
            for record in _records(lines):
                record_bytes += len(record)
                check_expansion(record_bytes, sent_bytes, GREATEST_RATIO)
                yield record


@contextmanager
def _reader(file: IO[bytes]) -> Iterator[IO[bytes]]:
    """What the process writes, line by line; it is gone at the end."""
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    # Arrow's own allocators set memory aside by the gigabyte.
    environment = {**kept, "ARROW_DEFAULT_MEMORY_POOL": "system"}
    with subprocess.Popen(  # noqa: S603 - this module, and nothing of a caller's
        _COMMAND, cwd=_ROOT, env=environment, stdin=file, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        try:
            yield cast("IO[bytes]", process.stdout)
        finally:
            process.kill()


def _records(lines: IO[bytes]) -> Iterator[bytes]:
    # A record is an object, and what ends them an array: nothing, or what went wrong.
    while (line := lines.readline(GREATEST_RECORD_BYTES + 1)).startswith(b"{") and line.endswith(b"\n"):
        yield line.removesuffix(b"\n")
    if not line.endswith(b"\n"):
        raise _died()
    match json.loads(line):
        case ["too_large", message]:
            raise TooLarge(message)
        case [code, message]:
            raise InvalidRequest(message, code)


def _died() -> TooLarge:
    # Its decoder ends it in ways of its own when there is no memory left.
    return TooLarge(f"the Parquet file can't be read within {MEMORY_BYTES >> 20} MB of memory")


def main() -> None:
    """Write the rows of the Parquet file that is the standard input to the standard output, line by line."""
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    out = sys.stdout.buffer
    try:
        from backend.services.record_readers.parquet_rows import read_parquet

        with open(0, "rb", closefd=False) as file:
            for record in read_parquet(file):
                out.write(record + b"\n")
        out.write(_ENDED)
    except TooLarge as error:
        out.write(_last_line("too_large", str(error)))
    except InvalidRequest as error:
        out.write(_last_line(error.code, str(error)))


def _last_line(code: str, message: str) -> bytes:
    return json.dumps([code, message]).encode() + b"\n"


if __name__ == "__main__":
    main()
