"""The short form of hostile bodies, a twentieth of their size."""

from pathlib import Path

import pytest

from tests.faults.hostile_uploads import send_hostile_bodies


@pytest.mark.timeout(240)
def test_hostile_bodies_are_answered_in_bounded_time_and_memory(tmp_path: Path) -> None:
    answered = send_hostile_bodies(tmp_path, scale=5)
    assert len(answered) == 53
    assert max(each.seconds for each in answered) < 60
    assert max(each.megabytes for each in answered) < 800
