"""Jobs whose worker or message is gone: put back on their queue, or failed when that keeps happening."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache

import msgspec

from backend.domain.errors import Conflict, NotFound
from backend.domain.jobs import Job, JobStatus, ProcessingPath
from backend.domain.messages import MAX_DELIVERIES
from backend.ports import JobProgressStore, MessageQueues, OpenJob
from backend.services.dispatching import JobDispatcher
from backend.services.generation import GenerationService
from backend.services.heartbeat import Heartbeat
from backend.telemetry.job_work import job_ids

_log = logging.getLogger(__name__)

_LONGEST_GENERATION = timedelta(days=1)
# So many messages may all be in the hands of workers that are gone: host.json has an instance fetch 24.
_IN_HAND = 32
# A message that a host has in hand when it dies is seen again after this.
_LONGEST_LEASE = timedelta(minutes=10)


class SweepStep(msgspec.Struct, rename="camel", kw_only=True):
    """What one step did, in jobs.

    Attributes:
        status: always `empty`: one step does all there is to do.
        requeued: jobs whose worker was lost, or who could be loaded, back on their queue.
        sent_again: jobs whose messages were not answered for, sent once more.
        failed: jobs that were given up.
    """

    status: str = "empty"
    requeued: int = 0
    sent_again: int = 0
    failed: int = 0


class _NotQuiet(Exception):
    """Somebody was heard of in between, or somebody else has swept."""


class SweepingService:
    """Looks for jobs of which nobody was heard.

    - A job on the small path whose worker has no heartbeat: its message is sent anew. The one that the worker
      had comes back when its lease runs out, and finds the job in hand or done.
    - A job that waits for a worker or for its data: its messages may be lost, when who was to send them died.
      They are sent again after a while, and then after twice as long. Where so many are on the queue that
      they wait in line, nothing is done until the longest lease is over, which a host that is gone may hold.
    - A message of the large path stays on its queue until its job has ended, whoever dies; so it waits in
      line where that queue holds anything at all.
    - A job that could be loaded, and is not: on the small path whoever gets its message loads it. One of the
      large path waits for the next call of `LoadingService.step`.

    Two sweepers at a time don't disturb each other.

    Args:
        generation_queue_name: where the messages of parts of sample data are.
        large_queue_name: where the messages of the large path are.
    """

    def __init__(
        self,
        jobs: JobProgressStore,
        queues: MessageQueues,
        dispatcher: JobDispatcher,
        generation: GenerationService,
        *,
        generation_queue_name: str,
        large_queue_name: str,
        heartbeat: Heartbeat,
        clock: Callable[[], datetime],
    ) -> None:
        self._jobs = jobs
        self._queues = queues
        self._dispatcher = dispatcher
        self._generation = generation
        self._generation_queue_name = generation_queue_name
        self._large_queue_name = large_queue_name
        self._heartbeat = heartbeat
        self._clock = clock

    def step(self) -> SweepStep:
        """Look at every job that has been quiet for too long.

        Raises:
            ExceptionGroup: what went wrong with some jobs; the next step looks at them again.
        """
        done = SweepStep()
        failures: list[Exception] = []
        depth = cache(self._queues.depth)
        for entry in self._jobs.open_jobs():
            if not self._is_quiet(entry) or self._waits_in_line(entry, depth):
                continue
            try:
                if (job := self._jobs.look_at(entry)) is not None and self._is_quiet(job):
                    with job_ids(job):
                        self._sweep(job, done)
            except (_NotQuiet, NotFound):
                continue
            except Exception as error:  # noqa: BLE001 - raised below: it must not keep the others from their turn
                failures.append(error)
        if failures:
            raise ExceptionGroup(f"{len(failures)} jobs could not be swept", failures)
        return done

    def _is_quiet(self, job: Job | OpenJob) -> bool:
        # Before a job is quiet with the load that was begun, its lease has run out.
        patience = (
            self._heartbeat.interval if job.status is JobStatus.LOADING else self._heartbeat.stale_after
        )
        return job.quiet_since <= self._clock() - patience

    def _waits_in_line(self, entry: OpenJob, depth: Callable[[str], int]) -> bool:
        if self._clock() - entry.quiet_since >= _LONGEST_LEASE:
            # Who had its message in hand is gone, however many others still wait.
            return False
        if entry.status is JobStatus.GENERATING:
            return depth(self._generation_queue_name) > _IN_HAND
        if entry.queue_name == self._large_queue_name:
            # A message stays there until its job has ended.
            return depth(self._large_queue_name) > 0
        waits = entry.status in (JobStatus.QUEUED, JobStatus.LOADING) and entry.queue_name is not None
        return waits and depth(entry.queue_name or "") > _IN_HAND

    def _sweep(self, job: Job, done: SweepStep) -> None:
        if job.status is JobStatus.GENERATING:
            self._ask_for_data_again(job, done)
        elif job.processing_path is ProcessingPath.LARGE_BATCH:
            if job.status is not JobStatus.LOADING:
                self._send_again(job, done)
        elif job.status is JobStatus.QUEUED:
            self._send_again(job, done)
        elif job.status is JobStatus.LOADING:
            self._dispatcher.send_again(self._claim(job, lambda current: current.load_goes_on(self._clock())))
            done.requeued += 1
        elif job.starts_since_submission >= MAX_DELIVERIES:
            self._fail(job, _no_worker_ended(job), done)
        else:
            _log.warning("job %s: nobody was heard of since %s", job.job_id, job.quiet_since)
            self._dispatcher.send_again(self._claim(job, lambda current: current.worker_lost(self._clock())))
            done.requeued += 1

    def _send_again(self, job: Job, done: SweepStep) -> None:
        self._dispatcher.send_again(self._claim(job, lambda current: current.sent_again(self._clock())))
        done.sent_again += 1

    def _ask_for_data_again(self, job: Job, done: SweepStep) -> None:
        if self._clock() - (job.queued_at or job.submitted_at) > _LONGEST_GENERATION:
            self._fail(job, "its data was not there after a day", done)
            return
        job = self._claim(job, lambda current: current.sent_again(self._clock()))
        try:
            self._generation.resume(job)
        except Conflict as error:
            self._fail(job, str(error), done)
        else:
            done.sent_again += 1

    def _fail(self, job: Job, reason: str, done: SweepStep) -> None:
        def if_unchanged(current: Job) -> Job:
            if current.status.is_final:
                return current
            heard_of = job.status is JobStatus.PROCESSING and current.heartbeat_at != job.heartbeat_at
            if heard_of or current.status is not job.status:
                raise _NotQuiet
            return current.failed(self._clock(), reason)

        self._jobs.update(job.user_id, job.job_id, if_unchanged)
        _log.error("job %s is given up: %s", job.job_id, reason)
        done.failed += 1

    def _claim(self, job: Job, change: Callable[[Job], Job]) -> Job:
        """Change a job that is as quiet as it was. Raises _NotQuiet."""

        def if_quiet(current: Job) -> Job:
            if current.status is not job.status or not self._is_quiet(current):
                raise _NotQuiet
            return change(current)

        return self._jobs.update(job.user_id, job.job_id, if_quiet)


def _no_worker_ended(job: Job) -> str:
    reason = f"{MAX_DELIVERIES} workers began on it, and none of them came to an end"
    return f"{reason}; the last error: {job.error}" if job.error else reason
