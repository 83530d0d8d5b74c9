"""From `POST /clean_data` to `completed` on a warm stack: `python -m tests.benchmarks.small_path`.

Starts a stack of its own, uploads a dataset of the sample's shape, and cleans it a few times over HTTP.
"""

import argparse
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

from tests.benchmarks.bronze_like_the_sample import bronze_like_the_sample
from tests.e2e.api_user import ApiUser
from tests.e2e.running_stack import RunningStack


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    content = bronze_like_the_sample(arguments.records)
    with tempfile.TemporaryDirectory() as folder, RunningStack(Path(folder) / "state") as stack:
        stack.wait_ready()
        user = ApiUser(stack.url)
        started = perf_counter()
        uploaded = user.call(
            "POST", "/upload_raw", data=content, headers={"Content-Type": "application/json"}
        ).json()
        print(f"upload of {arguments.records} records, {len(content) / 1e6:.1f} MB: {_since(started)}")
        runs = [_clean(user, uploaded["parentJobId"]) for _ in range(arguments.runs + 1)]
        user.close()
    _, *warm = runs
    accepted = median(run[0] for run in warm)
    print(f"first job: {runs[0][1]:.2f} s; after it, over {len(warm)} jobs:")
    print(f"POST /clean_data              {accepted * 1000:6.1f} ms (median)")
    print(f"POST to completed             {median(run[1] for run in warm):6.2f} s (median)")
    print(f"                              {max(run[1] for run in warm):6.2f} s (slowest)")


def _clean(user: ApiUser, parent_job_id: str) -> tuple[float, float]:
    """Seconds until the answer, and until the job is completed."""
    started = perf_counter()
    answer = user.clean(parentJobId=parent_job_id)
    accepted = perf_counter() - started
    job = user.wait_for_end(answer["jobId"])
    if job["status"] != "completed":
        raise SystemExit(f"the job failed: {job['error']}")
    return accepted, perf_counter() - started


def _since(started: float) -> str:
    return f"{perf_counter() - started:.2f} s"


if __name__ == "__main__":
    main()
