"""`python -m backend.local.datalake_gateway --port P --azurite-port Q`: serve until SIGTERM or SIGINT."""

import argparse
import asyncio
import logging
import signal
import sys

from backend.local.datalake_gateway.server import serve
from backend.telemetry.log_lines import log_json_lines


def main() -> None:
    """Serve as the command line says."""
    parser = argparse.ArgumentParser(prog="datalake_gateway", description="DFS calls in front of Azurite.")
    parser.add_argument("--port", type=int, required=True, help="where to listen, on the loopback interface")
    parser.add_argument("--azurite-port", type=int, required=True, help="Azurite's blob port")
    options = parser.parse_args()
    log_json_lines("gateway")
    # At INFO there is a line for every request.
    logging.getLogger().setLevel(logging.WARNING)
    try:
        asyncio.run(_serve_until_stopped(options.port, options.azurite_port))
    except OSError as error:
        sys.exit(f"datalake_gateway: {error}")


async def _serve_until_stopped(port: int, azurite_port: int) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with serve(port, azurite_port):
        await stop.wait()


if __name__ == "__main__":
    main()
