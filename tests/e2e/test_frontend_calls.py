"""What the existing React client does, on a running stack."""

import time
from contextlib import closing

from backend.adapters.duckdb_warehouse import open_file
from tests.e2e.api_user import ApiUser
from tests.e2e.running_stack import RunningStack
from tests.waiting import wait_until


def test_what_was_written_is_there_when_the_answer_comes_and_for_nobody_else(
    stack: RunningStack, user: ApiUser
) -> None:
    answer = user.call("POST", "/write_to_db", json={"dataCount": 200})
    assert answer.status_code == 200, answer.text
    written = answer.json()
    shown = user.call("GET", "/get_user").json()["user"]
    [job] = user.call("GET", "/jobs").json()["jobs"]
    table = user.call("GET", f"/jobs/{job['jobId']}/tables/dim_users", params={"limit": 1000}).json()
    ids = sorted(row["user_id"] for row in table["rows"])
    assert written["all_user_ids"] == ids
    assert len(written["all_messages"]) == len(ids)
    newest = sorted(table["rows"], key=lambda row: row["user_id"])
    newest.sort(key=lambda row: row["user_created_at"] or "", reverse=True)
    assert shown == newest[:20]
    orders = user.call("GET", "/get_order_item").json()["order_item"]
    assert len(orders) == 20
    assert orders == sorted(orders, key=lambda row: row["order_created_at"] or "", reverse=True)
    with closing(ApiUser(stack.url)) as other:
        for table in ("user", "order_item"):
            assert other.call("GET", f"/get_{table}").json() == {"success": True, table: []}


def test_a_dataset_is_looked_into_and_deleted_and_its_job_has_left_a_notification(
    stack: RunningStack, user: ApiUser
) -> None:
    job = user.clean(dataCount=200, jobName="Autumn")
    dataset = job["parentJobId"]
    assert user.wait_for_end(job["jobId"])["status"] == "completed"
    assert user.call("GET", "/list_parent_jobs").json()["parentJobIds"] == [dataset]
    data = user.call("GET", f"/read_data_metadata/{dataset}").json()["data"]
    assert data == {"dataCount": 200, "totalChunks": 1, "status": "ready"}
    raw = user.call("GET", f"/get_raw_data/{dataset}/user")
    assert len(raw.json()["user"]) == 10
    assert "password" not in raw.text
    [told] = wait_until(lambda: user.call("GET", "/notifications/unread").json()["notifications"], 30)
    assert told["status"] == "completed"
    assert told["message"].startswith("Autumn: completed, 200 records in = ")

    answer = user.call("DELETE", f"/delete_folder/{dataset}")

    assert (answer.status_code, answer.json()) == (200, {"success": True, "deletedCount": 1 + 10})
    assert user.call("GET", "/list_parent_jobs").json()["parentJobIds"] == []
    assert user.call("GET", "/jobs").json()["jobs"] == []
    assert user.call("GET", "/get_user").json()["user"] == []
    deadline = time.monotonic() + 30
    with open_file(stack.state / "warehouse.duckdb", deadline, read_only=True) as warehouse:
        owned = "SELECT count(*) FROM gold_loads WHERE owner_id = ?"
        assert warehouse.execute(owned, [user.user_id]).fetchall() == [(0,)]
    assert user.call("DELETE", f"/delete_folder/{dataset}").status_code == 404
    assert user.call("DELETE", f"/notifications/{told['id']}").json() == {"success": True}
    assert user.call("GET", "/notifications/unread").json()["count"] == 0
