from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from backend.domain.identifiers import new_job_id
from backend.domain.job_endings import JobEnding
from backend.domain.jobs import Counts, Job, JobKind, JobStatus, ProcessingPath
from backend.ports import JobStatistics, OpenJob, QueueDepths
from backend.services.operational_figures import OperationalFigures, Outcome, Stage

MIDNIGHT = datetime(2026, 11, 23, tzinfo=UTC)
NOW = MIDNIGHT + timedelta(hours=9, minutes=30)
SMALL = ProcessingPath.SMALL_BATCH


class Ended(JobStatistics, QueueDepths):
    """Jobs; `read` lists the hours that were asked for."""

    def __init__(self) -> None:
        self.open: list[OpenJob] = []
        self.by_hour: dict[int, list[JobEnding]] = {}
        self.read: list[int] = []

    def open_jobs(self) -> Iterator[OpenJob]:
        return iter(self.open)

    def endings(self, hour: datetime) -> list[JobEnding]:
        self.read.append(hour.hour)
        return self.by_hour.get(hour.hour, []) if hour.date() == MIDNIGHT.date() else []

    def depth(self, queue_name: str) -> int:
        return {"small": 3, "small-poison": 1}.get(queue_name, 0)


class Clock:
    """The time of day; the clock that is never set back goes with it."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def seconds(self) -> float:
        return self.now.timestamp()


def figures(shared: Ended, clock: Clock) -> OperationalFigures:
    return OperationalFigures(
        shared, shared, queue_names=("small", "large"), clock=clock, seconds=clock.seconds
    )


def ending(hour: int, status: JobStatus = JobStatus.COMPLETED, **changes: object) -> JobEnding:
    plain = JobEnding(
        job_id=new_job_id(MIDNIGHT),
        kind=JobKind.CLEAN,
        status=status,
        ended_at=MIDNIGHT + timedelta(hours=hour),
        processing_path=SMALL,
    )
    return replace(plain, **changes)  # type: ignore[arg-type] # fields of a JobEnding


def test_open_jobs_are_counted_and_the_oldest_told_by_when_its_id_was_made() -> None:
    shared, clock = Ended(), Clock()
    for age, status in ((5, JobStatus.QUEUED), (90, JobStatus.PROCESSING), (7, JobStatus.QUEUED)):
        job_id = new_job_id(NOW - timedelta(seconds=age))
        shared.open.append(OpenJob("user", job_id, status, NOW))

    read = figures(shared, clock).read()

    assert read.open_jobs == {JobStatus.QUEUED: 2, JobStatus.PROCESSING: 1}
    assert read.oldest_open_job_seconds == 90
    assert read.queue_depths == {"small": 3, "small-poison": 1, "large": 0, "large-poison": 0}


def test_without_open_jobs_nothing_is_old() -> None:
    assert figures(Ended(), Clock()).read().oldest_open_job_seconds == 0


def test_the_ends_of_the_day_are_added_up() -> None:
    shared, clock = Ended(), Clock()
    shared.by_hour = {
        2: [
            ending(2, counts=Counts(10, 7, 2, 1), waiting_seconds=0.5, cleaning_seconds=3.0),
            ending(2, JobStatus.FAILED, waiting_seconds=0.4),
        ],
        9: [ending(9, counts=Counts(5, 5, 0, 0), waiting_seconds=4000.0, loading_seconds=0.25)],
    }

    ended = figures(shared, clock).read().ended

    assert ended.jobs == {
        (JobKind.CLEAN, SMALL, JobStatus.COMPLETED): 2,
        (JobKind.CLEAN, SMALL, JobStatus.FAILED): 1,
    }
    assert ended.records_in == 15
    assert ended.records == Counter({Outcome.SILVER: 12, Outcome.DUPLICATE: 2, Outcome.QUARANTINED: 1})
    waiting = ended.stages[Stage.WAITING, SMALL]
    assert waiting.total == 4000.9
    assert waiting.buckets == [2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]
    assert ended.stages[Stage.CLEANING, SMALL].buckets == [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]


def test_hours_that_are_settled_are_read_once_and_the_last_two_again_and_again() -> None:
    shared, clock = Ended(), Clock()
    service = figures(shared, clock)
    service.read()
    shared.read.clear()
    shared.by_hour = {9: [ending(9)]}
    clock.now += timedelta(seconds=10)

    ended = service.read().ended

    assert shared.read == [8, 9]
    assert ended.jobs.total() == 1


def test_within_seconds_nothing_is_read_again() -> None:
    shared, clock = Ended(), Clock()
    service = figures(shared, clock)
    first = service.read()
    clock.now += timedelta(seconds=4)

    assert service.read() is first


def test_at_midnight_the_sums_begin_anew() -> None:
    shared, clock = Ended(), Clock()
    shared.by_hour = {3: [ending(3)]}
    service = figures(shared, clock)
    assert service.read().ended.jobs.total() == 1
    clock.now = MIDNIGHT + timedelta(days=1, seconds=1)

    assert service.read().ended.jobs.total() == 0


def test_the_stages_of_a_job_are_told_by_its_times() -> None:
    job = Job(
        user_id="user",
        job_id=new_job_id(NOW),
        parent_job_id="orders",
        job_name="orders",
        kind=JobKind.CLEAN,
        status=JobStatus.COMPLETED,
        stage="completed",
        record_count=10,
        as_of=NOW,
        submitted_at=NOW,
        started_at=NOW + timedelta(seconds=2),
        cleaned_at=NOW + timedelta(seconds=5),
        finished_at=NOW + timedelta(seconds=6),
        counts=Counts(10, 10, 0, 0),
    )
    failed = replace(job, status=JobStatus.FAILED)

    end, refused = JobEnding.of(job), JobEnding.of(failed)

    assert (end.waiting_seconds, end.cleaning_seconds, end.loading_seconds) == (2, 3, 1)
    assert end.counts == Counts(10, 10, 0, 0)
    # What was cleaned is told of when it is loaded, so that a job that is retried is not told of twice.
    assert (refused.counts, refused.loading_seconds) == (None, None)
