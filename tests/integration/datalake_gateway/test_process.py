"""The gateway as a process."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest
import requests

from backend.local.addresses import HOST, Addresses, free_addresses, listens
from tests.waiting import wait_until


@pytest.fixture
def addresses() -> Addresses:
    return free_addresses()


@pytest.fixture
def gateway(addresses: Addresses) -> Iterator[subprocess.Popen[str]]:
    """A gateway with no Azurite behind it."""
    process = start(addresses)
    try:
        wait_until(lambda: listens(addresses.lake))
        yield process
    finally:
        process.kill()
        process.communicate()


def start(addresses: Addresses) -> subprocess.Popen[str]:
    ports = ("--port", str(addresses.lake), "--azurite-port", str(addresses.azurite_blob))
    command = [sys.executable, "-m", "backend.local.datalake_gateway", *ports]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=os.environ)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_at_a_signal_though_a_client_is_connected(
    gateway: subprocess.Popen[str], addresses: Addresses, number: signal.Signals
) -> None:
    with socket.create_connection((HOST, addresses.lake)):
        gateway.send_signal(number)

        assert gateway.wait(10) == 0


def test_it_says_that_azurite_does_not_answer(gateway: subprocess.Popen[str], addresses: Addresses) -> None:
    answer = requests.get(f"{addresses.account_url(addresses.lake)}/datalake/a", timeout=10)

    assert (answer.status_code, answer.headers["x-ms-error-code"]) == (503, "ServerBusy")


def test_a_port_in_use_is_said_in_one_line(gateway: subprocess.Popen[str], addresses: Addresses) -> None:
    second = start(addresses)

    _, said = second.communicate(timeout=30)

    assert second.returncode == 1
    assert said.startswith("datalake_gateway: ")
    assert str(addresses.lake) in said
    assert len(said.splitlines()) == 1
