from datetime import UTC, datetime, timedelta

from backend.domain.datasets import Dataset, DatasetStatus
from backend.services.bronze_counting import BronzeCounter
from backend.services.dataset_deletion import DatasetDeletion
from backend.services.janitor import Cleared, Janitor
from tests.fakes import InMemoryDatasets, InMemoryFileSystem, InMemoryJobProgress, SetClock

NOW = datetime(2026, 11, 23, 3, 40, tzinfo=UTC)
USER = "a" * 32
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


def _dataset(name: str, status: DatasetStatus, created_at: datetime) -> Dataset:
    return Dataset(
        user_id=USER,
        parent_job_id=name,
        record_count=0,
        total_chunks=0,
        status=status,
        created_at=created_at,
    )


def _janitor(bronze: InMemoryFileSystem, lake: InMemoryFileSystem, datasets: InMemoryDatasets) -> Janitor:
    counter, clock = BronzeCounter(bronze, 10, 1_000), SetClock(NOW)
    deletion = DatasetDeletion(datasets, InMemoryJobProgress(), bronze, lake, counter, (), clock=clock)
    return Janitor(bronze, lake, datasets, deletion, clock=clock)


def test_a_deletion_that_nobody_has_finished_for_a_day_is_finished() -> None:
    bronze = InMemoryFileSystem({f"{USER}/{name}/00000.json": b"[]" for name in ("old", "new")})
    lake = InMemoryFileSystem({f"silver/cleaned/{USER}/{name}/x.parquet": b"" for name in ("old", "new")})
    ready = DatasetStatus.READY
    datasets = InMemoryDatasets(
        [
            _dataset("old", ready, NOW - 9 * DAY).deleted(NOW - DAY - SECOND),
            _dataset("new", ready, NOW - 9 * DAY).deleted(NOW - DAY + SECOND),
        ]
    )

    assert _janitor(bronze, lake, datasets).clear() == Cleared(deletions=1)

    assert list(bronze.files) == [f"{USER}/new/00000.json"]
    assert list(lake.files) == [f"silver/cleaned/{USER}/new/x.parquet"]
    assert [name for _, name in datasets.rows] == ["new"]


def test_files_and_uploads_that_nobody_has_finished_for_a_day_are_removed() -> None:
    parts = {f"{USER}/{name}/00000.json": b"[]" for name in ("old", "new", "ready", "placed-by-hand")}
    bronze, lake = InMemoryFileSystem(parts), InMemoryFileSystem({"silver/x.parquet": b""})
    bronze.unfinished = {"old": NOW - DAY, "new": NOW - DAY + SECOND}
    lake.unfinished = {"old": NOW - DAY, "older": NOW - 9 * DAY}
    datasets = InMemoryDatasets(
        [
            _dataset("old", DatasetStatus.UPLOADING, NOW - DAY),
            _dataset("new", DatasetStatus.UPLOADING, NOW - DAY + SECOND),
            _dataset("ready", DatasetStatus.READY, NOW - 9 * DAY),
        ]
    )

    assert _janitor(bronze, lake, datasets).clear() == Cleared(files=3, uploads=1)

    assert sorted(bronze.files) == [
        f"{USER}/{name}/00000.json" for name in ("new", "placed-by-hand", "ready")
    ]
    assert (bronze.unfinished, lake.unfinished) == ({"new": NOW - DAY + SECOND}, {})
    assert lake.files == {"silver/x.parquet": b""}
    assert sorted(name for _, name in datasets.rows) == ["new", "ready"]
