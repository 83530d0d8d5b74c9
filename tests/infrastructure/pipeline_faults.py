"""What is wrong with a pipeline of the data factory, in words."""

import inspect
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Any

import msgspec

from backend.myfunc.function_app import app
from backend.services.draining import DrainStep
from backend.services.loading import LoadStep
from backend.services.sweeping import SweepStep
from tests.infrastructure.expressions import (
    Call,
    ExpressionError,
    Literal,
    Member,
    Node,
    literal_argument,
    named,
    parse_data_factory,
    walk,
)
from tests.infrastructure.factory_functions import factory_functions
from tests.infrastructure.factory_template import Resource, all_activities, inner_activities, texts_in

_CONDITIONS = {"Succeeded", "Failed", "Skipped", "Completed"}
_CONTAINERS = {"Until", "IfCondition", "ForEach", "Switch"}
_CALLS_OUT = {"AzureFunctionActivity", "Lookup", "DatabricksJob"}
# An activity's time-out: ten minutes at least (Microsoft's "Pipelines and activities", policy).
_TIMEOUT = re.compile(r"(\d+)\.(\d\d):(\d\d):(\d\d)")
_SYSTEM_VARIABLES = {
    "DataFactory",
    "Pipeline",
    "RunId",
    "TriggeredByPipelineName",
    "TriggeredByPipelineRunId",
    "TriggerId",
    "TriggerName",
    "TriggerTime",
    "TriggerType",
}
_ANSWERS: dict[str, type[msgspec.Struct]] = {
    "drain_large_batch_queue": DrainStep,
    "load_gold": LoadStep,
    "sweep_jobs": SweepStep,
}


def pipeline_faults(pipeline: Resource) -> Iterator[str]:
    """Names, order, expressions, limits and answers of one pipeline."""
    activities = pipeline.properties["activities"]
    every = list(all_activities(activities))
    names = [each["name"] for each in every]
    yield from (
        f"{pipeline.name} has more than one activity {name}"
        for name in sorted(set(names))
        if names.count(name) > 1
    )
    yield from _flow_faults(pipeline.name, activities, before=frozenset(), within="")
    for activity in every:
        yield from (f"{pipeline.name}.{activity['name']} {fault}" for fault in _activity_faults(activity))
    yield from _pipeline_name_faults(pipeline, every)
    yield from (f"{pipeline.name}: {fault}" for fault in _answer_faults(pipeline.properties, every))


def _pipeline_name_faults(pipeline: Resource, every: list[dict[str, Any]]) -> Iterator[str]:
    properties = pipeline.properties
    set_here = {
        each["typeProperties"]["variableName"] for each in every if "variableName" in each["typeProperties"]
    }
    used = {literal_argument(call) for call in _calls(properties, "variables")}
    yield from name_faults(pipeline.name, "variable", set(properties.get("variables", {})), used | set_here)
    yield from name_faults(
        pipeline.name, "parameter", set(properties.get("parameters", {})), names_of(properties, "parameters")
    )
    for name in sorted(names_of(properties, "pipeline") - _SYSTEM_VARIABLES - {"parameters"}):
        yield f"{pipeline.name}: there is no pipeline().{name}"


def name_faults(where: str, what: str, declared: set[str], used: set[str]) -> Iterator[str]:
    """What is used and not declared, and the other way round."""
    yield from (f"{where}: {what} {name} is not declared" for name in sorted(used - declared))
    yield from (f"{where}: {what} {name} is not used" for name in sorted(declared - used))


def names_of(value: Any, scope: str) -> set[str]:
    """The names in `dataset().NAME`, `pipeline().NAME`, or `pipeline().parameters.NAME`."""

    def is_scope(node: Node) -> bool:
        if scope == "parameters":
            return isinstance(node, Member) and node.of == Call("pipeline", ()) and node.name == scope
        return node == Call(scope, ())

    return {node.name for node in _nodes(value) if isinstance(node, Member) and is_scope(node.of)}


def _nodes(value: Any) -> Iterator[Node]:
    """Every part of every expression below a value; a broken one is told by `_expression_faults`."""
    for text in texts_in(value):
        try:
            pieces = parse_data_factory(text)
        except ExpressionError:
            continue
        for piece in pieces:
            if not isinstance(piece, str):
                yield from walk(piece)


def _calls(value: Any, name: str) -> Iterator[Call]:
    return (
        node
        for node in _nodes(value)
        if isinstance(node, Call) and node.name == name and len(node.arguments) == 1
    )


def _flow_faults(
    pipeline: str, activities: list[dict[str, Any]], before: frozenset[str], within: str
) -> Iterator[str]:
    """Who waits for whom, and whether an expression reads only what has run before it."""
    waits_for = {each["name"]: {d["activity"] for d in each["dependsOn"]} for each in activities}
    yield from _condition_faults(pipeline, activities)
    for activity in activities:
        name = f"{pipeline}.{activity['name']}"
        yield from (
            f"{name} waits for {each}, which is not beside it"
            for each in sorted(waits_for[activity["name"]] - set(waits_for))
        )
        earlier = before | _ancestors(activity["name"], waits_for)
        if activity["name"] in earlier:
            yield f"{name} waits for itself"
        own = {**activity, "typeProperties": _without_inner(activity)}
        yield from (
            f"{name} reads {read}, which has not run before it"
            for read in sorted({literal_argument(call) for call in _calls(own, "activity")} - earlier)
        )
        if within and activity["type"] in _CONTAINERS:
            yield f"{name} is a container in {within}"
        yield from _flow_faults(pipeline, inner_activities(activity), earlier, activity["name"])


def _without_inner(activity: dict[str, Any]) -> dict[str, Any]:
    inner = {"activities", "ifTrueActivities", "ifFalseActivities"}
    return {key: value for key, value in activity["typeProperties"].items() if key not in inner}


def _ancestors(name: str, waits_for: dict[str, set[str]]) -> frozenset[str]:
    found: set[str] = set()
    ahead = set(waits_for.get(name, ()))
    while ahead:
        each = ahead.pop()
        if each not in found:
            found.add(each)
            ahead |= waits_for.get(each, set())
    return frozenset(found)


def _condition_faults(pipeline: str, activities: list[dict[str, Any]]) -> Iterator[str]:
    paths: dict[str, set[str]] = {}
    for activity in activities:
        for dependency in activity["dependsOn"]:
            conditions = set(dependency["dependencyConditions"])
            paths.setdefault(dependency["activity"], set()).update(conditions)
            for unknown in sorted(conditions - _CONDITIONS):
                yield f"{pipeline}.{activity['name']} has a condition that nobody knows: {unknown}"
    for name, conditions in paths.items():
        if "Completed" in conditions and conditions & {"Succeeded", "Failed"}:
            yield f"{pipeline}.{name} has a path for Completed beside one for success or failure"


def _activity_faults(activity: dict[str, Any]) -> Iterator[str]:
    yield from _expression_faults(activity)
    if activity["type"] in _CALLS_OUT:
        yield from _policy_faults(activity.get("policy", {}))
    if activity["type"] == "Until":
        yield from _time_out_faults(activity["typeProperties"].get("timeout", ""))
    if activity["type"] == "AzureFunctionActivity":
        yield from _function_faults(activity["typeProperties"])
    if activity["type"] == "SetVariable":
        properties = activity["typeProperties"]
        if any(
            c.arguments == (Literal(properties["variableName"]),) for c in _calls(properties, "variables")
        ):
            yield "sets a variable from itself"


def _expression_faults(activity: dict[str, Any]) -> Iterator[str]:
    known = factory_functions(lambda: datetime.now(UTC)) | {
        "activity": lambda name: name,
        "pipeline": lambda: None,
        "variables": lambda name: name,
    }
    for text in texts_in({**activity, "typeProperties": _without_inner(activity)}):
        try:
            for node in (n for p in parse_data_factory(text) if not isinstance(p, str) for n in walk(p)):
                if isinstance(node, Call):
                    inspect.signature(named(node.name, known)).bind(*node.arguments)
        except (ExpressionError, TypeError) as error:
            yield f"has a broken expression: {error}"


def _policy_faults(policy: dict[str, Any]) -> Iterator[str]:
    if "retry" not in policy:
        yield "does not say how often it is tried again"
    yield from _time_out_faults(policy.get("timeout", ""))


def _time_out_faults(text: str) -> Iterator[str]:
    if not (found := _TIMEOUT.fullmatch(text)):
        yield f"has no time-out d.hh:mm:ss: {text!r}"
        return
    days, hours, minutes, seconds = map(int, found.groups())
    if ((days * 24 + hours) * 60 + minutes) * 60 + seconds < 600:
        yield f"has a time-out of less than ten minutes: {text}"


@cache
def _http_functions() -> dict[str, tuple[set[str], str]]:
    """The methods and the authorisation of the app's HTTP functions, by route."""
    triggers = [function.get_trigger().get_dict_repr() for function in app.get_functions()]
    return {
        each["route"]: ({method.value for method in each["methods"]}, each["authLevel"].value)
        for each in triggers
        if each["type"] == "httpTrigger"
    }


def _function_faults(properties: dict[str, Any]) -> Iterator[str]:
    name, method = properties["functionName"], properties["method"]
    if name not in _http_functions():
        yield f"calls {name}, which is no function of the app"
        return
    methods, authorisation = _http_functions()[name]
    if method not in methods:
        yield f"calls {name} with {method}"
    if authorisation != "function":
        yield f"calls {name}, which asks for no key"
    if method == "POST" and "body" not in properties:
        yield f"calls {name} without a body"


def _answer_faults(properties: dict[str, Any], every: list[dict[str, Any]]) -> Iterator[str]:
    """Whether the fields that are read from an answer are fields of the struct that is answered."""
    by_activity = {
        each["name"]: _fields(each["typeProperties"]["functionName"])
        for each in every
        if each["type"] == "AzureFunctionActivity" and each["typeProperties"]["functionName"] in _ANSWERS
    }
    for node in _nodes(properties):
        match node:
            case Member(of=Member(of=Call("activity", (Literal(str(name)),)), name="output"), name=field):
                fields = by_activity.get(name, {field})
            case Member(of=Call("json", (Call("variables", (Literal(str(name)),)),)), name=field):
                fields = _fields(name.removesuffix("_answer"))
            case _:
                continue
        if field not in fields:
            yield f"the answer of {name} has no {field}"


def _fields(function: str) -> set[str]:
    return {field.encode_name for field in msgspec.structs.fields(_ANSWERS[function])}
