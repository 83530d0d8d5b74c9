"""How a dataset's contract is declared. The kernel (`silver.py`) executes any such declaration."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa

from backend.transformations.rules import TIMESTAMP, Rule

PERFECT_SCORE = 100
SCORE_PER_ISSUE = 5

SOURCE_PART = pa.field("source_part", pa.string())
SOURCE_ROW = pa.field("source_row", pa.int64())
ISSUES = pa.field("issues", pa.list_(pa.string()))
QUALITY_SCORE = pa.field("quality_score", pa.int32())
PROCESSED_AT = pa.field("processed_at", TIMESTAMP)

NOT_AN_OBJECT = "not_an_object"

QUARANTINE_SCHEMA = pa.schema(
    [
        SOURCE_PART,
        SOURCE_ROW,
        pa.field("reasons", pa.list_(pa.string())),
        pa.field("raw", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True)
class Column:
    """One Silver column.

    Attributes:
        source: the Bronze field it is read from, such as `user.email`; empty for a computed column.
        checked: whether a missing or invalid value adds an issue.
    """

    name: str
    type: pa.DataType
    rule: Rule
    source: str = ""
    checked: bool = False


@dataclass(frozen=True, slots=True)
class Reference:
    """A Bronze field, read by rule `id`, that has to equal a column when it is present."""

    issue: str
    source: str
    column: str


@dataclass(frozen=True)
class Contract:
    """A dataset's contract.

    Attributes:
        required: columns without which a record can't be placed, in the order of their reasons.
        duplicate_key: rows equal in these columns (nulls equal) are one row.
        latest: the timestamp column whose greatest value decides which duplicate stays.
    """

    columns: tuple[Column, ...]
    references: tuple[Reference, ...]
    required: tuple[str, ...]
    duplicate_key: tuple[str, ...]
    latest: str

    @cached_property
    def by_name(self) -> Mapping[str, Column]:
        """The columns by their names."""
        return {column.name: column for column in self.columns}

    @cached_property
    def sources(self) -> Mapping[str, tuple[str, ...]]:
        """The Bronze fields that are read, by entity."""
        paths = dict.fromkeys(
            [column.source for column in self.columns if column.source]
            + [reference.source for reference in self.references]
        )
        entities: dict[str, tuple[str, ...]] = {}
        for path in paths:
            entity, field = path.split(".")
            entities[entity] = (*entities.get(entity, ()), field)
        return entities

    @cached_property
    def silver_schema(self) -> pa.Schema:
        """The columns of Silver, in order."""
        declared = [pa.field(column.name, column.type) for column in self.columns]
        return pa.schema([*declared, ISSUES, QUALITY_SCORE, SOURCE_PART, SOURCE_ROW, PROCESSED_AT])


def missing_issue(column: str) -> str:
    """The issue of a checked column without a value; also the reason of a required one."""
    return f"missing_{column}"


def invalid_issue(column: str) -> str:
    """The issue of a checked column with a value that its rule refuses."""
    return f"invalid_{column}"
