"""The gateway's own answers."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Self

from aiohttp import web

from backend.local.datalake_gateway.dfs_errors import DfsError

_PASSED_ON = ("ETag", "Last-Modified", "Content-MD5")
_JSON = "application/json;charset=utf-8"


@dataclass(frozen=True, slots=True)
class Reply:
    """A success."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @classmethod
    def of(cls, status: int, headers: Mapping[str, str]) -> Self:
        """A success that passes on what Azurite says of the blob."""
        return cls(status, {name: headers[name] for name in _PASSED_ON if name in headers})


def response(request: web.BaseRequest, reply: Reply) -> web.Response:
    """A success over HTTP."""
    return web.Response(status=reply.status, headers={**_common(request), **reply.headers}, body=reply.body)


def error_response(request: web.BaseRequest, error: DfsError) -> web.Response:
    """An error over HTTP, with ADLS's JSON body."""
    common = _common(request)
    now = datetime.now(UTC).isoformat()
    message = f"{error}\nRequestId:{common['x-ms-request-id']}\nTime:{now}"
    headers = common | {"x-ms-error-code": error.code, "Content-Type": _JSON}
    body = b"" if request.method == "HEAD" else _json({"error": {"code": error.code, "message": message}})
    return web.Response(status=error.status, headers=headers, body=body)


def json_reply(content: object, headers: Mapping[str, str]) -> Reply:
    """A success with a JSON body."""
    return Reply(200, {"Content-Type": _JSON, **headers}, _json(content))


def _json(content: object) -> bytes:
    return json.dumps(content, ensure_ascii=False).encode()


def _common(request: web.BaseRequest) -> dict[str, str]:
    headers = {
        "x-ms-request-id": str(uuid.uuid4()),
        "x-ms-version": request.headers.get("x-ms-version", ""),
        "Server": "Azurite behind the local DFS gateway",
    }
    client_id = request.headers.get("x-ms-client-request-id")
    return headers | ({"x-ms-client-request-id": client_id} if client_id else {})
