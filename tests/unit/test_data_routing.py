import json
from datetime import UTC, datetime

import pytest

from backend.data_routing import DataRouter
from backend.domain.errors import InvalidRequest
from backend.domain.jobs import ProcessingPath
from backend.domain.messages import CleaningMessage
from tests.fakes import InMemoryQueues

USER = "0" * 32
JOB = "1" * 32


def router(queues: InMemoryQueues) -> DataRouter:
    return DataRouter(queues, 10_000, "small-queue", "large-queue")


@pytest.mark.parametrize(
    ("count", "path", "queue_name", "expected_time"),
    [
        (0, ProcessingPath.SMALL_BATCH, "small-queue", "< 5 minutes"),
        (1, ProcessingPath.SMALL_BATCH, "small-queue", "< 5 minutes"),
        (10_000, ProcessingPath.SMALL_BATCH, "small-queue", "< 5 minutes"),
        (10_001, ProcessingPath.LARGE_BATCH, "large-queue", "< 24 hours"),
        (10_000_000, ProcessingPath.LARGE_BATCH, "large-queue", "< 24 hours"),
    ],
)
def test_the_record_count_alone_decides_the_path(
    count: int, path: ProcessingPath, queue_name: str, expected_time: str
) -> None:
    decision = router(InMemoryQueues()).route_data_request(USER, count, JOB)

    assert decision.processing_path is path
    assert decision.queue_name == queue_name
    assert decision.expected_processing_time == expected_time
    assert (decision.user_id, decision.job_id, decision.record_count) == (USER, JOB, count)


def test_deciding_sends_nothing() -> None:
    queues = InMemoryQueues()

    router(queues).route_data_request(USER, 5, JOB)

    assert queues.bodies == {}


def test_a_negative_count_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="-1 records"):
        router(InMemoryQueues()).route_data_request(USER, -1, JOB)


@pytest.mark.parametrize(
    ("path", "queue_name"),
    [(ProcessingPath.SMALL_BATCH, "small-queue"), (ProcessingPath.LARGE_BATCH, "large-queue")],
)
def test_a_message_goes_to_the_queue_of_its_path(path: ProcessingPath, queue_name: str) -> None:
    queues = InMemoryQueues()
    message = CleaningMessage(
        user_id=USER,
        job_id=JOB,
        parent_job_id="orders-2026",
        as_of=datetime(2026, 11, 22, 21, 0, tzinfo=UTC),
        processing_path=path,
    )

    answer = router(queues).queue_message_to_path(path, message)

    assert answer == (queue_name, f"{queue_name}-message-1")
    assert [json.loads(body) for body in queues.bodies[queue_name]] == [
        {
            "userId": USER,
            "jobId": JOB,
            "parentJobId": "orders-2026",
            "asOf": "2026-11-22T21:00:00Z",
            "processingPath": path.value,
        }
    ]
