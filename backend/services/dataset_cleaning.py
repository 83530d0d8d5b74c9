"""One dataset from Bronze bytes to every output, whoever asks: a queued job or the command line."""

from collections.abc import Iterable
from datetime import datetime

from backend.lake_paths import QUARANTINE, SILVER
from backend.services.cleaned_dataset import CleanedDataset, OnProgress, PastSmallPath, Stopwatch
from backend.services.outputs import OutputWriter
from backend.transformations.bronze import BronzePart
from backend.transformations.metrics import measurements, quarantined_by_reason, silver_figures
from backend.transformations.order_lines import ORDER_LINES
from backend.transformations.pandas_transforms import ENGINE, PandasTransformer
from backend.transformations.silver import CleanedPart


def clean_dataset(
    job_id: str,
    as_of: datetime,
    parts: Iterable[BronzePart],
    writer: OutputWriter,
    on_progress: OnProgress,
    record_limit: int | None = None,
) -> CleanedDataset:
    """Clean, write every table, and write the manifest last.

    Raises:
        PastSmallPath: there are more than `record_limit` records; nothing is written.
        MalformedPart, ConservationViolated, ResultOverflow: nothing counts; trying again can't help.
    """
    watch = Stopwatch()
    steps = _StepCounter(on_progress)
    transformer = PandasTransformer(ORDER_LINES, as_of)
    result = transformer.transform_to_silver(parts, _PartWatcher(record_limit, steps))
    watch.lap("cleaning")
    gold = transformer.transform_to_gold(result.silver)
    watch.lap("building gold")
    tables = {SILVER: result.silver, QUARANTINE: result.quarantine, **gold}
    outputs = writer.write_tables(tables, lambda name: steps.done(f"writing {name}"))
    watch.lap("writing tables")
    writer.write_manifest(job_id, as_of, ENGINE, result.counts, outputs)
    steps.done("writing the manifest")
    watch.lap("writing manifest")
    figures = silver_figures(result.silver, ORDER_LINES)
    reasons = quarantined_by_reason(result.quarantine)
    measured = measurements(ENGINE, result.counts, figures, result.present_before, reasons, watch.seconds)
    return CleanedDataset(result.counts, figures.mean_quality_score, measured)


class _StepCounter:
    """Counts steps as they are done."""

    def __init__(self, on_progress: OnProgress) -> None:
        self._on_progress = on_progress
        self._count = 0

    def done(self, stage: str) -> None:
        self._count += 1
        self._on_progress(stage, self._count)


class _PartWatcher:
    """Counts the records of the parts as they are cleaned, and stops past a limit."""

    def __init__(self, record_limit: int | None, steps: _StepCounter) -> None:
        self._limit = record_limit
        self._steps = steps
        self._records = 0

    def __call__(self, part: CleanedPart) -> None:
        self._records += part.records_in
        if self._limit is not None and self._records > self._limit:
            raise PastSmallPath(f"more than {self._limit} records")
        self._steps.done("cleaning")
