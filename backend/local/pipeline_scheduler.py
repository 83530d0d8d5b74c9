"""Stands in for Data Factory's triggers: calls the functions that its pipelines call, at shorter intervals.

`python -m backend.local.pipeline_scheduler --functions-url URL`, until SIGTERM or SIGINT.
"""

import argparse
import logging
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import requests

from backend.telemetry.log_lines import log_json_lines

_LOG = logging.getLogger("pipeline_scheduler")

_RECORD = "record_pipeline_run"

# To connect, and to answer.
_TIMEOUT_SECONDS = (2, 60)


@dataclass
class Pipeline:
    """What stands in for one pipeline: a function that is called again and again.

    A run, in the log of runs, goes from an answer that tells of something to the next that does not.

    Attributes:
        interval: how many seconds the function is left alone, from its answer to its next call.
        answers: those of the run that is under way, but for repetitions.
    """

    name: str
    function: str
    interval: float
    due: float = 0.0
    last: str | None = None
    began: datetime | None = None
    answers: list[dict[str, Any]] = field(default_factory=list)

    def take_in(self, answer: dict[str, Any] | None) -> dict[str, Any] | None:
        """Note an answer, None for a failure; the run that it ends, as `record_pipeline_run` takes it."""
        if answer and any(value for name, value in answer.items() if name != "status"):
            self.began = self.began or datetime.now(UTC)
            if answer not in self.answers[-1:]:
                self.answers.append(answer)
            return None
        if self.began is None:
            return None
        run = {
            "runId": str(uuid4()),
            "pipeline": self.name,
            "trigger": f"every {self.interval:g} s",
            "startedAt": self.began.isoformat(),
            "outcome": "failed" if answer is None else "succeeded",
            "steps": {self.function: self.answers},
        }
        self.began, self.answers = None, []
        return run


def pipelines() -> tuple[Pipeline, ...]:
    """Those of infrastructure/v1_adf_template.json that have triggers which call functions."""
    return (
        Pipeline("large_batch_pipeline", "drain_large_batch_queue", 2.0),
        Pipeline("small_batch_pipeline", "sweep_jobs", 2.0),
        Pipeline("small_batch_pipeline", "load_gold", 2.0),
    )


class PipelineScheduler:
    """Calls each pipeline's function when it is due, one after another.

    Args:
        functions_url: where the Functions host listens; nothing need be there yet.
    """

    def __init__(self, functions_url: str, pipelines: Sequence[Pipeline]) -> None:
        self._url = functions_url
        self._pipelines = pipelines
        self._session = requests.Session()
        # A proxy of the environment can't reach this machine's own ports.
        self._session.trust_env = False
        self._unrecorded: list[dict[str, Any]] = []

    def call_due(self) -> None:
        """Call what is due; log an answer that differs from the one before."""
        for pipeline in self._pipelines:
            if time.monotonic() < pipeline.due:
                continue
            told, answer = self._call(pipeline.function)
            if told != pipeline.last:
                _LOG.info("%s: %s", pipeline.function, told)
                pipeline.last = told
            if (run := pipeline.take_in(answer)) is not None:
                self._unrecorded.append(run)
            pipeline.due = time.monotonic() + pipeline.interval
        self._record()

    def seconds_until_due(self) -> float:
        """How long nothing is due; 0 when something is."""
        return max(0.0, min(pipeline.due for pipeline in self._pipelines) - time.monotonic())

    def _record(self) -> None:
        """Have the runs that ended written into the lake; what fails is tried again the next time."""
        while self._unrecorded and self._call(_RECORD, self._unrecorded[0])[1] is not None:
            self._unrecorded.pop(0)

    def _call(self, function: str, body: dict[str, Any] | None = None) -> tuple[str, dict[str, Any] | None]:
        """What is told of an answer, and the answer; None when there is none."""
        try:
            answer = self._session.post(f"{self._url}/api/{function}", json=body, timeout=_TIMEOUT_SECONDS)
            if not answer.ok:
                return f"{answer.status_code} {_what_went_wrong(answer)}", None
            return answer.text, answer.json()
        except requests.RequestException as error:
            return f"no answer ({type(error).__name__})", None


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
    log_json_lines("pipelines")
    scheduler = PipelineScheduler(url, pipelines())
    while True:
        scheduler.call_due()
        time.sleep(scheduler.seconds_until_due())


if __name__ == "__main__":
    main()
