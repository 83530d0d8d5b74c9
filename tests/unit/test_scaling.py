"""docs/SCALING.md says what its model computes, and the model starts from what the service does."""

import importlib
import json
import re
from collections.abc import Iterator
from types import ModuleType

import pytest

from backend.data_routing import DataRouter
from backend.domain.jobs import ProcessingPath
from backend.services.record_readers.formats import GREATEST_EXPANSION
from backend.settings import Settings
from tests.documented_commands import ROOT
from tests.fakes import InMemoryQueues

_PAGE = (ROOT / "docs" / "SCALING.md").read_text()


@pytest.fixture(scope="module", autouse=True)
def _programs_of_the_documentation() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.syspath_prepend(str(ROOT / "docs"))
        yield


@pytest.fixture
def model() -> ModuleType:
    return importlib.import_module("scaling_model")


def test_the_page_has_what_its_program_prints() -> None:
    assert importlib.import_module("scaling").written(_PAGE) == _PAGE


def test_a_figure_that_was_changed_by_hand_is_put_right() -> None:
    changed = _PAGE.replace("3.45 TB", "3.46 TB")

    assert changed != _PAGE
    assert importlib.import_module("scaling").written(changed) == _PAGE


def test_a_page_without_a_place_for_a_table_is_refused() -> None:
    with pytest.raises(ValueError, match="substring not found"):
        importlib.import_module("scaling").written(_PAGE.replace("<!-- end of stops -->", ""))


def test_the_limits_of_the_service_are_those_of_its_settings(model: ModuleType) -> None:
    settings = Settings.from_environment({"AZURE_STORAGE_ACCOUNT": "nobody"})

    assert settings.small_batch_record_limit == model.SMALL_RECORDS
    assert settings.small_batch_byte_limit == model.SMALL_BYTES
    assert settings.part_record_limit == model.PART_RECORDS
    assert settings.max_record_count == model.MOST_RECORDS
    assert settings.max_upload_bytes == model.UPLOAD_BYTES
    assert model.UPLOAD_EXPANSION == GREATEST_EXPANSION


def test_as_many_runs_and_instances_are_counted_as_are_set_up(model: ModuleType) -> None:
    large_path = DataRouter(InMemoryQueues(), 10_000, "small", "large").config(ProcessingPath.LARGE_BATCH)
    bundle = (ROOT / "infrastructure" / "databricks.yml").read_text()
    functions_app = (ROOT / "scripts" / "azure" / "functions_app.sh").read_text()

    assert large_path.max_concurrent_jobs == model.RUNS
    assert f"max_concurrent_runs: {model.RUNS}\n" in bundle
    assert re.search(rf"max_workers:\n.*\n +default: {model.MOST_WORKERS}\n", bundle)
    assert f'\\"maximumInstanceCount\\": {model.INSTANCES}}}' in functions_app


def test_times_are_those_of_the_host_and_of_data_factory(model: ModuleType) -> None:
    host = json.loads((ROOT / "backend" / "myfunc" / "host.json").read_text())
    large_path = DataRouter(InMemoryQueues(), 10_000, "small", "large").config(ProcessingPath.LARGE_BATCH)
    factory = (ROOT / "infrastructure" / "v1_adf_template.json").read_text()

    assert host["functionTimeout"] == f"00:{model.FUNCTION_SECONDS // 60}:00"
    assert (large_path.adf_trigger_frequency, large_path.adf_trigger_interval) == (
        "Hour",
        model.TRIGGER_HOURS,
    )
    assert f"'working'), {model.LOOK_SECONDS}, 1)" in factory


def test_two_lines_cross_where_both_take_as_long(model: ModuleType) -> None:
    slow_to_start, quick_to_start = model.Line(300.0, 0.00002), model.Line(0.0, 0.00005)

    assert model.crossing(quick_to_start, slow_to_start) == pytest.approx(10_000_000)
    assert slow_to_start.of(10_000_000) == pytest.approx(500)


def test_the_measured_crossing_lies_between_the_points_around_it(
    model: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model, "CROSSOVER", {10_000: (1.0, 3.0), 20_000: (2.0, 4.0), 40_000: (7.0, 5.0)})

    assert model.measured_crossing() == pytest.approx(30_000)


def test_paths_that_do_not_cross_where_they_were_measured_are_an_error(
    model: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model, "CROSSOVER", {10_000: (1.0, 3.0), 20_000: (2.0, 4.0)})

    with pytest.raises(ValueError, match="measure further"):
        model.measured_crossing()


def test_a_part_that_is_used_twice_over_is_the_first_limit(model: ModuleType) -> None:
    # A load of 20 s, one at a time: 180 fit into an hour.
    assert model.first(360, 10_000) == ("Synapse, a job at a time", pytest.approx(2.0))
    assert model.keeps_up(180, 10_000)
    assert not model.keeps_up(181, 10_000)


def test_what_is_enough_leaves_room(model: ModuleType) -> None:
    # 1.18 s each on one core: 10,000 an hour keep 3.3 of them busy, and 5 at most 70 % busy.
    assert model.needs(10_000, 10_000).instances == 5
    assert model.needs(1, 1_000_000).runs == 1
