"""The small path's engine: a whole dataset in one process, with pandas and Arrow."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow as pa

from backend.domain.errors import ConservationViolated
from backend.domain.jobs import Counts
from backend.transformations.arrow_gold import build_gold
from backend.transformations.bronze import BronzePart
from backend.transformations.contract import QUARANTINE_SCHEMA, Contract
from backend.transformations.duplicates import duplicate_places
from backend.transformations.silver import CleanedPart, clean_part

ENGINE = "pandas"


@dataclass(frozen=True, slots=True)
class SilverResult:
    """A dataset after cleaning.

    Attributes:
        present_before: for each column that is read from Bronze, how many of the placed records had a
            value there; duplicates included.
    """

    silver: pa.Table
    quarantine: pa.Table
    counts: Counts
    present_before: Counter[str]


class PandasTransformer:
    """Cleans datasets of one contract as of one moment."""

    def __init__(self, contract: Contract, as_of: datetime) -> None:
        self._contract = contract
        self._as_of = as_of

    def transform_to_silver(
        self, parts: Iterable[BronzePart], on_part: Callable[[CleanedPart], None] | None = None
    ) -> SilverResult:
        """Clean every part and remove duplicates over the whole dataset (data.md, section 3).

        Args:
            parts: in the order of their names, so that of several malformed parts the first is named.
            on_part: told of each part when it is cleaned; may raise to stop.

        Raises:
            MalformedPart: one of the parts is.
            ConservationViolated: a record is unaccounted for.
        """
        cleaned = []
        for part in parts:
            cleaned.append(clean_part(part, self._contract, self._as_of))
            if on_part is not None:
                on_part(cleaned[-1])
        rows = _concatenate([part.silver for part in cleaned], self._contract.silver_schema)
        silver = self._without_duplicates(rows)
        quarantine = _concatenate([part.quarantine for part in cleaned], QUARANTINE_SCHEMA)
        counts = Counts(
            records_in=sum(part.records_in for part in cleaned),
            silver_rows=silver.num_rows,
            duplicates_removed=rows.num_rows - silver.num_rows,
            quarantined=quarantine.num_rows,
        )
        if not counts.conserved:
            raise ConservationViolated(f"records are unaccounted for: {counts}")
        return SilverResult(silver, quarantine, counts, _total(cleaned))

    def transform_to_gold(self, silver: pa.Table) -> dict[str, pa.Table]:
        """Every Gold table of a Silver table, by name (data.md, section 4).

        Raises:
            ResultOverflow: a sum does not fit its column.
        """
        return build_gold(silver)

    def _without_duplicates(self, rows: pa.Table) -> pa.Table:
        duplicates = duplicate_places(rows, self._contract)
        if not len(duplicates):
            return rows
        kept = np.ones(rows.num_rows, np.bool_)
        kept[duplicates] = False
        return rows.filter(pa.array(kept))


def _concatenate(tables: list[pa.Table], schema: pa.Schema) -> pa.Table:
    return pa.concat_tables([schema.empty_table(), *tables]).combine_chunks()


def _total(cleaned: Iterable[CleanedPart]) -> Counter[str]:
    total: Counter[str] = Counter()
    for part in cleaned:
        total.update(part.present_before)
    return total
