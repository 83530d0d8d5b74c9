"""Appending and flushing."""

import io
import os

import pytest
from azure.core import MatchConditions
from azure.core.exceptions import ResourceModifiedError
from azure.storage.blob import ContainerClient
from azure.storage.filedatalake import DataLakeFileClient, FileSystemClient

from tests.integration.datalake_gateway.lake_files import expect_refusal, get, names, put


@pytest.fixture
def file(lake: FileSystemClient) -> DataLakeFileClient:
    """An empty file."""
    created = lake.get_file_client("a.txt")
    created.create_file()
    return created


def test_appended_data_shows_with_the_flush(lake: FileSystemClient, file: DataLakeFileClient) -> None:
    file.append_data(b"one ", 0, 4)
    file.append_data(b"two", 4, 3)
    assert get(lake, "a.txt") == b""

    file.flush_data(7)

    assert get(lake, "a.txt") == b"one two"


def test_a_file_grows_by_further_appends(lake: FileSystemClient, file: DataLakeFileClient) -> None:
    file.append_data(b"one ", 0, 4)
    file.flush_data(4)
    file.append_data(b"two ", 4, 4)
    file.append_data(b"three", 8, 5)
    file.flush_data(13)

    assert get(lake, "a.txt") == b"one two three"


def test_appends_may_come_in_any_order(lake: FileSystemClient, file: DataLakeFileClient) -> None:
    file.append_data(b"three", 8, 5)
    file.append_data(b"one ", 0, 4)
    file.append_data(b"two ", 4, 4)
    file.flush_data(13)

    assert get(lake, "a.txt") == b"one two three"


def test_an_append_may_bring_its_flush(lake: FileSystemClient, file: DataLakeFileClient) -> None:
    file.append_data(b"one ", 0, 4, flush=True)
    file.append_data(b"two", 4, 3, flush=True)

    assert get(lake, "a.txt") == b"one two"


def test_the_last_append_at_a_position_counts(lake: FileSystemClient, file: DataLakeFileClient) -> None:
    file.append_data(b"wrong", 0, 5)
    file.append_data(b"right", 0, 5)
    file.flush_data(5)

    assert get(lake, "a.txt") == b"right"


@pytest.mark.parametrize("position", [0, 3, 5, 100])
def test_a_flush_elsewhere_than_at_the_end_is_refused(
    lake: FileSystemClient, file: DataLakeFileClient, position: int
) -> None:
    file.append_data(b"old!", 0, 4, flush=True)
    file.append_data(b"new", 4, 3)

    with expect_refusal(400, "InvalidFlushPosition"):
        file.flush_data(position)

    assert get(lake, "a.txt") == b"old!"
    file.flush_data(7)
    assert get(lake, "a.txt") == b"old!new"


def test_a_flush_over_a_gap_is_refused(file: DataLakeFileClient) -> None:
    file.append_data(b"one", 0, 3)
    file.append_data(b"three", 6, 5)

    with expect_refusal(400, "InvalidFlushPosition"):
        file.flush_data(11)


def test_what_was_appended_before_the_file_was_created_anew_is_lost(file: DataLakeFileClient) -> None:
    file.append_data(b"old", 0, 3)
    file.create_file()

    with expect_refusal(400, "InvalidFlushPosition"):
        file.flush_data(3)


def test_what_was_appended_before_the_file_was_deleted_is_lost(file: DataLakeFileClient) -> None:
    file.append_data(b"old", 0, 3)
    file.delete_file()
    with expect_refusal(404, "PathNotFound"):
        file.flush_data(3)
    file.create_file(match_condition=MatchConditions.IfMissing)

    with expect_refusal(400, "InvalidFlushPosition"):
        file.flush_data(3)


def test_an_append_needs_a_file(lake: FileSystemClient) -> None:
    with expect_refusal(404, "PathNotFound"):
        lake.get_file_client("missing").append_data(b"x", 0, 1)

    assert names(lake) == []


def test_an_append_to_a_directory_is_refused(lake: FileSystemClient) -> None:
    lake.create_directory("a")

    with expect_refusal(409, "PathConflict"):
        lake.get_file_client("a").append_data(b"x", 0, 1)


def test_a_flush_under_an_old_entity_tag_is_refused(lake: FileSystemClient, file: DataLakeFileClient) -> None:
    first = file.get_file_properties().etag
    file.append_data(b"one", 0, 3, flush=True)
    file.append_data(b"two", 3, 3)

    with pytest.raises(ResourceModifiedError):
        file.flush_data(6, etag=first, match_condition=MatchConditions.IfNotModified)

    assert get(lake, "a.txt") == b"one"


def test_a_flush_of_nothing_changes_nothing(lake: FileSystemClient, file: DataLakeFileClient) -> None:
    file.append_data(b"one", 0, 3, flush=True)

    file.flush_data(3)

    assert get(lake, "a.txt") == b"one"


def test_a_file_uploaded_as_a_blob_can_be_appended_to(lake: FileSystemClient, blobs: ContainerClient) -> None:
    blobs.upload_blob("b.txt", b"blob and ", metadata={"origin": "blob"})
    file = lake.get_file_client("b.txt")

    file.append_data(b"file", 9, 4, flush=True)

    assert get(lake, "b.txt") == b"blob and file"
    assert file.get_file_properties().metadata == {"origin": "blob"}


def test_a_large_file_is_uploaded_in_parallel_pieces(lake: FileSystemClient) -> None:
    content = os.urandom(5 << 20)
    file = lake.get_file_client("large")

    file.upload_data(content, overwrite=True, chunk_size=1 << 20, max_concurrency=4)

    assert get(lake, "large") == content


def test_an_append_may_be_a_stream(lake: FileSystemClient, file: DataLakeFileClient) -> None:
    content = os.urandom(3 << 20)

    file.append_data(io.BytesIO(content), 0, len(content), flush=True)

    assert get(lake, "a.txt") == content


def test_an_upload_over_a_file_needs_leave(lake: FileSystemClient) -> None:
    file = put(lake, "a", b"old and long")
    file.upload_data(b"new", overwrite=True)

    assert get(lake, "a") == b"new"


def test_an_upload_without_leave_to_overwrite_needs_a_file(lake: FileSystemClient) -> None:
    with expect_refusal(404, "PathNotFound"):
        lake.get_file_client("missing").upload_data(b"x")


def test_an_upload_of_nothing_makes_no_file(lake: FileSystemClient) -> None:
    put(lake, "a", b"")

    assert names(lake) == []


def test_only_who_holds_the_lease_writes(lake: FileSystemClient, file: DataLakeFileClient) -> None:
    lease = file.acquire_lease()

    with expect_refusal(412, "LeaseIdMissing"):
        file.append_data(b"x", 0, 1, flush=True)
    file.append_data(b"y", 0, 1, flush=True, lease=lease)

    assert get(lake, "a.txt") == b"y"


def test_part_of_a_file_is_read(lake: FileSystemClient) -> None:
    file = put(lake, "a", b"0123456789")

    assert file.download_file(offset=3, length=4).readall() == b"3456"


def test_a_refused_append_of_many_bytes_is_answered_and_leaves_the_connection_in_order(
    lake: FileSystemClient,
) -> None:
    with expect_refusal(404, "PathNotFound"):
        lake.get_file_client("missing").append_data(bytes(8 << 20), 0, 8 << 20)

    put(lake, "a", b"content")
    assert get(lake, "a") == b"content"
