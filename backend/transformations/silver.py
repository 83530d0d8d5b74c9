"""The Silver kernel: one Bronze part in, its Silver rows and its quarantine out (data.md, section 3).

Both engines run it on each part. Duplicates, which need the whole dataset, are the engines' work.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import compress
from operator import attrgetter
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from backend.transformations.bronze import BronzePart, DecodedPart, decode
from backend.transformations.contract import (
    NOT_AN_OBJECT,
    PERFECT_SCORE,
    PROCESSED_AT,
    QUARANTINE_SCHEMA,
    SCORE_PER_ISSUE,
    Contract,
    invalid_issue,
    missing_issue,
)
from backend.transformations.redaction import without_passwords
from backend.transformations.rules import Checked, Identifier
from backend.transformations.scalars import Mask, Scalars, float_text, mask, read_scalars

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class CleanedPart:
    """What became of one part.

    Attributes:
        silver: rows of `contract.silver_schema`, duplicates not yet removed.
        quarantine: rows of `QUARANTINE_SCHEMA`.
        present_before: for each column that is read from Bronze, how many of the rows had a value there.
    """

    records_in: int
    silver: pa.Table
    quarantine: pa.Table
    present_before: Mapping[str, int]


def clean_part(part: BronzePart, contract: Contract, as_of: datetime) -> CleanedPart:
    """Apply a contract to one part.

    Raises:
        MalformedPart: see `bronze.decode`.
    """
    decoded = decode(part, contract)
    micros = (as_of - _EPOCH) // timedelta(microseconds=1)
    objects = np.array([type(record) is decoded.types.record for record in decoded.records], np.bool_)
    rows = _Evaluation(_only(decoded.records, objects), decoded, contract, micros)
    lacking = {name: mask(rows.column(name).values.is_null()) for name in contract.required}
    unplaced = np.logical_or.reduce(list(lacking.values()))
    if unplaced.any():
        rows = _Evaluation(_only(rows.records, ~unplaced), decoded, contract, micros)
    placed = objects.copy()
    placed[objects] = ~unplaced
    reasons = {NOT_AN_OBJECT: ~objects} | {
        missing_issue(name): _spread(where, objects) for name, where in lacking.items()
    }
    return CleanedPart(
        records_in=len(decoded.records),
        silver=_silver(rows, contract, part.name, np.flatnonzero(placed)),
        quarantine=_quarantine(decoded, part.name, np.flatnonzero(~placed), reasons),
        present_before=rows.present(),
    )


class _Evaluation:
    """The records of one part while their columns are made, each column and field once."""

    def __init__(self, records: Sequence[Any], decoded: DecodedPart, contract: Contract, as_of: int) -> None:
        self.records = records
        self.as_of = as_of
        self._contract = contract
        self._entity_types = decoded.types.entities
        self._entities: dict[str, list[Any]] = {}
        self._scalars: dict[tuple[str, Callable[[float], str]], Scalars] = {}
        self._columns: dict[str, Checked] = {}

    def column(self, name: str) -> Checked:
        if name not in self._columns:
            column = self._contract.by_name[name]
            self._columns[name] = column.rule.evaluate(column.source, self)
        return self._columns[name]

    def scalars(self, source: str, number_text: Callable[[float], str] = float_text) -> Scalars:
        key = (source, number_text)
        if key not in self._scalars:
            entity, field = source.split(".")
            self._scalars[key] = read_scalars(list(map(attrgetter(field), self._entity(entity))), number_text)
        return self._scalars[key]

    def present(self) -> dict[str, int]:
        missing = {source: int(scalars.missing.sum()) for (source, _), scalars in self._scalars.items()}
        return {
            column.name: len(self.records) - missing[column.source]
            for column in self._contract.columns
            if column.source
        }

    def _entity(self, name: str) -> list[Any]:
        """One entity of each record; what is not an object counts as absent."""
        if name not in self._entities:
            entity_type: type[msgspec.Struct] = self._entity_types[name]
            absent = entity_type()
            values = map(attrgetter(name), self.records)
            self._entities[name] = [value if type(value) is entity_type else absent for value in values]
        return self._entities[name]


def _silver(rows: _Evaluation, contract: Contract, part: str, source_rows: Any) -> pa.Table:
    columns = [rows.column(column.name).values for column in contract.columns]
    masks = _issues(rows, contract)
    issues, counts = _lists(masks)
    count = len(source_rows)
    return pa.table(
        [
            *columns,
            issues,
            pa.array(np.maximum(0, PERFECT_SCORE - SCORE_PER_ISSUE * counts), pa.int32()),
            pa.repeat(pa.scalar(part, pa.string()), count),
            pa.array(source_rows, pa.int64()),
            pa.repeat(pa.scalar(rows.as_of, PROCESSED_AT.type), count),
        ],
        schema=contract.silver_schema,
    )


def _issues(rows: _Evaluation, contract: Contract) -> dict[str, Mask]:
    """Where each issue holds, by its code, in the codes' order."""
    issues: dict[str, Mask] = {}
    for column in contract.columns:
        if column.checked:
            checked = rows.column(column.name)
            issues[missing_issue(column.name)] = checked.missing
            issues[invalid_issue(column.name)] = checked.invalid
    for reference in contract.references:
        referred = Identifier().evaluate(reference.source, rows).values
        equal = pc.fill_null(pc.equal(referred, rows.column(reference.column).values), False)
        issues[reference.issue] = mask(referred.is_valid()) & ~mask(equal)
    return dict(sorted(issues.items()))


def _lists(masks: Mapping[str, Mask]) -> tuple[pa.ListArray, Any]:
    """For each row the names of the masks that hold there, in the mapping's order; and how many."""
    holds = np.stack(list(masks.values()), axis=1)
    counts = holds.sum(axis=1)
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    codes = pa.array(masks, pa.string()).take(pa.array(np.nonzero(holds)[1]))
    return pa.ListArray.from_arrays(pa.array(offsets), codes), counts


def _quarantine(decoded: DecodedPart, part: str, source_rows: Any, reasons: Mapping[str, Mask]) -> pa.Table:
    texts = decoded.texts(source_rows) if len(source_rows) else []
    return pa.table(
        [
            pa.repeat(pa.scalar(part, pa.string()), len(source_rows)),
            pa.array(source_rows, pa.int64()),
            _lists({reason: where[source_rows] for reason, where in reasons.items()})[0],
            pa.array([without_passwords(text) for text in texts], pa.string()),
        ],
        schema=QUARANTINE_SCHEMA,
    )


def _only(records: Sequence[Any], chosen: Mask) -> Sequence[Any]:
    return records if chosen.all() else list(compress(records, chosen))


def _spread(where: Mask, among: Mask) -> Mask:
    """A mask over the rows that `among` holds for, as a mask over all rows."""
    spread = np.zeros(len(among), np.bool_)
    spread[among] = where
    return spread
