import uuid
from collections.abc import Iterator

import pytest
from azure.storage.blob import BlobServiceClient, ContainerClient
from azure.storage.filedatalake import DataLakeServiceClient, FileSystemClient

from tests.local_storage import LocalStorage


@pytest.fixture(scope="session")
def lake_service(local_storage: LocalStorage) -> Iterator[DataLakeServiceClient]:
    connection = local_storage.connection_string
    with DataLakeServiceClient.from_connection_string(connection, retry_total=0) as service:
        yield service


@pytest.fixture(scope="session")
def blob_service(local_storage: LocalStorage) -> Iterator[BlobServiceClient]:
    connection = local_storage.connection_string
    with BlobServiceClient.from_connection_string(connection, retry_total=0) as service:
        yield service


@pytest.fixture
def lake(lake_service: DataLakeServiceClient) -> FileSystemClient:
    """A filesystem of the test's own."""
    return lake_service.create_file_system(f"lake-{uuid.uuid4().hex}")


@pytest.fixture
def blobs(blob_service: BlobServiceClient, lake: FileSystemClient) -> ContainerClient:
    """The same filesystem, by the blob endpoint."""
    return blob_service.get_container_client(lake.file_system_name)
