"""Decompressing an upload as it comes in."""

import gzip
import io
import zlib

from backend.services.record_readers.limits import BoundedBytes, check_expansion, unreadable

GZIP_MAGIC = b"\x1f\x8b"
"""What a gzip stream begins with (RFC 1952, section 2.3.1)."""

GREATEST_RATIO = 200
"""Records of orders become some 10 times smaller; zeros become 1,000 times."""


class GzipBytes:
    """The bytes within a gzip stream.

    Args:
        compressed: the stream.
        counter: what counts the bytes of `compressed`, so that an error can say where it was found.
    """

    def __init__(self, compressed: io.BufferedReader, counter: BoundedBytes) -> None:
        self._file = gzip.GzipFile(fileobj=compressed, mode="rb")
        self._counter = counter
        self._count = 0

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes; none at the end.

        Raises:
            InvalidRequest: the stream is cut off or damaged.
            TooLarge: it becomes out of all proportion to its size.
        """
        try:
            piece = self._file.read(size)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise unreadable(f"gzip, before byte {self._counter.count}", str(error)) from error
        self._count += len(piece)
        check_expansion(self._count, self._counter.count, GREATEST_RATIO)
        return piece
