"""Sample datasets: planned as chunks on a queue, and made one part at a time by whichever worker is free."""

import logging
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime

from backend import lake_paths
from backend.domain.datasets import Dataset, DatasetStatus, SampleRecipe
from backend.domain.errors import Conflict, InvalidMessage, NotFound
from backend.domain.identifiers import new_job_id
from backend.domain.jobs import Job, JobKind, JobStatus
from backend.domain.messages import MAX_DELIVERIES, GenerationMessage
from backend.ports import DatasetStore, FileSystem, JobProgressStore, MessageQueues
from backend.services.dispatching import NOT_SENT, JobDispatcher
from backend.services.failure_words import words_for_owner
from backend.services.generation_plan import (
    GenerationPlan,
    dataset_to_generate,
    new_recipe,
    part_messages,
)
from backend.services.open_job_limit import OpenJobLimit
from backend.services.progress import generating_and_cleaning_steps
from backend.telemetry import traces

DEFAULT_ERROR_RATE = 0.05
"""The share of sample records with something wrong, when nobody says."""

_STAGE = "generating sample data"

_log = logging.getLogger(__name__)


class GenerationService:
    """Asks for sample datasets and makes them.

    Delivery is at least once. Making a part again writes the same bytes, and what follows (see
    `advance`) looks at what is there rather than at what was done, so that a message delivered again
    heals whatever the first attempt left out.
    """

    def __init__(
        self,
        bronze: FileSystem,
        jobs: JobProgressStore,
        datasets: DatasetStore,
        queues: MessageQueues,
        dispatcher: JobDispatcher,
        limit: OpenJobLimit,
        *,
        queue_name: str,
        batch_size: int,
        clock: Callable[[], datetime],
    ) -> None:
        self._bronze = bronze
        self._jobs = jobs
        self._datasets = datasets
        self._queues = queues
        self._dispatcher = dispatcher
        self._limit = limit
        self._queue_name = queue_name
        self._batch_size = batch_size
        self._clock = clock

    def request(
        self, user_id: str, data_count: int, error_rate: float, seed: int | None = None
    ) -> GenerationPlan:
        """Ask for a sample dataset of its own, with a job of kind GENERATE that tells how far it is.

        Raises:
            TooManyOpenJobs: the user has as many jobs under way as they may have.
        """
        self._limit.check(user_id)
        now = self._clock()
        job = Job(
            user_id=user_id,
            job_id=new_job_id(now),
            parent_job_id=new_job_id(now),
            job_name=f"{data_count} sample records",
            kind=JobKind.GENERATE,
            status=JobStatus.GENERATING,
            stage=_STAGE,
            record_count=data_count,
            as_of=now,
            submitted_at=now,
            queue_name=self._queue_name,
            trace_parent=traces.trace_parent(),
        )
        self._jobs.add(job)
        return self.generate_for(job, error_rate, seed)

    def generate_for(self, job: Job, error_rate: float, seed: int | None = None) -> GenerationPlan:
        """Ask for the dataset that `job` waits for: `job.record_count` sample records.

        The job is in JobProgress already, with status `generating`. Asking again for the same job (after a
        failure in between) gives the same data.
        When the dataset can't be asked for, the job has failed, so that it does not wait forever and
        can be retried.
        """
        return self._generate(job, new_recipe(job, error_rate, seed, self._batch_size))

    def _generate(self, job: Job, recipe: SampleRecipe) -> GenerationPlan:
        try:
            return self._asked_for(job, recipe)
        except Exception:
            self._fail(job, NOT_SENT)
            raise

    def _asked_for(self, job: Job, recipe: SampleRecipe, leave_out: Collection[str] = ()) -> GenerationPlan:
        messages = part_messages(job, recipe)
        self._show_progress(job, len(leave_out), len(messages))
        if self._datasets.get(job.user_id, job.parent_job_id) is None:
            self._datasets.add(dataset_to_generate(job, recipe, len(messages), self._clock()))
        for message in messages:
            if message.part_id not in leave_out:
                self._queues.send(self._queue_name, message.encode())
        return GenerationPlan(
            parent_job_id=job.parent_job_id,
            job_id=job.job_id,
            part_ids=tuple(message.part_id for message in messages),
            status=job.status,
            total_count=job.record_count,
            batch_size=recipe.chunk_size,
        )

    def generate_again(self, job: Job) -> Job:
        """Ask again for the sample data that a failed job waited for; it is the same data, in the same parts.

        Of two callers at a time one sets the job going; the other one finds that it is no longer failed, and
        changes nothing. Nothing in Bronze is deleted: who waits for the same dataset may be reading it.

        Raises:
            Conflict: nobody knows what the data was to be.
        """
        recipe = self._recipe(job)
        now = self._clock()
        won = False

        def claimed(current: Job) -> Job:
            nonlocal won
            won = current.status is JobStatus.FAILED
            return current.waiting_for_data(now, _STAGE) if won else current

        waiting = self._jobs.update(job.user_id, job.job_id, claimed)
        if won:
            if self._datasets.get(job.user_id, job.parent_job_id) is not None:
                self._datasets.update(job.user_id, job.parent_job_id, Dataset.generating_again)
            self._generate(waiting, recipe)
        return waiting

    def resume(self, job: Job) -> None:
        """Make up for whatever was left out since somebody asked for the data that a job waits for.

        Parts that are missing are asked for again, which is harmless where their messages are only waiting.

        Raises:
            Conflict: nobody knows what the data was to be.
        """
        recipe = self._recipe(job)
        if self._datasets.get(job.user_id, job.parent_job_id) is None:
            self._asked_for(job, recipe)
            return
        self.advance(job.user_id, job.parent_job_id)
        dataset = self._datasets.get(job.user_id, job.parent_job_id)
        if dataset is None or dataset.status is DatasetStatus.FAILED:
            raise Conflict("the dataset could not be generated", "dataset_failed")
        if dataset.status is not DatasetStatus.READY:
            self._asked_for(job, recipe, leave_out=self._parts_there(job))

    def _parts_there(self, job: Job) -> set[str]:
        files = self._bronze.list_files(lake_paths.bronze_dataset(job.user_id, job.parent_job_id))
        return {lake_paths.file_name(file.path).removesuffix(".json") for file in files}

    def _recipe(self, job: Job) -> SampleRecipe:
        dataset = self._datasets.get(job.user_id, job.parent_job_id)
        if dataset is not None:
            if dataset.recipe is None:
                raise Conflict(
                    "the dataset can't be made again: upload it, or ask for a new one", "dataset_failed"
                )
            return dataset.recipe
        if job.kind is JobKind.GENERATE:
            raise Conflict("nothing is known of the dataset: ask for a new one", "dataset_failed")
        return new_recipe(job, DEFAULT_ERROR_RATE, None, self._batch_size)

    def run(self, message: GenerationMessage, delivery: int) -> None:
        """Make one part, then let everything that waits for the dataset know.

        Args:
            message: what the queue delivered.
            delivery: how often it has been delivered, this time included. When the last delivery
                fails, the dataset and the jobs that wait for it have failed.

        Raises:
            InvalidMessage: the job or its dataset does not exist.
        """
        # Here and not above: the API asks for datasets and never makes one, so it need not wait for numpy.
        from backend.sample_data.generator import generate_chunk

        user_id, parent_job_id = message.user_id, message.parent_job_id
        if self._jobs.get(user_id, message.job_id) is None:
            raise InvalidMessage(f"there is no job {message.job_id}")
        if self._is_gone(user_id, parent_job_id):
            raise InvalidMessage(f"there is no dataset {parent_job_id}")
        try:
            part = generate_chunk(
                message.seed, message.first_record, message.record_count, message.error_rate
            )
            self._bronze.write(lake_paths.bronze_part(user_id, parent_job_id, message.part_id), part)
        except Exception as error:
            if delivery >= MAX_DELIVERIES:
                self._give_up(message, error)
            raise
        try:
            self.advance(user_id, parent_job_id, message.part_id)
        except NotFound as error:
            if not self._is_gone(user_id, parent_job_id):
                raise
            # Deleted while the part was made, and there once more by now.
            self._bronze.delete_folder(lake_paths.bronze_dataset(user_id, parent_job_id))
            raise InvalidMessage(f"there is no dataset {parent_job_id}") from error

    def advance(self, user_id: str, parent_job_id: str, part_id: str | None = None) -> None:
        """Show the waiting jobs how many parts are there; when all are, set those jobs going.

        Parts that are made at the same time all see the last one come. Only the one that the dataset
        remembers sends the jobs, or each would be cleaned as often as there were such parts. A message
        delivered again has the same part, and so makes up for a crash in between.

        Whoever adds a job to a dataset that is being generated calls this afterwards without a part,
        since the last one may have come in between.

        Raises:
            NotFound: there is no such dataset.
        """
        files = self._bronze.list_files(lake_paths.bronze_dataset(user_id, parent_job_id))
        dataset = self._datasets.update(
            user_id, parent_job_id, lambda current: _with_parts(current, len(files), part_id)
        )
        mine = part_id is None or dataset.completed_by in (None, part_id)
        for job in self._waiting_jobs(user_id, parent_job_id):
            self._show_progress(job, len(files), dataset.total_chunks)
            if mine and dataset.status is DatasetStatus.READY:
                self._release(job)

    def _is_gone(self, user_id: str, parent_job_id: str) -> bool:
        dataset = self._datasets.get(user_id, parent_job_id)
        return dataset is None or dataset.deleted_at is not None

    def _waiting_jobs(self, user_id: str, parent_job_id: str) -> list[Job]:
        jobs = self._jobs.of_dataset(user_id, parent_job_id)
        return [job for job in jobs if job.status is JobStatus.GENERATING]

    def _show_progress(self, job: Job, done: int, parts: int) -> None:
        now = self._clock()
        self._jobs.update(job.user_id, job.job_id, lambda current: _shown(current, done, parts, now))

    def _release(self, job: Job) -> None:
        if job.kind is JobKind.CLEAN:
            self._dispatcher.dispatch(job.user_id, job.job_id)
            return
        now = self._clock()
        self._jobs.update(
            job.user_id,
            job.job_id,
            lambda current: current.completed(now),
        )

    def _give_up(self, message: GenerationMessage, error: Exception) -> None:
        reason = f"part {message.part_id} could not be generated: {words_for_owner(error)}"
        _log.error("dataset %s of job %s: %s", message.parent_job_id, message.job_id, reason)
        dataset = self._datasets.update(message.user_id, message.parent_job_id, Dataset.failed)
        if dataset.status is DatasetStatus.FAILED:
            for job in self._waiting_jobs(message.user_id, message.parent_job_id):
                self._fail(job, reason)

    def _fail(self, job: Job, reason: str) -> None:
        now = self._clock()
        self._jobs.update(
            job.user_id,
            job.job_id,
            lambda current: (
                current.failed(now, reason) if current.status is JobStatus.GENERATING else current
            ),
        )


def _with_parts(dataset: Dataset, parts: int, part_id: str | None) -> Dataset:
    if dataset.deleted_at is not None:
        raise NotFound(f"there is no dataset {dataset.parent_job_id}")
    return dataset.ready(part_id) if parts >= dataset.total_chunks else dataset


def _shown(job: Job, done: int, parts: int, now: datetime) -> Job:
    if job.status is not JobStatus.GENERATING:
        return job
    steps = parts if job.kind is JobKind.GENERATE else generating_and_cleaning_steps(parts)
    shown = replace(job, progress_total=max(job.progress_total, steps)).progressed(_STAGE, done)
    return replace(shown, heartbeat_at=now) if shown != job else job
