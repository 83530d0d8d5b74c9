"""Clients of Azure's services, by connection string or by the process's identity."""

from typing import TYPE_CHECKING, Any

from backend.settings import StorageAccount

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential
    from azure.data.tables import TableServiceClient
    from azure.storage.filedatalake import DataLakeServiceClient
    from azure.storage.queue import QueueServiceClient

_CONNECT_SECONDS = 5
_READ_SECONDS = 30
_RETRIES = 2
_THIS_MACHINE = "//127.0.0.1:"


def queue_service(account: StorageAccount) -> "QueueServiceClient":
    """A client of an account's queues."""
    from azure.storage.queue import ExponentialRetry, QueueServiceClient

    options = _options(account) | {"retry_policy": ExponentialRetry(1, 2, _RETRIES, random_jitter_range=1)}
    if account.connection_string:
        return QueueServiceClient.from_connection_string(account.connection_string, **options)
    return QueueServiceClient(
        f"https://{account.name}.queue.core.windows.net", credential=identity(), **options
    )


def table_service(account: StorageAccount) -> "TableServiceClient":
    """A client of an account's tables."""
    from azure.data.tables import TableServiceClient

    options = _options(account) | {"retry_total": _RETRIES}
    if account.connection_string:
        return TableServiceClient.from_connection_string(account.connection_string, **options)
    return TableServiceClient(
        endpoint=f"https://{account.name}.table.core.windows.net", credential=identity(), **options
    )


def lake_service(account: StorageAccount) -> "DataLakeServiceClient":
    """A client of an ADLS Gen2 account."""
    from azure.storage.filedatalake import DataLakeServiceClient, ExponentialRetry

    options = _options(account) | {"retry_policy": ExponentialRetry(1, 2, _RETRIES, random_jitter_range=1)}
    if account.connection_string:
        return DataLakeServiceClient.from_connection_string(account.connection_string, **options)
    return DataLakeServiceClient(
        f"https://{account.name}.dfs.core.windows.net", credential=identity(), **options
    )


def _options(account: StorageAccount) -> dict[str, Any]:
    """Of every client: a caller waits seconds for an outage, not the minutes of the SDKs' defaults."""
    options: dict[str, Any] = {"connection_timeout": _CONNECT_SECONDS, "read_timeout": _READ_SECONDS}
    if account.connection_string and _THIS_MACHINE in account.connection_string:
        # No proxy stands before it, and to look for one takes a tenth of a call.
        options["use_env_settings"] = False
    return options


def identity() -> "TokenCredential":
    """The managed identity on Azure, the developer's own elsewhere."""
    from azure.identity import DefaultAzureCredential

    return DefaultAzureCredential()
