"""A cleaning job's life, from its queue message to its end, on either path."""

import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol

import msgspec

from backend import lake_paths
from backend.data_routing import DataRouter
from backend.domain.errors import (
    Conflict,
    ConservationViolated,
    InvalidMessage,
    MalformedPart,
    NotFound,
    PartsMissing,
    ResultOverflow,
)
from backend.domain.jobs import Job, JobStatus, ProcessingPath
from backend.domain.messages import MAX_DELIVERIES, CleaningMessage
from backend.ports import DatasetStore, FileSystem, JobProgressStore, LakeFile
from backend.services.cleaned_dataset import CleanedDataset, OnProgress, PastSmallPath
from backend.services.failure_words import words_for_owner
from backend.services.heartbeat import Heartbeat
from backend.services.progress import cleaning_steps

_log = logging.getLogger(__name__)

_HOPELESS = (MalformedPart, ConservationViolated, ResultOverflow, NotFound)
_SHOWN_EVERY = timedelta(milliseconds=250)


class DatasetCleaner(Protocol):
    """One engine with its storage."""

    def clean(
        self, message: CleaningMessage, parts: Sequence[LakeFile], attempt: int, on_progress: OnProgress
    ) -> CleanedDataset:
        """Clean a dataset into every output, the manifest last.

        Args:
            message: which dataset, for which job, as of when.
            parts: in the order of their names' UTF-8 bytes.
            attempt: 1 when nobody has begun to write the outputs before.
            on_progress: told of every step.

        Raises:
            PastSmallPath: it is too large for this engine; nothing is written.
            MalformedPart, ConservationViolated, ResultOverflow: nothing counts; trying again can't help.
        """


class CleaningService:
    """Cleans the dataset of one message after another."""

    def __init__(
        self,
        bronze: FileSystem,
        lake: FileSystem,
        jobs: JobProgressStore,
        datasets: DatasetStore,
        router: DataRouter,
        cleaner: DatasetCleaner,
        heartbeat: Heartbeat,
        clock: Callable[[], datetime],
    ) -> None:
        self._bronze = bronze
        self._lake = lake
        self._jobs = jobs
        self._datasets = datasets
        self._router = router
        self._cleaner = cleaner
        self._heartbeat = heartbeat
        self._clock = clock

    def run(self, message: CleaningMessage, delivery: int) -> None:
        """Clean one dataset, or find that it is done already.

        Args:
            message: what the queue delivered.
            delivery: how often it has been delivered, this time included; when the last delivery fails
                the job has failed.

        Raises:
            InvalidMessage: there is no such job, or it was deleted in the meantime.
            Exception: whatever went wrong that another attempt may mend, so that the queue tries again.
        """
        job = self._jobs.get(message.user_id, message.job_id)
        if job is None:
            raise InvalidMessage(f"there is no job {message.job_id}")
        if self._is_done(job) or _is_elsewhere(job, message) or self._is_in_hand(job):
            _log.info("job %s is %s already", job.job_id, job.status)
            return
        try:
            self._try_to_clean(message, delivery)
        except NotFound as error:
            self._take_back(message)
            raise InvalidMessage(f"job {message.job_id} was deleted while it was worked on") from error

    def _try_to_clean(self, message: CleaningMessage, delivery: int) -> None:
        """Clean, and let the job say what became of it. Raises NotFound when there is no job any more."""
        try:
            self._clean(message)
        except _HOPELESS as error:
            reason = words_for_owner(error)
            self._change(message, lambda current: current.failed(self._clock(), reason))
        except Exception as error:
            reason = words_for_owner(error)
            self._change(message, lambda current: self._after_attempt(current, delivery, reason))
            raise

    def _clean(self, message: CleaningMessage) -> None:
        parts = self._parts(message)
        own_steps = cleaning_steps(len(parts))
        job = self._change(
            message, lambda current: current.started(self._clock(), "reading bronze", own_steps)
        )
        if self._is_done(job):  # another worker was quicker
            return
        steps = _Steps(self._jobs, job, own_steps, self._clock)
        try:
            with self._heartbeat.during(lambda: self._beat(message)):
                cleaned = self._cleaner.clean(message, parts, job.attempts, steps.show)
        except PastSmallPath as reason:
            self._pass_on(message, str(reason))
            return
        self._finish(message, cleaned)

    def _beat(self, message: CleaningMessage) -> None:
        self._change(message, lambda current: current.beating(self._clock()))

    def _is_in_hand(self, job: Job) -> bool:
        """Whether another worker was heard of just now; should it die, the job gets another message."""
        if job.status is not JobStatus.PROCESSING or job.heartbeat_at is None:
            return False
        return self._clock() - job.heartbeat_at < self._heartbeat.stale_after

    def _is_done(self, job: Job) -> bool:
        """Whether the job has failed, or Gold is complete with its manifest.

        A worker that came late may have withdrawn the manifest and died; then it is written again.
        """
        if job.status not in (JobStatus.LOADING, JobStatus.COMPLETED):
            return job.status is JobStatus.FAILED
        paths = lake_paths.job_outputs(job.user_id, job.parent_job_id, job.job_id)
        return any(file.path == paths.manifest for file in self._lake.list_files(paths.gold_folder))

    def _parts(self, message: CleaningMessage) -> Sequence[LakeFile]:
        folder = lake_paths.bronze_dataset(message.user_id, message.parent_job_id)
        files = [file for file in self._bronze.list_files(folder) if file.path.endswith(".json")]
        if not files:
            raise NotFound(f"dataset {message.parent_job_id} has no parts in Bronze")
        self._check(message, len(files))
        return sorted(files, key=lambda file: lake_paths.file_name(file.path).encode())

    def _check(self, message: CleaningMessage, parts: int) -> None:
        """Raises what another attempt may find mended. One that was put into Bronze by hand is not known."""
        dataset = self._datasets.get(message.user_id, message.parent_job_id)
        if dataset is None:
            return
        if dataset.deleted_at is not None:
            # Marked when the job had just been taken in. Who saw the job in time takes the mark back.
            raise Conflict("the dataset is being deleted", "dataset_deleted")
        if parts < dataset.total_chunks:
            raise PartsMissing(f"only {parts} of the dataset's {dataset.total_chunks} parts are in Bronze")

    def _pass_on(self, message: CleaningMessage, reason: str) -> None:
        """Hand a dataset that is too large to the large path, and let the job say so."""
        path = ProcessingPath.LARGE_BATCH
        queue_name = self._router.config(path).queue_name
        stage = f"passed on to the large path: {reason}"
        job = self._change(
            message,
            # Another worker on the same job may have passed it on first, and the large path cleaned it.
            lambda current: (
                current
                if current.status.is_past_cleaning
                else current.queued(self._clock(), path, queue_name, stage)
            ),
        )
        if not job.status.is_past_cleaning:
            self._router.queue_message_to_path(path, msgspec.structs.replace(message, processing_path=path))

    def _finish(self, message: CleaningMessage, cleaned: CleanedDataset) -> None:
        measurements = {"jobId": message.job_id, **cleaned.measurements}
        self._lake.write(
            self._metrics(message), msgspec.json.format(msgspec.json.encode(measurements), indent=2)
        )
        self._change(
            message,
            lambda current: current.cleaned(self._clock(), cleaned.counts, cleaned.quality_score),
        )

    def _take_back(self, message: CleaningMessage) -> None:
        """Remove what was written for a job that is deleted: whoever deleted it may have been here before."""
        paths = lake_paths.job_outputs(message.user_id, message.parent_job_id, message.job_id)
        for path in (paths.gold_folder, paths.silver, paths.quarantine):
            self._lake.remove(path)
        self._lake.delete_file(self._metrics(message))

    def _metrics(self, message: CleaningMessage) -> str:
        return lake_paths.transformation_metrics(message.as_of.astimezone(UTC).date(), message.job_id)

    def _after_attempt(self, job: Job, delivery: int, reason: str) -> Job:
        now = self._clock()
        return job.failed(now, reason) if delivery >= MAX_DELIVERIES else job.attempt_failed(now, reason)

    def _change(self, message: CleaningMessage, change: Callable[[Job], Job]) -> Job:
        return self._jobs.update(message.user_id, message.job_id, change)


def _is_elsewhere(job: Job, message: CleaningMessage) -> bool:
    """Whether the other path has the job in hand: it was passed on, and this message came once more."""
    return job.status is JobStatus.PROCESSING and job.processing_path is not message.processing_path


class _Steps:
    """Shows a job's progress now and then; steps that come before cleaning are done already."""

    def __init__(
        self, jobs: JobProgressStore, job: Job, own_steps: int, clock: Callable[[], datetime]
    ) -> None:
        self._jobs = jobs
        self._job = job
        self._clock = clock
        self._before = job.progress_total - own_steps
        self._shown_at = clock()

    def show(self, stage: str, done: int) -> None:
        now = self._clock()
        if now - self._shown_at < _SHOWN_EVERY:
            return
        self._shown_at = now
        self._jobs.update(
            self._job.user_id,
            self._job.job_id,
            lambda current: current.progressed(stage, self._before + done),
        )
