import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from backend.bootstrap import build_services
from backend.domain.errors import Unavailable
from backend.domain.jobs import Counts, Job, JobKind, JobStatus, ProcessingPath
from backend.domain.messages import CleaningMessage, LargeBatchMessage
from backend.ports import JobProgressStore, LeasedMessage, LeasedQueue, RunState, SparkJobs
from backend.services.draining import DrainStep, LargeQueueDrainer
from backend.services.poisoning import PoisonRecorder
from backend.settings import Settings
from tests.fakes import InMemoryJobProgress, InMemoryLeasedQueue, InMemorySparkJobs, SetClock

USER, DATASET = "a" * 32, "dataset"
NOW = datetime(2026, 11, 22, 21, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
COUNTS = Counts(records_in=3, silver_rows=2, duplicates_removed=1, quarantined=0)


def job_id(number: int) -> str:
    return f"{number:032x}"


def queued_job(number: int = 1) -> Job:
    return Job(
        user_id=USER,
        job_id=job_id(number),
        parent_job_id=DATASET,
        job_name="a job",
        kind=JobKind.CLEAN,
        status=JobStatus.QUEUED,
        stage="waiting for a worker",
        record_count=20_000,
        as_of=NOW,
        submitted_at=NOW,
        processing_path=ProcessingPath.LARGE_BATCH,
        queue_name="large",
    )


def message_of(job: Job) -> bytes:
    """What the API puts on the queue."""
    return CleaningMessage(
        user_id=job.user_id,
        job_id=job.job_id,
        parent_job_id=job.parent_job_id,
        as_of=job.as_of,
        processing_path=ProcessingPath.LARGE_BATCH,
        submission=job.submission,
    ).encode()


class World:
    """A queue, the jobs that it is about, and Spark, all at one time."""

    def __init__(self) -> None:
        self.clock = SetClock(NOW)
        self.queue = InMemoryLeasedQueue(self.clock)
        self.jobs = InMemoryJobProgress()
        self.spark = InMemorySparkJobs()

    def drainer(
        self,
        queue: LeasedQueue | None = None,
        jobs: JobProgressStore | None = None,
        spark: SparkJobs | None = None,
    ) -> LargeQueueDrainer:
        poisoning = PoisonRecorder(jobs or self.jobs, self.clock)
        return LargeQueueDrainer(
            queue or self.queue,
            jobs or self.jobs,
            spark or self.spark,
            poisoning,
            max_runs=3,
            clock=self.clock,
        )

    def step(self, later: timedelta = timedelta(0)) -> DrainStep:
        self.clock.advance(later)
        return self.drainer().step()

    def send(self, number: int = 1) -> str:
        """Submit a job; its message's id."""
        job = queued_job(number)
        self.jobs.add(job)
        return self.queue.send(message_of(job))

    def job(self, number: int = 1) -> Job:
        return self.jobs.rows[USER, job_id(number)]

    def message(self, message_id: str) -> LargeBatchMessage:
        return LargeBatchMessage.decode(self.queue.body(message_id))

    def change(self, change: Callable[[Job], Job], number: int = 1) -> None:
        self.jobs.update(USER, job_id(number), change)

    def end_run(self, state: RunState, change: Callable[[Job], Job] = lambda job: job) -> None:
        """The one run that goes on does something to its job, and ends."""
        (run_id,) = self.spark.running()
        message = self.spark.messages[run_id]
        self.jobs.update(
            message.user_id, message.job_id, lambda job: change(job.started(self.clock(), "cleaning", 9))
        )
        self.spark.states[run_id] = state


def cleaned(job: Job) -> Job:
    return job.cleaned(NOW, COUNTS, 97.5)


def failed(job: Job) -> Job:
    return job.failed(NOW, "a.json: no array at byte 0")


@pytest.fixture
def world() -> World:
    return World()


def test_an_empty_queue_is_told_at_once(world: World) -> None:
    # Spark is not asked, which would say so.
    world.spark.missing = "no Spark"
    assert world.step() == DrainStep(status="empty")


def test_a_queue_whose_messages_somebody_else_has_is_not_empty(world: World) -> None:
    world.send()
    world.queue.lease(1, 60 * SECOND)
    assert world.step() == DrainStep(status="working")


def test_a_fresh_message_starts_a_run_and_remembers_it(world: World) -> None:
    message_id = world.send()
    assert world.step() == DrainStep(started=1)
    run_id = f"run {job_id(1)}-0-1"
    assert world.spark.running() == [run_id]
    assert (world.message(message_id).run_id, world.message(message_id).attempt) == (run_id, 1)
    assert (world.job().status, world.job().stage) == (JobStatus.QUEUED, "waiting for Spark to begin")


@pytest.mark.parametrize("ended", [cleaned, failed])
def test_a_job_that_has_ended_before_its_message_is_looked_at_has_no_run(
    world: World, ended: Callable[[Job], Job]
) -> None:
    world.send()
    world.change(ended)
    job = world.job()
    assert world.step() == DrainStep(finished=1)
    assert world.queue.is_empty()
    assert world.queue.poisoned == []
    assert world.spark.states == {}
    assert world.job() == job


def test_a_run_that_begins_before_the_step_has_said_so_is_not_set_back(world: World) -> None:
    class JobsOfAQuickRun(InMemoryJobProgress):
        def update(self, user_id: str, job_id: str, change: Callable[[Job], Job]) -> Job:
            super().update(user_id, job_id, lambda job: job.started(NOW, "reading bronze", 9))
            return super().update(user_id, job_id, change)

    world.jobs = JobsOfAQuickRun()
    world.send()
    assert world.step() == DrainStep(started=1)
    assert (world.job().status, world.job().stage) == (JobStatus.PROCESSING, "reading bronze")


def test_a_run_that_goes_on_keeps_its_message(world: World) -> None:
    message_id = world.send()
    world.step()
    before = world.queue.contents[message_id]
    assert [world.step(2 * SECOND) for _ in range(3)] == 3 * [DrainStep(running=1)]
    assert world.queue.contents == {message_id: before}


def test_the_message_of_a_completed_job_is_deleted(world: World) -> None:
    world.send()
    world.step()
    world.end_run(RunState.SUCCEEDED, cleaned)
    assert world.step(2 * SECOND) == DrainStep(finished=1)
    assert world.step(2 * SECOND) == DrainStep(status="empty")
    assert world.queue.poisoned == []


def test_the_message_of_a_job_that_no_attempt_can_mend_is_deleted(world: World) -> None:
    world.send()
    world.step()
    world.end_run(RunState.SUCCEEDED, failed)
    assert world.step(2 * SECOND) == DrainStep(finished=1)
    assert world.queue.is_empty()
    assert world.queue.poisoned == []
    assert (world.job().error, world.job().attempts) == ("a.json: no array at byte 0", 1)


@pytest.mark.parametrize("state", [RunState.FAILED, RunState.SUCCEEDED])
def test_a_run_that_ends_without_a_result_is_followed_by_another(world: World, state: RunState) -> None:
    message_id = world.send()
    world.step()
    world.end_run(state)
    assert world.step(2 * SECOND) == DrainStep(retried=1)
    assert (world.message(message_id).attempt, world.message(message_id).run_id) == (2, None)
    assert world.job().status is JobStatus.PROCESSING
    assert world.job().stage == "waiting for another attempt"
    assert world.job().error == "the Spark run ended without a result"
    assert world.step(10 * SECOND) == DrainStep(started=1)
    assert world.spark.running() == [f"run {job_id(1)}-0-2"]


def test_a_run_that_ends_its_job_in_the_last_moment_is_not_followed_by_another(world: World) -> None:
    world.send()
    world.step()

    class LateSpark(InMemorySparkJobs):
        def state(self, run_id: str) -> RunState:
            world.change(cleaned)
            return super().state(run_id)

    world.clock.advance(2 * SECOND)
    assert world.drainer(spark=LateSpark()).step() == DrainStep(finished=1)
    assert world.job().status is JobStatus.LOADING


def test_the_reason_that_a_run_gave_is_kept(world: World) -> None:
    world.send()
    world.step()
    world.end_run(RunState.FAILED, lambda job: job.attempt_failed(NOW, "OSError: the disk is full"))
    world.step(2 * SECOND)
    assert world.job().error == "OSError: the disk is full"


def test_the_pauses_before_further_attempts_grow_until_the_fifth_has_failed(world: World) -> None:
    message_id = world.send()
    pauses = []
    for _ in range(4):
        world.step()
        world.end_run(RunState.FAILED)
        world.step(2 * SECOND)
        pauses.append(world.queue.hidden_for(message_id))
        world.clock.advance(pauses[-1])
    world.step()
    last = world.queue.contents[message_id]
    world.end_run(RunState.FAILED)
    assert pauses == [10 * SECOND, 20 * SECOND, 30 * SECOND, 40 * SECOND]
    assert world.step(2 * SECOND) == DrainStep(poisoned=1)
    assert world.queue.is_empty()
    assert world.queue.poisoned == [last]
    assert (world.job().status, world.job().attempts) == (JobStatus.FAILED, 5)
    assert world.job().error == "the Spark run ended without a result"
    assert world.job().finished_at == world.clock()


def test_the_message_of_a_job_that_its_fifth_run_has_failed_is_poisoned(world: World) -> None:
    world.send()
    for _ in range(4):
        world.step(40 * SECOND)
        world.end_run(RunState.FAILED)
        world.step(2 * SECOND)
    world.step(40 * SECOND)
    world.end_run(RunState.FAILED, lambda job: job.failed(NOW, "OSError: the disk is full"))
    assert world.step(2 * SECOND) == DrainStep(poisoned=1)
    assert len(world.queue.poisoned) == 1
    assert world.job().error == "OSError: the disk is full"


def test_a_job_that_is_given_up_says_why_its_last_run_failed(world: World) -> None:
    world.send()
    for disk in range(1, 6):

        def fills_a_disk(job: Job, disk: int = disk) -> Job:
            return job.attempt_failed(NOW, f"OSError: disk {disk} is full")

        world.step(40 * SECOND)
        world.end_run(RunState.FAILED, fills_a_disk)
        world.step(2 * SECOND)
    assert (world.job().status, world.job().error) == (JobStatus.FAILED, "OSError: disk 5 is full")


def test_no_more_than_three_runs_are_active_and_the_others_wait_and_say_so(world: World) -> None:
    for number in range(1, 8):
        world.send(number)
    assert world.step() == DrainStep(started=3, waiting=4)
    assert len(world.spark.running()) == 3
    stage = "waiting for Spark: as many datasets as fit are being cleaned"
    assert [world.job(number).stage for number in (4, 5, 6, 7)] == 4 * [stage]
    assert world.step(2 * SECOND) == DrainStep(running=3, waiting=4)
    world.spark.states[world.spark.running()[0]] = RunState.SUCCEEDED
    world.change(cleaned)
    assert world.step(2 * SECOND) == DrainStep(finished=1, running=2, started=1, waiting=3)


def test_however_many_messages_there_are_each_is_looked_at_and_each_job_has_one_run(world: World) -> None:
    for number in range(1, 41):
        world.send(number)
    assert world.step() == DrainStep(started=3, waiting=37)
    for _ in range(40):
        for run_id in world.spark.running():
            world.spark.states[run_id] = RunState.SUCCEEDED
            world.change(cleaned, int(world.spark.messages[run_id].job_id, 16))
        if world.step(2 * SECOND).status == "empty":
            break
    assert world.queue.is_empty()
    assert sorted(world.spark.states) == [f"run {job_id(number)}-0-1" for number in range(1, 41)]
    assert {job.status for job in world.jobs.rows.values()} == {JobStatus.LOADING}


def test_a_step_ends_after_a_second_and_the_next_one_goes_on_where_it_stopped(world: World) -> None:
    class SlowQueue(InMemoryLeasedQueue):
        def lease(self, limit: int, duration: timedelta) -> list[LeasedMessage]:
            world.clock.advance(0.4 * SECOND)
            return super().lease(limit, duration)

    world.queue = SlowQueue(world.clock)
    world.spark.missing = "no Java on this machine"
    for number in range(1, 41):
        world.send(number)
    looks = [world.step(2 * SECOND).waiting for _ in range(5)]
    assert looks == 5 * [9]
    assert {world.job(number).stage for number in range(1, 41)} == {
        "waiting for Spark: no Java on this machine"
    }


def test_runs_that_somebody_else_started_count_too(world: World) -> None:
    world.spark.states = dict.fromkeys(["one", "two", "three"], RunState.RUNNING)
    world.send()
    assert world.step() == DrainStep(waiting=1)


def test_a_job_that_waits_for_spark_says_what_is_missing_and_loses_no_attempt(world: World) -> None:
    message_id = world.send()
    world.spark.missing = "no Java on this machine"
    for _ in range(10):
        step = world.step(2 * SECOND)
        assert step == DrainStep(waiting=1, waiting_for="no Java on this machine")
    assert world.message(message_id).attempt == 1
    job = world.job()
    assert (job.status, job.attempts, job.error) == (JobStatus.QUEUED, 0, None)
    assert job.stage == "waiting for Spark: no Java on this machine"
    # Said once, and not at every look.
    assert len(world.jobs.updates) == 1
    world.spark.missing = None
    assert world.step(2 * SECOND) == DrainStep(started=1)
    assert world.job().stage == "waiting for Spark to begin"


def test_without_settings_for_databricks_jobs_wait_and_say_which_are_missing(world: World) -> None:
    settings = Settings.from_environment({"AZURE_STORAGE_ACCOUNT": "orders"})
    spark = build_services(settings).spark_jobs
    followed = world.send(1)
    world.step()
    fresh = world.send(2)
    world.clock.advance(2 * SECOND)
    missing = "the large path needs DATABRICKS_HOST and DATABRICKS_JOB_ID to be set"
    assert world.drainer(spark=spark).step() == DrainStep(waiting=2, waiting_for=missing)
    assert {world.job(1).stage, world.job(2).stage} == {f"waiting for Spark: {missing}"}
    assert (world.message(followed).run_id, world.message(fresh).attempt) == (f"run {job_id(1)}-0-1", 1)
    assert world.step(2 * SECOND) == DrainStep(started=1, running=1)


def test_a_run_that_can_not_be_started_though_runs_are_counted_is_started_later(world: World) -> None:
    class CountingSpark(InMemorySparkJobs):
        def start(self, message: LargeBatchMessage) -> str:
            raise Unavailable(f"the workspace has no job for {message.job_id}")

    message_id = world.send()
    missing = f"the workspace has no job for {job_id(1)}"
    assert world.drainer(spark=CountingSpark()).step() == DrainStep(waiting=1, waiting_for=missing)
    assert (world.message(message_id).attempt, world.message(message_id).run_id) == (1, None)
    assert (world.job().status, world.job().stage) == (JobStatus.QUEUED, f"waiting for Spark: {missing}")
    assert world.step(2 * SECOND) == DrainStep(started=1)


def test_a_run_that_can_not_be_watched_at_present_is_watched_later(world: World) -> None:
    message_id = world.send()
    world.step()
    before = world.queue.contents[message_id]
    world.change(lambda job: job.started(NOW, "cleaning", 9))
    world.spark.missing = "Databricks does not answer"
    assert world.step(2 * SECOND) == DrainStep(waiting=1, waiting_for="Databricks does not answer")
    assert (world.job().status, world.job().stage) == (JobStatus.PROCESSING, "cleaning")
    assert world.queue.contents[message_id] == before
    world.spark.missing = None
    assert world.step(2 * SECOND) == DrainStep(running=1)


def test_a_message_that_can_not_be_read_fails_the_job_that_it_names_and_is_poisoned(world: World) -> None:
    world.jobs.add(queued_job())
    ids = {"userId": USER, "jobId": job_id(1), "parentJobId": DATASET}
    message_id = world.queue.send(json.dumps(ids).encode())
    content = world.queue.contents[message_id]
    assert world.step() == DrainStep(poisoned=1)
    assert world.queue.poisoned == [content]
    assert world.queue.is_empty()
    assert world.job().status is JobStatus.FAILED
    assert world.job().error == "not a LargeBatchMessage: Object missing required field `asOf`"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("not Base64!", "not Base64"),
        ("e30=", "Object missing required field `userId`"),
        ("/w==", "not a LargeBatchMessage"),
    ],
)
def test_a_message_that_names_nobody_is_poisoned_as_it_came_and_keeps_nobody_waiting(
    world: World, caplog: pytest.LogCaptureFixture, content: str, reason: str
) -> None:
    world.queue.send_content(content)
    world.send()
    assert world.step() == DrainStep(poisoned=1, started=1)
    assert world.queue.poisoned == [content]
    assert any("message-1 goes to the poison queue" in line and reason in line for line in caplog.messages)


def test_a_message_of_a_job_that_does_not_exist_is_poisoned(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.queue.send(message_of(queued_job()))
    assert world.step() == DrainStep(poisoned=1)
    assert len(world.queue.poisoned) == 1
    assert caplog.messages == [f"message message-1 goes to the poison queue: there is no job {job_id(1)}"]


def test_a_job_that_is_deleted_while_it_is_looked_at_does_not_stop_the_others(world: World) -> None:
    world.send(1)
    world.step()
    world.spark.states[world.spark.running()[0]] = RunState.FAILED

    class JobsThatForget(InMemoryJobProgress):
        def get(self, user_id: str, job_id: str) -> Job | None:
            return super().get(user_id, job_id) or queued_job(1)

    jobs = JobsThatForget([queued_job(2)])
    world.queue.send(message_of(queued_job(2)))
    world.clock.advance(2 * SECOND)
    assert world.drainer(jobs=jobs).step() == DrainStep(started=1)
    assert list(world.queue.contents) == ["message-1", "message-2"]
    # The next look finds that there is no such job.
    world.jobs = InMemoryJobProgress([queued_job(2)])
    assert world.step(60 * SECOND) == DrainStep(poisoned=1, running=1)


def test_a_message_whose_lease_is_lost_is_left_to_whoever_has_it(world: World) -> None:
    class SlowSpark(InMemorySparkJobs):
        """Takes longer than the lease to start a run; meanwhile another step finds the message."""

        def start(self, message: LargeBatchMessage) -> str:
            run_id = world.spark.start(message)
            if message.job_id == job_id(1):
                world.clock.advance(61 * SECOND)
                world.queue.lease(1, 60 * SECOND)
            return run_id

    first, second = world.send(1), world.send(2)
    assert world.drainer(spark=SlowSpark()).step() == DrainStep(started=1)
    assert world.message(first).run_id is None
    assert world.message(second).run_id == f"run {job_id(2)}-0-1"
    # Whoever has it now comes to the same run.
    assert world.step(61 * SECOND) == DrainStep(started=1, running=1)
    assert list(world.spark.states) == [f"run {job_id(1)}-0-1", f"run {job_id(2)}-0-1"]


def test_what_goes_wrong_with_one_message_does_not_stop_the_others_and_is_told(world: World) -> None:
    class BrokenRow(InMemoryJobProgress):
        def get(self, user_id: str, wanted: str) -> Job | None:
            if wanted == job_id(1):
                raise TypeError("the row can't be read")
            return super().get(user_id, wanted)

    jobs = BrokenRow(map(queued_job, (1, 2, 3)))
    for number in (1, 2, 3):
        world.queue.send(message_of(queued_job(number)))
    with pytest.RaisesGroup(pytest.RaisesExc(TypeError, match="the row can't be read")):
        world.drainer(jobs=jobs).step()
    assert len(world.spark.running()) == 2
    # It comes again no sooner than its lease runs out.
    world.clock.advance(2 * SECOND)
    assert world.drainer(jobs=jobs).step() == DrainStep(running=2)


def test_messages_that_a_failure_left_for_the_next_step_are_looked_at_then(world: World) -> None:
    class BrokenRow(InMemoryJobProgress):
        def get(self, user_id: str, wanted: str) -> Job | None:
            if wanted == job_id(1):
                raise TypeError("the row can't be read")
            return super().get(user_id, wanted)

    jobs = BrokenRow(map(queued_job, range(1, 9)))
    for number in range(1, 9):
        world.queue.send(message_of(queued_job(number)))
    with pytest.RaisesGroup(TypeError):
        world.drainer(jobs=jobs).step()
    world.clock.advance(2 * SECOND)
    assert world.drainer(jobs=jobs).step() == DrainStep(running=2, started=1, waiting=4)


def test_a_job_whose_message_was_sent_twice_has_one_run(world: World) -> None:
    world.send()
    world.queue.send(message_of(queued_job()))
    assert world.step() == DrainStep(started=2)
    assert len(world.spark.states) == 1
    world.end_run(RunState.FAILED)
    assert world.step(2 * SECOND) == DrainStep(retried=2)
    assert world.step(10 * SECOND) == DrainStep(started=2)
    assert len(world.spark.states) == 2
    world.end_run(RunState.SUCCEEDED, cleaned)
    assert world.step(2 * SECOND) == DrainStep(finished=2)
    assert world.queue.is_empty()


@pytest.mark.parametrize("seen_as", [JobStatus.QUEUED, JobStatus.PROCESSING])
def test_the_message_before_a_retry_is_not_followed(world: World, seen_as: JobStatus) -> None:
    earlier = world.send()
    world.step()
    world.end_run(RunState.SUCCEEDED, failed)
    # The owner has mended the part and is quicker than the next step.
    world.change(lambda job: job.queued(NOW, ProcessingPath.LARGE_BATCH, "large", "waiting for a worker"))
    if seen_as is JobStatus.PROCESSING:
        world.change(lambda job: job.started(NOW, "reading bronze", 9))
    later = world.queue.send(message_of(world.job()))
    assert world.step(2 * SECOND) == DrainStep(finished=1, started=1)
    assert earlier not in world.queue.contents
    assert world.message(later).run_id == f"run {job_id(1)}-1-1"
    assert (world.job().status, world.job().error) == (seen_as, None)


class Died(BaseException):
    """The process that took the step is gone."""


class Fuse:
    """Burns at one of the calls that a process makes: before it has an effect, or after."""

    def __init__(self, calls: int, *, after: bool) -> None:
        self.left = calls
        self.after = after

    def burns(self) -> bool:
        self.left -= 1
        return self.left == 0


class Brittle:
    """Something outside whose caller dies at one of its calls."""

    def __init__(self, part: object, fuse: Fuse) -> None:
        self._part = part
        self._fuse = fuse

    def __getattr__(self, name: str) -> Callable[..., object]:
        def call(*arguments: object) -> object:
            burns = self._fuse.burns()
            if burns and not self._fuse.after:
                raise Died
            result = getattr(self._part, name)(*arguments)
            if burns:
                raise Died
            return result

        return call


def drain(world: World, fuse: Fuse, *runs: Callable[[Job], Job]) -> None:
    """Take steps, one of which dies, until the queue is empty; each run does to its job what `runs` says."""
    drainer = world.drainer(
        cast("LeasedQueue", Brittle(world.queue, fuse)),
        cast("JobProgressStore", Brittle(world.jobs, fuse)),
        cast("SparkJobs", Brittle(world.spark, fuse)),
    )
    ends = iter(runs)
    for _ in range(20):
        with suppress(Died):
            drainer.step()
        if world.queue.is_empty():
            return
        if world.spark.running():
            world.end_run(RunState.FAILED, next(ends))
        # All leases have run out, and all pauses.
        world.clock.advance(60 * SECOND)
    raise AssertionError("the queue is never empty")


def dies(job: Job) -> Job:
    return job


def worlds_where_a_step_dies(*, after: bool) -> Iterator[tuple[World, Fuse]]:
    """One for each call that is made until the queue is empty."""
    for calls in itertools.count(1):
        fuse = Fuse(calls, after=after)
        yield World(), fuse
        if fuse.left > 0:
            assert calls > 5
            return


@pytest.mark.parametrize("after", [False, True])
def test_wherever_a_step_dies_each_attempt_is_one_run_and_the_job_ends(after: bool) -> None:
    for world, fuse in worlds_where_a_step_dies(after=after):
        world.send()
        drain(world, fuse, dies, dies, cleaned)
        assert list(world.spark.states) == [f"run {job_id(1)}-0-{attempt}" for attempt in (1, 2, 3)]
        assert (world.job().status, world.job().attempts, world.job().error) == (
            JobStatus.LOADING,
            3,
            None,
        )
        assert world.queue.poisoned == []


@pytest.mark.parametrize("after", [False, True])
def test_wherever_a_step_dies_a_job_that_always_fails_has_five_runs_and_is_poisoned(after: bool) -> None:
    for world, fuse in worlds_where_a_step_dies(after=after):
        world.send()
        drain(world, fuse, *5 * [dies])
        assert len(world.spark.states) == 5
        assert (world.job().status, world.job().attempts) == (JobStatus.FAILED, 5)
        assert world.job().error == "the Spark run ended without a result"
        assert len(set(world.queue.poisoned)) == 1


@pytest.mark.parametrize("after", [False, True])
def test_wherever_a_step_dies_nobody_waits_for_a_message_that_can_not_be_read(after: bool) -> None:
    for world, fuse in worlds_where_a_step_dies(after=after):
        ids = {"userId": USER, "jobId": job_id(1), "parentJobId": DATASET}
        message_id = world.queue.send(json.dumps(ids).encode())
        content = world.queue.contents[message_id]
        world.send(1)
        drain(world, fuse)
        assert world.job().status is JobStatus.FAILED
        assert set(world.queue.poisoned) == {content}


def test_a_step_that_dies_between_the_poison_queue_and_the_queue_is_made_up_for(world: World) -> None:
    class HalfPoisoned(InMemoryLeasedQueue):
        def delete(self, message: LeasedMessage) -> None:
            if fuse.burns():
                raise Died
            super().delete(message)

    fuse = Fuse(1, after=False)
    world.queue = HalfPoisoned(world.clock)
    world.queue.send_content("not Base64!")
    with pytest.raises(Died):
        world.step()
    assert world.step(60 * SECOND) == DrainStep(poisoned=1)
    assert world.queue.is_empty()
    assert world.queue.poisoned == 2 * ["not Base64!"]
