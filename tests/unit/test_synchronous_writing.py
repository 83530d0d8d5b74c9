from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from backend.data_routing import DataRouter
from backend.domain.errors import Busy, Conflict, InvalidRequest, StillWorking
from backend.domain.jobs import Job, JobStatus
from backend.ports import FrontendTable, OperationalTables
from backend.services.bronze_counting import BronzeCounter
from backend.services.dispatching import JobDispatcher
from backend.services.generation import GenerationService
from backend.services.open_job_limit import OpenJobLimit
from backend.services.submission import SubmissionService
from backend.services.synchronous_writing import SynchronousWriter
from tests.fakes import (
    InMemoryDatasets,
    InMemoryFileSystem,
    InMemoryIdempotency,
    InMemoryJobProgress,
    InMemoryQueues,
    SetClock,
)

USER = "a" * 32


@dataclass
class Users(OperationalTables):
    """Two users in every dataset; `asked` says whose."""

    asked: list[tuple[str, str]] = field(default_factory=list)

    def newest(self, owner_id: str, table: FrontendTable, limit: int) -> list[dict[str, Any]]:
        raise NotImplementedError

    def user_ids(self, owner_id: str, dataset_id: str) -> list[str]:
        self.asked.append((owner_id, dataset_id))
        return ["u-1", "u-2"]


class World:
    """A service whose sleeps take no time: each runs `meanwhile` once, and moves the clock on."""

    def __init__(self, meanwhile: Callable[[Job], Job | None]) -> None:
        self.jobs = InMemoryJobProgress()
        self.users = Users()
        self.pauses: list[float] = []
        self._meanwhile = meanwhile
        clock, queues, datasets, bronze = (
            SetClock(),
            InMemoryQueues(),
            InMemoryDatasets(),
            InMemoryFileSystem(),
        )
        router = DataRouter(queues, 10_000, "small", "large")
        dispatcher = JobDispatcher(self.jobs, router, clock)
        generation = GenerationService(
            bronze,
            self.jobs,
            datasets,
            queues,
            dispatcher,
            OpenJobLimit(self.jobs, most=3),
            queue_name="generate",
            batch_size=500,
            clock=clock,
        )
        submission = SubmissionService(
            self.jobs,
            datasets,
            InMemoryIdempotency(),
            BronzeCounter(bronze, 10_000, 1_000),
            router,
            dispatcher,
            generation,
            OpenJobLimit(self.jobs, most=3),
            max_record_count=900,
            clock=clock,
        )
        self.writer = SynchronousWriter(
            submission,
            self.jobs,
            self.users,
            wait=timedelta(seconds=2),
            at_once=1,
            seconds=lambda: sum(self.pauses),
            sleep=self._sleep,
        )

    @property
    def job(self) -> Job:
        [job] = self.jobs.page(USER, None, 10, None)
        return job

    def _sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        changed = self._meanwhile(self.job)
        if changed is None:
            self.jobs.rows.clear()
        else:
            self.jobs.rows[USER, changed.job_id] = changed


def loaded(job: Job) -> Job:
    return replace(
        job,
        status=JobStatus.LOADING,
        started_at=job.submitted_at + timedelta(seconds=1.5),
        cleaned_at=job.submitted_at + timedelta(seconds=2),
        operational_loaded_at=job.submitted_at + timedelta(seconds=2.25),
    )


def test_it_waits_until_the_rows_are_in_the_operational_database_and_no_longer() -> None:
    world = World(loaded)
    written = world.writer.write(USER, 200)
    assert (written.job, written.job.record_count) == (world.job, 200)
    assert written.user_ids == ["u-1", "u-2"]
    assert world.users.asked == [(USER, world.job.parent_job_id)]
    assert (written.generation_seconds, written.commit_seconds) == (1.5, 0.25)
    assert world.pauses == [0.05]


def test_clocks_that_disagree_give_no_time_below_zero() -> None:
    world = World(lambda job: replace(loaded(job), started_at=job.submitted_at - timedelta(seconds=1)))
    assert world.writer.write(USER, 200).generation_seconds == 0.0


def test_a_job_that_fails_is_told_with_its_reason() -> None:
    world = World(lambda job: replace(job, status=JobStatus.FAILED, error="the lake is full"))
    with pytest.raises(Conflict) as caught:
        world.writer.write(USER, 200)
    assert str(caught.value) == f"the job {world.job.job_id} failed: the lake is full"
    assert caught.value.code == "job_failed"


def test_a_job_that_fails_after_its_rows_were_committed_has_written_them() -> None:
    world = World(lambda job: replace(loaded(job), status=JobStatus.FAILED, error="the warehouse refused it"))
    assert world.writer.write(USER, 200).user_ids == ["u-1", "u-2"]


def test_a_job_that_is_deleted_meanwhile_is_told() -> None:
    with pytest.raises(Conflict, match="was deleted") as caught:
        World(lambda _: None).writer.write(USER, 200)
    assert caught.value.code == "job_deleted"


def test_the_deadline_is_kept_and_names_the_job_that_goes_on() -> None:
    world = World(lambda job: job)
    with pytest.raises(StillWorking) as caught:
        world.writer.write(USER, 200)
    job_id = world.job.job_id
    assert (
        str(caught.value) == f"the job {job_id} is still generating: GET /jobs/{job_id} tells how far it is"
    )
    assert sum(world.pauses) == pytest.approx(2)


def test_the_pauses_grow_to_a_quarter_of_a_second() -> None:
    world = World(lambda job: job)
    with pytest.raises(StillWorking):
        world.writer.write(USER, 200)
    assert world.pauses[:5] == pytest.approx([0.05, 0.075, 0.1125, 0.16875, 0.25])
    assert max(world.pauses) == 0.25


def test_whoever_comes_while_all_places_are_taken_is_told_and_no_job_is_submitted() -> None:
    def another_comes(job: Job) -> Job:
        with pytest.raises(Busy, match="try again in a while"):
            world.writer.write(USER, 200)
        return loaded(job)

    world = World(another_comes)
    assert world.writer.write(USER, 200).job == world.job


def test_a_place_is_free_again_whether_or_not_the_job_failed() -> None:
    world = World(lambda job: replace(job, status=JobStatus.FAILED, error="the lake is full"))
    for _ in range(2):
        with pytest.raises(Conflict, match="the lake is full"):
            world.writer.write(USER, 200)
        world.jobs.rows.clear()


def test_more_records_than_the_service_makes_at_once_are_refused_without_a_job() -> None:
    world = World(loaded)
    with pytest.raises(InvalidRequest, match="at most 900"):
        world.writer.write(USER, 901)
    assert world.jobs.rows == {}
