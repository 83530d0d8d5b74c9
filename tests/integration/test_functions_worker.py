"""The function app in Microsoft's own Python worker, which runs it on Azure."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from backend import lake_paths
from backend.bootstrap import Services, build_services, ensure_storage
from backend.domain.identifiers import new_job_id
from backend.domain.jobs import Counts, JobStatus
from backend.settings import Settings
from tests.integration import functions_worker
from tests.integration.functions_worker import message_of, queued_job
from tests.local_storage import LocalStorage

ROOT = Path(__file__).parents[2]
APP_FOLDER = ROOT / "backend" / "myfunc"


def call(function_name: str, body: str, *, dequeue_count: int = 1, **environment: str) -> dict[str, Any]:
    """What the worker answered of the checkout's app."""
    return functions_worker.call(
        APP_FOLDER,
        function_name,
        body,
        dequeue_count=dequeue_count,
        python_path=(ROOT, APP_FOLDER),
        environment={**os.environ, **environment},
    )


def test_the_worker_finds_every_function_with_its_trigger() -> None:
    answer = call("transform_small_batch_queue", "{}")

    assert answer["init"] == {"status": "success", "error": None}
    assert answer["load"] == {"status": "success", "error": None}
    triggers = {name: bindings[0] for name, bindings in answer["functions"].items()}
    assert {name: trigger["type"] for name, trigger in triggers.items()} == {
        "transform_small_batch_queue": "queueTrigger",
        "generate_sample_data_part": "queueTrigger",
        "drain_large_batch_queue": "httpTrigger",
        "clear_unfinished": "timerTrigger",
        "load_gold": "httpTrigger",
        "look_after_jobs": "timerTrigger",
        "record_pipeline_run": "httpTrigger",
        "sweep_jobs": "httpTrigger",
        "warmup": "warmupTrigger",
    }
    small_batch = triggers["transform_small_batch_queue"]
    assert small_batch["queueName"] == "%SMALL_BATCH_QUEUE%"
    assert small_batch["connection"] == "AZURE_STORAGE_CONNECTION_STRING"
    assert triggers["generate_sample_data_part"]["queueName"] == "%DATA_GENERATION_QUEUE%"
    for name in ("drain_large_batch_queue", "load_gold", "record_pipeline_run", "sweep_jobs"):
        called = triggers[name]
        assert (called["route"], called["methods"], called["authLevel"]) == (name, ["POST"], "FUNCTION")


@pytest.mark.parametrize(
    ("function_name", "error"),
    [
        ("transform_small_batch_queue", "InvalidMessage: not a CleaningMessage"),
        ("generate_sample_data_part", "InvalidMessage: not a GenerationMessage"),
    ],
)
def test_a_message_that_is_not_its_queues_own_is_a_failed_invocation(function_name: str, error: str) -> None:
    answer = call(function_name, "not JSON")

    assert answer["invocation"]["status"] == "failure"
    assert answer["invocation"]["error"].startswith(error)


def test_the_app_leaves_the_heavy_libraries_for_the_warm_up() -> None:
    program = "import backend.myfunc.function_app, json, sys; print(json.dumps(sorted(sys.modules)))"

    completed = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )

    heavy = {
        "pandas",
        "pyarrow",
        "numpy",
        "sqlalchemy",
        "flask",
        "azure.storage.filedatalake",
        "azure.identity",
    }
    assert heavy & set(json.loads(completed.stdout)) == set()


@pytest.fixture
def environment(local_storage: LocalStorage, tmp_path: Path) -> dict[str, str]:
    return {
        "ORCHESTRATOR_MODE": "local",
        "AZURE_STORAGE_CONNECTION_STRING": local_storage.connection_string,
    }


@pytest.fixture
def services(environment: dict[str, str]) -> Services:
    settings = Settings.from_environment(environment)
    ensure_storage(settings)
    return build_services(settings)


def test_a_real_message_is_cleaned_and_waits_for_a_database_that_is_not_set(
    services: Services, environment: dict[str, str]
) -> None:
    job = queued_job(services, record_count=50)

    answer = call("transform_small_batch_queue", message_of(job), **environment)

    assert answer["invocation"] == {"status": "success", "error": None}
    done = services.jobs.get(job.user_id, job.job_id)
    assert done is not None
    assert (done.status, done.attempts) == (JobStatus.LOADING, 1)
    assert done.error == "the operational database: set DATABASE_URL"
    assert done.counts == Counts(records_in=50, silver_rows=50, duplicates_removed=0, quarantined=0)
    paths = lake_paths.job_outputs(job.user_id, job.parent_job_id, job.job_id)
    manifest = json.loads(services.lake.read(paths.manifest))
    assert manifest["counts"]["silverRows"] == 50


def test_a_message_of_a_job_that_does_not_exist_is_a_failed_invocation(
    services: Services, environment: dict[str, str]
) -> None:
    job = queued_job(services, record_count=1)
    unknown = replace(job, job_id=new_job_id())

    answer = call("transform_small_batch_queue", message_of(unknown), **environment)

    assert answer["invocation"]["status"] == "failure"
    assert answer["invocation"]["error"] == f"InvalidMessage: there is no job {unknown.job_id}"


def test_the_last_delivery_of_an_unreadable_message_fails_the_job_that_it_names(
    services: Services, environment: dict[str, str]
) -> None:
    job = queued_job(services, record_count=1)
    ids = {"userId": job.user_id, "jobId": job.job_id, "parentJobId": job.parent_job_id}

    answer = call("transform_small_batch_queue", json.dumps(ids), dequeue_count=5, **environment)

    assert answer["invocation"]["status"] == "failure"
    failed = services.jobs.get(job.user_id, job.job_id)
    assert failed is not None
    assert failed.status is JobStatus.FAILED
    assert failed.error == "not a CleaningMessage: Object missing required field `asOf`"


def test_draining_an_empty_queue_is_answered_at_once(environment: dict[str, str]) -> None:
    # Nobody listens at the worker's port: there is nothing to ask it.
    own = environment | {"SPARK_WORKER_URL": "http://127.0.0.1:9", "LARGE_BATCH_QUEUE": "drained-by-worker"}
    ensure_storage(Settings.from_environment(own))

    answer = call("drain_large_batch_queue", "", **own)

    assert answer["invocation"] == {"status": "success", "error": None}
    assert (answer["returned"]["status"], answer["returned"]["type"]) == (200, "application/json")
    assert json.loads(answer["returned"]["body"]) == {
        "status": "empty",
        "started": 0,
        "running": 0,
        "finished": 0,
        "waiting": 0,
        "waitingFor": None,
        "retried": 0,
        "poisoned": 0,
    }


def test_draining_without_settings_for_databricks_tells_what_is_missing(environment: dict[str, str]) -> None:
    own = environment | {"LARGE_BATCH_QUEUE": "drained-without-databricks"}
    settings = Settings.from_environment(own)
    ensure_storage(settings)
    services = build_services(settings)
    job = queued_job(services, record_count=1)
    services.queues.send("drained-without-databricks", message_of(job).encode())

    answer = call("drain_large_batch_queue", "", **own)

    missing = "the large path needs DATABRICKS_HOST and DATABRICKS_JOB_ID to be set"
    step = json.loads(answer["returned"]["body"])
    assert (answer["returned"]["status"], step["waiting"], step["waitingFor"]) == (200, 1, missing)
    waiting = services.jobs.get(job.user_id, job.job_id)
    assert waiting is not None
    assert (waiting.status, waiting.stage) == (JobStatus.QUEUED, f"waiting for Spark: {missing}")
