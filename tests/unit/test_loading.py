import re
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from backend.domain.errors import LoadMismatch, NotFound, Unavailable, ValueTooLong
from backend.domain.jobs import Counts, Destination, Job, JobKind, JobStatus, ProcessingPath
from backend.lake_paths import job_outputs
from backend.ports import GoldTable, LoadedDataset, OpenJob
from backend.services.heartbeat import Heartbeat
from backend.services.loading import LoadingService, LoadOutcome
from backend.services.outputs import OutputWriter
from backend.services.table_reading import TableReader
from tests.fakes import InMemoryDestination, InMemoryFileSystem, InMemoryJobProgress, SetClock

USER, JOB, OTHER_JOB, DATASET = "a" * 32, "b" * 32, "c" * 32, "dataset"
NOW = datetime(2026, 11, 22, 21, 0, tzinfo=UTC)
LEASE = timedelta(minutes=10)
COUNTS = Counts(2, 2, 0, 0)
LOCATIONS = pa.table({"location_id": ["0123456789abcdef"], "city": ["Ghent"]})
SILVER = pa.table({"order_id": ["o1", "o2"]})


class World:
    """Two databases, and jobs whose Gold is complete."""

    def __init__(self, *job_ids: str) -> None:
        self.clock = SetClock(NOW)
        self.lake = InMemoryFileSystem()
        self.jobs = InMemoryJobProgress([_job(job_id) for job_id in job_ids or (JOB,)])
        self.mysql = InMemoryDestination("the operational database")
        self.synapse = InMemoryDestination("the warehouse")
        self.service = LoadingService(
            self.jobs,
            self.lake,
            TableReader(self.lake),
            {Destination.OPERATIONAL: self.mysql, Destination.WAREHOUSE: self.synapse},
            heartbeat=Heartbeat(timedelta(hours=1), stale_after=LEASE),
            clock=self.clock,
        )
        for job_id in job_ids or (JOB,):
            writer = OutputWriter(self.lake, job_outputs(USER, DATASET, job_id))
            outputs = writer.write_tables({"silver": SILVER, "dim_location": LOCATIONS}, lambda _: None)
            writer.write_manifest(job_id, NOW, "pandas", COUNTS, outputs)

    def job(self, job_id: str = JOB) -> Job:
        job = self.jobs.get(USER, job_id)
        assert job is not None
        return job

    def load(self) -> LoadOutcome:
        return self.service.load(USER, JOB)


def _job(job_id: str) -> Job:
    queued = Job(
        user_id=USER,
        job_id=job_id,
        parent_job_id=DATASET,
        job_name="a job",
        kind=JobKind.CLEAN,
        status=JobStatus.QUEUED,
        stage="waiting for a worker",
        record_count=2,
        as_of=NOW,
        submitted_at=NOW,
        processing_path=ProcessingPath.SMALL_BATCH,
        queue_name="small",
    )
    return queued.started(NOW, "reading bronze", 12).cleaned(NOW, COUNTS, 100.0)


def test_a_cleaned_job_is_completed_when_its_gold_is_in_both_databases() -> None:
    world = World()
    assert world.load() is LoadOutcome.LOADED
    gold = {"dim_location": [{"location_id": "0123456789abcdef", "city": "Ghent"}]}
    assert world.mysql.rows == {(USER, DATASET, JOB): gold}
    assert world.synapse.rows == {(USER, DATASET, JOB): gold}
    job = world.job()
    assert (job.status, job.finished_at, job.next_load_at) == (JobStatus.COMPLETED, NOW, None)
    assert (job.operational_loaded_at, job.warehouse_loaded_at) == (NOW, NOW)
    assert job.progress_done == job.progress_total == 12


def test_both_databases_are_loaded_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    both = threading.Barrier(2, timeout=10)
    for destination in (world.mysql, world.synapse):

        def load_when_the_other_does(
            dataset: LoadedDataset,
            tables: Sequence[GoldTable],
            load: Callable[[LoadedDataset, Sequence[GoldTable]], bool] = destination.load,
        ) -> bool:
            both.wait()
            return load(dataset, tables)

        monkeypatch.setattr(destination, "load", load_when_the_other_does)
    assert world.load() is LoadOutcome.LOADED


@pytest.mark.parametrize(("held", "times"), [(8 << 20, 1), (0, 2)])
def test_small_gold_is_read_once_for_both_databases_and_larger_gold_by_each(
    held: int, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World()
    read: list[str] = []

    def read_chunks(
        path: str, chunks: Callable[[str], Iterator[bytes]] = world.lake.read_chunks
    ) -> Iterator[bytes]:
        read.append(path)
        return chunks(path)

    monkeypatch.setattr(world.lake, "read_chunks", read_chunks)
    monkeypatch.setattr("backend.services.loading._READ_ONCE_BYTES", held)
    assert world.load() is LoadOutcome.LOADED
    assert read == [job_outputs(USER, DATASET, JOB).table("dim_location")] * times
    assert world.mysql.rows == world.synapse.rows


def test_a_database_that_is_down_leaves_the_job_loading_and_says_which_and_why() -> None:
    world = World()
    world.synapse.error = Unavailable("the pool is paused")
    assert world.load() is LoadOutcome.PUT_OFF
    job = world.job()
    assert (job.status, job.stage) == (JobStatus.LOADING, "waiting for another load")
    assert job.error == "the warehouse: the pool is paused"
    assert (job.operational_loaded_at, job.warehouse_loaded_at) == (NOW, None)


def test_only_the_database_that_lacks_the_rows_is_tried_again() -> None:
    world = World()
    world.synapse.error = Unavailable("the pool is paused")
    world.load()
    world.mysql.rows.clear()
    world.synapse.error = None
    world.clock.now = NOW + timedelta(minutes=1)
    assert world.load() is LoadOutcome.LOADED
    assert world.mysql.rows == {}
    assert (USER, DATASET, JOB) in world.synapse.rows
    assert world.job().error is None


def test_the_pauses_between_loads_grow_to_ten_minutes() -> None:
    world = World()
    world.mysql.error = Unavailable("connection refused")
    pauses = []
    for _ in range(10):
        world.load()
        due = world.job().next_load_at
        assert due is not None
        pauses.append((due - world.clock.now).total_seconds())
        world.clock.now = due
    assert pauses == [5, 10, 20, 40, 80, 160, 320, 600, 600, 600]


def test_nobody_loads_a_job_before_its_time() -> None:
    world = World()
    world.mysql.error = Unavailable("connection refused")
    world.load()
    world.clock.now = NOW + timedelta(seconds=4)
    assert world.load() is LoadOutcome.NOT_DUE
    assert world.job().load_attempts == 1


def test_a_load_whose_worker_died_is_begun_again_when_its_lease_has_run_out() -> None:
    world = World()
    world.jobs.update(USER, JOB, lambda job: job.load_begun(NOW + LEASE))
    world.clock.now = NOW + LEASE - timedelta(seconds=1)
    assert world.load() is LoadOutcome.NOT_DUE
    world.clock.now = NOW + LEASE
    assert world.load() is LoadOutcome.LOADED


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (
            ValueTooLong("the warehouse", "dim_users", "company", 1200, 1000),
            "the warehouse: dim_users.company holds a text of 1200 characters, and takes 1000",
        ),
        (
            LoadMismatch("the warehouse: fact_orders has 2 rows and should have 3"),
            "the warehouse: fact_orders has 2 rows and should have 3",
        ),
    ],
)
def test_what_no_other_attempt_can_mend_fails_the_job_and_leaves_gold(error: Exception, told: str) -> None:
    world = World()
    files = dict(world.lake.files)
    world.synapse.error = error
    assert world.load() is LoadOutcome.REFUSED
    job = world.job()
    assert (job.status, job.error, job.finished_at) == (JobStatus.FAILED, told, NOW)
    assert world.lake.files == files


def test_an_unexpected_error_is_raised_and_puts_the_load_off() -> None:
    world = World()
    world.mysql.error = RuntimeError("a bug")
    with pytest.raises(RuntimeError, match="a bug"):
        world.load()
    job = world.job()
    assert job.status is JobStatus.LOADING
    assert re.fullmatch(r"RuntimeError: a bug \(stack [0-9a-f]{12}\)", job.error or "")
    assert job.next_load_at == NOW + timedelta(seconds=5)


def test_a_job_whose_manifest_is_withdrawn_is_not_loaded() -> None:
    world = World()
    world.lake.delete_file(job_outputs(USER, DATASET, JOB).manifest)
    with pytest.raises(Unavailable, match="being written again"):
        world.load()
    assert world.mysql.rows == {}
    assert world.job().status is JobStatus.LOADING


def test_a_loader_that_dies_again_is_followed_after_a_pause_and_the_job_says_so() -> None:
    world = World()
    for _ in range(2):
        world.jobs.update(USER, JOB, lambda job: job.load_begun(world.clock.now + LEASE))
        world.clock.advance(LEASE)
    assert world.load() is LoadOutcome.PUT_OFF
    assert world.job().error == "2 loads have begun, and the last one was broken off"
    world.clock.advance(timedelta(seconds=9))
    assert world.load() is LoadOutcome.NOT_DUE
    world.clock.advance(timedelta(seconds=1))
    assert world.load() is LoadOutcome.LOADED
    assert world.job().error is None


def test_the_reason_of_a_load_that_was_put_off_stands_until_the_next_one_has_ended() -> None:
    world = World()
    world.mysql.error = Unavailable("the database is full")
    world.load()
    begun = world.job().load_begun(NOW + LEASE)
    assert begun.error == "the operational database: the database is full"


def test_rows_that_do_not_add_up_because_gold_is_being_written_again_are_no_refusal() -> None:
    world = World()
    world.mysql.error = LoadMismatch("dim_location has 0 rows and should have 1")
    load = world.mysql.load

    def load_while_another_worker_begins_anew(dataset: LoadedDataset, tables: Sequence[GoldTable]) -> bool:
        world.lake.delete_file(job_outputs(USER, DATASET, JOB).manifest)
        return load(dataset, tables)

    world.mysql.load = load_while_another_worker_begins_anew  # type: ignore[method-assign] # one call's fault
    with pytest.raises(Unavailable, match="are being written again"):
        world.load()
    assert world.job().status is JobStatus.LOADING


def test_a_loader_that_stood_still_does_not_end_a_job_that_is_cleaned_anew() -> None:
    world = World()
    load = world.synapse.load

    def load_while_the_owner_retries(dataset: LoadedDataset, tables: Sequence[GoldTable]) -> bool:
        world.jobs.update(
            USER,
            JOB,
            lambda job: job.load_refused(NOW, "another loader's").queued(
                NOW, ProcessingPath.SMALL_BATCH, "small", "waiting"
            ),
        )
        return load(dataset, tables)

    world.synapse.load = load_while_the_owner_retries  # type: ignore[method-assign] # one call's fault
    world.load()
    assert (world.job().status, world.job().warehouse_loaded_at) == (JobStatus.QUEUED, None)


@pytest.mark.parametrize("status", [JobStatus.QUEUED, JobStatus.PROCESSING, JobStatus.COMPLETED])
def test_only_jobs_that_wait_for_it_are_loaded(status: JobStatus) -> None:
    world = World()
    world.jobs.update(USER, JOB, lambda job: replace(job, status=status))
    assert world.load() is LoadOutcome.NOT_DUE
    assert world.mysql.rows == {}


def test_a_step_loads_every_job_that_waits_and_counts_what_it_did() -> None:
    world = World(JOB, OTHER_JOB)
    world.jobs.update(USER, OTHER_JOB, lambda job: job.load_begun(NOW + LEASE))
    step = world.service.step()
    assert (step.status, step.loaded, step.waiting, step.jobs) == ("empty", 1, 1, [JOB])


def test_a_step_that_runs_out_of_time_says_that_there_is_more() -> None:
    world = World(JOB, OTHER_JOB)
    load = world.mysql.load

    def load_slowly(dataset: LoadedDataset, tables: Sequence[GoldTable]) -> bool:
        world.clock.now += timedelta(seconds=61)
        return load(dataset, tables)

    world.mysql.load = load_slowly  # type: ignore[method-assign] # this destination alone is slow
    step = world.service.step()
    assert (step.status, step.loaded) == ("working", 1)
    assert world.service.step().status == "empty"


def test_one_job_that_can_not_be_read_does_not_keep_the_others_from_their_turn() -> None:
    world = World(JOB, OTHER_JOB)
    world.lake.delete_file(job_outputs(USER, DATASET, JOB).manifest)
    with pytest.raises(ExceptionGroup, match="1 jobs could not be loaded"):
        world.service.step()
    assert world.job(OTHER_JOB).status is JobStatus.COMPLETED


def test_a_loader_whose_dataset_is_deleted_meanwhile_takes_the_rows_back() -> None:
    world = World()
    load = world.mysql.load

    def load_late(dataset: LoadedDataset, tables: Sequence[GoldTable]) -> bool:
        world.jobs.delete(USER, JOB)
        world.mysql.remove(USER, DATASET)
        return load(dataset, tables)

    world.mysql.load = load_late  # type: ignore[method-assign] # what happens in between
    with pytest.raises(NotFound):
        world.load()
    assert (world.mysql.rows, world.synapse.rows) == ({}, {})


def test_a_job_that_is_deleted_while_others_are_loaded_stops_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(JOB, OTHER_JOB)
    look_at = world.jobs.look_at

    def look_then_delete(entry: OpenJob) -> Job | None:
        found = look_at(entry)
        if entry.job_id == JOB:
            world.jobs.delete(USER, JOB)
        return found

    monkeypatch.setattr(world.jobs, "look_at", look_then_delete)
    assert world.service.step().jobs == [OTHER_JOB]
    assert world.job(OTHER_JOB).status is JobStatus.COMPLETED
