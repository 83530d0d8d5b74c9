"""The job as it is deployed, as it is started, and as it reads its arguments: three files that agree."""

import copy
import logging
import re
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from databricks.bundles.jobs import Job

from backend.adapters.databricks_jobs import run_parameters
from backend.databricks import clean_dataset
from backend.domain.jobs import ProcessingPath
from backend.domain.messages import LargeBatchMessage
from backend.settings import Settings, StorageAccount

ROOT = Path(__file__).parents[2]
MESSAGE = LargeBatchMessage(
    user_id="0123456789abcdef0123456789abcdef",
    job_id="fe6b1c2d3e4f5a6b7c8d9e0f1a2b3c4d",
    parent_job_id="november_orders",
    trace_parent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    as_of=datetime(2026, 11, 22, 21, 0, 0, 123456, UTC),
    processing_path=ProcessingPath.LARGE_BATCH,
    submission=1,
    attempt=2,
)
ACCOUNTS = {"storage_account": "ordersqueues", "lake_account": "orderslake"}


@pytest.fixture
def bundle() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "infrastructure" / "databricks.yml").read_text())


@pytest.fixture
def job(bundle: dict[str, Any]) -> dict[str, Any]:
    """As the target `prod` has it."""
    override = bundle["targets"]["prod"]["resources"]["jobs"]["clean_dataset"]
    return bundle["resources"]["jobs"]["clean_dataset"] | override


@pytest.fixture
def task(job: dict[str, Any]) -> dict[str, Any]:
    [task] = job["tasks"]
    return task


@pytest.fixture(autouse=True)
def _quiet_again() -> Iterator[None]:
    yield
    logging.getLogger("backend").setLevel(logging.NOTSET)


def test_databricks_own_model_of_a_job_takes_every_field_as_it_is_written(job: dict[str, Any]) -> None:
    assert Job.from_dict(copy.deepcopy(job)).as_dict() == job


def test_every_variable_is_declared_and_used(bundle: dict[str, Any]) -> None:
    used = set(re.findall(r"\$\{var\.(\w+)}", yaml.safe_dump(bundle)))
    assert used == set(bundle["variables"])
    for target in bundle["targets"].values():
        assert set(target.get("variables", {})) <= used


def test_what_the_service_passes_is_what_the_job_declares_and_hands_on(
    job: dict[str, Any], task: dict[str, Any]
) -> None:
    passed = set(run_parameters(MESSAGE))
    handed_on = re.findall(r"\{\{job\.parameters\.(\w+)}}", yaml.safe_dump(task))
    assert {parameter["name"] for parameter in job["parameters"]} == passed
    assert set(handed_on) == passed
    assert len(handed_on) == len(passed)


def test_the_entry_point_reads_the_message_that_the_run_was_started_for(
    task: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AZURE_STORAGE_CONNECTION_STRING", "ADLS_CONNECTION_STRING"):
        monkeypatch.delenv(name, raising=False)
    run = _Run(monkeypatch)

    clean_dataset.main(_arguments(task, MESSAGE))

    assert run.cleaned == [(MESSAGE, 2, "the cluster's session")]
    [settings] = run.settings
    assert settings.storage == StorageAccount(None, "ordersqueues")
    assert settings.lake == StorageAccount(None, "orderslake")


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ("--user-id=../somebody", "userId has not the form of an id"),
        ("--job-id=", "jobId has not the form of an id"),
        ("--parent-job-id=a/b", "parentJobId has not the form of an id"),
        ("--as-of=yesterday", "`$.as_of`"),
        ("--attempt=two", "`$.attempt`"),
        ("--submission=-1", "`$.submission`"),
        ("--password=x", "unrecognized arguments: --password=x"),
    ],
)
def test_a_bad_argument_ends_the_run_before_anything_is_touched(
    task: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    argument: str,
    said: str,
) -> None:
    run = _Run(monkeypatch)
    with pytest.raises(SystemExit) as ended:
        clean_dataset.main([*_arguments(task, MESSAGE), argument])
    assert ended.value.code == 2
    assert said in capsys.readouterr().err
    assert run.settings == []


def test_the_wheel_has_the_entry_point_that_the_task_names(task: dict[str, Any]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wheel = task["python_wheel_task"]
    assert wheel["package_name"] == project["name"]
    assert project["scripts"][wheel["entry_point"]] == "backend.databricks.clean_dataset:main"


def test_only_the_services_queue_tries_again(job: dict[str, Any], task: dict[str, Any]) -> None:
    assert (task["max_retries"], task["retry_on_timeout"]) == (0, False)
    assert (job["max_concurrent_runs"], job["queue"]) == (3, {"enabled": True})


def test_no_secret_is_written_down(job: dict[str, Any]) -> None:
    [cluster] = job["job_clusters"]
    assert cluster["new_cluster"]["spark_env_vars"] == {
        "AZURE_TENANT_ID": "{{secrets/${var.secret_scope}/tenant-id}}",
        "AZURE_CLIENT_ID": "{{secrets/${var.secret_scope}/client-id}}",
        "AZURE_CLIENT_SECRET": "{{secrets/${var.secret_scope}/client-secret}}",
    }


def _arguments(task: dict[str, Any], message: LargeBatchMessage) -> list[str]:
    """What Databricks gives the entry point in a run that was started for a message."""
    values = {f"{{{{job.parameters.{name}}}}}": value for name, value in run_parameters(message).items()}
    values |= {f"${{var.{name}}}": value for name, value in ACCOUNTS.items()}
    pattern = re.compile("|".join(map(re.escape, values)))
    return [
        pattern.sub(lambda match: values[match[0]], text) for text in task["python_wheel_task"]["parameters"]
    ]


class _Run:
    """Stands in for the services and the cluster's session; what was asked of them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.settings: list[Settings] = []
        self.cleaned: list[tuple[LargeBatchMessage, int, object]] = []
        monkeypatch.setattr(clean_dataset, "build_services", self._build)
        session = SimpleNamespace(builder=SimpleNamespace(getOrCreate=lambda: "the cluster's session"))
        monkeypatch.setattr(clean_dataset, "SparkSession", session)

    def _build(self, settings: Settings) -> SimpleNamespace:
        self.settings.append(settings)
        return SimpleNamespace(large_batch_cleaning=self._cleaning)

    def _cleaning(self, spark: object) -> SimpleNamespace:
        return SimpleNamespace(run=lambda message, delivery: self.cleaned.append((message, delivery, spark)))
