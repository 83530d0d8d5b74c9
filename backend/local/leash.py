"""Become another program, and end when the process that started it does.

    python leash.py PARENT_PID PROGRAM [ARGUMENT ...]

On Linux the kernel sends SIGTERM as soon as the parent is gone, however it ended. Elsewhere a process beside
the program looks for the parent every second. Standard library only, so that it starts in milliseconds.
"""

import ctypes
import os
import signal
import sys
import time

_PR_SET_PDEATHSIG = 1  # prctl(2)
_LOOK_SECONDS = 1.0


def main() -> None:
    """Tie this process to its parent and become the program."""
    parent = int(sys.argv[1])
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM))
    elif os.fork() == 0:
        _watch(parent)
        return
    # The parent may have ended before anybody watched it.
    if os.getppid() == parent:
        os.execvp(sys.argv[2], sys.argv[2:])  # noqa: S606 - a program of the stack, and no shell is wanted


def _watch(parent: int) -> None:
    program = os.getppid()
    while os.getppid() == program:
        try:
            os.kill(parent, 0)
        except ProcessLookupError:
            os.kill(program, signal.SIGTERM)
            return
        time.sleep(_LOOK_SECONDS)


if __name__ == "__main__":
    main()
