"""A container of the lake, through azure-storage-file-datalake: on Azure and on one machine alike."""

import secrets
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.filedatalake import DataLakeFileClient, DataLakeServiceClient

from backend.domain.errors import NotFound
from backend.ports import LakeFile

# All that a write of an endless stream holds in memory at once, but for a copy. The service's limit for one
# append is 100 MB in older versions of its API.
_APPEND_BYTES = 32 << 20
_UPLOADING = ".uploading"
# What the two endpoints call it.
_CONTAINER_MISSING = frozenset({"ContainerNotFound", "FilesystemNotFound"})


class DataLakeContainer:
    """Implements `FileSystem` on one container, which exists."""

    def __init__(self, service: DataLakeServiceClient, name: str) -> None:
        self._client = service.get_file_system_client(name)
        self._name = name

    def read(self, path: str) -> bytes:
        """A whole file. Raises NotFound."""
        try:
            return self._client.get_file_client(path).download_file().readall()
        except ResourceNotFoundError as error:
            _require_container(error)
            raise NotFound(f"there is no file {path} in {self._name}") from None

    def read_chunks(self, path: str) -> Iterator[bytes]:
        """A file in pieces. Raises NotFound before the first piece."""
        try:
            return self._client.get_file_client(path).download_file().chunks()
        except ResourceNotFoundError as error:
            _require_container(error)
            raise NotFound(f"there is no file {path} in {self._name}") from None

    def write(self, path: str, content: bytes | Iterable[bytes]) -> None:
        """Upload beside the place and rename into it: three calls for what fits into one append.

        `upload_data` is not used: it makes no file of no bytes, and takes one call more.
        """
        beside = self._client.get_file_client(_beside(path))
        beside.create_file()
        try:
            _append(beside, _pieces(content))
            # A rename is told its target with the container's name before it.
            beside.rename_file(f"{self._name}/{path}")
        except BaseException:
            _delete(beside)
            raise

    def list_files(self, folder: str) -> list[LakeFile]:
        """Every file below `folder`, sorted by path, without those that are being written."""
        paths = self._client.get_paths(folder, recursive=True)
        try:
            files = [
                LakeFile(path.name, path.content_length or 0)
                for path in paths
                if not path.is_directory and not path.name.endswith(_UPLOADING)
            ]
        except ResourceNotFoundError as error:
            _require_container(error)
            return []
        return sorted(files, key=lambda file: file.path)

    def list_folders(self, folder: str) -> list[str]:
        """The names of the folders right below `folder`, sorted."""
        try:
            paths = list(self._client.get_paths(folder, recursive=False))
        except ResourceNotFoundError as error:
            _require_container(error)
            return []
        return sorted(path.name.rpartition("/")[2] for path in paths if path.is_directory)

    def delete_file(self, path: str) -> None:
        """Delete a file; nothing happens when it does not exist."""
        _delete(self._client.get_file_client(path))

    def remove(self, path: str) -> None:
        """Delete what is at a path, a file or a folder with all it holds, if there is anything."""
        try:
            # Listed, since the calls that delete want to know which of the two it is.
            siblings = self._client.get_paths(path.rpartition("/")[0], recursive=False)
            found = [each for each in siblings if each.name == path]
        except ResourceNotFoundError as error:
            _require_container(error)
            return
        for each in found:
            if each.is_directory:
                self.delete_folder(path)
            else:
                self.delete_file(path)

    def delete_folder(self, folder: str) -> int:
        """Delete a folder with all it holds; how many files that were."""
        count = len(self.list_files(folder))
        try:
            self._client.get_directory_client(folder).delete_directory()
        except ResourceNotFoundError as error:
            _require_container(error)
            return 0
        return count

    def remove_unfinished(self, before: datetime) -> int:
        """Delete every file whose writing was begun before then, and never ended; how many."""
        left = [
            path.name
            for path in self._client.get_paths(recursive=True)
            if path.name.endswith(_UPLOADING) and path.last_modified.replace(tzinfo=UTC) <= before
        ]
        for name in left:
            self.delete_file(name)
        return len(left)

    def ping(self) -> None:
        """Raise if the container does not answer."""
        self._client.get_file_system_properties()


def _beside(path: str) -> str:
    folder, slash, name = path.rpartition("/")
    return f"{folder}{slash}.{name}.{secrets.token_hex(8)}{_UPLOADING}"


def _append(file: DataLakeFileClient, pieces: Iterator[bytes]) -> None:
    """Append every piece; the last one is flushed as it comes."""
    position = 0
    piece = next(pieces, b"")
    while piece:
        following = next(pieces, b"")
        file.append_data(piece, position, len(piece), flush=not following)
        position += len(piece)
        piece = following


def _pieces(content: bytes | Iterable[bytes]) -> Iterator[bytes]:
    """Content in pieces that fit into one append, none of them empty."""
    if isinstance(content, bytes):
        view = memoryview(content)
        yield from (bytes(view[at : at + _APPEND_BYTES]) for at in range(0, len(view), _APPEND_BYTES))
        return
    gathered = bytearray()
    for chunk in content:
        gathered += chunk
        while len(gathered) >= _APPEND_BYTES:
            yield bytes(gathered[:_APPEND_BYTES])
            del gathered[:_APPEND_BYTES]
    if gathered:
        yield bytes(gathered)


def _delete(file: DataLakeFileClient) -> None:
    try:
        file.delete_file()
    except ResourceNotFoundError as error:
        _require_container(error)


def _require_container(error: ResourceNotFoundError) -> None:
    """Raise what is no matter of one path: that the container itself is missing."""
    if getattr(error, "error_code", None) in _CONTAINER_MISSING:
        raise error
