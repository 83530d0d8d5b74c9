"""Following jobs until they end.

One thread of the process reads for all who watch: each job once, however many watch it, and never more jobs a
second than storage is to bear.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from backend.domain.jobs import Job
from backend.ports import JobProgressStore

READS_PER_SECOND = 40
ROUND_SECONDS = 0.3


@dataclass(slots=True)
class _Watched:
    """A job that somebody watches: as it was last read, or why it can't be. None when it is gone."""

    job: Job | None
    watchers: int = 0
    error: Exception | None = None


class JobWatcher:
    """Tells of jobs as they change.

    Args:
        reads_per_second: at most; with more jobs than that a change is told later.
        round_seconds: how long it takes at least until a job is read again.
    """

    def __init__(
        self,
        jobs: JobProgressStore,
        *,
        reads_per_second: float = READS_PER_SECOND,
        round_seconds: float = ROUND_SECONDS,
    ) -> None:
        self._jobs = jobs
        self._read_seconds = 1 / reads_per_second
        self._round_seconds = round_seconds
        self._watched: dict[tuple[str, str], _Watched] = {}
        self._news = threading.Condition()
        self._reader: threading.Thread | None = None
        self._closed = threading.Event()

    def watch(self, job: Job, patience: float) -> Iterator[Job | None]:
        """A job as it was just read, then each time that it has changed, until it has ended or is gone.

        Changes that follow each other closely may be told as one. None is given when nothing has changed for
        `patience` seconds, so that whoever tells of it can see whether anybody still listens.

        Raises:
            Exception: the store's own, when the job can't be read.
        """
        with self._watching(job) as watched:
            told: Job | None = job
            yield told
            while told is not None and not told.status.is_final and not self._closed.is_set():
                changed = self._wait(watched, told, patience)
                told = watched.job if changed else told
                if not self._closed.is_set() and (told is not None or not changed):
                    yield told if changed else None

    def close(self) -> None:
        """End every watch, now and from now on."""
        self._closed.set()
        with self._news:
            self._news.notify_all()

    def _wait(self, watched: _Watched, told: Job, patience: float) -> bool:
        """Whether there is something new to tell before patience ends. Raises what reading has raised."""
        with self._news:
            changed = self._news.wait_for(
                lambda: self._closed.is_set() or watched.error is not None or watched.job != told, patience
            )
        if watched.error is not None:
            raise watched.error
        return changed

    @contextmanager
    def _watching(self, job: Job) -> Iterator[_Watched]:
        key = (job.user_id, job.job_id)
        with self._news:
            watched = self._watched.setdefault(key, _Watched(job))
            watched.watchers += 1
            watched.job, watched.error = job, None
            self._news.notify_all()
            if self._reader is None:
                self._reader = threading.Thread(target=self._read, name="job-watcher", daemon=True)
                self._reader.start()
        try:
            yield watched
        finally:
            with self._news:
                watched.watchers -= 1
                if watched.watchers == 0:
                    del self._watched[key]

    def _read(self) -> None:
        while keys := self._keys():
            began = time.monotonic()
            for key in keys:
                self._read_one(*key)
                self._closed.wait(self._read_seconds)
            self._closed.wait(max(0.0, began + self._round_seconds - time.monotonic()))

    def _keys(self) -> list[tuple[str, str]]:
        """The jobs to be read; the thread ends when there are none."""
        with self._news:
            keys = [] if self._closed.is_set() else list(self._watched)
            if not keys:
                self._reader = None
            return keys

    def _read_one(self, user_id: str, job_id: str) -> None:
        error: Exception | None = None
        job: Job | None = None
        try:
            job = self._jobs.get(user_id, job_id)
        except Exception as raised:  # noqa: BLE001 - each watcher raises it where it can be answered
            error = raised
        with self._news:
            watched = self._watched.get((user_id, job_id))
            if watched is not None and (error is not None or watched.job != job):
                watched.error = error
                watched.job = watched.job if error is not None else job
                self._news.notify_all()
