"""The test of the template finds what it is there to find: one fault after another, planted in a copy."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.infrastructure import factory_template
from tests.infrastructure.template_faults import faults


def _resource(template: dict[str, Any], name: str) -> dict[str, Any]:
    [found] = [each for each in template["resources"] if each["name"].endswith(f"/{name}')]")]
    return found


def _activity(template: dict[str, Any], pipeline: str, name: str) -> dict[str, Any]:
    activities = _resource(template, pipeline)["properties"]["activities"]
    [found] = [each for each in factory_template.all_activities(activities) if each["name"] == name]
    return found


def _change_text(pipeline: str, old: str, new: str) -> Callable[[dict[str, Any]], None]:
    def change(template: dict[str, Any]) -> None:
        resource = _resource(template, pipeline)
        text = json.dumps(resource["properties"])
        assert old in text
        resource["properties"] = json.loads(text.replace(old, new))

    return change


def _change(pipeline: str, activity: str, path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(template: dict[str, Any]) -> None:
        *way, last = path.split(".")
        place = _activity(template, pipeline, activity)
        for step in way:
            place = place[int(step)] if isinstance(place, list) else place[step]
        if value is None:
            del place[last]
        else:
            place[last] = value

    return change


def _change_resource(name: str, path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(template: dict[str, Any]) -> None:
        *way, last = path.split(".")
        place = _resource(template, name)
        for step in way:
            place = place[step]
        place[last] = value

    return change


def _nest(template: dict[str, Any]) -> None:
    inner = _activity(template, "small_batch_pipeline", "load_until_empty")["typeProperties"]["activities"]
    last = _activity(template, "small_batch_pipeline", "fail_so_that_the_alert_fires")
    inner.append({**copy.deepcopy(last), "name": "nested", "dependsOn": []})
    inner[-1]["typeProperties"]["ifTrueActivities"][0]["name"] = "nested_fail"


SMALL, LARGE, DAILY = "small_batch_pipeline", "large_batch_pipeline", "reconciliation_pipeline"
PLANTED: list[tuple[str, Callable[[dict[str, Any]], None], str]] = [
    (
        "an activity that is waited for is misspelt",
        _change(SMALL, "load_until_empty", "dependsOn.0.activity", "note_strat"),
        "small_batch_pipeline.load_until_empty waits for note_strat, which is not beside it",
    ),
    (
        "an activity that is read is misspelt",
        _change_text(SMALL, "activity('load_gold').output", "activity('load_golf').output"),
        "small_batch_pipeline.note_answer reads load_golf, which has not run before it",
    ),
    (
        "an activity is read that is not waited for",
        _change(DAILY, "note_operational", "dependsOn", []),
        "reconciliation_pipeline.note_operational reads look_at_operational, which has not run before it",
    ),
    (
        "an activity within a loop is read outside",
        _change_text(
            SMALL, "variables('outcome'), 'failed'", "activity('load_gold').output.status, 'failed'"
        ),
        "small_batch_pipeline.fail_so_that_the_alert_fires reads load_gold, which has not run before it",
    ),
    (
        "activities wait for each other",
        _change(
            SMALL,
            "note_start",
            "dependsOn",
            [{"activity": "note_outcome", "dependencyConditions": ["Succeeded"]}],
        ),
        "small_batch_pipeline.note_start waits for itself",
    ),
    (
        "a condition is misspelt",
        _change(SMALL, "note_outcome", "dependsOn.0.dependencyConditions", ["Complete"]),
        "small_batch_pipeline.note_outcome has a condition that nobody knows: Complete",
    ),
    (
        "two paths of an activity exclude each other",
        _change(SMALL, "note_failure", "dependsOn.0.dependencyConditions", ["Completed"]),
        "small_batch_pipeline.load_gold has a path for Completed beside one for success or failure",
    ),
    (
        "a container is in a container",
        _nest,
        "small_batch_pipeline.nested is a container in load_until_empty",
    ),
    (
        "two activities have one name",
        _change(SMALL, "fail", "name", "pause"),
        "small_batch_pipeline has more than one activity pause",
    ),
    (
        "a variable is misspelt",
        _change_text(SMALL, "variables('started_at')", "variables('start_at')"),
        "small_batch_pipeline: variable start_at is not declared",
    ),
    (
        "a variable that is set is misspelt",
        _change(LARGE, "count_look", "typeProperties.variableName", "look"),
        "large_batch_pipeline: variable look is not declared",
    ),
    (
        "a variable is set from itself",
        _change(SMALL, "note_outcome", "typeProperties.value.value", "@concat(variables('outcome'), '')"),
        "small_batch_pipeline.note_outcome sets a variable from itself",
    ),
    (
        "a pipeline's parameter is misspelt",
        _change_text("clean_one_dataset_pipeline", "parameters.job_id", "parameters.jobId"),
        "clean_one_dataset_pipeline: parameter jobId is not declared",
    ),
    (
        "a system variable is misspelt",
        _change_text(SMALL, "pipeline().RunId", "pipeline().RunID"),
        "small_batch_pipeline: there is no pipeline().RunID",
    ),
    (
        "a dataset's parameter is misspelt",
        _change_text("silver", "dataset().job_id", "dataset().jobid"),
        "silver: dataset jobid is not declared",
    ),
    (
        "a parenthesis is missing",
        _change_text(SMALL, ").status, 'working'))", ").status, 'working')"),
        "small_batch_pipeline.load_until_empty has a broken expression",
    ),
    (
        "a function of the language is misspelt",
        _change_text(DAILY, "addHours(", "addHour("),
        "note_window_end has a broken expression: there is no function addHour()",
    ),
    (
        "a function of the language lacks an argument",
        _change_text(DAILY, "addHours(utcNow(), -1)", "addHours(utcNow())"),
        "reconciliation_pipeline.note_window_end has a broken expression: missing a required argument",
    ),
    (
        "a function of the app is misspelt",
        _change(SMALL, "load_gold", "typeProperties.functionName", "loadGold"),
        "small_batch_pipeline.load_gold calls loadGold, which is no function of the app",
    ),
    (
        "a function of the app is called with another method",
        _change(LARGE, "drain_large_batch_queue", "typeProperties.method", "GET"),
        "large_batch_pipeline.drain_large_batch_queue calls drain_large_batch_queue with GET",
    ),
    (
        "a field of an answer is misspelt",
        _change_text(
            LARGE,
            "activity('drain_large_batch_queue').output.status",
            "activity('drain_large_batch_queue').output.state",
        ),
        "large_batch_pipeline: the answer of drain_large_batch_queue has no state",
    ),
    (
        "a field of a kept answer is misspelt",
        _change_text(
            SMALL, "json(variables('load_gold_answer')).status", "json(variables('load_gold_answer')).state"
        ),
        "small_batch_pipeline: the answer of load_gold_answer has no state",
    ),
    (
        "an activity has a type that nobody knows",
        _change(SMALL, "pause", "type", "Waiting"),
        "activities[3] is of no known type",
    ),
    (
        "a required field is missing",
        _change(SMALL, "pause", "typeProperties.waitTimeInSeconds", None),
        "wait_time_in_seconds is missing",
    ),
    (
        "a field is misspelt",
        _change(SMALL, "load_gold", "policy.retries", 3),
        "policy.retries is a field that nobody knows",
    ),
    (
        "a type's own field is misspelt",
        _change(DAILY, "look_at_operational", "typeProperties.firstRow", True),
        "typeProperties.firstRow is a field that nobody knows",
    ),
    (
        "the pause between attempts is too short",
        _change(SMALL, "load_gold", "policy.retryIntervalInSeconds", 5),
        "policy.retry_interval_in_seconds is out of bounds: 5",
    ),
    (
        "a call has no time-out",
        _change(SMALL, "load_gold", "policy.timeout", None),
        "small_batch_pipeline.load_gold has no time-out d.hh:mm:ss: ''",
    ),
    (
        "a loop has no time-out",
        _change(SMALL, "load_until_empty", "typeProperties.timeout", None),
        "small_batch_pipeline.load_until_empty has no time-out d.hh:mm:ss: ''",
    ),
    (
        "a call's time-out is shorter than Data Factory takes",
        _change(SMALL, "load_gold", "policy.timeout", "0.00:04:00"),
        "small_batch_pipeline.load_gold has a time-out of less than ten minutes: 0.00:04:00",
    ),
    (
        "a call does not say how often it is tried",
        _change(SMALL, "load_gold", "policy.retry", None),
        "small_batch_pipeline.load_gold does not say how often it is tried again",
    ),
    (
        "a linked service is misspelt",
        _change(SMALL, "load_gold", "linkedServiceName.referenceName", "function_app"),
        "small_batch_pipeline refers to linkedservices/function_app, which is not there",
    ),
    (
        "a dataset is misspelt",
        _change(DAILY, "look_at_warehouse", "typeProperties.dataset.referenceName", "gold_loads"),
        "reconciliation_pipeline refers to datasets/gold_loads, which is not there",
    ),
    (
        "a trigger's pipeline is misspelt",
        _change_text("every_10_minutes", "small_batch_pipeline", "small_pipeline"),
        "every_10_minutes refers to pipelines/small_pipeline, which is not there",
    ),
    (
        "what is referred to is not deployed before",
        _change_resource("every_10_minutes", "dependsOn", []),
        "every_10_minutes is not deployed after pipelines/small_batch_pipeline",
    ),
    (
        "a template's parameter is misspelt",
        _change_resource(
            "functions", "properties.typeProperties.functionAppUrl", "[parameters('functionUrl')]"
        ),
        "the template: parameter functionUrl is not declared",
    ),
    (
        "a secret is written down",
        _change_resource(
            "functions", "properties.typeProperties.functionKey", {"type": "SecureString", "value": "k"}
        ),
        "functions: functionKey is not in the vault",
    ),
    (
        "a secret is in a connection string",
        _change_resource(
            "operational_database", "properties.typeProperties.connectionString", "Server=s;UID=u;PWD=secret"
        ),
        "operational_database: a secret in Server=s;UID=u;PWD=secret",
    ),
]


@pytest.mark.parametrize(
    ("change", "fault"), [each[1:] for each in PLANTED], ids=[each[0] for each in PLANTED]
)
def test_a_planted_fault_is_found(change: Callable[[dict[str, Any]], None], fault: str) -> None:
    template = factory_template.written()
    change(template)
    found = faults(template)
    assert any(fault in each for each in found), found
