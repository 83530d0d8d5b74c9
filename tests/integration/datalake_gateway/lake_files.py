"""Short words for what the tests of the gateway do to a filesystem all the time."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from azure.core.exceptions import HttpResponseError
from azure.storage.filedatalake import DataLakeFileClient, FileSystemClient


def put(lake: FileSystemClient, path: str, content: bytes = b"content") -> DataLakeFileClient:
    """A file with that content."""
    file = lake.get_file_client(path)
    file.upload_data(content, overwrite=True)
    return file


def get(lake: FileSystemClient, path: str) -> bytes:
    """A file's content."""
    return lake.get_file_client(path).download_file().readall()


def names(lake: FileSystemClient, folder: str | None = None, *, recursive: bool = True) -> list[str]:
    """The paths in a folder; a directory has a slash at its end."""
    paths = lake.get_paths(folder, recursive=recursive)
    return [f"{path.name}/" if path.is_directory else path.name for path in paths]


@contextmanager
def expect_refusal(status: int, code: str) -> Iterator[None]:
    """What is done inside is answered with that status and error code."""
    with pytest.raises(HttpResponseError) as caught:
        yield
    assert (caught.value.status_code, caught.value.error_code) == (status, code)
