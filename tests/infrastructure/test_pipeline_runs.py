"""What the pipelines do with the answers they get, down to what is recorded and whether the alert fires."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from backend.services.pipeline_runs import PipelineRun as RecordedRun
from tests.infrastructure import factory_template
from tests.infrastructure.pipeline_runs import RUN_ID, OutsideFailed, PipelineRun, SimulatedFactory

BEGAN = datetime(2026, 11, 23, 8, 0, 0, tzinfo=UTC)
DRAIN = "drain_large_batch_queue"


class ScriptedFunctions:
    """Answers of the Functions app: each function's in turn, and then its last one for ever."""

    def __init__(self, **answers: list[str]) -> None:
        self._answers = {"sweep_jobs": ["empty"]} | answers
        self.calls: list[str] = []
        self.recorded: list[RecordedRun] = []

    def __call__(self, function: str, body: str) -> dict[str, Any]:
        self.calls.append(function)
        if function == "record_pipeline_run":
            self.recorded.append(RecordedRun.decode(body.encode()))
            return {"path": "logs/pipeline_runs/…"}
        answers = self._answers[function]
        status = answers.pop(0) if len(answers) > 1 else answers[0]
        if status == "down":
            raise OutsideFailed('the app said "503"')
        # Data Factory adds what it charges.
        return {"status": status, "loaded": 3, "executionDuration": 1}


def run(name: str, outside: Callable[[str, Any], dict[str, Any]]) -> tuple[PipelineRun, SimulatedFactory]:
    factory = SimulatedFactory(factory_template.named_of(factory_template.written(), "pipelines"), outside)
    return factory.run(name, TriggerName="every_so_often"), factory


def test_the_small_pipeline_loads_until_nothing_is_left_and_writes_down_the_last_answer() -> None:
    functions = ScriptedFunctions(load_gold=["working", "working", "empty"])

    ended, _ = run("small_batch_pipeline", functions)

    assert ended.status == "Succeeded"
    assert functions.calls == ["sweep_jobs", *["load_gold"] * 3, "record_pipeline_run"]
    [recorded] = functions.recorded
    assert str(recorded.run_id) == RUN_ID
    assert recorded.pipeline == "small_batch_pipeline"
    assert recorded.trigger == "every_so_often"
    assert recorded.started_at == BEGAN + timedelta(seconds=1)
    assert recorded.outcome == "succeeded"
    answer = {"status": "empty", "loaded": 3, "executionDuration": 1}
    assert recorded.steps == {"sweep_jobs": answer, "load_gold": answer}


def test_the_small_pipeline_takes_a_passing_fault_for_none() -> None:
    functions = ScriptedFunctions(load_gold=["down", "down", "empty"])

    ended, _ = run("small_batch_pipeline", functions)

    assert ended.status == "Succeeded"
    assert [each.outcome for each in functions.recorded] == ["succeeded"]


def test_the_small_pipeline_writes_a_lasting_failure_down_and_fails() -> None:
    functions = ScriptedFunctions(load_gold=["down"])

    ended, factory = run("small_batch_pipeline", functions)

    assert ended.status == "Failed"
    assert functions.calls == ["sweep_jobs", *["load_gold"] * 4, "record_pipeline_run"]
    [recorded] = functions.recorded
    assert recorded.outcome == "failed"
    assert recorded.steps["load_gold"]["status"] == "failed"
    assert recorded.steps["load_gold"]["error"]["message"] == 'the app said "503"'
    assert ended.failure is not None
    assert "503" in ended.failure
    assert factory.now - BEGAN < timedelta(minutes=5)


def test_the_small_pipeline_loads_and_fails_when_it_can_not_sweep() -> None:
    functions = ScriptedFunctions(sweep_jobs=["down"], load_gold=["empty"])

    ended, _ = run("small_batch_pipeline", functions)

    assert ended.status == "Failed"
    assert functions.calls == [*["sweep_jobs"] * 4, "load_gold", "record_pipeline_run"]
    [recorded] = functions.recorded
    assert recorded.outcome == "failed"
    assert recorded.steps["sweep_jobs"]["error"]["message"] == 'the app said "503"'
    assert recorded.steps["load_gold"]["status"] == "empty"


def test_the_small_pipeline_gives_up_after_an_hour_and_fails() -> None:
    functions = ScriptedFunctions(load_gold=["working"])

    ended, factory = run("small_batch_pipeline", functions)

    assert ended.status == "Failed"
    assert [each.outcome for each in functions.recorded] == ["failed"]
    assert timedelta(hours=1) <= factory.now - BEGAN < timedelta(hours=1, minutes=2)


def test_a_run_by_hand_is_written_down_as_one() -> None:
    functions = ScriptedFunctions(load_gold=["empty"])
    pipelines = factory_template.named_of(factory_template.written(), "pipelines")

    SimulatedFactory(pipelines, functions).run("small_batch_pipeline")

    assert [each.trigger for each in functions.recorded] == ["Manual"]


@pytest.mark.parametrize("pipeline", ["small_batch_pipeline", "large_batch_pipeline"])
def test_a_run_that_could_not_be_written_down_has_failed(pipeline: str) -> None:
    def outside(function: str, _body: str) -> dict[str, Any]:
        if function == "record_pipeline_run":
            raise OutsideFailed("no lake")
        return {"status": "empty"}

    ended, _ = run(pipeline, outside)

    assert ended.status == "Failed"


def test_the_large_pipeline_ends_at_once_when_its_queue_is_empty() -> None:
    functions = ScriptedFunctions(drain_large_batch_queue=["empty"])

    ended, factory = run("large_batch_pipeline", functions)

    assert ended.status == "Succeeded"
    assert functions.calls == [DRAIN, "record_pipeline_run"]
    assert factory.started == ["large_batch_pipeline"]
    assert [each.outcome for each in functions.recorded] == ["skipped"]
    assert factory.now - BEGAN < timedelta(seconds=20)


def test_the_large_pipeline_looks_every_minute_until_the_queue_is_empty_and_then_loads() -> None:
    functions = ScriptedFunctions(
        drain_large_batch_queue=["working"] * 30 + ["empty"], load_gold=["working", "empty"]
    )

    ended, factory = run("large_batch_pipeline", functions)

    assert ended.status == "Succeeded"
    assert functions.calls == [
        *[DRAIN] * 31,
        "sweep_jobs",
        *["load_gold"] * 2,
        "record_pipeline_run",
        "record_pipeline_run",
    ]
    assert [(each.pipeline, each.trigger, each.outcome) for each in functions.recorded] == [
        ("small_batch_pipeline", "large_batch_pipeline", "succeeded"),
        ("large_batch_pipeline", "every_so_often", "succeeded"),
    ]
    assert timedelta(minutes=30) < factory.now - BEGAN < timedelta(minutes=35)


def test_the_large_pipeline_gives_up_after_a_day_loads_what_there_is_and_fails() -> None:
    functions = ScriptedFunctions(drain_large_batch_queue=["working"], load_gold=["empty"])

    ended, factory = run("large_batch_pipeline", functions)

    assert ended.status == "Failed"
    assert functions.calls.count("load_gold") == 1
    assert [each.outcome for each in functions.recorded] == ["succeeded", "failed"]
    assert timedelta(days=1) <= factory.now - BEGAN < timedelta(days=1, minutes=5)


@pytest.mark.parametrize("answers", [["down"], ["working", "down"], ["working", "working", "down"]])
def test_the_large_pipeline_fails_when_draining_does(answers: list[str]) -> None:
    functions = ScriptedFunctions(drain_large_batch_queue=answers, load_gold=["empty"])

    ended, _ = run("large_batch_pipeline", functions)

    assert ended.status == "Failed"
    recorded = functions.recorded[-1]
    assert (recorded.pipeline, recorded.outcome) == ("large_batch_pipeline", "failed")


def test_the_large_pipeline_fails_when_loading_does() -> None:
    functions = ScriptedFunctions(drain_large_batch_queue=["working", "empty"], load_gold=["down"])

    ended, _ = run("large_batch_pipeline", functions)

    assert ended.status == "Failed"
    assert [each.outcome for each in functions.recorded] == ["failed", "failed"]


class ScriptedDatabases:
    """What the two databases say about their loads, in turn; `down` for an outage."""

    def __init__(self, operational: list[str], warehouse: list[str]) -> None:
        self._states = {"operational_gold_loads": operational, "warehouse_gold_loads": warehouse}
        self.queries: list[str] = []

    def __call__(self, dataset: str, query: str) -> dict[str, Any]:
        self.queries.append(query)
        states = self._states[dataset]
        state = states.pop(0) if len(states) > 1 else states[0]
        if state == "down":
            raise OutsideFailed("no connection")
        return {"firstRow": {"state": state}}


def test_two_databases_that_agree_are_reconciled_at_once() -> None:
    ended, factory = run("reconciliation_pipeline", ScriptedDatabases(["5 loads"], ["5 loads"]))

    assert ended.status == "Succeeded"
    assert factory.now - BEGAN < timedelta(seconds=20)


def test_a_load_at_the_windows_edge_is_no_alarm_since_the_window_moves() -> None:
    databases = ScriptedDatabases(["5 loads", "6 loads"], ["4 loads", "6 loads"])

    ended, _ = run("reconciliation_pipeline", databases)

    assert ended.status == "Succeeded"
    assert "loaded_at < '2026-11-23 07:00:02'" in databases.queries[0]
    assert "loaded_at >= '2026-11-21 07:00:02'" in databases.queries[0]
    assert "loaded_at < '2026-11-23 07:15:" in databases.queries[2]


def test_databases_that_go_on_differing_fail_the_run_with_what_both_said() -> None:
    ended, factory = run("reconciliation_pipeline", ScriptedDatabases(["5 loads"], ["4 loads"]))

    assert ended.status == "Failed"
    assert ended.failure is not None
    assert "5 loads" in ended.failure
    assert "4 loads" in ended.failure
    assert timedelta(hours=1) <= factory.now - BEGAN < timedelta(hours=1, minutes=20)


@pytest.mark.parametrize(
    ("operational", "warehouse"),
    [
        (["down"], ["down"]),
        (["5 loads"], ["down"]),
        (["down"], ["5 loads"]),
        # What one said in an earlier window is not taken for what the other says in a later one.
        (["5 loads", "down"], ["4 loads", "5 loads"]),
    ],
)
def test_a_database_that_can_not_be_read_is_never_taken_for_one_that_agrees(
    operational: list[str], warehouse: list[str]
) -> None:
    outage = [operational[0], *["down"] * 30] if operational[1:] else operational
    ended, _ = run("reconciliation_pipeline", ScriptedDatabases(outage, warehouse))

    assert ended.status == "Failed"
