import threading
from typing import Any

import pytest

from backend.local.functions_host.host_file import QueuesOptions
from backend.local.functions_host.queue_listener import QueueListener
from tests.waiting import wait_until


class BrokenQueue:
    """A queue client that fails as no queue should."""

    queue_name = "broken"

    def receive_messages(self, **_options: Any) -> Any:
        raise RuntimeError("can't start new thread")


class NoRunner:
    lease_seconds = 600


def test_the_host_is_told_when_a_queue_is_no_longer_listened_to(monkeypatch: pytest.MonkeyPatch) -> None:
    died = threading.Event()
    uncaught: list[threading.ExceptHookArgs] = []
    monkeypatch.setattr(threading, "excepthook", uncaught.append)
    listener = QueueListener(BrokenQueue(), QueuesOptions(), NoRunner(), died.set)  # type: ignore[arg-type]
    listener.start()
    assert wait_until(lambda: uncaught)[0].exc_type is RuntimeError
    assert died.is_set()
