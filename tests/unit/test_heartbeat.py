import threading
from datetime import timedelta

import pytest

from backend.services.heartbeat import Heartbeat

OFTEN = Heartbeat(timedelta(milliseconds=1), stale_after=timedelta(seconds=1))
PATIENCE_SECONDS = 10


def test_it_beats_again_and_again_until_the_work_ends() -> None:
    beats: list[str] = []
    third = threading.Event()

    def beat() -> None:
        beats.append(threading.current_thread().name)
        if len(beats) == 3:
            third.set()

    with OFTEN.during(beat):
        assert third.wait(PATIENCE_SECONDS)
    count = len(beats)
    assert set(beats) == {"heartbeat"}
    assert "heartbeat" not in [thread.name for thread in threading.enumerate()]
    assert len(beats) == count


def test_work_that_is_over_at_once_does_not_wait_for_a_beat() -> None:
    with Heartbeat(timedelta(hours=1), timedelta(hours=4)).during(pytest.fail):
        pass


def test_a_beat_that_fails_is_followed_by_the_next(caplog: pytest.LogCaptureFixture) -> None:
    second = threading.Event()
    beats = iter([OSError("storage is out")])

    def beat() -> None:
        for error in beats:
            raise error
        second.set()

    with OFTEN.during(beat):
        assert second.wait(PATIENCE_SECONDS)
    assert "a heartbeat could not be written: storage is out" in caplog.text


def test_what_the_work_raises_comes_through() -> None:
    with pytest.raises(OSError, match="the disk is full"), OFTEN.during(lambda: None):
        raise OSError("the disk is full")
