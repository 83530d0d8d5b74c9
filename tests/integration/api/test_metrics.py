"""`/metrics`: what it tells, that it tells it from shared state, and whom."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from prometheus_client.parser import text_string_to_metric_families

from backend.app import create_app
from backend.bootstrap import Services, build_services
from backend.settings import Settings
from tests.integration.api.conftest import User, Workers
from tests.integration.api.described_client import DescribedClient

TOKEN = "a-token-of-these-tests-and-of-nobody"  # noqa: S105 - the same in each process, which names tests by it


def samples(text: str) -> dict[tuple[str, ...], float]:
    """By the sample's name and the values of its labels, which are in the order of their names."""
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.fixture
def scrape(settings: Settings, services: Services) -> Callable[[], dict[tuple[str, ...], float]]:
    """Reads `/metrics` of an API process that has just started, and has seen none of the requests."""

    def read() -> dict[tuple[str, ...], float]:
        fresh = build_services(settings)
        answer = DescribedClient(create_app(settings, fresh).test_client()).get("/metrics")
        assert answer.status_code == 200
        assert answer.content_type == "text/plain; version=0.0.4; charset=utf-8"
        return samples(answer.text)

    return read


def grown(before: dict[tuple[str, ...], float], after: dict[tuple[str, ...], float], *key: str) -> float:
    return after.get(key, 0.0) - before.get(key, 0.0)


def test_a_completed_job_is_counted_with_its_rows_and_stages_by_any_process(
    user: User, workers: Workers, scrape: Callable[[], dict[tuple[str, ...], float]]
) -> None:
    before = scrape()
    records = "\n".join(f'{{"order": {{"id": "o-{number}"}}}}' for number in [1, 2, 2])
    upload = user.api.post("/upload_raw", data=records, content_type="application/x-ndjson")
    user.api.post("/clean_data", json={"parentJobId": upload.json["parentJobId"]})
    queued = scrape()
    workers.clean()
    after = scrape()

    assert grown(before, queued, "orchestrator_jobs", "queued") == 1
    assert grown(before, queued, "orchestrator_queue_messages", "api-small-batch") == 1
    assert grown(queued, after, "orchestrator_jobs", "queued") == -1
    assert after["orchestrator_queue_messages", "api-small-batch-poison"] == 0
    ended = ("orchestrator_jobs_ended_total", "clean", "small_batch", "completed")
    assert grown(before, after, *ended) == 1
    assert grown(before, after, "orchestrator_records_in_total") == 3
    outcomes = ("silver", "duplicate", "quarantined")
    assert sum(grown(before, after, "orchestrator_records_total", each) for each in outcomes) == 3
    for stage in ("waiting", "cleaning", "loading"):
        assert grown(before, after, "orchestrator_stage_seconds_count", "small_batch", stage) == 1


def test_the_oldest_open_job_is_as_old_as_its_submission(
    user: User, workers: Workers, scrape: Callable[[], dict[tuple[str, ...], float]]
) -> None:
    user.api.post("/clean_data", json={"dataCount": 1})

    age = scrape()["orchestrator_oldest_open_job_age_seconds",]

    assert age > 0


def test_elsewhere_than_on_one_machine_there_is_no_such_address_without_a_token(
    settings: Settings, services: Services
) -> None:
    app = create_app(replace(settings, local=False), build_services(replace(settings, local=False)))

    answer = DescribedClient(app.test_client()).get("/metrics")

    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        (None, 401),
        ("Bearer", 401),
        (f"Bearer {TOKEN}x", 401),
        ("Bearer Größe", 401),
        (f"Basic {TOKEN}", 401),
        (f"Bearer {TOKEN}", 200),
    ],
)
@pytest.mark.parametrize("local", [True, False])
def test_where_a_token_is_set_it_alone_opens_the_metrics(
    settings: Settings, authorization: str | None, status: int, local: bool
) -> None:
    guarded = replace(settings, local=local, metrics_token=TOKEN)
    app = create_app(guarded, build_services(guarded))
    headers = {} if authorization is None else {"Authorization": authorization}

    answer = DescribedClient(app.test_client()).get("/metrics", headers=headers)

    assert answer.status_code == status
    assert ("WWW-Authenticate" in answer.headers) == (status == 401)


def test_a_users_own_token_does_not_open_them(settings: Settings, user: User) -> None:
    guarded = replace(settings, metrics_token=TOKEN)
    app = create_app(guarded, build_services(guarded))

    answer = DescribedClient(app.test_client()).get(
        "/metrics", headers={"Authorization": user.api.authorization}
    )

    assert answer.status_code == 401
