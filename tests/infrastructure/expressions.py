"""The expression language that ARM templates and Data Factory share: read, and evaluated.

An ARM string is an expression when it stands in brackets. A string of Data Factory is one when it begins with
`@`, and holds some when there is `@{…}` in it.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Functions = Mapping[str, Callable[..., Any]]

_TOKEN = re.compile(r"\s*('(?:[^']|'')*'|-?\d+(?:\.\d+)?|[A-Za-z_]\w*|\?\.|[().,\[\]])")
_CONSTANTS = {"true": True, "false": False, "null": None}


class ExpressionError(Exception):
    """The text is no expression, or can't be evaluated."""


@dataclass(frozen=True)
class Literal:
    """A string, a number, a truth value or null."""

    value: Any


@dataclass(frozen=True)
class Call:
    """A function with its arguments."""

    name: str
    arguments: tuple["Node", ...]


@dataclass(frozen=True)
class Member:
    """`of.name`; with `?.` null where there is none."""

    of: "Node"
    name: str
    may_be_missing: bool


@dataclass(frozen=True)
class Item:
    """`of[index]`."""

    of: "Node"
    index: "Node"


Node = Literal | Call | Member | Item


def parse_arm(text: str) -> Node | None:
    """An ARM string's expression, if it is one. Raises ExpressionError."""
    if text.startswith("[") and not text.startswith("[["):
        if not text.endswith("]"):
            raise ExpressionError(f"no closing bracket: {text}")
        return _Parser(text[1:-1]).whole()
    return None


def parse_data_factory(text: str) -> list[str | Node]:
    """A string of Data Factory in pieces: plain texts, and expressions. Raises ExpressionError."""
    if text.startswith("@") and not text.startswith(("@@", "@{")):
        return [_Parser(text[1:]).whole()]
    pieces: list[str | Node] = []
    while (start := text.find("@{")) >= 0:
        parser = _Parser(text[start + 2 :], closing="}")
        pieces += [text[:start], parser.whole()]
        text = text[start + 2 + parser.end :]
    return [*pieces, text]


def literal_argument(call: Call) -> Any:
    """The one argument of a call by which something is named. Raises ExpressionError."""
    match call.arguments:
        case (Literal(value),):
            return value
    raise ExpressionError(f"{call.name}() does not say by a literal what it means")


def walk(node: Node) -> Iterator[Node]:
    """The node and all below it."""
    yield node
    match node:
        case Call():
            below: Sequence[Node] = node.arguments
        case Member():
            below = (node.of,)
        case Item():
            below = (node.of, node.index)
        case Literal():
            below = ()
    for each in below:
        yield from walk(each)


def evaluate(node: Node, functions: Functions) -> Any:
    """The node's value. All arguments are evaluated, also those of `if`. Raises ExpressionError."""
    match node:
        case Literal():
            return node.value
        case Call():
            function = named(node.name, functions)
            return function(*[evaluate(each, functions) for each in node.arguments])
        case Member():
            return _member(node, evaluate(node.of, functions))
        case Item():
            return evaluate(node.of, functions)[evaluate(node.index, functions)]


def value_of(text: str, functions: Functions) -> Any:
    """What a string of Data Factory stands for; between `@{…}` everything becomes text."""
    pieces = parse_data_factory(text)
    if len(pieces) == 1:
        [piece] = pieces
        return piece if isinstance(piece, str) else evaluate(piece, functions)
    return "".join(
        piece if isinstance(piece, str) else as_text(evaluate(piece, functions)) for piece in pieces
    )


def named(name: str, functions: Functions) -> Callable[..., Any]:
    """The function of that name, in whatever case. Raises ExpressionError."""
    for known, function in functions.items():
        if known.lower() == name.lower():
            return function
    raise ExpressionError(f"there is no function {name}()")


def as_text(value: Any) -> str:
    """A value as `string()` gives it."""
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def _member(node: Member, value: Any) -> Any:
    if isinstance(value, Mapping) and node.name in value:
        return value[node.name]
    if node.may_be_missing:
        return None
    raise ExpressionError(f"there is no {node.name} in {value}")


class _Parser:
    """Reads one expression: to the end, or to a closing character."""

    def __init__(self, text: str, closing: str = "") -> None:
        self._text = text
        self._closing = closing
        self.end = 0

    def whole(self) -> Node:
        node = self._node()
        rest = self._text[self.end :].lstrip()
        if self._closing:
            if not rest.startswith(self._closing):
                raise ExpressionError(f"no {self._closing} after {self._text[: self.end]}")
            self.end = len(self._text) - len(rest) + 1
        elif rest:
            raise ExpressionError(f"{rest!r} is left over of {self._text}")
        return node

    def _node(self) -> Node:
        node = self._primary(self._next())
        while (piece := self._peek()) in {".", "?.", "["}:
            self._next()
            if piece == "[":
                node = Item(node, self._node())
                self._expect("]")
            else:
                node = Member(node, self._name(self._next()), piece == "?.")
        return node

    def _primary(self, piece: str) -> Node:
        if piece.startswith("'"):
            return Literal(piece[1:-1].replace("''", "'"))
        if piece in _CONSTANTS:
            return Literal(_CONSTANTS[piece])
        if piece.lstrip("-")[:1].isdigit():
            return Literal(float(piece) if "." in piece else int(piece))
        return Call(self._name(piece), tuple(self._arguments()))

    def _arguments(self) -> Iterator[Node]:
        self._expect("(")
        if self._peek() != ")":
            yield self._node()
            while self._peek() == ",":
                self._next()
                yield self._node()
        self._expect(")")

    def _name(self, piece: str) -> str:
        if not piece.isidentifier():
            raise ExpressionError(f"{piece!r} is no name in {self._text}")
        return piece

    def _expect(self, wanted: str) -> None:
        if (piece := self._next()) != wanted:
            raise ExpressionError(f"{piece!r} where {wanted} should be in {self._text}")

    def _peek(self) -> str:
        found = _TOKEN.match(self._text, self.end)
        return found[1] if found else ""

    def _next(self) -> str:
        found = _TOKEN.match(self._text, self.end)
        if found is None:
            raise ExpressionError(f"broken off or not understood at {self._text[self.end :]!r}: {self._text}")
        self.end = found.end()
        return found[1]
