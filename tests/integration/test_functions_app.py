"""The service's own function app on the local host, over real storage."""

import logging
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend import lake_paths
from backend.bootstrap import Services, build_services, ensure_storage
from backend.domain.identifiers import new_user_id
from backend.domain.jobs import JobStatus
from backend.local.functions_host.host import FunctionsHost, HostOptions
from backend.settings import Settings
from tests.local_storage import LocalStorage
from tests.waiting import wait_until


@pytest.fixture
def services(local_storage: LocalStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Services:
    settings = {
        "ORCHESTRATOR_MODE": "local",
        "AZURE_STORAGE_CONNECTION_STRING": local_storage.connection_string,
        "GENERATION_BATCH_SIZE": "100",
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
