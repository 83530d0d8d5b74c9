"""Submitting cleaning jobs, once or with an Idempotency-Key, and putting failed ones back on their way."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from hashlib import sha256

import msgspec

from backend.data_routing import DataRouter, RoutingDecision
from backend.domain.datasets import DatasetStatus
from backend.domain.errors import Conflict, InvalidRequest, NotFound
from backend.domain.identifiers import is_dataset_id, new_job_id
from backend.domain.jobs import Job, JobKind, JobStatus
from backend.ports import DatasetStore, IdempotencyClaim, IdempotencyStore, JobProgressStore
from backend.services.bronze_counting import BronzeCounter
from backend.services.dataset_catalogue import is_there, no_such_dataset
from backend.services.dispatching import JobDispatcher
from backend.services.generation import DEFAULT_ERROR_RATE, GenerationService
from backend.services.open_job_limit import OpenJobLimit
from backend.telemetry import traces

_STAGE = "waiting for its data"


@dataclass(frozen=True, slots=True)
class CleaningRequest:
    """What a caller asks to be cleaned: a dataset of theirs, or so many sample records."""

    data_count: int | None
    parent_job_id: str | None
    job_name: str | None

    def digest(self) -> str:
        """The same for the same request, however its body was spelled."""
        return sha256(msgspec.json.encode(asdict(self))).hexdigest()


@dataclass(frozen=True, slots=True)
class AcceptedJob:
    """A job, and where its size sends it."""

    job: Job
    decision: RoutingDecision


class SubmissionService:
    """Takes cleaning jobs in.

    Args:
        max_record_count: the greatest number of sample records.
    """

    def __init__(
        self,
        jobs: JobProgressStore,
        datasets: DatasetStore,
        idempotency: IdempotencyStore,
        bronze_counter: BronzeCounter,
        router: DataRouter,
        dispatcher: JobDispatcher,
        generation: GenerationService,
        limit: OpenJobLimit,
        *,
        max_record_count: int,
        clock: Callable[[], datetime],
    ) -> None:
        self._jobs = jobs
        self._datasets = datasets
        self._idempotency = idempotency
        self._bronze_counter = bronze_counter
        self._router = router
        self._dispatcher = dispatcher
        self._generation = generation
        self._limit = limit
        self._max_record_count = max_record_count
        self._clock = clock

    def submit(
        self, user_id: str, request: CleaningRequest, idempotency_key: str | None = None
    ) -> AcceptedJob:
        """Take a cleaning job in and set it going.

        With an idempotency key, the same request gives the same job, also when an earlier call was
        broken off before there was one.

        Raises:
            InvalidRequest: the request is not one that can be met.
            NotFound: the user has no such dataset.
            Conflict: the key was used for another request, or the dataset could not be generated.
            TooManyOpenJobs: the user has as many jobs under way as they may have.
        """
        self._check(request)
        claim = IdempotencyClaim(
            request.digest(), new_job_id(self._clock()), request.parent_job_id or new_job_id(self._clock())
        )
        if idempotency_key is not None:
            claim = self._claimed(user_id, idempotency_key, claim)
            job = self._jobs.get(user_id, claim.job_id)
            if job is not None:
                return self._accepted(self._healed(job))
        self._limit.check(user_id)
        job, data = self._new_job(user_id, claim, request)
        try:
            return self._accepted(self._started(job, data))
        except Conflict:
            # Another call with the same key was quicker.
            existing = self._jobs.get(user_id, claim.job_id)
            if existing is None:
                raise
            return self._accepted(existing)

    def retry(self, user_id: str, job_id: str) -> Job:
        """Put a failed job back on its way, from its data on if that is what it lacks.

        Raises:
            NotFound: the user has no such job, or its dataset is being deleted.
            Conflict: the job has not failed, or its data can't be made again.
            TooManyOpenJobs: the user has as many jobs under way as they may have.
        """
        job = self._jobs.get(user_id, job_id)
        if job is None:
            raise NotFound(f"there is no job {job_id}")
        if job.status is not JobStatus.FAILED:
            raise Conflict(
                f"the job is {job.status.value}; only a failed job can be retried", "job_not_failed"
            )
        self._limit.check(user_id)
        return self._again(job)

    def _check(self, request: CleaningRequest) -> None:
        if request.parent_job_id is not None:
            if not is_dataset_id(request.parent_job_id):
                raise no_such_dataset()
        elif request.data_count is None:
            raise InvalidRequest("send dataCount, or parentJobId, or both")
        if request.data_count is not None and request.data_count > self._max_record_count:
            raise InvalidRequest(f"dataCount has to be at most {self._max_record_count}")

    def _claimed(self, user_id: str, key: str, own: IdempotencyClaim) -> IdempotencyClaim:
        claim = self._idempotency.claim(user_id, key, own)
        if claim.body_digest != own.body_digest:
            raise Conflict(
                "this Idempotency-Key was used with another body: send a new key", "idempotency_conflict"
            )
        return claim

    def _new_job(
        self, user_id: str, claim: IdempotencyClaim, request: CleaningRequest
    ) -> tuple[Job, DatasetStatus | None]:
        """A job that is nowhere yet, and the state of its data; None when that is still to be asked for."""
        now = self._clock()
        if request.parent_job_id is None:
            record_count, data = request.data_count or 0, None
            name = f"{record_count} sample records"
        else:
            record_count, data = self._data(user_id, request.parent_job_id)
            name = f"Cleaning of {request.parent_job_id}"
        job = Job(
            user_id=user_id,
            job_id=claim.job_id,
            parent_job_id=claim.parent_job_id,
            job_name=request.job_name or name,
            kind=JobKind.CLEAN,
            status=JobStatus.GENERATING,
            stage=_STAGE,
            record_count=record_count,
            as_of=now,
            submitted_at=now,
            trace_parent=traces.trace_parent(),
        )
        return job, data

    def _data(self, user_id: str, parent_job_id: str) -> tuple[int, DatasetStatus]:
        dataset = self._datasets.get(user_id, parent_job_id)
        if dataset is None:
            count = self._bronze_counter.count(user_id, parent_job_id)
            if count is None:
                raise no_such_dataset()
            return count, DatasetStatus.READY
        if not is_there(dataset):
            raise no_such_dataset()
        if dataset.status is DatasetStatus.FAILED:
            raise Conflict(
                "the dataset could not be generated: retry the job that asked for it", "dataset_failed"
            )
        return dataset.record_count, dataset.status

    def _started(self, job: Job, data: DatasetStatus | None) -> Job:
        if data is DatasetStatus.READY:
            # Should the dataset be deleted at this moment, the worker finds that out.
            return self._dispatcher.add_and_send(job)
        decision = self._decision(job)
        job = replace(job, processing_path=decision.processing_path, queue_name=decision.queue_name)
        self._jobs.add(job)
        if data is None:
            self._generation.generate_for(job, DEFAULT_ERROR_RATE)
        else:
            self._withdraw_if_deleted(job)
            self._wait_for_data(job)
        return job

    def _withdraw_if_deleted(self, job: Job) -> None:
        """The dataset may have been deleted while the job was being added. Raises NotFound."""
        dataset = self._datasets.get(job.user_id, job.parent_job_id)
        if dataset is not None and dataset.deleted_at is not None:
            self._jobs.delete(job.user_id, job.job_id)
            raise no_such_dataset()

    def _wait_for_data(self, job: Job) -> None:
        """The last part may have come, or been given up, while the job was being added."""
        self._generation.advance(job.user_id, job.parent_job_id)
        dataset = self._datasets.get(job.user_id, job.parent_job_id)
        if dataset is None or dataset.status is DatasetStatus.FAILED:
            self._fail(job, "the dataset could not be generated")

    def _fail(self, job: Job, reason: str) -> None:
        now = self._clock()
        self._jobs.update(
            job.user_id,
            job.job_id,
            lambda current: (
                current.failed(now, reason) if current.status is JobStatus.GENERATING else current
            ),
        )

    def _healed(self, job: Job) -> Job:
        """A job that failed before any worker heard of it gets what an earlier call could not give it."""
        return self._again(job) if job.status is JobStatus.FAILED and job.attempts == 0 else job

    def _again(self, job: Job) -> Job:
        if job.kind is JobKind.CLEAN and self._has_data(job):
            return self._dispatcher.dispatch(job.user_id, job.job_id)
        return self._generation.generate_again(job)

    def _has_data(self, job: Job) -> bool:
        dataset = self._datasets.get(job.user_id, job.parent_job_id)
        if dataset is None:
            return self._bronze_counter.holds(job.user_id, job.parent_job_id)
        if not is_there(dataset):
            raise no_such_dataset()
        return dataset.status is DatasetStatus.READY

    def _accepted(self, job: Job) -> AcceptedJob:
        return AcceptedJob(job, self._decision(job))

    def _decision(self, job: Job) -> RoutingDecision:
        return self._router.route_data_request(job.user_id, job.record_count, job.job_id)
