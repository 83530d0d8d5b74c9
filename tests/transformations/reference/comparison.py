"""Compare an engine's tables and errors with the reference's."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tests.transformations.reference.bronze import (
    FractionLiteral,
    IntegerLiteral,
    deep_recursion,
    read_json,
)
from tests.transformations.reference.schemas import SCHEMAS

Table = pa.Table | bytes | str | Path
"""An Arrow table, a Parquet file's bytes, or the path of a Parquet file or folder."""

_SHOWN = 5
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"?|[\[\]{}:,]|[^\s\[\]{}:,"]+', re.DOTALL)
_NUMBER = re.compile(r"(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?")


def arrow_table(table: Table) -> pa.Table:
    """The table, read if it is Parquet."""
    if isinstance(table, pa.Table):
        return table
    return pq.read_table(pa.BufferReader(table) if isinstance(table, bytes) else table)


def rows_of(table: Table) -> list[tuple]:
    """The rows as comparable tuples, in the order of the table's columns."""
    read = arrow_table(table)
    names = read.column_names
    return [_comparable(row, names) for row in read.to_pylist()]


def assert_same_rows(actual: Table, expected: Iterable[Mapping], columns: Sequence[str]) -> None:
    """Same columns in the same order, and the same rows as often, in any order."""
    table = arrow_table(actual)
    assert table.column_names == list(columns)
    have = Counter(rows_of(table))
    want = Counter(_comparable(row, columns) for row in expected)
    if have != want:
        raise AssertionError(_difference(have, want, columns))


def assert_schema(actual: Table, name: str) -> None:
    """The table `name` has the names and types of the contract; nullability and metadata are free."""
    schema = arrow_table(actual).schema
    have = [(field.name, _without_nullability(field.type)) for field in schema]
    want = [(field.name, field.type) for field in SCHEMAS[name]]
    assert have == want, f"{name}: {[pair for pair in zip(have, want, strict=False) if pair[0] != pair[1]]}"


def _without_nullability(arrow_type: pa.DataType) -> pa.DataType:
    return pa.list_(arrow_type.value_type) if pa.types.is_list(arrow_type) else arrow_type


def assert_same_tables(actual: Mapping[str, Table], expected: Mapping[str, Iterable[Mapping]]) -> None:
    """Every table by name: schema and rows."""
    assert sorted(actual) == sorted(expected)
    for name, rows in expected.items():
        table = arrow_table(actual[name])
        assert_schema(table, name)
        try:
            assert_same_rows(table, rows, SCHEMAS[name].names)
        except AssertionError as error:
            raise AssertionError(f"{name}: {error}") from error


def within_one_token(part: bytes, one: int, other: int) -> bool:
    """Whether two places where reading a part may have stopped are at most one token apart."""
    starts = [match.start() for match in _TOKEN.finditer(part)]
    first, second = (sum(start <= place for start in starts) for place in (one, other))
    return abs(first - second) <= 1


def json_value(text: str) -> str:
    """A JSON text in one spelling for each value: members sorted, numbers exact and in one form."""
    with deep_recursion():
        return _canonical(read_json(text))


def _canonical(value: object) -> str:
    if isinstance(value, IntegerLiteral | FractionLiteral):
        return _canonical_number(value.text)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)}: {_canonical(value[k])}" for k in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_canonical(element) for element in value) + "]"
    return json.dumps(value)


def _canonical_number(literal: str) -> str:
    """Digits without zeros around them, with the exponent of the last of them."""
    sign, whole, fraction, exponent = _NUMBER.fullmatch(literal).groups()
    digits = (whole + (fraction or "")).lstrip("0")
    if not digits:
        return "0"
    significant = digits.rstrip("0")
    power = int(exponent or 0) - len(fraction or "") + len(digits) - len(significant)
    return f"{sign}{significant}e{power}"


def _comparable(row: Mapping, columns: Sequence[str]) -> tuple:
    assert set(row) == set(columns), sorted(set(row) ^ set(columns))
    return tuple(json_value(row[c]) if c == "raw" else _comparable_value(row[c]) for c in columns)


def _comparable_value(value: object) -> object:
    if isinstance(value, list):
        return tuple(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return value


def _difference(have: Counter, want: Counter, columns: Sequence[str]) -> str:
    surplus = list((have - want).elements())
    lacking = list((want - have).elements())
    lines = [f"{len(surplus)} rows too many, {len(lacking)} rows lacking"]
    for row in lacking[:_SHOWN]:
        nearest = max(surplus, key=lambda other: _agreeing(row, other), default=None)
        if nearest is None or _agreeing(row, nearest) == 0:
            lines.append(f"lacking: {dict(zip(columns, row, strict=True))}")
            continue
        surplus.remove(nearest)
        lines.append(f"in the row {_identity(row, columns)}:")
        lines += [
            f"  {column}: {actual!r}, expected {expected!r}"
            for column, actual, expected in zip(columns, nearest, row, strict=True)
            if actual != expected
        ]
    if not lacking[_SHOWN:]:
        lines += [f"too many: {dict(zip(columns, row, strict=True))}" for row in surplus[:_SHOWN]]
    return "\n".join(lines)


def _agreeing(one: tuple, other: tuple) -> int:
    return sum(a == b for a, b in zip(one, other, strict=True))


def _identity(row: tuple, columns: Sequence[str]) -> dict:
    named = dict(zip(columns, row, strict=True))
    wanted = [column for column in ("source_part", "source_row") if column in named] or columns[:2]
    return {column: named[column] for column in wanted}
