"""One part of the stack as a process: started on a leash, logged to a file, stopped with all it started."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from backend.local.stack_errors import StackFailed

_LEASH = Path(__file__).with_name("leash.py")


@dataclass(frozen=True, slots=True)
class Program:
    """What a child runs.

    Attributes:
        name: what people call it.
        log: where its output goes; None for a child that shares the stack's terminal.
        vital: whether the stack is of no use without it.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    log: Path | None = None
    vital: bool = True


class ChildProcess:
    """A running program. Start it from the main thread: on Linux the leash is tied to the thread."""

    def __init__(self, program: Program) -> None:
        """Start the program.

        Raises:
            StackFailed: its log can't be written, or the system refuses another process.
        """
        self.program = program
        try:
            self._process = self._start()
        except OSError as error:
            raise StackFailed(f"{program.name} can't be started: {error}") from error

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-I", "-S", str(_LEASH), str(os.getpid()), *self.program.command]
        with ExitStack() as opened:
            log = None if self.program.log is None else opened.enter_context(self.program.log.open("ab"))
            # A session of its own: Ctrl-C reaches the supervisor alone, which stops its children in order.
            return subprocess.Popen(
                command,
                env=self.program.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def ended(self) -> int | None:
        """The exit status of the program, negative for a signal; None while it runs."""
        return self._process.poll()

    def ask_to_stop(self) -> None:
        """Send SIGTERM to the program itself, which stops what it started."""
        self._process.terminate()

    def wait(self, seconds: float) -> bool:
        """Whether the program ends within that time."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def kill_group(self) -> None:
        """End the program and whatever is left of what it started, at once."""
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        self._process.wait()


def keep_last_log(log: Path) -> None:
    """Begin a new log, and keep the one before it with `.1` at its end.

    Raises:
        StackFailed: the folder can't be written.
    """
    try:
        if log.exists():
            shutil.move(log, log.with_name(f"{log.name}.1"))
        log.touch()
    except OSError as error:
        raise StackFailed(f"{log} can't be written: {error.strerror}") from error
