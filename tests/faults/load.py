"""Many users submit jobs of all sizes at once while the workers are killed; then every job is accounted for.

`python -m tests.faults.load [--long]`. The users are threads, each with a connection of its own to a real
stack.
"""

import argparse
import random
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

import duckdb
import psutil
from sqlalchemy import func, select

from backend import lake_paths
from backend.adapters.database_engine import open_engine
from backend.adapters.duckdb_warehouse import open_file
from backend.adapters.operational_schema import GOLD
from backend.bootstrap import Services, build_services
from backend.configured_adapters import queue_names
from backend.domain.jobs import Job, JobStatus
from backend.settings import Settings
from backend.transformations.manifest import Manifest
from tests.e2e.api_user import ApiUser
from tests.e2e.running_stack import RunningStack
from tests.faults.findings import Finding, record
from tests.waiting import wait_until

_SEED = 20261123
_SMALL_LIMIT = 2_000
_LARGE_RECORDS = _SMALL_LIMIT + 500
_WORKER = "backend.local.functions_host.worker"

MOST_MEDIANS = 5
"""How many times the median the 99th percentile of the answers to `POST /clean_data` may be."""

RowCounts = dict[tuple[str, str], dict[str, int]]


@dataclass(frozen=True)
class Scale:
    """How much is asked of the stack, and how long it may take.

    Attributes:
        seconds_between_kills: at least and at most; one takes all that the worker has in hand, sixteen jobs
            at most.
    """

    users: int
    jobs_each: int
    large_jobs: int
    seconds: float
    seconds_between_kills: tuple[float, float]

    @property
    def jobs(self) -> int:
        """All of them."""
        return self.users * self.jobs_each


SHORT = Scale(users=10, jobs_each=4, large_jobs=1, seconds=180, seconds_between_kills=(2.0, 10.0))
LONG = Scale(users=50, jobs_each=20, large_jobs=4, seconds=2400, seconds_between_kills=(10.0, 45.0))


class WorkerKiller:
    """Kills a random one of a stack's Functions workers every few seconds."""

    def __init__(self, stack: RunningStack, seconds_between: tuple[float, float]) -> None:
        self.kills = 0
        self._stack = stack
        self._seconds_between = seconds_between
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "WorkerKiller":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        chance = random.Random(_SEED)
        while not self._ended.wait(chance.uniform(*self._seconds_between)):
            workers = [process for process in self._stack.processes() if _is_worker(process)]
            if workers:
                chance.choice(workers).kill()
                self.kills += 1


def _is_worker(process: psutil.Process) -> bool:
    try:
        return _WORKER in process.cmdline()
    except psutil.Error:
        return False


@dataclass
class Submitted:
    """One user's accepted jobs: how many records each has, by id, and how long each answer took."""

    user: ApiUser
    records: dict[str, int]
    seconds: list[float]


def submit(url: str, sizes: list[int]) -> Submitted:
    """Submit jobs one after another, as fast as the answers come."""
    submitted = Submitted(ApiUser(url), {}, [])
    for size in sizes:
        began = time.perf_counter()
        answer = submitted.user.clean(dataCount=size)
        submitted.seconds.append(time.perf_counter() - began)
        submitted.records[answer["jobId"]] = size
    return submitted


def sizes(scale: Scale) -> list[list[int]]:
    """How many records the jobs of each user have: most few, some thousands, and those of the large path."""
    chance = random.Random(_SEED)
    numbers = [round(10 ** chance.uniform(0, 3.3)) for _ in range(scale.jobs - scale.large_jobs)]
    numbers = [min(number, _SMALL_LIMIT) for number in numbers] + [_LARGE_RECORDS] * scale.large_jobs
    chance.shuffle(numbers)
    return [numbers[at : at + scale.jobs_each] for at in range(0, scale.jobs, scale.jobs_each)]


def run(stack: RunningStack, scale: Scale) -> list[Submitted]:
    """Submit everything at once, kill workers until all has ended, and check each job."""
    services = build_services(
        Settings.from_environment({"AZURE_STORAGE_CONNECTION_STRING": stack.addresses.connection_string})
    )
    began = time.monotonic()
    killer = WorkerKiller(stack, scale.seconds_between_kills)
    with killer, ThreadPoolExecutor(scale.users) as threads:
        everything = list(threads.map(lambda each: submit(stack.url, each), sizes(scale)))
        watch(services, everything, scale.seconds)
    took = time.monotonic() - began
    assert killer.kills > 0
    jobs = check(stack, services, everything)
    attempts = sum(job.attempts > 1 for job in jobs)
    record(
        Finding(
            "Load",
            f"{scale.jobs} jobs of 1 to {_LARGE_RECORDS:,} records from {scale.users} users at once,"
            f" with {killer.kills} workers killed",
            scale.jobs,
            f"every job completed once with true counts in {took:.0f} s, {attempts} of them after another"
            " attempt; each one's rows once in both databases; queues and poison queues empty",
        )
    )
    return everything


def watch(services: Services, everything: list[Submitted], seconds: float) -> None:
    """Wait until every job has ended; progress never goes back meanwhile."""
    done: dict[str, int] = {}
    waiting = {each.user.user_id: set(each.records) for each in everything}

    def all_have_ended() -> bool:
        for user_id in sorted(waiting):
            for job in services.jobs.page(user_id, None, 1000, None):
                assert job.progress_done >= done.get(job.job_id, 0), f"the progress of {job.job_id} went back"
                done[job.job_id] = job.progress_done
                if job.status.is_final:
                    waiting[user_id].discard(job.job_id)
        return not any(waiting.values())

    try:
        # Not more often: what looks takes from what works.
        wait_until(all_have_ended, seconds, pause=3)
    except AssertionError:
        print(f"waiting for {waiting}")
        raise


def check(stack: RunningStack, services: Services, everything: list[Submitted]) -> list[Job]:
    """Every job is what its row, its manifest and both databases say; the jobs."""
    sqlite, warehouse = _rows_in_sqlite(stack), _rows_in_warehouse(stack)
    jobs = []
    for each in everything:
        listed = services.jobs.page(each.user.user_id, None, 1000, None)
        assert sorted(job.job_id for job in listed) == sorted(each.records)
        assert len({job.parent_job_id for job in listed}) == len(listed)
        for job in listed:
            _check_job(services, job, each.records[job.job_id])
            rows = _rows_in_manifest(services, job)
            key = (job.parent_job_id, job.job_id)
            assert sqlite.pop(key) == rows
            assert warehouse.pop(key) == rows
            jobs.append(job)
    assert (sqlite, warehouse) == ({}, {})
    for name in queue_names(services.settings):
        wait_until(lambda name=name: services.queues.depth(name) == 0)
    return jobs


def _check_job(services: Services, job: Job, records: int) -> None:
    assert (job.status, job.error) == (JobStatus.COMPLETED, None)
    assert job.counts is not None
    assert (job.counts.records_in, job.counts.conserved) == (records, True)
    assert job.progress_done == job.progress_total
    paths = lake_paths.job_outputs(job.user_id, job.parent_job_id, job.job_id)
    manifest = Manifest.decode(services.lake.read(paths.manifest))
    assert manifest.counts.silver_rows == job.counts.silver_rows


def _rows_in_manifest(services: Services, job: Job) -> dict[str, int]:
    paths = lake_paths.job_outputs(job.user_id, job.parent_job_id, job.job_id)
    outputs = Manifest.decode(services.lake.read(paths.manifest)).outputs
    return {output.table: output.rows for output in outputs if output.table in GOLD and output.rows}


def _rows_in_sqlite(stack: RunningStack) -> RowCounts:
    found: RowCounts = {}
    engine = open_engine(f"sqlite:///{stack.state / 'orchestrator.sqlite'}")
    with engine.connect() as connection:
        for name, table in GOLD.items():
            ids = (table.c.dataset_id, table.c.job_id)
            for dataset, job, rows in connection.execute(select(*ids, func.count()).group_by(*ids)):
                found.setdefault((dataset, job), {})[name] = rows
    engine.dispose()
    return found


def _rows_in_warehouse(stack: RunningStack) -> RowCounts:
    with open_file(stack.state / "warehouse.duckdb", time.monotonic() + 60, read_only=True) as warehouse:
        return _grouped(warehouse)


def _grouped(warehouse: duckdb.DuckDBPyConnection) -> RowCounts:
    found: RowCounts = {}
    for name in GOLD:
        counts = f"SELECT dataset_id, job_id, count(*) FROM {name} GROUP BY ALL"
        for dataset, job, rows in warehouse.execute(counts).fetchall():
            found.setdefault((dataset, job), {})[name] = rows
    return found


def latencies(everything: list[Submitted]) -> tuple[float, float]:
    """The median and the 99th percentile of the answers to `POST /clean_data`, in seconds."""
    seconds = [each for submitted in everything for each in submitted.seconds]
    return median(seconds), quantiles(seconds, n=100)[98]


def record_latencies(everything: list[Submitted], scale: Scale) -> float:
    """What the users waited for their answers; the 99th percentile in medians."""
    half, most = latencies(everything)
    record(
        Finding(
            "Load",
            f"POST /clean_data by {scale.users} users at once, while the stack works",
            scale.jobs,
            f"median {half * 1000:.0f} ms, p99 {most * 1000:.0f} ms, {most / half:.1f} times the median",
        )
    )
    return most / half


def small_beside_large(stack: RunningStack, times: int) -> tuple[float, float]:
    """Seconds that a small job takes, in the median: alone, and while a large one is under way."""
    user = ApiUser(stack.url)
    alone = [_seconds(user) for _ in range(times)]
    large = user.clean(dataCount=60_000)["jobId"]
    wait_until(lambda: user.job(large)["status"] == "processing", 240)
    beside = [_seconds(user) for _ in range(times) if user.job(large)["status"] == "processing"]
    assert beside, "the large job was over before a small one had ended"
    job = user.job(large)
    wait_until(lambda: user.job(large)["status"] == "completed", 240)
    user.close()
    record(
        Finding(
            "Load",
            "a small job while one of 60,000 records is under way",
            len(beside),
            f"{median(beside):.1f} s in the median, alone {median(alone):.1f} s"
            f" (the large one was {job['status']} after the last)",
        )
    )
    return median(alone), median(beside)


def _seconds(user: ApiUser) -> float:
    began = time.monotonic()
    assert user.wait_for_end(user.clean(dataCount=100)["jobId"])["status"] == "completed"
    return time.monotonic() - began


def started(folder: Path) -> RunningStack:
    """A stack on which a few thousand records are many."""
    return RunningStack(folder / "state", SMALL_BATCH_RECORD_LIMIT=str(_SMALL_LIMIT))


def main() -> None:
    """Run the load, and record what came out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--long", action="store_true", help="1,000 jobs of 50 users, for some 20 minutes")
    scale = LONG if parser.parse_args().long else SHORT
    with tempfile.TemporaryDirectory() as folder, started(Path(folder)) as stack:
        stack.wait_ready()
        everything = run(stack, scale)
        ratio = record_latencies(everything, scale)
        small_beside_large(stack, 5)
    if ratio > MOST_MEDIANS:
        raise SystemExit(f"the 99th percentile is {ratio:.1f} times the median, and may be {MOST_MEDIANS}")


if __name__ == "__main__":
    main()
