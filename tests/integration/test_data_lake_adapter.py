"""The lake's adapter, against the stand-in for ADLS."""

import os
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.core.pipeline import PipelineResponse
from azure.storage.filedatalake import DataLakeServiceClient

from backend.adapters.data_lake import DataLakeContainer
from backend.domain.errors import NotFound
from backend.ports import LakeFile
from tests.local_storage import LocalStorage


class BrokenContent(Exception):
    """What content raises that can't be read to its end."""


@pytest.fixture
def service(local_storage: LocalStorage) -> Iterator[DataLakeServiceClient]:
    connection = local_storage.connection_string
    with DataLakeServiceClient.from_connection_string(connection, retry_total=0) as client:
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


@pytest.mark.parametrize("content", [b"", [], [b"", b""]])
def test_an_empty_file_is_a_file(container: DataLakeContainer, content: bytes | list[bytes]) -> None:
    container.write("a/empty", content)

    assert container.read("a/empty") == b""
    assert b"".join(container.read_chunks("a/empty")) == b""
    assert container.list_files("a") == [LakeFile("a/empty", 0)]


def test_the_folders_right_below_a_folder_are_listed(container: DataLakeContainer) -> None:
    for path in ("u1/b/c/0.json", "u1/a/0.json", "u1/0.json", "u2/d/0.json"):
        container.write(path, b"[]")

    assert container.list_folders("u1") == ["a", "b"]
    assert container.list_folders("u1/a") == []
    assert container.list_folders("u3") == []


def test_content_may_come_in_pieces(container: DataLakeContainer) -> None:
    container.write("a/b", (piece for piece in [b"one ", b"", b"two ", b"three"]))

    assert container.read("a/b") == b"one two three"


def test_content_longer_than_one_append_is_written_whole(
    container: DataLakeContainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.adapters.data_lake._APPEND_BYTES", 1000)
    content = os.urandom(4321)

    container.write("whole", content)
    container.write("pieces", (content[at : at + 700] for at in range(0, len(content), 700)))

    assert container.read("whole") == content
    assert container.read("pieces") == content


def test_a_large_file_is_read_in_pieces(container: DataLakeContainer) -> None:
    content = os.urandom(40 << 20)
    container.write("large", content)

    pieces = list(container.read_chunks("large"))

    assert len(pieces) > 1
    assert b"".join(pieces) == content


def test_content_that_breaks_off_leaves_the_file_as_it_was(container: DataLakeContainer) -> None:
    def content() -> Iterator[bytes]:
        yield b"new"
        raise BrokenContent

    container.write("a/b", b"old")

    with pytest.raises(BrokenContent):
        container.write("a/b", content())

    assert container.read("a/b") == b"old"
    assert container.list_files("a") == [LakeFile("a/b", 3)]


def test_nothing_is_left_beside_a_file(service: DataLakeServiceClient) -> None:
    client = service.create_file_system(f"lake-{uuid.uuid4().hex}")

    DataLakeContainer(service, client.file_system_name).write("a/b", b"content")

    assert [path.name for path in client.get_paths()] == ["a", "a/b"]


def test_a_file_that_is_being_written_does_not_show(service: DataLakeServiceClient) -> None:
    client = service.create_file_system(f"lake-{uuid.uuid4().hex}")
    container = DataLakeContainer(service, client.file_system_name)
    seen: list[tuple[int, list[LakeFile]]] = []

    def content() -> Iterator[bytes]:
        yield b"half"
        uploading = [path for path in client.get_paths("a") if not path.is_directory]
        seen.append((len(uploading), container.list_files("a")))

    container.write("a/b", content())

    assert seen == [(1, [])]


def test_files_whose_writing_was_broken_off_are_removed_once_they_are_old(
    service: DataLakeServiceClient,
) -> None:
    name = f"lake-{uuid.uuid4().hex}"
    client = service.create_file_system(name)
    container = DataLakeContainer(service, name)
    container.write("silver/whole", b"content")
    # What `write` makes first.
    client.get_file_client("silver/cleaned/.broken.0123456789abcdef.uploading").create_file()
    now = datetime.now(UTC)

    assert container.remove_unfinished(now - timedelta(hours=1)) == 0
    assert container.remove_unfinished(now + timedelta(minutes=1)) == 1
    assert sorted(path.name for path in client.get_paths() if not path.is_directory) == ["silver/whole"]


def test_files_are_listed_by_path_at_any_depth(container: DataLakeContainer) -> None:
    for path in ("a/z", "a/b/c", "a/B", "ab", "a/a b+c"):
        container.write(path, path.encode())

    assert container.list_files("a") == [
        LakeFile("a/B", 3),
        LakeFile("a/a b+c", 7),
        LakeFile("a/b/c", 5),
        LakeFile("a/z", 3),
    ]


def test_a_folder_that_does_not_exist_lists_nothing(container: DataLakeContainer) -> None:
    assert container.list_files("missing") == []


def test_reading_what_does_not_exist_is_not_found(container: DataLakeContainer) -> None:
    with pytest.raises(NotFound, match="there is no file a/missing in lake-"):
        container.read("a/missing")
    with pytest.raises(NotFound):
        container.read_chunks("a/missing")


def test_a_folder_is_deleted_with_all_its_files(container: DataLakeContainer) -> None:
    for path in ("a/1", "a/b/2", "ab"):
        container.write(path, b"x")

    assert container.delete_folder("a") == 2
    assert container.list_files("a") == []
    assert container.read("ab") == b"x"
    assert container.delete_folder("a") == 0


def test_a_file_is_deleted_once_or_not_at_all(container: DataLakeContainer) -> None:
    container.write("a/1", b"x")

    container.delete_file("a/1")
    container.delete_file("a/1")

    assert container.list_files("a") == []


def test_a_missing_container_is_no_missing_file(service: DataLakeServiceClient) -> None:
    missing = DataLakeContainer(service, "missing")

    for call in (
        lambda: missing.read("a"),
        lambda: missing.list_files("a"),
        lambda: missing.delete_folder("a"),
        lambda: missing.delete_file("a"),
        lambda: missing.write("a", b"x"),
        missing.ping,
    ):
        with pytest.raises(ResourceNotFoundError):
            call()


def test_a_container_that_exists_answers(container: DataLakeContainer) -> None:
    assert container.ping() is None


def test_a_small_file_takes_three_calls_to_write_and_one_to_read(local_storage: LocalStorage) -> None:
    calls: list[str] = []

    def note(response: PipelineResponse) -> None:
        calls.append(response.http_request.method)

    with DataLakeServiceClient.from_connection_string(
        local_storage.connection_string, raw_response_hook=note
    ) as service:
        name = f"lake-{uuid.uuid4().hex}"
        service.create_file_system(name)
        calls.clear()
        DataLakeContainer(service, name).write("a/b", b"content")
        DataLakeContainer(service, name).read("a/b")

    assert calls == ["PUT", "PATCH", "PUT", "GET"]
