"""What the page shows: each view of it, for two users side by side."""

import io
import json
import re
from collections.abc import Callable
from typing import Any

import pyarrow.parquet as pq
import pytest

from backend.app import create_app
from backend.bootstrap import Services
from backend.domain.messages import CleaningMessage
from backend.settings import Settings
from tests.integration.api.conftest import User, Workers
from tests.integration.api.console_browser import ConsoleBrowser

RECORDS: list[Any] = [
    {
        "user": {"id": "u-1", "username": "<script>alert(1)</script>", "email": "not an address"},
        "address": {"country": "France"},
        "order": {"id": "o-1", "create_time": "2026-01-02T03:04:05Z"},
        "order_item": {"id": "i-1", "quantity": 2},
        "product": {"id": "p-1", "name": "Cup & saucer"},
        "products_sku": {"id": "s-1", "price": "12.50"},
        "payment": {"id": "y-1", "amount": 25, "status": "success"},
    },
    {
        "user": {"id": "u-2"},
        "order": {"id": "o-2", "create_time": "2026-01-03T00:00:00Z"},
        "order_item": {"id": "i-2", "quantity": 1},
        "product": {"id": "p-2", "name": "Plate"},
        "products_sku": {"id": "s-2", "price": "100"},
        "payment": {"id": "y-2", "status": "failed"},
    },
    {"user": {"id": "u-3", "password": "secret"}, "order": {"note": 1e3}},
    "no record",
]


@pytest.fixture
def new_browser(
    settings: Settings, services: Services, new_user: Callable[[], User]
) -> Callable[[], ConsoleBrowser]:
    def make() -> ConsoleBrowser:
        user, browser = new_user(), ConsoleBrowser(create_app(settings, services).test_client())
        assert browser.log_in(user.username, user.password).status_code == 303
        return browser

    return make


@pytest.fixture
def browser(new_browser: Callable[[], ConsoleBrowser]) -> ConsoleBrowser:
    return new_browser()


def upload(browser: ConsoleBrowser, content: bytes, name: str = "orders.json") -> str:
    """Send a file; what the page says of it."""
    response = browser.send("/console/datasets", file=(io.BytesIO(content), name))
    assert response.status_code == 200, response.text
    return response.text


def submit(browser: ConsoleBrowser, **fields: str) -> str:
    """Have something cleaned; the job's page."""
    response = browser.send("/console/jobs", **fields)
    assert response.status_code == 303, response.text
    return str(response.location)


@pytest.fixture
def job_page(browser: ConsoleBrowser, workers: Workers) -> str:
    """The page of a completed job on RECORDS."""
    told = upload(browser, json.dumps(RECORDS).encode())
    dataset = re.search(r'name="dataset" value="([0-9a-f]{32})"', told)
    assert dataset is not None
    page = submit(browser, dataset=dataset.group(1), name="My orders")
    workers.clean()
    return page


def test_a_file_is_told_with_its_path_before_it_is_cleaned(browser: ConsoleBrowser) -> None:
    told = upload(browser, json.dumps(RECORDS).encode(), 'a "name" <b>.json')
    assert "holds 4 records." in told
    assert "small batch" in told
    assert "4 records are\n  not more than 50,\n  so Azure Function (pandas) cleans them." in told
    assert "<b>" not in told
    assert "There is no job yet" in browser.text("/console/jobs")


def test_a_large_file_is_told_that_it_takes_the_large_path(browser: ConsoleBrowser) -> None:
    told = upload(browser, json.dumps(["x"] * 51).encode())
    assert "51 records are\n  more than 50,\n  so Azure Databricks (PySpark) cleans them." in told


@pytest.mark.parametrize(
    ("records", "words"), [("50", "Azure Function (pandas)"), ("51", "Azure Databricks (PySpark)")]
)
def test_sample_data_is_told_its_path_too(browser: ConsoleBrowser, records: str, words: str) -> None:
    assert words in browser.text(f"/console/route?records={records}")


@pytest.mark.parametrize("records", ["", "0", "-1", "1001", "ten", "1.5", "٣", "9" * 5000])
def test_a_number_of_records_that_is_none_is_refused(browser: ConsoleBrowser, records: str) -> None:
    response = browser.get("/console/route", query_string={"records": records})
    assert response.status_code == 400
    assert "The number of records has to be from 1 to 1000." in response.text
    assert browser.send("/console/jobs", records=records).status_code == 400


def test_a_file_that_can_not_be_read_is_told_why(browser: ConsoleBrowser) -> None:
    broken = (io.BytesIO(b'[{"a": 1}, {"b": '), "broken.json")
    response = browser.send("/console/datasets", file=broken)
    assert response.status_code == 400
    assert "Byte 17: expecting value." in response.text


def test_a_form_without_a_file_asks_for_one(browser: ConsoleBrowser) -> None:
    response = browser.send("/console/datasets")
    assert (response.status_code, "Choose a file first." in response.text) == (400, True)


def test_a_piece_of_a_page_gets_an_error_as_a_notice(browser: ConsoleBrowser) -> None:
    response = browser.get("/console/route?records=0", headers={"HX-Request": "true"})
    assert response.status_code == 400
    assert response.text.startswith('<div class="notice bad" role="alert">')


def test_a_job_is_followed_until_it_has_ended(
    browser: ConsoleBrowser, workers: Workers, settings: Settings
) -> None:
    page = submit(browser, records="30", name="Thirty")
    waiting = browser.text(page)
    assert f'sse-connect="{page}/events"' in waiting
    with browser.get(f"{page}/events") as stream:
        assert next(stream.iter_encoded()) == b"retry: 2000\n\n"
        assert b"about 0 of 30 records" in next(stream.iter_encoded())
    assert 'class="current" aria-current="step"><span>Data</span>' in waiting
    assert "about 0 of 30 records" in waiting
    workers.generate()
    assert 'class="current" aria-current="step"><span>Queue</span>' in browser.text(page)
    workers.clean()
    ended = browser.text(page)
    assert "/events" not in ended
    assert "event: ended\ndata: completed\n\n" in browser.get(f"{page}/events").text
    assert ended.count('<li class="done">') == 5


def test_a_failed_job_says_why_and_can_be_tried_again(
    browser: ConsoleBrowser, services: Services, workers: Workers, job_page: str
) -> None:
    assert browser.send(f"{job_page}/retry").status_code == 409
    page = submit(browser, records="3")
    workers.generate()
    (body,) = workers.take(services.settings.small_batch_queue)
    services.poisoning.record_undecodable(body, "the worker ran out of luck")
    failed = browser.text(page)
    assert "the worker ran out of luck" in failed
    assert '<li class="failed"><span>Data</span>' in failed
    assert browser.send(f"{page}/retry").location == page
    workers.clean()
    assert 'class="status completed"' in browser.text(page)
    assert page == f"/console/jobs/{CleaningMessage.decode(body).job_id}"


def test_a_completed_job_leads_to_all_that_it_wrote(browser: ConsoleBrowser, job_page: str) -> None:
    page = browser.text(job_page)
    assert "My orders" in page
    assert "Quarantine (2)" in page
    for table in ("silver", "quarantine", "dim_users", "fact_orders", "agg_product_metrics"):
        assert f"{job_page}/tables/{table}" in page


def test_the_quality_page_has_the_numbers_of_the_api(browser: ConsoleBrowser, job_page: str) -> None:
    page = browser.text(f"{job_page}/quality")
    assert 'id="records-in">4<' in page
    assert 'id="silver-rows">2<' in page
    assert 'id="quarantined">2<' in page
    assert re.search(r'missing order id</th><td class="number" data-value="1"', page)
    assert re.search(r'<th scope="row">email</th><td class="number" data-value="1"', page)
    assert re.search(r'2026-01-02</th><td class="number" data-value="1">1</td>.*data-value="25.0"', page)
    assert re.search(r'Cup & saucer</th><td class="number" data-value="25.0"', page)
    assert re.search(r'France</th><td class="number" data-value="1"', page)
    assert re.search(r'unknown</th><td class="number" data-value="1"', page)


def test_a_job_without_any_row_has_a_quality_page(browser: ConsoleBrowser, workers: Workers) -> None:
    told = upload(browser, b"[]")
    dataset = re.search(r'name="dataset" value="([0-9a-f]{32})"', told)
    assert dataset is not None
    page = submit(browser, dataset=dataset.group(1))
    workers.clean()
    assert "There are no rows to show." in browser.text(f"{page}/quality")
    assert "None: every record could be placed." in browser.text(f"{page}/quarantine")
    assert "0 rows" in browser.text(f"{page}/tables/fact_orders")


def test_a_tables_rows_are_shown_as_text(browser: ConsoleBrowser, job_page: str) -> None:
    source = browser.get(f"{job_page}/tables/silver").text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in source
    assert "<script>alert" not in source
    assert "invalid_email" in source
    assert '<span class="null">null</span>' in source


def test_a_table_is_downloaded_whole(browser: ConsoleBrowser, job_page: str) -> None:
    parquet = browser.get(f"{job_page}/tables/silver/parquet")
    assert parquet.headers["Content-Disposition"] == "attachment; filename=silver.parquet"
    assert pq.read_table(io.BytesIO(parquet.data)).num_rows == 2
    csv = browser.get(f"{job_page}/tables/dim_users/csv")
    assert csv.mimetype == "text/csv"
    assert csv.text.count("\n") == 3
    assert browser.get(f"{job_page}/tables/nothing/csv").status_code == 404
    assert browser.get(f"{job_page}/tables/silver/exe").status_code == 404


def test_quarantined_records_are_shown_with_their_reasons(browser: ConsoleBrowser, job_page: str) -> None:
    page = browser.text(f"{job_page}/quarantine")
    assert page.count('class="reason"') == 2
    assert '<span class="reason">missing order id</span>' in page
    assert '<span class="reason">not an object</span>' in page
    assert '"id": "u-3"' in page
    assert "secret" not in page


def test_a_mended_record_is_cleaned_as_a_dataset_of_its_own(
    browser: ConsoleBrowser, job_page: str, workers: Workers
) -> None:
    mended = '{"user": {"id": "u-3"}, "order": {"id": "o-3"}, "order_item": {"id": "i-3", "quantity": 1e0}}'
    response = browser.send(f"{job_page}/quarantine", record=mended)
    assert response.status_code == 303
    assert response.location != job_page
    workers.clean()
    page = browser.text(response.location)
    assert "A mended record of My orders" in page
    assert "Quarantine (0)" in page
    assert "o-3" in browser.text(f"{response.location}/tables/silver")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "The record is not valid JSON"),
        ("{", "The record is not valid JSON"),
        ('{"a": NaN}', "The record is not valid JSON"),
        ("[1]", "A record has to be a JSON object, in { and }."),
        ("{}, {}", "The record is not valid JSON"),
        ('"text"', "A record has to be a JSON object, in { and }."),
    ],
)
def test_a_record_that_is_none_is_not_sent(
    browser: ConsoleBrowser, job_page: str, text: str, words: str
) -> None:
    response = browser.send(f"{job_page}/quarantine", record=text)
    assert (response.status_code, words in response.text) == (400, True)


def test_the_history_is_filtered_and_goes_on(browser: ConsoleBrowser, job_page: str) -> None:
    for number in range(26):
        submit(browser, records="1", name=f"waiting {number}")
    first = browser.text("/console/jobs")
    assert first.count("<tr>") == 26
    older = re.search(r'href="(/console/jobs\?cursor=[0-9a-f]{32})"', first)
    assert older is not None
    rest = browser.text(older.group(1), headers={"HX-Request": "true"})
    assert rest.strip().startswith("<tr>")
    assert "My orders" in rest
    completed = browser.text("/console/jobs?status=completed")
    assert "My orders" in completed
    assert "waiting" not in completed
    assert "There is no job that is failed." in browser.text("/console/jobs?status=failed")
    assert browser.get("/console/jobs?status=odd").status_code == 400
    assert browser.get("/console/jobs?cursor=odd").status_code == 400


@pytest.mark.parametrize(
    "path", ["", "/quality", "/quarantine", "/tables/silver", "/tables/silver/csv", "/events"]
)
def test_anothers_job_is_not_found(
    new_browser: Callable[[], ConsoleBrowser], job_page: str, path: str
) -> None:
    other = new_browser()
    response = other.get(job_page + path)
    assert response.status_code == 404
    nobodys = other.get(f"/console/jobs/{'0' * 32}{path}")
    assert nobodys.status_code == 404
    assert _without_names(nobodys.text) == _without_names(response.text)


def test_another_can_not_act_on_a_job(new_browser: Callable[[], ConsoleBrowser], job_page: str) -> None:
    other = new_browser()
    assert other.send(f"{job_page}/retry").status_code == 404
    assert other.send(f"{job_page}/quarantine", record="{}").status_code == 404


def test_anothers_dataset_can_not_be_cleaned(
    browser: ConsoleBrowser, new_browser: Callable[[], ConsoleBrowser]
) -> None:
    dataset = re.search(r'name="dataset" value="([0-9a-f]{32})"', upload(browser, b"[{}]"))
    assert dataset is not None
    assert new_browser().send("/console/jobs", dataset=dataset.group(1)).status_code == 404


@pytest.mark.parametrize("job_id", ["x", "..", "0" * 31, "%00", "a" * 5000])
def test_an_id_that_is_none_is_not_found(browser: ConsoleBrowser, job_id: str) -> None:
    assert browser.get(f"/console/jobs/{job_id}").status_code == 404


def test_a_dataset_is_deleted_with_all_that_was_made_of_it(
    browser: ConsoleBrowser, new_browser: Callable[[], ConsoleBrowser], job_page: str
) -> None:
    form = re.search(r'action="(/console/datasets/[0-9a-f]{32}/delete)"', browser.text(job_page))
    assert form is not None
    assert new_browser().send(form.group(1)).status_code == 404
    assert browser.send(form.group(1)).location == "/console/jobs"
    assert browser.get(job_page).status_code == 404
    assert browser.send(form.group(1)).status_code == 404


def test_a_dataset_is_not_deleted_while_a_job_runs_on_it(browser: ConsoleBrowser) -> None:
    told = upload(browser, b"[{}]")
    form = re.search(r'action="(/console/datasets/[0-9a-f]{32}/delete)"', told)
    dataset = re.search(r'name="dataset" value="([0-9a-f]{32})"', told)
    assert form is not None
    assert dataset is not None
    submit(browser, dataset=dataset.group(1))
    assert browser.send(form.group(1)).status_code == 409


def test_the_end_of_a_job_is_told_until_it_is_dismissed(browser: ConsoleBrowser, job_page: str) -> None:
    assert browser.text("/console/notifications/count") == "(1)"
    page = browser.text("/console/notifications")
    assert "My orders: completed, 4 records in = 2 in Silver + 0 duplicates + 2 quarantined" in page
    form = re.search(r'action="(/console/notifications/[^"]+/dismiss)"', page)
    assert form is not None
    assert browser.send(form.group(1)).location == "/console/notifications"
    assert "Nothing new." in browser.text("/console/notifications")
    assert browser.get("/console/notifications/count").text == ""
    assert job_page


def test_the_start_shows_the_routing_configuration(browser: ConsoleBrowser) -> None:
    page = browser.text("/")
    assert "api-small-batch" in page
    assert "Azure Databricks (PySpark)" in page
    assert "every 10 minutes" in page


def _without_names(page: str) -> str:
    return re.sub(r'value="[^"]*"|X-CSRF-TOKEN": "[^"]*"', "", page)
