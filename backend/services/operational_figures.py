"""How the whole service is doing, of all users together: what whoever runs it watches.

All is read from what the processes share, so that every process tells the same. The jobs that have ended are
those of the present day, in UTC: at midnight their sums begin anew.
"""

import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from backend.domain.identifiers import made_at
from backend.domain.job_endings import JobEnding
from backend.domain.jobs import JobKind, JobStatus, ProcessingPath
from backend.domain.messages import POISON_SUFFIX
from backend.ports import JobStatistics, QueueDepths

STAGE_BOUNDS = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 3600.0)
"""Seconds, upper bounds of the histograms' buckets; the last bucket has none."""

_HOUR = timedelta(hours=1)
# An end is written within seconds: one of an hour that ended so long ago is there, or never will be.
_SETTLED_AFTER = timedelta(hours=1)
# So that any number of readers cost no more than one who reads this often.
_KEPT_SECONDS = 5.0


class Stage(StrEnum):
    """What a job goes through; `JobEnding` says from when until when."""

    WAITING = "waiting"
    CLEANING = "cleaning"
    LOADING = "loading"


class Outcome(StrEnum):
    """What became of a record."""

    SILVER = "silver"
    DUPLICATE = "duplicate"
    QUARANTINED = "quarantined"


@dataclass
class StageSeconds:
    """How long one stage took, of some jobs.

    Attributes:
        buckets: how many took at most as long as each of `STAGE_BOUNDS`, and more than the bound before.
    """

    total: float = 0.0
    buckets: list[int] = field(default_factory=lambda: [0] * (len(STAGE_BOUNDS) + 1))

    def add(self, seconds: float) -> None:
        """Count one job."""
        self.total += seconds
        self.buckets[bisect_left(STAGE_BOUNDS, seconds)] += 1

    def merge(self, other: "StageSeconds") -> None:
        """Count the jobs of another."""
        self.total += other.total
        self.buckets = [mine + theirs for mine, theirs in zip(self.buckets, other.buckets, strict=True)]


_Ended = tuple[JobKind, ProcessingPath | None, JobStatus]
_StageOfPath = tuple[Stage, ProcessingPath | None]


@dataclass
class EndedJobs:
    """Jobs that have ended, added up."""

    jobs: Counter[_Ended] = field(default_factory=Counter)
    records_in: int = 0
    records: Counter[Outcome] = field(default_factory=Counter)
    stages: dict[_StageOfPath, StageSeconds] = field(default_factory=dict)

    @classmethod
    def of(cls, endings: Iterable[JobEnding]) -> "EndedJobs":
        """The sums of some."""
        sums = cls()
        for ending in endings:
            sums._add(ending)
        return sums

    def merge(self, other: "EndedJobs") -> None:
        """Add the sums of others."""
        self.jobs.update(other.jobs)
        self.records_in += other.records_in
        self.records.update(other.records)
        for key, seconds in other.stages.items():
            self.stages.setdefault(key, StageSeconds()).merge(seconds)

    def _add(self, ending: JobEnding) -> None:
        self.jobs[ending.kind, ending.processing_path, ending.status] += 1
        if (counts := ending.counts) is not None:
            self.records_in += counts.records_in
            self.records[Outcome.SILVER] += counts.silver_rows
            self.records[Outcome.DUPLICATE] += counts.duplicates_removed
            self.records[Outcome.QUARANTINED] += counts.quarantined
        for stage, seconds in (
            (Stage.WAITING, ending.waiting_seconds),
            (Stage.CLEANING, ending.cleaning_seconds),
            (Stage.LOADING, ending.loading_seconds),
        ):
            if seconds is not None:
                self.stages.setdefault((stage, ending.processing_path), StageSeconds()).add(seconds)


@dataclass(frozen=True, slots=True)
class Figures:
    """How the service is doing.

    Attributes:
        open_jobs: jobs that have not ended, by status.
        oldest_open_job_seconds: how long ago the oldest of them was submitted; 0 without one.
        queue_depths: messages on each queue, those in hand included, and on its poison queue.
        ended: the jobs that have ended since midnight, UTC.
    """

    open_jobs: Counter[JobStatus]
    oldest_open_job_seconds: float
    queue_depths: dict[str, int]
    ended: EndedJobs


class OperationalFigures:
    """Reads the figures, at most every few seconds.

    It costs a request for each 1,000 open jobs, one for each queue, and one for each 1,000 jobs that ended in
    the present hour and the one before. Earlier hours of the day are read once.

    Args:
        queue_names: the queues; each has a poison queue, or will have one.
        seconds: a clock that is never set back.
    """

    def __init__(
        self,
        jobs: JobStatistics,
        queues: QueueDepths,
        *,
        queue_names: Sequence[str],
        clock: Callable[[], datetime],
        seconds: Callable[[], float],
    ) -> None:
        self._jobs = jobs
        self._queues = queues
        self._queue_names = [name + suffix for name in queue_names for suffix in ("", POISON_SUFFIX)]
        self._clock = clock
        self._seconds = seconds
        self._reading = threading.Lock()
        self._figures: Figures | None = None
        self._read_at = 0.0
        self._settled: dict[datetime, EndedJobs] = {}

    def read(self) -> Figures:
        """The figures of now, or of seconds ago."""
        with self._reading:
            now = self._seconds()
            if self._figures is None or now - self._read_at >= _KEPT_SECONDS:
                self._figures, self._read_at = self._read(), now
            return self._figures

    def _read(self) -> Figures:
        now = self._clock()
        entries = list(self._jobs.open_jobs())
        return Figures(
            open_jobs=Counter(entry.status for entry in entries),
            oldest_open_job_seconds=max(
                (max(0.0, (now - made_at(entry.job_id)).total_seconds()) for entry in entries), default=0.0
            ),
            queue_depths={name: self._queues.depth(name) for name in self._queue_names},
            ended=self._ended(now),
        )

    def _ended(self, now: datetime) -> EndedJobs:
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        self._settled = {hour: sums for hour, sums in self._settled.items() if hour >= midnight}
        total = EndedJobs()
        hour = midnight
        while hour <= now:
            total.merge(self._of_hour(hour, now))
            hour += _HOUR
        return total

    def _of_hour(self, hour: datetime, now: datetime) -> EndedJobs:
        if hour in self._settled:
            return self._settled[hour]
        sums = EndedJobs.of(self._jobs.endings(hour))
        if now >= hour + _HOUR + _SETTLED_AFTER:
            self._settled[hour] = sums
        return sums
