"""Stands in for Data Factory's triggers: calls the functions that its pipelines call, at shorter intervals.

`python -m backend.local.pipeline_scheduler --functions-url URL`, until SIGTERM or SIGINT.
"""

import argparse
import logging
import sys
import time

import requests

from backend.local.signals import SignalWaiter

_LOG = logging.getLogger("pipeline_scheduler")

INTERVAL_SECONDS = {"drain_large_batch_queue": 2.0}
"""How often each function is called, while the function before has answered."""

# To connect, and to answer.
_TIMEOUT_SECONDS = (2, 60)


class PipelineScheduler:
    """Calls each function when it is due, one after another."""

    def __init__(self, functions_url: str) -> None:
        self._url = functions_url
        self._session = requests.Session()
        # A proxy of the environment can't reach this machine's own ports.
        self._session.trust_env = False
        self._due = dict.fromkeys(INTERVAL_SECONDS, 0.0)
        self._last: dict[str, str] = {}

    def call_due(self) -> None:
        """Call what is due; log an answer that differs from the one before."""
        for name, due in self._due.items():
            if time.monotonic() < due:
                continue
            told = self._call(name)
            if told != self._last.get(name):
                _LOG.info("%s: %s", name, told)
                self._last[name] = told
            self._due[name] = time.monotonic() + INTERVAL_SECONDS[name]

    def seconds_until_due(self) -> float:
        """How long nothing is due; 0 when something is."""
        return max(0.0, min(self._due.values()) - time.monotonic())

    def _call(self, name: str) -> str:
        try:
            answer = self._session.post(f"{self._url}/api/{name}", timeout=_TIMEOUT_SECONDS)
        except requests.RequestException as error:
            return f"no answer ({type(error).__name__})"
        return answer.text if answer.ok else f"{answer.status_code} {answer.text}"


def main() -> int:
    """Call until a signal comes; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--functions-url", required=True)
    url = parser.parse_args().functions_url
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
    waiter = SignalWaiter()
    waiter.listen()
    scheduler = PipelineScheduler(url)
    while not waiter.stop_requested:
        scheduler.call_due()
        waiter.wait(scheduler.seconds_until_due())
    return 0


if __name__ == "__main__":
    sys.exit(main())
