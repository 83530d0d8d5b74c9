"""A stack of its own for a test: started as a person starts it, looked at only from outside."""

import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil
import requests

from backend.local.addresses import Addresses, free_addresses
from tests.waiting import wait_until

START_SECONDS = 60
STOP_SECONDS = 20


class RunningStack:
    """`python -m backend.local.stack` in a process; a context manager that ends with SIGINT."""

    def __init__(
        self, state: Path, *options: str, addresses: Addresses | None = None, **settings: str
    ) -> None:
        self.state = state
        self.addresses = addresses or free_addresses()
        self._output: list[str] = []
        self.process = subprocess.Popen(
            stack_command("--port", str(self.addresses.api), "--state", str(state), *options),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={
                **os.environ,
                "CREDENTIAL_RATE_LIMIT": "1000 per minute",
                "FAILED_LOGIN_LIMIT": "1000000 per minute",
                **settings,
            },
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    @property
    def url(self) -> str:
        """The API's address."""
        return self.addresses.api_url

    @property
    def output(self) -> str:
        """What the stack has shown on its terminal so far."""
        return "".join(self._output)

    def log(self, name: str) -> str:
        """What one part of the stack has logged."""
        return (self.state / "logs" / f"{name}.log").read_text()

    def wait_ready(self) -> Self:
        """Wait until the stack says that it is ready."""
        wait_until(lambda: "Ready." in self.output or self.process.poll() is not None, START_SECONDS)
        assert self.process.poll() is None, self.output
        assert requests.get(f"{self.url}/readyz", timeout=5).status_code == 200
        return self

    def processes(self) -> list[psutil.Process]:
        """The supervisor and everything that it has started."""
        supervisor = psutil.Process(self.process.pid)
        return [supervisor, *supervisor.children(recursive=True)]

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """Send a signal to the supervisor alone; its exit status, once nothing of the stack is left."""
        processes = self.processes() if self.process.poll() is None else []
        self.process.send_signal(number)
        self.process.wait(STOP_SECONDS)
        wait_until(lambda: not [process for process in processes if lives(process)], STOP_SECONDS)
        self._close()
        return self.process.returncode

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.stop()
        self._close()

    def _read(self) -> None:
        assert self.process.stdout is not None
        self._output.extend(self.process.stdout)

    def _close(self) -> None:
        self._reader.join()
        assert self.process.stdout is not None
        self.process.stdout.close()


def stack_command(*options: str) -> list[str]:
    """The command that starts a stack."""
    return [sys.executable, "-m", "backend.local.stack", *options]


def lives(process: psutil.Process) -> bool:
    """Whether a process has not ended."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def plain(text: str) -> str:
    """Text without a terminal's control sequences."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)
