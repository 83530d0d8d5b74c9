"""Listing the paths of a filesystem."""

from backend.local.datalake_gateway.answers import Reply, json_reply
from backend.local.datalake_gateway.blobs import MAX_PAGE, Blobs, ListedBlob
from backend.local.datalake_gateway.dfs_errors import DfsError
from backend.local.datalake_gateway.dfs_requests import DfsRequest
from backend.local.datalake_gateway.directories import Directories

# Azurite knows no access control; this is what ADLS says of a path whose owner never changed it.
OWNER = "$superuser"
FILE_PERMISSIONS = "rw-r-----"
DIRECTORY_PERMISSIONS = "rwxr-x---"


async def list_paths(request: DfsRequest, blobs: Blobs, directories: Directories) -> Reply:
    """A page of the paths in a directory, of one level or of all, with the continuation in a header.

    Raises:
        DfsError: the filesystem or the directory does not exist.
    """
    directory = request.query.get("directory", "").strip("/")
    continuation = request.query.get("continuation", "")
    page = await blobs.page(
        request.container,
        f"{directory}/" if directory else "",
        delimiter="" if request.flag("recursive") else "/",
        marker=continuation,
        size=_page_size(request),
    )
    if not page.blobs and not continuation and not await directories.exists(request.container, directory):
        raise DfsError("PathNotFound")
    headers = {"x-ms-continuation": page.next_marker} if page.next_marker else {}
    return json_reply({"paths": [_entry(blob) for blob in page.blobs]}, headers)


def _page_size(request: DfsRequest) -> int:
    text = request.query.get("maxResults", str(MAX_PAGE))
    if not text.isdecimal() or not int(text):
        raise DfsError("InvalidQueryParameterValue")
    return min(int(text), MAX_PAGE)


def _entry(blob: ListedBlob) -> dict[str, str]:
    entry = {
        "name": blob.name,
        "contentLength": str(blob.size),
        "etag": blob.etag.strip('"'),
        "lastModified": blob.last_modified,
        "owner": OWNER,
        "group": OWNER,
        "permissions": DIRECTORY_PERMISSIONS if blob.is_directory else FILE_PERMISSIONS,
    }
    return entry | ({"isDirectory": "true"} if blob.is_directory else {})
