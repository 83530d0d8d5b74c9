import base64
import secrets
from datetime import timedelta

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import QueueServiceClient

from backend.adapters.leased_queue import StorageLeasedQueue
from backend.adapters.storage_queue import StorageQueues
from backend.azure_clients import queue_service
from backend.domain.errors import LeaseLost
from backend.ports import LeasedMessage
from backend.settings import StorageAccount
from tests.local_storage import LocalStorage
from tests.waiting import wait_until

MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)


class OwnQueue:
    """A queue of the test's own, as the service sends to it and as it is drained."""

    def __init__(self, service: QueueServiceClient) -> None:
        self.name = f"leased-{secrets.token_hex(6)}"
        self.raw = service.create_queue(self.name)
        self.raw_poison = service.get_queue_client(f"{self.name}-poison")
        self.leased = StorageLeasedQueue(service, self.name)
        self._sender = StorageQueues(service, [self.name])

    def send(self, body: bytes) -> str:
        return self._sender.send(self.name, body)

    def lease_one(self, duration: timedelta = MINUTE) -> LeasedMessage:
        (message,) = self.leased.lease(1, duration)
        return message

    def poisoned(self) -> list[str]:
        return [message.content for message in self.raw_poison.peek_messages(max_messages=32)]


@pytest.fixture
def queue(local_storage: LocalStorage) -> OwnQueue:
    return OwnQueue(queue_service(StorageAccount(local_storage.connection_string, None)))


def test_messages_are_leased_as_they_were_sent_and_nobody_else_sees_them(queue: OwnQueue) -> None:
    ids = [queue.send(body) for body in (b'{"a": 1}', b"\xff\x00")]

    leased = queue.leased.lease(3, MINUTE)

    assert [(message.message_id, message.body) for message in leased] == [
        (ids[0], b'{"a": 1}'),
        (ids[1], b"\xff\x00"),
    ]
    assert queue.leased.lease(3, MINUTE) == []


def test_no_more_are_leased_than_asked_for(queue: OwnQueue) -> None:
    for number in range(5):
        queue.send(b"%d" % number)

    assert [message.body for message in queue.leased.lease(3, MINUTE)] == [b"0", b"1", b"2"]
    assert [message.body for message in queue.leased.lease(3, MINUTE)] == [b"3", b"4"]


def test_a_message_that_was_put_back_lets_those_go_first_that_nobody_has_looked_at(queue: OwnQueue) -> None:
    for number in range(3):
        queue.send(b"%d" % number)

    queue.leased.renew(queue.lease_one(), b"0", timedelta(0))

    assert [message.body for message in queue.leased.lease(3, MINUTE)] == [b"1", b"2", b"0"]


# The letters of the JSON alone, without its other characters, would be Base64.
@pytest.mark.parametrize("content", ["not <Base64> & not ASCII: é", '{"jobId": "job"}'])
def test_a_message_that_is_not_base64_does_not_hide_the_others(queue: OwnQueue, content: str) -> None:
    queue.raw.send_message(content)
    queue.send(b"{}")

    spoilt, sound = queue.leased.lease(3, MINUTE)

    assert (spoilt.content, spoilt.body) == (content, None)
    assert (sound.content, sound.body) == ("e30=", b"{}")


def test_a_queue_is_empty_once_its_last_message_is_deleted_and_not_while_it_is_leased(
    queue: OwnQueue,
) -> None:
    assert queue.leased.is_empty()
    queue.send(b"{}")
    assert not queue.leased.is_empty()
    message = queue.lease_one()
    assert not queue.leased.is_empty()
    queue.leased.delete(message)
    assert queue.leased.is_empty()


def test_a_renewed_message_says_what_was_written_and_comes_back_when_its_lease_has_run_out(
    queue: OwnQueue,
) -> None:
    message_id = queue.send(b"before")

    renewed = queue.leased.renew(queue.lease_one(), b"after", SECOND)

    assert (renewed.message_id, renewed.body) == (message_id, b"after")
    assert queue.leased.lease(1, MINUTE) == []
    (again,) = wait_until(lambda: queue.leased.lease(1, MINUTE))
    assert (again.message_id, again.body) == (message_id, b"after")


def test_a_renewed_message_can_be_renewed_and_deleted_again(queue: OwnQueue) -> None:
    queue.send(b"0")
    first = queue.lease_one()

    second = queue.leased.renew(first, b"1", MINUTE)
    third = queue.leased.renew(second, b"2", MINUTE)

    assert len({first.receipt, second.receipt, third.receipt}) == 3
    queue.leased.delete(third)
    assert queue.leased.is_empty()


def test_a_renewed_message_does_not_expire_and_can_be_read_by_everyone_who_reads_base64(
    queue: OwnQueue,
) -> None:
    queue.send(b"before")

    queue.leased.renew(queue.lease_one(), b"after", timedelta(0))

    (raw,) = queue.raw.peek_messages()
    assert base64.b64decode(raw.content) == b"after"
    assert raw.expires_on is not None
    assert raw.inserted_on is not None
    assert (raw.expires_on - raw.inserted_on).days > 365


@pytest.mark.parametrize("call", ["renew", "delete", "poison"])
def test_whoever_has_lost_a_lease_is_told_and_changes_nothing(queue: OwnQueue, call: str) -> None:
    queue.send(b"{}")
    late = queue.lease_one(SECOND)
    (quick,) = wait_until(lambda: queue.leased.lease(1, MINUTE))
    arguments = (b"mine", MINUTE) if call == "renew" else ()

    with pytest.raises(LeaseLost, match=late.message_id):
        getattr(queue.leased, call)(late, *arguments)

    renewed = queue.leased.renew(quick, b"still mine", timedelta(0))
    assert renewed.body == b"still mine"
    assert queue.lease_one().body == b"still mine"


@pytest.mark.parametrize("call", ["renew", "delete", "poison"])
def test_a_message_that_somebody_has_deleted_is_a_lost_lease_too(queue: OwnQueue, call: str) -> None:
    queue.send(b"{}")
    message = queue.lease_one()
    queue.leased.delete(message)
    arguments = (b"mine", MINUTE) if call == "renew" else ()

    with pytest.raises(LeaseLost, match=message.message_id):
        getattr(queue.leased, call)(message, *arguments)


def test_a_queue_that_does_not_exist_is_no_lost_lease(queue: OwnQueue) -> None:
    queue.send(b"{}")
    message = queue.lease_one()
    queue.raw.delete_queue()

    with pytest.raises(ResourceNotFoundError):
        queue.leased.delete(message)


def test_poisoned_messages_are_on_the_poison_queue_as_they_were_sent(queue: OwnQueue) -> None:
    queue.raw.send_message("not Base64!")
    queue.send(b"{}")

    # The first makes the queue.
    for message in queue.leased.lease(2, MINUTE):
        queue.leased.poison(message)

    assert queue.poisoned() == ["not Base64!", "e30="]
    assert queue.leased.is_empty()
