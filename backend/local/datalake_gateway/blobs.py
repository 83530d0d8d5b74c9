"""Files and directories as Azurite keeps them: block blobs, and empty ones marked as a folder."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from multidict import CIMultiDictProxy

from backend.local.datalake_gateway.azurite import Answer, Azurite, Body
from backend.local.datalake_gateway.dfs_errors import DfsError

# How ADLS itself shows a directory to those who come by the blob endpoint.
FOLDER_METADATA = {"x-ms-meta-hdi_isfolder": "true"}
MAX_PAGE = 5000

_FOLDER_KEY = "hdi_isfolder"
_KEPT_CONTENT_HEADERS = (
    "Cache-Control",
    "Content-Disposition",
    "Content-Encoding",
    "Content-Language",
    "Content-Type",
)


@dataclass(frozen=True, slots=True)
class Blob:
    """A file or directory that exists."""

    headers: CIMultiDictProxy[str]

    @property
    def etag(self) -> str:
        """The entity tag, quoted."""
        return self.headers["ETag"]

    @property
    def size(self) -> int:
        """Bytes."""
        return int(self.headers.get("Content-Length", "0"))

    @property
    def is_directory(self) -> bool:
        """Whether it is marked as a folder."""
        return self.headers.get(f"x-ms-meta-{_FOLDER_KEY}") == "true"

    def metadata(self) -> dict[str, str]:
        """The x-ms-meta- headers."""
        return {name: value for name, value in self.headers.items() if name.lower().startswith("x-ms-meta-")}

    def content_headers(self) -> dict[str, str]:
        """What a call that writes the blob anew has to repeat of its properties; so not its MD5."""
        return {
            f"x-ms-blob-{name.lower()}": self.headers[name]
            for name in _KEPT_CONTENT_HEADERS
            if name in self.headers
        }


@dataclass(frozen=True, slots=True)
class ListedBlob:
    """A file or directory as a listing shows it."""

    name: str
    size: int
    etag: str
    last_modified: str
    is_directory: bool


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a listing; `next_marker` is empty at its end."""

    blobs: list[ListedBlob]
    next_marker: str


@dataclass(frozen=True, slots=True)
class Block:
    """A block of a blob, by its Base64 id."""

    block_id: str
    size: int


class Blobs:
    """The calls of the blob service that the DFS operations are made of. All raise DfsError."""

    def __init__(self, azurite: Azurite) -> None:
        self._azurite = azurite

    async def find(
        self, container: str, path: str, conditions: Mapping[str, str] | None = None
    ) -> Blob | None:
        """A file or directory, or None. A condition that does not hold raises ConditionNotMet."""
        try:
            return Blob((await self._azurite.call("HEAD", container, path, headers=conditions)).headers)
        except DfsError as error:
            if error.code == "PathNotFound":
                return None
            # What a HEAD answers when If-None-Match does not hold.
            if error.status == 304:
                raise DfsError("ConditionNotMet") from None
            raise

    async def put(self, container: str, path: str, headers: Mapping[str, str], body: Body = b"") -> Answer:
        """Make a blob, in place of what was there."""
        return await self._azurite.call(
            "PUT", container, path, headers={"x-ms-blob-type": "BlockBlob", **headers}, body=body
        )

    async def put_block(
        self, container: str, path: str, block_id: str, headers: Mapping[str, str], body: Body
    ) -> Answer:
        """Upload a block, which nobody sees before it is in the block list."""
        query = {"comp": "block", "blockid": block_id}
        return await self._azurite.call("PUT", container, path, query, headers, body)

    async def blocks(self, container: str, path: str) -> tuple[list[Block], list[Block]]:
        """The blocks that make up a blob, and those that were uploaded since."""
        query = {"comp": "blocklist", "blocklisttype": "all"}
        root = _xml(await self._azurite.call("GET", container, path, query))
        return _blocks(root, "CommittedBlocks"), _blocks(root, "UncommittedBlocks")

    async def put_blocks(
        self, container: str, path: str, block_ids: list[str], headers: Mapping[str, str]
    ) -> Answer:
        """Make a blob of blocks."""
        listed = "".join(f"<Latest>{block_id}</Latest>" for block_id in block_ids)
        body = f'<?xml version="1.0" encoding="utf-8"?><BlockList>{listed}</BlockList>'.encode()
        sent = {"Content-Type": "application/xml", **headers}
        return await self._azurite.call("PUT", container, path, {"comp": "blocklist"}, sent, body)

    async def read(self, container: str, path: str, first: int, last: int, etag: str) -> bytes:
        """Some bytes of a blob, both ends included."""
        headers = {"x-ms-range": f"bytes={first}-{last}", "If-Match": etag}
        return (await self._azurite.call("GET", container, path, headers=headers)).body

    async def set_metadata(self, container: str, path: str, headers: Mapping[str, str]) -> Answer:
        """Put metadata in place of what was there."""
        return await self._azurite.call("PUT", container, path, {"comp": "metadata"}, headers)

    async def set_properties(self, container: str, path: str, headers: Mapping[str, str]) -> Answer:
        """Put the properties of the content in place of what was there."""
        return await self._azurite.call("PUT", container, path, {"comp": "properties"}, headers)

    async def copy(
        self,
        source: tuple[str, str],
        target: tuple[str, str],
        etag: str,
        conditions: Mapping[str, str] | None = None,
    ) -> Answer:
        """Copy the blob of that entity tag within Azurite, which takes no bytes along: both share them."""
        headers = {"x-ms-copy-source": self._azurite.copy_source(*source), "x-ms-source-if-match": etag}
        return await self._azurite.call("PUT", *target, headers=headers | dict(conditions or {}))

    async def delete(self, container: str, path: str, conditions: Mapping[str, str] | None = None) -> None:
        """Delete a blob with its snapshots."""
        await self._azurite.call(
            "DELETE", container, path, headers={"x-ms-delete-snapshots": "include", **(conditions or {})}
        )

    async def page(
        self, container: str, prefix: str, *, delimiter: str = "", marker: str = "", size: int = MAX_PAGE
    ) -> Page:
        """A page of the blobs whose names begin with `prefix` and hold no `delimiter` after it."""
        query = {"restype": "container", "comp": "list", "include": "metadata", "maxresults": str(size)}
        optional = {"prefix": prefix, "delimiter": delimiter, "marker": marker}
        query |= {name: value for name, value in optional.items() if value}
        root = _xml(await self._azurite.call("GET", container, query=query))
        blobs = [_listed(blob) for blob in root.iterfind("Blobs/Blob")]
        return Page(blobs, root.findtext("NextMarker") or "")

    async def below(self, container: str, directory: str) -> AsyncIterator[ListedBlob]:
        """Everything below a directory, a directory before what it holds."""
        marker = ""
        while True:
            page = await self.page(container, f"{directory}/", marker=marker)
            for blob in page.blobs:
                yield blob
            marker = page.next_marker
            if not marker:
                return

    async def is_empty(self, container: str, directory: str) -> bool:
        """Whether nothing is below a directory."""
        return not (await self.page(container, f"{directory}/", size=1)).blobs


def _xml(answer: Answer) -> ET.Element:
    return ET.fromstring(answer.body)  # noqa: S314 - Azurite's own words


def _blocks(root: ET.Element, kind: str) -> list[Block]:
    return [
        Block(block.findtext("Name", ""), int(block.findtext("Size", "0")))
        for block in root.iterfind(f"{kind}/Block")
    ]


def _listed(blob: ET.Element) -> ListedBlob:
    return ListedBlob(
        name=blob.findtext("Name", ""),
        size=int(blob.findtext("Properties/Content-Length", "0")),
        etag=blob.findtext("Properties/Etag", ""),
        last_modified=blob.findtext("Properties/Last-Modified", ""),
        is_directory=blob.findtext(f"Metadata/{_FOLDER_KEY}") == "true",
    )
