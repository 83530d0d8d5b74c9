"""Azurite's blob port: calls passed through as they came, and the gateway's own."""

import email.utils
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from urllib.parse import quote, urlencode

from aiohttp import ClientResponse, ClientSession, ClientTimeout, StreamReader, TCPConnector, web
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from backend.local.addresses import ACCOUNT_NAME, HOST
from backend.local.datalake_gateway.dfs_errors import of_blob_error
from backend.local.datalake_gateway.shared_key import authorization

Body = bytes | StreamReader

_API_VERSION = "2025-11-05"
# RFC 9110, section 7.6.1: they speak of one connection and not of the message.
_HOP_BY_HOP = ("Connection", "Keep-Alive", "Transfer-Encoding", "Expect", "Upgrade", "TE", "Trailer")
# Up to here a body is taken in one piece, and leaves in one packet with its headers.
_SMALL_BODY = 64 << 10
_BUFFER = 1 << 20


@dataclass(frozen=True, slots=True)
class Answer:
    """Azurite's answer to a call of the gateway's own."""

    status: int
    headers: CIMultiDictProxy[str]
    body: bytes


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
            read_bufsize=_BUFFER,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    @asynccontextmanager
    async def forwarded(
        self, request: web.BaseRequest, until_answered: AbstractAsyncContextManager[None] | None = None
    ) -> AsyncIterator[ClientResponse]:
        """Azurite's answer to a call passed through as it came, its address and Host included.

        Args:
            request: the call.
            until_answered: a context to be in until Azurite has decided its answer; the body comes later.
        """
        async with AsyncExitStack() as exits:
            async with until_answered or nullcontext():
                answer = await exits.enter_async_context(
                    self._session.request(
                        request.method,
                        URL(self._origin + request.raw_path, encoded=True),
                        headers=_end_to_end(request.headers),
                        data=await _body(request),
                        allow_redirects=False,
                    )
                )
            yield answer

    async def call(
        self,
        method: str,
        container: str,
        path: str = "",
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: Body = b"",
    ) -> Answer:
        """A call of the gateway's own, signed with the account's key.

        Args:
            method: the HTTP method.
            container: the container.
            path: the blob's name; empty for the container itself.
            query: the query's parameters, decoded.
            headers: further headers; among them Content-Length, when the body is a stream.
            body: bytes, or a stream that is passed on as it comes.

        Raises:
            DfsError: Azurite answers with an error.
        """
        async with self._signed(method, container, path, query or {}, headers or {}, body) as answer:
            content = await answer.read()
            if (
                answer.status >= web.HTTPBadRequest.status_code
                or answer.status == web.HTTPNotModified.status_code
            ):
                raise of_blob_error(answer.status, answer.headers.get("x-ms-error-code", ""))
            return Answer(answer.status, answer.headers, content)

    @asynccontextmanager
    async def _signed(
        self,
        method: str,
        container: str,
        path: str,
        query: Mapping[str, str],
        headers: Mapping[str, str],
        body: Body,
    ) -> AsyncIterator[ClientResponse]:
        raw_path = blob_path(container, path)
        sent = CIMultiDict(headers)
        sent["x-ms-date"] = email.utils.formatdate(usegmt=True)
        sent["x-ms-version"] = _API_VERSION
        if isinstance(body, bytes):
            sent["Content-Length"] = str(len(body))
        sent["Authorization"] = authorization(method, raw_path, query.items(), sent)
        address = f"{self._origin}{raw_path}" + (f"?{urlencode(query, quote_via=quote)}" if query else "")
        async with self._session.request(
            method,
            URL(address, encoded=True),
            headers=sent,
            data=body or None,
            allow_redirects=False,
        ) as answer:
            yield answer

    def copy_source(self, container: str, path: str) -> str:
        """A blob's address, for x-ms-copy-source."""
        return self._origin + blob_path(container, path)


def blob_path(container: str, path: str) -> str:
    """The path of a blob's address, percent-encoded."""
    return f"/{ACCOUNT_NAME}/{container}" + (f"/{quote(path, safe='/~')}" if path else "")


async def relay(request: web.BaseRequest, answer: ClientResponse) -> web.StreamResponse:
    """Hand an answer of Azurite's to the caller as it comes."""
    headers = _end_to_end(answer.headers)
    length = answer.content_length
    if request.method == "HEAD" or (length is not None and length <= _SMALL_BODY):
        body = await answer.read()
        return web.Response(status=answer.status, reason=answer.reason, headers=headers, body=body)
    response = web.StreamResponse(status=answer.status, reason=answer.reason, headers=headers)
    await response.prepare(request)
    async for chunk in answer.content.iter_any():
        await response.write(chunk)
    await response.write_eof()
    return response


async def _body(request: web.BaseRequest) -> Body | None:
    if not request.body_exists:
        return None
    length = request.content_length
    if length is not None and length <= _SMALL_BODY:
        return await request.read()
    return request.content


def _end_to_end(headers: Mapping[str, str]) -> CIMultiDict[str]:
    kept = CIMultiDict(headers)
    for name in _HOP_BY_HOP:
        kept.popall(name, None)
    return kept
