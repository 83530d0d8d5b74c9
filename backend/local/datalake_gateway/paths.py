"""What concerns files and directories alike, and the filesystem itself."""

from backend.local.datalake_gateway.answers import Reply
from backend.local.datalake_gateway.azurite import Azurite
from backend.local.datalake_gateway.blobs import FOLDER_METADATA, Blob, Blobs
from backend.local.datalake_gateway.dfs_errors import DfsError
from backend.local.datalake_gateway.dfs_requests import DfsRequest
from backend.local.datalake_gateway.directories import Directories
from backend.local.datalake_gateway.fresh_files import FreshFiles
from backend.local.datalake_gateway.listing import DIRECTORY_PERMISSIONS, FILE_PERMISSIONS, OWNER

_FILESYSTEM_STATUSES = {"HEAD": 200, "PUT": 201, "DELETE": 202}


async def status(request: DfsRequest, blobs: Blobs) -> Reply:
    """The properties of a path (getStatus), or who may do what with it (getAccessControl)."""
    found = await blobs.find(request.container, request.path, request.conditions())
    if found is None:
        raise DfsError("PathNotFound")
    kind = "directory" if found.is_directory else "file"
    permissions = DIRECTORY_PERMISSIONS if found.is_directory else FILE_PERMISSIONS
    headers = {
        **Reply.of(200, found.headers).headers,
        "x-ms-resource-type": kind,
        "x-ms-owner": OWNER,
        "x-ms-group": OWNER,
        "x-ms-permissions": permissions,
    }
    if request.operation == "getAccessControl":
        headers["x-ms-acl"] = f"user::{permissions[:3]},group::{permissions[3:6]},other::{permissions[6:]}"
    else:
        headers |= _content(found)
    return Reply(200, headers)


async def delete(request: DfsRequest, blobs: Blobs, directories: Directories, fresh: FreshFiles) -> Reply:
    """Delete a file, an empty directory, or with recursive=true a directory with all it holds."""
    container, path = request.container, request.path
    found = await blobs.find(container, path, request.conditions())
    if found is None:
        raise DfsError("PathNotFound")
    if not found.is_directory:
        fresh.take(container, path)
        await blobs.delete(container, path, request.conditions())
    elif request.flag("recursive") or await blobs.is_empty(container, path):
        fresh.forget(container)
        await directories.delete_below(container, path)
    else:
        raise DfsError("DirectoryNotEmpty")
    return Reply(200)


async def set_metadata(request: DfsRequest, blobs: Blobs, fresh: FreshFiles) -> Reply:
    """Put metadata in place of what was there; a directory stays one."""
    fresh.take(request.container, request.path)
    found = await blobs.find(request.container, request.path)
    if found is None:
        raise DfsError("PathNotFound")
    mark = FOLDER_METADATA if found.is_directory else {}
    headers = request.own_metadata() | mark | request.conditions()
    return Reply.of(200, (await blobs.set_metadata(request.container, request.path, headers)).headers)


async def set_properties(request: DfsRequest, blobs: Blobs, fresh: FreshFiles) -> Reply:
    """Set the metadata of x-ms-properties, the content's properties, or both; a directory stays one."""
    container, path = request.container, request.path
    fresh.take(container, path)
    found = await blobs.find(container, path, request.conditions())
    if found is None:
        raise DfsError("PathNotFound")
    reply = Reply.of(200, found.headers)
    metadata, content = request.metadata(), request.content_headers()
    if content:
        answer = await blobs.set_properties(container, path, found.content_headers() | content)
        reply = Reply.of(200, answer.headers)
    if metadata is not None:
        mark = FOLDER_METADATA if found.is_directory else {}
        reply = Reply.of(200, (await blobs.set_metadata(container, path, metadata | mark)).headers)
    return reply


async def filesystem(request: DfsRequest, azurite: Azurite) -> Reply:
    """Make, look at or delete a filesystem."""
    method = request.http.method
    answer = await azurite.call(
        method, request.container, query={"restype": "container"}, headers=request.conditions()
    )
    headers = {**Reply.of(200, answer.headers).headers, "x-ms-namespace-enabled": "true"}
    return Reply(_FILESYSTEM_STATUSES[method], headers)


def _content(found: Blob) -> dict[str, str]:
    names = ("Content-Type", "Content-Encoding", "Content-Language", "Content-Disposition", "Cache-Control")
    return {name: found.headers[name] for name in names if name in found.headers}
