from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from backend.data_routing import DataRouter
from backend.domain.datasets import Dataset, DatasetStatus
from backend.domain.jobs import Counts, Job, JobKind, JobStatus, ProcessingPath
from backend.domain.messages import CleaningMessage, GenerationMessage
from backend.ports import OpenJob
from backend.services.dispatching import JobDispatcher
from backend.services.generation import GenerationService
from backend.services.heartbeat import Heartbeat
from backend.services.open_job_limit import OpenJobLimit
from backend.services.sweeping import SweepingService, SweepStep
from tests.fakes import InMemoryDatasets, InMemoryFileSystem, InMemoryJobProgress, InMemoryQueues, SetClock

USER, JOB, DATASET = "a" * 32, "b" * 32, "dataset"
NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
STALE = timedelta(seconds=40)
COUNTS = Counts(1, 1, 0, 0)
SMALL, LARGE = ProcessingPath.SMALL_BATCH, ProcessingPath.LARGE_BATCH


class World:
    """One job that says `generating` since NOW, and a sweeper to which 40 s are too long."""

    def __init__(self) -> None:
        self.clock = SetClock(NOW)
        self.queues = InMemoryQueues()
        self.bronze = InMemoryFileSystem()
        self.datasets = InMemoryDatasets()
        self.jobs = InMemoryJobProgress([_job()])
        dispatcher = JobDispatcher(self.jobs, DataRouter(self.queues, 100, "small", "large"), self.clock)
        generation = GenerationService(
            self.bronze,
            self.jobs,
            self.datasets,
            self.queues,
            dispatcher,
            OpenJobLimit(self.jobs, most=3),
            queue_name="generation",
            batch_size=5,
            clock=self.clock,
        )
        self.sweeper = SweepingService(
            self.jobs,
            self.queues,
            dispatcher,
            generation,
            generation_queue_name="generation",
            large_queue_name="large",
            heartbeat=Heartbeat(timedelta(seconds=10), STALE),
            clock=self.clock,
        )

    def change(self, *changes: Callable[[Job], Job]) -> None:
        for change in changes:
            self.jobs.update(USER, JOB, change)

    def queue(self, path: ProcessingPath = SMALL) -> None:
        name = "small" if path is SMALL else "large"
        self.change(lambda job: job.queued(self.clock.now, path, name, "waiting for a worker"))

    def start(self) -> None:
        self.change(lambda job: job.started(self.clock.now, "reading bronze", 9))

    def job(self) -> Job:
        job = self.jobs.get(USER, JOB)
        assert job is not None
        return job

    def sweep_after(self, seconds: float) -> SweepStep:
        self.clock.advance(timedelta(seconds=seconds))
        return self.sweeper.step()


def _job() -> Job:
    return Job(
        user_id=USER,
        job_id=JOB,
        parent_job_id=DATASET,
        job_name="clean",
        kind=JobKind.CLEAN,
        status=JobStatus.GENERATING,
        stage="waiting for its data",
        record_count=12,
        as_of=NOW,
        submitted_at=NOW,
    )


def _dataset(status: DatasetStatus = DatasetStatus.GENERATING) -> Dataset:
    return Dataset(
        user_id=USER,
        parent_job_id=DATASET,
        record_count=12,
        total_chunks=3,
        status=status,
        created_at=NOW,
        seed=7,
        error_rate=0.1,
        chunk_size=5,
    )


def test_a_job_whose_worker_is_silent_is_back_on_its_queue() -> None:
    world = World()
    world.queue()
    world.start()
    assert world.sweep_after(39) == SweepStep()
    assert world.sweep_after(1) == SweepStep(requeued=1)
    job = world.job()
    assert (job.status, job.stage) == (JobStatus.QUEUED, "its worker was lost; waiting for another")
    [message] = map(CleaningMessage.decode, world.queues.bodies["small"])
    assert (message.job_id, message.as_of, message.submission) == (JOB, NOW, 0)


def test_a_job_whose_worker_is_heard_of_is_left_alone() -> None:
    world = World()
    world.queue()
    world.start()
    for _ in range(10):
        world.clock.advance(timedelta(seconds=30))
        world.change(lambda job: job.beating(world.clock.now))
    assert world.sweep_after(39) == SweepStep()
    assert world.queues.bodies["small"] == []


def test_the_fifth_lost_worker_fails_the_job() -> None:
    world = World()
    world.queue()
    steps = []
    for _ in range(5):
        world.start()
        steps.append(world.sweep_after(40))
    assert steps == [SweepStep(requeued=1)] * 4 + [SweepStep(failed=1)]
    job = world.job()
    assert (job.status, job.error) == (
        JobStatus.FAILED,
        "5 workers began on it, and none of them came to an end",
    )


def test_lost_workers_of_the_time_before_a_retry_do_not_count() -> None:
    world = World()
    world.queue()
    for _ in range(5):
        world.start()
        world.sweep_after(40)
    world.queue()
    world.start()
    assert world.sweep_after(40) == SweepStep(requeued=1)


def test_a_job_that_waits_is_sent_again_after_a_while_and_then_after_twice_as_long() -> None:
    world = World()
    world.queue()
    sent_after = [second for second in range(1, 700) if world.sweep_after(1).sent_again]
    assert sent_after == [40, 120, 280, 600]
    assert len(world.queues.bodies["small"]) == 4


@pytest.mark.parametrize(
    ("queue", "status"), [("small", JobStatus.QUEUED), ("generation", JobStatus.GENERATING)]
)
def test_a_job_whose_message_waits_in_line_is_left_alone_for_as_long_as_a_lease(
    queue: str, status: JobStatus
) -> None:
    world = World()
    if status is JobStatus.QUEUED:
        world.queue()
    for _ in range(33):
        world.queues.send(queue, b"somebody's message")
    assert world.sweep_after(599) == SweepStep()
    assert world.sweep_after(1) == SweepStep(sent_again=1)
    assert world.sweep_after(1199) == SweepStep()
    assert world.sweep_after(1) == SweepStep(sent_again=1)


def test_jobs_that_wait_to_be_loaded_wait_in_line_too() -> None:
    world = World()
    world.queue()
    world.start()
    world.change(lambda job: job.cleaned(world.clock.now, COUNTS, 100.0))
    for _ in range(33):
        world.queues.send("small", b"somebody's message")
    assert world.sweep_after(300) == SweepStep()


def test_a_job_that_is_given_up_says_what_its_last_worker_said() -> None:
    world = World()
    world.queue()
    for _ in range(5):
        world.start()
    world.change(lambda job: job.attempt_failed(world.clock.now, "OSError: disk (stack 0123456789ab)"))
    assert world.sweep_after(40) == SweepStep(failed=1)
    assert world.job().error == (
        "5 workers began on it, and none of them came to an end; the last error: OSError: disk"
        " (stack 0123456789ab)"
    )


def test_a_worker_that_is_heard_of_just_then_keeps_its_job(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    world.queue()
    for _ in range(5):
        world.start()
    look_at = world.jobs.look_at

    def look_at_and_hear(entry: OpenJob) -> Job | None:
        job = look_at(entry)
        world.change(lambda current: current.beating(world.clock.now))
        return job

    monkeypatch.setattr(world.jobs, "look_at", look_at_and_hear)
    assert world.sweep_after(40) == SweepStep()
    assert world.job().status is JobStatus.PROCESSING


def test_a_dead_worker_is_replaced_however_long_its_queue_is() -> None:
    world = World()
    world.queue()
    world.start()
    for _ in range(1000):
        world.queues.send("small", b"somebody's message")
    assert world.sweep_after(40) == SweepStep(requeued=1)


def test_an_attempt_that_failed_leaves_its_message_time_to_come_back() -> None:
    world = World()
    world.queue()
    world.start()
    world.clock.advance(timedelta(minutes=5))
    world.change(lambda job: job.attempt_failed(world.clock.now, "OSError: the disk is full"))
    assert world.sweep_after(39) == SweepStep()
    assert world.sweep_after(1) == SweepStep(requeued=1)


@pytest.mark.parametrize("started", [False, True])
def test_a_large_job_is_sent_again_only_when_its_queue_holds_nothing(started: bool) -> None:
    world = World()
    world.queue(LARGE)
    if started:
        world.start()
    world.queues.send("large", b"somebody's message")
    assert world.sweep_after(599) == SweepStep()
    world.queues.bodies["large"].clear()
    assert world.sweep_after(1) == SweepStep(sent_again=1)
    [message] = map(CleaningMessage.decode, world.queues.bodies["large"])
    assert (message.job_id, message.processing_path) == (JOB, LARGE)


def test_data_that_was_never_asked_for_is_asked_for() -> None:
    world = World()
    assert world.sweep_after(40) == SweepStep(sent_again=1)
    parts = [GenerationMessage.decode(body).part_id for body in world.queues.bodies["generation"]]
    assert parts == ["00000", "00001", "00002"]
    dataset = world.datasets.get(USER, DATASET)
    assert dataset is not None
    assert dataset.total_chunks == 3


def test_only_parts_that_are_missing_are_asked_for_again_with_the_same_seed() -> None:
    world = World()
    world.datasets.add(_dataset())
    world.bronze.write(f"{USER}/{DATASET}/00001.json", b"[]")
    assert world.sweep_after(40) == SweepStep(sent_again=1)
    messages = [GenerationMessage.decode(body) for body in world.queues.bodies["generation"]]
    assert [(message.part_id, message.seed, message.error_rate) for message in messages] == [
        ("00000", 7, 0.1),
        ("00002", 7, 0.1),
    ]


def test_a_job_whose_data_is_complete_is_sent_to_its_path() -> None:
    world = World()
    world.datasets.add(_dataset())
    for part in ("00000", "00001", "00002"):
        world.bronze.write(f"{USER}/{DATASET}/{part}.json", b"[]")
    world.sweep_after(40)
    assert world.job().status is JobStatus.QUEUED
    assert len(world.queues.bodies["small"]) == 1
    assert world.queues.bodies["generation"] == []


def test_a_job_whose_data_was_given_up_fails() -> None:
    world = World()
    world.datasets.add(_dataset(DatasetStatus.FAILED))
    assert world.sweep_after(40) == SweepStep(failed=1)
    assert (world.job().status, world.job().error) == (
        JobStatus.FAILED,
        "the dataset could not be generated",
    )


def test_a_job_whose_data_does_not_come_in_a_day_fails() -> None:
    world = World()
    world.datasets.add(_dataset())
    assert world.sweep_after(24 * 3600 + 1) == SweepStep(failed=1)
    assert world.job().error == "its data was not there after a day"


def test_a_small_job_whose_load_was_broken_off_gets_another_message_once_its_lease_is_over() -> None:
    world = World()
    world.queue()
    world.start()
    world.change(
        lambda job: job.cleaned(NOW, COUNTS, 100.0),
        lambda job: job.load_begun(NOW + STALE),
    )
    assert world.sweep_after(49) == SweepStep()
    assert world.sweep_after(1) == SweepStep(requeued=1)
    assert world.job().can_be_loaded(world.clock.now)
    assert len(world.queues.bodies["small"]) == 1
    assert world.sweep_after(9) == SweepStep()


def test_a_large_job_that_waits_to_be_loaded_is_left_to_the_pipelines() -> None:
    world = World()
    world.queue(LARGE)
    world.start()
    world.change(lambda job: job.cleaned(NOW, COUNTS, 100.0))
    assert world.sweep_after(3600) == SweepStep()


def test_a_job_that_ended_is_left_alone() -> None:
    world = World()
    world.queue()
    world.start()
    world.change(lambda job: job.failed(NOW, "no luck"))
    assert world.sweep_after(3600) == SweepStep()


def test_a_job_that_cannot_be_sent_does_not_keep_the_others_from_their_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World()
    world.queue()
    other = "c" * 32
    world.jobs.add(_job_named(other))
    send = world.queues.send

    def refuse_the_first(queue_name: str, body: bytes) -> str:
        if JOB.encode() in body:
            raise OSError("the queue does not answer")
        return send(queue_name, body)

    monkeypatch.setattr(world.queues, "send", refuse_the_first)
    with pytest.raises(ExceptionGroup, match="1 jobs could not be swept"):
        world.sweep_after(40)
    [message] = map(CleaningMessage.decode, world.queues.bodies["small"])
    assert message.job_id == other


def _job_named(job_id: str) -> Job:
    return replace(_job(), job_id=job_id).queued(NOW, SMALL, "small", "waiting for a worker")
