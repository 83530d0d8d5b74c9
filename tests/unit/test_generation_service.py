import json
import re
from collections.abc import Iterable
from pathlib import Path

import pytest

import backend
from backend.data_routing import DataRouter
from backend.domain.datasets import DatasetStatus
from backend.domain.errors import Conflict, InvalidMessage, NotFound
from backend.domain.jobs import Job, JobKind, JobStatus, ProcessingPath
from backend.domain.messages import MAX_DELIVERIES, CleaningMessage, GenerationMessage
from backend.sample_data.generator import generate_chunk
from backend.services.dispatching import JobDispatcher
from backend.services.generation import GenerationService
from backend.services.generation_plan import GenerationPlan
from backend.services.open_job_limit import OpenJobLimit
from tests.fakes import InMemoryDatasets, InMemoryFileSystem, InMemoryJobProgress, InMemoryQueues, SetClock

USER = "1" * 32
JOB = "2" * 32
DATASET = "3" * 32
QUEUE = "data-generation-queue"


class BrokenStorage(InMemoryFileSystem):
    """A container that can be written to only while `works`."""

    works = False

    def write(self, path: str, content: bytes | Iterable[bytes]) -> None:
        if not self.works:
            raise OSError("the disk is full")
        super().write(path, content)


class Factory:
    """A generation service, and what it writes, sends and says."""

    def __init__(
        self, batch_size: int = 4, files: InMemoryFileSystem | None = None, after: "Factory | None" = None
    ) -> None:
        self.files = files or (after.files if after else InMemoryFileSystem())
        self.jobs = after.jobs if after else InMemoryJobProgress()
        self.datasets = after.datasets if after else InMemoryDatasets()
        self.queues = InMemoryQueues()
        self.clock = SetClock()
        router = DataRouter(self.queues, 10, "small-batch-queue", "large-batch-queue")
        self.service = GenerationService(
            self.files,
            self.jobs,
            self.datasets,
            self.queues,
            JobDispatcher(self.jobs, router, self.clock),
            OpenJobLimit(self.jobs, most=3),
            queue_name=QUEUE,
            batch_size=batch_size,
            clock=self.clock,
        )

    def messages(self) -> list[GenerationMessage]:
        return [GenerationMessage.decode(body) for body in self.queues.bodies[QUEUE]]

    def cleaning_messages(self, queue_name: str = "small-batch-queue") -> list[CleaningMessage]:
        return [CleaningMessage.decode(body) for body in self.queues.bodies[queue_name]]

    def cleaning_job(self, record_count: int, job_id: str = JOB) -> Job:
        job = Job(
            user_id=USER,
            job_id=job_id,
            parent_job_id=DATASET,
            job_name="clean",
            kind=JobKind.CLEAN,
            status=JobStatus.GENERATING,
            stage="waiting",
            record_count=record_count,
            as_of=self.clock.now,
            submitted_at=self.clock.now,
        )
        self.jobs.add(job)
        return job

    def job(self, job_id: str = JOB) -> Job:
        job = self.jobs.get(USER, job_id)
        assert job is not None
        return job

    def dataset_status(self, parent_job_id: str = DATASET) -> DatasetStatus:
        dataset = self.datasets.get(USER, parent_job_id)
        assert dataset is not None
        return dataset.status

    def run_all(self) -> None:
        for message in self.messages():
            self.service.run(message, delivery=1)


def requested(factory: Factory, count: int = 10) -> GenerationPlan:
    return factory.service.request(USER, count, error_rate=0.25, seed=7)


class TestRequest:
    def test_plans_one_message_for_each_part(self) -> None:
        factory = Factory()
        plan = requested(factory)
        assert (plan.part_ids, plan.total_count, plan.total_chunks, plan.batch_size, plan.status) == (
            ("00000", "00001", "00002"),
            10,
            3,
            4,
            JobStatus.GENERATING,
        )
        assert [
            (message.part_id, message.chunk_index, message.first_record, message.record_count)
            for message in factory.messages()
        ] == [("00000", 0, 0, 4), ("00001", 1, 4, 4), ("00002", 2, 8, 2)]
        assert {
            (message.job_id, message.parent_job_id, message.total_chunks, message.seed, message.error_rate)
            for message in factory.messages()
        } == {(plan.job_id, plan.parent_job_id, 3, 7, 0.25)}

    def test_shows_a_job_and_a_dataset_that_are_generating(self) -> None:
        factory = Factory()
        plan = requested(factory)
        job = factory.job(plan.job_id)
        assert (job.kind, job.status, job.record_count) == (JobKind.GENERATE, JobStatus.GENERATING, 10)
        assert (job.progress_done, job.progress_total) == (0, 3)
        dataset = factory.datasets.get(USER, plan.parent_job_id)
        assert dataset is not None
        assert (dataset.status, dataset.record_count, dataset.total_chunks) == (
            DatasetStatus.GENERATING,
            10,
            3,
        )

    def test_takes_larger_batches_for_a_large_dataset(self) -> None:
        factory = Factory(batch_size=4)
        plan = requested(factory, 10_000)
        assert (plan.batch_size, plan.total_chunks) == (10, 1_000)

    def test_without_a_seed_gives_the_same_data_for_the_same_job(self) -> None:
        factory = Factory()
        job = factory.cleaning_job(8)
        factory.service.generate_for(job, error_rate=0)
        factory.service.generate_for(job, error_rate=0)
        first, second = factory.messages()[:2], factory.messages()[2:]
        assert first == second
        assert {message.seed for message in first} == {0x22222222}

    def test_messages_stay_small(self) -> None:
        factory = Factory()
        requested(factory)
        assert max(len(body) for body in factory.queues.bodies[QUEUE]) < 400


class TestRun:
    def test_writes_the_part_as_the_generator_makes_it(self) -> None:
        factory = Factory()
        plan = requested(factory)
        factory.service.run(factory.messages()[1], delivery=1)
        assert factory.files.files == {
            f"{USER}/{plan.parent_job_id}/00001.json": generate_chunk(7, 4, 4, 0.25)
        }
        job = factory.job(plan.job_id)
        assert (job.status, job.progress_done, job.progress_total) == (JobStatus.GENERATING, 1, 3)
        assert factory.dataset_status(plan.parent_job_id) is DatasetStatus.GENERATING

    def test_the_last_part_completes_the_dataset_and_its_job(self) -> None:
        factory = Factory()
        plan = requested(factory)
        factory.run_all()
        assert sum(len(json.loads(part)) for part in factory.files.files.values()) == 10
        assert factory.dataset_status(plan.parent_job_id) is DatasetStatus.READY
        job = factory.job(plan.job_id)
        assert (job.status, job.progress_done, job.finished_at) == (JobStatus.COMPLETED, 3, factory.clock.now)

    def test_parts_may_come_in_any_order_and_twice(self) -> None:
        factory = Factory()
        plan = requested(factory)
        first, second, third = factory.messages()
        for message in (third, third, first, second, first):
            factory.service.run(message, delivery=1)
        assert len(factory.files.files) == 3
        assert factory.job(plan.job_id).status is JobStatus.COMPLETED

    def test_the_last_part_sends_the_jobs_that_wait_to_their_queue(self) -> None:
        factory = Factory()
        factory.service.generate_for(factory.cleaning_job(8), error_rate=0, seed=7)
        first, last = factory.messages()
        factory.service.run(first, delivery=1)
        assert factory.cleaning_messages() == []
        assert factory.job().status is JobStatus.GENERATING
        factory.service.run(last, delivery=1)
        assert factory.cleaning_messages() == [
            CleaningMessage(
                user_id=USER,
                job_id=JOB,
                parent_job_id=DATASET,
                as_of=factory.clock.now,
                processing_path=ProcessingPath.SMALL_BATCH,
            )
        ]
        job = factory.job()
        assert (job.status, job.queue_name) == (JobStatus.QUEUED, "small-batch-queue")
        assert job.processing_path is ProcessingPath.SMALL_BATCH

    def test_a_large_dataset_goes_to_the_large_queue(self) -> None:
        factory = Factory()
        factory.service.generate_for(factory.cleaning_job(11), error_rate=0, seed=7)
        factory.run_all()
        assert len(factory.cleaning_messages("large-batch-queue")) == 1
        assert factory.job().queue_name == "large-batch-queue"

    def test_every_job_that_waits_is_sent(self) -> None:
        factory = Factory()
        factory.service.generate_for(factory.cleaning_job(8), error_rate=0, seed=7)
        factory.cleaning_job(8, job_id="4" * 32)
        factory.run_all()
        assert {message.job_id for message in factory.cleaning_messages()} == {JOB, "4" * 32}

    def test_a_job_that_a_worker_has_is_left_alone(self) -> None:
        factory = Factory()
        factory.service.generate_for(factory.cleaning_job(8), error_rate=0, seed=7)
        factory.run_all()
        factory.jobs.update(USER, JOB, lambda job: job.started(factory.clock.now, "reading", 5))
        factory.run_all()
        assert factory.job().status is JobStatus.PROCESSING
        assert len(factory.cleaning_messages()) == 1

    def test_parts_made_at_the_same_time_send_the_job_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        factory = Factory()
        factory.service.generate_for(factory.cleaning_job(8), error_rate=0, seed=7)
        first, last = factory.messages()
        factory.service.run(first, delivery=1)
        send = factory.queues.send

        def send_while_the_other_part_is_made_again(queue_name: str, body: bytes) -> str:
            monkeypatch.setattr(factory.queues, "send", send)
            factory.service.run(first, delivery=1)
            return send(queue_name, body)

        monkeypatch.setattr(factory.queues, "send", send_while_the_other_part_is_made_again)
        factory.service.run(last, delivery=1)
        assert factory.job().status is JobStatus.QUEUED
        assert len(factory.cleaning_messages()) == 1

    def test_a_redelivery_heals_a_crash_before_the_job_was_sent(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        factory = Factory()
        factory.service.generate_for(factory.cleaning_job(4), error_rate=0, seed=7)
        (message,) = factory.messages()
        with monkeypatch.context() as broken:
            broken.setattr(factory.queues, "send", _refuse)
            with pytest.raises(ConnectionError):
                factory.service.run(message, delivery=1)
        assert factory.dataset_status() is DatasetStatus.READY
        assert factory.job().status is JobStatus.GENERATING
        factory.service.run(message, delivery=2)
        assert factory.job().status is JobStatus.QUEUED
        assert len(factory.cleaning_messages()) == 1

    def test_a_job_that_does_not_exist_is_refused(self) -> None:
        factory = Factory()
        requested(factory)
        message = factory.messages()[0]
        factory.jobs.rows.clear()
        with pytest.raises(InvalidMessage, match=f"there is no job {message.job_id}"):
            factory.service.run(message, delivery=1)
        assert factory.files.files == {}

    def test_a_dataset_that_was_deleted_is_not_brought_back(self) -> None:
        factory = Factory()
        plan = requested(factory)
        factory.datasets.delete(USER, plan.parent_job_id)
        with pytest.raises(InvalidMessage, match="there is no dataset"):
            factory.service.run(factory.messages()[0], delivery=1)
        assert factory.files.files == {}


class TestFailure:
    def test_before_the_last_delivery_leaves_the_job_waiting(self) -> None:
        factory = Factory(files=BrokenStorage())
        plan = requested(factory)
        with pytest.raises(OSError, match="the disk is full"):
            factory.service.run(factory.messages()[0], delivery=MAX_DELIVERIES - 1)
        assert factory.job(plan.job_id).status is JobStatus.GENERATING
        assert factory.dataset_status(plan.parent_job_id) is DatasetStatus.GENERATING

    def test_of_the_last_delivery_fails_the_dataset_and_all_jobs_that_wait(self) -> None:
        factory = Factory(files=BrokenStorage())
        factory.service.generate_for(factory.cleaning_job(8), error_rate=0, seed=7)
        factory.cleaning_job(8, job_id="4" * 32)
        with pytest.raises(OSError, match="the disk is full"):
            factory.service.run(factory.messages()[1], delivery=MAX_DELIVERIES)
        assert factory.dataset_status() is DatasetStatus.FAILED
        for job_id in (JOB, "4" * 32):
            job = factory.job(job_id)
            assert job.status is JobStatus.FAILED
            assert job.error is not None
            assert re.fullmatch(
                r"part 00001 could not be generated: OSError: the disk is full \(stack [0-9a-f]{12}\)",
                job.error,
            )

    def test_can_be_mended_by_generating_again(self) -> None:
        files = BrokenStorage()
        factory = Factory(files=files)
        factory.service.generate_for(factory.cleaning_job(8), error_rate=0.5, seed=7)
        with pytest.raises(OSError, match="the disk is full"):
            factory.service.run(factory.messages()[0], delivery=MAX_DELIVERIES)
        files.works = True
        again = factory.service.generate_again(factory.job())
        assert (again.status, again.error) == (JobStatus.GENERATING, None)
        assert factory.messages()[:2] == factory.messages()[2:]
        factory.run_all()
        assert factory.job().status is JobStatus.QUEUED
        assert factory.dataset_status() is DatasetStatus.READY

    def test_makes_the_same_parts_again_also_under_other_settings(self) -> None:
        factory = Factory()
        factory.service.generate_for(factory.cleaning_job(8), error_rate=0, seed=7)
        asked_for = factory.messages()
        factory.service.run(asked_for[0], delivery=1)
        factory.datasets.update(USER, DATASET, lambda dataset: dataset.failed())
        factory.jobs.update(USER, JOB, lambda job: job.failed(factory.clock.now, "given up"))
        resized = Factory(batch_size=8, after=factory)
        resized.service.generate_again(resized.job())
        assert resized.messages() == asked_for
        assert set(factory.files.files) == {f"{USER}/{DATASET}/00000.json"}
        assert factory.dataset_status() is DatasetStatus.GENERATING

    def test_is_mended_by_one_of_two_who_generate_again(self) -> None:
        factory = Factory()
        factory.service.generate_for(factory.cleaning_job(8), error_rate=0, seed=7)
        factory.datasets.update(USER, DATASET, lambda dataset: dataset.failed())
        factory.jobs.update(USER, JOB, lambda job: job.failed(factory.clock.now, "given up"))
        failed = factory.job()
        factory.service.generate_again(failed)
        factory.run_all()
        factory.jobs.update(USER, JOB, lambda job: job.started(factory.clock.now, "reading", 5))
        sent = len(factory.messages())
        assert factory.service.generate_again(failed).status is JobStatus.PROCESSING
        assert (factory.job().status, len(factory.messages())) == (JobStatus.PROCESSING, sent)
        assert factory.dataset_status() is DatasetStatus.READY

    def test_of_a_part_that_has_come_before_leaves_a_complete_dataset_as_it_is(self) -> None:
        files = BrokenStorage()
        files.works = True
        factory = Factory(files=files)
        factory.service.generate_for(factory.cleaning_job(8), error_rate=0, seed=7)
        factory.run_all()
        files.works = False
        with pytest.raises(OSError, match="the disk is full"):
            factory.service.run(factory.messages()[0], delivery=MAX_DELIVERIES)
        assert (factory.dataset_status(), factory.job().status) == (DatasetStatus.READY, JobStatus.QUEUED)

    def test_to_send_a_complete_dataset_on_its_way_does_not_fail_it(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        factory = Factory()
        factory.service.generate_for(factory.cleaning_job(4), error_rate=0, seed=7)
        (message,) = factory.messages()
        monkeypatch.setattr(factory.queues, "send", _refuse)
        with pytest.raises(ConnectionError):
            factory.service.run(message, delivery=MAX_DELIVERIES)
        assert (factory.dataset_status(), factory.job().status) == (
            DatasetStatus.READY,
            JobStatus.GENERATING,
        )

    def test_of_an_upload_can_not_be_mended_by_generating(self) -> None:
        factory = Factory()
        job = factory.cleaning_job(8)
        factory.service.generate_for(job, error_rate=0, seed=7)
        row = factory.datasets.rows[USER, DATASET]
        factory.datasets.rows[USER, DATASET] = type(row)(
            USER, DATASET, 8, 2, DatasetStatus.FAILED, factory.clock.now
        )
        with pytest.raises(Conflict):
            factory.service.generate_again(job)


class TestAdvance:
    def test_sends_a_job_that_was_added_after_the_last_part(self) -> None:
        factory = Factory()
        factory.service.generate_for(factory.cleaning_job(4), error_rate=0, seed=7)
        factory.run_all()
        factory.cleaning_job(4, job_id="4" * 32)
        factory.service.advance(USER, DATASET)
        assert factory.job("4" * 32).status is JobStatus.QUEUED

    def test_needs_a_dataset(self) -> None:
        with pytest.raises(NotFound):
            Factory().service.advance(USER, DATASET)


class TestDeletion:
    def test_of_the_dataset_makes_its_messages_do_nothing(self) -> None:
        factory = Factory()
        factory.service.generate_for(factory.cleaning_job(8), error_rate=0, seed=7)
        factory.datasets.update(USER, DATASET, lambda current: current.deleted(factory.clock.now))
        with pytest.raises(InvalidMessage, match="there is no dataset"):
            factory.service.run(factory.messages()[0], delivery=1)
        with pytest.raises(NotFound):
            factory.service.advance(USER, DATASET)
        assert factory.files.files == {}

    @pytest.mark.parametrize("finished", [False, True])
    def test_while_a_part_is_made_takes_the_part_back(
        self, monkeypatch: pytest.MonkeyPatch, *, finished: bool
    ) -> None:
        factory = Factory()
        factory.service.generate_for(factory.cleaning_job(8), error_rate=0, seed=7)
        write = factory.files.write

        def write_late(path: str, content: bytes | Iterable[bytes]) -> None:
            factory.datasets.update(USER, DATASET, lambda current: current.deleted(factory.clock.now))
            if finished:
                factory.datasets.delete(USER, DATASET)
            write(path, content)

        monkeypatch.setattr(factory.files, "write", write_late)
        with pytest.raises(InvalidMessage, match="there is no dataset"):
            factory.service.run(factory.messages()[0], delivery=1)
        assert factory.files.files == {}

    def test_of_the_dataset_leaves_nothing_to_generate_again(self) -> None:
        factory = Factory()
        job = factory.cleaning_job(8)
        factory.service.generate_for(job, error_rate=0, seed=7)
        factory.datasets.update(USER, DATASET, lambda current: current.deleted(factory.clock.now))
        with pytest.raises(Conflict):
            factory.service.generate_again(job)


class TestMessage:
    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("partId", "../../other/00000"),
            ("partId", ""),
            ("partId", "00000\n"),
            ("seed", -1),
            ("recordCount", 0),
            ("firstRecord", -4),
            ("errorRate", 1.5),
            ("userId", "somebody"),
        ],
    )
    def test_that_could_do_harm_is_refused(self, field: str, value: object) -> None:
        factory = Factory()
        requested(factory)
        body = json.loads(factory.queues.bodies[QUEUE][0])
        with pytest.raises(InvalidMessage):
            GenerationMessage.decode(json.dumps(body | {field: value}).encode())

    def test_is_delivered_as_often_as_the_functions_host_does(self) -> None:
        host = json.loads((Path(backend.__file__).parent / "myfunc" / "host.json").read_bytes())
        assert host["extensions"]["queues"]["maxDequeueCount"] == MAX_DELIVERIES == 5


def _refuse(queue_name: str, body: bytes) -> str:
    raise ConnectionError(f"{queue_name} does not answer to {len(body)} bytes")
