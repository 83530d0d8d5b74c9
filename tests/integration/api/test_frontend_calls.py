import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from backend.app import create_app
from backend.bootstrap import Services
from backend.services.synchronous_writing import SynchronousWriter
from tests.integration.api.conftest import User, Workers
from tests.integration.api.described_client import DescribedClient

TABLES = [
    "user",
    "address",
    "category",
    "subcategory",
    "product",
    "products_sku",
    "wishlist",
    "payment",
    "order",
    "order_item",
]


def record(number: int, day: int, **changes: Any) -> dict[str, Any]:
    return {
        "user": {"id": f"u-{number}", "email": "ada@example.com", "birth_of_date": "1990-05-17"},
        "order": {"id": f"o-{number}", "create_time": f"2026-01-{day:02}T03:04:05.678Z"},
        "order_item": {"id": f"i-{number}", "quantity": 2},
        "product": {"id": "p-1", "name": "Cup"},
        "products_sku": {"id": "s-1", "price": "12.50"},
        "payment": {"id": f"y-{number}", "amount": 25, "status": "success"},
        **changes,
    }


def clean(user: User, workers: Workers, records: list[dict[str, Any]]) -> None:
    dataset = (user.api.post("/upload_raw", json=records).json or {})["parentJobId"]
    assert user.api.post("/clean_data", json={"parentJobId": dataset}).status_code == 202
    workers.clean()


def newest(user: User, table: str) -> list[dict[str, Any]]:
    answer = user.api.get(f"/get_{table}")
    assert answer.status_code == 200
    assert list(answer.json or {}) == ["success", table]
    return list((answer.json or {})[table])


def test_every_table_of_a_user_without_data_is_empty(user: User) -> None:
    assert {table: newest(user, table) for table in TABLES} == {table: [] for table in TABLES}


def test_rows_are_those_of_gold_with_decimals_dates_and_times_as_text(user: User, workers: Workers) -> None:
    clean(user, workers, [record(1, 2)])
    assert newest(user, "order") == [
        {
            "order_id": "o-1",
            "user_id": "u-1",
            "payment_id": "y-1",
            "order_created_at": "2026-01-02T03:04:05.678000Z",
            "order_updated_at": None,
        }
    ]
    assert newest(user, "products_sku") == [{"sku_id": "s-1", "product_id": "p-1", "unit_price": "12.50"}]
    assert newest(user, "payment") == [
        {
            "payment_id": "y-1",
            "payment_amount": "25.00",
            "payment_provider": None,
            "payment_status": "success",
        }
    ]
    [product] = newest(user, "product")
    assert (product["product_id"], product["product_name"]) == ("p-1", "Cup")
    [customer] = newest(user, "user")
    assert (customer["user_id"], customer["birth_date"]) == ("u-1", "1990-05-17")
    assert newest(user, "wishlist") == []


@pytest.mark.parametrize(
    ("table", "of_the_job"),
    [
        ("user", "dim_users"),
        ("address", "dim_location"),
        ("product", "dim_products"),
        ("order_item", "fact_orders"),
    ],
)
def test_a_whole_table_shows_what_the_job_shows(
    user: User, workers: Workers, table: str, of_the_job: str
) -> None:
    job = user.api.post("/clean_data", json={"dataCount": 15}).json or {}
    workers.generate()
    workers.clean()
    rows = (user.api.get(f"/jobs/{job['jobId']}/tables/{of_the_job}").json or {})["rows"]
    assert rows
    assert sorted(newest(user, table), key=str) == sorted(rows, key=str)


def test_at_most_20_rows_are_shown_newest_first_and_without_a_time_last(user: User, workers: Workers) -> None:
    timeless = record(99, 1, order={"id": "o-99"})
    clean(user, workers, [timeless, *(record(number, number) for number in range(1, 16))])
    clean(user, workers, [record(number, number) for number in range(21, 27)])
    newest_dataset = [f"o-{number}" for number in range(26, 20, -1)]
    older_dataset = [f"o-{number}" for number in range(15, 1, -1)]
    assert [row["order_id"] for row in newest(user, "order")] == newest_dataset + older_dataset
    clean(user, workers, [timeless, record(1, 1)])
    assert [row["order_id"] for row in newest(user, "order")][:3] == ["o-1", "o-99", "o-26"]


def test_what_has_several_lines_is_shown_once_as_it_was_last(user: User, workers: Workers) -> None:
    dearer = {"products_sku": {"id": "s-1", "price": "13.00"}}
    second_line = record(2, 3, order_item={"id": "i-3", "quantity": 1}, **dearer)
    clean(user, workers, [record(1, 2), record(2, 3, **dearer), second_line])
    assert [row["order_id"] for row in newest(user, "order")] == ["o-2", "o-1"]
    assert [row["payment_id"] for row in newest(user, "payment")] == ["y-2", "y-1"]
    assert [row["order_item_id"] for row in newest(user, "order_item")] == ["i-2", "i-3", "i-1"]
    assert newest(user, "products_sku") == [{"sku_id": "s-1", "product_id": "p-1", "unit_price": "13.00"}]


def test_a_name_is_shown_once_though_datasets_share_it(user: User, workers: Workers) -> None:
    kitchen = {"category": {"name": "Kitchen"}, "subcategory": {"name": "Cups"}}
    garden = {"category": {"name": "Garden"}, "product": {"id": "p-2", "name": "Spade"}}
    clean(user, workers, [record(1, 1, **kitchen), record(2, 2, **garden)])
    clean(user, workers, [record(3, 3, **kitchen)])
    assert newest(user, "category") == [{"category_name": "Kitchen"}, {"category_name": "Garden"}]
    assert newest(user, "subcategory") == [{"subcategory_name": "Cups", "category_name": "Kitchen"}]


def test_another_user_sees_nothing(user: User, other: User, workers: Workers) -> None:
    clean(user, workers, [record(1, 2)])
    assert len(newest(user, "order")) == 1
    assert {table: newest(other, table) for table in TABLES} == {table: [] for table in TABLES}


@pytest.mark.parametrize("table", ["users", "gold_loads", "User", "order;", "%20"])
def test_another_table_is_refused_with_the_names_of_those_that_there_are(user: User, table: str) -> None:
    answer = user.api.get(f"/get_{table}")
    assert (answer.status_code, (answer.json or {})["error"]) == (400, "invalid_request")
    assert "'order_item'" in (answer.json or {})["message"]


def test_without_a_token_nothing_is_told(anonymous: DescribedClient) -> None:
    assert anonymous.get("/get_user").status_code == 401
    assert anonymous.get("/get_nothing").status_code == 401
    assert anonymous.post("/write_to_db", json={"dataCount": 1}).status_code == 401


@pytest.mark.parametrize("count", [True, 1.0, "5", 0, -1, 1001, None, [1]])
def test_a_count_that_is_no_integer_from_1_to_1000_is_refused(user: User, count: Any) -> None:
    assert user.api.post("/write_to_db", json={"dataCount": count}).status_code == 400
    assert (user.api.get("/jobs").json or {})["jobs"] == []


@contextmanager
def working(workers: Workers) -> Iterator[None]:
    """Workers that work in a thread of their own."""
    done = threading.Event()

    def work() -> None:
        while not done.wait(0.02):
            workers.generate()
            workers.clean()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def test_writing_answers_when_the_users_are_in_the_database(user: User, workers: Workers) -> None:
    with working(workers):
        answer = user.api.post("/write_to_db", json={"dataCount": 30})
    assert answer.status_code == 200, answer.text
    written = answer.json or {}
    [job] = (user.api.get("/jobs").json or {})["jobs"]
    rows = (user.api.get(f"/jobs/{job['jobId']}/tables/dim_users?limit=1000").json or {})["rows"]
    ids = sorted(row["user_id"] for row in rows)
    assert written["all_user_ids"] == ids
    assert written["user_id"] == ids[0]
    assert written["all_messages"] == [f"User {each} is in the operational database." for each in ids]
    assert written["message"] == f"{len(ids)} users from 30 sample records are in the operational database."
    assert written["generation_time"] > 0
    assert written["commit_time"] > 0
    assert {row["user_id"] for row in newest(user, "user")} <= set(ids)


def test_a_write_that_takes_too_long_names_the_job_that_goes_on(
    user: User, services: Services, workers: Workers
) -> None:
    api = client_of(OtherWriting(services, at_once=1), user)
    answer = api.post("/write_to_db", json={"dataCount": 5})
    assert (answer.status_code, (answer.json or {})["error"]) == (503, "still_working")
    [job] = (user.api.get("/jobs").json or {})["jobs"]
    assert f"GET /jobs/{job['jobId']} tells" in (answer.json or {})["message"]
    assert answer.headers["Retry-After"] == "10"
    workers.generate()
    workers.clean()
    assert (user.api.get(f"/jobs/{job['jobId']}").json or {})["status"] == "completed"


def test_a_write_beyond_those_that_may_wait_is_answered_at_once_and_begins_nothing(
    user: User, services: Services
) -> None:
    answer = client_of(OtherWriting(services, at_once=0), user).post("/write_to_db", json={"dataCount": 5})
    assert (answer.status_code, (answer.json or {})["error"]) == (503, "busy")
    assert answer.headers["Retry-After"] == "10"
    assert (user.api.get("/jobs").json or {})["jobs"] == []


def client_of(services: Services, user: User) -> DescribedClient:
    api = DescribedClient(create_app(services.settings, services).test_client())
    return api.with_token(user.api.authorization.removeprefix("Bearer "))


class OtherWriting(Services):
    """The same services, but whoever writes waits for no time."""

    def __init__(self, services: Services, at_once: int) -> None:
        super().__init__(services.settings)
        self.synchronous_writing = SynchronousWriter(
            services.submission,
            services.jobs,
            services.operational_tables,
            wait=timedelta(),
            at_once=at_once,
            seconds=lambda: 0.0,
            sleep=lambda _: None,
        )
