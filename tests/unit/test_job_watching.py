"""Following jobs, without storage."""

import threading
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import cast

import pytest

from backend.domain.errors import NotFound, Unavailable
from backend.domain.jobs import Job, JobKind, JobStatus
from backend.ports import JobProgressStore
from backend.services.job_watching import JobWatcher
from backend.services.reporting import JobReport, ReportingService
from backend.transformations.manifest import Manifest, ManifestCounts
from tests.fakes import InMemoryFileSystem
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


Watch = Generator[JobReport | None, None, None]


class Jobs:
    """A store whose jobs a test changes, and which counts how often each is read.

    Attributes:
        before_answering: called with the number of the read, when it is known what it answers.
    """

    def __init__(self) -> None:
        self.rows: dict[str, Job | None] = {JOB.job_id: JOB, OTHER.job_id: OTHER}
        self.reads: list[str] = []
        self.error: Exception | None = None
        self.before_answering: Callable[[int], object] = lambda _: None

    def get(self, _user_id: str, job_id: str) -> Job | None:
        self.reads.append(job_id)
        number, job = len(self.reads), self.rows[job_id]
        if self.error is not None:
            raise self.error
        self.before_answering(number)
        return job


class CountingLake(InMemoryFileSystem):
    """Holds a manifest for every job, and counts how often one is read."""

    reads = 0

    def read(self, path: str) -> bytes:
        assert JOB.job_id in path
        self.reads += 1
        return Manifest(
            1, JOB.job_id, "2026-11-23T00:00:00Z", "pandas", ManifestCounts(1, 1, 0, 0), ()
        ).encode()


@pytest.fixture
def jobs() -> Jobs:
    return Jobs()


def watcher_of(jobs: Jobs, **arguments: float) -> JobWatcher:
    reporting = ReportingService(cast("JobProgressStore", jobs), InMemoryFileSystem())
    return JobWatcher(reporting, **{"reads_per_second": 2_000, "round_seconds": 0.01, **arguments})


@pytest.fixture
def watch(jobs: Jobs) -> Iterator[Callable[..., Watch]]:
    """Watches a job; every watch has ended when the test has."""
    watcher, watches = watcher_of(jobs), list[Watch]()

    def begin(job: Job = JOB, patience: float = 5) -> Watch:
        watches.append(watcher.watch(job.user_id, job.job_id, patience))
        return watches[-1]

    yield begin
    for each in watches:
        each.close()
    wait_until(lambda: not threads())


def threads() -> list[threading.Thread]:
    return [each for each in threading.enumerate() if each.name == "job-watcher"]


def news(watch: Watch) -> Job:
    """The job as it is told next."""
    return next(report.job for report in watch if report is not None)


def test_a_job_is_told_as_it_is_and_each_time_that_it_has_changed(
    jobs: Jobs, watch: Callable[..., Watch]
) -> None:
    watching = watch()
    assert news(watching) == JOB
    for stage in ("one", "two"):
        jobs.rows[JOB.job_id] = changed = replace(JOB, stage=stage)
        assert news(watching) == changed


def test_a_watch_ends_with_the_job(jobs: Jobs, watch: Callable[..., Watch]) -> None:
    watching = watch()
    news(watching)
    jobs.rows[JOB.job_id] = ended = replace(JOB, status=JobStatus.FAILED)
    assert [report.job for report in watching if report is not None] == [ended]


def test_a_job_that_has_ended_is_told_once_and_read_once(jobs: Jobs, watch: Callable[..., Watch]) -> None:
    jobs.rows[JOB.job_id] = ended = replace(JOB, status=JobStatus.FAILED)
    assert [report and report.job for report in watch()] == [ended]
    assert len(jobs.reads) == 1
    assert not threads()


def test_a_job_that_there_is_not_can_not_be_watched(jobs: Jobs, watch: Callable[..., Watch]) -> None:
    jobs.rows[JOB.job_id] = None
    with pytest.raises(NotFound):
        next(watch())


def test_nothing_new_is_told_as_none(watch: Callable[..., Watch]) -> None:
    watching = watch(patience=0.01)
    assert [next(watching) is None for _ in range(3)] == [False, True, True]


def test_a_job_that_is_deleted_is_no_longer_watched(jobs: Jobs, watch: Callable[..., Watch]) -> None:
    watching = watch()
    news(watching)
    jobs.rows[JOB.job_id] = None
    assert [report for report in watching if report is not None] == []


def test_an_outage_that_passes_is_waited_for(jobs: Jobs, watch: Callable[..., Watch]) -> None:
    watching = watch()
    news(watching)
    jobs.error = ConnectionError("away")

    def end_the_outage() -> None:
        reads = len(jobs.reads)
        wait_until(lambda: len(jobs.reads) > reads + 3)
        jobs.rows[JOB.job_id] = replace(JOB, stage="back")
        jobs.error = None

    with ThreadPoolExecutor() as pool:
        ended = pool.submit(end_the_outage)
        assert news(watching).stage == "back"
        ended.result()


def test_an_outage_that_lasts_is_told_and_who_comes_after_it_is_served(jobs: Jobs) -> None:
    watcher = watcher_of(jobs, outage_seconds=0.05)
    watching = watcher.watch(JOB.user_id, JOB.job_id, 5)
    news(watching)
    jobs.error = ConnectionError("away")
    with pytest.raises(Unavailable) as raised:
        news(watching)
    assert raised.value.__cause__ is jobs.error
    jobs.error = None
    watching = watcher.watch(JOB.user_id, JOB.job_id, 5)
    assert news(watching) == JOB
    watching.close()
    wait_until(lambda: not threads())


def test_a_state_that_was_read_late_is_not_told_after_a_later_one(
    jobs: Jobs, watch: Callable[..., Watch]
) -> None:
    # The first to watch has read, and is held up before it can say so; meanwhile the job goes on, and is read
    # for another.
    has_read, goes_on = threading.Event(), threading.Event()

    def hold_up_the_first(number: int) -> None:
        if number == 1:
            has_read.set()
            assert goes_on.wait(30)

    jobs.before_answering = hold_up_the_first
    first, second = watch(), watch()
    with ThreadPoolExecutor() as pool:
        of_first = pool.submit(news, first)
        assert has_read.wait(30)
        jobs.rows[JOB.job_id] = later = replace(JOB, progress_done=5)
        of_second = pool.submit(news, second)
        goes_on.set()
        assert of_first.result() == JOB
        assert of_second.result() == later
    assert news(first) == later
    jobs.rows[JOB.job_id] = replace(JOB, progress_done=6)
    assert news(second).progress_done == 6


def test_a_job_that_many_watch_is_read_as_often_as_one_that_one_watches(
    jobs: Jobs, watch: Callable[..., Watch]
) -> None:
    for watching in [*(watch(patience=0) for _ in range(20)), watch(OTHER, patience=0)]:
        assert [next(watching) is None for _ in range(2)] == [False, True]
    before = len(jobs.reads)
    wait_until(lambda: len(jobs.reads) > before + 50)
    reads = jobs.reads[before:]
    assert abs(reads.count(JOB.job_id) - reads.count(OTHER.job_id)) <= 1


def test_what_a_job_has_written_is_read_once_for_all_who_watch(jobs: Jobs) -> None:
    lake = CountingLake()
    watcher = JobWatcher(
        ReportingService(cast("JobProgressStore", jobs), lake), reads_per_second=2_000, round_seconds=0.01
    )
    jobs.rows[JOB.job_id] = replace(JOB, status=JobStatus.LOADING)
    watches = [watcher.watch(JOB.user_id, JOB.job_id, 0) for _ in range(20)]
    reports = [next(each) for each in watches]
    assert all(report is reports[0] for report in reports)
    assert lake.reads == 1
    for each in watches:
        each.close()


def test_no_more_jobs_a_second_are_read_than_storage_is_to_bear(jobs: Jobs) -> None:
    watcher = watcher_of(jobs, reads_per_second=5, round_seconds=0)
    watching = watcher.watch(JOB.user_id, JOB.job_id, 1.0)
    assert [next(watching) is None for _ in range(2)] == [False, True]
    assert 2 <= len(jobs.reads) <= 7
    watching.close()
    wait_until(lambda: not threads())


def test_the_reader_rests_when_nobody_watches_and_comes_back(jobs: Jobs, watch: Callable[..., Watch]) -> None:
    for stage in ("one", "two"):
        watching = watch()
        news(watching)
        jobs.rows[JOB.job_id] = changed = replace(JOB, stage=stage)
        assert news(watching) == changed
        watching.close()
        wait_until(lambda: not threads())
