"""What becomes of a job whose queue message nobody can read."""

import logging
from collections.abc import Callable
from datetime import datetime

from backend.domain.errors import InvalidMessage
from backend.domain.messages import QueueMessage
from backend.ports import JobProgressStore

_LOG = logging.getLogger(__name__)


class PoisonRecorder:
    """Tells a job why its message went to the poison queue."""

    def __init__(self, jobs: JobProgressStore, clock: Callable[[], datetime]) -> None:
        self._jobs = jobs
        self._clock = clock

    def record_undecodable(self, body: bytes, reason: str) -> None:
        """Fail the job that `body` names; nothing happens when it names none, or one that has ended."""
        try:
            ids = QueueMessage.decode(body)
        except InvalidMessage:
            _LOG.warning("an unreadable message names no job: %s", reason)
            return
        if self._jobs.get(ids.user_id, ids.job_id) is None:
            _LOG.warning("an unreadable message names a job that does not exist: %s", reason)
            return
        self._jobs.update(ids.user_id, ids.job_id, lambda job: job.failed(self._clock(), reason))
