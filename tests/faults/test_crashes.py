"""The short form of the crash harness: one point of each kind, on one stack."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.crashes import CrashBench, clear, one_of_each, restart_azurite, triple

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CrashBench]:
    folder: Path = tmp_path_factory.mktemp("crashes")
    with CrashBench(folder) as bench:
        yield bench


def test_a_process_that_is_killed_at_a_write_changes_nothing_in_what_comes_out(bench: CrashBench) -> None:
    points = bench.points()
    assert len(points) >= 70
    struck = [bench.strike(point) for point in one_of_each(points)]
    assert len(struck) == 9
    assert [each.point for each in struck if not each.fired] == []
    # Two of them were in the middle of a file, beside which others may have been under way.
    assert len(bench.unfinished_files()) >= 2
    clear(bench)
    assert bench.unfinished_files() == []


def test_messages_that_come_three_times_change_nothing(bench: CrashBench) -> None:
    triple(bench, times=1)
    assert bench.poisoned() == 0


def test_a_job_outlives_a_restart_of_the_storage(bench: CrashBench) -> None:
    restart_azurite(bench, times=1)
    assert bench.poisoned() == 0
