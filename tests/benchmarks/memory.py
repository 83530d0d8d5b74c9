"""How much memory a process and all that it started hold, sampled while something runs."""

import threading
from collections import Counter
from contextlib import suppress
from typing import Self

import psutil

_SAMPLES_EVERY_SECONDS = 0.5


class MemoryWatch:
    """Samples the memory of this process and of all that it started.

    Attributes:
        peak: the greatest sum that was seen, in bytes.
        by_process: that sum by what the process is.
    """

    def __init__(self, every_seconds: float = _SAMPLES_EVERY_SECONDS) -> None:
        self.peak = 0
        self.by_process: dict[str, int] = {}
        self._every_seconds = every_seconds
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while True:
            sizes = _sizes()
            if sum(sizes.values()) > self.peak:
                self.peak, self.by_process = sum(sizes.values()), sizes
            if self._ended.wait(self._every_seconds):
                return


def _sizes() -> dict[str, int]:
    """Proportional set sizes: a page that several processes share counts in parts, which add up to one."""
    sizes: Counter[str] = Counter()
    driver = psutil.Process()
    for process in (driver, *driver.children(recursive=True)):
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            kind = "driver" if process == driver else process.name().partition(".")[0]
            sizes["workers" if kind.startswith("python") else kind] += process.memory_full_info().pss
    return dict(sizes)
