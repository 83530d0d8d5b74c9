"""Kills loaders, and looks at what they leave."""

import random
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import func, select

from backend.adapters.database_engine import open_engine
from backend.adapters.operational_schema import GOLD

_SEED = 20261123


def load_in_a_process(url: str, folder: Path, job_number: int, kill_after: float | None = None) -> bool:
    """Load, or be killed so many seconds after the load has begun; whether the load came to its end."""
    command = [sys.executable, "-m", "tests.loading_process", url, str(folder), str(job_number)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as loader:
        assert loader.stdout is not None
        assert loader.stdout.readline() == "loading\n"
        try:
            loader.wait(kill_after)
        except subprocess.TimeoutExpired:
            loader.send_signal(signal.SIGKILL)
        loader.wait()
    assert loader.returncode in (0, -signal.SIGKILL)
    return loader.returncode == 0


def kill_at_random(url: str, folders: tuple[Path, Path], times: int) -> list[Mapping[str, tuple[int, int]]]:
    """Load, and kill the next job's load at random moments of it; what stands there after each.

    The jobs take turns with the two folders, so that each load has other rows to replace.

    Returns:
        for each kill, the rows of each table and the number of the job that they are of.
    """
    load_in_a_process(url, folders[0], 0)
    began = time.monotonic()
    load_in_a_process(url, folders[1], 1)
    usual = time.monotonic() - began
    moments = random.Random(_SEED)
    left = []
    for number in range(2, times + 2):
        load_in_a_process(url, folders[number % 2], number, moments.uniform(0, usual))
        left.append(standing(url))
    return left


def standing(url: str) -> dict[str, tuple[int, int]]:
    """The rows of each table, and the number of the one job that they are of; -1 when there are more."""
    engine = open_engine(url)
    found = {}
    with engine.connect() as connection:
        for name, table in GOLD.items():
            count, least, greatest = connection.execute(
                select(func.count(), func.min(table.c.job_id), func.max(table.c.job_id))
            ).one()
            found[name] = (count, int(least, 16) if least == greatest else -1)
    engine.dispose()
    return found
