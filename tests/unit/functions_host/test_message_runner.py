from concurrent.futures import Future
from datetime import timedelta
from typing import Any, cast

from azure.core.exceptions import ServiceRequestError
from azure.storage.queue import QueueClient, QueueMessage

from backend.local.functions_host.host_file import QueuesOptions
from backend.local.functions_host.invocations import Completed
from backend.local.functions_host.message_runner import MessageRunner


class _Function(Future[Completed]):
    """A function that ends at a given time; a wait for it takes none."""

    def __init__(self, ends_at: float) -> None:
        super().__init__()
        self.now = 0.0
        self._ends_at = ends_at

    def result(self, timeout: float | None = None) -> Completed:
        self.now += timeout or 0.0
        if self.now < self._ends_at:
            raise TimeoutError
        return Completed(invocation_id="i")


class _Queue:
    """Remembers when leases were renewed; some of the renewals fail."""

    def __init__(self, function: _Function, failing: tuple[int, ...]) -> None:
        self._function = function
        self._failing = failing
        self.renewed_at: list[float] = []
        self.deleted = False

    def update_message(self, message: QueueMessage, **_: Any) -> QueueMessage:
        self.renewed_at.append(self._function.now)
        if len(self.renewed_at) in self._failing:
            raise ServiceRequestError("no route")
        return message

    def delete_message(self, _: QueueMessage) -> None:
        self.deleted = True


def _run(function: _Function, queue: _Queue) -> None:
    client = cast("QueueClient", queue)
    lease = timedelta(minutes=10)
    MessageRunner("f", client, client, QueuesOptions(), lease, lambda _: function).run(QueueMessage("e30="))


def test_a_lease_is_renewed_at_half_of_its_time() -> None:
    function = _Function(ends_at=1_000)
    queue = _Queue(function, failing=())

    _run(function, queue)

    assert queue.renewed_at == [300, 600, 900]
    assert queue.deleted


def test_a_renewal_that_failed_is_tried_again_before_the_lease_runs_out() -> None:
    function = _Function(ends_at=1_000)
    queue = _Queue(function, failing=(1, 2))

    _run(function, queue)

    # The first lease ends at 600.
    assert queue.renewed_at == [300, 450, 525, 825]
    assert queue.deleted
