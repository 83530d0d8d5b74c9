"""Directories, which in ADLS exist by themselves: made with the first file below them, gone when deleted."""

import asyncio
from contextlib import suppress

from backend.local.datalake_gateway.answers import Reply
from backend.local.datalake_gateway.blobs import FOLDER_METADATA, Blobs
from backend.local.datalake_gateway.dfs_errors import DfsError, PathAlreadyExists
from backend.local.datalake_gateway.dfs_requests import DfsRequest, parents

_DELETIONS_AT_ONCE = 16


class Directories:
    """Makes, remembers and deletes directories.

    What is remembered stays true, since every deletion comes through the gateway: `forget` is told of each.
    """

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self._known: set[tuple[str, str]] = set()

    def forget(self, container: str) -> None:
        """Something was deleted in a container."""
        self._known = {known for known in self._known if known[0] != container}

    def forget_one(self, container: str, path: str) -> None:
        """Something else may have taken the place of a directory."""
        self._known.discard((container, path))

    async def exists(self, container: str, path: str) -> bool:
        """Whether there is a directory; the container's root is one.

        Raises:
            DfsError: PathConflict, when it is a file.
        """
        if not path or (container, path) in self._known:
            return True
        blob = await self._blobs.find(container, path)
        if blob is None:
            return False
        if not blob.is_directory:
            raise DfsError("PathConflict")
        self._known.add((container, path))
        return True

    async def make_parents(self, container: str, path: str) -> None:
        """Make every directory above a path that is not there.

        Raises:
            DfsError: PathConflict, when one of them is a file.
        """
        for parent in parents(path):
            if not await self.exists(container, parent):
                await self._make(container, parent)

    async def create(self, request: DfsRequest) -> Reply:
        """Make a directory; one that is there keeps what it holds."""
        container, path = request.container, request.path
        await self.make_parents(container, path)
        found = await self._blobs.find(container, path)
        if found is not None and not found.is_directory and request.http.headers.get("If-None-Match") != "*":
            raise DfsError("PathConflict")
        headers = FOLDER_METADATA | (request.metadata() or {}) | request.content_headers()
        answer = await self._blobs.put(container, path, headers | request.conditions())
        self._known.add((container, path))
        return Reply.of(201, answer.headers)

    async def delete_below(self, container: str, path: str) -> None:
        """Delete everything in a directory, and then the directory."""
        turns = asyncio.Semaphore(_DELETIONS_AT_ONCE)

        async def delete(name: str) -> None:
            async with turns:
                await self._blobs.delete(container, name)

        self.forget(container)
        async with asyncio.TaskGroup() as deletions:
            async for blob in self._blobs.below(container, path):
                deletions.create_task(delete(blob.name))
        await self._blobs.delete(container, path)

    async def _make(self, container: str, path: str) -> None:
        # Somebody else may make it at the same time.
        with suppress(PathAlreadyExists):
            await self._blobs.put(container, path, FOLDER_METADATA | {"If-None-Match": "*"})
        self._known.add((container, path))
