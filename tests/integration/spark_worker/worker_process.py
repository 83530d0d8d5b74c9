"""The worker as a process, started as the stack starts it."""

import os
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil
import requests

from backend.adapters.spark_worker_jobs import SparkWorkerJobs
from backend.local.addresses import HOST, Addresses, free_addresses
from backend.local.child_process import ChildProcess, Program
from tests.e2e.running_stack import lives
from tests.waiting import wait_until

# Spark loads in some ten seconds of two cores that nobody else wants.
WARM_SECONDS = 120
# What the supervisor gives all parts together.
STOP_SECONDS = 7


class WorkerProcess:
    """One worker; a context manager that ends it with all that it has started."""

    def __init__(self, folder: Path, port: int | None = None, **environment: str) -> None:
        self.scratch = folder / "scratch"
        self._log = folder / "spark.log"
        port = port or free_addresses().spark
        self.url = f"http://{HOST}:{port}"
        self.jobs = SparkWorkerJobs(self.url)
        settings = {
            "ORCHESTRATOR_MODE": "local",
            # Where nothing listens.
            "AZURE_STORAGE_CONNECTION_STRING": Addresses(1).connection_string,
        }
        options = ("--port", str(port), "--scratch", str(self.scratch))
        command = (sys.executable, "-m", "backend.local.spark_worker", *options)
        self._child = ChildProcess(
            Program("spark", command, {**os.environ, **settings, **environment}, self._log)
        )

    @property
    def log(self) -> str:
        """What it has logged so far."""
        return self._log.read_text()

    def status(self) -> dict[str, str]:
        """What it says of itself; nothing before it listens."""
        assert self._child.ended() is None, self.log
        try:
            answer: dict[str, str] = requests.get(f"{self.url}/status", timeout=30).json()
        except requests.ConnectionError:
            return {}
        return answer

    def wait_until_it_is(self, state: str) -> Self:
        """Wait until it says that its session is in a state."""
        wait_until(lambda: self.status().get("state") == state, WARM_SECONDS, pause=0.1)
        return self

    def processes(self) -> list[psutil.Process]:
        """The worker, Java, and Spark's Python processes."""
        worker = psutil.Process(self._child.pid)
        return [worker, *worker.children(recursive=True)]

    def virtual_machine(self) -> psutil.Process:
        """Java."""
        [java] = [process for process in self.processes() if _command(process)[:1] == ["java"]]
        return java

    def python_workers(self) -> list[psutil.Process]:
        """What runs Python for Spark, forked from one process of the same command."""
        python = [process for process in self.processes() if "pyspark.worker" in _command(process)]
        return [process for process in python if process.parent() in python]

    def ask_to_stop(self) -> None:
        """Send SIGTERM to the worker alone."""
        self._child.ask_to_stop()

    def wait_ended(self) -> int | None:
        """The status with which it has ended, within the time that it has for that."""
        self._child.wait(STOP_SECONDS)
        return self._child.ended()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        processes = self.processes() if self._child.ended() is None else []
        self.ask_to_stop()
        self.wait_ended()
        self._child.kill_group()
        wait_until(lambda: not any(map(lives, processes)))


def _command(process: psutil.Process) -> list[str]:
    """The name of its program, and its arguments; nothing of one that has just ended."""
    try:
        return [process.name(), *process.cmdline()[1:]]
    except psutil.NoSuchProcess:
        return []
