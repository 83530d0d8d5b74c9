"""The service's own function app on the local host, over real storage."""

import json
import logging
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from backend import lake_paths
from backend.bootstrap import Services, build_services, ensure_storage
from backend.domain.identifiers import new_job_id, new_user_id
from backend.domain.jobs import Counts, Job, JobKind, JobStatus
from backend.domain.messages import LargeBatchMessage
from backend.local.addresses import HOST, free_addresses
from backend.local.functions_host.host import FunctionsHost, HostOptions
from backend.local.loopback_server import LoopbackServer
from backend.local.spark_worker.http_endpoint import MAX_BODY_BYTES, WorkerEndpoint
from backend.local.spark_worker.runs import Runs
from backend.local.spark_worker.session import SessionState, SessionStatus
from backend.settings import Settings
from tests.local_storage import LocalStorage
from tests.waiting import wait_until

COUNTS = Counts(records_in=10_001, silver_rows=10_001, duplicates_removed=0, quarantined=0)


@pytest.fixture
def spark_port() -> int:
    return free_addresses().spark


@pytest.fixture
def services(
    local_storage: LocalStorage, spark_port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Services:
    settings = {
        "ORCHESTRATOR_MODE": "local",
        "AZURE_STORAGE_CONNECTION_STRING": local_storage.connection_string,
        "GENERATION_BATCH_SIZE": "100",
        "SPARK_WORKER_URL": f"http://{HOST}:{spark_port}",
    }
    for name in ("SMALL_BATCH_QUEUE", "LARGE_BATCH_QUEUE", "DATA_GENERATION_QUEUE"):
        settings[name] = f"functions-app-{secrets.token_hex(6)}"
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    ensure_storage(Settings.from_environment())
    return build_services(Settings.from_environment())


@pytest.fixture
def host(services: Services, caplog: pytest.LogCaptureFixture) -> Iterator[FunctionsHost]:
    caplog.set_level(logging.INFO, "functions_host")
    host = FunctionsHost(
        HostOptions(
            app="backend.myfunc.function_app",
            environment=os.environ,
            http_port=0,
            worker_processes=2,
            worker_threads=2,
        )
    )
    host.start()
    yield host
    host.stop()


def test_generated_parts_make_a_dataset(
    services: Services, host: FunctionsHost, caplog: pytest.LogCaptureFixture
) -> None:
    user_id = new_user_id()

    plan = services.generation.request(user_id, data_count=250, error_rate=0.1, seed=1)

    def finished() -> bool:
        job = services.jobs.get(user_id, plan.job_id)
        return job is not None and job.status.is_final

    wait_until(finished, timeout=60)
    job = services.jobs.get(user_id, plan.job_id)
    assert job is not None
    assert (job.status, job.error) == (JobStatus.COMPLETED, None)
    files = services.bronze.list_files(lake_paths.bronze_dataset(user_id, plan.parent_job_id))
    assert len(files) == 3
    assert "function failed" not in caplog.messages


def test_a_worker_warms_up_without_an_error(host: FunctionsHost, caplog: pytest.LogCaptureFixture) -> None:
    wait_until(lambda: host.is_warm, timeout=60)

    assert caplog.messages.count("worker warm") == 2
    assert "warm-up failed" not in caplog.messages


def drain(host: FunctionsHost) -> dict[str, Any]:
    answer = requests.post(f"http://{HOST}:{host.http_port}/api/drain_large_batch_queue", timeout=30)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


@contextmanager
def spark_worker(port: int, services: Services) -> Iterator[None]:
    """The worker's real HTTP; the cleaning is played."""

    def clean(message: LargeBatchMessage) -> None:
        services.jobs.update(
            message.user_id, message.job_id, lambda job: job.cleaned(datetime.now(UTC), COUNTS, 100.0)
        )

    ready = SessionStatus(SessionState.READY, "Spark is ready")
    server = LoopbackServer(port, WorkerEndpoint(Runs(clean), lambda: ready), 2, MAX_BODY_BYTES)
    server.start()
    yield
    server.stop()


def test_a_large_job_waits_for_spark_and_is_drained_to_it(
    services: Services, host: FunctionsHost, spark_port: int
) -> None:
    now = datetime.now(UTC)
    job = Job(
        user_id=new_user_id(),
        job_id=new_job_id(now),
        parent_job_id="orders",
        job_name="orders",
        kind=JobKind.CLEAN,
        status=JobStatus.QUEUED,
        stage="new",
        record_count=10_001,
        as_of=now,
        submitted_at=now,
    )
    assert drain(host)["status"] == "empty"

    services.dispatcher.add_and_send(job)
    step = drain(host)

    missing = f"the Spark worker at http://{HOST}:{spark_port} does not answer; it is started again by itself"
    assert (step["status"], step["waiting"], step["waitingFor"]) == ("working", 1, missing)
    waiting = services.jobs.get(job.user_id, job.job_id)
    assert waiting is not None
    assert (waiting.status, waiting.stage) == (JobStatus.QUEUED, f"waiting for Spark: {missing}")
    with spark_worker(spark_port, services):
        wait_until(lambda: drain(host)["status"] == "empty")
    done = services.jobs.get(job.user_id, job.job_id)
    assert done is not None
    assert done.status is JobStatus.LOADING


def test_a_pipelines_run_is_kept_in_the_lake(services: Services, host: FunctionsHost) -> None:
    run_id = "0c5f6d2e-8f1b-4b57-9a8e-3f0d9f3f1c11"
    run = {
        "runId": run_id,
        "pipeline": "small_batch_pipeline",
        "trigger": "every_10_minutes",
        "startedAt": "2026-11-22T23:59:59Z",
        "outcome": "succeeded",
        "steps": {"load_gold": [{"status": "empty", "loaded": 2}]},
    }
    url = f"http://{HOST}:{host.http_port}/api/record_pipeline_run"

    answer = requests.post(url, json=run, timeout=30)

    path = f"logs/pipeline_runs/2026-11-22/{run_id}.json"
    assert (answer.status_code, answer.json()) == (200, {"path": path})
    written = json.loads(services.lake.read(path))
    assert datetime.fromisoformat(written.pop("finishedAt")) > datetime(2026, 11, 22, tzinfo=UTC)
    assert written == run


@pytest.mark.parametrize("body", ["", "{}", "[" * 100_000, '{"runId": "../../silver"}', "\xff"])
def test_what_is_no_pipeline_run_is_refused(host: FunctionsHost, body: str) -> None:
    url = f"http://{HOST}:{host.http_port}/api/record_pipeline_run"
    answer = requests.post(url, data=body.encode("latin-1"), timeout=30)
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"] == "invalid_request"
