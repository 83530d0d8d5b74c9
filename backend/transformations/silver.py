"""The Silver kernel: one Bronze part in, its Silver rows and its quarantine out (data.md, section 3).

Both engines run it on each part. Duplicates, which need the whole dataset, are the engines' work.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

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
from backend.transformations.fields import Fields
from backend.transformations.redaction import without_passwords
from backend.transformations.rules import Checked, Identifier
from backend.transformations.scalars import Mask, Scalars, float_text, mask

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
    objects = decoded.fields.objects
    rows = _Evaluation(decoded.fields, contract, (as_of - _EPOCH) // timedelta(microseconds=1))
    lacking = {name: mask(rows.column(name).values.is_null()) for name in contract.required}
    unplaced = np.logical_or.reduce(list(lacking.values()))
    if unplaced.any():
        rows = rows.only(~unplaced)
    placed = objects.copy()
    placed[objects] = ~unplaced
    reasons = {NOT_AN_OBJECT: ~objects} | {
        missing_issue(name): _spread(where, objects) for name, where in lacking.items()
    }
    return CleanedPart(
        records_in=decoded.records_in,
        silver=_silver(rows, contract, part.name, np.flatnonzero(placed)),
        quarantine=_quarantine(decoded, part.name, np.flatnonzero(~placed), reasons),
        present_before=rows.present(),
    )


class _Evaluation:
    """The records of one part while their columns are made, each column and field once.

    Args:
        kept: the rows that count; None for all.
    """

    def __init__(self, fields: Fields, contract: Contract, as_of: int, kept: Mask | None = None) -> None:
        self.as_of = as_of
        self._fields = fields
        self._contract = contract
        self._kept = kept
        self._scalars: dict[tuple[str, Callable[[float], str]], Scalars] = {}
        self._columns: dict[str, Checked] = {}

    def only(self, kept: Mask) -> "_Evaluation":
        return _Evaluation(self._fields, self._contract, self.as_of, kept)

    def column(self, name: str) -> Checked:
        if name not in self._columns:
            column = self._contract.by_name[name]
            self._columns[name] = column.rule.evaluate(column.source, self)
        return self._columns[name]

    def scalars(self, source: str, number_text: Callable[[float], str] = float_text) -> Scalars:
        key = (source, number_text)
        if key not in self._scalars:
            scalars = self._fields.scalars(source, number_text)
            self._scalars[key] = scalars if self._kept is None else scalars.only(self._kept)
        return self._scalars[key]

    def present(self) -> dict[str, int]:
        present = {source: int((~scalars.missing).sum()) for (source, _), scalars in self._scalars.items()}
        return {column.name: present[column.source] for column in self._contract.columns if column.source}


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


def _spread(where: Mask, among: Mask) -> Mask:
    """A mask over the rows that `among` holds for, as a mask over all rows."""
    spread = np.zeros(len(among), np.bool_)
    spread[among] = where
    return spread
