"""How often storage is called: exact, where seconds would cry wolf (docs/BENCHMARKS.md)."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from azure.core.pipeline.transport import HttpRequest, RequestsTransport

from tests.integration.api.conftest import User, Workers

Count = Callable[[], AbstractContextManager[Counter[str]]]


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Count:
    """A context manager: the calls of storage made within, by what is called."""

    @contextmanager
    def counting() -> Iterator[Counter[str]]:
        calls: Counter[str] = Counter()
        send = RequestsTransport.send

        def send_and_count(transport: RequestsTransport, request: HttpRequest, **options: Any) -> Any:
            calls[f"{request.method} {_called(request.url)}"] += 1
            return send(transport, request, **options)

        with monkeypatch.context() as patch:
            patch.setattr(RequestsTransport, "send", send_and_count)
            yield calls

    return counting


def _called(url: str) -> str:
    """The table, queue or container: what stands after the account's name."""
    return url.split("/")[4].partition("(")[0].partition("?")[0]


def test_a_job_on_an_uploaded_dataset_is_taken_in_with_four_calls(user: User, counted: Count) -> None:
    dataset = (user.api.post("/upload_raw", json=[{}]).json or {})["parentJobId"]
    user.api.post("/clean_data", json={"parentJobId": dataset})
    with counted() as calls:
        assert user.api.post("/clean_data", json={"parentJobId": dataset}).status_code == 202
    assert calls == {
        "GET Datasets": 1,
        "PUT OpenJobs": 1,
        "POST JobProgress": 1,
        "POST api-small-batch": 1,
    }


def test_a_job_is_cleaned_and_loaded_with_no_more_calls_than_it_needs(
    user: User, workers: Workers, counted: Count
) -> None:
    dataset = (user.api.post("/upload_raw", json=[{}]).json or {})["parentJobId"]
    user.api.post("/clean_data", json={"parentJobId": dataset})
    with counted() as calls:
        workers.clean()
    # On a busy machine the job's progress is shown once or twice in between.
    progress = {name: calls.pop(name) for name in ("GET JobProgress", "PUT JobProgress")}
    assert progress["PUT JobProgress"] in range(5, 10)
    assert progress["GET JobProgress"] in range(7, 12)
    assert calls == {
        "GET api-small-batch": 2,
        "DELETE api-small-batch": 1,
        "GET Datasets": 1,
        "GET shanlee-raw-data": 2,
        # Eleven files: each is created, written in one piece, and renamed.
        "PUT datalake": 22,
        "PATCH datalake": 11,
        # Two listings, the manifest, and the five tables that are loaded.
        "GET datalake": 8,
        "PUT OpenJobs": 2,
        "DELETE OpenJobs": 1,
        "PUT JobEndings": 1,
        "POST $batch": 1,
    }
