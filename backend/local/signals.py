"""Waiting that a signal or the end of a child cuts short."""

import select
import signal
import socket
from types import FrameType


def stop_signals() -> tuple[signal.Signals, ...]:
    """The signals that mean "stop"; not SIGHUP when whoever started this with nohup has it ignored."""
    ignored = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    return (signal.SIGINT, signal.SIGTERM) if ignored else (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class SignalWaiter:
    """Turns the signals that mean "stop" into a flag, and wakes `wait` on them and when a child ends.

    A flag and not an exception, so that no signal can come between starting a child and knowing of it.
    """

    def __init__(self) -> None:
        self.stop_requested = False
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)

    def listen(self) -> None:
        """Take over the signals of this process; call it from the main thread."""
        for number in stop_signals():
            signal.signal(number, self._stop)
        signal.signal(signal.SIGCHLD, self._wake)
        signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)

    def close(self) -> None:
        """Stop listening."""
        signal.set_wakeup_fd(-1)
        self._reader.close()
        self._writer.close()

    def wait(self, seconds: float) -> None:
        """Wait until a signal comes or the time is up."""
        if select.select([self._reader], [], [], seconds)[0]:
            self._reader.recv(4096)

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self.stop_requested = True

    def _wake(self, _number: int, _frame: FrameType | None) -> None:
        """Nothing to do: the wake-up descriptor has been written to."""
