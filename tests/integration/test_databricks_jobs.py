from collections.abc import Iterator
from datetime import UTC, datetime
from time import monotonic
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError
from msgspec.structs import replace

from backend.adapters.databricks_jobs import DatabricksJobs
from backend.adapters.spark_worker_jobs import SparkWorkerJobs
from backend.adapters.unconfigured_spark import UnconfiguredSpark
from backend.bootstrap import build_services
from backend.domain.errors import Unavailable
from backend.domain.jobs import ProcessingPath
from backend.domain.messages import LargeBatchMessage
from backend.ports import RunState
from backend.settings import Settings
from tests.integration.databricks_workspace import JOB_ID, TOKEN, Workspace, running_workspace

MESSAGE = LargeBatchMessage(
    user_id="0123456789abcdef0123456789abcdef",
    job_id="fe6b1c2d3e4f5a6b7c8d9e0f1a2b3c4d",
    parent_job_id="november_orders",
    as_of=datetime(2026, 11, 22, 21, 0, 0, 123456, UTC),
    processing_path=ProcessingPath.LARGE_BATCH,
    submission=1,
    attempt=2,
    trace_parent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
)


class Identity:
    """Who the service is in Microsoft Entra ID."""

    def __init__(self, token: str = TOKEN) -> None:
        self._token = token
        self.scopes: set[str] = set()

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        self.scopes.update(scopes)
        return AccessToken(self._token, 4_102_444_800)


class NoIdentity:
    def get_token(self, *_: str, **__: Any) -> AccessToken:
        raise ClientAuthenticationError("DefaultAzureCredential failed to retrieve a token")


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    with running_workspace() as workspace:
        yield workspace


@pytest.fixture
def jobs(workspace: Workspace) -> DatabricksJobs:
    return DatabricksJobs(workspace.host, JOB_ID, Identity())


def test_a_run_is_started_with_the_parameters_of_its_message(
    workspace: Workspace, jobs: DatabricksJobs
) -> None:
    run_id = jobs.start(MESSAGE)
    assert workspace.parameters[int(run_id)] == {
        "user_id": "0123456789abcdef0123456789abcdef",
        "parent_job_id": "november_orders",
        "job_id": "fe6b1c2d3e4f5a6b7c8d9e0f1a2b3c4d",
        "as_of": "2026-11-22T21:00:00.123456+00:00",
        "submission": "1",
        "attempt": "2",
        "trace_parent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    }


def test_the_same_attempt_asked_for_again_gives_the_same_run(
    workspace: Workspace, jobs: DatabricksJobs
) -> None:
    first = jobs.start(MESSAGE)
    again = DatabricksJobs(workspace.host, JOB_ID, Identity()).start(MESSAGE)
    assert again == first
    assert jobs.start(replace(MESSAGE, attempt=3)) != first


def test_calls_are_made_as_azures_databricks_application(workspace: Workspace) -> None:
    identity = Identity()
    DatabricksJobs(workspace.host, JOB_ID, identity).start(MESSAGE)
    assert identity.scopes == {"2ff814a6-3304-4ab8-85cb-cd0e6f879c1d/.default"}


@pytest.mark.parametrize(
    "state", ["QUEUED", "BLOCKED", "PENDING", "WAITING", "RUNNING", "TERMINATING", "A_STATE_OF_NEXT_YEAR"]
)
def test_a_run_that_has_not_ended_is_running(workspace: Workspace, jobs: DatabricksJobs, state: str) -> None:
    run_id = jobs.start(MESSAGE)
    workspace.moved(run_id, state)
    assert jobs.state(run_id) is RunState.RUNNING


@pytest.mark.parametrize(
    ("code", "kind", "state"),
    [
        ("SUCCESS", "SUCCESS", RunState.SUCCEEDED),
        ("RUN_EXECUTION_ERROR", "CLIENT_ERROR", RunState.FAILED),
        ("DRIVER_ERROR", "INTERNAL_ERROR", RunState.FAILED),
        ("CLOUD_FAILURE", "CLOUD_FAILURE", RunState.FAILED),
        ("USER_CANCELED", "CLIENT_ERROR", RunState.FAILED),
        ("A_CODE_OF_NEXT_YEAR", "CLIENT_ERROR", RunState.FAILED),
    ],
)
def test_a_run_that_has_ended_has_succeeded_or_failed(
    workspace: Workspace, jobs: DatabricksJobs, code: str, kind: str, state: RunState
) -> None:
    run_id = jobs.start(MESSAGE)
    workspace.ended(run_id, code, kind)
    assert jobs.state(run_id) is state


def test_a_run_that_databricks_has_forgotten_has_failed(workspace: Workspace, jobs: DatabricksJobs) -> None:
    run_id = jobs.start(MESSAGE)
    workspace.deleted(run_id)
    assert jobs.state(run_id) is RunState.FAILED
    workspace.refusals.append((404, {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "no such run"}, {}))
    assert jobs.state(run_id) is RunState.FAILED


def test_a_run_of_a_spark_worker_has_failed(workspace: Workspace, jobs: DatabricksJobs) -> None:
    assert jobs.state("9f86d081884c7d65") is RunState.FAILED
    assert workspace.calls == []


def test_the_active_runs_are_counted_over_all_pages(workspace: Workspace, jobs: DatabricksJobs) -> None:
    assert jobs.active() == 0
    runs = [jobs.start(replace(MESSAGE, attempt=attempt)) for attempt in range(1, 7)]
    workspace.moved(runs[1], "RUNNING")
    workspace.ended(runs[2], "SUCCESS", "SUCCESS")
    assert jobs.active() == 5
    assert workspace.calls[-3:] == ["GET /api/2.2/jobs/runs/list"] * 3


def test_a_moment_of_throttling_does_not_show(workspace: Workspace, jobs: DatabricksJobs) -> None:
    throttled = {"error_code": "REQUEST_LIMIT_EXCEEDED", "message": "Too many requests"}
    workspace.refusals.append((429, throttled, {}))
    assert jobs.active() == 0
    assert len(workspace.calls) == 2


def test_a_long_wait_that_databricks_asks_for_is_left_to_the_next_step(
    workspace: Workspace, jobs: DatabricksJobs
) -> None:
    throttled = {"error_code": "REQUEST_LIMIT_EXCEEDED", "message": "Too many requests"}
    workspace.refusals.append((429, throttled, {"Retry-After": "600"}))
    began = monotonic()
    with pytest.raises(Unavailable, match=r"can't serve the job \d+: Too many requests$"):
        jobs.start(MESSAGE)
    assert monotonic() - began < 5
    assert workspace.runs == {}


def test_an_identity_that_databricks_refuses_is_told_what_it_needs(workspace: Workspace) -> None:
    with pytest.raises(Unavailable, match="add its identity to the workspace, and give it Can Manage Run"):
        DatabricksJobs(workspace.host, JOB_ID, Identity("another")).start(MESSAGE)


def test_a_missing_permission_is_told_too(workspace: Workspace, jobs: DatabricksJobs) -> None:
    workspace.refusals.append((403, {"error_code": "PERMISSION_DENIED", "message": "no"}, {}))
    with pytest.raises(Unavailable, match="add its identity to the workspace, and give it Can Manage Run"):
        jobs.start(MESSAGE)


def test_a_job_that_is_not_there_is_named(workspace: Workspace) -> None:
    with pytest.raises(Unavailable, match=r"Job 7 does not exist"):
        DatabricksJobs(workspace.host, 7, Identity()).start(MESSAGE)


def test_a_job_that_is_not_there_is_named_however_databricks_puts_it(
    workspace: Workspace, jobs: DatabricksJobs
) -> None:
    workspace.refusals.append((404, {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "no such job"}, {}))
    with pytest.raises(Unavailable, match=f"has no job {JOB_ID}: check DATABRICKS_JOB_ID"):
        jobs.start(MESSAGE)


def test_a_service_without_an_identity_is_told_so(workspace: Workspace) -> None:
    with pytest.raises(Unavailable, match="no identity for Databricks: enable its managed identity"):
        DatabricksJobs(workspace.host, JOB_ID, NoIdentity()).active()


def test_a_workspace_that_does_not_answer_is_unavailable_within_seconds() -> None:
    with running_workspace() as workspace:
        pass
    began = monotonic()
    with pytest.raises(Unavailable, match="does not answer: check DATABRICKS_HOST and the network"):
        DatabricksJobs(workspace.host, JOB_ID, Identity()).active()
    assert monotonic() - began < 10


def test_the_settings_say_where_runs_are_started() -> None:
    storage = {"AZURE_STORAGE_ACCOUNT": "orders"}
    databricks = {"DATABRICKS_HOST": "adb-1.2.azuredatabricks.net", "DATABRICKS_JOB_ID": "7"}
    worker = {"SPARK_WORKER_URL": "http://127.0.0.1:7075"}
    assert isinstance(_services(storage | databricks).spark_jobs, DatabricksJobs)
    assert isinstance(_services(storage | worker | databricks).spark_jobs, SparkWorkerJobs)
    assert isinstance(_services(storage).spark_jobs, UnconfiguredSpark)


def _services(environment: dict[str, str]) -> Any:
    return build_services(Settings.from_environment(environment))
