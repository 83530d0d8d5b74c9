"""The HTTP side: which call goes where."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from backend.local.addresses import HOST
from backend.local.datalake_gateway.azurite import Azurite

# Longer than clients keep an idle connection, so that none meets one that is just being closed.
_KEEP_ALIVE_SECONDS = 300
_MAX_HEADER_BYTES = 64 << 10
_STOP_SECONDS = 2


@asynccontextmanager
async def serve(port: int, azurite_port: int) -> AsyncIterator[None]:
    """Listen on the loopback interface for as long as the context lasts.

    Raises:
        OSError: the port can't be listened on.
    """
    async with Azurite(azurite_port) as azurite:
        server = web.Server(
            azurite.forward,
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
