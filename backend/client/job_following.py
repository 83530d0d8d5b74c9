"""Following a job to its end."""

import time
from collections.abc import Iterator

from backend.client.api_client import ApiClient, Json
from backend.client.errors import ServiceError

_SHORTEST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 5.0
# A job that has taken long may take longer: nobody sees the difference, and the service has less to answer.
_PAUSE_FOR_EACH_SECOND = 0.05
_OUTAGE_SECONDS = 60.0


def is_ended(job: Json) -> bool:
    """Whether a job, as the API tells of it, changes no more."""
    return job["status"] in ("completed", "failed")


def follow(api: ApiClient, job_id: str, seconds: float | None = None) -> Iterator[Json]:
    """What the API says of a job, again and again until it has ended or so many seconds have passed.

    A service that is gone for less than a minute, such as one that is started again, is waited for.

    Raises:
        ServiceError: there is no such job, or the service is gone for longer.
    """
    began = answered = time.monotonic()
    told = False
    while True:
        try:
            job = api.get(f"/jobs/{job_id}")
        except ServiceError as error:
            if error.code != "unreachable" or not told or time.monotonic() - answered > _OUTAGE_SECONDS:
                raise
        else:
            told, answered = True, time.monotonic()
            yield job
            if is_ended(job):
                return
        passed = time.monotonic() - began
        pause = min(max(_PAUSE_FOR_EACH_SECOND * passed, _SHORTEST_PAUSE_SECONDS), _LONGEST_PAUSE_SECONDS)
        if seconds is not None:
            if passed >= seconds:
                return
            pause = min(pause, seconds - passed)
        time.sleep(pause)
