import base64

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import QueueServiceClient

from backend.adapters.storage_queue import StorageQueues
from backend.azure_clients import queue_service
from backend.settings import StorageAccount
from tests.local_storage import LocalStorage


@pytest.fixture
def service(local_storage: LocalStorage) -> QueueServiceClient:
    return queue_service(StorageAccount(local_storage.connection_string, None))


def test_a_message_is_base64_on_the_wire_and_its_id_is_told(service: QueueServiceClient) -> None:
    service.create_queue("wire-format")
    message_id = StorageQueues(service, ["wire-format"]).send("wire-format", b'{"jobId": "\xc3\xa9"}')
    [raw] = service.get_queue_client("wire-format", message_decode_policy=None).peek_messages()
    assert base64.b64decode(raw.content) == b'{"jobId": "\xc3\xa9"}'
    assert raw.id == message_id


def test_a_message_does_not_expire(service: QueueServiceClient) -> None:
    service.create_queue("lasting")
    StorageQueues(service, ["lasting"]).send("lasting", b"{}")
    [raw] = service.get_queue_client("lasting").peek_messages()
    assert raw.expires_on is not None
    assert raw.inserted_on is not None
    assert (raw.expires_on - raw.inserted_on).days > 365


def test_ping_tells_of_a_missing_queue(service: QueueServiceClient) -> None:
    service.create_queue("present")
    StorageQueues(service, ["present"]).ping()
    with pytest.raises(ResourceNotFoundError):
        StorageQueues(service, ["present", "missing"]).ping()
