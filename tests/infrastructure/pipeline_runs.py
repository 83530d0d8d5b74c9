"""Runs the template's pipelines as Data Factory is documented to do, without Azure and without waiting.

What an activity does outside is scripted. Time passes only in waits, in pauses between attempts, and a second
for each activity. Microsoft's pages: "Until activity", "Errors and conditional execution".
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.infrastructure.expressions import Functions, value_of
from tests.infrastructure.factory_functions import factory_functions

RUN_ID = "0b1f2a3c-4d5e-6f70-8192-a3b4c5d6e7f8"

Outside = Callable[[str, Any], dict[str, Any]]


class OutsideFailed(Exception):
    """What an activity calls has answered with an error."""


@dataclass
class PipelineRun:
    """A run that has ended.

    Attributes:
        status: `Succeeded` or `Failed`.
        failure: the message of the Fail activity that ended it.
    """

    status: str = ""
    failure: str | None = None
    activities: dict[str, dict[str, Any]] = field(default_factory=dict)
    variables: dict[str, Any] = field(default_factory=dict)


class SimulatedFactory:
    """Runs pipelines.

    Args:
        pipelines: their properties, by name.
        outside: answers for an activity that calls out, given what is called and what it is sent: a function
            and its body, or a dataset and its query. Raises OutsideFailed.
    """

    def __init__(self, pipelines: dict[str, dict[str, Any]], outside: Outside) -> None:
        self._pipelines = pipelines
        self._outside = outside
        self.now = datetime(2026, 11, 23, 8, 0, 0, tzinfo=UTC)
        self.started: list[str] = []

    def run(self, name: str, **began_by: str) -> PipelineRun:
        """Run a pipeline to its end, begun by hand unless told otherwise in system variables."""
        self.started.append(name)
        properties = self._pipelines[name]
        run = PipelineRun()
        run.variables = {
            variable: declared.get("defaultValue", "")
            for variable, declared in properties.get("variables", {}).items()
        }
        run.variables = {key: list(v) if isinstance(v, list) else v for key, v in run.variables.items()}
        run.status = self._run_all(properties["activities"], run, self._functions(name, run, began_by))
        return run

    def _functions(self, name: str, run: PipelineRun, began_by: dict[str, str]) -> Functions:
        about = {"RunId": RUN_ID, "Pipeline": name, "TriggerType": "Manual", **began_by}
        return factory_functions(lambda: self.now) | {
            "activity": run.activities.__getitem__,
            "pipeline": lambda: about,
            "variables": run.variables.__getitem__,
        }

    def _run_all(self, activities: Sequence[dict[str, Any]], run: PipelineRun, functions: Functions) -> str:
        """Run what waits for each other; the status of them together."""
        status: dict[str, str] = {}
        left = list(activities)
        while left:
            ready = next(each for each in left if all(d["activity"] in status for d in each["dependsOn"]))
            left.remove(ready)
            status[ready["name"]] = self._run_one(ready, status, run, functions)
        waited_for = {d["activity"] for each in activities for d in each["dependsOn"]}
        before = {each["name"]: [d["activity"] for d in each["dependsOn"]] for each in activities}
        ends = [name for name in status if name not in waited_for]
        return "Succeeded" if all(_succeeded(name, status, before) for name in ends) else "Failed"

    def _run_one(
        self, activity: dict[str, Any], status: dict[str, str], run: PipelineRun, functions: Functions
    ) -> str:
        if not all(_is_met(dependency, status) for dependency in activity["dependsOn"]):
            return "Skipped"
        result: dict[str, Any] = {}
        run.activities[activity["name"]] = result
        for _ in range(activity.get("policy", {}).get("retry", 0) + 1):
            self.now += timedelta(seconds=1)
            result["Status"] = self._attempt(activity, result, run, functions)
            if result["Status"] == "Succeeded":
                break
            self.now += timedelta(seconds=activity.get("policy", {}).get("retryIntervalInSeconds", 0))
        return str(result["Status"])

    def _attempt(
        self, activity: dict[str, Any], result: dict[str, Any], run: PipelineRun, functions: Functions
    ) -> str:
        properties = activity["typeProperties"]

        def value(key: str) -> Any:
            return _value(properties[key], functions)

        match activity["type"]:
            case "SetVariable":
                run.variables[properties["variableName"]] = value("value")
            case "AppendVariable":
                run.variables[properties["variableName"]].append(value("value"))
            case "Wait":
                self.now += timedelta(seconds=value("waitTimeInSeconds"))
            case "Fail":
                run.failure = value("message")
                return "Failed"
            case "ExecutePipeline":
                child = properties["pipeline"]["referenceName"]
                return self.run(child, TriggeredByPipelineName=functions["pipeline"]()["Pipeline"]).status
            case "IfCondition":
                inner = properties.get("ifTrueActivities" if value("expression") else "ifFalseActivities", [])
                return self._run_all(inner, run, functions)
            case "Until":
                return self._until(properties, run, functions)
            case "AzureFunctionActivity" | "Lookup":
                return self._call(properties, result, functions)
            case other:
                raise NotImplementedError(other)
        return "Succeeded"

    def _until(self, properties: dict[str, Any], run: PipelineRun, functions: Functions) -> str:
        days, _, clock = properties["timeout"].partition(".")
        hours, minutes, seconds = map(int, clock.split(":"))
        end = self.now + timedelta(days=int(days), hours=hours, minutes=minutes, seconds=seconds)
        while self.now < end:
            status = self._run_all(properties["activities"], run, functions)
            if _value(properties["expression"], functions):
                return status
        return "Failed"

    def _call(self, properties: dict[str, Any], result: dict[str, Any], functions: Functions) -> str:
        if "functionName" in properties:
            called, sent = properties["functionName"], properties["body"]
        else:
            called = properties["dataset"]["referenceName"]
            sent = properties["source"].get("query") or properties["source"]["sqlReaderQuery"]
        try:
            result["output"] = self._outside(called, _value(sent, functions))
        except OutsideFailed as error:
            result["error"] = {"errorCode": "3600", "message": str(error)}
            return "Failed"
        return "Succeeded"


def _value(written: Any, functions: Functions) -> Any:
    if isinstance(written, dict) and written.get("type") == "Expression":
        return value_of(written["value"], functions)
    return value_of(written, functions) if isinstance(written, str) else written


def _is_met(dependency: dict[str, Any], status: dict[str, str]) -> bool:
    found = status[dependency["activity"]]
    conditions = dependency["dependencyConditions"]
    return found in conditions or ("Completed" in conditions and found != "Skipped")


def _succeeded(name: str, status: dict[str, str], before: dict[str, list[str]]) -> bool:
    """Of an end that was skipped, what it waited for counts."""
    if status[name] == "Skipped":
        return all(_succeeded(each, status, before) for each in before[name])
    return status[name] == "Succeeded"
