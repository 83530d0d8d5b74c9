"""Stands in for Data Factory's triggers: calls the functions that its pipelines call, at shorter intervals.

`python -m backend.local.pipeline_scheduler --functions-url URL`, until SIGTERM or SIGINT.
"""

import argparse
import logging
import signal
import sys
import time
from collections.abc import Mapping

import requests

_LOG = logging.getLogger("pipeline_scheduler")

INTERVAL_SECONDS = {"drain_large_batch_queue": 2.0}
"""How long each function is left alone, from its answer to its next call."""

# To connect, and to answer.
_TIMEOUT_SECONDS = (2, 60)


class PipelineScheduler:
    """Calls each function when it is due, one after another.

    Args:
        functions_url: where the Functions host listens; nothing need be there yet.
        intervals: the functions, and their intervals in seconds.
    """

    def __init__(self, functions_url: str, intervals: Mapping[str, float]) -> None:
        self._url = functions_url
        self._intervals = intervals
        self._session = requests.Session()
        # A proxy of the environment can't reach this machine's own ports.
        self._session.trust_env = False
        self._due = dict.fromkeys(intervals, 0.0)
        self._last: dict[str, str] = {}

    def call_due(self) -> None:
        """Call what is due; log an answer that differs from the one before."""
        for name, interval in self._intervals.items():
            if time.monotonic() < self._due[name]:
                continue
            told = self._call(name)
            if told != self._last.get(name):
                _LOG.info("%s: %s", name, told)
                self._last[name] = told
            self._due[name] = time.monotonic() + interval

    def seconds_until_due(self) -> float:
        """How long nothing is due; 0 when something is."""
        return max(0.0, min(self._due.values()) - time.monotonic())

    def _call(self, name: str) -> str:
        try:
            answer = self._session.post(f"{self._url}/api/{name}", timeout=_TIMEOUT_SECONDS)
        except requests.RequestException as error:
            return f"no answer ({type(error).__name__})"
        return answer.text if answer.ok else f"{answer.status_code} {_what_went_wrong(answer)}"


def _what_went_wrong(answer: requests.Response) -> str:
    """The host's own words without the id of the call, which would make every answer a new one."""
    try:
        return str(answer.json()["message"])
    except (requests.JSONDecodeError, KeyError, TypeError):
        return answer.reason


def main() -> None:
    """Call until a signal comes, which also ends a call that is under way: the next stack makes it again."""
    parser = argparse.ArgumentParser(prog="pipeline_scheduler", description="Calls functions on schedule.")
    parser.add_argument("--functions-url", required=True, metavar="URL", help="of the Functions host")
    url = parser.parse_args().functions_url
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
    scheduler = PipelineScheduler(url, INTERVAL_SECONDS)
    while True:
        scheduler.call_due()
        time.sleep(scheduler.seconds_until_due())


if __name__ == "__main__":
    main()
