"""Following jobs, without storage."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import cast

import pytest

from backend.domain.errors import Unavailable
from backend.domain.jobs import Job, JobKind, JobStatus
from backend.ports import JobProgressStore
from backend.services.job_watching import JobWatcher
from tests.waiting import wait_until

NOW = datetime(2026, 11, 23, tzinfo=UTC)
JOB = Job(
    user_id="0" * 32,
    job_id="1" * 32,
    parent_job_id="2" * 32,
    job_name="a job",
    kind=JobKind.CLEAN,
    status=JobStatus.QUEUED,
    stage="queued",
    record_count=1,
    as_of=NOW,
    submitted_at=NOW,
)
OTHER = replace(JOB, job_id="3" * 32)


class Jobs:
    """A store whose jobs a test changes, and which counts how often each is read."""

    def __init__(self) -> None:
        self.rows: dict[str, Job | None] = {JOB.job_id: JOB, OTHER.job_id: OTHER}
        self.reads: list[str] = []
        self.error: Exception | None = None

    def get(self, _user_id: str, job_id: str) -> Job | None:
        self.reads.append(job_id)
        if self.error is not None:
            raise self.error
        return self.rows[job_id]


@pytest.fixture
def jobs() -> Jobs:
    return Jobs()


@pytest.fixture
def watcher(jobs: Jobs) -> Iterator[JobWatcher]:
    watcher = JobWatcher(cast("JobProgressStore", jobs), reads_per_second=2_000, round_seconds=0.01)
    yield watcher
    watcher.close()
    wait_until(lambda: not threads())


def threads() -> list[threading.Thread]:
    return [each for each in threading.enumerate() if each.name == "job-watcher"]


def next_news(watch: Iterator[Job | None]) -> Job:
    return next(job for job in watch if job is not None)


def test_a_job_is_told_as_it_is_and_each_time_that_it_has_changed(jobs: Jobs, watcher: JobWatcher) -> None:
    watch = watcher.watch(JOB, 5)
    assert next(watch) == JOB
    for stage in ("one", "two"):
        jobs.rows[JOB.job_id] = changed = replace(JOB, stage=stage)
        assert next_news(watch) == changed


def test_a_watch_ends_with_the_job(jobs: Jobs, watcher: JobWatcher) -> None:
    watch = watcher.watch(JOB, 5)
    next(watch)
    jobs.rows[JOB.job_id] = ended = replace(JOB, status=JobStatus.FAILED)
    assert [job for job in watch if job is not None] == [ended]


def test_a_job_that_has_ended_is_told_once_and_not_read(jobs: Jobs, watcher: JobWatcher) -> None:
    ended = replace(JOB, status=JobStatus.COMPLETED)
    assert list(watcher.watch(ended, 5)) == [ended]
    assert len(jobs.reads) <= 1


def test_nothing_new_is_told_as_none(watcher: JobWatcher) -> None:
    watch = watcher.watch(JOB, 0.01)
    assert [next(watch), next(watch), next(watch)] == [JOB, None, None]


def test_a_job_that_is_deleted_is_no_longer_watched(jobs: Jobs, watcher: JobWatcher) -> None:
    watch = watcher.watch(JOB, 5)
    next(watch)
    jobs.rows[JOB.job_id] = None
    assert [job for job in watch if job is not None] == []


def test_what_the_store_raises_is_raised_to_who_watches(jobs: Jobs, watcher: JobWatcher) -> None:
    watch = watcher.watch(JOB, 5)
    next(watch)
    jobs.error = Unavailable("away")
    with pytest.raises(Unavailable, match="away"):
        next_news(watch)
    jobs.error = None
    jobs.rows[JOB.job_id] = changed = replace(JOB, stage="back")
    watch = watcher.watch(JOB, 5)
    assert [next(watch), next_news(watch)] == [JOB, changed]


def test_a_job_that_many_watch_is_read_as_often_as_one_that_one_watches(
    jobs: Jobs, watcher: JobWatcher
) -> None:
    watches = [watcher.watch(JOB, 5) for _ in range(20)] + [watcher.watch(OTHER, 5)]
    for watch in watches:
        next(watch)
    jobs.reads.clear()
    wait_until(lambda: len(jobs.reads) > 50)
    reads = list(jobs.reads)
    assert abs(reads.count(JOB.job_id) - reads.count(OTHER.job_id)) <= 1


def test_no_more_jobs_a_second_are_read_than_storage_is_to_bear(jobs: Jobs) -> None:
    watcher = JobWatcher(cast("JobProgressStore", jobs), reads_per_second=5, round_seconds=0)
    watch = watcher.watch(JOB, 1.0)
    assert [next(watch), next(watch)] == [JOB, None]
    assert 1 <= len(jobs.reads) <= 6
    watcher.close()


def test_the_reader_rests_when_nobody_watches_and_comes_back(jobs: Jobs, watcher: JobWatcher) -> None:
    for stage in ("one", "two"):
        watch = watcher.watch(JOB, 5)
        next(watch)
        jobs.rows[JOB.job_id] = changed = replace(JOB, stage=stage)
        assert next_news(watch) == changed
        cast("Iterator[Job]", watch).close()  # type: ignore[attr-defined] # it is a generator
        wait_until(lambda: not threads())


def test_closing_ends_every_watch_at_once(watcher: JobWatcher) -> None:
    watch = watcher.watch(JOB, 60)
    next(watch)
    threading.Timer(0.05, watcher.close).start()
    assert list(watch) == []
    assert list(watcher.watch(JOB, 60)) == [JOB]
