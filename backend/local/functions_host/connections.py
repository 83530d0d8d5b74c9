"""From a trigger's `connection` to a client of its queue, by the rules for Functions connections."""

from collections.abc import Mapping

from azure.identity import DefaultAzureCredential
from azure.storage.queue import LinearRetry, QueueServiceClient

from backend.local.functions_host.errors import InvalidFunctionApp


def connect(connection: str, environment: Mapping[str, str]) -> QueueServiceClient:
    """A client for the account of the setting `connection`.

    The setting, or the one of that name with `AzureWebJobs` before it, holds a connection string; or
    `<connection>__queueServiceUri` or `<connection>__accountName` name the account for an identity.

    Raises:
        InvalidFunctionApp: there is no such setting.
    """
    # The SDK's own policy waits 15 s and more, which suits a region's outage and not an emulator's.
    retries = LinearRetry(backoff=1, retry_total=3, random_jitter_range=0)
    for name in (connection, f"AzureWebJobs{connection}"):
        if environment.get(name):
            return QueueServiceClient.from_connection_string(environment[name], retry_policy=retries)
        uri = environment.get(f"{name}__queueServiceUri")
        account = environment.get(f"{name}__accountName")
        if uri or account:
            url = uri or f"https://{account}.queue.core.windows.net"
            return QueueServiceClient(url, DefaultAzureCredential(), retry_policy=retries)
    raise InvalidFunctionApp(f"set {connection} to a storage account's connection string")
