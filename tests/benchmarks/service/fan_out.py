"""Event streams of one job: how long a change takes to the last of them, and what other calls wait."""

import json
import threading
import time
from collections.abc import Callable
from statistics import median

import requests

from backend.bootstrap import build_services
from backend.settings import Settings
from tests.benchmarks.service.standing_still import standing_still
from tests.e2e.api_user import ApiUser
from tests.e2e.running_stack import RunningStack
from tests.waiting import wait_until

_STREAMS = (1, 50, 200)
_CHANGES = 10
_CALLS = 20


class _Stream:
    """One open stream, read by a thread of its own; `seen` says when each stage came."""

    def __init__(self, user: ApiUser, url: str, job_id: str) -> None:
        self.seen: dict[str, float] = {}
        headers = {"Authorization": f"Bearer {user.access_token}"}
        self._response = requests.get(f"{url}/jobs/{job_id}/events", headers=headers, stream=True, timeout=60)
        self._response.raise_for_status()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        for line in self._response.iter_lines(chunk_size=1):
            if line.startswith(b"data: "):
                self.seen[json.loads(line[6:])["stage"]] = time.perf_counter()


def lines(stack: RunningStack) -> list[str]:
    """The table's lines."""
    user = ApiUser(stack.url)
    dataset = user.upload([{}])
    with standing_still(stack):
        rows = [_measured(stack, user, dataset, count) for count in _STREAMS]
    alone = rows[0][1]
    return [
        "| open streams | a change until the last has it | `GET /routing_config` meanwhile, p50 | times |",
        "|---|---|---|---|",
        *(
            f"| {count} | {change:.2f} s | {call * 1000:.1f} ms | {call / alone:.2f} |"
            for count, (change, call) in zip(_STREAMS, rows, strict=True)
        ),
    ]


def _measured(stack: RunningStack, user: ApiUser, dataset: str, count: int) -> tuple[float, float]:
    services = build_services(
        Settings.from_environment({"AZURE_STORAGE_CONNECTION_STRING": stack.addresses.connection_string})
    )
    job_id = user.clean(parentJobId=dataset)["jobId"]
    streams = [_Stream(user, stack.url, job_id) for _ in range(count)]
    changes, calls = [], []
    for number in range(_CHANGES):
        stage = f"step {number}"
        began = time.perf_counter()
        services.jobs.update(user.user_id, job_id, lambda job, stage=stage: job.still_queued(stage))
        calls += [_timed(lambda: user.call("GET", "/routing_config")) for _ in range(_CALLS)]
        wait_until(lambda stage=stage: all(stage in stream.seen for stream in streams), 30)
        changes.append(max(stream.seen[stage] for stream in streams) - began)
    services.jobs.update(user.user_id, job_id, lambda job: job.failed(job.as_of, "the measurement is over"))
    return median(changes), median(calls)


def _timed(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began
