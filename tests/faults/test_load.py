"""The short form of the load: forty jobs of ten users, while workers are killed."""

from pathlib import Path

import pytest

from tests.faults.load import MOST_MEDIANS, SHORT, latencies, run, started

# Forty calls are too few for a 99th percentile, and other tests have the cores too.
_NO_SIGN_SECONDS = 3.0


@pytest.mark.timeout(240)
def test_jobs_of_many_users_all_end_once_while_workers_are_killed(tmp_path: Path) -> None:
    with started(tmp_path) as stack:
        stack.wait_ready()
        everything = run(stack, SHORT)
    assert sum(len(each.records) for each in everything) == 40
    median, slowest = latencies(everything)
    assert slowest < max(MOST_MEDIANS * median, _NO_SIGN_SECONDS)
