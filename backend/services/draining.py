"""One step at a time through the large queue: start Spark runs, watch them, and settle their messages."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from time import perf_counter

import msgspec

from backend.domain.errors import InvalidMessage, LeaseLost, NotFound, Unavailable
from backend.domain.jobs import Job, JobStatus
from backend.domain.messages import MAX_DELIVERIES, LargeBatchMessage
from backend.ports import JobProgressStore, LeasedMessage, LeasedQueue, RunState, SparkJobs
from backend.services.poisoning import PoisonRecorder
from backend.telemetry import traces
from backend.telemetry.job_work import job_ids
from backend.telemetry.log_lines import log_event

_log = logging.getLogger(__name__)

_WHILE_IN_HAND = timedelta(seconds=60)
# Shorter than the pause between two steps, so that each of them sees every message.
_UNTIL_NEXT_LOOK = timedelta(seconds=1)
_AFTER_A_FAILURE = timedelta(seconds=10)
_ALL_TAKEN = "as many datasets as fit are being cleaned"
_NO_RESULT = "the Spark run ended without a result"


class DrainStep(msgspec.Struct, rename="camel", kw_only=True):
    """What one step found and did, in messages.

    Attributes:
        status: `empty` when the queue held nothing at all, leased messages included; else `working`.
        started: runs that were asked for.
        running: runs that go on.
        finished: jobs that are cleaned or have failed, or that were submitted anew with another message.
        waiting: messages that had to wait: enough runs are active, or Spark does not answer.
        waiting_for: what Spark lacks, in the words of whoever runs it.
        retried: runs that ended without ending their job; they will be tried again.
        poisoned: messages that were given up.
    """

    status: str = "working"
    started: int = 0
    running: int = 0
    finished: int = 0
    waiting: int = 0
    waiting_for: str | None = None
    retried: int = 0
    poisoned: int = 0


class LargeQueueDrainer:
    """Takes steps; between two of them nothing is remembered but what the messages say themselves.

    A message stays on the queue until its job has ended, under one short lease after another. Whoever takes a
    step may die at any point of it. The lease runs out, and the next step finds one of these:

    - no run's id in the message, though its run was started: starting the run of the same attempt again
      gives the same run, by its token;
    - the id of a run that goes on, or has ended: the run is followed from where it stands;
    - the id of a run that has failed, and has been told to the job: it is told again, in the same words;
    - a job that is cleaned, or has failed: its message is settled, as it would have been before;
    - a message that is on the poison queue already: it is put there once more.

    Two at a time take different messages, and whoever loses a lease leaves the message to the other. A job
    that was sent twice has two messages of the same submission, whose attempts are the same runs. A job that
    failed and was submitted again leaves the earlier message behind, which is then no longer followed. A job
    that nobody knows any more has no owner who waits: its message is poisoned.

    Args:
        max_runs: how many runs may be active; checked before each start.
    """

    def __init__(
        self,
        queue: LeasedQueue,
        jobs: JobProgressStore,
        spark: SparkJobs,
        poisoning: PoisonRecorder,
        *,
        max_runs: int,
        clock: Callable[[], datetime],
    ) -> None:
        self._queue = queue
        self._jobs = jobs
        self._spark = spark
        self._poisoning = poisoning
        self._max_runs = max_runs
        self._clock = clock

    def step(self) -> DrainStep:
        """Look at the messages that nobody else has in hand, each once.

        Raises:
            ExceptionGroup: what went wrong with some messages; they are seen again when their leases run out.
        """
        if self._queue.is_empty():
            return DrainStep(status="empty")
        done = DrainStep()
        # From then on, the messages that this step puts back are visible again.
        end = self._clock() + _UNTIL_NEXT_LOOK
        while self._clock() < end and (page := self._queue.lease(self._max_runs, _WHILE_IN_HAND)):
            self._look_at_all(page, done)
        return done

    def _look_at_all(self, page: Sequence[LeasedMessage], done: DrainStep) -> None:
        failures: list[Exception] = []
        for leased in page:
            try:
                self._look_at(leased, done)
            except (LeaseLost, NotFound) as error:
                _log.warning("message %s is left as it is: %s", leased.message_id, error)
            except Exception as error:  # noqa: BLE001 - raised below: it must not keep the others from their turn
                failures.append(error)
        if failures:
            raise ExceptionGroup(f"{len(failures)} of {len(page)} messages failed", failures)

    def _look_at(self, leased: LeasedMessage, done: DrainStep) -> None:
        try:
            message = _decoded(leased)
        except InvalidMessage as error:
            self._poisoning.record_undecodable(leased.body or b"", str(error))
            self._give_up(leased, str(error), done)
            return
        with job_ids(message):
            self._take_on(leased, message, done)

    def _take_on(self, leased: LeasedMessage, message: LargeBatchMessage, done: DrainStep) -> None:
        job = self._jobs.get(message.user_id, message.job_id)
        if job is None:
            self._give_up(leased, f"there is no job {message.job_id}", done)
        elif message.submission < job.submission:
            self._delete(leased, done)
        elif job.status.is_past_cleaning:
            self._settle(leased, message, job, done)
        elif message.run_id is None:
            self._start(leased, message, job, done)
        else:
            self._follow(leased, message, message.run_id, job, done)

    def _start(self, leased: LeasedMessage, message: LargeBatchMessage, job: Job, done: DrainStep) -> None:
        try:
            if self._spark.active() >= self._max_runs:
                self._wait(leased, message, job, _ALL_TAKEN, done)
                return
            since = perf_counter()
            run_id = self._spark.start(message)
        except Unavailable as error:
            self._wait_for_spark(leased, message, job, error, done)
            return
        traces.past_span("start spark run", perf_counter() - since)
        log_event(_log, logging.INFO, "Spark run started", run=run_id, attempt=message.attempt)
        self._put_back(leased, msgspec.structs.replace(message, run_id=run_id), _UNTIL_NEXT_LOOK)
        self._say(job, "waiting for Spark to begin")
        done.started += 1

    def _follow(
        self, leased: LeasedMessage, message: LargeBatchMessage, run_id: str, job: Job, done: DrainStep
    ) -> None:
        try:
            state = self._spark.state(run_id)
        except Unavailable as error:
            self._wait_for_spark(leased, message, job, error, done)
            return
        if state is RunState.RUNNING:
            self._put_back(leased, message, _UNTIL_NEXT_LOOK)
            done.running += 1
            return
        # The run may have ended the job since the job was read; then this changes nothing.
        job = self._jobs.update(
            job.user_id, job.job_id, lambda current: self._after_run(current, message.attempt)
        )
        if job.status.is_past_cleaning:
            self._settle(leased, message, job, done)
            return
        following = msgspec.structs.replace(message, attempt=message.attempt + 1, run_id=None)
        self._put_back(leased, following, _AFTER_A_FAILURE * message.attempt)
        done.retried += 1

    def _after_run(self, job: Job, attempt: int) -> Job:
        reason = job.error or _NO_RESULT
        now = self._clock()
        return job.failed(now, reason) if attempt >= MAX_DELIVERIES else job.attempt_failed(now, reason)

    def _settle(self, leased: LeasedMessage, message: LargeBatchMessage, job: Job, done: DrainStep) -> None:
        if job.status is JobStatus.FAILED and message.attempt >= MAX_DELIVERIES:
            self._give_up(leased, job.error or _NO_RESULT, done)
        else:
            self._delete(leased, done)

    def _delete(self, leased: LeasedMessage, done: DrainStep) -> None:
        self._queue.delete(leased)
        done.finished += 1

    def _give_up(self, leased: LeasedMessage, reason: str, done: DrainStep) -> None:
        _log.error("message %s goes to the poison queue: %s", leased.message_id, reason)
        self._queue.poison(leased)
        done.poisoned += 1

    def _wait_for_spark(
        self, leased: LeasedMessage, message: LargeBatchMessage, job: Job, error: Unavailable, done: DrainStep
    ) -> None:
        self._wait(leased, message, job, str(error), done)
        done.waiting_for = str(error)

    def _wait(
        self, leased: LeasedMessage, message: LargeBatchMessage, job: Job, reason: str, done: DrainStep
    ) -> None:
        self._say(job, f"waiting for Spark: {reason}")
        self._put_back(leased, message, _UNTIL_NEXT_LOOK)
        done.waiting += 1

    def _put_back(self, leased: LeasedMessage, message: LargeBatchMessage, hidden: timedelta) -> None:
        self._queue.renew(leased, message.encode(), hidden)

    def _say(self, job: Job, stage: str) -> None:
        if job.still_queued(stage) != job:
            self._jobs.update(job.user_id, job.job_id, lambda current: current.still_queued(stage))


def _decoded(leased: LeasedMessage) -> LargeBatchMessage:
    if leased.body is None:
        raise InvalidMessage("not Base64")
    return LargeBatchMessage.decode(leased.body)
