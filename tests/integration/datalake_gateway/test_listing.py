"""Listing paths."""

from datetime import UTC

import pytest
from azure.storage.blob import ContainerClient
from azure.storage.filedatalake import FileSystemClient

from tests.integration.datalake_gateway.lake_files import expect_refusal, names, put


@pytest.fixture
def tree(lake: FileSystemClient) -> FileSystemClient:
    """Files at three depths."""
    for path in ("a/1", "a/2", "a/b/3", "a/b/c/4", "ab", "z"):
        put(lake, path, b"four")
    return lake


def test_a_recursive_listing_shows_everything(tree: FileSystemClient) -> None:
    assert names(tree) == ["a/", "a/1", "a/2", "a/b/", "a/b/3", "a/b/c/", "a/b/c/4", "ab", "z"]


def test_a_flat_listing_shows_one_level(tree: FileSystemClient) -> None:
    assert names(tree, recursive=False) == ["a/", "ab", "z"]
    assert names(tree, "a", recursive=False) == ["a/1", "a/2", "a/b/"]


def test_a_listing_of_a_directory_shows_what_is_below_it(tree: FileSystemClient) -> None:
    assert names(tree, "a/b") == ["a/b/3", "a/b/c/", "a/b/c/4"]


def test_an_entry_says_what_the_path_is(tree: FileSystemClient) -> None:
    entries = {path.name: path for path in tree.get_paths("a", recursive=False)}

    assert entries["a/1"].content_length == 4
    assert not entries["a/1"].is_directory
    assert entries["a/1"].etag == tree.get_file_client("a/1").get_file_properties().etag.strip('"')
    # The SDK reads a listing's times without their zone.
    modified = tree.get_file_client("a/1").get_file_properties().last_modified
    assert entries["a/1"].last_modified.replace(tzinfo=UTC) == modified
    assert entries["a/b"].is_directory
    assert entries["a/b"].content_length == 0


@pytest.mark.parametrize("recursive", [True, False])
@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_pages_together_are_the_whole(tree: FileSystemClient, size: int, recursive: bool) -> None:
    pages = [
        [path.name for path in page]
        for page in tree.get_paths("a", recursive=recursive, max_results=size).by_page()
    ]

    whole = [path.name for path in tree.get_paths("a", recursive=recursive)]
    assert [name for page in pages for name in page] == whole
    assert max(map(len, pages)) <= size


def test_a_listing_goes_on_where_a_page_ended(tree: FileSystemClient) -> None:
    pages = tree.get_paths("a", max_results=2).by_page()
    assert [path.name for path in next(pages)] == ["a/1", "a/2"]

    following = tree.get_paths("a", max_results=2).by_page(pages.continuation_token)

    assert [path.name for path in next(following)] == ["a/b", "a/b/3"]


def test_an_empty_directory_and_an_empty_filesystem_list_nothing(lake: FileSystemClient) -> None:
    assert names(lake) == []
    lake.create_directory("a")
    assert names(lake, "a") == []


def test_a_directory_that_does_not_exist_is_not_listed(tree: FileSystemClient) -> None:
    with expect_refusal(404, "PathNotFound"):
        names(tree, "missing")


def test_a_blob_uploaded_with_slashes_in_its_name_lies_in_directories(
    lake: FileSystemClient, blobs: ContainerClient
) -> None:
    blobs.upload_blob("a/b/c.txt", b"x")

    assert names(lake, recursive=False) == ["a/"]
    assert names(lake) == ["a/", "a/b/", "a/b/c.txt"]
    assert lake.get_directory_client("a/b").exists()
