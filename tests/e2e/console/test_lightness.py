"""What the page weighs, whom it asks, and how soon it is there."""

import statistics
import time
from collections.abc import Callable

from playwright.sync_api import expect

from tests.e2e.console.visitor import Visitor

CHARTS = "vendor/chart.umd.min.js"


def test_everything_comes_from_the_service_itself(visitor: Visitor) -> None:
    job = visitor.clean_sample_file()
    for path in ("/", "/console/jobs", f"{job}/quality", f"{job}/tables/silver", f"{job}/quarantine"):
        visitor.open(path)
    assert [url for url in visitor.asked if not url.startswith(f"{visitor.url}/")] == []


def test_all_but_the_chart_library_is_under_300_kb_even_uncompressed(visitor: Visitor) -> None:
    job = visitor.clean_sample_file()
    sizes: dict[str, int] = {}
    visitor.page.on(
        "response", lambda answer: sizes.update({answer.url: int(answer.headers["content-length"])})
    )
    visitor.open(f"{job}/quality")
    expect(visitor.page.locator("canvas").first).to_be_visible()
    assert sum(size for url, size in sizes.items() if CHARTS in url) > 200_000
    assert sum(size for url, size in sizes.items() if CHARTS not in url) < 300_000


def test_the_first_view_can_be_used_within_a_second(new_visitor: Callable[..., Visitor]) -> None:
    seconds = []
    for _ in range(5):
        visitor = new_visitor()
        began = time.perf_counter()
        visitor.page.goto(visitor.url)
        visitor.page.get_by_label("Username").fill("somebody")
        seconds.append(time.perf_counter() - began)
    assert statistics.median(seconds) < 1


def test_a_table_of_1000_rows_scrolls(visitor: Visitor) -> None:
    page = visitor.page
    page.get_by_label("How many records").fill("1500")
    visitor.button("Make and clean it").click()
    visitor.wait_for_end()
    page.get_by_role("link", name="Tables").click()
    rows = page.locator("table.rows tbody tr")
    expect(rows).to_have_count(1000)
    region = page.get_by_role("region", name="Rows of silver")
    head = page.locator("table.rows thead th").first
    region.focus()
    began = time.perf_counter()
    page.keyboard.press("End")
    expect(rows.last).to_be_in_viewport()
    assert time.perf_counter() - began < 2
    expect(head).to_be_in_viewport()
