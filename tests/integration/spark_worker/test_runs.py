"""Real runs: Spark in the worker's process, datasets and jobs in real storage."""

from collections.abc import Iterator, Mapping
from contextlib import suppress

import psutil
import pytest

from backend import lake_paths
from backend.bootstrap import Services, build_services, ensure_storage
from backend.domain.jobs import Job, JobKind, JobStatus
from backend.domain.messages import LargeBatchMessage
from backend.ports import RunState
from backend.sample_data.generator import generate_chunk
from backend.settings import Settings
from backend.transformations.manifest import Manifest
from tests.integration.spark_worker.messages import message
from tests.integration.spark_worker.worker_process import WorkerProcess
from tests.local_storage import LocalStorage
from tests.waiting import wait_until

RUN_SECONDS = 120
# The worker gives way to whoever wants to compute, so also to a test that looks all the time.
LOOKS_EVERY_SECONDS = 0.1
PYTHON_WORKER_LOST = "Python worker exited unexpectedly"

pytestmark = pytest.mark.timeout(400)


@pytest.fixture(scope="module")
def services(local_storage: LocalStorage) -> Services:
    settings = Settings.from_environment(
        {
            "ORCHESTRATOR_MODE": "local",
            "AZURE_STORAGE_CONNECTION_STRING": local_storage.connection_string,
        }
    )
    ensure_storage(settings)
    return build_services(settings)


@pytest.fixture(scope="module")
def worker(local_storage: LocalStorage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkerProcess]:
    """One worker for all, since it takes a while to be warm."""
    storage = local_storage.connection_string
    folder = tmp_path_factory.mktemp("spark-worker")
    with WorkerProcess(folder, AZURE_STORAGE_CONNECTION_STRING=storage) as worker:
        yield worker.wait_until_it_is("ready")


@pytest.fixture(scope="module")
def records() -> bytes:
    """A part of 2,500 records."""
    return generate_chunk(seed=7, first_record=0, record_count=2_500, error_rate=0.1)


def queued(services: Services, parts: Mapping[str, bytes]) -> LargeBatchMessage:
    """The message of a new job on a dataset of these parts."""
    sent = message()
    for name, content in parts.items():
        services.bronze.write(lake_paths.bronze_part(sent.user_id, sent.parent_job_id, name), content)
    services.jobs.add(
        Job(
            user_id=sent.user_id,
            job_id=sent.job_id,
            parent_job_id=sent.parent_job_id,
            job_name="orders",
            kind=JobKind.CLEAN,
            status=JobStatus.QUEUED,
            stage="waiting for a worker",
            record_count=0,
            as_of=sent.as_of,
            submitted_at=sent.as_of,
            processing_path=sent.processing_path,
        )
    )
    return sent


def ended(worker: WorkerProcess, run: str) -> RunState:
    wait_until(lambda: worker.jobs.state(run) != RunState.RUNNING, RUN_SECONDS, LOOKS_EVERY_SECONDS)
    return worker.jobs.state(run)


def job_of(services: Services, sent: LargeBatchMessage) -> Job:
    job = services.jobs.get(sent.user_id, sent.job_id)
    assert job is not None
    return job


def written(services: Services, sent: LargeBatchMessage) -> dict[str, tuple[int, list[str]]]:
    """The rows of each table, and the digests of its files."""
    paths = lake_paths.job_outputs(sent.user_id, sent.parent_job_id, sent.job_id)
    manifest = Manifest.decode(services.lake.read(paths.manifest))
    return {
        output.table: (output.rows, [file.sha256 for file in output.files]) for output in manifest.outputs
    }


def test_a_python_worker_that_is_killed_in_a_run_changes_nothing_in_its_outputs(
    worker: WorkerProcess, services: Services, records: bytes
) -> None:
    parts = {f"part-{number}": records for number in range(12)}
    undisturbed, disturbed = queued(services, parts), queued(services, parts)
    assert ended(worker, worker.jobs.start(undisturbed)) == RunState.SUCCEEDED

    run = worker.jobs.start(disturbed)
    wait_until(lambda: kill_one_that_works(worker), RUN_SECONDS, LOOKS_EVERY_SECONDS)

    assert ended(worker, run) == RunState.SUCCEEDED
    assert job_of(services, disturbed).status == JobStatus.LOADING
    assert len(written(services, disturbed)) == 9
    assert written(services, disturbed) == written(services, undisturbed)


def kill_one_that_works(worker: WorkerProcess) -> bool:
    """Kill a Python worker; whether that has cost Spark a task, as its log says."""
    for process in worker.python_workers():
        with suppress(psutil.NoSuchProcess):
            if process.status() == psutil.STATUS_RUNNING:
                process.kill()
                break
    return PYTHON_WORKER_LOST in worker.log


def test_a_malformed_part_fails_the_job_at_once(worker: WorkerProcess, services: Services) -> None:
    sent = queued(services, {"part-0": b"[]", "part-1": b"[1,]"})

    assert ended(worker, worker.jobs.start(sent)) == RunState.SUCCEEDED

    job = job_of(services, sent)
    assert (job.status, job.attempts) == (JobStatus.FAILED, 1)
    assert job.error == "part-1.json: expecting value at byte 3"


def test_a_run_without_a_job_fails_and_the_log_says_why(worker: WorkerProcess) -> None:
    sent = message()

    assert ended(worker, worker.jobs.start(sent)) == RunState.FAILED

    assert f"there is no job {sent.job_id}" in worker.log
