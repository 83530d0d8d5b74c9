"""Kills loaders, and looks at what they leave."""

import random
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, select

from backend.adapters.database_engine import open_engine
from backend.adapters.operational_schema import GOLD

_SEED = 20261123


@dataclass(frozen=True)
class AfterKill:
    """What a loader left.

    Attributes:
        was_loading: whether the kill came before the load had ended.
        standing: the rows of each table, and the number of the job that they are of.
    """

    was_loading: bool
    standing: Mapping[str, tuple[int, int]]


def load_in_a_process(
    url: str, folder: Path, job_number: int, kill_after: float | None = None
) -> float | None:
    """Load, or be killed so many seconds after the load has begun.

    Returns:
        how many seconds the load took; None when it was killed before its end.
    """
    command = [sys.executable, "-m", "tests.loading_process", url, str(folder), str(job_number)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as loader:
        assert loader.stdout is not None
        assert loader.stdout.readline() == "loading\n"
        began = time.monotonic()
        try:
            loader.wait(kill_after)
        except subprocess.TimeoutExpired:
            loader.send_signal(signal.SIGKILL)
        loader.wait()
        took = time.monotonic() - began
    assert loader.returncode in (0, -signal.SIGKILL)
    return took if loader.returncode == 0 else None


def kill_at_random(url: str, folders: tuple[Path, Path], times: int) -> list[AfterKill]:
    """Load, and kill the next job's load at random moments of it; what stands there after each.

    The jobs take turns with the two folders, so that each load has other rows to replace.
    """
    usual = [load_in_a_process(url, folder, number) or 0.0 for number, folder in enumerate(folders)]
    moments = random.Random(_SEED)
    left = []
    for number in range(2, times + 2):
        moment = moments.uniform(0, usual[number % 2])
        ended = load_in_a_process(url, folders[number % 2], number, moment)
        left.append(AfterKill(ended is None, standing(url)))
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
