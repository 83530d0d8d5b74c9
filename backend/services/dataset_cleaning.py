"""One dataset from Bronze bytes to every output, whoever asks: a queued job or the command line."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from time import perf_counter
from typing import Any

from backend.domain.jobs import Counts
from backend.lake_paths import QUARANTINE, SILVER
from backend.services.outputs import OutputWriter
from backend.transformations import metrics
from backend.transformations.bronze import BronzePart
from backend.transformations.order_lines import ORDER_LINES
from backend.transformations.pandas_transforms import ENGINE, PandasTransformer, SilverResult
from backend.transformations.silver import CleanedPart

OnStep = Callable[[str], None]
"""Told the stage of each step that is done."""


class PastSmallPath(Exception):
    """The dataset has more records than the small path takes."""


@dataclass(frozen=True, slots=True)
class CleanedDataset:
    """What came of a dataset.

    Attributes:
        quality_score: the mean over all Silver rows; None without one.
        measurements: what the metrics log says of it (data.md, section 5), but for the job's own facts.
    """

    counts: Counts
    quality_score: float | None
    measurements: dict[str, Any]


class _Stopwatch:
    """Seconds by stage, in the order in which the stages ended."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._since = perf_counter()

    def lap(self, stage: str) -> None:
        now = perf_counter()
        self.seconds[stage] = round(now - self._since, 6)
        self._since = now


def clean_dataset(
    job_id: str,
    as_of: datetime,
    parts: Iterable[BronzePart],
    writer: OutputWriter,
    on_step: OnStep,
    record_limit: int | None = None,
) -> CleanedDataset:
    """Clean, write every table, and write the manifest last.

    Raises:
        PastSmallPath: there are more than `record_limit` records; nothing is written.
        MalformedPart, ConservationViolated, ResultOverflow: nothing counts; trying again can't help.
    """
    watch = _Stopwatch()
    transformer = PandasTransformer(ORDER_LINES, as_of)
    result = transformer.transform_to_silver(parts, _PartWatcher(record_limit, on_step))
    watch.lap("cleaning")
    gold = transformer.transform_to_gold(result.silver)
    watch.lap("building gold")
    tables = {SILVER: result.silver, QUARANTINE: result.quarantine, **gold}
    outputs = writer.write_tables(tables, lambda name: on_step(f"writing {name}"))
    watch.lap("writing tables")
    writer.write_manifest(job_id, as_of, ENGINE, result.counts, outputs)
    on_step("writing the manifest")
    watch.lap("writing manifest")
    measurements = _measurements(result, watch)
    return CleanedDataset(result.counts, measurements["meanQualityScore"], measurements)


class _PartWatcher:
    """Counts the records of the parts as they are cleaned, and stops past a limit."""

    def __init__(self, record_limit: int | None, on_step: OnStep) -> None:
        self._limit = record_limit
        self._on_step = on_step
        self._records = 0

    def __call__(self, part: CleanedPart) -> None:
        self._records += part.records_in
        if self._limit is not None and self._records > self._limit:
            raise PastSmallPath(f"more than {self._limit} records")
        self._on_step("cleaning")


def _measurements(result: SilverResult, watch: _Stopwatch) -> dict[str, Any]:
    placed = result.counts.silver_rows + result.counts.duplicates_removed
    return {
        "engine": ENGINE,
        "versions": metrics.package_versions(),
        "recordsIn": result.counts.records_in,
        "silverRows": result.counts.silver_rows,
        "duplicatesRemoved": result.counts.duplicates_removed,
        "quarantined": result.counts.quarantined,
        "quarantinedByReason": metrics.quarantined_by_reason(result.quarantine),
        "issuesByCode": metrics.issues_by_code(result.silver),
        "meanQualityScore": metrics.mean_quality_score(result.silver),
        "scoreDistribution": metrics.score_distribution(result.silver),
        "completeness": metrics.completeness(result.silver, ORDER_LINES, result.present_before, placed),
        "secondsByStage": watch.seconds,
    }
