from typing import Any

import pytest

from tests.integration.api.conftest import User, Workers
from tests.integration.api.described_client import DescribedClient


def unread(user: User) -> list[dict[str, Any]]:
    answer = user.api.get("/notifications/unread").json or {}
    assert answer["count"] == len(answer["notifications"])
    return list(answer["notifications"])


def save(user: User, message: str, status: str = "info") -> dict[str, Any]:
    answer = user.api.post("/notifications/save", json={"message": message, "status": status})
    assert answer.status_code == 200
    return answer.json or {}


def test_a_saved_message_is_shown_until_it_is_deleted(user: User) -> None:
    saved = save(user, "Your export is ready", "success")
    assert saved == {"success": True, "notification_id": saved["notification_id"], "is_new": True}
    [shown] = unread(user)
    assert list(shown) == ["id", "message", "status", "timestamp"]
    assert (shown["id"], shown["message"], shown["status"]) == (
        saved["notification_id"],
        "Your export is ready",
        "success",
    )
    assert shown["timestamp"].endswith("Z")
    deleted = user.api.delete(f"/notifications/{shown['id']}")
    assert (deleted.status_code, deleted.json) == (200, {"success": True})
    assert unread(user) == []
    assert user.api.delete(f"/notifications/{shown['id']}").status_code == 404


def test_the_same_message_twice_is_one(user: User) -> None:
    first = save(user, "hello")
    assert save(user, "hello") == {**first, "is_new": False}
    assert len(unread(user)) == 1
    assert save(user, "Hello")["is_new"]


def test_a_job_that_ends_leaves_one(user: User, workers: Workers) -> None:
    dataset = (
        user.api.post("/upload_raw", json=[{"order": {"id": "o"}, "user": {"id": "u"}}, 1]).json or {}
    )["parentJobId"]
    user.api.post("/clean_data", json={"parentJobId": dataset, "jobName": "Autumn"})
    assert unread(user) == []
    workers.clean()
    [told] = unread(user)
    assert (told["message"], told["status"]) == (
        "Autumn: completed, 2 records in = 1 in Silver + 0 duplicates + 1 quarantined",
        "completed",
    )


def test_another_users_notifications_are_not_there(user: User, other: User) -> None:
    saved = save(user, "hello")
    assert unread(other) == []
    refused = other.api.delete(f"/notifications/{saved['notification_id']}")
    missing = other.api.delete(f"/notifications/{'0' * 32}")
    assert (refused.status_code, refused.json) == (404, missing.json)
    assert len(unread(user)) == 1


@pytest.mark.parametrize("name", ["unread", "x", "..%2f..", "A" * 32, "0" * 31, "%00", "occasion%20"])
def test_what_is_no_id_is_not_found(user: User, name: str) -> None:
    assert user.api.delete(f"/notifications/{name}").status_code in (404, 405)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"message": "hello"},
        {"status": "info"},
        {"message": "", "status": "info"},
        {"message": "hello", "status": ""},
        {"message": 5, "status": "info"},
        {"message": "x" * 1001, "status": "info"},
        {"message": "hello", "status": "x" * 51},
        {"message": "a\x00b", "status": "info"},
    ],
)
def test_a_body_that_is_no_message_is_refused(user: User, body: dict[str, Any]) -> None:
    assert user.api.post("/notifications/save", json=body).status_code == 400
    assert unread(user) == []


def test_without_a_token_nothing_is_told(anonymous: DescribedClient) -> None:
    assert anonymous.get("/notifications/unread").status_code == 401
    assert anonymous.post("/notifications/save", json={"message": "a", "status": "b"}).status_code == 401
    assert anonymous.delete(f"/notifications/{'0' * 32}").status_code == 401
