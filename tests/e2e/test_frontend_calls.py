"""What the existing React client does, on a running stack."""

from contextlib import closing

from tests.e2e.api_user import ApiUser
from tests.e2e.running_stack import RunningStack


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
