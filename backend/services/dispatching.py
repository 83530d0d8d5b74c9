"""Putting a cleaning job on the queue that suits its size."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from backend.data_routing import DataRouter, RoutingDecision
from backend.domain.errors import NotFound
from backend.domain.jobs import Job, JobStatus, ProcessingPath
from backend.domain.messages import CleaningMessage
from backend.ports import JobProgressStore

NOT_SENT = "the job could not be put on its queue"
"""Why a job has failed that no worker has heard of."""

_STAGE = "waiting for a worker"
_WAITING = (JobStatus.QUEUED, JobStatus.GENERATING, JobStatus.FAILED)


class JobDispatcher:
    """The one step that turns a cleaning job into a message: for new, generated and retried jobs."""

    def __init__(self, jobs: JobProgressStore, router: DataRouter, clock: Callable[[], datetime]) -> None:
        self._jobs = jobs
        self._router = router
        self._clock = clock

    def add_and_send(self, job: Job) -> Job:
        """Insert a new cleaning job whose data is in place, already `queued`, and send its message.

        The row comes first, since a worker refuses a message without one. When the message can't be sent,
        the job has failed, so that it does not wait forever and can be retried.

        Raises:
            Conflict: there is such a job.
        """
        decision = self._router.route_data_request(job.user_id, job.record_count, job.job_id)
        queued = job.queued(self._clock(), decision.processing_path, decision.queue_name, _STAGE)
        self._jobs.add(queued)
        self._send(queued, decision)
        return queued

    def dispatch(self, user_id: str, job_id: str) -> Job:
        """Send the job's CleaningMessage and let the job say that it is queued.

        The record count alone decides the path. A job that waits for its data says `generating`
        until the message is sent, so that whoever was interrupted here can see that the step is
        still to do. Doing it twice sends the message twice, which is harmless. A job that a worker
        already has, or that is completed, is left as it is. A failed job whose message can't be sent
        has failed again, so that it can be retried once more.

        Raises:
            NotFound: there is no such job.
        """
        job = self._jobs.get(user_id, job_id)
        if job is None:
            raise NotFound(f"there is no job {job_id}")
        if job.status not in _WAITING:
            return job
        decision = self._router.route_data_request(user_id, job.record_count, job_id)
        now = self._clock()
        routed = self._jobs.update(user_id, job_id, lambda current: _routed(current, decision, now))
        self._send(routed, decision)
        return self._jobs.update(user_id, job_id, lambda current: _sent(current, decision, now))

    def send_again(self, job: Job) -> None:
        """Send the message of a job that says `queued` once more; twice is harmless."""
        path = (
            job.processing_path
            or self._router.route_data_request(job.user_id, job.record_count, job.job_id).processing_path
        )
        self._router.queue_message_to_path(path, _message(job, path))

    def _send(self, job: Job, decision: RoutingDecision) -> None:
        try:
            path = decision.processing_path
            self._router.queue_message_to_path(path, _message(job, path))
        except Exception:
            now = self._clock()
            self._jobs.update(job.user_id, job.job_id, lambda current: _not_sent(current, now))
            raise


def _not_sent(job: Job, now: datetime) -> Job:
    # One that is still `generating` waits for the worker that was to send it, which tries again.
    return job.failed(now, NOT_SENT) if job.status is JobStatus.QUEUED else job


def _routed(job: Job, decision: RoutingDecision, now: datetime) -> Job:
    if job.status not in _WAITING:
        return job
    if job.status is JobStatus.GENERATING:
        return replace(job, processing_path=decision.processing_path, queue_name=decision.queue_name)
    return job.queued(now, decision.processing_path, decision.queue_name, _STAGE)


def _sent(job: Job, decision: RoutingDecision, now: datetime) -> Job:
    # A worker may have been quicker: then the job is no longer ours to change.
    if job.status is JobStatus.GENERATING:
        return job.queued(now, decision.processing_path, decision.queue_name, _STAGE)
    return job


def _message(job: Job, path: ProcessingPath) -> CleaningMessage:
    return CleaningMessage(
        user_id=job.user_id,
        job_id=job.job_id,
        parent_job_id=job.parent_job_id,
        as_of=job.as_of,
        processing_path=path,
        submission=job.submission,
        trace_parent=job.trace_parent,
    )
