"""Creating, appending to and flushing files."""

import base64
import hashlib
from contextlib import suppress

from backend.local.datalake_gateway.answers import Reply
from backend.local.datalake_gateway.azurite import Body
from backend.local.datalake_gateway.blobs import Blob, Blobs, Block
from backend.local.datalake_gateway.dfs_errors import DfsError, PathAlreadyExists
from backend.local.datalake_gateway.dfs_requests import DfsRequest
from backend.local.datalake_gateway.directories import Directories
from backend.local.datalake_gateway.fresh_files import FreshFiles

_MOVED_AT_ONCE = 8 << 20
_TAG_LENGTH = 8


class Files:
    """Maps appends to blocks, which nobody sees, and a flush to the block list that makes them the file."""

    def __init__(self, blobs: Blobs, directories: Directories, fresh: FreshFiles) -> None:
        self._blobs = blobs
        self._directories = directories
        self._fresh = fresh

    async def create(self, request: DfsRequest) -> Reply:
        """Make an empty file, in place of one that is there."""
        container, path, conditions = request.container, request.path, request.conditions()
        await self._directories.make_parents(container, path)
        headers = request.content_headers() | (request.metadata() or {})
        if conditions.keys() <= {"If-None-Match"}:
            # Most often there is none, and then this is all.
            with suppress(PathAlreadyExists):
                return await self._put_empty(request, headers, {"If-None-Match": "*"})
        if conditions.get("If-None-Match") == "*":
            del conditions["If-None-Match"]
            await self._require_none(container, path)
        self._fresh.take(container, path)
        found = await self._blobs.find(container, path)
        if found is not None and found.is_directory:
            raise DfsError("PathConflict")
        return await self._put_empty(request, headers, conditions)

    async def append(self, request: DfsRequest) -> Reply:
        """Take bytes that become part of the file with a flush, which may come along."""
        position, length = request.position(), request.http.content_length
        if length is None:
            raise DfsError("MissingRequestHeader", 400, "Content-Length has to be given.")
        file = await self._file(request)
        body: Body = request.http.content if length else b""
        if request.flag("flush") and position == file.size == 0:
            return await self._put_whole(request, file, length, body)
        taken = await self._stage(request, _block_id(file, position, length), length, body)
        if request.flag("flush"):
            return await self._commit(request, file, position + length, status=202)
        return taken

    async def flush(self, request: DfsRequest) -> Reply:
        """Make what was appended, up to the position, part of the file."""
        if request.http.content_length:
            raise DfsError("ContentLengthMustBeZero")
        return await self._commit(request, await self._file(request), request.position(), status=200)

    async def _put_empty(
        self, request: DfsRequest, headers: dict[str, str], conditions: dict[str, str]
    ) -> Reply:
        answer = await self._blobs.put(request.container, request.path, headers | conditions)
        self._fresh.remember(request.container, request.path, headers, answer.headers, 0)
        return Reply.of(201, answer.headers)

    async def _require_none(self, container: str, path: str) -> None:
        if await self._blobs.find(container, path) is not None:
            raise PathAlreadyExists

    async def _file(self, request: DfsRequest) -> Blob:
        """The file that a call is about, under the call's conditions."""
        fresh = self._fresh.take(request.container, request.path)
        if fresh is not None and not request.conditions():
            return fresh
        found = await self._blobs.find(request.container, request.path, request.conditions())
        if found is None:
            raise DfsError("PathNotFound")
        if found.is_directory:
            raise DfsError("PathConflict")
        return found

    async def _put_whole(self, request: DfsRequest, file: Blob, length: int, body: Body) -> Reply:
        """An empty file gets its whole content in one call."""
        headers = _restated(request, file) | {"Content-Length": str(length)}
        answer = await self._blobs.put(request.container, request.path, headers, body)
        self._fresh.remember(request.container, request.path, headers, answer.headers, length)
        return Reply.of(202, answer.headers)

    async def _stage(self, request: DfsRequest, block_id: str, length: int, body: Body) -> Reply:
        if not length:
            return Reply(202)
        headers = {"Content-Length": str(length)}
        for name in ("Content-MD5", "x-ms-lease-id"):
            if name in request.http.headers:
                headers[name] = request.http.headers[name]
        answer = await self._blobs.put_block(request.container, request.path, block_id, headers, body)
        return Reply.of(202, answer.headers)

    async def _commit(self, request: DfsRequest, file: Blob, position: int, status: int) -> Reply:
        committed, staged = await self._blobs.blocks(request.container, request.path)
        added = _contiguous(file, staged, position)
        if not added:
            return Reply.of(status, file.headers)
        if sum(block.size for block in committed) != file.size:
            committed = await self._as_blocks(request, file)
        ids = [block.block_id for block in committed] + added
        answer = await self._blobs.put_blocks(request.container, request.path, ids, _restated(request, file))
        return Reply.of(status, answer.headers)

    async def _as_blocks(self, request: DfsRequest, file: Blob) -> list[Block]:
        """The content of a file that was written whole, as blocks, so that others can follow them."""
        blocks = []
        for first in range(0, file.size, _MOVED_AT_ONCE):
            last = min(first + _MOVED_AT_ONCE, file.size) - 1
            content = await self._blobs.read(request.container, request.path, first, last, file.etag)
            block = Block(_block_id(file, first, len(content)), len(content))
            await self._blobs.put_block(request.container, request.path, block.block_id, {}, content)
            blocks.append(block)
        return blocks


def _block_id(file: Blob, position: int, length: int) -> str:
    """An id that says where a block belongs, and to which state of the file.

    Azurite keeps the blocks of a blob that was deleted or written anew; the entity tag tells them from those
    of the present one. Every id of a blob has to have the same length.
    """
    return base64.b64encode(f"{position:016x}{length:010x}{_tag(file)}".encode()).decode()


def _tag(file: Blob) -> str:
    return hashlib.sha256(file.etag.encode()).hexdigest()[:_TAG_LENGTH]


def _contiguous(file: Blob, staged: list[Block], position: int) -> list[str]:
    """The ids of the blocks that lead from the file's end to `position` without a gap.

    Raises:
        DfsError: InvalidFlushPosition, when there are none such.
    """
    following: dict[int, str] = {}
    for block in staged:
        words = base64.b64decode(block.block_id).decode("latin-1")
        if words.endswith(_tag(file)):
            following[int(words[:16], 16)] = block.block_id
    ids = []
    end = file.size
    while end < position and end in following:
        block_id = following[end]
        ids.append(block_id)
        end += int(base64.b64decode(block_id)[16:26], 16)
    if end != position:
        raise DfsError("InvalidFlushPosition")
    return ids


def _restated(request: DfsRequest, file: Blob) -> dict[str, str]:
    """What a call that writes a file's content anew has to repeat, so that the rest of it stays as it is."""
    headers = file.metadata() | file.content_headers() | request.content_headers() | {"If-Match": file.etag}
    lease = request.http.headers.get("x-ms-lease-id")
    return headers | ({"x-ms-lease-id": lease} if lease else {})
