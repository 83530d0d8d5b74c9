"""What is measured of a cleaned dataset (data.md, section 5)."""

from collections.abc import Mapping
from importlib.metadata import version

import pyarrow as pa
import pyarrow.compute as pc

from backend.transformations.contract import ISSUES, QUALITY_SCORE, Contract

_VERSIONED_PACKAGES = ("msgspec", "numpy", "pandas", "phonenumbers", "pyarrow", "pycountry")


def package_versions() -> dict[str, str]:
    """The packages that decide what a value becomes, with their versions."""
    return {name: version(name) for name in _VERSIONED_PACKAGES}


def issues_by_code(silver: pa.Table) -> dict[str, int]:
    """How many rows have each issue."""
    return _counted(pc.list_flatten(silver[ISSUES.name]))


def quarantined_by_reason(quarantine: pa.Table) -> dict[str, int]:
    """How many quarantined records have each reason."""
    return _counted(pc.list_flatten(quarantine["reasons"]))


def score_distribution(silver: pa.Table) -> dict[str, int]:
    """How many rows have each quality score, from the lowest."""
    counted = pc.value_counts(silver[QUALITY_SCORE.name])
    pairs = sorted((pair["values"], pair["counts"]) for pair in counted.to_pylist())
    return {str(score): count for score, count in pairs}


def mean_quality_score(silver: pa.Table) -> float | None:
    """The mean over all rows; None without one."""
    mean: float | None = pc.mean(silver[QUALITY_SCORE.name]).as_py()
    return mean


def completeness(
    silver: pa.Table, contract: Contract, present_before: Mapping[str, int], placed: int
) -> dict[str, dict[str, float]]:
    """For each column that is read from Bronze: the share of rows with a value, before and after.

    `present_before` says how many of the `placed` records, duplicates included, had a value in Bronze.
    """
    return {
        column.name: {
            "before": _share(present_before[column.name], placed),
            "after": _share(silver.num_rows - silver[column.name].null_count, silver.num_rows),
        }
        for column in contract.columns
        if column.source
    }


def _share(part: int, whole: int) -> float:
    return round(part / whole, 6) if whole else 0.0


def _counted(codes: pa.Array) -> dict[str, int]:
    return dict(sorted((pair["values"], pair["counts"]) for pair in pc.value_counts(codes).to_pylist()))
