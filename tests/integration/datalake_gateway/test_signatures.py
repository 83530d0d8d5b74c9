"""Who may make DFS calls."""

import base64

import requests
from azure.storage.filedatalake import DataLakeServiceClient, FileSystemClient

from tests.integration.datalake_gateway.lake_files import expect_refusal, names
from tests.local_storage import LocalStorage

_WRONG_KEY = base64.b64encode(b"x" * 64).decode()


def test_a_wrong_key_is_refused(local_storage: LocalStorage, lake: FileSystemClient) -> None:
    account = local_storage.addresses.account_url(local_storage.lake_port)
    with DataLakeServiceClient(account, credential=_WRONG_KEY, retry_total=0) as stranger:
        their_lake = stranger.get_file_system_client(lake.file_system_name)

        with expect_refusal(403, "AuthenticationFailed"):
            their_lake.get_file_client("a").create_file()
        with expect_refusal(403, "AuthenticationFailed"):
            names(their_lake)

    assert names(lake) == []


def test_a_call_without_a_signature_is_refused(local_storage: LocalStorage, lake: FileSystemClient) -> None:
    account = local_storage.addresses.account_url(local_storage.lake_port)

    answer = requests.put(f"{account}/{lake.file_system_name}/a?resource=file", timeout=30)

    assert answer.status_code == 401
    assert answer.headers["x-ms-error-code"] == "NoAuthenticationInformation"
    assert answer.json()["error"]["code"] == "NoAuthenticationInformation"
