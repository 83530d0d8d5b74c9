"""What is measured of a cleaned dataset (data.md, section 5); each part's figures add up to the whole's."""

from collections import Counter
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from backend.domain.jobs import Counts
from backend.transformations.contract import ISSUES, QUALITY_SCORE, Contract

_VERSIONED_PACKAGES = ("msgspec", "numpy", "pandas", "phonenumbers", "pyarrow", "pycountry")


class SilverFigures(msgspec.Struct, frozen=True):
    """What is counted in Silver rows.

    Attributes:
        issues: rows with each issue.
        scores: rows with each quality score.
        present: rows with a value, for each column that is read from Bronze.
    """

    rows: int
    issues: dict[str, int]
    scores: dict[int, int]
    present: dict[str, int]

    @property
    def mean_quality_score(self) -> float | None:
        """The mean over all rows; None without one."""
        return sum(score * count for score, count in self.scores.items()) / self.rows if self.rows else None


def silver_figures(silver: pa.Table, contract: Contract) -> SilverFigures:
    """The figures of some Silver rows."""
    return SilverFigures(
        rows=silver.num_rows,
        issues=_counted(pc.list_flatten(silver[ISSUES.name])),
        scores=_counted(silver[QUALITY_SCORE.name]),
        present={
            column.name: silver.num_rows - silver[column.name].null_count
            for column in contract.columns
            if column.source
        },
    )


def quarantined_by_reason(quarantine: pa.Table) -> dict[str, int]:
    """How many quarantined records have each reason."""
    return _counted(pc.list_flatten(quarantine["reasons"]))


def total(counts: Iterable[Mapping[Any, int]]) -> dict[Any, int]:
    """The sums of several counts, in the order of their keys."""
    sums: Counter[Any] = Counter()
    for each in counts:
        sums.update(each)
    return dict(sorted(sums.items()))


def total_figures(figures: Iterable[SilverFigures]) -> SilverFigures:
    """The figures of all rows, from those of some at a time."""
    each = list(figures)
    return SilverFigures(
        rows=sum(one.rows for one in each),
        issues=total(one.issues for one in each),
        scores=total(one.scores for one in each),
        present=total(one.present for one in each),
    )


def measurements(
    engine: str,
    counts: Counts,
    silver: SilverFigures,
    present_before: Mapping[str, int],
    quarantined: Mapping[str, int],
    seconds_by_stage: Mapping[str, float],
) -> dict[str, Any]:
    """What the metrics log says of a dataset, but for the job's own facts.

    `present_before` counts the rows with a value in Bronze, for each column that is read from there, among
    all records that were placed, duplicates included; `quarantined` the records with each reason.
    """
    placed = counts.silver_rows + counts.duplicates_removed
    return {
        "engine": engine,
        "versions": {name: version(name) for name in _VERSIONED_PACKAGES},
        "recordsIn": counts.records_in,
        "silverRows": counts.silver_rows,
        "duplicatesRemoved": counts.duplicates_removed,
        "quarantined": counts.quarantined,
        "quarantinedByReason": quarantined,
        "issuesByCode": silver.issues,
        "meanQualityScore": silver.mean_quality_score,
        "scoreDistribution": {str(score): rows for score, rows in silver.scores.items()},
        "completeness": {
            name: {"before": _share(present_before.get(name, 0), placed), "after": _share(rows, silver.rows)}
            for name, rows in silver.present.items()
        },
        "secondsByStage": seconds_by_stage,
    }


def _share(part: int, whole: int) -> float:
    return round(part / whole, 6) if whole else 0.0


def _counted(values: pa.Array) -> dict[Any, int]:
    return dict(sorted((pair["values"], pair["counts"]) for pair in pc.value_counts(values).to_pylist()))
