import csv
import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from backend import lake_paths
from backend.bootstrap import Services
from backend.domain.identifiers import new_job_id
from backend.domain.jobs import Job, JobStatus
from tests.integration.api.conftest import User, Workers

RECORDS: list[Any] = [
    {
        "user": {
            "id": "u-1",
            "username": "=HYPERLINK(evil)",
            "email": "Ada@Example.COM",
            "birth_of_date": "1990-05-17",
        },
        "order": {"id": "o-1", "create_time": "2026-01-02T03:04:05.678Z"},
        "order_item": {"id": "i-1", "quantity": 2},
        "product": {"id": "p-1", "name": 'Cup, "large"'},
        "products_sku": {"id": "s-1", "price": "12.50"},
        "payment": {"id": "y-1", "amount": 25, "status": "success"},
    },
    {"user": {"id": "u-2"}, "order": {"id": "o-2"}, "order_item": {"id": "i-2"}},
    "no record",
]


def submit(user: User, records: list[Any]) -> str:
    dataset = (user.api.post("/upload_raw", json=records).json or {})["parentJobId"]
    return str((user.api.post("/clean_data", json={"parentJobId": dataset}).json or {})["jobId"])


@pytest.fixture
def job_id(user: User, workers: Workers) -> str:
    """A completed job on RECORDS."""
    job_id = submit(user, RECORDS)
    workers.clean()
    return job_id


def table(user: User, job_id: str, name: str, query: str = "") -> dict[str, Any]:
    response = user.api.get(f"/jobs/{job_id}/tables/{name}{query}")
    assert response.status_code == 200
    return dict(response.json or {})


def test_a_completed_job_tells_its_counts_and_its_outputs(user: User, job_id: str) -> None:
    job = user.api.get(f"/jobs/{job_id}").json or {}
    assert (job["status"], job["kind"], job["attempts"], job["error"]) == ("completed", "clean", 1, None)
    assert job["counts"] == {"recordsIn": 3, "silverRows": 2, "duplicatesRemoved": 0, "quarantined": 1}
    assert job["progress"]["percent"] == 100
    assert job["progress"]["done"] == job["progress"]["total"]
    assert job["submittedAt"] <= job["startedAt"] <= job["finishedAt"]
    assert job["finishedAt"].endswith("Z")
    rows = {output["table"]: output["rows"] for output in job["outputs"]}
    assert rows == {
        "silver": 2,
        "quarantine": 1,
        "dim_users": 2,
        "dim_location": 0,
        "dim_products": 1,
        "dim_time": 1,
        "fact_orders": 2,
        "agg_user_metrics": 2,
        "agg_product_metrics": 1,
    }
    [silver] = [output["path"] for output in job["outputs"] if output["table"] == "silver"]
    assert silver == f"silver/cleaned/{user.user_id}/{job['parentJobId']}/{job_id}.parquet"
    assert all(output["bytes"] > 0 for output in job["outputs"])


def test_jobs_are_listed_newest_first_in_pages(user: User) -> None:
    ids = [
        (user.api.post("/clean_data", json={"dataCount": 1, "jobName": f"job {number}"}).json or {})["jobId"]
        for number in range(3)
    ]
    first = user.api.get("/jobs?limit=2").json or {}
    assert [job["jobId"] for job in first["jobs"]] == [ids[2], ids[1]]
    last = user.api.get(f"/jobs?limit=2&cursor={first['nextCursor']}").json or {}
    assert [job["jobId"] for job in last["jobs"]] == [ids[0]]
    assert last["nextCursor"] is None


def test_jobs_are_listed_by_status(user: User, job_id: str) -> None:
    submit(user, RECORDS)
    completed = user.api.get("/jobs?status=completed").json or {}
    assert [job["jobId"] for job in completed["jobs"]] == [job_id]
    assert (user.api.get("/jobs?status=failed").json or {})["jobs"] == []


def test_a_tables_rows_keep_every_value_exact(user: User, job_id: str) -> None:
    silver = table(user, job_id, "silver")
    assert silver["rowCount"] == 2
    assert {"name": "unit_price", "type": "decimal128(12, 2)"} in silver["columns"]
    [row] = [row for row in silver["rows"] if row["order_id"] == "o-1"]
    assert (row["unit_price"], row["line_amount"]) == ("12.50", "25.00")
    assert (row["birth_date"], row["quantity"]) == ("1990-05-17", 2)
    assert row["order_created_at"] == "2026-01-02T03:04:05.678000Z"
    assert row["email"] == "ada@example.com"
    assert row["postal_code"] is None
    assert "missing_city" in row["issues"]


def test_a_preview_is_as_long_as_asked_for(user: User, job_id: str) -> None:
    assert len(table(user, job_id, "silver", "?limit=1")["rows"]) == 1
    empty = table(user, job_id, "dim_location")
    assert (empty["rows"], empty["rowCount"], len(empty["columns"])) == ([], 0, 5)


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=x", "format=xml", "format="])
def test_an_odd_question_for_a_table_is_refused(user: User, query: str) -> None:
    assert user.api.get(f"/jobs/{'1' * 32}/tables/silver?{query}").status_code == 400


def test_a_csv_download_holds_the_whole_table_with_formulas_defused(user: User, job_id: str) -> None:
    response = user.api.get(f"/jobs/{job_id}/tables/silver?format=csv&limit=1")
    assert response.headers["Content-Disposition"] == "attachment; filename=silver.csv"
    rows = {row["order_id"]: row for row in csv.DictReader(io.StringIO(response.text))}
    assert len(rows) == 2
    row = rows["o-1"]
    assert row["username"] == "'=HYPERLINK(evil)"
    assert row["product_name"] == 'Cup, "large"'
    assert (row["unit_price"], row["birth_date"]) == ("12.50", "1990-05-17")
    assert row["order_created_at"] == "2026-01-02T03:04:05.678000Z"
    assert "missing_city" in json.loads(row["issues"])
    assert rows["o-2"]["email"] == ""


def test_an_empty_table_downloads_with_its_header(user: User, job_id: str) -> None:
    text = user.api.get(f"/jobs/{job_id}/tables/dim_location?format=csv").text
    assert text.splitlines() == ['"location_id","country_code","country","city","postal_code"']
    content = user.api.get(f"/jobs/{job_id}/tables/dim_location?format=parquet").data
    assert pq.read_table(io.BytesIO(content)).num_rows == 0


def test_a_parquet_download_is_the_table(user: User, job_id: str, services: Services) -> None:
    response = user.api.get(f"/jobs/{job_id}/tables/fact_orders?format=parquet")
    assert response.headers["Content-Disposition"] == "attachment; filename=fact_orders.parquet"
    job = services.reporting.job(user.user_id, job_id)
    paths = lake_paths.job_outputs(user.user_id, job.parent_job_id, job_id)
    assert response.data == services.lake.read(paths.table("fact_orders"))


def test_a_table_of_several_files_is_read_as_one(user: User, job_id: str, services: Services) -> None:
    job = services.reporting.job(user.user_id, job_id)
    paths = lake_paths.job_outputs(user.user_id, job.parent_job_id, job_id)
    manifest = json.loads(services.lake.read(paths.manifest))
    [output] = [each for each in manifest["outputs"] if each["table"] == "dim_users"]
    for number, users in enumerate((["a", "b"], [], ["c"])):
        sink = io.BytesIO()
        pq.write_table(pa.table({"user_id": pa.array(users, pa.string())}), sink)
        path = f"{paths.gold_folder}/dim_users.parquet.d/part-{number}.parquet"
        services.lake.write(path, sink.getvalue())
        output["files"].append({"path": path, "bytes": sink.tell(), "sha256": ""})
    del output["files"][0]
    output["rows"] = 3
    services.lake.write(paths.manifest, json.dumps(manifest).encode())
    rows = table(user, job_id, "dim_users")["rows"]
    assert [row["user_id"] for row in rows] == ["a", "b", "c"]
    content = user.api.get(f"/jobs/{job_id}/tables/dim_users?format=parquet").data
    assert pq.read_table(io.BytesIO(content)).column("user_id").to_pylist() == ["a", "b", "c"]
    text = user.api.get(f"/jobs/{job_id}/tables/dim_users?format=csv").text
    assert text.splitlines() == ['"user_id"', '"a"', '"b"', '"c"']


def test_outputs_that_are_being_written_again_are_to_be_waited_for(
    user: User, job_id: str, services: Services
) -> None:
    job = services.reporting.job(user.user_id, job_id)
    services.lake.delete_file(lake_paths.job_outputs(user.user_id, job.parent_job_id, job_id).manifest)
    response = user.api.get(f"/jobs/{job_id}/tables/silver")
    assert response.status_code == 503
    assert "try again in a while" in (response.json or {})["message"]


def test_quality_tells_what_was_wrong(user: User, job_id: str) -> None:
    quality = user.api.get(f"/jobs/{job_id}/quality").json or {}
    assert (quality["jobId"], quality["engine"]) == (job_id, "pandas")
    assert (quality["recordsIn"], quality["silverRows"], quality["quarantined"]) == (3, 2, 1)
    assert quality["quarantinedByReason"] == {"not_an_object": 1}
    assert quality["issuesByCode"]["missing_city"] == 2
    assert sum(quality["scoreDistribution"].values()) == 2
    assert quality["completeness"]["email"] == {"before": 0.5, "after": 0.5}


@pytest.mark.parametrize("what", ["quality", "tables/silver", "tables/silver?format=csv", "tables/nothing"])
def test_results_of_a_job_that_is_not_completed_are_a_conflict(user: User, what: str) -> None:
    response = user.api.get(f"/jobs/{submit(user, RECORDS)}/{what}")
    assert response.status_code == 409
    assert (response.json or {})["error"] == "job_not_completed"


def test_a_failed_job_without_results_is_to_be_retried(user: User, services: Services) -> None:
    job_id = submit(user, RECORDS)
    services.jobs.update(user.user_id, job_id, lambda job: job.failed(datetime.now(UTC), "no luck"))
    answer = user.api.get(f"/jobs/{job_id}/quality").json or {}
    assert (answer["error"], answer["message"]) == ("job_not_completed", "The job is failed: retry it.")


def test_results_of_sample_data_are_had_by_cleaning_it(user: User, workers: Workers) -> None:
    asked = user.api.post("/generate_raw", json={"dataCount": 1}).json or {}
    workers.generate()
    response = user.api.get(f"/jobs/{asked['jobId']}/tables/silver")
    answer = response.json or {}
    assert (response.status_code, answer["error"]) == (409, "job_has_no_results")
    assert f"clean the dataset {asked['parentJobId']}" in answer["message"]


@pytest.mark.parametrize("name", ["nothing", "..", "%2e%2e", "silver.parquet", "_manifest.json", "%00"])
def test_an_unknown_table_is_not_found(user: User, job_id: str, name: str) -> None:
    assert user.api.get(f"/jobs/{job_id}/tables/{name}").status_code == 404


@pytest.mark.parametrize(
    ("method", "what"),
    [
        ("GET", ""),
        ("GET", "/quality"),
        ("GET", "/tables/silver"),
        ("GET", "/tables/silver?format=csv"),
        ("GET", "/tables/silver?format=parquet"),
        ("POST", "/retry"),
    ],
)
def test_another_users_job_answers_as_one_that_does_not_exist(
    user: User, other: User, job_id: str, method: str, what: str
) -> None:
    theirs = other.api.call(method, f"/jobs/{job_id}{what}")
    for nobodys_id in (new_job_id(), "x", job_id.upper(), "%00", "a'or'b"):
        nobodys = other.api.call(method, f"/jobs/{nobodys_id}{what}")
        assert (theirs.status_code, theirs.json) == (nobodys.status_code, nobodys.json)
        assert nobodys.status_code == 404
    assert user.api.get(f"/jobs/{job_id}").status_code == 200


def test_a_failed_job_is_retried_to_its_end(user: User, services: Services, workers: Workers) -> None:
    job_id = submit(user, RECORDS)
    workers.take("api-small-batch")
    services.jobs.update(user.user_id, job_id, lambda job: job.failed(datetime.now(UTC), "storage was out"))
    assert (user.api.get(f"/jobs/{job_id}").json or {})["error"] == "storage was out"
    response = user.api.post(f"/jobs/{job_id}/retry")
    assert response.status_code == 202
    assert (response.json or {})["status"] == "queued"
    workers.clean()
    job = user.api.get(f"/jobs/{job_id}").json or {}
    assert (job["status"], job["error"]) == ("completed", None)


@pytest.mark.parametrize("status", [status for status in JobStatus if status is not JobStatus.FAILED])
def test_only_a_failed_job_can_be_retried(user: User, services: Services, status: JobStatus) -> None:
    job_id = submit(user, RECORDS)

    def set_status(job: Job) -> Job:
        return replace(job, status=status)

    services.jobs.update(user.user_id, job_id, set_status)
    response = user.api.post(f"/jobs/{job_id}/retry")
    assert response.status_code == 409
    assert (response.json or {})["error"] == "job_not_failed"


def test_a_malformed_part_fails_the_job_with_its_place(
    user: User, services: Services, workers: Workers
) -> None:
    services.bronze.write(f"{user.user_id}/by-hand/part.json", b'[{"a": 1}, oops]')
    answer = user.api.post("/clean_data", json={"parentJobId": "by-hand"}).json or {}
    workers.clean()
    job = user.api.get(answer["statusUrl"]).json or {}
    assert (job["status"], job["outputs"]) == ("failed", [])
    assert "part.json" in job["error"]
    assert "byte 11" in job["error"]
