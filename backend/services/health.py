"""Whether what the service stands on answers."""

import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait

_PATIENCE_SECONDS = 5.0

_log = logging.getLogger(__name__)


class HealthService:
    """Asks every outside system at once.

    Args:
        pings: what to call for each system, by name; it raises when the system does not answer.
    """

    def __init__(self, pings: Mapping[str, Callable[[], None]]) -> None:
        self._pings = pings
        self._pool = ThreadPoolExecutor(2 * len(pings), thread_name_prefix="health")

    def check(self) -> dict[str, bool]:
        """Whether each system answers, within a few seconds."""
        futures = {name: self._pool.submit(ping) for name, ping in self._pings.items()}
        done, _ = wait(futures.values(), timeout=_PATIENCE_SECONDS)
        answers = {}
        for name, future in futures.items():
            error = future.exception() if future in done else TimeoutError("no answer in time")
            answers[name] = error is None
            if error is not None:
                future.cancel()
                _log.warning("%s does not answer: %s: %s", name, type(error).__name__, error)
        return answers
