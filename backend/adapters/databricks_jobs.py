"""Spark runs of Databricks: one run of the deployed job for each attempt at a dataset."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property

from azure.core.credentials import TokenCredential
from azure.core.exceptions import AzureError
from databricks.sdk import WorkspaceClient
from databricks.sdk.clock import RealClock
from databricks.sdk.core import Config, DatabricksError
from databricks.sdk.credentials_provider import CredentialsProvider, CredentialsStrategy
from databricks.sdk.errors import NotFound, PermissionDenied, Unauthenticated
from databricks.sdk.service.jobs import Run, RunLifecycleStateV2State, TerminationCodeCode

from backend.domain.errors import Unavailable
from backend.domain.messages import LargeBatchMessage
from backend.ports import RunState

# The application of every Azure Databricks workspace in Microsoft Entra ID.
_TOKEN_SCOPE = "2ff814a6-3304-4ab8-85cb-cd0e6f879c1d/.default"  # noqa: S105 - names what a token is for

# The SDK's own are 60 and 300: a step of the queue waits seconds for an outage, and the next step asks again.
_CALL_SECONDS = 10.0
_RETRY_SECONDS = 2
_LONGEST_PAUSE_SECONDS = 2.0


class DatabricksJobs:
    """Implements `SparkJobs` with one job of a workspace.

    Args:
        host: the workspace, such as adb-1234567890123456.7.azuredatabricks.net.
        job_id: the job that `infrastructure/databricks.yml` deploys.
        credential: who this service is in Microsoft Entra ID.
    """

    def __init__(self, host: str, job_id: int, credential: TokenCredential) -> None:
        self._host = host
        self._job_id = job_id
        self._credential = credential

    def start(self, message: LargeBatchMessage) -> str:
        """Start the run of the message's attempt; its id. Raises Unavailable."""
        with self._told_as_unavailable():
            started = self._client.jobs.run_now(
                self._job_id,
                idempotency_token=message.run_token,
                job_parameters=run_parameters(message),
            )
            return str(started.bind()["run_id"])

    def state(self, run_id: str) -> RunState:
        """Where the run stands. Raises Unavailable."""
        if not run_id.isdecimal():
            # Of a Spark worker that the queue was drained to before.
            return RunState.FAILED
        with self._told_as_unavailable():
            try:
                return _state(self._client.jobs.get_run(int(run_id)))
            except NotFound:
                return RunState.FAILED

    def active(self) -> int:
        """How many runs are queued or under way. Raises Unavailable."""
        with self._told_as_unavailable():
            return sum(1 for _ in self._client.jobs.list_runs(job_id=self._job_id, active_only=True))

    @cached_property
    def _client(self) -> WorkspaceClient:
        identity = _EntraIdentity(self._credential)
        return WorkspaceClient(
            config=Config(
                host=self._host,
                credentials_strategy=identity,
                # Whatever else of the environment could be taken for credentials is not.
                auth_type=identity.auth_type(),
                http_timeout_seconds=_CALL_SECONDS,
                retry_timeout_seconds=_RETRY_SECONDS,
                clock=_ShortPauses(),
            )
        )

    @contextmanager
    def _told_as_unavailable(self) -> Iterator[None]:
        try:
            yield
        # The SDK's errors, and those of the HTTP client beneath it, are OSErrors.
        except (OSError, AzureError) as error:
            cause = error.__cause__ if isinstance(error, TimeoutError) else error
            raise Unavailable(self._sentence(cause)) from error

    def _sentence(self, cause: BaseException | None) -> str:
        match cause:
            case Unauthenticated() | PermissionDenied():
                return (
                    f"Databricks at {self._host} refuses this service: add its identity to the workspace, "
                    f"and give it Can Manage Run on the job {self._job_id}"
                )
            case NotFound():
                return f"Databricks at {self._host} has no job {self._job_id}: check DATABRICKS_JOB_ID"
            case DatabricksError():
                return f"Databricks at {self._host} can't serve the job {self._job_id}: {cause}"
            case AzureError():
                return "this service has no identity for Databricks: enable its managed identity, or sign in"
            case _:
                return f"Databricks at {self._host} does not answer: check DATABRICKS_HOST and the network"


def run_parameters(message: LargeBatchMessage) -> dict[str, str]:
    """The job's parameters, which `databricks.yml` hands on to `backend/databricks/clean_dataset.py`."""
    return {
        "user_id": message.user_id,
        "parent_job_id": message.parent_job_id,
        "job_id": message.job_id,
        "as_of": message.as_of.isoformat(),
        "submission": str(message.submission),
        "attempt": str(message.attempt),
        "trace_parent": message.trace_parent or "",
    }


def _state(run: Run) -> RunState:
    if run.status is None or run.status.state is not RunLifecycleStateV2State.TERMINATED:
        return RunState.RUNNING
    details = run.status.termination_details
    succeeded = details is not None and details.code is TerminationCodeCode.SUCCESS
    return RunState.SUCCEEDED if succeeded else RunState.FAILED


class _EntraIdentity(CredentialsStrategy):
    """Signs calls with the service's own identity; the SDK for Python knows no managed identities."""

    def __init__(self, credential: TokenCredential) -> None:
        self._credential = credential

    def auth_type(self) -> str:
        return "azure-identity"

    def __call__(self, cfg: Config) -> CredentialsProvider:  # noqa: ARG002 - a strategy's signature
        return self._headers

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._credential.get_token(_TOKEN_SCOPE).token}"}


class _ShortPauses(RealClock):
    """Has the SDK try again after a moment, but not wait for as long as Databricks may ask it to."""

    def sleep(self, seconds: float) -> None:
        if seconds > _LONGEST_PAUSE_SECONDS:
            raise TimeoutError(f"asked to wait {seconds:.0f} s") from sys.exception()
        super().sleep(seconds)
