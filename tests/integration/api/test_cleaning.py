import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from backend.app import create_app
from backend.bootstrap import Services, build_services
from backend.domain.identifiers import is_job_id
from backend.settings import Settings
from tests.integration.api.conftest import User, Workers
from tests.integration.api.described_client import DescribedClient


def record(number: int) -> dict[str, Any]:
    return {"order": {"id": f"o-{number}"}, "user": {"id": "u-1"}, "order_item": {"id": f"i-{number}"}}


def upload(user: User, count: int) -> str:
    response = user.api.post("/upload_raw", json=[record(number) for number in range(count)])
    assert response.status_code == 201
    assert response.json is not None
    return str(response.json["parentJobId"])


def test_a_datasets_own_count_decides_the_path(user: User, workers: Workers) -> None:
    dataset = upload(user, 50)
    response = user.api.post("/clean_data", json={"parentJobId": dataset, "dataCount": 999, "jobName": "A"})
    assert response.status_code == 202
    answer = response.json or {}
    job_id = answer.pop("jobId")
    assert is_job_id(job_id)
    assert answer == {
        "success": True,
        "parentJobId": dataset,
        "jobName": "A",
        "processingPath": "small_batch",
        "queueName": "api-small-batch",
        "recordCount": 50,
        "expectedProcessingTime": "< 5 minutes",
        "statusUrl": f"/jobs/{job_id}",
        "message": f"Accepted. GET /jobs/{job_id} tells how far the job is.",
    }
    [body] = workers.take("api-small-batch")
    message = json.loads(body)
    assert (message["userId"], message["jobId"], message["parentJobId"]) == (user.user_id, job_id, dataset)
    assert len(body) < 400
    assert (user.api.get(answer["statusUrl"]).json or {})["status"] == "queued"


def test_a_larger_dataset_goes_to_the_large_queue(user: User, workers: Workers) -> None:
    response = user.api.post("/clean_data", json={"parentJobId": upload(user, 51)})
    answer = response.json or {}
    assert (answer["processingPath"], answer["queueName"]) == ("large_batch", "api-large-batch")
    assert answer["expectedProcessingTime"] == "< 24 hours"
    assert [json.loads(body)["jobId"] for body in workers.take("api-large-batch")] == [answer["jobId"]]


def test_the_quick_start_generates_then_cleans(user: User, workers: Workers) -> None:
    answer = user.api.post("/clean_data", json={"dataCount": 50}).json or {}
    status_url = answer["statusUrl"]
    assert (user.api.get(status_url).json or {})["status"] == "generating"
    workers.generate()
    assert (user.api.get(status_url).json or {})["status"] == "queued"
    workers.clean()
    job = user.api.get(status_url).json or {}
    assert (job["status"], job["counts"]["recordsIn"], job["error"]) == ("completed", 50, None)


def test_a_dataset_still_being_generated_is_cleaned_when_it_is_complete(user: User, workers: Workers) -> None:
    plan = user.api.post("/generate_raw", json={"dataCount": 40, "seed": 7, "errorRate": 0}).json or {}
    assert (plan["total_count"], plan["total_chunks"], plan["batch_size"]) == (40, 2, 20)
    assert plan["jobIds"] == ["00000", "00001"]
    assert plan["status"] == "generating"
    answer = user.api.post("/clean_data", json={"parentJobId": plan["parentJobId"]}).json or {}
    assert (user.api.get(answer["statusUrl"]).json or {})["status"] == "generating"
    workers.generate()
    assert (user.api.get(f"/jobs/{plan['jobId']}").json or {})["status"] == "completed"
    workers.clean()
    job = user.api.get(answer["statusUrl"]).json or {}
    assert (job["status"], job["counts"]["recordsIn"]) == ("completed", 40)


def test_a_dataset_that_an_operator_put_into_bronze_is_cleaned(
    user: User, services: Services, workers: Workers
) -> None:
    part = json.dumps([record(1), record(2)]).encode()
    services.bronze.write(f"{user.user_id}/by-hand/part-1.json", part)
    answer = user.api.post("/clean_data", json={"parentJobId": "by-hand"}).json or {}
    assert answer["recordCount"] == 2
    workers.clean()
    assert (user.api.get(answer["statusUrl"]).json or {})["counts"]["silverRows"] == 2


@pytest.mark.parametrize(
    "count", [True, False, 1.0, 1.5, "5", "", None, 0, -1, [], {}, 1001, 10**30, -(10**19)]
)
@pytest.mark.parametrize("path", ["/clean_data", "/generate_raw"])
def test_only_an_integer_from_1_to_the_greatest_is_a_data_count(user: User, path: str, count: object) -> None:
    response = user.api.post(path, json={"dataCount": count})
    assert response.status_code == 400
    assert "dataCount" in (response.json or {})["message"]


def test_an_empty_body_says_what_to_send(user: User) -> None:
    response = user.api.post("/clean_data", json={})
    assert response.status_code == 400
    assert (response.json or {})["message"] == "Send dataCount, or parentJobId, or both."


def test_only_the_names_of_the_document_are_known(user: User) -> None:
    response = user.api.post("/clean_data", json={"data_count": 5})
    assert (response.json or {})["message"] == "Send dataCount, or parentJobId, or both."


@pytest.mark.parametrize("dataset", ["unknown", "../../x", "", "a/b", "x" * 129, "a\u0000b", "'", "é"])
def test_an_unknown_dataset_is_not_found_whatever_its_form(user: User, dataset: str) -> None:
    response = user.api.post("/clean_data", json={"parentJobId": dataset})
    assert response.status_code == 404
    assert (response.json or {})["message"] == "There is no such dataset: upload or generate one first."


def test_another_users_dataset_answers_as_one_that_does_not_exist(user: User, other: User) -> None:
    theirs = other.api.post("/clean_data", json={"parentJobId": upload(user, 1)})
    nobodys = other.api.post("/clean_data", json={"parentJobId": "1" * 32})
    assert (theirs.status_code, theirs.json) == (nobodys.status_code, nobodys.json)


@pytest.mark.parametrize(
    "body",
    [
        {"parentJobId": 5},
        {"parentJobId": ["x"]},
        {"dataCount": 5, "jobName": 5},
        {"dataCount": 5, "jobName": "x" * 201},
        {"dataCount": 5, "jobName": "a\nb"},
    ],
)
def test_fields_of_another_type_or_size_are_refused(user: User, body: dict[str, Any]) -> None:
    assert user.api.post("/clean_data", json=body).status_code == 400


@pytest.mark.parametrize(
    "body",
    [
        {"dataCount": 5, "errorRate": 1.1},
        {"dataCount": 5, "errorRate": -0.1},
        {"dataCount": 5, "errorRate": "0.5"},
        {"dataCount": 5, "errorRate": True},
        {"dataCount": 5, "seed": -1},
        {"dataCount": 5, "seed": 1 << 63},
        {"dataCount": 5, "seed": 1.5},
        {"dataCount": 5, "seed": "1"},
    ],
)
def test_generation_takes_a_share_and_a_seed(user: User, body: dict[str, Any]) -> None:
    assert user.api.post("/generate_raw", json=body).status_code == 400


@pytest.mark.parametrize("seed", [0, (1 << 63) - 1])
def test_the_greatest_and_the_least_seed_make_data(user: User, workers: Workers, seed: int) -> None:
    body = {"dataCount": 1, "seed": seed, "errorRate": 1}
    plan = user.api.post("/generate_raw", json=body).json or {}
    workers.generate()
    assert (user.api.get(f"/jobs/{plan['jobId']}").json or {})["status"] == "completed"


def test_a_job_name_may_hold_any_letters(user: User) -> None:
    name = "Größe 日本 \U0001f600 <b>&'\""
    answer = user.api.post("/clean_data", json={"dataCount": 5, "jobName": name}).json or {}
    assert answer["jobName"] == name
    assert (user.api.get(answer["statusUrl"]).json or {})["jobName"] == name


def test_an_idempotency_key_makes_a_call_safe_to_repeat(user: User, workers: Workers) -> None:
    dataset = upload(user, 2)
    key = {"Idempotency-Key": "any key / of # mine"}
    first = user.api.post("/clean_data", json={"parentJobId": dataset}, headers=key)
    workers.clean()
    again = user.api.post("/clean_data", json={"parentJobId": dataset, "other": 1}, headers=key)
    assert (again.status_code, again.json) == (202, first.json)
    assert workers.take("api-small-batch") == []
    other_body = user.api.post("/clean_data", json={"parentJobId": dataset, "dataCount": 2}, headers=key)
    assert other_body.status_code == 409
    assert (other_body.json or {})["error"] == "idempotency_conflict"


def test_simultaneous_calls_with_one_key_make_one_job(
    user: User, workers: Workers, services: Services
) -> None:
    dataset = upload(user, 2)
    key = {"Idempotency-Key": "simultaneous"}

    def clean(_: int) -> Any:
        return user.api.post("/clean_data", json={"parentJobId": dataset}, headers=key).json

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(clean, range(8)))
    assert all(answer == answers[0] for answer in answers)
    assert len(services.jobs.page(user.user_id, None, 10, None)) == 1
    assert len(workers.take("api-small-batch")) == 1


def test_idempotency_keys_belong_to_their_user(user: User, other: User) -> None:
    key = {"Idempotency-Key": "the same"}
    mine = user.api.post("/clean_data", json={"dataCount": 5}, headers=key).json or {}
    theirs = other.api.post("/clean_data", json={"dataCount": 6}, headers=key).json or {}
    assert mine["jobId"] != theirs["jobId"]


@pytest.mark.parametrize("key", ["", "x" * 256, "\u00e9"])
def test_an_odd_idempotency_key_is_refused(user: User, key: str) -> None:
    response = user.api.post("/clean_data", json={"dataCount": 5}, headers={"Idempotency-Key": key})
    assert response.status_code == 400
    assert "Idempotency-Key" in (response.json or {})["message"]


def test_routing_config_tells_what_each_path_is(user: User) -> None:
    assert user.api.get("/routing_config/small_batch").json == {
        "success": True,
        "pathType": "small_batch",
        "config": {
            "queue_name": "api-small-batch",
            "record_limit": 50,
            "processor": "Azure Function (pandas)",
            "adf_trigger_type": "schedule",
            "adf_trigger_frequency": "Minute",
            "adf_trigger_interval": 10,
            "expected_time": "< 5 minutes",
            "expected_throughput": "~5-10k records per batch",
            "max_concurrent_jobs": 10,
            "cost_level": "low",
        },
    }
    large = (user.api.get("/routing_config/large_batch").json or {})["config"]
    assert (large["queue_name"], large["record_limit"], large["max_concurrent_jobs"]) == (
        "api-large-batch",
        None,
        3,
    )
    assert (large["adf_trigger_frequency"], large["adf_trigger_interval"]) == ("Hour", 10)
    both = user.api.get("/routing_config").json or {}
    assert both["threshold"] == 50
    assert both["paths"]["large_batch"] == large


def test_another_path_has_no_config(user: User) -> None:
    response = user.api.get("/routing_config/medium_batch")
    assert response.status_code == 400
    assert (response.json or {})["message"] == "The path has to be small_batch or large_batch."


def test_health_is_told_to_anybody(anonymous: DescribedClient) -> None:
    assert anonymous.get("/healthz").json == {"success": True, "status": "alive"}
    assert (anonymous.get("/readyz").json or {})["checks"] == {
        "storage": True,
        "queues": True,
        "tables": True,
        "database": True,
    }


def test_past_the_open_jobs_of_a_user_the_answer_is_429_until_one_has_ended(
    settings: Settings, user: User, workers: Workers
) -> None:
    few = replace(settings, max_open_jobs=2)
    some = build_services(few)
    token = user.api.authorization.removeprefix("Bearer ")
    api = DescribedClient(create_app(few, some).test_client(), token)
    dataset = upload(user, 1)
    for _ in range(2):
        assert api.post("/clean_data", json={"parentJobId": dataset}).status_code == 202
    refused = api.post("/clean_data", json={"parentJobId": dataset})
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "5")
    assert refused.json == {
        "success": False,
        "error": "too_many_open_jobs",
        "message": "2 of your jobs have not ended yet: wait until one of them has.",
    }
    assert api.post("/generate_raw", json={"dataCount": 1}).status_code == 429
    workers.clean()
    assert api.post("/clean_data", json={"parentJobId": dataset}).status_code == 202
