"""The data contract read literally: one record at a time, plain Python, clarity over speed.

Written from data.md alone, so that it can stand as an oracle beside the engines. It shares no code
with `backend.transformations`, and must not.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

from backend.domain.jobs import Counts
from tests.transformations.reference.bronze import PartNotReadable, deep_recursion, read_dataset
from tests.transformations.reference.gold import gold_tables
from tests.transformations.reference.silver import quarantine_row, silver_row, without_duplicates

__all__ = ["PartNotReadable", "Result", "clean"]


@dataclass(frozen=True)
class Result:
    """What cleaning a dataset must give; the rows of a table come in no particular order."""

    silver: list[dict]
    quarantine: list[dict]
    counts: Counts

    @cached_property
    def gold(self) -> dict[str, list[dict]]:
        """The tables of Gold by name, computed when first asked for."""
        return gold_tables(self.silver)

    @property
    def tables(self) -> dict[str, list[dict]]:
        """Every table by name: silver, quarantine and those of Gold."""
        return {"silver": self.silver, "quarantine": self.quarantine, **self.gold}


def clean(parts: Mapping[str, bytes], as_of: datetime) -> Result:
    """Clean a dataset of parts by file name, as of an aware time.

    Raises:
        PartNotReadable: for the first part by name that is not a JSON array.
    """
    as_of = as_of.astimezone(UTC)
    accepted, quarantined, records_in = [], [], 0
    with deep_recursion():
        for part, records in read_dataset(parts):
            for place, record in enumerate(records):
                records_in += 1
                unplaceable = quarantine_row(record, part, place)
                if unplaceable is None:
                    accepted.append(silver_row(record, part, place, as_of))
                else:
                    quarantined.append(unplaceable)
    silver = without_duplicates(accepted)
    return Result(
        silver=silver,
        quarantine=quarantined,
        counts=Counts(
            records_in=records_in,
            silver_rows=len(silver),
            duplicates_removed=len(accepted) - len(silver),
            quarantined=len(quarantined),
        ),
    )
