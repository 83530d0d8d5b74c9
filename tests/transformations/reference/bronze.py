"""Section 1: parts into records, strictly by RFC 8259, with number literals kept as they were written."""

import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from json import JSONDecodeError, JSONDecoder

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
DEEPEST_NESTING = 512

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_STRING_OR_CONSTANT = re.compile(r'"(?:[^"\\]|\\.)*"|(?P<constant>NaN|-?Infinity)', re.DOTALL)
_STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)


class PartNotReadable(Exception):
    """A part is not a JSON array in well-formed UTF-8; `byte` is where reading stopped."""

    def __init__(self, part: str, byte: int, reason: str) -> None:
        super().__init__(f"{part}: {reason} at byte {byte}")
        self.part = part
        self.byte = byte
        self.reason = reason


class JsonNotReadable(Exception):
    """Text is not JSON; `position` counts characters."""

    def __init__(self, position: int, reason: str) -> None:
        super().__init__(reason)
        self.position = position
        self.reason = reason


@dataclass(frozen=True)
class IntegerLiteral:
    """A JSON number written without fraction and exponent."""

    text: str


@dataclass(frozen=True)
class FractionLiteral:
    """A JSON number written with a fraction or an exponent."""

    text: str


class _ConstantFound(Exception):
    """NaN, Infinity or -Infinity, which Python's json would accept."""


@contextmanager
def deep_recursion() -> Iterator[None]:
    """Let recursion go as deep as the nesting that has to be read."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, 20 * DEEPEST_NESTING))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


def read_dataset(parts: Mapping[str, bytes]) -> list[tuple[str, list]]:
    """Every part's records, by the UTF-8 bytes of the parts' names."""
    return [(name, read_part(name, parts[name])) for name in sorted(parts, key=str.encode)]


def read_part(name: str, content: bytes) -> list:
    """The records of one part.

    Raises:
        PartNotReadable: it is not JSON, or its top level is not an array.
    """
    mark = len(BYTE_ORDER_MARK) if content.startswith(BYTE_ORDER_MARK) else 0
    body = content[mark:]
    try:
        text, ill_formed = body.decode("utf-8"), None
    except UnicodeDecodeError as error:
        text, ill_formed = body[: error.start].decode("utf-8"), mark + error.start
    opening = len(text) - len(text.lstrip(" \t\n\r"))
    if opening < len(text) and text[opening] != "[":
        raise PartNotReadable(name, mark + opening, "the top level is not an array")
    try:
        records = read_json(text)
    except JsonNotReadable as error:
        byte = mark + len(text[: error.position].encode())
        raise PartNotReadable(name, byte, error.reason) from error
    if ill_formed is not None:
        raise PartNotReadable(name, ill_formed, "not well-formed UTF-8")
    return records


def read_json(text: str) -> object:
    """A JSON text: dict, list, str, bool, None, and numbers as literals.

    Raises:
        JsonNotReadable: it is not RFC 8259, or nested too deeply.
    """
    decoder = JSONDecoder(
        object_pairs_hook=_members,
        parse_int=IntegerLiteral,
        parse_float=FractionLiteral,
        parse_constant=_refuse_constant,
    )
    try:
        return _well_formed(decoder.decode(text))
    except JSONDecodeError as error:
        # Of a string without an end, json tells the beginning; it has read all the text.
        position = len(text) if error.msg.startswith("Unterminated string") else error.pos
        raise JsonNotReadable(position, error.msg) from error
    except _ConstantFound as error:
        raise JsonNotReadable(_first_constant(text), "not a JSON value") from error
    except RecursionError as error:
        raise JsonNotReadable(_too_deep(text), "nested too deeply") from error


def _members(pairs: list[tuple[str, object]]) -> dict:
    return {_well_formed(key): value for key, value in pairs}  # the last of equal keys wins


def _well_formed(value: object) -> object:
    # Pairs of escapes are characters by now, so what is left of surrogates is lone.
    if isinstance(value, str):
        return _LONE_SURROGATE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_well_formed(element) for element in value]
    if isinstance(value, dict):
        return {key: _well_formed(member) for key, member in value.items()}
    return value


def _refuse_constant(constant: str) -> None:
    raise _ConstantFound(constant)


def _first_constant(text: str) -> int:
    return next(m.start() for m in _STRING_OR_CONSTANT.finditer(text) if m["constant"])


def _too_deep(text: str) -> int:
    depth = 0
    for match in _STRING_OR_BRACKET.finditer(text):
        if match[0] in ("[", "{"):
            depth += 1
        elif match[0] in ("]", "}"):
            depth -= 1
        if depth > DEEPEST_NESTING:
            return match.start()
    return len(text)
