"""One step at a time through the large queue: start Spark runs, watch them, and settle their messages."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec

from backend.domain.errors import InvalidMessage, LeaseLost, Unavailable
from backend.domain.jobs import Job
from backend.domain.messages import MAX_DELIVERIES, LargeBatchMessage
from backend.ports import JobProgressStore, LeasedMessage, LeasedQueue, RunState, SparkJobs
from backend.services.poisoning import PoisonRecorder

_log = logging.getLogger(__name__)

_WHILE_IN_HAND = timedelta(seconds=60)
_UNTIL_NEXT_LOOK = timedelta(seconds=5)
_AFTER_A_FAILURE = timedelta(seconds=10)
_MOST_MESSAGES = 32
_NO_RESULT = "the Spark run ended without a result"


class DrainStep(msgspec.Struct, rename="camel", kw_only=True):
    """What one step found and did, in messages.

    Attributes:
        status: `empty` when the queue held nothing at all, leased messages included; else `working`.
        started: runs that were asked for.
        running: runs that go on.
        finished: jobs that have ended.
        waiting: messages that no run could be started for: enough are active, or `waiting_for` is missing.
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

    A message stays on the queue until its job has ended, under one short lease after another. Whoever calls a
    step may die at any point of it:

    - before a run is started, or after that and before its id is written down: the next step starts the run
      of the same attempt, which is the same run, by its token;
    - while a run goes on: the lease runs out, and the next step finds the run's id in the message;
    - before the next attempt is written down: the next step finds the same run ended, and does it again;
    - before the message of an ended job is deleted: the next step finds the job ended.

    Two at a time take different messages, and whoever loses a lease leaves the message to the other.

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
        """Look at the messages that nobody else has in hand, each once."""
        if self._queue.is_empty():
            return DrainStep(status="empty")
        done = DrainStep()
        looked_at = 0
        while looked_at < _MOST_MESSAGES and (page := self._queue.lease(self._max_runs, _WHILE_IN_HAND)):
            looked_at += len(page)
            for leased in page:
                try:
                    self._look_at(leased, done)
                except LeaseLost as error:
                    _log.warning("%s; somebody else has it", error)
        return done

    def _look_at(self, leased: LeasedMessage, done: DrainStep) -> None:
        message = self._decoded(leased)
        job = None if message is None else self._jobs.get(message.user_id, message.job_id)
        if message is None or job is None:
            _log.error("message %s names no job", leased.message_id)
            self._queue.poison(leased)
            done.poisoned += 1
        elif job.status.is_final:
            self._queue.delete(leased)
            done.finished += 1
        elif message.run_id is None:
            self._start(leased, message, done)
        else:
            self._follow(leased, message, message.run_id, done)

    def _decoded(self, leased: LeasedMessage) -> LargeBatchMessage | None:
        if leased.body is None:
            return None
        try:
            return LargeBatchMessage.decode(leased.body)
        except InvalidMessage as error:
            self._poisoning.record_undecodable(leased.body, str(error))
            return None

    def _start(self, leased: LeasedMessage, message: LargeBatchMessage, done: DrainStep) -> None:
        try:
            if self._spark.active() >= self._max_runs:
                self._put_back(leased, message, _UNTIL_NEXT_LOOK)
                done.waiting += 1
                return
            run_id = self._spark.start(message)
        except Unavailable as error:
            self._wait_for(leased, message, str(error), done)
            return
        self._put_back(leased, msgspec.structs.replace(message, run_id=run_id), _UNTIL_NEXT_LOOK)
        done.started += 1

    def _follow(
        self, leased: LeasedMessage, message: LargeBatchMessage, run_id: str, done: DrainStep
    ) -> None:
        try:
            state = self._spark.state(run_id)
        except Unavailable as error:
            self._wait_for(leased, message, str(error), done)
            return
        if state is RunState.RUNNING:
            self._put_back(leased, message, _UNTIL_NEXT_LOOK)
            done.running += 1
            return
        # Asked again, since the run may have ended the job after it was asked the first time.
        job = self._change(message, _attempt_failed)
        if job.status.is_final:
            self._queue.delete(leased)
            done.finished += 1
        elif message.attempt >= MAX_DELIVERIES:
            self._change(message, lambda current: current.failed(self._clock(), current.error or _NO_RESULT))
            self._queue.poison(leased)
            done.poisoned += 1
        else:
            following = msgspec.structs.replace(message, attempt=message.attempt + 1, run_id=None)
            self._put_back(leased, following, _AFTER_A_FAILURE * message.attempt)
            done.retried += 1

    def _wait_for(
        self, leased: LeasedMessage, message: LargeBatchMessage, missing: str, done: DrainStep
    ) -> None:
        self._change(message, lambda current: current.still_queued(f"waiting for Spark: {missing}"))
        self._put_back(leased, message, _UNTIL_NEXT_LOOK)
        done.waiting += 1
        done.waiting_for = missing

    def _put_back(self, leased: LeasedMessage, message: LargeBatchMessage, hidden: timedelta) -> None:
        self._queue.renew(leased, message.encode(), hidden)

    def _change(self, message: LargeBatchMessage, change: Callable[[Job], Job]) -> Job:
        return self._jobs.update(message.user_id, message.job_id, change)


def _attempt_failed(job: Job) -> Job:
    return job.attempt_failed(job.error or _NO_RESULT)
