"""Sending data, watching it, and looking at what came of it, as a person does."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import requests
from playwright.sync_api import expect

from tests.e2e.console.visitor import SAMPLE_FILE, Visitor


def answer_of_the_api(visitor: Visitor, path: str) -> dict[str, Any]:
    """What a program of the same user is told."""
    account = {"username": visitor.username, "password": visitor.password}
    login = requests.post(f"{visitor.url}/login", json=account, timeout=30).json()
    headers = {"Authorization": f"Bearer {login['access_token']}"}
    response = requests.get(visitor.url + path, headers=headers, timeout=30)
    assert response.status_code == 200, response.text
    return dict(response.json())


def test_a_new_user_sends_the_sample_file_and_sees_what_became_of_it(
    visitor: Visitor, tmp_path: Path
) -> None:
    page = visitor.page
    visitor.upload(SAMPLE_FILE)
    told = page.locator("#dataset")
    expect(told).to_contain_text("bronze_sample.json holds 60 records.")
    expect(told).to_contain_text("so Azure Function (pandas) cleans them")
    visitor.button("Clean it").click()
    expect(page.get_by_role("list", name="Stages")).to_be_visible()
    visitor.wait_for_end()
    job_id = page.url.rpartition("/")[2]

    page.get_by_role("link", name="Quality and sales").click()
    quality = answer_of_the_api(visitor, f"/jobs/{job_id}/quality")
    assert quality["recordsIn"] == 60
    for name, field in (
        ("records-in", "recordsIn"),
        ("silver-rows", "silverRows"),
        ("duplicates-removed", "duplicatesRemoved"),
        ("quarantined", "quarantined"),
    ):
        expect(page.locator(f"#{name}")).to_have_text(str(quality[field]))
    expect(page.locator("#mean-quality-score")).to_have_text(f"{quality['meanQualityScore']:.1f}")
    scores = page.locator("#chart-scores tbody tr")
    shown = {row.locator("th").inner_text(): row.locator("td").inner_text() for row in _opened(scores)}
    assert {score: int(rows) for score, rows in shown.items() if rows != "0"} == quality["scoreDistribution"]

    page.get_by_role("link", name="Tables").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download Parquet").click()
    file = tmp_path / "silver.parquet"
    download.value.save_as(file)
    assert len(pd.read_parquet(file)) == quality["silverRows"]


def _opened(rows: Any) -> list[Any]:
    """The rows of a picture's numbers, which are folded away."""
    rows.first.locator("xpath=ancestor::details").locator("summary").click()
    return list(rows.all())


def test_a_broken_file_is_told_where_it_breaks(new_visitor: Callable[..., Visitor]) -> None:
    visitor = new_visitor().register()
    broken = SAMPLE_FILE.read_bytes()[:1000]
    visitor.upload({"name": "broken.json", "mimeType": "application/json", "buffer": broken})
    expect(visitor.page.locator("#dataset").get_by_role("alert")).to_contain_text("Byte ")
    expect(visitor.button("Clean it")).to_have_count(0)
    visitor.open("/console/jobs")
    expect(visitor.page.get_by_text("There is no job yet.")).to_be_visible()


def test_a_file_with_broken_records_tells_which(visitor: Visitor) -> None:
    records = [*json.loads(SAMPLE_FILE.read_bytes())[:3], {"user": {"id": "u-1"}}, "no record"]
    content = "\n".join(json.dumps(record) for record in records).encode()
    visitor.upload({"name": "some.jsonl", "mimeType": "application/x-ndjson", "buffer": content})
    visitor.button("Clean it").click()
    visitor.wait_for_end()
    visitor.page.get_by_role("link", name="Quarantine (2)").click()
    reasons = visitor.page.locator(".reason")
    assert sorted(reasons.all_inner_texts()) == ["missing order id", "not an object"]


def test_a_quarantined_record_is_mended_in_the_page(visitor: Visitor) -> None:
    record = {"user": {"id": "u-1"}, "order": {"id": ""}, "order_item": {"id": "i-1"}}
    content = json.dumps([record]).encode()
    visitor.upload({"name": "one.json", "mimeType": "application/json", "buffer": content})
    visitor.button("Clean it").click()
    visitor.wait_for_end()
    visitor.page.get_by_role("link", name="Quarantine (1)").click()
    text = visitor.page.get_by_label("The record")
    text.fill(text.input_value().replace('"id": ""', '"id": "o-1"'))
    visitor.button("Clean this record").click()
    expect(visitor.page.get_by_role("heading", name="A mended record of one.json")).to_be_visible()
    visitor.wait_for_end()
    expect(visitor.page.get_by_role("link", name="Quarantine (0)")).to_be_visible()


def test_sample_data_shows_its_path_while_one_types(visitor: Visitor) -> None:
    count = visitor.page.get_by_label("How many records")
    count.fill("10001")
    expect(visitor.page.locator("#route")).to_contain_text("10,001 records are more than 10,000")
    count.fill("0")
    expect(visitor.page.locator("#route").get_by_role("alert")).to_be_visible()
    visitor.errors.clear()  # the browser itself notes each 400
    count.fill("200")
    expect(visitor.page.locator("#route")).to_contain_text("200 records are not more than 10,000")
    visitor.button("Make and clean it").click()
    visitor.wait_for_end()
    expect(visitor.page.get_by_role("heading", name="200 sample records")).to_be_visible()


def test_a_file_that_is_dropped_is_sent(visitor: Visitor) -> None:
    dropped = visitor.page.evaluate_handle(
        """() => {
            const transfer = new DataTransfer();
            transfer.items.add(new File(['[{"a": 1}]'], "dropped.json", {type: "application/json"}));
            return transfer;
        }"""
    )
    visitor.page.dispatch_event("#drop", "drop", {"dataTransfer": dropped})
    expect(visitor.page.locator("#dataset")).to_contain_text("dropped.json holds 1 record.")


def test_two_users_side_by_side_see_their_own(new_visitor: Callable[..., Visitor]) -> None:
    one, two = new_visitor().register(), new_visitor().register()
    job = one.clean_sample_file()
    two.open("/console/jobs")
    expect(two.page.get_by_text("There is no job yet.")).to_be_visible()
    response = two.page.goto(two.url + job)
    assert response is not None
    assert response.status == 404
    one.open("/console/jobs")
    expect(one.page.get_by_role("link", name="bronze_sample.json")).to_be_visible()


def test_logging_out_and_in_again_leads_back(visitor: Visitor) -> None:
    visitor.button("Log out").click()
    visitor.open("/console/jobs?status=completed")
    visitor.page.get_by_label("Username").fill(visitor.username)
    visitor.page.get_by_label("Password").fill(visitor.password)
    visitor.page.get_by_label("Password").press("Enter")
    expect(visitor.page.get_by_text("There is no job that is completed.")).to_be_visible()


def test_a_dataset_is_deleted_and_its_end_dismissed(visitor: Visitor) -> None:
    visitor.clean_sample_file()
    page = visitor.page
    page.get_by_text("Delete this dataset").click()
    visitor.button("Delete everything").click()
    expect(page.get_by_text("There is no job yet.")).to_be_visible()
    page.get_by_role("link", name="Notifications (1)").click()
    expect(page.get_by_role("article")).to_contain_text("bronze_sample.json: completed, 60 records in")
    page.get_by_role("button", name="Dismiss").click()
    expect(page.get_by_text("Nothing new.")).to_be_visible()


def test_a_wrong_password_is_told_without_leaving_the_page(new_visitor: Callable[..., Visitor]) -> None:
    visitor = new_visitor()
    visitor.open()
    visitor.page.get_by_label("Username").fill("nobody-here")
    visitor.page.get_by_label("Password").fill("not a password")
    visitor.button("Log in").click()
    expect(visitor.page.get_by_role("alert")).to_contain_text("The username or the password is wrong.")
    expect(visitor.page.get_by_label("Username")).to_have_value("nobody-here")


@pytest.mark.parametrize("status", ["queued", "completed"])
def test_the_history_is_filtered(visitor: Visitor, status: str) -> None:
    visitor.clean_sample_file()
    visitor.open("/console/jobs")
    visitor.page.get_by_role("link", name=status, exact=True).click()
    rows = visitor.page.locator("tbody tr")
    expect(rows).to_have_count(1 if status == "completed" else 0)


def test_without_scripts_one_gets_as_far(new_visitor: Callable[..., Visitor]) -> None:
    visitor = new_visitor(java_script_enabled=False).register()
    visitor.page.get_by_label("How many records").fill("20")
    visitor.button("Make and clean it").click()
    expect(visitor.page.get_by_role("list", name="Stages")).to_be_visible()
    job = visitor.page.url
    visitor.upload(SAMPLE_FILE)
    expect(visitor.page.get_by_text("holds 60 records.")).to_be_visible()
    assert job.startswith(f"{visitor.url}/console/jobs/")
