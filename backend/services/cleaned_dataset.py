"""What came of cleaning a dataset, whichever engine did it, and how its stages are timed."""

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from backend.domain.jobs import Counts
from backend.telemetry import traces

OnProgress = Callable[[str, int], None]
"""Told the stage, and how many of the job's steps are done (`services.progress`)."""


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


class PastSmallPath(Exception):
    """The dataset is more than the small path takes; the message says in what."""


class Stopwatch:
    """Seconds by stage, in the order in which the stages ended; each is a span of the job's trace."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._since = perf_counter()

    def lap(self, stage: str) -> None:
        """The stage has ended, and the next one begins."""
        now = perf_counter()
        self.seconds[stage] = round(now - self._since, 6)
        traces.past_span(stage, now - self._since)
        self._since = now
