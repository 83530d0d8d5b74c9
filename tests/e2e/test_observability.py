"""What the processes of a stack tell of two jobs: their logs, and the traces that they send."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from backend.telemetry.log_lines import hashed
from tests.application_insights import ApplicationInsights, running_application_insights
from tests.e2e.api_user import ApiUser
from tests.e2e.conftest import state_folder
from tests.e2e.running_stack import RunningStack
from tests.waiting import wait_until

# Spans are sent every five seconds.
SENT_SECONDS = 30
LARGE_JOB_SECONDS = 180

pytestmark = pytest.mark.timeout(400)


@dataclass
class Followed:
    """A job of each path, and who asked for them."""

    stack: RunningStack
    insights: ApplicationInsights
    user: ApiUser
    small: str
    large: str

    def lines(self, name: str) -> list[dict[str, Any]]:
        """What one part of the stack has logged in JSON."""
        return [json.loads(line) for line in self.stack.log(name).splitlines() if line.startswith("{")]

    def request_id(self, job_id: str) -> str:
        """Of the request that asked for a job, as the API's log tells it."""
        [request_id] = {line["request_id"] for line in self.lines("api") if line.get("job_id") == job_id}
        return str(request_id)


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Followed]:
    with (
        running_application_insights() as insights,
        RunningStack(state_folder(tmp_path_factory), **insights.settings) as stack,
    ):
        user = ApiUser(stack.wait_ready().url)
        large = user.clean(dataCount=10_001)["jobId"]
        small = user.clean(dataCount=500)["jobId"]
        user.wait_for_end(small)
        wait_until(lambda: user.job(large)["status"] == "completed", LARGE_JOB_SECONDS)
        yield Followed(stack, insights, user, small, large)
        user.close()


def test_every_line_of_every_log_is_json_but_for_what_other_programs_say(followed: Followed) -> None:
    for name in ("functions", "pipelines"):
        assert all(line.startswith("{") for line in followed.stack.log(name).splitlines())
    api = [line for line in followed.stack.log("api").splitlines() if not line.startswith("{")]
    assert api == [f"Serving on {followed.stack.url}"]


def test_a_jobs_lines_have_its_id_its_owners_hash_and_its_requests_id_in_every_process(
    followed: Followed,
) -> None:
    for job_id, logs in (
        (followed.small, ("api", "functions")),
        (followed.large, ("api", "functions", "spark")),
    ):
        request_id = followed.request_id(job_id)
        for name in logs:
            about = [line for line in followed.lines(name) if line.get("job_id") == job_id]
            assert {(line["user"], line["request_id"]) for line in about} == {
                (hashed(followed.user.user_id), request_id)
            }, name


def test_the_log_names_nobody_and_tells_no_secret(followed: Followed) -> None:
    state = followed.stack.state
    secrets = [path.read_text().strip() for path in state.iterdir() if "secret" in path.name]
    assert secrets
    for name in ("api", "functions", "spark", "pipelines", "gateway"):
        text = followed.stack.log(name)
        for secret in (*secrets, followed.user.user_id, "eyJ", "AccountKey="):
            assert secret not in text, name


def test_a_small_job_is_one_trace_over_its_processes(followed: Followed) -> None:
    request_id = followed.request_id(followed.small)
    wanted = {
        ("api", "POST /clean_data"),
        ("functions", "generate_sample_data_part"),
        ("functions", "transform_small_batch_queue"),
        ("functions", "reading bronze"),
        ("functions", "writing tables"),
        ("functions", "load gold"),
    }

    wait_until(lambda: wanted <= followed.insights.names(request_id), SENT_SECONDS)


def test_a_large_job_is_one_trace_over_its_processes(followed: Followed) -> None:
    request_id = followed.request_id(followed.large)
    wanted = {
        ("api", "POST /clean_data"),
        ("functions", "generate_sample_data_part"),
        ("functions", "start spark run"),
        ("spark worker", "clean dataset"),
        ("spark worker", "writing tables"),
        ("functions", "load gold"),
    }

    wait_until(lambda: wanted <= followed.insights.names(request_id), SENT_SECONDS)


def test_the_metrics_of_a_stack_count_both_jobs(followed: Followed) -> None:
    wait_until(lambda: "records_in_total 10501.0" in _metrics(followed), SENT_SECONDS)
    for path in ("small_batch", "large_batch"):
        counted = f'orchestrator_jobs_ended_total{{kind="clean",path="{path}",status="completed"}} 1.0'
        assert counted in _metrics(followed)


def _metrics(followed: Followed) -> str:
    return requests.get(f"{followed.stack.url}/metrics", timeout=10).text
