"""Waiting on a condition with a deadline, instead of sleeping and hoping."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

_T = TypeVar("_T")
_PAUSE = threading.Event()


def wait_until(condition: Callable[[], _T], timeout: float = 30.0, pause: float = 0.02) -> _T:
    """Call `condition` until it returns something true, and return that.

    Raises:
        AssertionError: `timeout` seconds have passed.
    """
    deadline = time.monotonic() + timeout
    while True:
        result = condition()
        if result:
            return result
        assert time.monotonic() < deadline, f"not within {timeout} s: {condition}"
        _PAUSE.wait(pause)
