import uuid
from collections.abc import Iterator

import pytest
from azure.storage.filedatalake import DataLakeServiceClient

from backend.adapters.data_lake import DataLakeContainer
from backend.domain.errors import NotFound
from backend.ports import LakeFile
from tests.local_storage import LocalStorage


@pytest.fixture
def service(local_storage: LocalStorage) -> Iterator[DataLakeServiceClient]:
    with DataLakeServiceClient.from_connection_string(local_storage.connection_string) as client:
        yield client


@pytest.fixture
def container(service: DataLakeServiceClient) -> DataLakeContainer:
    name = f"lake-{uuid.uuid4().hex}"
    service.create_file_system(name)
    return DataLakeContainer(service, name)


def test_a_written_file_is_read_back(container: DataLakeContainer) -> None:
    container.write("silver/u1/a.parquet", b"content")

    assert container.read("silver/u1/a.parquet") == b"content"


def test_a_file_is_written_over(container: DataLakeContainer) -> None:
    container.write("a/b.json", b"old and longer")
    container.write("a/b.json", b"new")

    assert container.read("a/b.json") == b"new"
    assert container.list_files("a") == [LakeFile("a/b.json", 3)]


def test_an_empty_file_is_a_file(container: DataLakeContainer) -> None:
    container.write("a/empty", b"")

    assert container.read("a/empty") == b""
    assert container.list_files("a") == [LakeFile("a/empty", 0)]
