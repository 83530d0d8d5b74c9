from datetime import timedelta
from pathlib import Path

import pytest

from backend.domain.messages import MAX_DELIVERIES
from backend.local.functions_host.errors import InvalidFunctionApp
from backend.local.functions_host.host_file import HostFile

APP_FOLDER = Path(__file__).parents[3] / "backend" / "myfunc"


def test_the_app_allows_as_many_deliveries_as_its_services_count_to() -> None:
    assert HostFile.read(APP_FOLDER / "host.json").extensions.queues.max_dequeue_count == MAX_DELIVERIES


def test_the_app_fetches_16_messages_and_the_next_at_half() -> None:
    queues = HostFile.read(APP_FOLDER / "host.json").extensions.queues

    assert (queues.batch_size, queues.threshold, queues.message_encoding) == (16, 8, "base64")


def test_azures_defaults_hold_where_host_json_is_silent(tmp_path: Path) -> None:
    path = tmp_path / "host.json"
    path.write_text('{"version": "2.0"}')

    host_file = HostFile.read(path)

    queues = host_file.extensions.queues
    assert (queues.batch_size, queues.threshold, queues.max_dequeue_count) == (16, 8, 5)
    assert (queues.visibility_timeout, queues.max_polling_interval) == (timedelta(0), timedelta(minutes=1))
    assert host_file.extensions.http.route_prefix == "api"
    assert host_file.function_timeout is None


@pytest.mark.parametrize(
    "queues",
    [
        '{"batchSize": 33}',
        '{"batchSize": 0}',
        '{"maxDequeueCount": 0}',
        '{"visibilityTimeout": "soon"}',
        '{"messageEncoding": "rot13"}',
        "[]",
    ],
)
def test_an_impossible_value_is_refused(tmp_path: Path, queues: str) -> None:
    path = tmp_path / "host.json"
    path.write_text(f'{{"version": "2.0", "extensions": {{"queues": {queues}}}}}')

    with pytest.raises(InvalidFunctionApp, match=r"host\.json"):
        HostFile.read(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidFunctionApp, match=r"host\.json"):
        HostFile.read(tmp_path / "host.json")
