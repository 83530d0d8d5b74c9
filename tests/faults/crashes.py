"""Kills the stack's processes at every write that a job makes, and looks at what comes out.

`python -m tests.faults.crashes [--long]`. One real stack, whose workers count as gone after 3 s. The points
are those that an undisturbed job reaches, so that a new write is tried by itself.
"""

import argparse
import os
import random
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

import duckdb
import pyarrow.parquet as pq
import requests
from azure.core.exceptions import ResourceNotFoundError
from pyarrow import BufferReader
from sqlalchemy import func, select

from backend import lake_paths
from backend.adapters.database_engine import open_engine
from backend.adapters.duckdb_warehouse import open_file
from backend.adapters.operational_schema import GOLD
from backend.azure_clients import queue_service
from backend.bootstrap import build_services, utc_now
from backend.configured_adapters import queue_names
from backend.domain.identifiers import is_job_id
from backend.domain.jobs import Job, ProcessingPath
from backend.domain.messages import CleaningMessage
from backend.services.janitor import Janitor
from backend.services.small_batch_cleaning import SmallBatchCleaner
from backend.settings import Settings
from backend.transformations.manifest import Manifest
from tests.e2e.api_user import ApiUser
from tests.e2e.running_stack import RunningStack
from tests.fakes import InMemoryFileSystem
from tests.faults.findings import Finding, record
from tests.waiting import wait_until

RECORDS = 90
PARTS = 3
STALE_SECONDS = 3
JOB_SECONDS = 90
QUIET_SECONDS = 60
# The host's lease: so long nobody sees a message that a killed host had in hand.
LEASE_SECONDS = 600
_SEED = 20261123
UNDISTURBED = (
    "every job ended once, completed, its files those of an undisturbed run to the byte,"
    " its rows once in both databases, no message left"
)


@dataclass
class Disturbed:
    """What one disturbance did: whether it took place, and how long the job took to its end."""

    point: str
    fired: bool
    seconds: float


@dataclass
class CrashBench:
    """A running stack with fault points, one user, and ways to look at what a job has left."""

    folder: Path
    stack: RunningStack = field(init=False)
    user: ApiUser = field(init=False)

    def __enter__(self) -> Self:
        self._faults = self.folder / "faults"
        self._faults.mkdir()
        self.stack = RunningStack(
            self.folder / "state",
            FAULT_POINTS=str(self._faults),
            HEARTBEAT_SECONDS="1",
            STALE_AFTER_SECONDS=str(STALE_SECONDS),
            GENERATION_BATCH_SIZE=str(RECORDS // PARTS),
        )
        try:
            self.stack.wait_ready()
            self.user = ApiUser(self.stack.url)
        except BaseException:
            self.stack.stop()
            raise
        environment = {"AZURE_STORAGE_CONNECTION_STRING": self.stack.addresses.connection_string}
        self.settings = Settings.from_environment(environment)
        self.services = build_services(self.settings)
        return self

    def __exit__(self, *_: object) -> None:
        self.user.close()
        self.stack.stop()

    def points(self) -> list[str]:
        """Every point that an undisturbed job reaches, in the order in which it does."""
        reached = self._faults / "reached"
        reached.touch()
        self.check(self.run_job())
        self.wait_until_quiet()
        lines = reached.read_text().splitlines()
        reached.unlink()
        return list(dict.fromkeys(lines))

    def run_job(self) -> str:
        """Submit a job and wait until it has ended; its id."""
        job_id = self.submit()
        self.wait_for_end(job_id)
        return job_id

    def submit(self) -> str:
        """Submit a job as a client does that is not put off by a broken connection; its id."""
        key = os.urandom(8).hex()
        body = {"dataCount": RECORDS}

        def answer() -> str | None:
            try:
                response = self.user.call("POST", "/clean_data", json=body, headers={"Idempotency-Key": key})
            except requests.ConnectionError:
                return None
            # While a part of the stack is being started again it may say that storage is out.
            assert response.status_code in (202, 503), response.text
            return str(response.json()["jobId"]) if response.status_code == 202 else None

        job_id = wait_until(answer, JOB_SECONDS) or ""
        assert is_job_id(job_id)
        return job_id

    def strike(self, point: str, number: signal.Signals = signal.SIGKILL) -> Disturbed:
        """Let a process get a signal at a point of a new job, wait for the job's end, and check it.

        A process that was stopped goes on when the job has ended without it.
        """
        armed = self._faults / "armed"
        armed.with_name("arming").write_text(f"{number.name} {point}")
        armed.with_name("arming").rename(armed)
        began = time.monotonic()
        job_id = self.run_job()
        seconds = time.monotonic() - began
        armed.unlink(missing_ok=True)
        fired = list(self._faults.glob("fired-*"))
        for file in fired:
            if number == signal.SIGSTOP:
                os.kill(int(file.name.partition("-")[2]), signal.SIGCONT)
            file.unlink()
        self.wait_until_quiet()
        self.check(job_id)
        return Disturbed(point, bool(fired), seconds)

    @contextmanager
    def tripled(self) -> Iterator[None]:
        """Meanwhile every message is sent three times."""
        (self._faults / "tripled").touch()
        yield
        (self._faults / "tripled").unlink()

    def restart_azurite(self) -> None:
        """End Azurite as a service manager does; the stack's supervisor starts it again."""
        azurite = next(each for each in self.stack.processes() if "azurite" in " ".join(each.cmdline()))
        azurite.terminate()
        azurite.wait(30)

    def wait_until_quiet(self) -> None:
        """Wait until no queue shows a message."""
        with queue_service(self.settings.storage) as queues:
            for name in queue_names(self.settings):
                queue = queues.get_queue_client(name)
                wait_until(lambda queue=queue: not queue.peek_messages(), QUIET_SECONDS)

    def wait_until_empty(self) -> None:
        """Wait until no queue holds a message, also none that a killed host has left invisible."""
        for name in queue_names(self.settings):
            wait_until(lambda name=name: self.services.queues.depth(name) == 0, LEASE_SECONDS + 60, pause=1)

    def check(self, job_id: str) -> None:
        """The job is what JobProgress says, and its outputs are those of an undisturbed run."""
        job = self.services.jobs.get(self.user.user_id, job_id)
        assert job is not None
        self._check_progress(job)
        expected = self._undisturbed(job)
        folders = lake_paths.dataset_output_folders(job.user_id, job.parent_job_id)
        found = [file.path for folder in folders for file in self.services.lake.list_files(folder)]
        assert sorted(found) == sorted(expected)
        for path, content in expected.items():
            assert self.services.lake.read(path) == content, path
        self._check_databases(job, expected)
        assert self.poisoned() == 0
        assert len(self.services.jobs.of_dataset(job.user_id, job.parent_job_id)) == 1

    def unfinished_files(self) -> list[str]:
        """Files that nobody will finish, in both containers."""
        return [path for files in (self.services.bronze, self.services.lake) for path in _unfinished(files)]

    def wait_for_end(self, job_id: str) -> None:
        """Wait until a job is completed, whose progress never goes back meanwhile."""
        done = 0

        def has_ended() -> bool:
            nonlocal done
            try:
                job = self.user.job(job_id)
            except (requests.ConnectionError, AssertionError):
                return False
            assert job["progress"]["done"] >= done, "progress went back"
            done = job["progress"]["done"]
            assert job["status"] != "failed", job["error"]
            return bool(job["status"] == "completed")

        wait_until(has_ended, JOB_SECONDS)

    def _check_progress(self, job: Job) -> None:
        assert job.counts is not None
        assert (job.status.value, job.error, job.counts.conserved) == ("completed", None, True)
        assert (job.counts.records_in, job.progress_done) == (RECORDS, job.progress_total)

    def _undisturbed(self, job: Job) -> dict[str, bytes]:
        """What one undisturbed worker makes of the job's dataset, as the contract has it."""
        folder = lake_paths.bronze_dataset(job.user_id, job.parent_job_id)
        parts = self.services.bronze.list_files(folder)
        assert len(parts) == PARTS
        lake = InMemoryFileSystem()
        message = CleaningMessage(
            user_id=job.user_id,
            job_id=job.job_id,
            parent_job_id=job.parent_job_id,
            as_of=job.as_of,
            processing_path=ProcessingPath.SMALL_BATCH,
        )
        cleaner = SmallBatchCleaner(self.services.bronze, lake, record_limit=10_000, byte_limit=1 << 28)
        cleaned = cleaner.clean(message, parts, 1, lambda *_: None)
        assert cleaned.counts == job.counts
        return lake.files

    def _check_databases(self, job: Job, files: dict[str, bytes]) -> None:
        paths = lake_paths.job_outputs(job.user_id, job.parent_job_id, job.job_id)
        rows = {
            output.table: output.rows
            for output in Manifest.decode(files[paths.manifest]).outputs
            if output.table in GOLD
        }
        for name in rows:
            table = pq.read_table(BufferReader(files[paths.table(name)]))
            assert table.num_rows == rows[name]
        ids = (job.user_id, job.parent_job_id, job.job_id)
        assert self._rows_in_sqlite(ids) == rows
        assert self._rows_in_duckdb(ids) == rows

    def _rows_in_sqlite(self, ids: tuple[str, str, str]) -> dict[str, int]:
        engine = open_engine(f"sqlite:///{self.stack.state / 'orchestrator.sqlite'}")
        with engine.connect() as connection:
            found = {
                name: connection.execute(
                    select(func.count()).where(
                        table.c.owner_id == ids[0], table.c.dataset_id == ids[1], table.c.job_id == ids[2]
                    )
                ).scalar_one()
                for name, table in GOLD.items()
            }
        engine.dispose()
        return found

    def _rows_in_duckdb(self, ids: tuple[str, str, str]) -> dict[str, int]:
        where = "WHERE owner_id = ? AND dataset_id = ? AND job_id = ?"
        with open_file(
            self.stack.state / "warehouse.duckdb", time.monotonic() + QUIET_SECONDS, read_only=True
        ) as warehouse:
            return {name: _count(warehouse, f"FROM {name} {where}", ids) for name in GOLD}

    def poisoned(self) -> int:
        """How many messages were given up."""
        found = 0
        with queue_service(self.settings.storage) as queues:
            for name in queue_names(self.settings):
                try:
                    properties: Any = queues.get_queue_client(f"{name}-poison").get_queue_properties()
                except ResourceNotFoundError:
                    continue
                found += properties.approximate_message_count
        return found


def _count(warehouse: duckdb.DuckDBPyConnection, source: str, ids: tuple[str, str, str]) -> int:
    [(rows,)] = warehouse.execute(f"SELECT count(*) {source}", ids).fetchall()
    return int(rows)


def _unfinished(files: Any) -> list[str]:
    client = files._client
    return [path.name for path in client.get_paths(recursive=True) if path.name.endswith(".uploading")]


def one_of_each(points: list[str]) -> list[str]:
    """A few points that differ in what is written, for a form that takes a minute."""
    wanted = (
        "before send data-generation-queue",
        "during write 00000.json",
        "after send small-batch-queue",
        "before write silver/cleaned",
        "during write gold/analytics/fact_orders.parquet",
        "before write gold/analytics/_manifest.json",
        "after progress loading: waiting to be loaded",
        "after load into operational",
        "before progress completed: completed",
    )
    return [point for point in points if point.startswith(wanted)]


def strike_everywhere(bench: CrashBench) -> None:
    """Kill at every point that there is, and record what came out."""
    points = bench.points()
    # The stack ends when one of its parts dies five times without a steady while in between.
    random.Random(_SEED).shuffle(points)
    fired = [each for each in map(bench.strike, points) if each.fired]
    kinds = Counter(each.point.split()[0] for each in fired)
    where = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
    longest = max(each.seconds for each in fired)
    outcome = (
        f"{UNDISTURBED}; the slowest job took {longest:.1f} s,"
        f" where a worker counts as gone after {STALE_SECONDS} s"
    )
    record(Finding("Crashes", f"kill -9 of the process at a write ({where} it)", len(fired), outcome))


def stop_everywhere(bench: CrashBench) -> None:
    """Stop workers until others have done their work, and let them go on."""
    points = [point for point in bench.points() if point.startswith(("before write gold", "before load"))]
    fired = sum(bench.strike(point, signal.SIGSTOP).fired for point in points)
    fault = "a worker stands still for longer than its lease, and goes on when another has done its work"
    record(Finding("Crashes", fault, fired, UNDISTURBED))


def triple(bench: CrashBench, times: int) -> None:
    """Send every message three times."""
    with bench.tripled():
        for _ in range(times):
            bench.check(bench.run_job())
            bench.wait_until_quiet()
    record(Finding("Crashes", "every message sent three times, to two workers", times, UNDISTURBED))


def restart_azurite(bench: CrashBench, times: int) -> None:
    """End Azurite in the middle of jobs; the stack starts it again."""
    for _ in range(times):
        job_id = bench.submit()
        bench.restart_azurite()
        bench.wait_for_end(job_id)
        bench.wait_until_quiet()
        bench.check(job_id)
    fault = "Azurite ended while a job was under way, and started again"
    record(Finding("Crashes", fault, times, UNDISTURBED))


def clear(bench: CrashBench) -> None:
    """Have the janitor remove what all those kills have left."""
    left = len(bench.unfinished_files())
    services = bench.services
    janitor = Janitor(services.bronze, services.lake, services.datasets, patience=timedelta(0), clock=utc_now)
    removed = janitor.clear().files
    assert (bench.unfinished_files(), removed) == ([], left)
    record(Finding("Crashes", "a file whose writing was broken off", left, "the janitor removed it"))


def main() -> None:
    """Run every disturbance and record what came out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--long", action="store_true", help="every point, and not only one of each kind")
    long = parser.parse_args().long
    with tempfile.TemporaryDirectory() as folder, CrashBench(Path(folder)) as bench:
        if long:
            strike_everywhere(bench)
            stop_everywhere(bench)
        triple(bench, 10 if long else 1)
        restart_azurite(bench, 5 if long else 1)
        clear(bench)
        if long:
            bench.wait_until_empty()


if __name__ == "__main__":
    main()
