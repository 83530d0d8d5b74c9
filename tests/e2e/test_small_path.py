import hashlib
import io
import json
from typing import Any

import pyarrow.parquet as pq
import pytest
from azure.storage.filedatalake import DataLakeServiceClient
from azure.storage.queue import BinaryBase64DecodePolicy, BinaryBase64EncodePolicy, QueueClient

from tests.e2e.api_user import ApiUser
from tests.e2e.running_stack import RunningStack
from tests.waiting import wait_until

TABLES = [
    "silver",
    "quarantine",
    "dim_users",
    "dim_location",
    "dim_products",
    "dim_time",
    "fact_orders",
    "agg_user_metrics",
    "agg_product_metrics",
]


@pytest.fixture(scope="module")
def quick_start(stack: RunningStack) -> tuple[ApiUser, dict[str, Any], dict[str, Any]]:
    """What a new user does first: one job of 5,000 records; the user, the answer and the ended job."""
    user = ApiUser(stack.url)
    submitted = user.clean(dataCount=5000, jobName="First")
    job = user.wait_for_end(submitted["jobId"])
    return user, submitted, job


def read_lake(stack: RunningStack, container: str, path: str) -> bytes:
    with DataLakeServiceClient.from_connection_string(stack.addresses.connection_string) as service:
        content = service.get_file_client(container, path).download_file().readall()
        assert isinstance(content, bytes)
        return content


def manifest_of(stack: RunningStack, user: ApiUser, job: dict[str, Any]) -> dict[str, Any]:
    path = f"gold/analytics/{user.user_id}/{job['parentJobId']}/{job['jobId']}/_manifest.json"
    return dict(json.loads(read_lake(stack, "datalake", path)))


def test_the_quick_start_is_routed_to_the_small_path(
    quick_start: tuple[ApiUser, dict[str, Any], dict[str, Any]],
) -> None:
    _, submitted, _ = quick_start
    assert submitted["processingPath"] == "small_batch"
    assert submitted["queueName"] == "small-batch-queue"
    assert submitted["recordCount"] == 5000
    assert submitted["jobName"] == "First"


def test_the_quick_start_ends_completed_with_every_record_accounted_for(
    quick_start: tuple[ApiUser, dict[str, Any], dict[str, Any]],
) -> None:
    _, _, job = quick_start
    counts = job["counts"]
    assert (job["status"], job["error"], job["progress"]["percent"]) == ("completed", None, 100)
    assert counts["recordsIn"] == 5000
    assert counts["silverRows"] + counts["duplicatesRemoved"] + counts["quarantined"] == 5000
    assert counts["silverRows"] > 4000


def test_the_job_lists_every_output(quick_start: tuple[ApiUser, dict[str, Any], dict[str, Any]]) -> None:
    _, _, job = quick_start
    assert sorted(output["table"] for output in job["outputs"]) == sorted(TABLES)


def test_every_table_shows_its_first_rows(
    quick_start: tuple[ApiUser, dict[str, Any], dict[str, Any]],
) -> None:
    user, _, job = quick_start
    for table in TABLES:
        answer = user.call("GET", f"/jobs/{job['jobId']}/tables/{table}", params={"limit": 3})
        assert answer.status_code == 200, answer.text
        assert len(answer.json()["rows"]) == 3


def test_downloads_are_the_files_of_the_manifest(
    stack: RunningStack, quick_start: tuple[ApiUser, dict[str, Any], dict[str, Any]]
) -> None:
    user, _, job = quick_start
    outputs = manifest_of(stack, user, job)["outputs"]
    assert sorted(output["table"] for output in outputs) == sorted(TABLES)
    for output in outputs:
        path = f"/jobs/{job['jobId']}/tables/{output['table']}?format=parquet"
        content = user.call("GET", path).content
        [file] = output["files"]
        assert pq.read_table(io.BytesIO(content)).num_rows == output["rows"]
        assert (len(content), hashlib.sha256(content).hexdigest()) == (file["bytes"], file["sha256"])


def test_another_user_sees_nothing_of_a_job(
    user: ApiUser, quick_start: tuple[ApiUser, dict[str, Any], dict[str, Any]]
) -> None:
    _, _, job = quick_start
    assert user.call("GET", f"/jobs/{job['jobId']}").status_code == 404
    assert user.call("GET", f"/jobs/{job['jobId']}/tables/silver").status_code == 404


def test_an_uploaded_dataset_is_cleaned(user: ApiUser) -> None:
    record = {
        "order": {"id": "o-1"},
        "order_item": {"id": "i-1", "quantity": "3"},
        "user": {"id": "u-1", "email": "Ada@Example.COM"},
        "products_sku": {"id": "s-1", "price": "$1,234.50"},
    }
    dataset = user.upload([record, record, {"user": {"id": "u-2"}}, "not a record"])
    job = user.wait_for_end(user.clean(parentJobId=dataset)["jobId"])
    assert job["counts"] == {"recordsIn": 4, "silverRows": 1, "duplicatesRemoved": 1, "quarantined": 2}
    [row] = user.call("GET", f"/jobs/{job['jobId']}/tables/silver").json()["rows"]
    assert (row["order_id"], row["email"], row["quantity"]) == ("o-1", "ada@example.com", 3)
    assert float(row["line_amount"]) == 3703.50


def test_a_malformed_part_fails_the_job_on_the_first_attempt(stack: RunningStack, user: ApiUser) -> None:
    dataset = user.upload([{"order": {"id": "o-1"}, "user": {"id": "u-1"}}])
    with DataLakeServiceClient.from_connection_string(stack.addresses.connection_string) as service:
        # The API lets nobody store such a part; whoever writes to Bronze past it can.
        part = service.get_file_client("shanlee-raw-data", f"{user.user_id}/{dataset}/zz-broken.json")
        part.upload_data(b'[{"order": {"id": "o-2"}}, oops]', overwrite=True)
    job = user.wait_for_end(user.clean(parentJobId=dataset)["jobId"])
    assert (job["status"], job["attempts"], job["outputs"]) == ("failed", 1, [])
    assert "zz-broken.json" in job["error"]
    assert "byte 27" in job["error"]


def test_a_message_delivered_twice_changes_nothing(stack: RunningStack, user: ApiUser) -> None:
    job = user.wait_for_end(user.clean(dataCount=500)["jobId"])
    before = manifest_of(stack, user, job)
    message = {
        "userId": user.user_id,
        "jobId": job["jobId"],
        "parentJobId": job["parentJobId"],
        "asOf": before["asOf"],
        "processingPath": "small_batch",
    }
    with queue(stack, "small-batch-queue") as small:
        sent = small.send_message(json.dumps(message).encode())
    wait_until(lambda: any("succeeded" in line for line in lines_about(stack, sent.id)))
    assert user.job(job["jobId"]) == job
    assert manifest_of(stack, user, job) == before


def lines_about(stack: RunningStack, message_id: str) -> list[str]:
    return [line for line in stack.log("functions").splitlines() if message_id in line]


def queue(stack: RunningStack, name: str) -> QueueClient:
    connection_string = stack.addresses.connection_string
    return QueueClient.from_connection_string(
        connection_string,
        name,
        message_encode_policy=BinaryBase64EncodePolicy(),
        message_decode_policy=BinaryBase64DecodePolicy(),
    )
