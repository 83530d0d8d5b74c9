import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pyarrow.parquet as pq
import pytest
from pyarrow import BufferReader

from backend.data_routing import DataRouter
from backend.domain.datasets import Dataset, DatasetStatus
from backend.domain.errors import Conflict, InvalidMessage, PartsMissing
from backend.domain.jobs import Counts, Job, JobKind, JobStatus, ProcessingPath
from backend.domain.messages import MAX_DELIVERIES, CleaningMessage
from backend.services.cleaning import CleaningService
from backend.services.heartbeat import Heartbeat
from backend.services.small_batch_cleaning import SmallBatchCleaner
from tests.fakes import InMemoryDatasets, InMemoryFileSystem, InMemoryJobProgress, InMemoryQueues, SetClock

USER, JOB, DATASET = "a" * 32, "b" * 32, "dataset"
AS_OF = datetime(2026, 11, 22, 21, 0, tzinfo=UTC)
COUNTS = Counts(1, 1, 0, 0)
HEARTBEAT = Heartbeat(timedelta(hours=1), stale_after=timedelta(seconds=40))
GOLD = f"gold/analytics/{USER}/{DATASET}/{JOB}"
MANIFEST = f"{GOLD}/_manifest.json"
MESSAGE = CleaningMessage(
    user_id=USER,
    job_id=JOB,
    parent_job_id=DATASET,
    as_of=AS_OF,
    processing_path=ProcessingPath.SMALL_BATCH,
)


class BrittleFileSystem(InMemoryFileSystem):
    """A lake that, while it is full, can't take one of the files."""

    full = False

    def write(self, path: str, content: object) -> None:
        if self.full and path.endswith("fact_orders.parquet"):
            raise OSError("the disk is full")
        super().write(path, content)  # type: ignore[arg-type] # what the port takes


class World:
    """One queued job on a dataset of the given parts."""

    def __init__(self, parts: dict[str, bytes], record_limit: int = 100, byte_limit: int = 10_000) -> None:
        self.bronze = InMemoryFileSystem(
            {f"{USER}/{DATASET}/{name}": content for name, content in parts.items()}
        )
        self.lake = BrittleFileSystem()
        self.queues = InMemoryQueues()
        self.clock = SetClock(AS_OF)
        self.jobs = InMemoryJobProgress([_job()])
        self.datasets = InMemoryDatasets()
        self.service = CleaningService(
            self.bronze,
            self.lake,
            self.jobs,
            self.datasets,
            DataRouter(self.queues, record_limit, "small", "large"),
            SmallBatchCleaner(self.bronze, self.lake, record_limit=record_limit, byte_limit=byte_limit),
            HEARTBEAT,
            self.clock,
        )

    def job(self) -> Job:
        job = self.jobs.get(USER, JOB)
        assert job is not None
        return job


def _job() -> Job:
    return Job(
        user_id=USER,
        job_id=JOB,
        parent_job_id=DATASET,
        job_name="a job",
        kind=JobKind.CLEAN,
        status=JobStatus.QUEUED,
        stage="waiting for a worker",
        record_count=2,
        as_of=AS_OF,
        submitted_at=AS_OF,
        processing_path=ProcessingPath.SMALL_BATCH,
        queue_name="small",
    )


def _record(order: str, item: str = "i") -> str:
    """Eighteen of the twenty checked columns are missing."""
    return json.dumps(
        {
            "order": {"id": order},
            "order_item": {"id": item, "quantity": 3},
            "user": {"id": "u"},
            "products_sku": {"price": 2},
        }
    )


def _part(*records: str) -> bytes:
    return f"[{','.join(records)}]".encode()


def test_a_cleaned_job_waits_to_be_loaded_with_its_counts_and_score() -> None:
    world = World({"a.json": _part(_record("o1"), _record("o1")), "b.json": _part(_record("o2"), "7")})
    world.service.run(MESSAGE, 1)
    job = world.job()
    assert (job.status, job.stage) == (JobStatus.LOADING, "waiting to be loaded")
    assert job.counts == Counts(records_in=4, silver_rows=2, duplicates_removed=1, quarantined=1)
    assert job.quality_score == 10.0
    assert (job.progress_done, job.progress_total) == (12, 13)
    assert (job.started_at, job.cleaned_at, job.finished_at) == (AS_OF, AS_OF, None)
    assert (job.attempts, job.error) == (1, None)


def test_every_output_is_in_its_place_and_named_by_the_manifest() -> None:
    world = World({"a.json": _part(_record("o1"))})
    world.service.run(MESSAGE, 1)
    manifest = json.loads(world.lake.files[MANIFEST])
    paths = {output["table"]: output["path"] for output in manifest["outputs"]}
    assert paths == {
        "silver": f"silver/cleaned/{USER}/{DATASET}/{JOB}.parquet",
        "quarantine": f"silver/quarantine/{USER}/{DATASET}/{JOB}.parquet",
        "dim_users": f"{GOLD}/dim_users.parquet",
        "dim_location": f"{GOLD}/dim_location.parquet",
        "dim_products": f"{GOLD}/dim_products.parquet",
        "dim_time": f"{GOLD}/dim_time.parquet",
        "fact_orders": f"{GOLD}/fact_orders.parquet",
        "agg_user_metrics": f"{GOLD}/agg_user_metrics.parquet",
        "agg_product_metrics": f"{GOLD}/agg_product_metrics.parquet",
    }
    assert all(
        pq.read_metadata(BufferReader(world.lake.files[output["path"]])).num_rows == output["rows"]
        for output in manifest["outputs"]
    )
    metrics = json.loads(world.lake.files[f"logs/transformation_metrics/2026-11-22/{JOB}.json"])
    assert metrics["jobId"] == JOB
    assert metrics["issuesByCode"]["missing_email"] == 1
    assert metrics["completeness"]["order_id"] == {"before": 1.0, "after": 1.0}


def test_a_malformed_part_fails_the_job_on_the_first_attempt_and_writes_nothing() -> None:
    world = World({"a.json": _part(_record("o1")), "b.json": b"[1,]", "c.json": b"["})
    world.service.run(MESSAGE, 1)
    job = world.job()
    assert job.status is JobStatus.FAILED
    assert job.error is not None
    assert job.error.startswith("b.json: ")
    assert job.error.endswith("at byte 3")
    assert world.lake.files == {}


def test_a_message_for_no_job_is_refused() -> None:
    world = World({"a.json": b"[]"})
    world.jobs.rows.clear()
    with pytest.raises(InvalidMessage, match="there is no job"):
        world.service.run(MESSAGE, 1)


def test_a_dataset_that_is_gone_fails_the_job() -> None:
    world = World({})
    world.service.run(MESSAGE, 1)
    assert world.job().status is JobStatus.FAILED
    assert world.job().error == "dataset dataset has no parts in Bronze"


@pytest.mark.parametrize(
    ("record_limit", "byte_limit", "reason"),
    [(1, 10_000, "more than 1 records"), (100, 50, "more than 50 bytes")],
)
def test_a_dataset_past_the_small_paths_limit_is_passed_on_and_the_job_says_so(
    record_limit: int, byte_limit: int, reason: str
) -> None:
    world = World({"a.json": _part(_record("o1"), _record("o2"))}, record_limit, byte_limit)
    world.service.run(MESSAGE, 1)
    job = world.job()
    assert job.status is JobStatus.QUEUED
    assert (job.processing_path, job.queue_name) == (ProcessingPath.LARGE_BATCH, "large")
    assert job.stage == f"passed on to the large path: {reason}"
    assert [json.loads(body)["processingPath"] for body in world.queues.bodies["large"]] == ["large_batch"]
    assert world.lake.files == {}


def test_a_message_that_comes_again_after_the_end_changes_nothing() -> None:
    world = World({"a.json": _part(_record("o1"))})
    world.service.run(MESSAGE, 1)
    files, job = dict(world.lake.files), world.job()
    world.bronze.files.clear()
    world.service.run(MESSAGE, 2)
    assert world.lake.files == files
    assert world.job() == job


def test_a_completed_job_whose_manifest_was_withdrawn_gets_it_back() -> None:
    world = World({"a.json": _part(_record("o1"))})
    world.service.run(MESSAGE, 1)
    files, job = dict(world.lake.files), world.job()
    del world.lake.files[MANIFEST]
    world.service.run(MESSAGE, 2)
    assert world.lake.files[MANIFEST] == files[MANIFEST]
    assert world.job() == job


def test_a_message_that_comes_again_after_the_job_was_passed_on_leaves_the_large_path_alone() -> None:
    world = World({"a.json": _part(_record("o1"), _record("o2"))}, record_limit=1)
    world.service.run(MESSAGE, 1)
    world.jobs.update(USER, JOB, lambda job: job.started(AS_OF, "on the large path", 12))
    world.service.run(MESSAGE, 2)
    assert world.job().stage == "on the large path"
    assert len(world.queues.bodies["large"]) == 1


def test_a_worker_that_comes_late_does_not_pass_on_a_job_that_has_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World({"a.json": _part(_record("o1"), _record("o2"))}, record_limit=1)
    read = world.bronze.read

    def read_while_the_job_ends(path: str) -> bytes:
        world.jobs.update(USER, JOB, lambda job: job.cleaned(AS_OF, COUNTS, 100.0))
        return read(path)

    monkeypatch.setattr(world.bronze, "read", read_while_the_job_ends)
    world.service.run(MESSAGE, 2)
    assert world.job().status is JobStatus.LOADING
    assert "large" not in world.queues.bodies


def test_a_failed_attempt_raises_for_the_queue_and_tells_the_job() -> None:
    world = World({"a.json": _part(_record("o1"))})
    world.lake.full = True
    with pytest.raises(OSError, match="the disk is full"):
        world.service.run(MESSAGE, 1)
    assert world.job().status is JobStatus.PROCESSING
    assert re.fullmatch(r"OSError: the disk is full \(stack [0-9a-f]{12}\)", world.job().error or "")
    assert world.job().finished_at is None


def test_a_message_that_comes_again_while_its_worker_is_alive_is_left_to_that_worker() -> None:
    world = World({"a.json": _part(_record("o1"))})
    world.jobs.update(USER, JOB, lambda job: job.started(AS_OF, "reading bronze", 9))
    world.clock.advance(timedelta(seconds=39))
    world.service.run(MESSAGE, 2)
    assert (world.job().status, world.job().attempts) == (JobStatus.PROCESSING, 1)
    world.clock.advance(timedelta(seconds=1))
    world.service.run(MESSAGE, 3)
    assert (world.job().status, world.job().attempts) == (JobStatus.LOADING, 2)


def test_the_last_failed_attempt_fails_the_job() -> None:
    world = World({"a.json": _part(_record("o1"))})
    world.lake.full = True
    with pytest.raises(OSError, match="the disk is full"):
        world.service.run(MESSAGE, MAX_DELIVERIES)
    assert world.job().status is JobStatus.FAILED
    assert re.fullmatch(r"OSError: the disk is full \(stack [0-9a-f]{12}\)", world.job().error or "")


def test_an_attempt_after_a_crash_gives_the_same_files_as_an_undisturbed_run() -> None:
    parts = {"a.json": _part(_record("o1"), _record("o1", "j")), "b.json": _part(_record("o2"))}
    undisturbed, crashed = World(parts), World(parts)
    undisturbed.service.run(MESSAGE, 1)
    crashed.lake.full = True
    with pytest.raises(OSError, match="the disk is full"):
        crashed.service.run(MESSAGE, 1)
    crashed.lake.full = False
    crashed.service.run(MESSAGE, 2)
    outputs = [path for path in undisturbed.lake.files if not path.startswith("logs/")]
    assert {path: crashed.lake.files[path] for path in outputs} == {
        path: undisturbed.lake.files[path] for path in outputs
    }
    assert crashed.job().attempts == 2


def test_a_second_worker_on_the_same_job_does_not_disturb_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World({"a.json": _part(_record("o1"))})
    get = world.jobs.get

    def get_before_the_first_worker_ends(user_id: str, job_id: str) -> Job | None:
        job = get(user_id, job_id)
        monkeypatch.setattr(world.jobs, "get", get)
        world.service.run(MESSAGE, 1)
        return job

    monkeypatch.setattr(world.jobs, "get", get_before_the_first_worker_ends)
    world.service.run(MESSAGE, 2)
    assert (world.job().status, world.job().stage, world.job().attempts) == (
        JobStatus.LOADING,
        "waiting to be loaded",
        1,
    )
    assert MANIFEST in world.lake.files


@pytest.mark.parametrize("status", [JobStatus.LOADING, JobStatus.COMPLETED, JobStatus.FAILED])
def test_a_job_past_cleaning_is_not_started_moved_or_failed_by_who_comes_late(status: JobStatus) -> None:
    ended = replace(_job(), status=status, stage="ended", finished_at=AS_OF)
    assert ended.started(AS_OF, "reading bronze", 9) == ended
    assert ended.progressed("cleaning", 1) == ended
    assert ended.attempt_failed(AS_OF, "too late") == ended
    assert ended.failed(AS_OF, "too late") == ended


def test_a_result_counts_though_the_job_was_given_up_meanwhile() -> None:
    cleaned = _job().failed(AS_OF, "given up").cleaned(AS_OF, COUNTS, 100.0)
    assert (cleaned.status, cleaned.finished_at, cleaned.error) == (JobStatus.LOADING, None, None)
    assert cleaned.cleaned(AS_OF + timedelta(seconds=1), COUNTS, 100.0) == cleaned


def test_progress_never_goes_back_on_a_second_attempt() -> None:
    world = World({"a.json": _part(_record("o1"))})
    world.jobs.update(USER, JOB, lambda job: job.started(AS_OF, "writing", 11).progressed("writing", 9))
    world.service.run(MESSAGE, 2)
    assert [job.progress_done for job in world.jobs.updates] == sorted(
        job.progress_done for job in world.jobs.updates
    )


def test_a_dataset_of_which_a_part_is_missing_is_not_cleaned_until_it_is_there() -> None:
    world = World({"a.json": _part(_record("o1"))})
    world.datasets.add(Dataset(USER, DATASET, 2, 2, DatasetStatus.READY, AS_OF))
    with pytest.raises(PartsMissing, match="only 1 of the dataset's 2 parts are in Bronze"):
        world.service.run(MESSAGE, 1)
    assert (world.job().status, world.lake.files) == (JobStatus.QUEUED, {})
    world.bronze.write(f"{USER}/{DATASET}/b.json", _part(_record("o2")))
    world.service.run(MESSAGE, 2)
    counts = world.job().counts
    assert counts is not None
    assert counts.records_in == 2


def test_a_job_on_a_dataset_that_is_marked_as_deleted_waits_for_the_mark_to_be_taken_back() -> None:
    world = World({"a.json": _part(_record("o1"))})
    world.datasets.add(Dataset(USER, DATASET, 1, 1, DatasetStatus.READY, AS_OF, deleted_at=AS_OF))
    with pytest.raises(Conflict, match="the dataset is being deleted"):
        world.service.run(MESSAGE, 1)
    assert (world.job().status, world.lake.files) == (JobStatus.QUEUED, {})
    world.datasets.update(USER, DATASET, Dataset.kept)
    world.service.run(MESSAGE, 2)
    assert world.job().status is JobStatus.LOADING


def test_a_dataset_whose_part_stays_away_fails_the_job_and_says_so() -> None:
    world = World({"a.json": _part(_record("o1"))})
    world.datasets.add(Dataset(USER, DATASET, 2, 2, DatasetStatus.READY, AS_OF))
    with pytest.raises(PartsMissing):
        world.service.run(MESSAGE, MAX_DELIVERIES)
    assert (world.job().status, world.job().error) == (
        JobStatus.FAILED,
        "only 1 of the dataset's 2 parts are in Bronze",
    )


def test_only_the_datasets_own_json_files_are_its_parts() -> None:
    world = World({"a.json": _part(_record("o1")), "notes.txt": b"not a part"})
    world.bronze.files[f"{USER}/{DATASET}2/a.json"] = b"["
    world.service.run(MESSAGE, 1)
    assert world.job().status is JobStatus.LOADING


@pytest.mark.parametrize("last", ["_manifest.json", f"{JOB}.json"])
def test_a_worker_whose_job_is_deleted_meanwhile_takes_everything_back(
    last: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World({"a.json": _part(_record("o1"))})
    world.lake.files["silver/cleaned/other.parquet"] = b"x"
    write = world.lake.write

    def write_late(path: str, content: object) -> None:
        write(path, content)
        if path.endswith(last):
            world.jobs.delete(USER, JOB)

    monkeypatch.setattr(world.lake, "write", write_late)
    with pytest.raises(InvalidMessage, match="was deleted"):
        world.service.run(MESSAGE, 1)
    assert list(world.lake.files) == ["silver/cleaned/other.parquet"]


def test_a_worker_whose_job_is_deleted_before_it_fails_takes_everything_back() -> None:
    world = World({"a.json": _part(_record("o1"))})
    world.lake.full = True
    update = world.jobs.update

    def update_late(user_id: str, job_id: str, change: Callable[[Job], Job]) -> Job:
        if any(path.startswith("gold/") for path in world.lake.files):
            world.jobs.delete(user_id, job_id)
        return update(user_id, job_id, change)

    world.jobs.update = update_late  # type: ignore[method-assign] # what happens in between
    with pytest.raises(InvalidMessage, match="was deleted"):
        world.service.run(MESSAGE, 1)
    assert world.lake.files == {}
