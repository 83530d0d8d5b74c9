"""Decompressing an upload as it comes in."""

import gzip
import io
import zlib

from backend.services.record_readers.limits import BoundedBytes, unreadable

GZIP_MAGIC = b"\x1f\x8b"
"""What a gzip stream begins with (RFC 1952, section 2.3.1)."""


class GzipBytes:
    """The bytes within a gzip stream.

    Args:
        compressed: the stream.
        counter: what counts the bytes of `compressed`, so that an error can say where it was found.
    """

    def __init__(self, compressed: io.BufferedReader, counter: BoundedBytes) -> None:
        self._file = gzip.GzipFile(fileobj=compressed, mode="rb")
        self._counter = counter

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes; none at the end.

        Raises:
            InvalidRequest: the stream is cut off or damaged.
        """
        try:
            return self._file.read(size)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise unreadable(f"gzip, before byte {self._counter.count}", str(error)) from error
