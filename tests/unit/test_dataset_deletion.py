from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from backend.domain.datasets import Dataset, DatasetStatus
from backend.domain.errors import Conflict, NotFound, Unavailable
from backend.domain.jobs import Job, JobKind, JobStatus
from backend.ports import LoadedDataset
from backend.services.bronze_counting import BronzeCounter
from backend.services.dataset_catalogue import DatasetCatalogue
from backend.services.dataset_deletion import DatasetDeletion
from tests.fakes import (
    InMemoryDatasets,
    InMemoryDestination,
    InMemoryFileSystem,
    InMemoryJobProgress,
    SetClock,
)

USER, OTHER = "a" * 32, "b" * 32
FIRST_JOB, SECOND_JOB = "1" * 32, "2" * 32
NOW = datetime(2026, 11, 23, 23, 30, tzinfo=UTC)
WRITES = {"add", "update", "delete", "delete_file", "delete_folder", "remove", "write"}


class Killed(BaseException):
    """The process ends here."""


@dataclass
class Fuse:
    """Ends the process after so many writes; never, as long as that is None."""

    left: int | None = None

    def burn(self) -> None:
        if self.left is not None:
            if self.left == 0:
                raise Killed
            self.left -= 1


class Fused:
    """An adapter whose writes burn a fuse: each may be the one that is not done any more."""

    def __init__(self, adapter: object, fuse: Fuse) -> None:
        self._adapter = adapter
        self._fuse = fuse

    def __getattr__(self, name: str) -> Any:
        called = getattr(self._adapter, name)
        if name not in WRITES:
            return called

        def write(*arguments: Any) -> Any:
            self._fuse.burn()
            return called(*arguments)

        return write


@dataclass
class World:
    """Two users who each have a dataset `orders` with two ended jobs, and one that was put there by hand."""

    fuse: Fuse = field(default_factory=Fuse)
    clock: SetClock = field(default_factory=lambda: SetClock(NOW))
    bronze: InMemoryFileSystem = field(default_factory=InMemoryFileSystem)
    lake: InMemoryFileSystem = field(default_factory=InMemoryFileSystem)
    jobs: InMemoryJobProgress = field(default_factory=InMemoryJobProgress)
    datasets: InMemoryDatasets = field(default_factory=InMemoryDatasets)
    mysql: InMemoryDestination = field(default_factory=lambda: InMemoryDestination("mysql"))
    warehouse: InMemoryDestination = field(default_factory=lambda: InMemoryDestination("warehouse"))

    def __post_init__(self) -> None:
        for user in (USER, OTHER):
            self.datasets.add(Dataset(user, "orders", 3, 2, DatasetStatus.READY, NOW))
            for name in ("orders", "by-hand"):
                for part in ("00000", "00001"):
                    self.bronze.files[f"{user}/{name}/{part}.json"] = b"[1]"
                for job_id in (FIRST_JOB, SECOND_JOB):
                    self.add_job(user, name, job_id if name == "orders" else job_id[:-1] + "0")

    def add_job(self, user: str, name: str, job_id: str, **changes: Any) -> Job:
        job = Job(
            user_id=user,
            job_id=job_id,
            parent_job_id=name,
            job_name="clean",
            kind=JobKind.CLEAN,
            status=JobStatus.COMPLETED,
            stage="completed",
            record_count=2,
            as_of=NOW,
            submitted_at=NOW,
        )
        job = replace(job, **changes)
        self.jobs.add(job)
        for folder, file in (
            ("silver/cleaned", ".parquet"),
            ("silver/quarantine", ".parquet"),
            ("gold/analytics", "/dim_users.parquet"),
            ("gold/analytics", "/_manifest.json"),
        ):
            self.lake.files[f"{folder}/{user}/{name}/{job_id}{file}"] = b"x"
        self.lake.files[f"logs/transformation_metrics/2026-11-23/{job_id}.json"] = b"{}"
        for destination in (self.mysql, self.warehouse):
            destination.load(LoadedDataset(user, name, job_id, NOW), [])
        return job

    def deletion(self) -> DatasetDeletion:
        bronze, lake, jobs, datasets, mysql, warehouse = (
            cast("Any", Fused(adapter, self.fuse))
            for adapter in (
                self.bronze,
                self.lake,
                self.jobs,
                self.datasets,
                self.mysql,
                self.warehouse,
            )
        )
        counter = BronzeCounter(self.bronze, 10, 1_000)
        return DatasetDeletion(datasets, jobs, bronze, lake, counter, (mysql, warehouse), clock=self.clock)

    def catalogue(self) -> DatasetCatalogue:
        return DatasetCatalogue(self.datasets, self.bronze, BronzeCounter(self.bronze, 10, 1_000))

    def left_of(self, user: str, name: str) -> list[object]:
        """Whatever there is of a dataset, but for its metrics logs."""
        inside = f"{user}/{name}/"
        return [
            *(path for files in (self.bronze.files, self.lake.files) for path in files if inside in path),
            *(job.job_id for job in self.jobs.of_dataset(user, name)),
            *(key for each in (self.mysql, self.warehouse) for key in each.rows if key[:2] == (user, name)),
            *([name] if self.datasets.get(user, name) else []),
        ]


@pytest.fixture
def world() -> World:
    return World()


@pytest.mark.parametrize("name", ["orders", "by-hand"])
def test_everything_of_the_dataset_goes_and_nothing_else(world: World, name: str) -> None:
    kept = {(user, each) for user in (USER, OTHER) for each in ("orders", "by-hand")} - {(USER, name)}
    before = {key: world.left_of(*key) for key in kept}

    assert world.deletion().delete(USER, name) == 2 + 2 * 4

    assert world.left_of(USER, name) == []
    assert {key: world.left_of(*key) for key in kept} == before
    assert world.catalogue().ids(USER) == [each for user, each in kept if user == USER]


def test_the_metrics_logs_of_its_jobs_go_too(world: World) -> None:
    world.deletion().delete(USER, "orders")
    logs = [path for path in world.lake.files if path.startswith("logs/")]
    assert logs == [
        f"logs/transformation_metrics/2026-11-23/{job_id[:-1]}0.json" for job_id in (FIRST_JOB, SECOND_JOB)
    ]


@pytest.mark.parametrize("name", ["nothing", "", "..", "a/b", "orders/00000.json", "ORDERS"])
def test_what_is_no_dataset_is_not_found(world: World, name: str) -> None:
    with pytest.raises(NotFound):
        world.deletion().delete(USER, name)


def test_a_second_deletion_finds_nothing(world: World) -> None:
    world.deletion().delete(USER, "orders")
    with pytest.raises(NotFound):
        world.deletion().delete(USER, "orders")


def test_an_upload_that_is_under_way_is_not_found(world: World) -> None:
    world.datasets.add(Dataset(USER, "coming", 0, 0, DatasetStatus.UPLOADING, NOW))
    with pytest.raises(NotFound):
        world.deletion().delete(USER, "coming")


@pytest.mark.parametrize("name", ["orders", "by-hand"])
@pytest.mark.parametrize(
    "status", [JobStatus.GENERATING, JobStatus.QUEUED, JobStatus.PROCESSING, JobStatus.LOADING]
)
def test_while_a_job_runs_nothing_is_deleted(world: World, name: str, status: JobStatus) -> None:
    world.add_job(USER, name, "3" * 32, status=status)
    before = world.left_of(USER, name)
    with pytest.raises(Conflict, match=f"is {status.value}") as refused:
        world.deletion().delete(USER, name)
    assert refused.value.code == "dataset_in_use"
    assert world.left_of(USER, name) == before
    assert world.catalogue().ids(USER) == ["by-hand", "orders"]


@pytest.mark.parametrize("name", ["orders", "by-hand"])
def test_a_job_that_is_added_at_the_same_moment_calls_the_deletion_off(
    world: World, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = world.catalogue().metadata(USER, name)
    _when_marked(world, monkeypatch, lambda: world.add_job(USER, name, "3" * 32, status=JobStatus.QUEUED))
    with pytest.raises(Conflict):
        world.deletion().delete(USER, name)
    assert world.catalogue().metadata(USER, name) == before
    assert len(world.jobs.of_dataset(USER, name)) == 3


def _when_marked(world: World, monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> None:
    update = world.datasets.update

    def updated(user_id: str, parent_job_id: str, change: Callable[[Dataset], Dataset]) -> Dataset:
        dataset = update(user_id, parent_job_id, change)
        if dataset.deleted_at is not None:
            happens()
        return dataset

    monkeypatch.setattr(world.datasets, "update", updated)


def test_nothing_is_begun_while_a_database_does_not_answer(world: World) -> None:
    before = world.left_of(USER, "orders")
    world.warehouse.error = Unavailable("paused")
    with pytest.raises(Unavailable):
        world.deletion().delete(USER, "orders")
    assert world.left_of(USER, "orders") == before
    assert "orders" in world.catalogue().ids(USER)
    world.warehouse.error = None
    assert world.deletion().delete(USER, "orders") == 10


@pytest.mark.parametrize("name", ["orders", "by-hand"])
@pytest.mark.parametrize("janitor", [False, True])
def test_after_a_crash_at_any_write_nobody_sees_the_dataset_and_the_rest_can_be_deleted(
    name: str, *, janitor: bool
) -> None:
    crashes = 0
    while True:
        world = World(fuse=Fuse(crashes))
        try:
            world.deletion().delete(USER, name)
        except Killed:
            _check_after_crash(world, name, crashes)
        else:
            break
        world.fuse.left = None
        if janitor and world.datasets.get(USER, name) is not None:
            # A crash before the mark has begun nothing.
            world.clock.advance(timedelta(days=1))
            world.deletion().finish(world.clock())
        if world.left_of(USER, name):
            world.deletion().delete(USER, name)
        assert world.left_of(USER, name) == []
        assert len(world.left_of(OTHER, name)) > 10
        crashes += 1
    # The mark, each job with its log, three folders, two databases, Bronze, the dataset's row.
    assert crashes == (1 if name == "orders" else 2) + 2 * 2 + 3 + 2 + 1 + 1


def _check_after_crash(world: World, name: str, crashes: int) -> None:
    # The first write is the mark.
    assert (name in world.catalogue().ids(USER)) == (crashes == 0)
    for job in world.jobs.of_dataset(USER, name):
        # As long as a job is there, so are its outputs.
        assert len([path for path in world.lake.files if job.job_id in path and USER in path]) == 4
        assert any((USER, name, job.job_id) == key for key in world.mysql.rows)


def test_a_deletion_into_which_a_job_has_slipped_waits_for_that_job(world: World) -> None:
    world.datasets.update(USER, "orders", lambda current: current.deleted(NOW))
    job = world.add_job(USER, "orders", "3" * 32, status=JobStatus.QUEUED)
    later = NOW + timedelta(days=1)
    assert world.deletion().finish(later) == 0
    assert len(world.jobs.of_dataset(USER, "orders")) == 3
    world.jobs.update(USER, job.job_id, lambda current: current.failed(NOW, "oops"))
    assert world.deletion().finish(NOW) == 0
    assert world.deletion().finish(later) == 1
    assert world.left_of(USER, "orders") == []
