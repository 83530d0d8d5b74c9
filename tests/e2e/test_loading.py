"""Gold in the databases of a running stack."""

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from typing import Any

import pytest
from azure.storage.filedatalake import DataLakeServiceClient

from tests.e2e.api_user import ApiUser
from tests.e2e.running_stack import RunningStack
from tests.waiting import wait_until

LARGE_JOB_SECONDS = 180


def warehouse(stack: RunningStack, query: str) -> list[dict[str, Any]]:
    """What `python -m backend sql` answers."""
    command = (
        sys.executable,
        "-m",
        "backend",
        "sql",
        "--json",
        "--file",
        str(stack.state / "warehouse.duckdb"),
    )
    answer = subprocess.run((*command, query), capture_output=True, text=True, timeout=60, check=True)
    rows: list[dict[str, Any]] = json.loads(answer.stdout)
    return rows


def operational(stack: RunningStack, query: str, *parameters: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(stack.state / "orchestrator.sqlite")) as database:
        return database.execute(query, parameters).fetchall()


def gold_rows(job: dict[str, Any]) -> dict[str, int]:
    """The rows of each Gold table, as the manifest says."""
    return {
        output["table"]: output["rows"]
        for output in job["outputs"]
        if output["table"] not in ("silver", "quarantine")
    }


def test_a_completed_jobs_gold_is_in_both_databases(stack: RunningStack, user: ApiUser) -> None:
    job = user.wait_for_end(user.clean(dataCount=300)["jobId"])
    expected = gold_rows(job)
    assert expected["fact_orders"] > 200
    for table, rows in expected.items():
        query = f"select count(*) from {table} where owner_id = ? and job_id = ?"
        assert operational(stack, query, user.user_id, job["jobId"]) == [(rows,)], table
        query = f"select count(*) as n from {table} where job_id = '{job['jobId']}'"
        assert warehouse(stack, query) == [{"n": rows}], table


def test_both_databases_agree_on_what_was_sold(stack: RunningStack, user: ApiUser) -> None:
    job = user.wait_for_end(user.clean(dataCount=300)["jobId"])
    totals = "select count(*) as orders, sum(line_amount) as amount from fact_orders"
    [row] = warehouse(stack, f"{totals} where job_id = '{job['jobId']}'")
    silver = user.call("GET", f"/jobs/{job['jobId']}/tables/fact_orders", params={"limit": 1000}).json()[
        "rows"
    ]
    cents = sum(round(float(each["line_amount"]) * 100) for each in silver if each["line_amount"])
    assert row["orders"] == len(silver)
    assert round(float(row["amount"]) * 100) == cents
    query = "select line_amount from fact_orders where job_id = ? and line_amount is not null"
    amounts = [round(float(amount) * 100) for (amount,) in operational(stack, query, job["jobId"])]
    assert sum(amounts) == cents


def test_cleaning_a_dataset_again_replaces_its_rows(stack: RunningStack, user: ApiUser) -> None:
    first = user.wait_for_end(user.clean(dataCount=100)["jobId"])
    second = user.wait_for_end(user.clean(parentJobId=first["parentJobId"])["jobId"])
    query = "select distinct job_id from fact_orders where dataset_id = ?"
    assert operational(stack, query, first["parentJobId"]) == [(second["jobId"],)]
    query = f"select distinct job_id from fact_orders where dataset_id = '{first['parentJobId']}'"
    assert warehouse(stack, query) == [{"job_id": second["jobId"]}]


def test_a_text_that_is_too_long_for_its_column_fails_the_job_is_named_and_leaves_gold(user: ApiUser) -> None:
    record = {"order": {"id": "o-1"}, "user": {"id": "u-1", "company": "x" * 1001}}
    job = user.wait_for_end(user.clean(parentJobId=user.upload([record]))["jobId"])
    assert (job["status"], job["error"]) == (
        "failed",
        "the operational database: dim_users.company holds a text of 1001 characters, and takes 1000",
    )
    assert gold_rows(job)["dim_users"] == 1
    [row] = user.call("GET", f"/jobs/{job['jobId']}/tables/dim_users").json()["rows"]
    assert row["company"] == "x" * 1001


@pytest.mark.timeout(240)
def test_the_runs_of_the_pipelines_are_kept_in_the_lake(stack: RunningStack, user: ApiUser) -> None:
    job_id = user.clean(dataCount=11_000)["jobId"]
    wait_until(lambda: user.job(job_id)["status"] == "completed", LARGE_JOB_SECONDS)

    def recorded() -> list[dict[str, Any]]:
        return [run for run in pipeline_runs(stack) if job_id in json.dumps(run)]

    [run] = wait_until(recorded, 30)
    assert (run["pipeline"], run["outcome"]) == ("small_batch_pipeline", "succeeded")
    assert run["steps"]["load_gold"][-1]["loaded"] >= 1


def pipeline_runs(stack: RunningStack) -> list[dict[str, Any]]:
    with DataLakeServiceClient.from_connection_string(stack.addresses.connection_string) as service:
        lake = service.get_file_system_client("datalake")
        paths = [path.name for path in lake.get_paths("logs") if path.name.startswith("logs/pipeline_runs/")]
        files = [path for path in paths if path.endswith(".json")]
        return [json.loads(lake.get_file_client(path).download_file().readall()) for path in files]
