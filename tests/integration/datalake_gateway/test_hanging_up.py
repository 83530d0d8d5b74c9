"""A caller that hangs up in the middle of an answer."""

import asyncio
from contextlib import suppress

import pytest

from backend.local.addresses import HOST, free_addresses
from backend.local.datalake_gateway.server import serve

_MEGABYTE = bytes(1 << 20)


async def _hang_up(port: int, azurite_port: int) -> None:
    """Ask for a file without end, and be gone after its first bytes."""
    gone = asyncio.Event()

    async def send_without_end(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n")
        with suppress(ConnectionError):
            while True:
                writer.write(_MEGABYTE)
                await writer.drain()
        gone.set()
        writer.close()

    async with await asyncio.start_server(send_without_end, HOST, azurite_port), serve(port, azurite_port):
        reader, writer = await asyncio.open_connection(HOST, port)
        writer.write(b"GET /devstoreaccount1/files/endless HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await reader.readexactly(1000)
        writer.transport.abort()
        await asyncio.wait_for(gone.wait(), 10)


def test_it_is_not_said_that_azurite_does_not_answer(caplog: pytest.LogCaptureFixture) -> None:
    addresses = free_addresses()

    asyncio.run(_hang_up(addresses.lake, addresses.azurite_blob))

    assert caplog.messages == []
