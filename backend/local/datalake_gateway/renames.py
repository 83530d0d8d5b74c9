"""Renames: for everybody else one step, since the gateway lets nobody in while it copies and deletes."""

import asyncio
from urllib.parse import unquote

from backend.local.datalake_gateway.answers import Reply
from backend.local.datalake_gateway.blobs import Blob, Blobs
from backend.local.datalake_gateway.dfs_errors import DfsError, PathAlreadyExists
from backend.local.datalake_gateway.dfs_requests import DfsRequest
from backend.local.datalake_gateway.directories import Directories
from backend.local.datalake_gateway.fresh_files import FreshFiles

_COPIES_AT_ONCE = 16
_SOURCE_CONDITIONS = {
    "x-ms-source-if-match": "If-Match",
    "x-ms-source-if-none-match": "If-None-Match",
    "x-ms-source-if-modified-since": "If-Modified-Since",
    "x-ms-source-if-unmodified-since": "If-Unmodified-Since",
    "x-ms-source-lease-id": "x-ms-lease-id",
}


class Renames:
    """Renames files and directories, within a container and between two."""

    def __init__(self, blobs: Blobs, directories: Directories, fresh: FreshFiles) -> None:
        self._blobs = blobs
        self._directories = directories
        self._fresh = fresh

    async def rename(self, request: DfsRequest) -> Reply:
        """Rename what x-ms-rename-source names to the call's path; a file or empty directory there gives way.

        The caller has closed the gates of both containers.
        """
        source, target = rename_source(request), (request.container, request.path)
        self._fresh.take(*target)
        fresh = self._fresh.take(*source)
        renamed = fresh and await self._rename_fresh(request, fresh, source, target)
        if renamed:
            return renamed
        found, replaced = await asyncio.gather(
            self._find_source(request, source), self._find_target(request, target)
        )
        if source == target:
            return Reply.of(201, found.headers)
        await self._require_place(request, found, replaced, source, target)
        if found.is_directory:
            await self._move_below(source, target)
        answer = await self._blobs.copy(source, target, found.etag)
        if found.is_directory:
            await self._directories.delete_below(*source)
        else:
            await self._blobs.delete(*source, _lease(request) | {"If-Match": found.etag})
        return Reply.of(201, answer.headers)

    async def _rename_fresh(
        self, request: DfsRequest, fresh: Blob, source: tuple[str, str], target: tuple[str, str]
    ) -> Reply | None:
        """A file that was just written mostly goes where there is nothing yet; None when not so."""
        if (
            source == target
            or _source_conditions(request)
            or not request.conditions().keys() <= {"If-None-Match"}
        ):
            return None
        if not await self._directories.exists(target[0], target[1].rpartition("/")[0]):
            return None
        try:
            answer = await self._blobs.copy(source, target, fresh.etag, {"If-None-Match": "*"})
        except DfsError:
            return None
        await self._blobs.delete(*source, {"If-Match": fresh.etag})
        return Reply.of(201, answer.headers)

    async def _find_source(self, request: DfsRequest, source: tuple[str, str]) -> Blob:
        try:
            found = await self._blobs.find(*source, _source_conditions(request))
        except DfsError as error:
            if error.code == "ConditionNotMet":
                raise DfsError("SourceConditionNotMet") from None
            raise
        if found is None:
            raise DfsError("SourcePathNotFound")
        return found

    async def _find_target(self, request: DfsRequest, target: tuple[str, str]) -> Blob | None:
        conditions = request.conditions()
        wants_none = conditions.get("If-None-Match") == "*" and conditions.pop("If-None-Match")
        found = await self._blobs.find(*target, conditions)
        if found is not None and wants_none:
            raise PathAlreadyExists
        if found is None and "If-Match" in conditions:
            raise DfsError("ConditionNotMet")
        return found

    async def _require_place(
        self,
        request: DfsRequest,
        found: Blob,
        replaced: Blob | None,
        source: tuple[str, str],
        target: tuple[str, str],
    ) -> None:
        if target[0] == source[0] and target[1].startswith(f"{source[1]}/"):
            raise DfsError("InvalidDestinationPath")
        if not await self._directories.exists(target[0], request.path.rpartition("/")[0]):
            raise DfsError("RenameDestinationParentPathNotFound")
        if replaced is None:
            return
        if replaced.is_directory != found.is_directory:
            raise DfsError("PathConflict")
        if replaced.is_directory and not await self._blobs.is_empty(*target):
            raise DfsError("DirectoryNotEmpty")

    async def _move_below(self, source: tuple[str, str], target: tuple[str, str]) -> None:
        turns = asyncio.Semaphore(_COPIES_AT_ONCE)

        async def copy(name: str, etag: str) -> None:
            async with turns:
                place = target[1] + name[len(source[1]) :]
                await self._blobs.copy((source[0], name), (target[0], place), etag)

        async with asyncio.TaskGroup() as copies:
            async for blob in self._blobs.below(*source):
                copies.create_task(copy(blob.name, blob.etag))


def rename_source(request: DfsRequest) -> tuple[str, str]:
    """The container and path that x-ms-rename-source names.

    Raises:
        DfsError: it does not name both.
    """
    path = unquote(request.http.headers["x-ms-rename-source"].partition("?")[0])
    container, _, name = path.strip("/").partition("/")
    if not container or not name:
        raise DfsError("InvalidHeaderValue")
    return container, name


def _source_conditions(request: DfsRequest) -> dict[str, str]:
    headers = request.http.headers
    return {own: headers[name] for name, own in _SOURCE_CONDITIONS.items() if headers.get(name)}


def _lease(request: DfsRequest) -> dict[str, str]:
    lease = request.http.headers.get("x-ms-source-lease-id")
    return {"x-ms-lease-id": lease} if lease else {}
