"""What a call asks for: which container and path, and which DFS operation if any."""

import base64
import binascii
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import parse_qsl, unquote

from aiohttp import web

from backend.local.datalake_gateway.dfs_errors import DfsError

_CONDITIONS = ("If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since", "x-ms-lease-id")
_CONTENT_HEADERS = {
    "x-ms-cache-control": "x-ms-blob-cache-control",
    "x-ms-content-disposition": "x-ms-blob-content-disposition",
    "x-ms-content-encoding": "x-ms-blob-content-encoding",
    "x-ms-content-language": "x-ms-blob-content-language",
    "x-ms-content-md5": "x-ms-blob-content-md5",
    "x-ms-content-type": "x-ms-blob-content-type",
}


@dataclass(frozen=True)
class DfsRequest:
    """A call, read as the storage services read it.

    Attributes:
        container: the filesystem; empty for the account itself.
        path: the path within it, decoded, without slashes at its ends; empty for the filesystem itself.
    """

    http: web.BaseRequest
    query: dict[str, str] = field(init=False)
    container: str = field(init=False)
    path: str = field(init=False)

    def __post_init__(self) -> None:
        raw_path, _, raw_query = self.http.raw_path.partition("?")
        pieces = unquote(raw_path).split("/", 3)
        object.__setattr__(self, "query", dict(parse_qsl(raw_query, keep_blank_values=True)))
        object.__setattr__(self, "container", pieces[2] if len(pieces) > 2 else "")
        object.__setattr__(self, "path", pieces[3].strip("/") if len(pieces) > 3 else "")

    @cached_property
    def operation(self) -> str | None:
        """The DFS operation, or None for a call of the blob service.

        On Azure the two are told apart by their hosts, and here by what only one of them sends. Deleting
        looks alike in both, but for the kind of answer that is accepted.
        """
        method, query, headers = self.http.method, self.query, self.http.headers
        if query.get("resource") == "filesystem":
            return {"GET": "list", "HEAD": "filesystem", "PUT": "filesystem", "DELETE": "filesystem"}.get(
                method, "unsupported"
            )
        if not self.path:
            return None
        if method == "PATCH":
            return query.get("action", "unsupported")
        if method == "HEAD":
            return query.get("action")
        if method == "PUT" and _is_set_metadata(self.http, query):
            return "setMetadata"
        if method == "PUT":
            return "rename" if "x-ms-rename-source" in headers else query.get("resource")
        if method == "DELETE" and ("recursive" in query or _accepts_json(self.http)):
            return "delete"
        return None

    @property
    def writes_blob(self) -> bool:
        """Whether this call of the blob service makes a blob come into being."""
        return self.http.method == "PUT" and bool(self.path) and self.query.get("comp") in (None, "blocklist")

    def conditions(self) -> dict[str, str]:
        """The headers that say when to act, and under which lease."""
        return {name: self.http.headers[name] for name in _CONDITIONS if name in self.http.headers}

    def content_headers(self) -> dict[str, str]:
        """The properties of the content that the call sets, as a blob call has them."""
        headers = self.http.headers
        return {blob: headers[dfs] for dfs, blob in _CONTENT_HEADERS.items() if headers.get(dfs)}

    def metadata(self) -> dict[str, str] | None:
        """The metadata of x-ms-properties as x-ms-meta- headers; None when the call says nothing about it.

        Raises:
            DfsError: it is not a list of name=Base64.
        """
        text = self.http.headers.get("x-ms-properties")
        if text is None:
            return None
        pairs = (entry.partition("=") for entry in text.split(",") if entry.strip())
        try:
            return {
                f"x-ms-meta-{name.strip()}": base64.b64decode(value, validate=True).decode("latin-1")
                for name, _, value in pairs
            }
        except binascii.Error:
            raise DfsError("InvalidHeaderValue") from None

    def own_metadata(self) -> dict[str, str]:
        """The metadata of a blob call: its x-ms-meta- headers."""
        headers = self.http.headers.items()
        return {name: value for name, value in headers if name.lower().startswith("x-ms-meta-")}

    def position(self) -> int:
        """The query's position.

        Raises:
            DfsError: it is not a whole number.
        """
        text = self.query.get("position", "")
        if not text.isdecimal():
            raise DfsError("InvalidQueryParameterValue")
        return int(text)

    def flag(self, name: str) -> bool:
        """A parameter of the query that is true or false, and false when absent."""
        return self.query.get(name, "").lower() == "true"


def parents(path: str) -> list[str]:
    """Every directory above a path, the outermost first."""
    pieces = path.split("/")[:-1]
    return ["/".join(pieces[: count + 1]) for count in range(len(pieces))]


def _is_set_metadata(request: web.BaseRequest, query: dict[str, str]) -> bool:
    """Whether a blob call sets metadata, which in a directory is also what marks it as one.

    Passed through, it would make a file of the directory. With a shared access signature it has to be, since
    only Azurite can verify that.
    """
    signed = request.headers.get("Authorization", "").startswith("SharedKey ")
    return query.get("comp") == "metadata" and "snapshot" not in query and signed


def _accepts_json(request: web.BaseRequest) -> bool:
    return "json" in request.headers.get("Accept", "")
