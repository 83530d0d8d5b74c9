"""What the functions of an app are triggered by, read from their bindings."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from backend.local.functions_host.errors import InvalidFunctionApp
from backend.local.functions_host.invocations import LoadedFunction

_SETTING = re.compile(r"%([^%]+)%")
_ALL_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")


@dataclass(frozen=True, slots=True)
class QueueTrigger:
    """A function runs for every message of a queue; `connection` names the setting of its account."""

    function_name: str
    queue_name: str
    connection: str


@dataclass(frozen=True, slots=True)
class TimerTrigger:
    """A function runs on a schedule, and at the start of the host too when `run_on_startup`."""

    function_name: str
    schedule: str
    run_on_startup: bool


@dataclass(frozen=True, slots=True)
class HttpTrigger:
    """A function answers HTTP requests to a route, without the prefix of host.json."""

    function_name: str
    route: str
    methods: tuple[str, ...]


Trigger = QueueTrigger | TimerTrigger | HttpTrigger


def read_triggers(functions: Iterable[LoadedFunction], environment: Mapping[str, str]) -> list[Trigger]:
    """The triggers of an app's functions, with every `%NAME%` replaced by the setting of that name.

    Warm-up triggers do not show: the workers see to them.

    Raises:
        InvalidFunctionApp: a setting is missing, or a binding is of a kind that this host lacks.
    """
    triggers = (_read_trigger(function, environment) for function in functions)
    return [trigger for trigger in triggers if trigger is not None]


def _read_trigger(function: LoadedFunction, environment: Mapping[str, str]) -> Trigger | None:
    bindings: list[dict[str, Any]] = [json.loads(text) for text in function.bindings]
    for binding in bindings:
        if not binding["type"].endswith("Trigger") and binding["type"] != "http":
            raise InvalidFunctionApp(f"{function.name}: this host has no binding of type {binding['type']}")
    trigger = next((binding for binding in bindings if binding["type"].endswith("Trigger")), None)
    if trigger is None:
        raise InvalidFunctionApp(f"{function.name} has no trigger")

    def setting(key: str) -> str:
        return _resolve(str(trigger[key]), function.name, environment)

    match trigger["type"]:
        case "queueTrigger":
            return QueueTrigger(function.name, setting("queueName"), str(trigger["connection"]))
        case "timerTrigger":
            return TimerTrigger(function.name, setting("schedule"), bool(trigger.get("runOnStartup")))
        case "httpTrigger":
            route = setting("route") if trigger.get("route") is not None else function.name
            methods = tuple(str(method) for method in trigger.get("methods") or _ALL_METHODS)
            return HttpTrigger(function.name, route, methods)
        case "warmupTrigger":
            return None
        case other:
            raise InvalidFunctionApp(f"{function.name}: this host has no {other}")


def _resolve(text: str, function_name: str, environment: Mapping[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        try:
            return environment[match[1]]
        except KeyError:
            raise InvalidFunctionApp(f"{function_name} refers to the setting {match[1]}: set it") from None

    return _SETTING.sub(value, text)
