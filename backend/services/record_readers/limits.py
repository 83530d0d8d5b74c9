"""What one upload may hold in memory, and how reading says that it can't go on."""

import io
from typing import Protocol

from backend.domain.errors import InvalidRequest, TooLarge

GREATEST_RECORD_BYTES = 16 << 20
"""The greatest size of one record: a JSON value, a line of JSON Lines, or a row of CSV."""

DEEPEST_NESTING = 511
"""Nesting of one record: with the part's array around it, what every reader of Bronze takes (data.md, 1)."""

UNQUESTIONED_BYTES = 256 << 20
"""What an upload may become, however small it is."""

_BUFFER_BYTES = 256 << 10


class ByteStream(Protocol):
    """Where an upload's bytes come from: a request's body, an uploaded file, a decompressor."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes; none at the end."""


def unreadable(place: str, reason: str) -> InvalidRequest:
    """The error that says where an upload stops making sense, such as `line 3` or `byte 120`."""
    return InvalidRequest(f"{place}: {reason[:1].lower()}{reason[1:]}", code="unreadable_input")


def record_too_large(place: str) -> TooLarge:
    """The error for a single record that is over `GREATEST_RECORD_BYTES`."""
    return TooLarge(f"{place}: a single record may have at most {GREATEST_RECORD_BYTES} bytes")


def check_expansion(content_bytes: int, sent_bytes: int, greatest_ratio: int) -> None:
    """Refuse what is small and becomes large.

    Raises:
        TooLarge: `sent_bytes` became more than `greatest_ratio` times as many, and than `UNQUESTIONED_BYTES`.
    """
    if content_bytes > max(UNQUESTIONED_BYTES, greatest_ratio * sent_bytes):
        raise TooLarge(
            f"an upload may become at most {UNQUESTIONED_BYTES} bytes, or {greatest_ratio} times its size"
        )


class BoundedBytes(io.RawIOBase):
    """A stream that counts its bytes, and raises TooLarge past a limit."""

    def __init__(self, source: ByteStream, limit: int, subject: str) -> None:
        super().__init__()
        self._source = source
        self._limit = limit
        self._subject = subject
        self.count = 0

    def readable(self) -> bool:
        """Always."""
        return True

    # mypy knows no public name for the buffers that readinto takes.
    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill the whole buffer unless the stream ends, so that a peek shows all there is to see."""
        filled = 0
        while filled < len(buffer) and (piece := self._source.read(len(buffer) - filled)):
            buffer[filled : filled + len(piece)] = piece
            filled += len(piece)
        self.count += filled
        if self.count > self._limit:
            raise TooLarge(f"{self._subject} may have at most {self._limit} bytes")
        return filled


def buffered(source: BoundedBytes) -> io.BufferedReader:
    """The stream with peeking and lines."""
    return io.BufferedReader(source, _BUFFER_BYTES)
