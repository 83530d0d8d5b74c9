"""The HTTP side: which call goes where."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qsl

from aiohttp import ClientConnectionError, web

from backend.local.addresses import HOST
from backend.local.datalake_gateway import listing, paths
from backend.local.datalake_gateway.answers import Reply, error_response, response
from backend.local.datalake_gateway.azurite import Azurite, relay
from backend.local.datalake_gateway.blobs import Blobs
from backend.local.datalake_gateway.dfs_errors import DfsError
from backend.local.datalake_gateway.dfs_requests import DfsRequest
from backend.local.datalake_gateway.directories import Directories
from backend.local.datalake_gateway.files import Files
from backend.local.datalake_gateway.fresh_files import FreshFiles
from backend.local.datalake_gateway.gates import Gates
from backend.local.datalake_gateway.renames import Renames, rename_source
from backend.local.datalake_gateway.shared_key import is_signed

# Longer than clients keep an idle connection, so that none meets one that is just being closed.
_KEEP_ALIVE_SECONDS = 300
_MAX_HEADER_BYTES = 64 << 10
_STOP_SECONDS = 2

_LOG = logging.getLogger(__name__)


@asynccontextmanager
async def serve(port: int, azurite_port: int) -> AsyncIterator[None]:
    """Listen on the loopback interface for as long as the context lasts.

    Raises:
        OSError: the port can't be listened on.
    """
    async with Azurite(azurite_port) as azurite:
        server = web.Server(
            Gateway(azurite).answer,
            keepalive_timeout=_KEEP_ALIVE_SECONDS,
            max_line_size=_MAX_HEADER_BYTES,
            max_field_size=_MAX_HEADER_BYTES,
            access_log=None,
        )
        runner = web.ServerRunner(server, shutdown_timeout=_STOP_SECONDS)
        await runner.setup()
        try:
            await web.TCPSite(runner, HOST, port).start()
            yield
        finally:
            await runner.cleanup()


class Gateway:
    """Answers every call: DFS calls itself, all others by passing them through."""

    def __init__(self, azurite: Azurite) -> None:
        self._azurite = azurite
        self._blobs = Blobs(azurite)
        self._directories = Directories(self._blobs)
        self._fresh = FreshFiles()
        self._files = Files(self._blobs, self._directories, self._fresh)
        self._renames = Renames(self._blobs, self._directories, self._fresh)
        self._gates = Gates()

    async def answer(self, http: web.BaseRequest) -> web.StreamResponse:
        """Answer one call."""
        request = DfsRequest(http)
        try:
            if request.operation is None:
                return await self._pass_through(request)
            _require_signature(request)
            return response(http, await self._serve(request))
        except DfsError as error:
            return error_response(http, error)
        except ClientConnectionError as error:
            # When it is the caller who has hung up, nobody gets this answer, and nothing is wrong.
            if http.transport is not None and not http.transport.is_closing():
                _LOG.warning("Azurite does not answer: %s", error)
            return error_response(http, DfsError("ServerBusy", 503, "Azurite does not answer."))

    async def _pass_through(self, request: DfsRequest) -> web.StreamResponse:
        gate = self._gates.of(request.container)
        if request.http.method in {"GET", "HEAD"}:
            async with self._azurite.forwarded(request.http, gate.shared()) as answer:
                return await relay(request.http, answer)
        async with gate.shared():
            pass
        self._forget(request)
        async with self._azurite.forwarded(request.http) as answer:
            # A blob that was uploaded, or copied.
            if request.writes_blob and answer.status in {201, 202}:
                await self._directories.make_parents(request.container, request.path)
            return await relay(request.http, answer)

    def _forget(self, request: DfsRequest) -> None:
        """What a call of the blob service is about to change must not be remembered as it was."""
        if request.http.method == "DELETE":
            self._directories.forget(request.container)
            self._fresh.forget(request.container)
        else:
            self._directories.forget_one(request.container, request.path)
            self._fresh.take(request.container, request.path)

    async def _serve(self, request: DfsRequest) -> Reply:
        if request.operation == "rename":
            async with self._gates.alone((request.container, rename_source(request)[0])):
                return await self._renames.rename(request)
        if request.operation == "delete":
            # Also without recursive=true: nothing may come into a directory once it was seen to be empty.
            async with self._gates.alone((request.container,)):
                return await self._serve_together(request)
        gate = self._gates.of(request.container)
        if request.operation == "append":
            # Its body may be long in coming, and must not keep a rename waiting.
            async with gate.shared():
                pass
            return await self._files.append(request)
        async with gate.shared():
            return await self._serve_together(request)

    async def _serve_together(self, request: DfsRequest) -> Reply:
        match request.operation:
            case "list":
                return await listing.list_paths(request, self._blobs, self._directories)
            case "file":
                return await self._files.create(request)
            case "directory":
                return await self._directories.create(request)
            case "flush":
                return await self._files.flush(request)
            case "setMetadata":
                return await paths.set_metadata(request, self._blobs, self._fresh)
            case "setProperties":
                return await paths.set_properties(request, self._blobs, self._fresh)
            case "getStatus" | "getAccessControl":
                return await paths.status(request, self._blobs)
            case "delete":
                return await paths.delete(request, self._blobs, self._directories, self._fresh)
            case "filesystem":
                self._forget(request)
                return await paths.filesystem(request, self._azurite)
            case _:
                raise DfsError("UnsupportedOperation")


def _require_signature(request: DfsRequest) -> None:
    http = request.http
    if "Authorization" not in http.headers and "sig" not in request.query:
        raise DfsError("NoAuthenticationInformation")
    raw_path, _, raw_query = http.raw_path.partition("?")
    query = parse_qsl(raw_query, keep_blank_values=True)
    if not is_signed(http.method, raw_path, query, http.headers):
        raise DfsError("AuthenticationFailed")
