import io
import json
from collections.abc import Iterable

import pytest

from backend.domain.datasets import Dataset, DatasetStatus
from backend.domain.errors import Conflict, InvalidRequest, TooLarge
from backend.services import ingestion
from backend.services.ingestion import IngestionService
from tests.fakes import InMemoryDatasets, InMemoryFileSystem, SetClock

USER = "0" * 31 + "a"


class Upload:
    """An ingestion service and what it has stored."""

    def __init__(self, max_upload_bytes: int = 1 << 20, files: InMemoryFileSystem | None = None) -> None:
        self.files = files or InMemoryFileSystem()
        self.datasets = InMemoryDatasets()
        self.clock = SetClock()
        self._service = IngestionService(
            self.files,
            self.datasets,
            part_record_limit=3,
            max_record_count=250_000,
            max_upload_bytes=max_upload_bytes,
            clock=self.clock,
        )

    def ingest(self, content: bytes) -> Dataset:
        return self._service.ingest(USER, io.BytesIO(content))

    def parts(self, dataset: Dataset) -> dict[str, object]:
        prefix = f"{USER}/{dataset.parent_job_id}/"
        return {path.removeprefix(prefix): json.loads(content) for path, content in self.files.files.items()}


def test_an_upload_becomes_parts_of_at_most_the_limit_and_a_ready_dataset() -> None:
    upload = Upload()
    dataset = upload.ingest(b'[1, "two", {"n": 3}, null, [5], {}, 7]')
    assert upload.parts(dataset) == {
        "00000.json": [1, "two", {"n": 3}],
        "00001.json": [None, [5], {}],
        "00002.json": [7],
    }
    assert (dataset.record_count, dataset.total_chunks, dataset.status, dataset.created_at) == (
        7,
        3,
        DatasetStatus.READY,
        upload.clock.now,
    )
    assert upload.datasets.get(USER, dataset.parent_job_id) == dataset


def test_as_many_records_as_a_part_takes_make_one_part() -> None:
    upload = Upload()
    assert upload.parts(upload.ingest(b"[1,2,3]")) == {"00000.json": [1, 2, 3]}


def test_an_empty_array_is_a_dataset_with_one_empty_part() -> None:
    upload = Upload()
    dataset = upload.ingest(b"[]")
    assert upload.parts(dataset) == {"00000.json": []}
    assert (dataset.record_count, dataset.total_chunks) == (0, 1)


def test_numbers_stay_as_they_are_spelled() -> None:
    upload = Upload()
    upload.ingest(b'{"a": 1e400, "b": 57217.0, "c": 123456789012345678901234567890}\n')
    (content,) = upload.files.files.values()
    assert content == b'[\n{"a": 1e400, "b": 57217.0, "c": 123456789012345678901234567890}\n]\n'


def test_two_uploads_are_two_datasets() -> None:
    upload = Upload()
    first, second = upload.ingest(b"[1]"), upload.ingest(b"[1]")
    assert first.parent_job_id != second.parent_job_id


def test_a_part_that_has_grown_large_takes_no_more_records(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingestion, "PART_BYTES", 10)
    upload = Upload()
    dataset = upload.ingest(b'["0123456789", 2, "0123456789"]')
    assert upload.parts(dataset) == {"00000.json": ["0123456789"], "00001.json": [2, "0123456789"]}


def test_an_upload_that_breaks_off_leaves_nothing_behind() -> None:
    upload = Upload()
    with pytest.raises(InvalidRequest, match=r"^byte 14: expecting value$"):
        upload.ingest(b"[1, 2, 3, 4, oops]".replace(b"oops", b" oops"))
    assert (upload.files.files, upload.datasets.rows) == ({}, {})


def test_an_upload_that_is_too_large_leaves_nothing_behind() -> None:
    upload = Upload(max_upload_bytes=300_000)
    with pytest.raises(TooLarge, match=r"^an upload may have at most 300000 bytes$"):
        upload.ingest(b"[" + b"1," * 200_000 + b"1]")
    assert (upload.files.files, upload.datasets.rows) == ({}, {})


def test_an_upload_of_too_many_records_leaves_nothing_behind() -> None:
    upload = Upload(max_upload_bytes=1 << 20)
    with pytest.raises(TooLarge, match=r"^an upload may have at most 250000 records$"):
        upload.ingest(b"1\n" * 250_002)
    assert (upload.files.files, upload.datasets.rows) == ({}, {})


def test_rows_that_grow_too_much_as_json_are_too_large() -> None:
    upload = Upload(max_upload_bytes=10_000)
    with pytest.raises(TooLarge, match=r"^the records of an upload may have at most 200000 bytes as JSON$"):
        upload.ingest(b"c" * 5_000 + b"\n" + b"1\n" * 100)
    assert upload.files.files == {}


def test_storage_that_fails_leaves_nothing_behind() -> None:
    class FullAfterOnePart(InMemoryFileSystem):
        def write(self, path: str, content: bytes | Iterable[bytes]) -> None:
            if self.files:
                raise OSError("no space left")
            super().write(path, content)

    upload = Upload(files=FullAfterOnePart())
    with pytest.raises(OSError, match="no space left"):
        upload.ingest(b"[1, 2, 3, 4]")
    assert (upload.files.files, upload.datasets.rows) == ({}, {})


def test_a_dataset_that_can_not_be_added_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    upload = Upload()
    monkeypatch.setattr(ingestion, "new_job_id", lambda _: "f" * 32)
    upload.datasets.add(
        Dataset(USER, "f" * 32, 0, 1, DatasetStatus.READY, upload.clock.now),
    )
    with pytest.raises(Conflict):
        upload.ingest(b"[1]")
    assert upload.files.files == {}
