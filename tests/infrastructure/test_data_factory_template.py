"""The template of the data factory, judged by Microsoft's models, by the app that it calls and by checkov."""

import json
import os
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlfluff
import yaml

from backend import lake_paths
from backend.adapters.databricks_jobs import run_parameters
from backend.data_routing import DataRouter
from backend.domain.jobs import ProcessingPath
from backend.domain.messages import LargeBatchMessage
from tests.fakes import InMemoryQueues
from tests.infrastructure import factory_template
from tests.infrastructure.expressions import value_of
from tests.infrastructure.factory_functions import factory_functions
from tests.infrastructure.template_faults import faults

ROOT = Path(__file__).parents[2]
CHECKOV = ROOT / ".tools" / "checkov" / "bin" / "checkov"


@pytest.fixture
def template() -> dict[str, Any]:
    return factory_template.written()


def test_nothing_is_wrong_with_the_template(template: dict[str, Any]) -> None:
    assert faults(template) == []


def test_the_factory_has_what_the_architecture_names(template: dict[str, Any]) -> None:
    assert {each.kind: set() for each in factory_template.of_the_factory(template)}.keys() == {
        "pipelines",
        "triggers",
        "datasets",
        "linkedservices",
    }
    types = {
        name: each["type"] for name, each in factory_template.named_of(template, "linkedservices").items()
    }
    assert types == {
        "key_vault": "AzureKeyVault",
        "bronze_storage": "AzureBlobStorage",
        "data_lake": "AzureBlobFS",
        "functions": "AzureFunction",
        "databricks": "AzureDatabricks",
        "operational_database": "AzureMySql",
        "warehouse": "AzureSqlDW",
    }
    assert set(factory_template.named_of(template, "pipelines")) == {
        "small_batch_pipeline",
        "large_batch_pipeline",
        "reconciliation_pipeline",
        "clean_one_dataset_pipeline",
    }


def _activity(template: dict[str, Any], pipeline: str, name: str) -> dict[str, Any]:
    activities = factory_template.named_of(template, "pipelines")[pipeline]["activities"]
    [found] = [each for each in factory_template.all_activities(activities) if each["name"] == name]
    return found


SMALL, LARGE, DAILY = "small_batch_pipeline", "large_batch_pipeline", "reconciliation_pipeline"


@pytest.mark.parametrize(
    ("trigger", "path", "pipeline"),
    [
        ("every_10_minutes", ProcessingPath.SMALL_BATCH, SMALL),
        ("every_10_hours", ProcessingPath.LARGE_BATCH, LARGE),
    ],
)
def test_the_triggers_have_the_intervals_that_the_api_tells(
    template: dict[str, Any], trigger: str, path: ProcessingPath, pipeline: str
) -> None:
    config = DataRouter(InMemoryQueues(), 10_000, "small", "large").config(path)
    properties = factory_template.named_of(template, "triggers")[trigger]

    recurrence = properties["typeProperties"]["recurrence"]
    assert recurrence["frequency"] == config.adf_trigger_frequency
    assert recurrence["interval"] == config.adf_trigger_interval
    assert [each["pipelineReference"]["referenceName"] for each in properties["pipelines"]] == [pipeline]


def test_a_pipeline_runs_once_at_a_time(template: dict[str, Any]) -> None:
    pipelines = factory_template.named_of(template, "pipelines")
    assert [pipelines[name]["concurrency"] for name in (SMALL, LARGE, DAILY)] == [1, 1, 1]


def test_an_operators_run_has_the_parameters_that_the_service_gives(template: dict[str, Any]) -> None:
    message = LargeBatchMessage(
        user_id="0" * 32,
        job_id="1" * 32,
        parent_job_id="2" * 32,
        as_of=datetime(2026, 11, 22, 21, 0, tzinfo=UTC),
        processing_path=ProcessingPath.LARGE_BATCH,
        submission=1,
        attempt=1,
    )
    bundle = yaml.safe_load((ROOT / "infrastructure" / "databricks.yml").read_text())
    declared = {each["name"] for each in bundle["resources"]["jobs"]["clean_dataset"]["parameters"]}
    given = _activity(template, "clean_one_dataset_pipeline", "clean")["typeProperties"]["jobParameters"]
    assert set(given) == declared == set(run_parameters(message))


USER, DATASET, JOB = "0" * 32, "november_orders", "1" * 32
RUN = "0b1f2a3c-4d5e-6f70-8192-a3b4c5d6e7f8"
OUTPUTS = lake_paths.job_outputs(USER, DATASET, JOB)


@pytest.mark.parametrize(
    ("name", "container", "path"),
    [
        ("bronze_part", lake_paths.BRONZE_CONTAINER, lake_paths.bronze_part(USER, DATASET, "part")),
        ("silver", lake_paths.LAKE_CONTAINER, OUTPUTS.silver),
        ("gold_table", lake_paths.LAKE_CONTAINER, OUTPUTS.table("fact_orders")),
        ("gold_manifest", lake_paths.LAKE_CONTAINER, OUTPUTS.manifest),
        (
            "pipeline_run_log",
            lake_paths.LAKE_CONTAINER,
            lake_paths.pipeline_run(datetime(2026, 11, 23, tzinfo=UTC).date(), RUN),
        ),
    ],
)
def test_a_dataset_is_where_the_service_writes_it(
    template: dict[str, Any], name: str, container: str, path: str
) -> None:
    given = {
        "user_id": USER,
        "parent_job_id": DATASET,
        "job_id": JOB,
        "part_id": "part",
        "table": "fact_orders",
        "date": "2026-11-23",
        "run_id": RUN,
    }
    functions = factory_functions(lambda: datetime.now(UTC)) | {"dataset": lambda: given}
    location = factory_template.named_of(template, "datasets")[name]["typeProperties"]["location"]

    def value(key: str) -> str:
        written = location[key]
        return str(value_of(written["value"] if isinstance(written, dict) else written, functions))

    assert location.get("container", location.get("fileSystem")) == container
    assert f"{value('folderPath')}/{value('fileName')}" == path


@pytest.mark.parametrize(
    ("activity", "key", "dialect"),
    [("look_at_operational", "query", "mysql"), ("look_at_warehouse", "sqlReaderQuery", "tsql")],
)
def test_the_queries_are_sql_of_their_database(
    template: dict[str, Any], activity: str, key: str, dialect: str
) -> None:
    written = _activity(template, DAILY, activity)["typeProperties"]["source"][key]["value"]
    functions = factory_functions(lambda: datetime.now(UTC)) | {"variables": lambda _: "2026-11-23 07:00:00"}
    # Raises when a part is not understood.
    assert sqlfluff.parse(value_of(written, functions), dialect=dialect)


def test_every_failure_of_a_pipeline_or_a_trigger_alerts_the_operators(template: dict[str, Any]) -> None:
    alerts = [
        each["properties"]
        for each in factory_template.deployed(template)
        if each["type"] == "Microsoft.Insights/metricAlerts"
    ]
    assert {
        criterion["metricName"]: (criterion["operator"], criterion["threshold"], criterion["timeAggregation"])
        for alert in alerts
        for criterion in alert["criteria"]["allOf"]
    } == {
        "PipelineFailedRuns": ("GreaterThan", 0, "Total"),
        "TriggerFailedRuns": ("GreaterThan", 0, "Total"),
    }
    # Of one alert's criteria all have to be met.
    assert [len(alert["criteria"]["allOf"]) for alert in alerts] == [1, 1]
    for alert in alerts:
        assert alert["enabled"]
        assert alert["scopes"] == ["Microsoft.DataFactory/factories/orders-factory"]
        assert [each["actionGroupId"] for each in alert["actions"]] == [
            factory_template.PARAMETERS["actionGroupId"]
        ]


def test_checkov_finds_nothing_that_is_not_explained(tmp_path: Path) -> None:
    config = ROOT / "infrastructure" / "checkov.yaml"
    skipped = yaml.safe_load(config.read_text())["skip-check"]

    # Without the configuration, so that what it leaves out has to be there.
    checked = subprocess.run(
        [CHECKOV, "--framework", "arm", "--file", factory_template.PATH, "--skip-download", "-o", "json"],
        # Its caches stay out of the home, and no token of the environment takes it to a server.
        env={"HOME": str(tmp_path), "PATH": os.defpath, "LOG_LEVEL": "CRITICAL"},
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    results = json.loads(checked.stdout)["results"]

    assert [each["check_id"] for each in results["failed_checks"]] == skipped
    assert [each["check_id"] for each in results["passed_checks"]] == ["CKV_AZURE_104"]
    assert results["parsing_errors"] == []
    # Each with its reason in the line above it.
    assert re.findall(r"^ *# .+\n *- (\w+)$", config.read_text(), re.MULTILINE) == skipped
