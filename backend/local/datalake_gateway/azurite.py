"""Azurite's blob port, as the gateway calls it."""

from collections.abc import Mapping
from types import TracebackType
from typing import Self

from aiohttp import ClientResponse, ClientSession, ClientTimeout, TCPConnector, web
from multidict import CIMultiDict
from yarl import URL

from backend.local.addresses import HOST

# RFC 9110, section 7.6.1: they speak of one connection and not of the message.
_HOP_BY_HOP = ("Connection", "Keep-Alive", "Transfer-Encoding", "Expect", "Upgrade", "TE", "Trailer")
# Up to here a body is taken in one piece, and leaves in one packet with its headers.
_SMALL_BODY = 64 << 10
_CHUNK = 256 << 10


class Azurite:
    """Calls to Azurite, over connections that are kept."""

    def __init__(self, port: int) -> None:
        self._origin = f"http://{HOST}:{port}"
        self._session: ClientSession

    async def __aenter__(self) -> Self:
        self._session = ClientSession(
            connector=TCPConnector(limit=0),
            auto_decompress=False,
            timeout=ClientTimeout(total=None),
            skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
            read_bufsize=_CHUNK,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def forward(self, request: web.BaseRequest) -> web.StreamResponse:
        """Pass a call through as it came, its address and Host included, and its answer back."""
        headers = _end_to_end(request.headers)
        body = await _body(request)
        async with self._session.request(
            request.method,
            URL(self._origin + request.raw_path, encoded=True),
            headers=headers,
            data=body,
            allow_redirects=False,
        ) as answer:
            return await _answer(request, answer)


async def _body(request: web.BaseRequest) -> object:
    if not request.body_exists:
        return None
    length = request.content_length
    if length is not None and length <= _SMALL_BODY:
        return await request.read()
    return request.content


async def _answer(request: web.BaseRequest, answer: ClientResponse) -> web.StreamResponse:
    headers = _end_to_end(answer.headers)
    length = answer.content_length
    if request.method == "HEAD" or (length is not None and length <= _SMALL_BODY):
        return web.Response(
            status=answer.status, reason=answer.reason, headers=headers, body=await answer.read()
        )
    response = web.StreamResponse(status=answer.status, reason=answer.reason, headers=headers)
    await response.prepare(request)
    async for chunk in answer.content.iter_any():
        await response.write(chunk)
    await response.write_eof()
    return response


def _end_to_end(headers: Mapping[str, str]) -> CIMultiDict[str]:
    kept = CIMultiDict(headers)
    for name in _HOP_BY_HOP:
        kept.popall(name, None)
    return kept
