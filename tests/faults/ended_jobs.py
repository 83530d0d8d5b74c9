"""Whether a job that has ended left what an undisturbed one leaves, and nothing else."""

import json
import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from azure.core.exceptions import ResourceNotFoundError
from pyarrow import BufferReader
from sqlalchemy import func, select

from backend import lake_paths
from backend.adapters.database_engine import open_engine
from backend.adapters.duckdb_warehouse import open_file
from backend.adapters.operational_schema import GOLD
from backend.azure_clients import queue_service
from backend.bootstrap import Services
from backend.configured_adapters import queue_names
from backend.domain.jobs import Job, ProcessingPath
from backend.domain.messages import CleaningMessage
from backend.services.small_batch_cleaning import SmallBatchCleaner
from backend.transformations.manifest import Manifest
from tests.fakes import InMemoryFileSystem
from tests.transformations.reference.comparison import rows_of
from tests.waiting import wait_until

_WAREHOUSE_SECONDS = 60
_SWEPT_SECONDS = 60

RowsByJob = dict[str, dict[str, int]]


@dataclass(frozen=True)
class EndedJobs:
    """Looks at the jobs of a stack from outside.

    Attributes:
        services: on the stack's storage.
        state: the stack's folder.
    """

    services: Services
    state: Path

    def check(self, user_id: str, job_id: str, records: int) -> Job:
        """The job is completed, and all that it left is as an undisturbed worker would have left it."""
        job = self.services.jobs.get(user_id, job_id)
        assert job is not None
        assert job.counts is not None
        assert (job.status.value, job.error, job.counts.conserved) == ("completed", None, True)
        assert (job.counts.records_in, job.progress_done) == (records, job.progress_total)
        paths = lake_paths.job_outputs(user_id, job.parent_job_id, job_id)
        files = self._files(job)
        manifest = Manifest.decode(files[paths.manifest])
        _check_manifest(manifest, {path: files[path] for path in files if path != paths.manifest})
        self._check_outputs(job, files, manifest)
        metrics = lake_paths.transformation_metrics(job.as_of.astimezone(UTC).date(), job_id)
        assert json.loads(self.services.lake.read(metrics))["jobId"] == job_id
        loaded = {
            output.table: {job_id: output.rows} if output.rows else {}
            for output in manifest.outputs
            if output.table in GOLD
        }
        assert self._rows_in_sqlite(job) == loaded
        assert self._rows_in_duckdb(job) == loaded
        assert len(self.services.jobs.of_dataset(user_id, job.parent_job_id)) == 1
        return job

    def check_endings(self, user_id: str, job_ids: Collection[str], since: datetime) -> None:
        """The user has these jobs and no others, each of which has ended once, and has told it once."""
        found = self.services.jobs.page(user_id, None, len(job_ids) + 1, None)
        assert sorted(job.job_id for job in found) == sorted(job_ids)
        wait_until(lambda: not list(self.services.jobs.open_jobs()), _SWEPT_SECONDS)
        hours = (datetime.now(UTC) - since) // timedelta(hours=1) + 2
        endings = [self.services.jobs.endings(since + timedelta(hours=hour)) for hour in range(hours)]
        assert sorted(each.job_id for hour in endings for each in hour) == sorted(job_ids)
        told = self.services.notification_table.newest(user_id, len(job_ids) + 1)
        assert sorted(each.occasion.split()[1] for each in told) == sorted(job_ids)

    def poisoned(self) -> int:
        """How many messages were given up."""
        found = 0
        with queue_service(self.services.settings.storage) as queues:
            for name in queue_names(self.services.settings):
                try:
                    properties = queues.get_queue_client(f"{name}-poison").get_queue_properties()
                except ResourceNotFoundError:
                    continue
                found += properties.approximate_message_count or 0
        return found

    def _files(self, job: Job) -> dict[str, bytes]:
        lake = self.services.lake
        folders = lake_paths.dataset_output_folders(job.user_id, job.parent_job_id)
        return {file.path: lake.read(file.path) for folder in folders for file in lake.list_files(folder)}

    def _check_outputs(self, job: Job, files: dict[str, bytes], manifest: Manifest) -> None:
        """By pandas the same files, by Spark, which cuts them otherwise, the same rows."""
        expected = self._undisturbed(job)
        if job.processing_path is ProcessingPath.SMALL_BATCH:
            assert sorted(files) == sorted(expected)
            assert [path for path in files if files[path] != expected[path]] == []
            return
        for output in manifest.outputs:
            written = pa.concat_tables(_table(files[file.path]) for file in output.files)
            assert _sorted_rows(written) == _sorted_rows(_table(expected[output.path])), output.table

    def _undisturbed(self, job: Job) -> dict[str, bytes]:
        """What one undisturbed worker makes of the job's dataset, as the contract has it."""
        folder = lake_paths.bronze_dataset(job.user_id, job.parent_job_id)
        lake = InMemoryFileSystem()
        message = CleaningMessage(
            user_id=job.user_id,
            job_id=job.job_id,
            parent_job_id=job.parent_job_id,
            as_of=job.as_of,
            processing_path=ProcessingPath.SMALL_BATCH,
        )
        cleaner = SmallBatchCleaner(self.services.bronze, lake, record_limit=10_000, byte_limit=1 << 28)
        cleaned = cleaner.clean(message, self.services.bronze.list_files(folder), 1, lambda *_: None)
        assert cleaned.counts == job.counts
        return lake.files

    def _rows_in_sqlite(self, job: Job) -> RowsByJob:
        engine = open_engine(f"sqlite:///{self.state / 'orchestrator.sqlite'}")
        found = {}
        with engine.connect() as connection:
            for name, table in GOLD.items():
                query = select(table.c.job_id, func.count()).group_by(table.c.job_id)
                of_dataset = query.where(
                    table.c.owner_id == job.user_id, table.c.dataset_id == job.parent_job_id
                )
                found[name] = dict(connection.execute(of_dataset).tuples().all())
        engine.dispose()
        return found

    def _rows_in_duckdb(self, job: Job) -> RowsByJob:
        query = "SELECT job_id, count(*) FROM {} WHERE owner_id = ? AND dataset_id = ? GROUP BY job_id"
        ids = (job.user_id, job.parent_job_id)
        deadline = time.monotonic() + _WAREHOUSE_SECONDS
        with open_file(self.state / "warehouse.duckdb", deadline, read_only=True) as warehouse:
            return {name: dict(warehouse.execute(query.format(name), ids).fetchall()) for name in GOLD}


def _check_manifest(manifest: Manifest, files: dict[str, bytes]) -> None:
    """It names every file there is, with its true size, SHA-256 and rows."""
    named = {file.path: (file.bytes, file.sha256) for each in manifest.outputs for file in each.files}
    assert named == {path: (len(files[path]), sha256(files[path]).hexdigest()) for path in files}
    for output in manifest.outputs:
        assert output.rows == sum(_table(files[file.path]).num_rows for file in output.files), output.table


def _table(content: bytes) -> pa.Table:
    return pq.read_table(BufferReader(content))


def _sorted_rows(table: pa.Table) -> list[str]:
    return sorted(map(repr, rows_of(table)))
