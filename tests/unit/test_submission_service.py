from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from backend.data_routing import DataRouter
from backend.domain.datasets import Dataset, DatasetStatus
from backend.domain.errors import Conflict, InvalidRequest, NotFound, TooManyOpenJobs
from backend.domain.identifiers import is_job_id
from backend.domain.jobs import Job, JobKind, JobStatus, ProcessingPath
from backend.ports import IdempotencyClaim
from backend.services.bronze_counting import BronzeCounter
from backend.services.dispatching import JobDispatcher
from backend.services.generation import GenerationService
from backend.services.open_job_limit import OpenJobLimit
from backend.services.submission import CleaningRequest, SubmissionService
from tests.fakes import (
    InMemoryDatasets,
    InMemoryFileSystem,
    InMemoryIdempotency,
    InMemoryJobProgress,
    InMemoryQueues,
    SetClock,
)

USER = "a" * 32
OTHER = "b" * 32
NOW = datetime(2026, 11, 22, 21, 0, tzinfo=UTC)


class BrokenQueues(InMemoryQueues):
    """Queues that answer nothing while `broken`."""

    broken = False

    def send(self, queue_name: str, body: bytes) -> str:
        if self.broken:
            raise ConnectionError("no answer")
        return super().send(queue_name, body)


@dataclass
class World:
    jobs: InMemoryJobProgress = field(default_factory=InMemoryJobProgress)
    datasets: InMemoryDatasets = field(default_factory=InMemoryDatasets)
    bronze: InMemoryFileSystem = field(default_factory=InMemoryFileSystem)
    queues: BrokenQueues = field(default_factory=BrokenQueues)
    idempotency: InMemoryIdempotency = field(default_factory=InMemoryIdempotency)
    clock: SetClock = field(default_factory=SetClock)

    def router(self) -> DataRouter:
        return DataRouter(self.queues, 10, "small", "large")

    def dispatcher(self) -> JobDispatcher:
        return JobDispatcher(self.jobs, self.router(), self.clock)

    def generation(self) -> GenerationService:
        return GenerationService(
            self.bronze,
            self.jobs,
            self.datasets,
            self.queues,
            self.dispatcher(),
            OpenJobLimit(self.jobs, most=3),
            queue_name="generate",
            batch_size=4,
            clock=self.clock,
        )

    def service(self) -> SubmissionService:
        return SubmissionService(
            self.jobs,
            self.datasets,
            self.idempotency,
            BronzeCounter(self.bronze, 10, 1_000),
            self.router(),
            self.dispatcher(),
            self.generation(),
            OpenJobLimit(self.jobs, most=3),
            max_record_count=1_000,
            clock=self.clock,
        )

    def add_dataset(
        self, count: int, status: DatasetStatus = DatasetStatus.READY, **changes: object
    ) -> Dataset:
        dataset = Dataset(USER, "orders", count, 1, status, NOW)
        dataset = replace(dataset, **changes)  # type: ignore[arg-type] # fields of a Dataset
        self.datasets.add(dataset)
        return dataset

    def messages(self, queue_name: str) -> list[dict[str, object]]:
        return [msgspec.json.decode(body) for body in self.queues.bodies[queue_name]]


@pytest.fixture
def world() -> World:
    return World()


def asked(
    data_count: int | None = None, parent_job_id: str | None = None, job_name: str | None = None
) -> CleaningRequest:
    return CleaningRequest(data_count, parent_job_id, job_name)


def test_a_dataset_of_at_most_the_limit_takes_the_small_path_whatever_data_count_says(world: World) -> None:
    world.add_dataset(10)
    accepted = world.service().submit(USER, asked(999, "orders", "Autumn"))
    assert accepted.decision.processing_path is ProcessingPath.SMALL_BATCH
    assert accepted.job == world.jobs.get(USER, accepted.job.job_id)
    job = accepted.job
    assert (job.status, job.kind, job.record_count, job.job_name) == (
        JobStatus.QUEUED,
        JobKind.CLEAN,
        10,
        "Autumn",
    )
    assert (job.processing_path, job.queue_name) == (ProcessingPath.SMALL_BATCH, "small")
    assert world.messages("small") == [
        {
            "userId": USER,
            "jobId": job.job_id,
            "parentJobId": "orders",
            "asOf": "2026-11-22T21:00:00Z",
            "processingPath": "small_batch",
        }
    ]


def test_a_larger_dataset_takes_the_large_path(world: World) -> None:
    world.add_dataset(11)
    accepted = world.service().submit(USER, asked(parent_job_id="orders"))
    assert accepted.decision.processing_path is ProcessingPath.LARGE_BATCH
    assert accepted.job.job_name == "Cleaning of orders"
    assert [message["jobId"] for message in world.messages("large")] == [accepted.job.job_id]
    assert world.messages("small") == []


def test_the_job_is_known_before_its_message_is_sent(world: World) -> None:
    world.add_dataset(1)
    known: list[bool] = []
    send = world.queues.send
    world.queues.send = lambda name, body: known.append(bool(world.jobs.rows)) or send(name, body)  # type: ignore[func-returns-value,method-assign]
    world.service().submit(USER, asked(parent_job_id="orders"))
    assert known == [True]


def test_without_a_dataset_sample_data_is_asked_for_and_the_job_waits(world: World) -> None:
    accepted = world.service().submit(USER, asked(9))
    job = world.jobs.get(USER, accepted.job.job_id)
    assert job is not None
    assert (job.status, job.record_count, job.job_name) == (JobStatus.GENERATING, 9, "9 sample records")
    assert (job.processing_path, job.queue_name) == (ProcessingPath.SMALL_BATCH, "small")
    assert [message["recordCount"] for message in world.messages("generate")] == [4, 4, 1]
    assert world.messages("small") == []
    dataset = world.datasets.get(USER, job.parent_job_id)
    assert dataset is not None
    assert dataset.status is DatasetStatus.GENERATING
    assert dataset.error_rate == 0.05


def test_a_dataset_that_is_being_generated_is_waited_for(world: World) -> None:
    world.add_dataset(9, DatasetStatus.GENERATING, total_chunks=2)
    accepted = world.service().submit(USER, asked(parent_job_id="orders"))
    job = world.jobs.get(USER, accepted.job.job_id)
    assert job is not None
    assert job.status is JobStatus.GENERATING
    assert world.messages("small") == []


def test_a_dataset_whose_last_part_came_meanwhile_is_not_waited_for(world: World) -> None:
    world.add_dataset(9, DatasetStatus.GENERATING, total_chunks=1)
    world.bronze.files[f"{USER}/orders/00000.json"] = b"[]"
    accepted = world.service().submit(USER, asked(parent_job_id="orders"))
    assert [message["jobId"] for message in world.messages("small")] == [accepted.job.job_id]
    job = world.jobs.get(USER, accepted.job.job_id)
    assert job is not None
    assert job.status is JobStatus.QUEUED


def test_a_user_with_too_many_open_jobs_gets_no_more_until_one_has_ended(world: World) -> None:
    world.add_dataset(5)
    request = asked(parent_job_id="orders")
    jobs = [world.service().submit(USER, request).job for _ in range(3)]
    with pytest.raises(TooManyOpenJobs, match="3 of your jobs have not ended yet"):
        world.service().submit(USER, request)
    with pytest.raises(TooManyOpenJobs):
        world.generation().request(USER, 5, 0.1)
    world.jobs.update(USER, jobs[1].job_id, lambda job: job.failed(NOW, "no luck"))
    assert world.service().retry(USER, jobs[1].job_id).status is JobStatus.QUEUED
    assert len(world.messages("small")) == 4


def test_a_tenth_of_the_room_is_given_away_without_counting_and_the_limit_holds(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted_at = []
    count_open = world.jobs.count_open

    def count(user_id: str, most: int) -> int:
        counted_at.append(len(world.jobs.rows))
        return count_open(user_id, most)

    monkeypatch.setattr(world.jobs, "count_open", count)
    limit = OpenJobLimit(world.jobs, most=20)
    for number in range(20):
        limit.check(USER)
        failed_job(world, status=JobStatus.QUEUED, job_id=f"{number:032x}")
    with pytest.raises(TooManyOpenJobs):
        limit.check(USER)
    assert counted_at == [0, 3, 5, 7, 9, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20]


def test_an_idempotency_key_gives_its_job_also_when_no_more_are_taken(world: World) -> None:
    world.add_dataset(5)
    request = asked(parent_job_id="orders")
    [first, *_] = [world.service().submit(USER, request, key).job for key in ("one", "two", "three")]
    assert world.service().submit(USER, request, "one").job.job_id == first.job_id


def test_a_dataset_that_failed_is_a_conflict(world: World) -> None:
    world.add_dataset(9, DatasetStatus.FAILED)
    with pytest.raises(Conflict) as caught:
        world.service().submit(USER, asked(parent_job_id="orders"))
    assert caught.value.code == "dataset_failed"
    assert world.jobs.rows == {}


@pytest.mark.parametrize("parent_job_id", ["unknown", "../orders", "", "a/b", "x" * 129])
def test_an_unknown_dataset_is_not_found_whatever_its_form(world: World, parent_job_id: str) -> None:
    with pytest.raises(NotFound, match="no such dataset"):
        world.service().submit(USER, asked(parent_job_id=parent_job_id))
    assert world.jobs.rows == {}


def test_another_users_dataset_is_not_found(world: World) -> None:
    world.add_dataset(1)
    world.bronze.files[f"{USER}/orders/part.json"] = b"[]"
    with pytest.raises(NotFound):
        world.service().submit(OTHER, asked(parent_job_id="orders"))


@pytest.mark.parametrize(
    ("parts", "count", "path"),
    [
        ({"a.json": b"[1, 2]", "b.json": b"\xef\xbb\xbf[{}]"}, 3, ProcessingPath.SMALL_BATCH),
        ({"a.json": b"[1, 2", "b.json": b"{}", "c.json": b"[3]"}, 1, ProcessingPath.SMALL_BATCH),
        ({"a.json": b"[1]", "notes.txt": b"[1, 2, 3]"}, 1, ProcessingPath.SMALL_BATCH),
        # 11 of what are 22 by size, both parts being as large.
        ({"a.json": b"[1,2,3,4,5,6,7,8,9,0,1]", "b.json": b" " * 23}, 22, ProcessingPath.LARGE_BATCH),
        ({"a.json": b" " * 1_001}, 11, ProcessingPath.LARGE_BATCH),
        ({"a.json": b" " * 60_000}, 20, ProcessingPath.LARGE_BATCH),
    ],
)
def test_a_dataset_that_an_operator_put_into_bronze_is_counted(
    world: World, parts: dict[str, bytes], count: int, path: ProcessingPath
) -> None:
    world.bronze.files = {f"{USER}/orders/{name}": content for name, content in parts.items()}
    accepted = world.service().submit(USER, asked(parent_job_id="orders"))
    assert (accepted.job.record_count, accepted.decision.processing_path) == (count, path)


def test_neither_a_count_nor_a_dataset_is_refused(world: World) -> None:
    with pytest.raises(InvalidRequest, match="dataCount, or parentJobId"):
        world.service().submit(USER, asked())


def test_more_than_the_greatest_count_is_refused(world: World) -> None:
    assert world.service().submit(USER, asked(1_000)).job.record_count == 1_000
    with pytest.raises(InvalidRequest, match="at most 1000"):
        world.service().submit(USER, asked(1_001))


def test_the_same_key_and_request_give_the_same_job_once(world: World) -> None:
    world.add_dataset(5)
    first = world.service().submit(USER, asked(parent_job_id="orders"), "key")
    world.clock.advance(timedelta(hours=1))
    again = world.service().submit(USER, asked(parent_job_id="orders"), "key")
    assert again == first
    assert len(world.messages("small")) == 1


def test_the_same_key_with_another_request_is_a_conflict(world: World) -> None:
    world.add_dataset(5)
    world.service().submit(USER, asked(parent_job_id="orders"), "key")
    with pytest.raises(Conflict) as caught:
        world.service().submit(USER, asked(parent_job_id="orders", job_name="other"), "key")
    assert caught.value.code == "idempotency_conflict"


def test_keys_belong_to_their_user(world: World) -> None:
    first = world.service().submit(USER, asked(5), "key")
    other = world.service().submit(OTHER, asked(5), "key")
    assert first.job.job_id != other.job.job_id


def test_a_call_that_was_broken_off_after_its_claim_is_taken_up_with_the_same_ids(world: World) -> None:
    claim = IdempotencyClaim(asked(5).digest(), "1" * 32, "2" * 32)
    world.idempotency.claim(USER, "key", claim)
    accepted = world.service().submit(USER, asked(5), "key")
    assert (accepted.job.job_id, accepted.job.parent_job_id) == ("1" * 32, "2" * 32)
    assert len(world.messages("generate")) == 2


def test_a_job_whose_message_can_not_be_sent_has_failed_and_says_so(world: World) -> None:
    world.add_dataset(5)
    world.queues.broken = True
    with pytest.raises(ConnectionError):
        world.service().submit(USER, asked(parent_job_id="orders"))
    [job] = world.jobs.rows.values()
    assert (job.status, job.error) == (JobStatus.FAILED, "the job could not be put on its queue")


@pytest.mark.parametrize("request_", [asked(parent_job_id="orders"), asked(5)])
def test_repeating_a_call_that_found_the_queue_broken_sets_the_same_job_going(
    world: World, request_: CleaningRequest
) -> None:
    world.add_dataset(5)
    world.queues.broken = True
    with pytest.raises(ConnectionError):
        world.service().submit(USER, request_, "key")
    world.queues.broken = False
    accepted = world.service().submit(USER, request_, "key")
    [job] = world.jobs.rows.values()
    assert job.job_id == accepted.job.job_id
    assert (job.status is not JobStatus.FAILED, job.error) == (True, None)
    assert len(world.messages("small")) + len(world.messages("generate")) > 0


def test_a_dataset_that_can_not_be_asked_for_fails_its_job_which_can_then_be_retried(world: World) -> None:
    world.queues.broken = True
    with pytest.raises(ConnectionError):
        world.generation().request(USER, 5, error_rate=0.5, seed=7)
    [job] = world.jobs.rows.values()
    assert (job.status, job.error) == (JobStatus.FAILED, "the job could not be put on its queue")
    world.queues.broken = False
    assert world.service().retry(USER, job.job_id).status is JobStatus.GENERATING
    assert [message["seed"] for message in world.messages("generate")] == [7, 7]


def test_a_dataset_whose_upload_has_not_ended_does_not_exist_yet(world: World) -> None:
    world.add_dataset(0, DatasetStatus.UPLOADING)
    with pytest.raises(NotFound, match="there is no such dataset"):
        world.service().submit(USER, CleaningRequest(None, "orders", None))


@pytest.mark.parametrize("data", [DatasetStatus.READY, DatasetStatus.FAILED])
def test_a_retry_that_finds_the_queue_broken_leaves_a_job_that_can_be_retried(
    world: World, data: DatasetStatus
) -> None:
    world.add_dataset(5, data, seed=7, error_rate=0.5, chunk_size=4)
    failed_job(world)
    world.queues.broken = True
    with pytest.raises(ConnectionError):
        world.service().retry(USER, "1" * 32)
    [job] = world.jobs.rows.values()
    assert (job.status, job.error) == (JobStatus.FAILED, "the job could not be put on its queue")
    assert job.finished_at == NOW
    world.queues.broken = False
    assert world.service().retry(USER, "1" * 32).status is not JobStatus.FAILED


def failed_job(world: World, **changes: object) -> Job:
    job = Job(
        user_id=USER,
        job_id="1" * 32,
        parent_job_id="orders",
        job_name="Autumn",
        kind=JobKind.CLEAN,
        status=JobStatus.FAILED,
        stage="failed",
        record_count=5,
        as_of=NOW,
        submitted_at=NOW,
        finished_at=NOW,
        error="no luck",
        attempts=5,
    )
    job = replace(job, **changes)  # type: ignore[arg-type] # fields of a Job
    world.jobs.add(job)
    return job


def test_a_failed_job_goes_back_on_its_queue_with_the_time_of_its_submission(world: World) -> None:
    world.add_dataset(5)
    failed_job(world)
    world.clock.advance(timedelta(days=1))
    job = world.service().retry(USER, "1" * 32)
    assert (job.status, job.error, job.finished_at) == (JobStatus.QUEUED, None, None)
    assert [message["asOf"] for message in world.messages("small")] == ["2026-11-22T21:00:00Z"]


@pytest.mark.parametrize("status", [status for status in JobStatus if status is not JobStatus.FAILED])
def test_a_job_that_has_not_failed_can_not_be_retried(world: World, status: JobStatus) -> None:
    world.add_dataset(5)
    failed_job(world, status=status)
    with pytest.raises(Conflict) as caught:
        world.service().retry(USER, "1" * 32)
    assert caught.value.code == "job_not_failed"
    assert world.queues.bodies == {}


def test_another_users_job_can_not_be_retried(world: World) -> None:
    failed_job(world)
    with pytest.raises(NotFound):
        world.service().retry(OTHER, "1" * 32)


@pytest.mark.parametrize("kind", list(JobKind))
def test_a_job_whose_sample_data_failed_is_retried_with_the_same_data(world: World, kind: JobKind) -> None:
    world.add_dataset(5, DatasetStatus.FAILED, seed=7, error_rate=0.5, chunk_size=4)
    failed_job(world, kind=kind)
    job = world.service().retry(USER, "1" * 32)
    assert job.status is JobStatus.GENERATING
    assert [(message["seed"], message["errorRate"]) for message in world.messages("generate")] == [
        (7, 0.5),
        (7, 0.5),
    ]
    dataset = world.datasets.get(USER, "orders")
    assert dataset is not None
    assert dataset.status is DatasetStatus.GENERATING


def test_a_failed_job_on_an_operators_dataset_goes_back_on_its_queue(world: World) -> None:
    world.bronze.files[f"{USER}/orders/part.json"] = b"[1]"
    failed_job(world)
    assert world.service().retry(USER, "1" * 32).status is JobStatus.QUEUED


def test_new_ids_are_of_their_form(world: World) -> None:
    job = world.service().submit(USER, asked(5)).job
    assert is_job_id(job.job_id)
    assert is_job_id(job.parent_job_id)
    assert job.job_id != job.parent_job_id


@pytest.mark.parametrize("status", [DatasetStatus.READY, DatasetStatus.GENERATING])
def test_a_dataset_that_is_being_deleted_is_not_there(world: World, status: DatasetStatus) -> None:
    world.bronze.files[f"{USER}/orders/part.json"] = b"[1]"
    world.add_dataset(5, status, deleted_at=NOW)
    with pytest.raises(NotFound):
        world.service().submit(USER, asked(parent_job_id="orders"))
    failed_job(world)
    with pytest.raises(NotFound):
        world.service().retry(USER, "1" * 32)
    assert world.queues.bodies == {}


def test_a_job_that_waits_for_data_that_is_deleted_at_the_same_moment_is_withdrawn(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.add_dataset(5, DatasetStatus.GENERATING)
    add = world.jobs.add

    def add_late(job: Job) -> None:
        # Whoever deletes has seen no job yet.
        world.datasets.delete(USER, "orders")
        world.add_dataset(5, deleted_at=NOW)
        add(job)

    monkeypatch.setattr(world.jobs, "add", add_late)
    with pytest.raises(NotFound):
        world.service().submit(USER, asked(parent_job_id="orders"))
    assert world.jobs.rows == {}
    assert world.queues.bodies == {}
