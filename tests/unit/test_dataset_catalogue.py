from datetime import UTC, datetime

import pytest

from backend.domain.datasets import Dataset, DatasetStatus
from backend.domain.errors import NotFound
from backend.services.bronze_counting import BronzeCounter
from backend.services.dataset_catalogue import DatasetCatalogue, DatasetMetadata
from tests.fakes import InMemoryDatasets, InMemoryFileSystem

USER, OTHER = "a" * 32, "b" * 32
NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


def dataset(name: str, status: DatasetStatus = DatasetStatus.READY, user: str = USER) -> Dataset:
    return Dataset(user, name, 30, 3, status, NOW)


def catalogue(bronze: dict[str, bytes], *datasets: Dataset) -> DatasetCatalogue:
    files = InMemoryFileSystem(bronze)
    return DatasetCatalogue(InMemoryDatasets(datasets), files, BronzeCounter(files, 10, 1_000))


def test_datasets_are_listed_by_id_those_put_in_by_hand_among_them() -> None:
    tried = catalogue(
        {
            f"{USER}/orders-2025/a.json": b"[]",
            f"{USER}/f00d/00000.json": b"[]",
            f"{USER}/no-parts/notes.txt": b"",
            f"{USER}/no id/a.json": b"[]",
            f"{USER}/a.json": b"[]",
            f"{OTHER}/theirs/a.json": b"[]",
        },
        dataset("f00d"),
        dataset("d00d", DatasetStatus.GENERATING),
        dataset("bad", DatasetStatus.FAILED),
        dataset("theirs-too", user=OTHER),
    )
    assert tried.ids(USER) == ["bad", "d00d", "f00d", "orders-2025"]
    assert tried.ids("c" * 32) == []


def test_what_is_known_of_a_dataset_is_what_its_row_says() -> None:
    tried = catalogue({}, dataset("f00d", DatasetStatus.GENERATING))
    assert tried.metadata(USER, "f00d") == DatasetMetadata(30, 3, DatasetStatus.GENERATING)


def test_one_that_was_put_in_by_hand_is_counted() -> None:
    tried = catalogue({f"{USER}/orders/b.json": b"[1, 2]", f"{USER}/orders/a.json": b"[3]"})
    assert tried.metadata(USER, "orders") == DatasetMetadata(3, 2, DatasetStatus.READY)


def test_parts_come_in_the_order_of_cleaning() -> None:
    names = ["a.json", "a-1.json", "notes.txt", "b/a.json"]
    tried = catalogue({f"{USER}/orders/{name}": b"[]" for name in names})
    paths = [part.path.removeprefix(f"{USER}/orders/") for part in tried.parts(USER, "orders")]
    assert paths == ["a-1.json", "a.json", "b/a.json"]


@pytest.mark.parametrize(
    "known",
    [
        dataset("orders", DatasetStatus.UPLOADING),
        dataset("orders").deleted(NOW),
        dataset("orders", user=OTHER),
        dataset("another"),
    ],
)
def test_what_is_being_uploaded_or_deleted_or_anothers_is_not_there(known: Dataset) -> None:
    own = known.parent_job_id == "orders" and known.user_id == USER
    tried = catalogue({f"{USER}/orders/00000.json": b"[1]"} if own else {}, known)
    assert "orders" not in tried.ids(USER)
    for look in (tried.metadata, tried.parts):
        with pytest.raises(NotFound):
            look(USER, "orders")


@pytest.mark.parametrize("name", ["", "..", ".", "a/b", "a%2fb", "x" * 129, "ä"])
def test_what_is_no_id_is_not_found(name: str) -> None:
    with pytest.raises(NotFound):
        catalogue({f"{USER}/{name}/a.json": b"[1]"}).metadata(USER, name)
