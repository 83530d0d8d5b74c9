"""Following jobs until they end.

One thread of the process reads for all who watch: each job once, however many watch it, and never more jobs a
second than storage is to bear.
"""

import threading
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from backend.domain.errors import NotFound, Unavailable
from backend.services.reporting import JobReport, ReportingService

READS_PER_SECOND = 40
ROUND_SECONDS = 0.3
OUTAGE_SECONDS = 30.0


@dataclass(eq=False, slots=True)
class _WatchedJob:
    """A job that somebody watches.

    Attributes:
        report: the job as it was last read.
        is_gone: whether it was deleted.
        failing_since: when reading it first failed, of the failures that nothing was read after.
        error: why it can't be read, when that has been so for long.
        reading: held by who reads, so that no state takes the place of a later one.
        news: told when one of the above changes.
    """

    user_id: str
    job_id: str
    watchers: int = 0
    report: JobReport | None = None
    is_gone: bool = False
    failing_since: float | None = None
    error: Exception | None = None
    reading: threading.Lock = field(default_factory=threading.Lock)
    news: threading.Condition = field(default_factory=threading.Condition)

    @property
    def has_ended(self) -> bool:
        return self.report is not None and self.report.job.status.is_final


class JobWatcher:
    """Tells of jobs as they change.

    Args:
        reads_per_second: at most; with more jobs than that a change is told later.
        round_seconds: how long it takes at least until a job is read again.
        outage_seconds: how long watchers are left waiting while a job can't be read.
    """

    def __init__(
        self,
        reporting: ReportingService,
        *,
        reads_per_second: float = READS_PER_SECOND,
        round_seconds: float = ROUND_SECONDS,
        outage_seconds: float = OUTAGE_SECONDS,
    ) -> None:
        self._reporting = reporting
        self._read_seconds = 1 / reads_per_second
        self._round_seconds = round_seconds
        self._outage_seconds = outage_seconds
        self._watched: dict[tuple[str, str], _WatchedJob] = {}
        self._lock = threading.Lock()
        self._reader: threading.Thread | None = None

    def watch(self, user_id: str, job_id: str, patience: float) -> Generator[JobReport | None, None, None]:
        """A job as it is, then each time that it has changed, until it has ended or is deleted.

        Changes that follow each other closely may be told as one. None is given when nothing has changed for
        `patience` seconds, so that whoever tells of it can see whether anybody still listens.

        Raises:
            NotFound: there is no such job; before anything else is told.
            Unavailable: the job could not be read for a long time.
        """
        with self._watching(user_id, job_id) as watched:
            told = self._read(watched)
            yield told
            if not told.job.status.is_final:
                self._keep_reading()
            while not (told.job.status.is_final or watched.is_gone):
                news = self._next(watched, told, patience)
                told = news or told
                yield news

    def _next(self, watched: _WatchedJob, told: JobReport, patience: float) -> JobReport | None:
        """What is new within `patience`."""
        with watched.news:
            watched.news.wait_for(
                lambda: watched.report is not told or watched.is_gone or watched.error is not None,
                patience,
            )
            if watched.error is not None:
                raise Unavailable("the job can't be read: try again in a while") from watched.error
            return watched.report if watched.report is not told else None

    @contextmanager
    def _watching(self, user_id: str, job_id: str) -> Iterator[_WatchedJob]:
        key = (user_id, job_id)
        with self._lock:
            watched = self._watched.setdefault(key, _WatchedJob(user_id, job_id))
            watched.watchers += 1
        try:
            yield watched
        finally:
            with self._lock:
                watched.watchers -= 1
                if watched.watchers == 0:
                    del self._watched[key]

    def _keep_reading(self) -> None:
        with self._lock:
            if self._reader is None:
                self._reader = threading.Thread(target=self._read_all, name="job-watcher", daemon=True)
                self._reader.start()

    def _read_all(self) -> None:
        while watched_jobs := self._to_be_read():
            began = time.monotonic()
            for watched in watched_jobs:
                self._read_again(watched)
                time.sleep(self._read_seconds)
            time.sleep(max(0.0, began + self._round_seconds - time.monotonic()))

    def _to_be_read(self) -> list[_WatchedJob]:
        """The jobs of the next round; the thread ends when there are none."""
        with self._lock:
            open_jobs = [each for each in self._watched.values() if not (each.has_ended or each.is_gone)]
            if not open_jobs:
                self._reader = None
            return open_jobs

    def _read_again(self, watched: _WatchedJob) -> None:
        try:
            self._read(watched)
        except NotFound:
            with watched.news:
                watched.is_gone = True
                watched.news.notify_all()
        except Exception as error:  # noqa: BLE001 - raised to every watcher, unless it passes
            self._note_failure(watched, error)

    def _read(self, watched: _WatchedJob) -> JobReport:
        with watched.reading:
            job = self._reporting.job(watched.user_id, watched.job_id)
            report = watched.report
            if report is None or report.job != job:
                report = self._reporting.report_of(job)
            with watched.news:
                watched.failing_since = watched.error = None
                if report is not watched.report:
                    watched.report = report
                    watched.news.notify_all()
        return report

    def _note_failure(self, watched: _WatchedJob, error: Exception) -> None:
        now = time.monotonic()
        with watched.news:
            watched.failing_since = watched.failing_since or now
            if now - watched.failing_since >= self._outage_seconds:
                watched.error = error
                watched.news.notify_all()
