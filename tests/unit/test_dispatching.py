from dataclasses import replace

import pytest

from backend.data_routing import DataRouter
from backend.domain.errors import NotFound
from backend.domain.jobs import Job, JobKind, JobStatus, ProcessingPath
from backend.domain.messages import CleaningMessage
from backend.services.dispatching import NOT_SENT, JobDispatcher
from tests.fakes import InMemoryJobProgress, InMemoryQueues, SetClock

USER, JOB, DATASET = "1" * 32, "2" * 32, "3" * 32
NOW = SetClock().now


class Desk:
    """A dispatcher with one job, and the queues it sends to."""

    def __init__(self, status: JobStatus, record_count: int = 10) -> None:
        self.queues = InMemoryQueues()
        self.job = Job(
            user_id=USER,
            job_id=JOB,
            parent_job_id=DATASET,
            job_name="clean",
            kind=JobKind.CLEAN,
            status=status,
            stage="before",
            record_count=record_count,
            as_of=NOW,
            submitted_at=NOW,
        )
        self.jobs = InMemoryJobProgress([self.job])
        self.dispatcher = JobDispatcher(
            self.jobs, DataRouter(self.queues, 10, "small-batch-queue", "large-batch-queue"), SetClock(NOW)
        )

    def sent(self, queue_name: str) -> list[CleaningMessage]:
        return [CleaningMessage.decode(body) for body in self.queues.bodies[queue_name]]


@pytest.mark.parametrize(
    ("status", "submission"), [(JobStatus.QUEUED, 0), (JobStatus.GENERATING, 0), (JobStatus.FAILED, 1)]
)
def test_a_job_that_waits_is_queued_and_sent(status: JobStatus, submission: int) -> None:
    desk = Desk(status)
    job = desk.dispatcher.dispatch(USER, JOB)
    assert (job.status, job.processing_path, job.queue_name) == (
        JobStatus.QUEUED,
        ProcessingPath.SMALL_BATCH,
        "small-batch-queue",
    )
    assert desk.jobs.get(USER, JOB) == job
    assert desk.sent("small-batch-queue") == [
        CleaningMessage(
            user_id=USER,
            job_id=JOB,
            parent_job_id=DATASET,
            as_of=NOW,
            processing_path=ProcessingPath.SMALL_BATCH,
            submission=submission,
        )
    ]


@pytest.mark.parametrize(
    ("records", "queue_name"),
    [(0, "small-batch-queue"), (10, "small-batch-queue"), (11, "large-batch-queue")],
)
def test_the_record_count_decides_the_queue(records: int, queue_name: str) -> None:
    desk = Desk(JobStatus.QUEUED, records)
    assert desk.dispatcher.dispatch(USER, JOB).queue_name == queue_name
    assert len(desk.sent(queue_name)) == 1


@pytest.mark.parametrize("status", [JobStatus.PROCESSING, JobStatus.LOADING, JobStatus.COMPLETED])
def test_a_job_that_a_worker_has_is_left_as_it_is(status: JobStatus) -> None:
    desk = Desk(status)
    assert desk.dispatcher.dispatch(USER, JOB) == desk.job
    assert desk.queues.bodies == {}


def test_a_worker_that_is_quicker_than_the_row_is_not_undone(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(JobStatus.GENERATING)
    send = desk.queues.send

    def send_and_start(queue_name: str, body: bytes) -> str:
        desk.jobs.update(USER, JOB, lambda job: job.started(NOW, "reading bronze", 9))
        return send(queue_name, body)

    monkeypatch.setattr(desk.queues, "send", send_and_start)
    job = desk.dispatcher.dispatch(USER, JOB)
    assert (job.status, job.queue_name) == (JobStatus.PROCESSING, "small-batch-queue")


def test_the_message_of_a_retry_is_not_the_one_before_it_however_often_it_is_sent() -> None:
    desk = Desk(JobStatus.FAILED)
    desk.jobs.update(USER, JOB, lambda job: replace(job, attempts=5))
    first = desk.dispatcher.dispatch(USER, JOB)
    second = desk.dispatcher.dispatch(USER, JOB)
    assert (first.submission, second.submission) == (5, 5)
    assert [message.submission for message in desk.sent("small-batch-queue")] == [5, 5]


def test_a_retry_that_has_to_wait_for_its_data_is_another_submission_too() -> None:
    desk = Desk(JobStatus.FAILED)
    desk.jobs.update(USER, JOB, lambda job: replace(job, attempts=2).waiting_for_data(NOW, "generating"))
    desk.dispatcher.dispatch(USER, JOB)
    assert [message.submission for message in desk.sent("small-batch-queue")] == [2]


def test_each_retry_is_another_submission_also_when_no_worker_had_begun() -> None:
    job = Desk(JobStatus.FAILED).jobs.get(USER, JOB)
    assert job is not None
    once = job.queued(NOW, ProcessingPath.LARGE_BATCH, "large", "queued")
    twice = replace(once, status=JobStatus.FAILED).waiting_for_data(NOW, "waiting")
    assert (once.submission, twice.submission) == (1, 2)


def test_a_job_that_is_passed_on_is_still_the_same_submission() -> None:
    started = Desk(JobStatus.QUEUED).job.started(NOW, "reading bronze", 9)
    passed_on = started.queued(NOW, ProcessingPath.LARGE_BATCH, "large-batch-queue", "passed on")
    assert (passed_on.attempts, passed_on.submission) == (1, 0)


def test_a_job_that_does_not_exist_is_not_found() -> None:
    with pytest.raises(NotFound):
        Desk(JobStatus.QUEUED).dispatcher.dispatch(USER, "9" * 32)


def test_a_new_job_that_can_not_be_sent_has_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(JobStatus.QUEUED)
    desk.jobs.rows.clear()

    def refuse(queue_name: str, body: bytes) -> str:
        raise ConnectionError(f"{queue_name} does not answer to {len(body)} bytes")

    monkeypatch.setattr(desk.queues, "send", refuse)
    with pytest.raises(ConnectionError):
        desk.dispatcher.add_and_send(desk.job)
    job = desk.jobs.get(USER, JOB)
    assert job is not None
    assert (job.status, job.error) == (JobStatus.FAILED, NOT_SENT)
