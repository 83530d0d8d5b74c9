"""A stack on which nobody works for a while, so that the API alone is measured."""

from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from tests.e2e.running_stack import RunningStack

_WORKERS = ("functions_host", "pipeline_scheduler", "spark_worker")


@contextmanager
def standing_still(stack: RunningStack) -> Iterator[None]:
    """Stop every process that takes messages or calls those who do, and let them go on at the end."""
    workers = [process for process in stack.processes() if _is_worker(process)]
    for process in workers:
        process.suspend()
    try:
        yield
    finally:
        for process in workers:
            process.resume()


def _is_worker(process: psutil.Process) -> bool:
    return any(name in word for word in process.cmdline() for name in _WORKERS)
