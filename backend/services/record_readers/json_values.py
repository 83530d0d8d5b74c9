"""JSON values in a text: where they end, and whether they are valid.

A value is kept as it is spelled, so that every number survives exactly. Python's own decoder finds its end,
since it takes all that Bronze may hold (huge integers, `1e400`, lone surrogates).
"""

import json
import re
from itertools import accumulate
from typing import Never

from backend.services.record_readers.limits import DEEPEST_NESTING

WHITE_SPACE = re.compile(r"[ \t\n\r]*")
"""White space between JSON tokens (RFC 8259, section 2)."""

# Possessive, because what could be taken back is remembered: gigabytes of it, for a long text.
_STRING = re.compile(r'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_STRING_OR_BRACKET = re.compile(_STRING.pattern + r"|[][{}]", re.DOTALL)
# Brackets as steps down (+1) and up (-1), for a record may have millions of them.
_STEPS = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")
_NO_STEPS = bytes(set(range(256)) - set(b"[{]}"))


class InvalidJson(Exception):
    """No JSON value stands here; `position` is a place in the text."""

    def __init__(self, position: int, reason: str) -> None:
        super().__init__(reason)
        self.position = position
        self.reason = reason


class _UnknownConstant(Exception):
    """NaN, Infinity or -Infinity, which Python's decoder would take."""


def _refuse_constant(name: str) -> Never:
    raise _UnknownConstant(name)


# The values are thrown away: numbers stay text, which also keeps Python's limit on long integers out.
_decoder = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=_refuse_constant)


def end_of_value(text: str, start: int) -> int:
    """Where the JSON value that begins at `start` ends.

    Raises:
        InvalidJson: there is none, or it is nested deeper than `DEEPEST_NESTING`.
    """
    try:
        _, end = _decoder.raw_decode(text, start)
    except json.JSONDecodeError as error:
        raise InvalidJson(error.pos, error.msg) from error
    except _UnknownConstant as error:
        raise InvalidJson(start, f"the constant {error} is no JSON value") from error
    except RecursionError as error:
        raise InvalidJson(start, f"nesting deeper than {DEEPEST_NESTING}") from error
    _check_nesting(text, start, end)
    return end


def check_value(text: str) -> None:
    """Make sure that `text` is one JSON value, with nothing but white space around it.

    Raises:
        InvalidJson: it is not.
    """
    end = end_of_value(text, _after_white_space(text, 0))
    if (rest := _after_white_space(text, end)) < len(text):
        raise InvalidJson(rest, "something follows the record")


def _after_white_space(text: str, start: int) -> int:
    match = WHITE_SPACE.match(text, start)
    return match.end() if match else start


def _check_nesting(text: str, start: int, end: int) -> None:
    if text.count("[", start, end) + text.count("{", start, end) <= DEEPEST_NESTING:
        return
    steps = _STRING.sub("", text[start:end]).encode().translate(_STEPS, _NO_STEPS)
    if max(accumulate(memoryview(steps).cast("b")), default=0) > DEEPEST_NESTING:
        raise InvalidJson(_too_deep(text, start, end), f"nesting deeper than {DEEPEST_NESTING}")


def _too_deep(text: str, start: int, end: int) -> int:
    """The bracket that opens one level too many."""
    depth = 0
    for match in _STRING_OR_BRACKET.finditer(text, start, end):
        if match[0] in "[{":
            depth += 1
        elif match[0] in "]}":
            depth -= 1
        if depth > DEEPEST_NESTING:
            return match.start()
    return start
