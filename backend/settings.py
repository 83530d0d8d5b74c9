"""Every environment variable, typed, frozen, read once. No default secret outside local mode."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Self

from backend.domain.errors import InvalidSettings

MINIMUM_SECRET_BYTES = 32

_LEAST_DISTINCT_CHARACTERS = 8
_PLACEHOLDERS = re.compile("change.?me|place.?holder|example|secret|password|insecure", re.IGNORECASE)
# Of Azurite, Microsoft's emulator: everybody knows its key.
_KNOWN_ACCOUNT = re.compile("AccountName=devstoreaccount1|UseDevelopmentStorage=true", re.IGNORECASE)

_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:[0-9]+)?")


@dataclass(frozen=True, slots=True)
class StorageAccount:
    """A storage account: reached by a connection string, or by name with a managed identity."""

    connection_string: str | None
    name: str | None


@dataclass(frozen=True, slots=True)
class Settings:
    """What the service is told by its environment.

    Attributes:
        local: whether this is the stack on one machine (`ORCHESTRATOR_MODE=local`).
        storage: the account of queues and tables.
        lake: the ADLS Gen2 account of Bronze, Silver, Gold and logs; by default the same account.
        database_url: the operational database, for accounts and Gold. The API and the functions reach it as
            different database users; what runs in Databricks is not given it.
        warehouse_file: the DuckDB file that stands in for Synapse on one machine.
        synapse_server, synapse_database: the dedicated SQL pool; without them Gold goes to no warehouse.
        heartbeat_interval: how often a worker says in JobProgress that it is at a job.
        stale_after: when a worker of which nothing was heard counts as gone.
        synchronous_write_time: how long a call of `/write_to_db` waits for its rows.
        jwt_secret_key: the API's own; a worker is not given it.
        small_batch_record_limit: the greatest number of records that takes the small path.
        small_batch_byte_limit: the greatest size of a dataset in Bronze that takes it.
        max_record_count: the greatest `dataCount`, and the greatest number of records in one upload.
        event_streams: how many event streams one process keeps open, at most half of them for one user.
        event_stream_time: how long a stream lasts before its client has to come again.
        max_open_jobs: how many jobs of one user may wait or be under way.
        generation_batch_size: records in one generated part.
        part_record_limit: the greatest number of records in one uploaded part.
        max_upload_bytes: the greatest size of an upload's body.
        credential_rate_limit: how often one address may register or log in, as `limits` writes it.
        failed_login_limit: how often the password of one username may be guessed wrong.
        trusted_proxy_count: how many proxies stand before the API, each of which adds its caller's address to
            `X-Forwarded-For`. One too many lets callers choose the address that they are counted by.
        spark_worker_url: the Spark worker of a stack on one machine.
        databricks_host, databricks_job_id: the workspace, and its job that cleans one dataset.
        application_insights: the connection string of where traces are sent; without it, nowhere.
        application_insights_by_identity: whether they are sent as the process's identity.
        fault_points: where tests say at which point a process of a stack on one machine is to die.
        metrics_token: what whoever reads `/metrics` has to show.
        cors_origins: whose pages may call the API from a browser; nobody's by default.
    """

    local: bool
    storage: StorageAccount
    lake: StorageAccount
    database_url: str | None
    warehouse_file: Path | None
    synapse_server: str | None
    synapse_database: str | None
    heartbeat_interval: timedelta
    stale_after: timedelta
    synchronous_write_time: timedelta
    jwt_secret_key: str | None
    small_batch_queue: str
    large_batch_queue: str
    data_generation_queue: str
    small_batch_record_limit: int
    small_batch_byte_limit: int
    max_record_count: int
    event_streams: int
    event_stream_time: timedelta
    max_open_jobs: int
    generation_batch_size: int
    part_record_limit: int
    max_upload_bytes: int
    access_token_lifetime: timedelta
    refresh_token_lifetime: timedelta
    credential_rate_limit: str
    failed_login_limit: str
    trusted_proxy_count: int
    spark_worker_url: str | None
    databricks_host: str | None
    databricks_job_id: int | None
    application_insights: str | None
    application_insights_by_identity: bool
    metrics_token: str | None
    cors_origins: tuple[str, ...]
    fault_points: Path | None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Self:
        """Read the settings.

        Raises:
            InvalidSettings: something needed is missing, or a value is not of its type.
        """
        env = os.environ if environment is None else environment
        # The second name of the account is the one that Azure's host reads for the functions' triggers.
        account = env.get("AZURE_STORAGE_ACCOUNT") or env.get("AZURE_STORAGE_CONNECTION_STRING__accountName")
        storage = StorageAccount(env.get("AZURE_STORAGE_CONNECTION_STRING"), account)
        if not storage.connection_string and not storage.name:
            raise InvalidSettings("set AZURE_STORAGE_CONNECTION_STRING or AZURE_STORAGE_ACCOUNT")
        lake = StorageAccount(env.get("ADLS_CONNECTION_STRING"), env.get("ADLS_ACCOUNT"))
        return cls(
            local=env.get("ORCHESTRATOR_MODE", "azure") == "local",
            storage=storage,
            lake=lake if lake.connection_string or lake.name else storage,
            database_url=database_url(env),
            warehouse_file=Path(file) if (file := env.get("WAREHOUSE_FILE")) else None,
            synapse_server=env.get("SYNAPSE_SERVER") or None,
            synapse_database=env.get("SYNAPSE_DATABASE") or None,
            heartbeat_interval=timedelta(seconds=_positive(env, "HEARTBEAT_SECONDS", 10)),
            stale_after=timedelta(seconds=_positive(env, "STALE_AFTER_SECONDS", 30)),
            synchronous_write_time=timedelta(seconds=_positive(env, "SYNCHRONOUS_WRITE_SECONDS", 60)),
            jwt_secret_key=_secret(env, "JWT_SECRET_KEY"),
            small_batch_queue=env.get("SMALL_BATCH_QUEUE", "small-batch-queue"),
            large_batch_queue=env.get("LARGE_BATCH_QUEUE", "large-batch-queue"),
            data_generation_queue=env.get("DATA_GENERATION_QUEUE", "data-generation-queue"),
            small_batch_record_limit=_positive(env, "SMALL_BATCH_RECORD_LIMIT", 10_000),
            small_batch_byte_limit=_positive(env, "SMALL_BATCH_BYTE_LIMIT", 1 << 28),
            max_record_count=_positive(env, "MAX_RECORD_COUNT", 10_000_000),
            event_streams=_positive(env, "EVENT_STREAMS", 400),
            event_stream_time=timedelta(seconds=_positive(env, "EVENT_STREAM_SECONDS", 600)),
            max_open_jobs=_positive(env, "MAX_OPEN_JOBS", 100),
            generation_batch_size=_positive(env, "GENERATION_BATCH_SIZE", 2_500),
            part_record_limit=_positive(env, "PART_RECORD_LIMIT", 10_000),
            max_upload_bytes=_positive(env, "MAX_UPLOAD_BYTES", 1 << 30),
            access_token_lifetime=timedelta(minutes=_positive(env, "ACCESS_TOKEN_MINUTES", 15)),
            refresh_token_lifetime=timedelta(days=_positive(env, "REFRESH_TOKEN_DAYS", 7)),
            credential_rate_limit=env.get("CREDENTIAL_RATE_LIMIT", "20 per minute"),
            failed_login_limit=env.get("FAILED_LOGIN_LIMIT", "20 per 15 minutes"),
            trusted_proxy_count=_integer(env, "TRUSTED_PROXY_COUNT", 0, least=0),
            spark_worker_url=env.get("SPARK_WORKER_URL") or None,
            databricks_host=env.get("DATABRICKS_HOST") or None,
            databricks_job_id=_job_id(env),
            application_insights=env.get("APPLICATIONINSIGHTS_CONNECTION_STRING") or None,
            application_insights_by_identity=_with_identity(env),
            metrics_token=_secret(env, "METRICS_TOKEN"),
            cors_origins=_origins(env),
            fault_points=_fault_points(env),
        )

    def require_own_storage(self) -> None:
        """Refuse an account whose key is in everybody's documentation. Raises InvalidSettings."""
        for account in () if self.local else (self.storage, self.lake):
            if _KNOWN_ACCOUNT.search(account.connection_string or ""):
                raise InvalidSettings(
                    "AZURE_STORAGE_CONNECTION_STRING and ADLS_CONNECTION_STRING have to name an account of"
                    " your own: the emulator's is for ORCHESTRATOR_MODE=local"
                )

    def require_database_url(self) -> str:
        """The operational database. Raises InvalidSettings."""
        return _required("DATABASE_URL", self.database_url)

    def require_jwt_secret_key(self) -> str:
        """What tokens are signed with. Raises InvalidSettings."""
        return _required("JWT_SECRET_KEY", self.jwt_secret_key)


def database_url(environment: Mapping[str, str] | None = None) -> str | None:
    """The operational database alone, for who has to know nothing else."""
    env = os.environ if environment is None else environment
    return env.get("DATABASE_URL") or None


def warehouse_address(environment: Mapping[str, str] | None = None) -> tuple[str, str] | None:
    """The server and database of the dedicated SQL pool alone, if the environment names one."""
    env = os.environ if environment is None else environment
    server, database = env.get("SYNAPSE_SERVER"), env.get("SYNAPSE_DATABASE")
    return (server, database) if server and database else None


def service_url(environment: Mapping[str, str] | None = None) -> str | None:
    """Where the service is that the command line calls."""
    env = os.environ if environment is None else environment
    return env.get("ORCHESTRATOR_URL") or None


def service_token(environment: Mapping[str, str] | None = None) -> str | None:
    """Who calls it, for programs, which do not log in: an access or a refresh token."""
    env = os.environ if environment is None else environment
    return env.get("ORCHESTRATOR_TOKEN", "").strip() or None


def _fault_points(env: Mapping[str, str]) -> Path | None:
    folder = env.get("FAULT_POINTS")
    if not folder:
        return None
    if env.get("ORCHESTRATOR_MODE") != "local":
        raise InvalidSettings("FAULT_POINTS is for tests of a stack on one machine")
    return Path(folder)


def _required(name: str, value: str | None) -> str:
    if value is None:
        raise InvalidSettings(f"set {name}")
    return value


def _secret(env: Mapping[str, str], name: str) -> str | None:
    value = env.get(name) or None
    if value is not None and len(value.encode()) < MINIMUM_SECRET_BYTES:
        raise InvalidSettings(f"{name} has to be at least {MINIMUM_SECRET_BYTES} bytes long")
    if value is not None and env.get("ORCHESTRATOR_MODE") != "local" and _is_guessable(value):
        raise InvalidSettings(f"{name} has to be random, not an example: `openssl rand -hex 32` makes one")
    return value


def _is_guessable(secret: str) -> bool:
    repeats_itself = secret in (secret + secret)[1:-1]
    neighbours = sum(ord(after) - ord(before) == 1 for before, after in pairwise(secret))
    return (
        len(set(secret)) < _LEAST_DISTINCT_CHARACTERS
        or repeats_itself
        or neighbours > len(secret) // 2
        or _PLACEHOLDERS.search(secret) is not None
    )


def _origins(env: Mapping[str, str]) -> tuple[str, ...]:
    origins = tuple(filter(None, (each.strip() for each in env.get("CORS_ORIGINS", "").split(","))))
    for origin in origins:
        if _ORIGIN.fullmatch(origin) is None:
            raise InvalidSettings(
                f"CORS_ORIGINS has to name origins, such as https://app.example.org, not {origin}"
            )
    return origins


def _job_id(env: Mapping[str, str]) -> int | None:
    name = "DATABRICKS_JOB_ID"
    return _positive(env, name, 0) if env.get(name) else None


def _with_identity(env: Mapping[str, str]) -> bool:
    # The name and value that Azure's own host knows.
    return "AAD" in env.get("APPLICATIONINSIGHTS_AUTHENTICATION_STRING", "")


def _positive(env: Mapping[str, str], name: str, default: int) -> int:
    return _integer(env, name, default, least=1)


def _integer(env: Mapping[str, str], name: str, default: int, least: int) -> int:
    text = env.get(name, str(default))
    try:
        value = int(text)
    except ValueError:
        value = least - 1
    if value < least:
        raise InvalidSettings(f"{name} has to be an integer of {least} or more, not {text!r}")
    return value
