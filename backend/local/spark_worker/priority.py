"""How the worker gives way to the rest of the stack."""

import os
from contextlib import suppress
from pathlib import Path

# About a tenth of a core that others want too, all of one that is idle.
_NICENESS = 10
_AUTOGROUP = Path("/proc/self/autogroup")


def give_way() -> None:
    """Let others go first: this process, and all that it starts.

    A large dataset keeps every core busy for minutes. For the API and the small path somebody waits.
    """
    os.nice(_NICENESS)
    # Where Linux schedules by sessions, niceness counts only within one (sched(7), "The autogroup feature").
    # So the session gets it too, unless it is one that others are in.
    if os.getsid(0) == os.getpid() and _AUTOGROUP.exists():
        # The kernel takes few such changes a second, from all processes together.
        with suppress(OSError):
            _AUTOGROUP.write_text(str(_NICENESS))
