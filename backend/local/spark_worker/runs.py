"""The runs of one worker: a few at a time, each in a thread."""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from backend.domain.messages import LargeBatchMessage
from backend.ports import RunState

# As many as are leased from the queue at a time; what comes beyond that waits here.
_CONCURRENT_RUNS = 3

_LOG = logging.getLogger(__name__)


class Runs:
    """Cleans datasets, and remembers what became of each run for as long as the process lives.

    Args:
        clean: cleans the dataset of a message; raises for what another attempt may mend.
    """

    def __init__(self, clean: Callable[[LargeBatchMessage], None]) -> None:
        self._clean = clean
        self._states: dict[str, RunState] = {}
        self._starting = threading.Lock()
        self._threads = ThreadPoolExecutor(_CONCURRENT_RUNS, thread_name_prefix="run")

    def start(self, message: LargeBatchMessage) -> str:
        """Have the message's attempt run as soon as there is a thread for it; the run's id."""
        run_id = message.run_token
        with self._starting:
            if run_id not in self._states:
                self._states[run_id] = RunState.RUNNING
                self._threads.submit(self._run, run_id, message)
        return run_id

    def state(self, run_id: str) -> RunState | None:
        """Where a run stands; None for one that was never started here."""
        return self._states.get(run_id)

    def active(self) -> int:
        """How many runs are waiting or under way."""
        return list(self._states.values()).count(RunState.RUNNING)

    def _run(self, run_id: str, message: LargeBatchMessage) -> None:
        _LOG.info("run %s begins", run_id)
        try:
            self._clean(message)
        except BaseException:  # noqa: BLE001 - the edge: whatever is raised is this run's failure alone
            _LOG.exception("run %s has failed", run_id)
            self._states[run_id] = RunState.FAILED
        else:
            _LOG.info("run %s has ended", run_id)
            self._states[run_id] = RunState.SUCCEEDED
