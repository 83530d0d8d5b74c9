import logging
from datetime import UTC, datetime
from types import SimpleNamespace

import azure.functions as func
import pytest
from azure.functions.queue import QueueMessage

from backend.domain.errors import InvalidMessage
from backend.domain.jobs import Job, JobKind, JobStatus
from backend.domain.messages import CleaningMessage
from backend.myfunc import deliveries
from backend.services.poisoning import PoisonRecorder
from tests.fakes import InMemoryJobProgress, SetClock

USER, JOB, DATASET = "a" * 32, "b" * 32, "c" * 32
IDS_ALONE = f'{{"userId": "{USER}", "jobId": "{JOB}", "parentJobId": "{DATASET}"}}'.encode()
NOW = datetime(2026, 11, 22, 21, 0, tzinfo=UTC)


def job(status: JobStatus = JobStatus.QUEUED) -> Job:
    return Job(
        user_id=USER,
        job_id=JOB,
        parent_job_id=DATASET,
        job_name="a job",
        kind=JobKind.CLEAN,
        status=status,
        stage="waiting",
        record_count=1,
        as_of=NOW,
        submitted_at=NOW,
    )


def recorder(jobs: InMemoryJobProgress) -> PoisonRecorder:
    return PoisonRecorder(jobs, SetClock(NOW))


def delivered(body: bytes, dequeue_count: int) -> func.QueueMessage:
    return QueueMessage(body=body, dequeue_count=dequeue_count)


def test_a_job_whose_message_cannot_be_read_has_failed_with_the_reason() -> None:
    jobs = InMemoryJobProgress([job()])

    recorder(jobs).record_undecodable(IDS_ALONE, "asOf is missing")

    row = jobs.rows[USER, JOB]
    assert (row.status, row.error, row.finished_at) == (JobStatus.FAILED, "asOf is missing", NOW)


def test_a_job_that_has_ended_stays_as_it_is() -> None:
    jobs = InMemoryJobProgress([job(JobStatus.COMPLETED)])

    recorder(jobs).record_undecodable(IDS_ALONE, "asOf is missing")

    assert jobs.rows[USER, JOB] == job(JobStatus.COMPLETED)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"not JSON", "names no job"),
        (b'{"userId": "../../etc"}', "names no job"),
        (IDS_ALONE, "names a job that does not exist"),
    ],
)
def test_a_message_of_no_known_job_is_logged(
    body: bytes, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "backend.services.poisoning")

    recorder(InMemoryJobProgress()).record_undecodable(body, "asOf is missing")

    (line,) = caplog.messages
    assert said in line
    assert "asOf is missing" in line


@pytest.mark.parametrize(
    ("dequeue_count", "status"), [(1, JobStatus.QUEUED), (4, JobStatus.QUEUED), (5, JobStatus.FAILED)]
)
def test_only_the_last_delivery_of_an_unreadable_message_fails_its_job(
    monkeypatch: pytest.MonkeyPatch, dequeue_count: int, status: JobStatus
) -> None:
    jobs = InMemoryJobProgress([job()])
    monkeypatch.setattr(deliveries, "process_services", lambda: SimpleNamespace(poisoning=recorder(jobs)))

    with pytest.raises(InvalidMessage, match="not a CleaningMessage"):
        deliveries.decode(delivered(IDS_ALONE, dequeue_count), CleaningMessage)

    assert jobs.rows[USER, JOB].status is status
