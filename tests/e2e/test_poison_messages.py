import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import QueueClient

from backend.adapters.job_progress_table import JobProgressTable
from backend.azure_clients import table_service
from backend.domain.jobs import Job, JobKind, JobStatus
from backend.settings import StorageAccount
from tests.e2e.api_user import ApiUser
from tests.e2e.running_stack import RunningStack
from tests.waiting import wait_until

# Five deliveries with host.json's 10 s between them.
POISON_SECONDS = 90
ID = "0123456789abcdef" * 2
NOW = datetime(2026, 11, 22, 21, 0, tzinfo=UTC)
ON_NO_JOB = {
    "userId": ID,
    "jobId": ID,
    "parentJobId": ID,
    "asOf": "2026-11-22T21:00:00Z",
    "processingPath": "small_batch",
}


def encoded(body: bytes) -> str:
    return base64.b64encode(body).decode()


BAD_MESSAGES = {
    "not Base64": ("{not base64}", "Base64"),
    "not JSON": (encoded(b"not json"), "JSON"),
    "lacks ids": (encoded(b'{"jobId": "x"}'), "userId"),
    "names no job": (encoded(json.dumps(ON_NO_JOB).encode()), f"there is no job {ID}"),
}


@pytest.fixture(scope="module")
def misled_job(stack: RunningStack) -> Iterator[tuple[ApiUser, str]]:
    """A job that waits for its message, which has its ids on the small queue and no more."""
    user = ApiUser(stack.url)
    job = Job(
        user_id=user.user_id,
        job_id=ID,
        parent_job_id=ID,
        job_name="misled",
        kind=JobKind.CLEAN,
        status=JobStatus.QUEUED,
        stage="waiting for a worker",
        record_count=1,
        as_of=NOW,
        submitted_at=NOW,
        # Who has waited for a day is given as long again, before the sweeper sends a message that is not bad.
        queued_at=NOW - timedelta(days=1),
        sent_at=NOW,
    )
    with table_service(StorageAccount(stack.addresses.connection_string, None)) as tables:
        JobProgressTable(tables).add(job)
    body = {"userId": job.user_id, "jobId": job.job_id, "parentJobId": job.parent_job_id}
    with raw_queue(stack, "small-batch-queue") as queue:
        queue.send_message(encoded(json.dumps(body).encode()))
    yield user, job.job_id
    user.close()


@pytest.fixture(scope="module")
def sent(stack: RunningStack, misled_job: tuple[ApiUser, str]) -> dict[str, str]:
    """Every bad message, sent at once so that their retries overlap: what is bad, and the message's id."""
    with raw_queue(stack, "small-batch-queue") as queue:
        return {name: queue.send_message(content).id for name, (content, _) in BAD_MESSAGES.items()}


@pytest.mark.parametrize("name", BAD_MESSAGES)
def test_a_bad_message_ends_in_the_poison_queue_with_the_reason_in_the_log(
    stack: RunningStack, sent: dict[str, str], name: str
) -> None:
    content, reason = BAD_MESSAGES[name]
    with raw_queue(stack, "small-batch-queue-poison") as poison:
        wait_until(lambda: content in contents(poison), POISON_SECONDS)
    lines = [line for line in stack.log("functions").splitlines() if sent[name] in line]
    assert any(reason in line for line in lines), lines


def test_a_job_whose_message_is_bad_says_why_it_failed(misled_job: tuple[ApiUser, str]) -> None:
    user, job_id = misled_job
    wait_until(lambda: user.job(job_id)["status"] == "failed", POISON_SECONDS)
    assert "asOf" in user.job(job_id)["error"]


def raw_queue(stack: RunningStack, name: str) -> QueueClient:
    """A queue as anybody can write to it: without the encoding that our own client adds."""
    return QueueClient.from_connection_string(stack.addresses.connection_string, name)


def contents(queue: QueueClient) -> list[str]:
    try:
        return [message.content for message in queue.peek_messages(32)]
    except ResourceNotFoundError:
        # The host makes a poison queue for the first message that it puts there.
        return []
