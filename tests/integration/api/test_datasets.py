"""Datasets as the existing frontend asks for them, over real storage, tables and databases."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import duckdb
import pytest
from azure.data.tables import TableServiceClient

from backend import lake_paths
from backend.app import create_app
from backend.azure_clients import table_service
from backend.bootstrap import Services, build_services
from backend.domain.errors import Conflict, InvalidMessage, NotFound
from backend.domain.messages import CleaningMessage, GenerationMessage
from backend.services.dataset_deletion import DatasetDeletion
from backend.settings import Settings
from tests.integration.api.conftest import User, Workers, registered
from tests.integration.api.described_client import DescribedClient

WRITES = {"add", "update", "delete", "delete_file", "delete_folder", "remove"}
RECORDS: list[Any] = [
    {
        "user": {"id": f"u-{number}", "username": "ada", "password": "s3cret"},
        "order": {"id": f"o-{number}", "create_time": "2026-01-02T03:04:05Z"},
        "order_item": {"id": "i", "quantity": 2},
        "category": {"name": "Cups"},
        "payment": {"id": "y", "amount": 25, "status": "success"},
    }
    for number in range(25)
]


@pytest.fixture(scope="module")
def services(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """With a warehouse, too."""
    warehouse: Path = tmp_path_factory.mktemp("warehouse") / "warehouse.duckdb"
    services = build_services(replace(settings, warehouse_file=warehouse))
    yield services
    services.account_database.close()
    services.attempt_counts.close()
    services.operational_tables.close()


@pytest.fixture(scope="module")
def anonymous(settings: Settings, services: Services) -> DescribedClient:
    return DescribedClient(create_app(settings, services).test_client())


@pytest.fixture(scope="module")
def new_user(anonymous: DescribedClient) -> Callable[[], User]:
    return lambda: registered(anonymous)


def upload(user: User, records: list[Any] | None = None) -> str:
    answer = user.api.post("/upload_raw", json=RECORDS if records is None else records)
    return str((answer.json or {})["parentJobId"])


def clean(user: User, workers: Workers, dataset: str) -> str:
    job = user.api.post("/clean_data", json={"parentJobId": dataset}).json or {}
    workers.clean()
    assert (user.api.get(f"/jobs/{job['jobId']}").json or {})["status"] == "completed"
    return str(job["jobId"])


def listed(user: User) -> list[str]:
    answer = user.api.get("/list_parent_jobs").json or {}
    assert list(answer) == ["success", "parentJobIds"]
    return list(answer["parentJobIds"])


def test_datasets_are_listed_sorted_those_put_in_by_hand_among_them(user: User, services: Services) -> None:
    assert listed(user) == []
    uploaded = [upload(user), upload(user, [])]
    generated = (user.api.post("/generate_raw", json={"dataCount": 30}).json or {})["parentJobId"]
    services.bronze.write(f"{user.user_id}/orders-2025/part.json", b"[1]")
    services.bronze.write(f"{user.user_id}/no id/part.json", b"[1]")
    assert listed(user) == sorted([*uploaded, generated, "orders-2025"])


def test_what_is_known_of_a_dataset(user: User, services: Services, workers: Workers) -> None:
    def metadata(dataset: str) -> Any:
        answer = user.api.get(f"/read_data_metadata/{dataset}")
        assert answer.status_code == 200
        assert list(answer.json or {}) == ["success", "data"]
        return (answer.json or {})["data"]

    assert metadata(upload(user)) == {"dataCount": 25, "totalChunks": 2, "status": "ready"}
    generated = (user.api.post("/generate_raw", json={"dataCount": 30}).json or {})["parentJobId"]
    assert metadata(generated) == {"dataCount": 30, "totalChunks": 2, "status": "generating"}
    workers.generate()
    assert metadata(generated) == {"dataCount": 30, "totalChunks": 2, "status": "ready"}
    services.bronze.write(f"{user.user_id}/orders-2025/part.json", b"[1, 2]")
    assert metadata("orders-2025") == {"dataCount": 2, "totalChunks": 1, "status": "ready"}


def test_raw_entities_are_shown_without_their_passwords(user: User) -> None:
    dataset = upload(user)
    shown = user.api.get(f"/get_raw_data/{dataset}/user").json
    assert shown == {
        "success": True,
        "user": [{"id": f"u-{number}", "username": "ada"} for number in range(10)],
    }
    assert user.api.get(f"/get_raw_data/{dataset}/category").json == {
        "success": True,
        "category": [{"name": "Cups"}],
    }
    assert user.api.get(f"/get_raw_data/{dataset}/wishlist").status_code == 404
    assert user.api.get(f"/get_raw_data/{dataset}/users").status_code == 400


def test_generated_data_is_shown_once_there_is_some(user: User, workers: Workers) -> None:
    dataset = (user.api.post("/generate_raw", json={"dataCount": 30}).json or {})["parentJobId"]
    assert user.api.get(f"/get_raw_data/{dataset}/user").status_code == 404
    workers.generate()
    for table in ("user", "address", "product", "products_sku", "payment", "order", "order_item"):
        answer = user.api.get(f"/get_raw_data/{dataset}/{table}")
        assert 1 <= len((answer.json or {})[table]) <= 10
        assert "password" not in answer.text


def test_unusual_raw_values_are_no_fault_of_the_service(user: User, services: Services) -> None:
    deep = b'{"a":' * 500 + b"1" + b"}" * 500
    raw = b'[{"user": {"n": %s, "x": 1e400, "s": "\\ud800"}}, {"user": %s}]' % (b"9" * 5_000, deep)
    services.bronze.write(f"{user.user_id}/odd/part.json", raw)
    answer = user.api.get("/get_raw_data/odd/user")
    assert answer.status_code == 200
    assert json.loads(answer.text)["user"][0] == {"n": "9" * 5_000, "x": "1e400", "s": "\ufffd"}


def everything_of(services: Services, tables: TableServiceClient, user_id: str, dataset: str) -> list[str]:
    """Whatever any store holds of a dataset."""
    inside = f"/{user_id}/{dataset}/"
    found = [
        file.path
        for container in (services.bronze, services.lake)
        for file in container.list_files("")
        if inside in f"/{file.path}"
    ]
    of_user = {"query_filter": f"PartitionKey eq '{user_id}'"}
    for name in ("JobProgress", "Datasets"):
        rows = tables.get_table_client(name).query_entities(**of_user)
        found += [name for row in rows if dataset in (row["RowKey"], row.get("parentJobId"))]
    if services.operational_tables.user_ids(user_id, dataset):
        found.append("the operational database")
    return found + warehouse_rows(services, user_id, dataset)


def warehouse_rows(services: Services, user_id: str, dataset: str) -> list[str]:
    with duckdb.connect(str(services.settings.warehouse_file), read_only=True) as connection:
        rows = connection.execute(
            "SELECT count(*) FROM dw_gold.fact_orders WHERE owner_id = ? AND dataset_id = ?",
            [user_id, dataset],
        ).fetchall()
    return ["the warehouse"] * bool(rows[0][0])


@pytest.fixture
def tables(settings: Settings) -> TableServiceClient:
    return table_service(settings.storage)


def delete(user: User, dataset: str) -> Any:
    return user.api.delete(f"/delete_folder/{dataset}")


def test_a_dataset_goes_with_everything_that_was_made_of_it(
    user: User, services: Services, tables: TableServiceClient, workers: Workers
) -> None:
    dataset, kept = upload(user), upload(user)
    job, kept_job = clean(user, workers, dataset), clean(user, workers, kept)
    again = clean(user, workers, dataset)
    metrics = [
        file.path for file in services.lake.list_files("logs/transformation_metrics") if job in file.path
    ]
    before = everything_of(services, tables, user.user_id, kept)
    assert len(metrics) == 1
    assert {"JobProgress", "Datasets", "the operational database", "the warehouse"} <= {*before}

    answer = delete(user, dataset)

    # Two parts; for each of two jobs Silver, quarantine, seven tables and the manifest.
    assert (answer.status_code, answer.json) == (200, {"success": True, "deletedCount": 2 + 2 * 10})
    assert everything_of(services, tables, user.user_id, dataset) == []
    assert not any(job in file.path or again in file.path for file in services.lake.list_files("logs"))
    assert everything_of(services, tables, user.user_id, kept) == before
    assert listed(user) == [kept]
    for path in (f"/jobs/{job}", f"/jobs/{job}/quality", f"/jobs/{again}/tables/silver"):
        assert user.api.get(path).status_code == 404
    for path in (f"/read_data_metadata/{dataset}", f"/get_raw_data/{dataset}/user"):
        assert user.api.get(path).status_code == 404
    assert user.api.post("/clean_data", json={"parentJobId": dataset}).status_code == 404
    assert user.api.post(f"/jobs/{job}/retry").status_code == 404
    assert [each["jobId"] for each in (user.api.get("/jobs").json or {})["jobs"]] == [kept_job]
    assert delete(user, dataset).json == delete(user, "0" * 32).json
    assert len((user.api.get("/notifications/unread").json or {})["notifications"]) == 3


def test_a_dataset_that_was_put_in_by_hand_goes_too(
    user: User, services: Services, tables: TableServiceClient, workers: Workers
) -> None:
    services.bronze.write(f"{user.user_id}/orders-2025/part.json", json.dumps(RECORDS).encode())
    clean(user, workers, "orders-2025")
    assert delete(user, "orders-2025").json == {"success": True, "deletedCount": 11}
    assert everything_of(services, tables, user.user_id, "orders-2025") == []
    assert listed(user) == []
    services.bronze.write(f"{user.user_id}/orders-2025/part.json", b"[1]")
    assert listed(user) == ["orders-2025"]


def test_while_a_job_on_it_runs_a_dataset_stays(user: User, workers: Workers) -> None:
    dataset = upload(user)
    job = (user.api.post("/clean_data", json={"parentJobId": dataset}).json or {})["jobId"]
    answer = delete(user, dataset)
    assert (answer.status_code, (answer.json or {})["error"]) == (409, "dataset_in_use")
    assert job in (answer.json or {})["message"]
    assert listed(user) == [dataset]
    workers.clean()
    assert (user.api.get(f"/jobs/{job}").json or {})["status"] == "completed"
    assert delete(user, dataset).status_code == 200


def test_another_users_dataset_is_not_there(user: User, other: User, workers: Workers) -> None:
    dataset = upload(user)
    job = clean(user, workers, dataset)
    missing = "0" * 32
    for path in ("/read_data_metadata/{}", "/get_raw_data/{}/user"):
        theirs, nobodys = other.api.get(path.format(dataset)), other.api.get(path.format(missing))
        assert (theirs.status_code, theirs.json) == (404, nobodys.json)
    assert (delete(other, dataset).status_code, delete(other, dataset).json) == (
        404,
        delete(other, missing).json,
    )
    assert listed(other) == []
    assert listed(user) == [dataset]
    assert (user.api.get(f"/jobs/{job}").json or {})["outputs"]


@pytest.mark.parametrize("name", ["..", "%2e%2e", "a%2fb", "x" * 129, "%00", "-", "%C3%A4", "'", "*"])
def test_what_is_no_id_is_not_found(user: User, name: str) -> None:
    for method, path in (
        ("GET", f"/read_data_metadata/{name}"),
        ("GET", f"/get_raw_data/{name}/user"),
        ("DELETE", f"/delete_folder/{name}"),
    ):
        assert user.api.call(method, path).status_code in (404, 405)


def test_without_a_token_nothing_is_told(anonymous: DescribedClient) -> None:
    for method, path in (
        ("GET", "/list_parent_jobs"),
        ("GET", "/read_data_metadata/x"),
        ("GET", "/get_raw_data/x/user"),
        ("DELETE", "/delete_folder/x"),
    ):
        assert anonymous.call(method, path).status_code == 401


def test_messages_that_come_late_recreate_nothing(
    user: User, settings: Settings, services: Services, tables: TableServiceClient, workers: Workers
) -> None:
    job = user.api.post("/clean_data", json={"dataCount": 15}).json or {}
    parts = workers.take(settings.data_generation_queue)
    for body in parts:
        services.generation.run(GenerationMessage.decode(body), 1)
    [cleaning] = workers.take(settings.small_batch_queue)
    message = CleaningMessage.decode(cleaning)
    services.cleaning.run(message, 1)
    services.loading.load(message.user_id, message.job_id)
    assert delete(user, job["parentJobId"]).status_code == 200

    with pytest.raises(InvalidMessage):
        services.cleaning.run(message, 2)
    with pytest.raises(NotFound):
        services.loading.load(message.user_id, message.job_id)
    for body in parts:
        with pytest.raises(InvalidMessage):
            services.generation.run(GenerationMessage.decode(body), 2)

    assert everything_of(services, tables, user.user_id, job["parentJobId"]) == []
    assert listed(user) == []


class Killed(BaseException):
    """The process ends here."""


class Fused:
    """An adapter that does so many writes, over all that share the fuse, and then ends the process."""

    def __init__(self, adapter: object, fuse: list[int]) -> None:
        self._adapter = adapter
        self._fuse = fuse

    def __getattr__(self, name: str) -> Any:
        called = getattr(self._adapter, name)
        if name not in WRITES:
            return called

        def write(*arguments: Any) -> Any:
            if self._fuse[0] == 0:
                raise Killed
            self._fuse[0] -= 1
            return called(*arguments)

        return write


def deletion_that_ends_after(services: Services, writes: int) -> DatasetDeletion:
    fuse = [writes]
    datasets, jobs, bronze, lake = (
        cast("Any", Fused(adapter, fuse))
        for adapter in (services.datasets, services.jobs, services.bronze, services.lake)
    )
    destinations = [cast("Any", Fused(each, fuse)) for each in services.destinations.values()]
    whole = services.dataset_deletion
    return DatasetDeletion(
        datasets, jobs, bronze, lake, whole._bronze_counter, destinations, clock=whole._clock
    )


@pytest.mark.parametrize("writes", range(10))
def test_a_deletion_that_is_broken_off_at_a_write_leaves_nothing_to_read_and_can_be_repeated(
    writes: int, user: User, services: Services, tables: TableServiceClient, workers: Workers
) -> None:
    dataset = upload(user)
    job = clean(user, workers, dataset)

    with pytest.raises(Killed):
        deletion_that_ends_after(services, writes).delete(user.user_id, dataset)

    gone = writes > 0
    assert listed(user) == ([] if gone else [dataset])
    assert user.api.get(f"/read_data_metadata/{dataset}").status_code == (404 if gone else 200)
    assert user.api.get(f"/get_raw_data/{dataset}/user").status_code == (404 if gone else 200)
    if gone:
        assert user.api.post("/clean_data", json={"parentJobId": dataset}).status_code == 404
    # The job is whole, or not there.
    shown = user.api.get(f"/jobs/{job}/tables/silver")
    assert (shown.status_code, (shown.json or {}).get("rowCount")) == (
        (200, 25) if writes < 3 else (404, None)
    )
    assert delete(user, dataset).status_code == 200
    assert everything_of(services, tables, user.user_id, dataset) == []
    assert delete(user, dataset).status_code == 404


def test_a_deletion_does_so_many_writes(user: User, services: Services, workers: Workers) -> None:
    dataset = upload(user)
    clean(user, workers, dataset)
    # The mark, the job with its log, three folders, two databases, Bronze, the dataset's row.
    assert deletion_that_ends_after(services, 10).delete(user.user_id, dataset) == 12


def test_a_worker_that_wakes_up_after_the_deletion_takes_back_what_it_wrote(
    user: User, services: Services, tables: TableServiceClient, settings: Settings, workers: Workers
) -> None:
    dataset = upload(user)
    job_id = (user.api.post("/clean_data", json={"parentJobId": dataset}).json or {})["jobId"]
    [body] = workers.take(settings.small_batch_queue)
    message = CleaningMessage.decode(body)
    cleaner = services.cleaning._cleaner

    class Sleeper:
        """Everybody thinks that it has died, and its owner deletes the dataset meanwhile."""

        def clean(self, *arguments: Any) -> Any:
            cleaned = cleaner.clean(*arguments)
            now = services.cleaning._clock()
            services.jobs.update(user.user_id, job_id, lambda job: job.failed(now, "lost"))
            files = services.lake.list_files(f"gold/analytics/{user.user_id}")
            contents = {file.path: services.lake.read(file.path) for file in files}
            assert delete(user, dataset).status_code == 200
            # It was only about to write them.
            for path, content in contents.items():
                services.lake.write(path, content)
            return cleaned

    sleeping = build_services(services.settings)
    sleeping.cleaning._cleaner = Sleeper()
    with pytest.raises(InvalidMessage, match="was deleted"):
        sleeping.cleaning.run(message, 1)

    assert everything_of(services, tables, user.user_id, dataset) == []
    metrics = lake_paths.transformation_metrics(message.as_of.date(), job_id)
    with pytest.raises(NotFound):
        services.lake.read(metrics)


def test_of_a_deletion_and_a_job_at_one_moment_one_is_refused(
    user: User, services: Services, workers: Workers
) -> None:
    dataset = upload(user)
    clean(user, workers, dataset)
    services.datasets.update(
        user.user_id, dataset, lambda current: current.deleted(services.dataset_deletion._clock())
    )
    assert user.api.post("/clean_data", json={"parentJobId": dataset}).status_code == 404
    assert len((user.api.get("/jobs").json or {})["jobs"]) == 1
    services.datasets.update(user.user_id, dataset, type(services.datasets.get(user.user_id, dataset)).kept)  # type: ignore[union-attr] # it is there
    assert user.api.post("/clean_data", json={"parentJobId": dataset}).status_code == 202
    with pytest.raises(Conflict):
        services.dataset_deletion.delete(user.user_id, dataset)
