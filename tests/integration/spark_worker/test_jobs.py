"""What the large path's queue is told of runs, over the worker's real HTTP; the cleaning is played."""

import threading
from collections.abc import Iterator

import pytest
import requests

from backend.adapters.spark_worker_jobs import SparkWorkerJobs
from backend.domain.errors import Unavailable
from backend.domain.messages import LargeBatchMessage
from backend.local.addresses import HOST, free_addresses
from backend.local.loopback_server import LoopbackServer
from backend.local.spark_worker.http_endpoint import MAX_BODY_BYTES, WorkerEndpoint
from backend.local.spark_worker.runs import Runs
from backend.local.spark_worker.session import SessionState, SessionStatus
from backend.ports import RunState
from tests.integration.spark_worker.messages import message
from tests.waiting import wait_until


class Worker:
    """A worker whose runs end when the test says so."""

    def __init__(self) -> None:
        self.status = SessionStatus(SessionState.READY, "Spark is ready")
        self.cleaned: list[LargeBatchMessage] = []
        self.may_end = threading.Event()
        self.error: BaseException | None = None
        endpoint = WorkerEndpoint(Runs(self._clean), lambda: self.status)
        self.server = LoopbackServer(0, endpoint, 2, MAX_BODY_BYTES)
        self.url = f"http://{HOST}:{self.server.port}"
        self.server.start()

    def _clean(self, message: LargeBatchMessage) -> None:
        self.cleaned.append(message)
        self.may_end.wait(30)
        if self.error:
            raise self.error


@pytest.fixture
def worker() -> Iterator[Worker]:
    worker = Worker()
    yield worker
    worker.may_end.set()
    worker.server.stop()


@pytest.fixture
def jobs(worker: Worker) -> SparkWorkerJobs:
    return SparkWorkerJobs(worker.url)


def test_a_run_is_running_until_its_cleaning_has_ended(worker: Worker, jobs: SparkWorkerJobs) -> None:
    sent = message()

    run = jobs.start(sent)

    assert jobs.state(run) == RunState.RUNNING
    assert jobs.active() == 1
    worker.may_end.set()
    wait_until(lambda: jobs.state(run) == RunState.SUCCEEDED)
    assert jobs.active() == 0
    assert worker.cleaned == [sent]


def test_the_same_attempt_is_the_same_run_also_when_it_has_ended(
    worker: Worker, jobs: SparkWorkerJobs
) -> None:
    sent = message()
    run = jobs.start(sent)
    assert jobs.start(sent) == run
    worker.may_end.set()
    wait_until(lambda: jobs.state(run) == RunState.SUCCEEDED)

    assert jobs.start(sent) == run

    assert jobs.active() == 0
    assert len(worker.cleaned) == 1


@pytest.mark.parametrize("error", [OSError("storage is out"), SystemExit(1)])
def test_a_run_that_raises_has_failed_and_the_next_one_runs(
    worker: Worker, jobs: SparkWorkerJobs, error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    worker.error = error
    worker.may_end.set()
    run = jobs.start(message())
    wait_until(lambda: jobs.state(run) == RunState.FAILED)
    worker.error = None

    again = jobs.start(message(attempt=2))

    wait_until(lambda: jobs.state(again) == RunState.SUCCEEDED)
    [logged] = [record for record in caplog.records if record.message == f"run {run} has failed"]
    assert logged.exc_info is not None
    assert logged.exc_info[1] is error


def test_three_run_at_a_time_and_more_wait_for_their_turn(worker: Worker, jobs: SparkWorkerJobs) -> None:
    runs = [jobs.start(message()) for _ in range(5)]
    wait_until(lambda: len(worker.cleaned) == 3)

    assert jobs.active() == 5
    assert {jobs.state(run) for run in runs} == {RunState.RUNNING}
    worker.may_end.set()
    wait_until(lambda: jobs.active() == 0)
    assert {jobs.state(run) for run in runs} == {RunState.SUCCEEDED}


def test_a_run_of_a_process_that_is_gone_has_failed(jobs: SparkWorkerJobs) -> None:
    assert jobs.state("of-another-process") == RunState.FAILED


@pytest.mark.parametrize("state", [SessionState.STARTING, SessionState.UNAVAILABLE])
def test_without_a_session_no_run_is_started_and_the_reason_is_told(
    worker: Worker, jobs: SparkWorkerJobs, state: SessionState
) -> None:
    worker.status = SessionStatus(state, "there is no Java")

    with pytest.raises(Unavailable, match=r"^there is no Java$"):
        jobs.start(message())

    assert jobs.active() == 0
    assert requests.get(f"{worker.url}/status", timeout=5).json() == {
        "state": state,
        "message": "there is no Java",
    }


def test_a_worker_that_is_not_there_is_named() -> None:
    url = f"http://{HOST}:{free_addresses().spark}"
    jobs = SparkWorkerJobs(url)

    for call in (jobs.active, lambda: jobs.state("any"), lambda: jobs.start(message())):
        with pytest.raises(Unavailable) as raised:
            call()
        assert (
            str(raised.value) == f"the Spark worker at {url} does not answer; it is started again by itself"
        )


def test_a_proxy_of_the_environment_is_not_asked(
    jobs: SparkWorkerJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", f"http://{HOST}:{free_addresses().spark}")

    assert jobs.active() == 0


@pytest.mark.parametrize(
    ("method", "path", "status"), [("POST", "/runs", 400), ("DELETE", "/runs", 405), ("GET", "/other", 404)]
)
def test_what_is_not_a_call_of_the_worker_is_refused(
    worker: Worker, method: str, path: str, status: int
) -> None:
    answer = requests.request(method, worker.url + path, data=b"not a message", timeout=5)

    assert answer.status_code == status
    assert answer.json()["message"]
