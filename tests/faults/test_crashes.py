"""The short form of the crash harness: one point of each kind, on one stack."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.crash_bench import CrashBench, Point, Work
from tests.faults.crashes import clear, one_of_each, restart_azurite, triple

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CrashBench]:
    folder: Path = tmp_path_factory.mktemp("crashes")
    with CrashBench(folder) as bench:
        yield bench
        # After all that, every job that was accepted has ended, and ended once.
        bench.check_endings()


def test_a_process_that_is_killed_at_a_write_changes_nothing_in_what_comes_out(bench: CrashBench) -> None:
    points = bench.points(Work.SMALL)
    assert len(points) >= 70
    struck = [bench.strike(point) for point in one_of_each(points)]
    assert len(struck) == 9
    assert [each.point for each in struck if not each.fired] == []


def test_an_upload_that_was_broken_off_is_sent_again_and_leaves_nothing(bench: CrashBench) -> None:
    assert bench.strike(Point(Work.UPLOADED, "during write 00001.json")).fired
    assert clear(bench).uploads == 1


def test_messages_that_come_three_times_change_nothing(bench: CrashBench) -> None:
    triple(bench, times=1)


def test_a_job_outlives_a_restart_of_the_storage(bench: CrashBench) -> None:
    assert restart_azurite(bench, [Point(Work.SMALL, "during write 00000.json")]) == 1
