"""Loading the Gold of finished jobs into the databases where it is used."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from threading import Lock
from typing import TYPE_CHECKING

import msgspec

from backend import lake_paths
from backend.domain.errors import LoadMismatch, NotFound, Unavailable, ValueTooLong
from backend.domain.jobs import Destination, Job, JobStatus
from backend.ports import FileSystem, GoldDestination, GoldTable, JobProgressStore, LoadedDataset
from backend.services.failure_words import words_for_owner
from backend.services.heartbeat import Heartbeat
from backend.services.table_reading import TableReader
from backend.telemetry import traces
from backend.telemetry.job_work import working_on
from backend.transformations.gold_tables import TABLES
from backend.transformations.manifest import Manifest, Output

if TYPE_CHECKING:
    import pyarrow as pa

_log = logging.getLogger(__name__)

_FIRST_PAUSE = timedelta(seconds=5)
_LONGEST_PAUSE = timedelta(minutes=10)
# An HTTP function has to answer within 230 s; a load that has begun is not broken off.
_STEP = timedelta(seconds=60)

# Of all of a job's Gold files together; a small job's are half of it.
_READ_ONCE_BYTES = 8 << 20

_REWRITTEN = "the job's outputs are being written again"


class LoadOutcome(Enum):
    """What came of the attempt to load one job."""

    LOADED = "loaded"
    PUT_OFF = "put off"
    REFUSED = "refused"
    NOT_DUE = "not due"


class LoadStep(msgspec.Struct, rename="camel", kw_only=True):
    """What one step found and did, in jobs.

    Attributes:
        status: `working` when time ran out before every job that could be loaded was; else `empty`.
        loaded: jobs whose Gold is now in every destination.
        put_off: jobs that a destination could not take now.
        refused: jobs that have failed, because a destination will never take them.
        waiting: jobs that are left alone: somebody loads them, or the time for another attempt has not come.
        jobs: the ids of those that were loaded, put off or refused.
    """

    status: str = "empty"
    loaded: int = 0
    put_off: int = 0
    refused: int = 0
    waiting: int = 0
    jobs: list[str] = []


class _NotDue(Exception):
    """The job does not wait to be loaded, or somebody is at it."""


@dataclass(frozen=True, slots=True)
class _LakeTable:
    """Implements `GoldTable` with files of the lake."""

    reader: TableReader
    output: Output

    @property
    def name(self) -> str:
        return self.output.table

    @property
    def rows(self) -> int:
        return self.output.rows

    @property
    def files(self) -> tuple[str, ...]:
        return tuple(file.path for file in self.output.files)

    def batches(self) -> "Iterator[pa.RecordBatch]":
        return self.reader.batches(self.output.files)


class _TableReadOnce:
    """Implements `GoldTable` with a small table of the lake, which is held once it has been read."""

    def __init__(self, table: _LakeTable) -> None:
        self.name = table.name
        self.rows = table.rows
        self.files = table.files
        self._table = table
        self._held: tuple[pa.RecordBatch, ...] | None = None
        self._reading = Lock()

    def batches(self) -> "Iterator[pa.RecordBatch]":
        with self._reading:
            if self._held is None:
                self._held = tuple(self._table.batches())
        return iter(self._held)


class LoadingService:
    """Loads jobs, one at a time.

    Whoever begins a load has the job for as long as they are heard of; then somebody else begins again.
    Loading twice changes nothing in a destination, so that a worker that is only slow does no harm.
    """

    def __init__(
        self,
        jobs: JobProgressStore,
        lake: FileSystem,
        reader: TableReader,
        destinations: Mapping[Destination, GoldDestination],
        *,
        heartbeat: Heartbeat,
        clock: Callable[[], datetime],
    ) -> None:
        self._jobs = jobs
        self._lake = lake
        self._reader = reader
        self._destinations = destinations
        self._heartbeat = heartbeat
        self._clock = clock

    def step(self) -> LoadStep:
        """Load the jobs that wait for it, until a minute has passed.

        Raises:
            ExceptionGroup: what went wrong with some jobs beyond their destinations; they are put off too.
        """
        end = self._clock() + _STEP
        done = LoadStep()
        failures: list[Exception] = []
        for entry in self._jobs.open_jobs():
            if entry.status is not JobStatus.LOADING:
                continue
            if entry.quiet_since > self._clock():
                done.waiting += 1
                continue
            if self._clock() >= end:
                done.status = "working"
                break
            try:
                if (job := self._jobs.look_at(entry)) is not None:
                    _count(done, job, self.load(job.user_id, job.job_id))
            except Exception as error:  # noqa: BLE001 - raised below: it must not keep the others from their turn
                if self._jobs.get(entry.user_id, entry.job_id) is not None:
                    failures.append(error)
        if failures:
            raise ExceptionGroup(f"{len(failures)} jobs could not be loaded", failures)
        return done

    def load(self, user_id: str, job_id: str) -> LoadOutcome:
        """Load one job, if it waits for that and nobody is at it.

        Raises:
            NotFound: there is no such job.
            Exception: whatever went wrong beyond the destinations; the job is put off.
        """
        try:
            job = self._jobs.update(user_id, job_id, self._begun)
        except _NotDue:
            return LoadOutcome.NOT_DUE
        if not job.load_broken_off:
            return LoadOutcome.PUT_OFF
        try:
            with working_on(job, "load gold"):
                return self._load(job)
        except Exception as error:
            self._put_off(job, words_for_owner(error))
            raise

    def _begun(self, job: Job) -> Job:
        now = self._clock()
        if not job.can_be_loaded(now):
            raise _NotDue
        if job.load_broken_off and job.load_attempts > 1:
            # Whatever it is that ends loaders, such as too little memory, must not do so without a pause.
            reason = f"{job.load_attempts} loads have begun, and the last one was broken off"
            return job.load_put_off(now + _pause(job), reason)
        return job.load_begun(now + self._heartbeat.stale_after)

    def _load(self, job: Job) -> LoadOutcome:
        tables = self._tables(job)
        missing: list[str] = []
        for destination, load in self._loads(job, _shared(tables)):
            try:
                load.result()
            except Unavailable as error:
                _log.warning("job %s is not in %s: %s", job.job_id, destination.name, error)
                missing.append(f"{destination.name}: {error}")
            except LoadMismatch as error:
                if tables != self._tables(job):
                    raise Unavailable(_REWRITTEN) from error
                return self._refuse(job, str(error))
            except ValueTooLong as error:
                return self._refuse(job, str(error))
        if missing:
            return self._put_off(job, "; ".join(missing))
        self._change(job, lambda current: self._completed(job, current))
        return LoadOutcome.LOADED

    def _loads(self, job: Job, tables: Sequence[GoldTable]) -> list[tuple[GoldDestination, "Future[None]"]]:
        """A load for each destination that lacks the job, all at once; every one has ended."""
        lacking = {
            name: destination
            for name, destination in self._destinations.items()
            if job.loaded_at(name) is None
        }
        with (
            self._heartbeat.during(lambda: self._beat(job)),
            ThreadPoolExecutor(max(len(lacking), 1), thread_name_prefix="load") as threads,
        ):
            return [
                (destination, threads.submit(copy_context().run, self._load_into, name, job, tables))
                for name, destination in lacking.items()
            ]

    def _completed(self, begun: Job, current: Job) -> Job:
        # A loader that stood still for long may find the job retried, and cleaned anew.
        is_the_same = current.status is JobStatus.LOADING and current.cleaned_at == begun.cleaned_at
        return current.completed(self._clock()) if is_the_same else current

    def _load_into(self, name: Destination, job: Job, tables: Sequence[GoldTable]) -> None:
        destination = self._destinations[name]
        dataset = LoadedDataset(job.user_id, job.parent_job_id, job.job_id, job.as_of)
        with traces.span("loading", destination=destination.name):
            took = destination.load(dataset, tables)
        if not took:
            _log.info("%s holds a later job's rows than job %s's", destination.name, job.job_id)
        self._loaded(job, name, took)

    def _beat(self, job: Job) -> None:
        until = self._clock() + self._heartbeat.stale_after
        self._change(job, lambda current: current.load_goes_on(until))

    def _tables(self, job: Job) -> list[_LakeTable]:
        paths = lake_paths.job_outputs(job.user_id, job.parent_job_id, job.job_id)
        try:
            manifest = Manifest.decode(self._lake.read(paths.manifest))
        except NotFound as error:
            raise Unavailable(_REWRITTEN) from error
        return [_LakeTable(self._reader, output) for output in manifest.outputs if output.table in TABLES]

    def _loaded(self, job: Job, destination: Destination, took: bool) -> None:
        try:
            self._change(job, lambda current: current.loaded(destination, self._clock()))
        except NotFound:
            # Deleted in the meantime: whoever did that may have been at the destination before.
            if took:
                self._destinations[destination].remove(job.user_id, job.parent_job_id)
            raise

    def _put_off(self, job: Job, reason: str) -> LoadOutcome:
        until = self._clock() + _pause(job)
        self._change(job, lambda current: current.load_put_off(until, reason))
        return LoadOutcome.PUT_OFF

    def _refuse(self, job: Job, reason: str) -> LoadOutcome:
        _log.error("job %s: %s", job.job_id, reason)
        self._change(job, lambda current: current.load_refused(self._clock(), reason))
        return LoadOutcome.REFUSED

    def _change(self, job: Job, change: Callable[[Job], Job]) -> Job:
        return self._jobs.update(job.user_id, job.job_id, change)


def _shared(tables: Sequence[_LakeTable]) -> Sequence[GoldTable]:
    """As several destinations read them: each a batch at a time, unless they are small."""
    size = sum(file.bytes for table in tables for file in table.output.files)
    return tables if size > _READ_ONCE_BYTES else [_TableReadOnce(table) for table in tables]


def _pause(job: Job) -> timedelta:
    doublings: int = 2 ** min(job.load_attempts - 1, 10)
    return min(_FIRST_PAUSE * doublings, _LONGEST_PAUSE)


def _count(done: LoadStep, job: Job, outcome: LoadOutcome) -> None:
    match outcome:
        case LoadOutcome.LOADED:
            done.loaded += 1
        case LoadOutcome.PUT_OFF:
            done.put_off += 1
        case LoadOutcome.REFUSED:
            done.refused += 1
        case LoadOutcome.NOT_DUE:
            done.waiting += 1
            return
    done.jobs.append(job.job_id)
