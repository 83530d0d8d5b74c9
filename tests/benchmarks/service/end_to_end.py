"""From `POST /clean_data` to `completed` on a warm stack, by stage, beside the kernel alone.

The end is the moment that JobProgress names: who looks at a job a hundred times a second, to see that moment,
keeps a third of this machine busy with answers.
"""

import gc
import time
from itertools import pairwise
from statistics import median

from backend.bootstrap import Services, build_services
from backend.settings import Settings
from tests.benchmarks.bronze_like_the_sample import bronze_like_the_sample
from tests.benchmarks.kernel import clean
from tests.e2e.api_user import ApiUser
from tests.e2e.running_stack import RunningStack

_RECORDS = (100, 1_000, 10_000)
_RUNS, _WARM_UP = 7, 2
_LOOKS_EVERY_SECONDS = 0.3
_STAGES = ("taken in", "waits for its worker", "cleaned", "loaded")


def lines(stack: RunningStack) -> list[str]:
    """The table's lines."""
    services = build_services(
        Settings.from_environment({"AZURE_STORAGE_CONNECTION_STRING": stack.addresses.connection_string})
    )
    user = ApiUser(stack.url)
    head = ["records", "POST to `completed`", "the kernel alone", "overhead", *_STAGES]
    rows = [_row(user, services, records) for records in _RECORDS]
    user.close()
    return [f"| {' | '.join(head)} |", "|---" * len(head) + "|", *rows]


def _row(user: ApiUser, services: Services, records: int) -> str:
    content = bronze_like_the_sample(records)
    headers = {"Content-Type": "application/json"}
    dataset = user.call("POST", "/upload_raw", data=content, headers=headers).json()["parentJobId"]
    kernels, totals, stages = [], [], []
    for _ in range(_WARM_UP + _RUNS):
        kernels.append(_kernel(content))
        moments = _moments(user, services, dataset)
        totals.append(moments[-1] - moments[0])
        stages.append([later - earlier for earlier, later in pairwise(moments)])
    total, kernel = median(totals[_WARM_UP:]), median(kernels[_WARM_UP:])
    by_stage = [median(stage) for stage in zip(*stages[_WARM_UP:], strict=True)]
    seconds = (f"{each:.2f} s" for each in (total, kernel, total - kernel, *by_stage))
    return f"| {records:,} | {' | '.join(seconds)} |"


def _kernel(content: bytes) -> float:
    gc.collect()
    began = time.perf_counter()
    clean(content)
    return time.perf_counter() - began


def _moments(user: ApiUser, services: Services, dataset: str) -> list[float]:
    """When the call began, and when each stage ended, in seconds since 1970."""
    began = time.time()
    job_id = user.clean(parentJobId=dataset)["jobId"]
    answered = time.time()
    while user.job(job_id)["status"] not in ("completed", "failed"):
        time.sleep(_LOOKS_EVERY_SECONDS)
    job = services.jobs.get(user.user_id, job_id)
    if job is None or job.started_at is None or job.cleaned_at is None or job.finished_at is None:
        raise SystemExit(f"the job {job_id} failed")
    stages = (job.started_at, job.cleaned_at, job.finished_at)
    return [began, answered, *(moment.timestamp() for moment in stages)]
