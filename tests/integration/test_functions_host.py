"""The local Functions host against real queue storage, by Azure's documented rules."""

import base64
import itertools
import json
import logging
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import QueueClient

from backend.local.functions_host import worker_pool
from backend.local.functions_host.errors import InvalidFunctionApp
from backend.local.functions_host.host import FunctionsHost, HostOptions
from tests.local_storage import LocalStorage
from tests.waiting import wait_until

RECORDING = "tests.integration.function_apps.recording.function_app"
IMPATIENT = "tests.integration.function_apps.impatient.function_app"
BROKEN = "tests.integration.function_apps.broken.function_app"
ALLOWED_DELIVERIES = 3


class Records:
    """What the functions of the recording app wrote down."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def of(self, call: str) -> list[dict[str, Any]]:
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        return [record for record in map(json.loads, lines) if record["call"] == call]


@pytest.fixture
def records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Records:
    path = tmp_path / "records"
    monkeypatch.setenv("RECORDS", str(path))
    return Records(path)


@pytest.fixture
def queue(local_storage: LocalStorage, monkeypatch: pytest.MonkeyPatch) -> Iterator[QueueClient]:
    """The recording app's queue, with all else that the app wants set."""
    name = f"recording-{secrets.token_hex(6)}"
    monkeypatch.setenv("TEST_STORAGE", local_storage.connection_string)
    monkeypatch.setenv("RECORDING_QUEUE", name)
    monkeypatch.setenv("ASYNC_QUEUE", f"{name}-async")
    monkeypatch.setenv("TIMER_SCHEDULE", "0 0 0 1 1 *")
    with QueueClient.from_connection_string(local_storage.connection_string, name) as client:
        client.create_queue()
        yield client


@pytest.fixture
def poison_queue(local_storage: LocalStorage, queue: QueueClient) -> Iterator[QueueClient]:
    name = f"{queue.queue_name}-poison"
    with QueueClient.from_connection_string(local_storage.connection_string, name) as client:
        yield client


StartHost = Callable[..., FunctionsHost]


@pytest.fixture
def start_host(queue: QueueClient, records: Records) -> Iterator[StartHost]:
    hosts: list[FunctionsHost] = []

    def start(app: str = RECORDING, **options: Any) -> FunctionsHost:
        defaults = {"http_port": 0, "worker_processes": 1, "worker_threads": 8}
        defaults["grace"] = timedelta(seconds=0.2)
        host = FunctionsHost(HostOptions(app=app, environment=os.environ, **(defaults | options)))
        host.start()
        hosts.append(host)
        return host

    yield start
    for host in hosts:
        host.stop()


def send(queue: QueueClient, **body: Any) -> str:
    """Send a message as the service's queues carry it; its content on the wire."""
    content = base64.b64encode(json.dumps(body).encode()).decode()
    queue.send_message(content)
    return content


def visible(queue: QueueClient) -> list[str]:
    try:
        return [message.content for message in queue.peek_messages(max_messages=32)]
    except ResourceNotFoundError:
        return []


def is_empty(queue: QueueClient) -> bool:
    return queue.get_queue_properties().approximate_message_count == 0


def events(caplog: pytest.LogCaptureFixture, event: str) -> list[dict[str, Any]]:
    return [vars(record)["details"] for record in caplog.records if record.getMessage() == event]


def is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_message_is_handed_over_decoded_and_deleted_after_success(
    start_host: StartHost, queue: QueueClient, records: Records
) -> None:
    send(queue, number=1)

    start_host()

    wait_until(lambda: is_empty(queue))
    (record,) = records.of("message")
    assert (record["body"], record["dequeue_count"]) == ('{"number": 1}', 1)
    assert record["id"]
    assert record["inserted"].endswith("+00:00")


def test_an_async_function_runs_too(start_host: StartHost, queue: QueueClient, records: Records) -> None:
    connection_string = os.environ["TEST_STORAGE"]
    with QueueClient.from_connection_string(connection_string, os.environ["ASYNC_QUEUE"]) as async_queue:
        async_queue.create_queue()
        send(async_queue, number=2)
        start_host()
        wait_until(lambda: is_empty(async_queue))

    assert [record["body"] for record in records.of("async message")] == ['{"number": 2}']


def test_a_queue_that_is_created_later_is_listened_to(
    start_host: StartHost, queue: QueueClient, records: Records
) -> None:
    queue.delete_queue()
    start_host()

    queue.create_queue()
    send(queue, number=3)

    assert [record["body"] for record in wait_until(lambda: records.of("message"))] == ['{"number": 3}']


def test_a_failure_is_tried_again_after_the_visibility_timeout_and_poisoned_in_the_end(
    start_host: StartHost,
    queue: QueueClient,
    poison_queue: QueueClient,
    records: Records,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "functions_host")
    content = send(queue, fail="always")

    start_host()

    wait_until(lambda: visible(poison_queue))
    wait_until(lambda: is_empty(queue))
    assert visible(poison_queue) == [content]
    assert [record["dequeue_count"] for record in records.of("message")] == [1, 2, 3]
    assert [event["error"] for event in events(caplog, "function failed")] == 3 * ["ValueError: told to fail"]
    assert [event["reason"] for event in events(caplog, "message poisoned")] == ["ValueError: told to fail"]
    started = [record.created for record in caplog.records if record.getMessage() == "function started"]
    assert min(later - earlier for earlier, later in itertools.pairwise(started)) > 0.9


@pytest.mark.parametrize(
    ("content", "reason"),
    [("{not base64}", "the message is not Base64"), ("/w==", "Base64, but not of UTF-8 text")],
)
def test_a_message_that_cannot_be_decoded_is_poisoned_at_once(
    start_host: StartHost,
    queue: QueueClient,
    poison_queue: QueueClient,
    records: Records,
    caplog: pytest.LogCaptureFixture,
    content: str,
    reason: str,
) -> None:
    caplog.set_level(logging.INFO, "functions_host")
    queue.send_message(content)

    start_host()

    wait_until(lambda: is_empty(queue))
    assert visible(poison_queue) == [content]
    (event,) = events(caplog, "message poisoned")
    assert reason in event["reason"]
    assert event["dequeue_count"] == 1
    assert records.of("message") == []


def test_a_message_that_was_delivered_too_often_is_poisoned_without_a_run(
    start_host: StartHost, queue: QueueClient, poison_queue: QueueClient, records: Records
) -> None:
    content = send(queue, number=4)
    for _ in range(ALLOWED_DELIVERIES):
        message = queue.receive_message()
        assert message is not None
        queue.update_message(message, visibility_timeout=0)

    start_host()

    wait_until(lambda: is_empty(queue))
    assert visible(poison_queue) == [content]
    assert records.of("message") == []


def test_a_lease_is_renewed_while_its_function_runs(
    start_host: StartHost,
    queue: QueueClient,
    records: Records,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, "functions_host")
    done = tmp_path / "done"
    send(queue, until=str(done))
    start_host(lease=timedelta(seconds=2))

    # A renewal a second: after the third one, the first lease has run out.
    wait_until(lambda: len(events(caplog, "lease renewed")) >= 3)
    assert visible(queue) == []
    done.touch()

    wait_until(lambda: is_empty(queue))
    assert len(records.of("message")) == 1


def test_the_next_batch_is_fetched_when_the_running_messages_fall_to_the_threshold(
    start_host: StartHost, queue: QueueClient, records: Records, tmp_path: Path
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for number in range(10):
        send(queue, number=number, until=str(first if number < 2 else second))
    start_host()

    wait_until(lambda: len(records.of("message")) == 4)
    assert len(visible(queue)) == 6
    first.touch()
    wait_until(lambda: len(records.of("message")) == 8)
    assert len(visible(queue)) == 2
    second.touch()

    wait_until(lambda: is_empty(queue))
    assert len(records.of("message")) == 10


def test_messages_are_spread_over_the_worker_processes(
    start_host: StartHost, queue: QueueClient, records: Records, tmp_path: Path
) -> None:
    done = tmp_path / "done"
    for number in range(4):
        send(queue, number=number, until=str(done))
    start_host(worker_processes=2, worker_threads=2)

    wait_until(lambda: len(records.of("message")) == 4)
    done.touch()

    assert len({record["process"] for record in records.of("message")}) == 2


def test_a_worker_that_stands_still_is_given_no_more_while_another_has_room(
    start_host: StartHost,
    queue: QueueClient,
    records: Records,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(worker_pool, "_LATE_SECONDS", 0.2)
    done = tmp_path / "done"
    send(queue, until=str(done))
    start_host(worker_processes=2)
    wait_until(lambda: records.of("message"))
    since = time.monotonic()
    wait_until(lambda: time.monotonic() > since + 0.3)

    # As many as are fetched however they come: past the threshold of host.json nothing is.
    for number in range(2):
        send(queue, number=number, until=str(done))
    wait_until(lambda: len(records.of("message")) == 3)
    done.touch()

    first, *others = (record["process"] for record in records.of("message"))
    assert len({*others} - {first}) == 1
    assert first not in others


def test_a_stop_makes_unfinished_messages_visible_at_once(
    start_host: StartHost, queue: QueueClient, poison_queue: QueueClient, records: Records, tmp_path: Path
) -> None:
    contents = {send(queue, number=number, until=str(tmp_path / "never")) for number in range(2)}
    host = start_host(worker_threads=1)
    wait_until(lambda: records.of("message"))
    wait_until(lambda: visible(queue) == [])

    host.stop()

    assert set(visible(queue)) == contents
    assert visible(poison_queue) == []
    assert len(records.of("message")) == 1


def test_a_stop_lets_a_running_function_come_to_its_end(
    start_host: StartHost, queue: QueueClient, records: Records, tmp_path: Path
) -> None:
    done = tmp_path / "done"
    send(queue, until=str(done))
    host = start_host(grace=timedelta(seconds=30))
    wait_until(lambda: records.of("message"))

    done.touch()
    host.stop()

    assert is_empty(queue)


def test_a_worker_that_dies_fails_its_message_and_is_replaced(
    start_host: StartHost, queue: QueueClient, records: Records, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "functions_host")
    send(queue, exit=1)

    start_host()

    wait_until(lambda: is_empty(queue))
    (event,) = events(caplog, "function failed")
    assert event["error"] == "the worker process ended with status 3"
    first, second = records.of("message")
    assert first["process"] != second["process"]
    assert second["dequeue_count"] == 2


def test_a_function_that_outlasts_the_function_timeout_fails(
    start_host: StartHost, queue: QueueClient, records: Records, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "functions_host")
    send(queue, hang=1)

    start_host(IMPATIENT)

    wait_until(lambda: is_empty(queue))
    (event,) = events(caplog, "function failed")
    assert event["error"] == "a function of this worker ran longer than 0:00:01"
    assert len(records.of("message")) == 2


def test_a_timer_runs_on_its_schedule(
    start_host: StartHost, records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIMER_SCHEDULE", "* * * * * *")

    start_host()

    wait_until(lambda: len(records.of("timer")) >= 2)
    assert records.of("timer")[0]["past_due"] is False


def test_every_worker_is_warmed_up_before_it_has_work(start_host: StartHost, records: Records) -> None:
    host = start_host(worker_processes=2)

    wait_until(lambda: host.is_warm)
    assert len({record["process"] for record in records.of("warm-up")}) == 2
    status = requests.get(f"http://127.0.0.1:{host.http_port}/admin/host/status", timeout=10)
    assert status.json() == {"state": "Running", "warm": True}


def test_a_warm_up_that_fails_is_logged_and_hinders_nothing(
    start_host: StartHost,
    queue: QueueClient,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "functions_host")
    monkeypatch.setenv("WARM_UP_FAILS", "yes")
    send(queue, number=6)

    host = start_host()

    wait_until(lambda: host.is_warm)
    wait_until(lambda: is_empty(queue))
    (event,) = events(caplog, "warm-up failed")
    assert event["error"] == "ValueError: told to fail"


def test_an_http_function_answers_under_its_route(start_host: StartHost) -> None:
    host = start_host()

    response = requests.post(
        f"http://127.0.0.1:{host.http_port}/api/greetings/Ada?from=me",
        data="hello",
        headers={"Accept-Language": "en"},
        timeout=10,
    )

    assert response.status_code == 201
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["X-Greeting"] == "yes"
    assert response.json() == {
        "name": "Ada",
        "method": "POST",
        "from": "me",
        "body": "hello",
        "language": "en",
    }


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/nothing", 404, "not_found"),
        ("GET", "/greetings/Ada", 404, "not_found"),
        ("DELETE", "/api/greetings/Ada", 405, "method_not_allowed"),
        ("GET", "/api/fail", 500, "function_failed"),
    ],
)
def test_http_errors_are_json_and_say_nothing_of_the_inside(
    start_host: StartHost, method: str, path: str, status: int, code: str
) -> None:
    host = start_host()

    response = requests.request(method, f"http://127.0.0.1:{host.http_port}{path}", timeout=10)

    assert response.status_code == status
    assert response.json()["error"] == code
    assert "secret" not in response.text


def test_an_app_that_does_not_import_is_refused_with_its_error(start_host: StartHost) -> None:
    with pytest.raises(InvalidFunctionApp, match="RuntimeError: no app today"):
        start_host(BROKEN)


def test_a_missing_setting_is_named(start_host: StartHost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RECORDING_QUEUE")

    with pytest.raises(InvalidFunctionApp, match="record_message refers to the setting RECORDING_QUEUE"):
        start_host()


@pytest.fixture
def host_process(queue: QueueClient, records: Records) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "backend.local.functions_host", "--app", RECORDING, "--http-port", "0"]
    with subprocess.Popen(command) as process:
        yield process
        process.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_the_host_with_status_0_and_leaves_no_process(
    host_process: subprocess.Popen[bytes], queue: QueueClient, records: Records, number: int
) -> None:
    send(queue, number=5)
    wait_until(lambda: is_empty(queue))

    host_process.send_signal(number)

    assert host_process.wait(timeout=20) == 0
    assert not any(is_running(record["process"]) for record in records.of("warm-up"))


def test_workers_end_with_a_host_that_was_killed(
    host_process: subprocess.Popen[bytes], queue: QueueClient, records: Records, tmp_path: Path
) -> None:
    send(queue, until=str(tmp_path / "never"))
    (record,) = wait_until(lambda: records.of("message"))

    host_process.kill()
    host_process.wait()

    assert wait_until(lambda: not is_running(record["process"]))


def test_a_taken_port_ends_the_host_with_status_1(start_host: StartHost) -> None:
    host = start_host()
    command = [sys.executable, "-m", "backend.local.functions_host", "--app", RECORDING]

    second = subprocess.run(
        [*command, "--http-port", str(host.http_port)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert second.returncode == 1
    assert json.loads(second.stderr.splitlines()[-1])["event"] == "host not started"
