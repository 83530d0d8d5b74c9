"""A JSON array, element by element."""

import codecs
import io
import re
from collections.abc import Iterator

from backend.domain.errors import InvalidRequest
from backend.services.record_readers.json_values import WHITE_SPACE, InvalidJson, end_of_value
from backend.services.record_readers.limits import GREATEST_RECORD_BYTES, record_too_large, unreadable

# What may stand at the window's edge when a number goes on behind it: nothing, or half of `.5` or `e-7`.
_NUMBER_GOES_ON = re.compile(r"\.?|[eE][+-]?")


def read_json_array(stream: io.BufferedReader, piece_bytes: int = 256 << 10) -> Iterator[bytes]:
    """The elements of a JSON array, each as its JSON text.

    Args:
        stream: the array, in UTF-8.
        piece_bytes: how much of it is read at a time.

    Raises:
        InvalidRequest: it is no JSON array in UTF-8; the message names the byte (0-based).
        TooLarge: an element is over the limit of one record.
    """
    text = _StreamedText(stream, piece_bytes)
    if text.next_token() != "[":
        raise text.unreadable("expecting an array")
    text.skip()
    if text.next_token() == "]":
        text.skip()
    else:
        yield text.take_value()
        while (separator := text.next_token()) == ",":
            text.skip()
            text.next_token()
            yield text.take_value()
        if separator != "]":
            raise text.unreadable("expecting ',' or ']'")
        text.skip()
    if text.next_token():
        raise text.unreadable("something follows the array")


class _StreamedText:
    """A window on a stream's text that moves forward; it knows which byte of the stream it stands at."""

    def __init__(self, stream: io.BufferedReader, piece_bytes: int) -> None:
        self._stream = stream
        self._piece_bytes = piece_bytes
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._window = ""
        self._position = 0
        self._window_byte = 0
        self._read_bytes = 0
        self._ended = False
        self._fill(self._piece_bytes)
        if self._window.startswith("\ufeff"):
            self.skip()

    def next_token(self) -> str:
        """The first character after white space, left where it is; nothing at the end of the stream."""
        while True:
            match = WHITE_SPACE.match(self._window, self._position)
            self._position = match.end() if match else self._position
            if self._position < len(self._window) or self._ended:
                return self._window[self._position : self._position + 1]
            self._fill(self._piece_bytes)

    def skip(self) -> None:
        """Move past one character."""
        self._position += 1

    def take_value(self) -> bytes:
        """Move past the JSON value that begins here; its text."""
        while True:
            try:
                end = end_of_value(self._window, self._position)
            except InvalidJson as error:
                # Half a value is invalid too; only the whole of it tells.
                if self._ended:
                    raise self._unreadable_at(error.position, error.reason) from error
            else:
                if self._ended or not _NUMBER_GOES_ON.fullmatch(self._window, end):
                    return self._take_until(end)
            self._widen()

    def _take_until(self, end: int) -> bytes:
        value = self._window[self._position : end].encode()
        if len(value) > GREATEST_RECORD_BYTES:
            raise record_too_large(f"byte {self._byte_at(self._position)}")
        self._position = end
        return value

    def unreadable(self, reason: str) -> InvalidRequest:
        """The error that names the present byte."""
        return self._unreadable_at(self._position, reason)

    def _widen(self) -> None:
        seen = len(self._window) - self._position
        if seen > GREATEST_RECORD_BYTES:
            raise record_too_large(f"byte {self._byte_at(self._position)}")
        # As much again, so that a long value is not read over and over.
        self._fill(max(self._piece_bytes, seen))

    def _fill(self, size: int) -> None:
        self._window_byte = self._byte_at(self._position)
        piece = self._stream.read(size)
        self._ended = len(piece) < size
        undecoded = len(self._decoder.getstate()[0])
        try:
            text = self._decoder.decode(piece, final=self._ended)
        except UnicodeDecodeError as error:
            raise unreadable(f"byte {self._read_bytes - undecoded + error.start}", "invalid UTF-8") from error
        self._read_bytes += len(piece)
        self._window = self._window[self._position :] + text
        self._position = 0

    def _byte_at(self, position: int) -> int:
        return self._window_byte + len(self._window[:position].encode())

    def _unreadable_at(self, position: int, reason: str) -> InvalidRequest:
        return unreadable(f"byte {self._byte_at(position)}", reason)
