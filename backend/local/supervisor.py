"""Starts the parts of the stack in order, restarts what dies, and stops everything."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from backend.local.child_process import ChildProcess, Program
from backend.local.signals import SignalWaiter
from backend.local.stack_errors import StackFailed

_START_SECONDS = 60.0
_POLL_SECONDS = 0.1
# The Functions host gives running functions 5 s.
_GRACE_SECONDS = 7.0
_LAST_WORDS_SECONDS = 1.0
# A part that runs this long before it dies has not "died at once".
_STEADY_SECONDS = 20.0
_MOST_DEATHS_IN_A_ROW = 5
_BACKOFF_SECONDS = 0.5


class StopRequested(Exception):
    """The person at the terminal, or the system, wants the stack to end."""


@dataclass
class _Part:
    """One program that has to run all the time."""

    program: Program
    child: ChildProcess
    started_at: float
    deaths_in_a_row: int = 0
    restart_at: float | None = field(default=None)


class Supervisor:
    """The running stack. Every method belongs to the main thread.

    Args:
        waiter: how to wait.
        say: shows a line to the person at the terminal.
        backoff: seconds before a dead part is started again; twice as many after every death in a row, until
            a vital one would end the stack.
        patience: seconds that a part may take to be ready.
        grace: seconds that all parts together may take to stop.
    """

    def __init__(
        self,
        waiter: SignalWaiter,
        say: Callable[[str], None],
        *,
        backoff: float = _BACKOFF_SECONDS,
        patience: float = _START_SECONDS,
        grace: float = _GRACE_SECONDS,
    ) -> None:
        self._waiter = waiter
        self._say = say
        self._backoff = backoff
        self._patience = patience
        self._grace = grace
        self._parts: list[_Part] = []

    def start(self, program: Program) -> None:
        """Start a program that has to run until the stack stops.

        Raises:
            StackFailed: it can't be started.
        """
        self._parts.append(_Part(program, ChildProcess(program), time.monotonic()))

    def wait_until_ready(self, name: str, is_ready: Callable[[], bool]) -> None:
        """Wait until `is_ready` holds for the part called `name`.

        Raises:
            StackFailed: a program has ended meanwhile, or it takes too long.
            StopRequested: a signal came.
        """
        deadline = time.monotonic() + self._patience
        while not is_ready():
            for part in self._parts:
                status = part.child.ended()
                if status is not None:
                    raise StackFailed(_ending(part.program, status))
            if time.monotonic() > deadline:
                log = next(part.program.log for part in self._parts if part.program.name == name)
                raise StackFailed(f"{name} is not ready after {self._patience:.0f} s; its log: {log}")
            self._pause(_POLL_SECONDS)

    def run(self, program: Program) -> int:
        """Run a program to its end while the parts are watched; its exit status.

        Raises:
            StackFailed: a part can't be kept running.
            StopRequested: a signal came.
        """
        child = ChildProcess(program)
        try:
            while (status := child.ended()) is None:
                self.watch_once()
            return status
        finally:
            _stop(child, _LAST_WORDS_SECONDS)

    def watch(self) -> None:
        """Keep the parts running until a signal comes.

        Raises:
            StackFailed: a part can't be kept running.
            StopRequested: a signal came.
        """
        while True:
            self.watch_once()

    def watch_once(self) -> None:
        """Wait a moment, then restart what has ended and waited long enough.

        Raises:
            StackFailed: a vital part has died at once too often.
            StopRequested: a signal came.
        """
        self._pause(self._backoff)
        now = time.monotonic()
        for part in self._parts:
            status = part.child.ended()
            if status is None:
                continue
            if part.restart_at is None:
                self._plan_restart(part, status, now)
            elif now >= part.restart_at:
                part.child, part.started_at, part.restart_at = ChildProcess(part.program), now, None

    def _plan_restart(self, part: _Part, status: int, now: float) -> None:
        part.child.kill_group()
        steady = now - part.started_at >= _STEADY_SECONDS
        part.deaths_in_a_row = 1 if steady else part.deaths_in_a_row + 1
        if part.program.vital and part.deaths_in_a_row >= _MOST_DEATHS_IN_A_ROW:
            raise StackFailed(f"{_ending(part.program, status)} ({part.deaths_in_a_row} times in a row)")
        doublings = min(part.deaths_in_a_row, _MOST_DEATHS_IN_A_ROW) - 1
        part.restart_at = now + self._backoff * 2**doublings
        self._say(f"{_ending(part.program, status)}; it is started again")

    def stop(self) -> None:
        """Stop everything, the last started first: each is asked, and ended when it does not answer."""
        deadline = time.monotonic() + self._grace
        while self._parts:
            _stop(self._parts.pop().child, max(_LAST_WORDS_SECONDS, deadline - time.monotonic()))

    def _pause(self, seconds: float) -> None:
        self._waiter.wait(seconds)
        if self._waiter.stop_requested:
            raise StopRequested


def _stop(child: ChildProcess, grace: float) -> None:
    if child.ended() is None:
        child.ask_to_stop()
        child.wait(grace)
    child.kill_group()


def _ending(program: Program, status: int) -> str:
    way = f"by signal {-status}" if status < 0 else f"with status {status}"
    return f"{program.name} ended {way}; its log: {program.log}"
