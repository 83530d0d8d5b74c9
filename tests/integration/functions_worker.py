"""A function app in Microsoft's own Python worker, which runs it on Azure, and jobs for its functions."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from backend import lake_paths
from backend.bootstrap import Services
from backend.domain.identifiers import new_job_id, new_user_id
from backend.domain.jobs import Job, JobKind, JobStatus, ProcessingPath
from backend.domain.messages import CleaningMessage
from backend.sample_data.generator import generate_chunk

ROOT = Path(__file__).parents[2]
SESSION = Path(__file__).with_name("functions_worker_session.py")


def call(
    app_folder: Path,
    function_name: str,
    body: str,
    *,
    python_path: Sequence[Path],
    environment: Mapping[str, str],
    dequeue_count: int = 1,
    python_options: Sequence[str] = (),
) -> dict[str, Any]:
    """What the worker answered to its host, from its start to one call of a function."""
    path = os.pathsep.join(map(str, (worker_folder(), *python_path)))
    completed = subprocess.run(
        [sys.executable, *python_options, SESSION, app_folder, function_name, str(dequeue_count)],
        input=body,
        env={**environment, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert completed.returncode == 0, completed.stderr
    answer: dict[str, Any] = json.loads(completed.stdout.splitlines()[-1])
    return answer


def worker_folder() -> Path:
    folder = Path(os.environ.get("ORCHESTRATOR_FUNCTIONS_WORKER", ROOT / ".tools" / "functions-worker"))
    assert (folder / "azure_functions_runtime").is_dir(), (
        f"Microsoft's Functions worker is not in {folder}: run scripts/test, "
        "or install requirements-functions-worker.txt as that file says"
    )
    return folder


def queued_job(services: Services, record_count: int) -> Job:
    """A job whose dataset is in Bronze."""
    now = datetime.now(UTC)
    job = Job(
        user_id=new_user_id(),
        job_id=new_job_id(now),
        parent_job_id="orders",
        job_name="orders",
        kind=JobKind.CLEAN,
        status=JobStatus.QUEUED,
        stage="waiting for a worker",
        record_count=record_count,
        as_of=now,
        submitted_at=now,
    )
    part = generate_chunk(seed=7, first_record=0, record_count=record_count, error_rate=0.0)
    services.bronze.write(lake_paths.bronze_part(job.user_id, job.parent_job_id, "part-0"), part)
    services.jobs.add(job)
    return job


def message_of(job: Job) -> str:
    message = CleaningMessage(
        user_id=job.user_id,
        job_id=job.job_id,
        parent_job_id=job.parent_job_id,
        as_of=job.as_of,
        processing_path=ProcessingPath.SMALL_BATCH,
    )
    return message.encode().decode()
