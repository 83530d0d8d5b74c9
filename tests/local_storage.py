"""A storage account for tests: a real Azurite with the gateway in front of it, on free ports."""

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from backend.local import azurite
from backend.local.addresses import Addresses, free_addresses, listens
from backend.local.child_process import ChildProcess, Program
from tests.waiting import wait_until

START_SECONDS = 60
STOP_SECONDS = 2


@dataclass(frozen=True)
class LocalStorage:
    """Where the storage account listens.

    Attributes:
        addresses: its ports; the others are free, and nothing listens there.
        folder: Azurite's own state, and the logs of both processes.
    """

    addresses: Addresses
    folder: Path

    @property
    def connection_string(self) -> str:
        return self.addresses.connection_string

    @property
    def lake_port(self) -> int:
        return self.addresses.lake

    @property
    def queue_port(self) -> int:
        return self.addresses.queue

    @property
    def table_port(self) -> int:
        return self.addresses.table


@contextmanager
def running_local_storage(folder: Path) -> Iterator[LocalStorage]:
    """Start Azurite and the gateway, and stop them at the end. `folder` exists and is empty."""
    azurite.install()
    addresses = free_addresses()
    gateway = (
        sys.executable,
        *("-m", "backend.local.datalake_gateway"),
        *("--port", str(addresses.lake), "--azurite-port", str(addresses.azurite_blob)),
    )
    with ExitStack() as running:
        for name, command, ports in (
            ("azurite", azurite.command(addresses, folder), _azurite_ports(addresses)),
            ("gateway", gateway, (addresses.lake,)),
        ):
            log = folder / f"{name}.log"
            child = ChildProcess(Program(name, command, os.environ, log))
            running.callback(_stop, child)
            wait_until(lambda c=child, p=ports, text=log: _is_ready(c, p, text), START_SECONDS)
        yield LocalStorage(addresses, folder)


def _azurite_ports(addresses: Addresses) -> tuple[int, ...]:
    return addresses.azurite_blob, addresses.queue, addresses.table


def _is_ready(child: ChildProcess, ports: tuple[int, ...], log: Path) -> bool:
    assert child.ended() is None, f"{child.program.name} ended: {log.read_text()}"
    return all(listens(port) for port in ports)


def _stop(child: ChildProcess) -> None:
    child.ask_to_stop()
    child.wait(STOP_SECONDS)
    child.kill_group()
