"""What the stack is made of: the programs, their order, and the one environment they share."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import requests

from backend.local import azurite
from backend.local.addresses import HOST, Addresses, listens
from backend.local.child_process import Program, keep_last_log
from backend.local.stack_errors import StackFailed
from backend.local.state_directory import StateDirectory
from backend.local.supervisor import Supervisor
from backend.settings import Settings

_API = "api"
_FUNCTIONS = "functions"
_FUNCTION_APP = "backend.myfunc.function_app"
_SPARK = "spark"
# Settings that would lead a local stack to somebody's real Azure account, or to an identity of theirs.
_FOREIGN_PREFIXES = ("AZURE_", "ADLS_", "AzureWebJobs", "DATABRICKS_")
_DATABASE_URL = "DATABASE_URL"
_JWT_SECRET_KEY = "JWT_SECRET_KEY"  # noqa: S105 - a setting's name
_PROBE_SECONDS = 5
_ROOT = Path(__file__).resolve().parents[2]
_SESSION = requests.Session()
# A proxy of the environment can't reach this machine's own ports.
_SESSION.trust_env = False


class StackPrograms:
    """The programs of one stack."""

    def __init__(self, addresses: Addresses, state: StateDirectory) -> None:
        self.addresses = addresses
        self.state = state

    def start_all(self, supervisor: Supervisor) -> None:
        """Start every program, and wait until the API and the Functions host can take work.

        Raises:
            StackFailed: something does not start.
            StopRequested: a signal came.
        """
        self.state.write_private(self.state.connection_string, self.addresses.connection_string + "\n")
        environment = self.environment()
        for name, command in self._commands().items():
            self._start(supervisor, name, command, environment | self._own_settings(name))
        self._set_up_storage(supervisor, environment)
        supervisor.wait_until_ready(_API, lambda: _answers(f"{self.addresses.api_url}/readyz"))
        status = f"http://{HOST}:{self.addresses.functions}/admin/host/status"
        supervisor.wait_until_ready(_FUNCTIONS, lambda: _answers(status))
        # Last, and nobody waits for it: Spark takes longer to load than all others together.
        self._start(supervisor, _SPARK, self._spark_worker(), environment, vital=False)
        self._start(supervisor, "pipelines", self._pipeline_scheduler(), environment)

    def demo(self) -> Program:
        """The demo, which shows itself on the stack's own terminal."""
        command = _module("backend.local.demo", "--url", self.addresses.api_url)
        return Program("the demo", command, self.environment())

    def environment(self) -> dict[str, str]:
        """The environment of every program: the caller's, with this stack's settings in place of others."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if name not in (_DATABASE_URL, _JWT_SECRET_KEY) and not name.startswith(_FOREIGN_PREFIXES)
        }
        direct = ",".join(filter(None, (HOST, "localhost", os.environ.get("NO_PROXY"))))
        return kept | {
            "ORCHESTRATOR_MODE": "local",
            "AZURE_STORAGE_CONNECTION_STRING": self.addresses.connection_string,
            # The functions' triggers name their queues by these, so they have to be set here.
            "SMALL_BATCH_QUEUE": "small-batch-queue",
            "LARGE_BATCH_QUEUE": "large-batch-queue",
            "DATA_GENERATION_QUEUE": "data-generation-queue",
            "WAREHOUSE_FILE": str(self.state.warehouse_file),
            # A worker that dies here is not waited for as long as one on Azure.
            "HEARTBEAT_SECONDS": kept.get("HEARTBEAT_SECONDS", "2"),
            "STALE_AFTER_SECONDS": kept.get("STALE_AFTER_SECONDS", "10"),
            "SPARK_WORKER_URL": f"http://{HOST}:{self.addresses.spark}",
            # A proxy can't reach this machine's own ports.
            "NO_PROXY": direct,
            "no_proxy": direct,
            "PYTHONUNBUFFERED": "1",
            # This project and no other folder called `backend`, wherever the stack was started.
            "PYTHONPATH": os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH")))),
            "PYTHONSAFEPATH": "1",
        }

    def _start(
        self,
        supervisor: Supervisor,
        name: str,
        command: tuple[str, ...],
        environment: Mapping[str, str],
        *,
        vital: bool = True,
    ) -> None:
        log = self.state.log(name)
        keep_last_log(log)
        supervisor.start(Program(name, command, environment, log, vital))

    def _own_settings(self, name: str) -> dict[str, str]:
        """What one program alone is told."""
        database = {_DATABASE_URL: self._database_url}
        if name == _API:
            return database | {_JWT_SECRET_KEY: self.state.jwt_secret_key()}
        return database if name == _FUNCTIONS else {}

    @property
    def _database_url(self) -> str:
        """A caller's own DATABASE_URL puts accounts and Gold on MySQL."""
        return os.environ.get(_DATABASE_URL, self.state.database_url)

    def _commands(self) -> dict[str, tuple[str, ...]]:
        """By name, in the order of their start; all load at the same time and wait for what they need."""
        ports = self.addresses
        return {
            "azurite": azurite.command(ports, self.state.azurite),
            "gateway": _module(
                "backend.local.datalake_gateway",
                *("--port", str(ports.lake), "--azurite-port", str(ports.azurite_blob)),
            ),
            _API: _module("backend", "serve", "--host", HOST, "--port", str(ports.api)),
            _FUNCTIONS: _module(
                "backend.local.functions_host",
                *("--app", _FUNCTION_APP, "--http-port", str(ports.functions)),
            ),
        }

    def _spark_worker(self) -> tuple[str, ...]:
        return _module(
            "backend.local.spark_worker",
            *("--port", str(self.addresses.spark), "--scratch", str(self.state.spark)),
        )

    def _pipeline_scheduler(self) -> tuple[str, ...]:
        functions_url = f"http://{HOST}:{self.addresses.functions}"
        return _module("backend.local.pipeline_scheduler", "--functions-url", functions_url)

    def _set_up_storage(self, supervisor: Supervisor, environment: Mapping[str, str]) -> None:
        # Imported while the programs load: it takes as long as Azurite does.
        from azure.core.exceptions import AzureError

        from backend.adapters.schema_migration import migrate
        from backend.bootstrap import ensure_storage
        from backend.domain.errors import InvalidSettings, Unavailable

        try:
            migrate(self._database_url)
        except (InvalidSettings, Unavailable) as error:
            raise StackFailed(f"the operational database can't be set up: {error}") from error
        ports = (self.addresses.azurite_blob, self.addresses.queue, self.addresses.table)
        supervisor.wait_until_ready("azurite", lambda: all(listens(port) for port in ports))
        supervisor.wait_until_ready("gateway", lambda: listens(self.addresses.lake))
        try:
            ensure_storage(Settings.from_environment(environment))
        except AzureError as error:
            reason = str(error).splitlines()[0]
            raise StackFailed(
                f"the storage can't be set up: {reason}; its logs: {self.state.logs}"
            ) from error


def _module(name: str, *arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", name, *arguments)


def _answers(url: str) -> bool:
    try:
        return _SESSION.get(url, timeout=_PROBE_SECONDS).ok
    except requests.RequestException:
        return False
