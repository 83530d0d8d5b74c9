"""A user's own records become a dataset in Bronze."""

import itertools
from collections.abc import Callable, Iterator
from datetime import datetime

from backend import lake_paths
from backend.domain.datasets import Dataset, DatasetStatus
from backend.domain.errors import TooLarge
from backend.domain.identifiers import new_job_id
from backend.ports import DatasetStore, FileSystem
from backend.services.record_readers.formats import GREATEST_EXPANSION, read_records
from backend.services.record_readers.limits import ByteStream

PART_BYTES = 64 << 20
"""A part that has grown to this takes no more records, so that one worker can hold it."""

_PIECE_BYTES = 1 << 20


class IngestionService:
    """Writes uploads into Bronze, part by part as they come in.

    Args:
        part_record_limit: the greatest number of records in one part.
        max_record_count: the greatest number of records in one upload.
        max_upload_bytes: the greatest size of an upload's body.
    """

    def __init__(
        self,
        bronze: FileSystem,
        datasets: DatasetStore,
        *,
        part_record_limit: int,
        max_record_count: int,
        max_upload_bytes: int,
        clock: Callable[[], datetime],
    ) -> None:
        self._bronze = bronze
        self._datasets = datasets
        self._part_record_limit = part_record_limit
        self._max_record_count = max_record_count
        self._max_upload_bytes = max_upload_bytes
        self._clock = clock

    def ingest(
        self,
        user_id: str,
        source: ByteStream,
        *,
        content_type: str | None = None,
        filename: str | None = None,
    ) -> Dataset:
        """Store an upload as a dataset that is ready to be cleaned; without records it has one empty part.

        Args:
            user_id: whose dataset it is.
            source: a JSON array, JSON Lines, CSV or Parquet, plain or gzip. It is read once, from front
                to end, and never held whole.
            content_type: a hint, where the content leaves the format open.
            filename: likewise.

        Raises:
            InvalidRequest: the upload can't be read (`unreadable_input`); the message names the line or
                byte. Nothing is left behind.
            TooLarge: it is over a limit. Nothing is left behind.
        """
        parent_job_id = self._begin(user_id)
        try:
            records = read_records(source, self._max_upload_bytes, content_type, filename)
            record_count, parts = self._write_parts(user_id, parent_job_id, records)
            return self._datasets.update(
                user_id, parent_job_id, lambda current: current.uploaded(record_count, parts)
            )
        except BaseException:
            self._bronze.delete_folder(lake_paths.bronze_dataset(user_id, parent_job_id))
            self._datasets.delete(user_id, parent_job_id)
            raise

    def _begin(self, user_id: str) -> str:
        """Note the dataset before its first part, so that one that is broken off can be found."""
        now = self._clock()
        dataset = Dataset(
            user_id=user_id,
            parent_job_id=new_job_id(now),
            record_count=0,
            total_chunks=0,
            status=DatasetStatus.UPLOADING,
            created_at=now,
        )
        self._datasets.add(dataset)
        return dataset.parent_job_id

    def _write_parts(self, user_id: str, parent_job_id: str, records: Iterator[bytes]) -> tuple[int, int]:
        budget = self._max_upload_bytes * GREATEST_EXPANSION
        cutter = _PartCutter(records, self._part_record_limit, self._max_record_count, budget)
        for index in itertools.count():
            path = lake_paths.bronze_part(user_id, parent_job_id, f"{index:05d}")
            self._bronze.write(path, cutter.part())
            if cutter.at_end():
                return cutter.record_count, index + 1
        raise AssertionError("parts are counted without end")


class _PartCutter:
    """Cuts a stream of records into parts, each a JSON array."""

    def __init__(
        self, records: Iterator[bytes], record_limit: int, count_limit: int, byte_limit: int
    ) -> None:
        self._records = records
        self._record_limit = record_limit
        self._count_limit = count_limit
        self._byte_limit = byte_limit
        self._next = next(records, None)
        self.record_count = 0
        self._byte_count = 0

    def at_end(self) -> bool:
        """Whether every record is in a part."""
        return self._next is None

    def part(self) -> Iterator[bytes]:
        """The next part, in pieces of about a megabyte."""
        piece = bytearray(b"[")
        records, started = 0, self._byte_count
        while self._next is not None and records < self._record_limit:
            if self._byte_count - started >= PART_BYTES:
                break
            piece += b",\n" if records else b"\n"
            piece += self._next
            records += 1
            self._advance(len(self._next))
            if len(piece) >= _PIECE_BYTES:
                yield bytes(piece)
                piece.clear()
        yield bytes(piece) + b"\n]\n"

    def _advance(self, size: int) -> None:
        self.record_count += 1
        if self.record_count > self._count_limit:
            raise TooLarge(f"an upload may have at most {self._count_limit} records")
        self._byte_count += size
        if self._byte_count > self._byte_limit:
            raise TooLarge(f"the records of an upload may have at most {self._byte_limit} bytes as JSON")
        self._next = next(self._records, None)
