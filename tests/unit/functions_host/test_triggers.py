import json
from typing import Any

import pytest

from backend.local.functions_host.errors import InvalidFunctionApp
from backend.local.functions_host.invocations import LoadedFunction
from backend.local.functions_host.triggers import (
    HttpTrigger,
    QueueTrigger,
    TimerTrigger,
    Trigger,
    read_triggers,
)


def _read(*bindings: dict[str, Any], **environment: str) -> list[Trigger]:
    function = LoadedFunction("work", [json.dumps(binding) for binding in bindings])
    return read_triggers([function], environment)


def test_a_queue_name_may_come_from_a_setting() -> None:
    binding = {"type": "queueTrigger", "queueName": "%QUEUE%", "connection": "STORAGE", "name": "message"}

    assert _read(binding, QUEUE="small-batch-queue") == [QueueTrigger("work", "small-batch-queue", "STORAGE")]


def test_a_missing_setting_is_named() -> None:
    binding = {"type": "queueTrigger", "queueName": "%QUEUE%", "connection": "STORAGE", "name": "message"}

    with pytest.raises(InvalidFunctionApp, match="work refers to the setting QUEUE: set it"):
        _read(binding)


def test_a_timer_has_a_schedule() -> None:
    binding = {"type": "timerTrigger", "schedule": "0 */%N% * * * *", "runOnStartup": True, "name": "timer"}

    assert _read(binding, N="10") == [TimerTrigger("work", "0 */10 * * * *", True)]


def test_an_http_function_without_a_route_has_its_name_and_every_method() -> None:
    trigger = {"type": "httpTrigger", "name": "request"}

    methods = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
    assert _read(trigger, {"type": "http", "name": "$return"}) == [HttpTrigger("work", "work", methods)]


def test_a_warm_up_is_nothing_to_listen_to() -> None:
    assert _read({"type": "warmupTrigger", "name": "context"}) == []


@pytest.mark.parametrize("kind", ["blobTrigger", "queue"])
def test_a_binding_that_the_host_lacks_is_refused(kind: str) -> None:
    with pytest.raises(InvalidFunctionApp, match=kind):
        _read({"type": kind, "name": "thing"})
