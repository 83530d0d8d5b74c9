import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from backend.local.child_process import ChildProcess, Program
from backend.local.signals import SignalWaiter
from backend.local.stack_errors import StackFailed
from backend.local.supervisor import StopRequested, Supervisor
from tests.waiting import wait_until

SLEEPER = "import signal; signal.pause()"


class Stage:
    """A supervisor with little patience, and the lines that it said."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.said: list[str] = []
        self.waiter = SignalWaiter()
        self.supervisor = Supervisor(self.waiter, self.said.append, backoff=0.01, grace=0.5)

    def program(self, code: str, name: str = "part", *, vital: bool = True) -> Program:
        command = (sys.executable, "-c", code)
        return Program(name, command, dict(os.environ), self.folder / f"{name}.log", vital)

    def watch_until(self, path: Path) -> None:
        wait_until(lambda: self.supervisor.watch_once() or path.exists())


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path)
    yield stage
    stage.supervisor.stop()
    stage.waiter.close()


def test_a_part_that_dies_is_started_again(stage: Stage, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    code = f"""
import pathlib, sys
if pathlib.Path({str(first)!r}).exists():
    pathlib.Path({str(second)!r}).touch()
    {SLEEPER}
pathlib.Path({str(first)!r}).touch()
sys.exit(3)
"""
    stage.supervisor.start(stage.program(code))
    stage.watch_until(second)
    assert stage.said == [f"part ended with status 3; its log: {tmp_path}/part.log; it is started again"]


def test_a_part_that_dies_at_once_again_and_again_ends_the_stack(stage: Stage, tmp_path: Path) -> None:
    stage.supervisor.start(stage.program("import sys; print('no luck'); sys.exit(7)"))
    with pytest.raises(StackFailed) as failure:
        stage.supervisor.watch()
    assert str(failure.value) == f"part ended with status 7; its log: {tmp_path}/part.log (5 times in a row)"
    assert (tmp_path / "part.log").read_text() == "no luck\n" * 5


def test_a_part_that_is_not_vital_is_started_again_however_often_it_dies(
    stage: Stage, tmp_path: Path
) -> None:
    enough = tmp_path / "enough"
    code = f"""
import pathlib
log = pathlib.Path({str(tmp_path / "part.log")!r})
print("no luck", flush=True)
if log.read_text().count("no luck") == 7:
    pathlib.Path({str(enough)!r}).touch()
    {SLEEPER}
"""
    stage.supervisor.start(stage.program(code, vital=False))
    stage.watch_until(enough)
    assert len(stage.said) == 6


def test_a_part_that_ends_before_it_is_ready_ends_the_start(stage: Stage, tmp_path: Path) -> None:
    stage.supervisor.start(stage.program("import sys; sys.exit(1)"))
    with pytest.raises(StackFailed) as failure:
        stage.supervisor.wait_until_ready("part", lambda: False)
    assert str(failure.value) == f"part ended with status 1; its log: {tmp_path}/part.log"


def test_a_part_that_is_never_ready_ends_the_start(stage: Stage, tmp_path: Path) -> None:
    impatient = Supervisor(stage.waiter, stage.said.append, patience=0.2, grace=0.5)
    impatient.start(stage.program(SLEEPER))
    with pytest.raises(StackFailed) as failure:
        impatient.wait_until_ready("part", lambda: False)
    impatient.stop()
    assert str(failure.value) == f"part is not ready after 0 s; its log: {tmp_path}/part.log"


def test_a_signal_ends_waiting(stage: Stage) -> None:
    stage.waiter.stop_requested = True
    with pytest.raises(StopRequested):
        stage.supervisor.wait_until_ready("part", lambda: False)


def test_a_program_that_runs_to_its_end_gives_its_status(stage: Stage) -> None:
    assert stage.supervisor.run(stage.program("import sys; sys.exit(4)")) == 4


def test_stopping_ends_a_part_that_ignores_the_request_and_what_it_started(
    stage: Stage, tmp_path: Path
) -> None:
    pids = tmp_path / "pids"
    code = f"""
import os, pathlib, signal, subprocess, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", {SLEEPER!r}])
beside = pathlib.Path({str(pids)!r} + ".new")
beside.write_text(f"{{os.getpid()}} {{child.pid}}")
beside.rename({str(pids)!r})
{SLEEPER}
"""
    stage.supervisor.start(stage.program(code))
    stage.watch_until(pids)
    processes = [psutil.Process(int(pid)) for pid in pids.read_text().split()]
    stage.supervisor.stop()
    assert len(processes) == 2
    wait_until(lambda: not any(_lives(process) for process in processes))


def test_parts_stop_in_the_opposite_order_of_their_start(stage: Stage, tmp_path: Path) -> None:
    order = tmp_path / "order"
    for name in ("storage", "api"):
        code = f"""
import pathlib, signal, sys
def stop(*_):
    with open({str(order)!r}, "a") as file:
        file.write("{name} ")
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
pathlib.Path({str(tmp_path / name)!r}).touch()
{SLEEPER}
"""
        stage.supervisor.start(stage.program(code, name))
        stage.watch_until(tmp_path / name)
    stage.supervisor.stop()
    assert order.read_text() == "api storage "


def test_a_child_ends_when_its_supervisor_is_killed(tmp_path: Path) -> None:
    code = f"""
import os, pathlib, signal, sys
from backend.local.child_process import ChildProcess, Program
command = (sys.executable, "-c", {SLEEPER!r})
child = ChildProcess(Program("part", command, dict(os.environ), pathlib.Path({str(tmp_path / "log")!r})))
print(child.pid, flush=True)
signal.pause()
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as supervisor:
        assert supervisor.stdout is not None
        child = psutil.Process(int(supervisor.stdout.readline()))
        # By then the leash has become the program itself.
        wait_until(lambda: child.cmdline()[1:2] == ["-c"])
        supervisor.send_signal(signal.SIGKILL)
    wait_until(lambda: not _lives(child))


def test_a_program_that_is_not_there_ends_with_its_log_saying_so(tmp_path: Path) -> None:
    program = Program("part", ("/nowhere/program",), dict(os.environ), tmp_path / "part.log")
    child = ChildProcess(program)
    assert wait_until(child.ended) != 0
    assert "No such file or directory" in (tmp_path / "part.log").read_text()


def _lives(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
